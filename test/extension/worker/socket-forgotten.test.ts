import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { Channel } from '../../../extension/worker/script/channel';
import { openPair, ScriptUnderTest } from './script-world';

describe('A socket that nothing in the script refers to any more', function () {
  this.timeout(120_000);

  it('is closed once the collector tells so: what it has queued is sent, and nothing stays in CLOSE-WAIT', () => {
    const registered: { readonly socket: WeakKey; readonly channel: Channel }[] = [];
    let tell: (channel: Channel) => void = () => {};
    const { world, socket, peer, script } = openPair({
      watchForgotten: (forgotten) => {
        tell = forgotten;
        return { register: (target, channel) => void registered.push({ socket: target, channel }) };
      },
    });
    assert.deepEqual(registered.map((each) => each.socket), [socket]);
    socket.write(Buffer.alloc(3_000_000, 'last words'));
    peer.write(Buffer.from('never read'));
    peer.close();
    world.advance(1_000);
    let heard = 0;
    peer.onChange = () => {
      const target = Buffer.alloc(1 << 16);
      for (let count = peer.read(target); count > 0; count = peer.read(target)) heard += count;
    };
    assert.deepEqual(ScriptUnderTest.states(world), ['CLOSE-WAIT']);
    for (const { channel } of registered) tell(channel);
    peer.onChange(peer);
    world.until(() => script.worker.open.length === 0, 'its end');
    assert.deepEqual([heard, peer.error, peer.peerClosed, ScriptUnderTest.states(world)], [3_000_000, null, true, []]);
  });

  it('is held by nothing of ours: the collector finds each one, and none that the script holds', async () => {
    const file = 'test/extension/worker/forgotten-sockets.ts';
    const { buildTests } = createRequire(path.resolve('package.json'))('./esbuild.js') as { buildTests(files: readonly string[]): Promise<void> };
    await buildTests([file]);
    // A compiler at work on another thread holds what the code that it compiles has seen, for as long as that thread waits for
    // its turn: here there is none, and what is held is only what the program holds.
    const flags = ['--expose-gc', '--single-threaded', '--jitless'];
    const { stdout, stderr, status } = spawnSync(process.execPath, [...flags, path.join('dist', file.replace(/\.ts$/, '.js'))], { encoding: 'utf8', timeout: 100_000 });
    assert.equal(status, 0, stderr);
    assert.deepEqual(JSON.parse(stdout), {
      closeWait: 20, states: ['ESTABLISHED'], kept: ['connected', 'never read'], heard: Array.from({ length: 20 }, () => [10, null]),
    });
  });
});
