/** `npm run sim`: the table of goodput, and runs over random conditions. */
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { nameOf, PATHS, runCell, type Cell, type Path } from './cells';
import { CONTESTS, nameOfContest, runContest, type Share } from './fairness';
import { cellOf, fallen, shareOf, toJson, toMarkdown, type GoodputTable } from './goodput-table';
import { conditionsOf, runSeed } from './random-run';

const USAGE = `npm run sim -- [OPTIONS]
  (none)                  measures the whole table and holds it against the committed one
  --update                measures it and commits it to test/sim/goodput.json and GOODPUT.md
  --cells RTT/LOSS/RATE   only these cells, as 100/1/10, and several with commas
  --seeds N               N transfers over random conditions, from seed 1 on (--from S: from S on)
  --seed S                the one of seed S, with its conditions
  --table                 the table besides --seeds`;

interface Report {
  readonly passed: number;
  readonly failures: readonly string[];
}

/** @param folder where the table lies @returns the exit code */
export function main(folder: string, argv: readonly string[]): number {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      update: { type: 'boolean', default: false }, cells: { type: 'string' }, seeds: { type: 'string' }, from: { type: 'string', default: '1' },
      seed: { type: 'string' }, table: { type: 'boolean', default: false }, help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  if (values.seed !== undefined) {
    const seed = whole('--seed', values.seed);
    console.log(JSON.stringify(conditionsOf(seed), null, 2));
    return tell(randomRuns([seed]));
  }
  const reports: Report[] = [];
  if (values.seeds !== undefined) {
    const from = whole('--from', values.from);
    reports.push(randomRuns(Array.from({ length: whole('--seeds', values.seeds) }, (_, i) => from + i)));
  }
  if (values.seeds === undefined || values.table) reports.push(table(folder, values.cells === undefined ? null : values.cells.split(',').map(readPath), values.update));
  return tell({ passed: reports.reduce((sum, { passed }) => sum + passed, 0), failures: reports.flatMap(({ failures }) => failures) });
}

function whole(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`${name} ${text}: a whole number from 1 on is meant.\n${USAGE}`);
  return value;
}

function readPath(text: string): Path {
  const [rttMs, lossPercent, rateMbps] = text.split('/').map(Number);
  const found = PATHS.find((known) => known.rttMs === rttMs && known.lossPercent === lossPercent && known.rateMbps === rateMbps);
  if (!found) throw new Error(`--cells ${text}: no cell of the table. RTT/LOSS/RATE is meant, as 100/1/10; cells are ${PATHS.map((known) => `${known.rttMs}/${known.lossPercent}/${known.rateMbps}`).join(' ')}`);
  return found;
}

/** In the words of mocha, from which the command that runs all phases takes its totals. */
function tell({ passed, failures }: Report): number {
  for (const failure of failures) console.log(`FAIL ${failure}`);
  console.log(`\n  ${passed} passing`);
  if (failures.length > 0) console.log(`  ${failures.length} failing`);
  return failures.length > 0 ? 1 : 0;
}

function table(folder: string, chosen: readonly Path[] | null, update: boolean): Report {
  const file = path.join(folder, 'goodput.json');
  const committed: GoodputTable = fs.existsSync(file) ? (JSON.parse(fs.readFileSync(file, 'utf8')) as GoodputTable) : { cells: [], fairness: [] };
  const failures: string[] = [];
  const attempt = <T>(measure: () => T): T | null => {
    try {
      return measure();
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error));
      return null;
    }
  };
  const cells = (chosen ?? PATHS).flatMap((one): Cell[] => {
    const cell = attempt(() => runCell(one));
    if (!cell) return [];
    const was = cellOf(committed, cell);
    console.log(`${nameOf(cell).padEnd(36)} ${String(cell.mbps).padStart(7)} ± ${cell.standardError} Mbit/s${was ? `, was ${was.mbps} ± ${was.standardError}` : ''}`);
    return [cell];
  });
  const fairness = (chosen === null ? CONTESTS : []).flatMap((contest): Share[] => {
    const share = attempt(() => runContest(contest));
    if (!share) return [];
    const was = shareOf(committed, share);
    console.log(`${nameOfContest(share).padEnd(36)} ${share.mbps.join(' and ')} Mbit/s, Jain's index ${share.jain}${was ? `, was ${was.jain}` : ''}`);
    return [share];
  });
  if (update) {
    if (failures.length > 0 || chosen !== null) return { passed: 0, failures: [...failures, 'The table was not written: it takes all cells, and none may fail.'] };
    fs.writeFileSync(file, toJson({ cells, fairness }));
    fs.writeFileSync(path.join(folder, 'GOODPUT.md'), toMarkdown({ cells, fairness }));
    return { passed: cells.length + fairness.length, failures };
  }
  const fell = fallen(committed, cells, fairness);
  if (fell.length > 0) fell.push('If that is meant, run `npm run sim -- --update`, and commit the table with the reason.');
  const all = [...failures, ...fell];
  return { passed: cells.length + fairness.length - Math.max(0, fell.length - 1), failures: all };
}

function randomRuns(seeds: readonly number[]): Report {
  const failures: string[] = [];
  let [bytes, virtualMs, retransmissions] = [0, 0, 0];
  let longest = { seed: 0, ms: 0 };
  for (const seed of seeds) {
    try {
      const outcome = runSeed(seed);
      bytes += outcome.bytes;
      virtualMs += outcome.virtualMs;
      retransmissions += outcome.retransmissions;
      if (outcome.longestSilenceMs > longest.ms) longest = { seed, ms: outcome.longestSilenceMs };
    } catch (error) {
      failures.push(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}\nRun it again with: npm run sim -- --seed ${seed}`);
    }
  }
  console.log(
    `${seeds.length} transfers over random conditions: ${bytes} bytes in ${Math.round(virtualMs / 1_000)} s of virtual time, ${retransmissions} retransmissions, ` +
      `longest silence ${Math.round(longest.ms)} ms (seed ${longest.seed})`,
  );
  return { passed: seeds.length - failures.length, failures };
}
