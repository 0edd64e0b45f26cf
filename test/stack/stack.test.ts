import assert from 'node:assert/strict';
import { VirtualClock } from '../../stack/clock';
import { createCable } from '../../stack/link/cable';
import { SeededRandom } from '../../stack/random';
import { runStack } from '../../stack/run-stack';
import { Stack } from '../../stack/stack';
import { parseIpv4 } from '../../stack/wire/address';

const A = parseIpv4('10.0.0.1') ?? 0;
const B = parseIpv4('10.0.0.2') ?? 0;

describe('Two stacks on a cable', () => {
  it('transfers bytes', () => {
    const clock = new VirtualClock();
    const [left, right] = createCable({ mtu: 1500 });
    const a = new Stack({ device: left, random: new SeededRandom(1), address: { mode: 'static', address: A, prefixLength: 24 } });
    const b = new Stack({ device: right, random: new SeededRandom(2), address: { mode: 'static', address: B, prefixLength: 24 } });
    runStack(a, clock);
    runStack(b, clock);
    const data = new SeededRandom(3).bytes(3_000_000);
    const received: Uint8Array[] = [];
    let ended = false;
    const listener = b.tcp.listen({ port: 80 });
    listener.onAccept = (socket) => {
      socket.onChange = () => {
        const chunk = new Uint8Array(socket.readableBytes);
        socket.read(chunk);
        received.push(chunk);
        if (socket.peerClosed) { ended = true; socket.close(); }
      };
    };
    const socket = a.tcp.connect({ address: B, port: 80 }, clock.now());
    let at = 0;
    socket.onChange = () => {
      at += socket.write(data.subarray(at));
      if (at === data.length) socket.close();
    };
    assert.ok(clock.runWhile(() => ended, 60_000), JSON.stringify([socket.snapshot(), a.counters, b.counters]));
    assert.deepEqual(Buffer.concat(received), Buffer.from(data));
  });
});
