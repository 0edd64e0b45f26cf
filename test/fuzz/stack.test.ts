import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createCable, SeededRandom, Stack, type Device } from '../../stack';
import { anyFrame, OUR_ADDRESS, OUR_MAC, PEER_ADDRESS, PEER_MAC } from './support/frames';

const seed = process.env['FC_SEED'];
const PARAMETERS = { numRuns: 500, ...(seed === undefined ? {} : { seed: Number(seed) }) };

/** A stack with something to hit: a listener, a UDP socket, a connection under way and a name being resolved. */
function makeStack(): { stack: Stack; wire: Device } {
  const [device, wire] = createCable({ mtu: 1_500, macs: [OUR_MAC, PEER_MAC] });
  const stack = new Stack({
    device,
    random: new SeededRandom(1),
    address: { mode: 'static', address: OUR_ADDRESS, prefixLength: 24, gateway: PEER_ADDRESS, dns: [{ address: PEER_ADDRESS, port: 53 }] },
  });
  stack.tcp.listen({ port: 80 });
  stack.udp.bind({ port: 5_353 });
  stack.poll(0);
  stack.tcp.connect({ address: PEER_ADDRESS, port: 80 }, 0);
  stack.dns.resolve('fuzz.example', 0, () => {});
  stack.poll(0);
  return { stack, wire };
}

function total(counters: Stack['counters']): number {
  return Object.values(counters).reduce((sum, layer) => sum + Object.values<number>(layer).reduce((part, count) => part + count, 0), 0);
}

describe('The stack on frames of every kind', function () {
  this.timeout(120_000);

  it('throws for none, counts each, and holds no more than its bounds', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(anyFrame, fc.nat({ max: 2_000 })), { minLength: 1, maxLength: 40 }), (arrivals) => {
        const { stack, wire } = makeStack();
        let now = 0;
        for (const [frame, wait] of arrivals) {
          const taken = wire.counters.txFrames;
          const before = total(stack.counters);
          wire.send(frame, frame.length);
          // The cable itself refuses, and counts, what is no frame.
          const arrived = wire.counters.txFrames > taken;
          stack.poll(now);
          if (arrived) assert.ok(total(stack.counters) > before, `nothing counted the frame ${Buffer.from(frame).toString('hex')}`);
          wire.receive(1_000, () => {});
          now += wait;
          while (stack.poll(now));
        }
        // Whatever the frames opened comes to an end by its own timers.
        for (let i = 0; stack.pollAt() < Infinity && i < 10_000; i++) {
          now = Math.max(now, stack.pollAt());
          stack.poll(now);
          wire.receive(1_000, () => {});
        }
        assert.equal([...stack.tcp.sockets].length, 0, 'no connection is left');
        stack.close(now);
        assert.equal(stack.pollAt(), Infinity);
      }),
      PARAMETERS,
    );
  });

  it('keeps its listener working afterwards', () => {
    fc.assert(
      fc.property(fc.array(anyFrame, { minLength: 20, maxLength: 60 }), (frames) => {
        const { stack, wire } = makeStack();
        for (const frame of frames) {
          wire.send(frame, frame.length);
          stack.poll(0);
        }
        wire.receive(1_000, () => {});
        const [device, other] = [wire, new SeededRandom(2)];
        const peer = new Stack({ device, random: other, address: { mode: 'static', address: PEER_ADDRESS, prefixLength: 24 } });
        const socket = peer.tcp.connect({ address: OUR_ADDRESS, port: 80, localPort: 61_234 }, 0);
        let now = 0;
        for (let i = 0; i < 200 && !socket.isOpen && socket.error === null; i++) {
          peer.poll(now);
          stack.poll(now);
          now += 50;
        }
        assert.equal(socket.error, null);
        assert.ok(socket.isOpen, `state ${socket.state} after ${now} ms`);
      }),
      { ...PARAMETERS, numRuns: 100 },
    );
  });
});
