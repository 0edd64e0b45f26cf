/**
 * The fresh process of one measurement: `child BUNDLE NAME subject|against`. The figure goes to the
 * parent over IPC. A process each, because what one benchmark taught the compiler would help the next.
 */
import type { Benchmark } from './harness';

async function main(): Promise<number> {
  const [bundle = '', name = '', side = ''] = process.argv.slice(2);
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- which bundle is known only now
  const { benchmarks } = require(bundle) as { benchmarks: readonly Benchmark[] };
  const benchmark = benchmarks.find((candidate) => candidate.name === name);
  const run = side === 'against' ? benchmark?.against?.run : benchmark?.run;
  if (!run) throw new Error(`${bundle} has no benchmark ${name} (${side})`);
  return await run();
}

main().then(
  (value) => process.send?.({ value }, () => process.exit(0)),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
