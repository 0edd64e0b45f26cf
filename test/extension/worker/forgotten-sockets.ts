/**
 * Runs alone, with `--expose-gc`, and neither compilers nor threads of V8: sockets that nothing refers to any more, until the
 * collector has told of each. Prints what came of them.
 */
import { Buffer } from 'node:buffer';
import type { TcpSocket } from '../../../stack';
import { ScriptUnderTest, ScriptWorld } from './script-world';

const PORT = 80;
const COUNT = 20;

async function main(): Promise<void> {
  const world = new ScriptWorld();
  const peers: TcpSocket[] = [];
  world.listen(PORT, (accepted) => peers.push(accepted));
  const script = world.script();
  const kept = world.open(script, PORT);
  forget(world, script);
  for (const [i, peer] of peers.entries()) {
    peer.write(Buffer.from('never read'));
    if (i > 0) peer.close();
  }
  world.advance(1_000);
  const closeWait = ScriptUnderTest.states(world).filter((state) => state === 'CLOSE-WAIT').length;
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  // The test's own time limit ends it.
  while (script.worker.open.length > 1) {
    globalThis.gc?.();
    await turn();
    world.advance(100);
  }
  const heard = peers.slice(1).map(({ readableBytes, error }) => [readableBytes, error]);
  process.stdout.write(JSON.stringify({ closeWait, states: ScriptUnderTest.states(world), kept: [kept.status, kept.read()?.toString()], heard }));
}

/** In a function of its own, so that no variable holds them. */
function forget(world: ScriptWorld, script: ScriptUnderTest): void {
  for (let i = 0; i < COUNT; i++) world.open(script, PORT).write('last words');
}

void main();
