import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createCable } from '../../../stack/link/cable';
import { createLinkCounters, type Device } from '../../../stack/link/device';

function frame(length: number, fill: number): Uint8Array {
  return new Uint8Array(length).fill(fill);
}

function drain(device: Device, budget = 1_000_000): Uint8Array[] {
  const frames: Uint8Array[] = [];
  device.receive(budget, (bytes) => frames.push(bytes.slice()));
  return frames;
}

describe('Cable', function () {
  this.timeout(30_000);

  it('carries frames both ways, in order, each as it was when it was sent', () => {
    const [a, b] = createCable({ mtu: 1500 });
    const buffer = frame(100, 1);
    a.send(buffer, 60);
    buffer.fill(2);
    a.send(buffer, 100);
    b.send(frame(20, 3), 20);
    assert.deepEqual(drain(b), [frame(60, 1), frame(100, 2)]);
    assert.deepEqual(drain(a), [frame(20, 3)]);
    assert.deepEqual(a.counters, { ...createLinkCounters(), rxFrames: 1, rxBytes: 20, txFrames: 2, txBytes: 160 });
  });

  it('sends what the buffer holds now, also when length and buffer are those of before', () => {
    const [a, b] = createCable({ mtu: 1500 });
    const memory = new Uint8Array(4_000);
    for (const offset of [0, 1_000, 0]) {
      const view = memory.subarray(offset, offset + 1_000).fill(offset / 1_000 + 5);
      a.send(view, 1_000);
    }
    assert.deepEqual(drain(b).map((bytes) => bytes[500]), [5, 6, 5]);
  });

  it('lets its user know once, when the first frame is queued', () => {
    const [a, b] = createCable({ mtu: 1500 });
    let calls = 0;
    b.onFrame = () => calls++;
    a.send(frame(60, 1), 60);
    a.send(frame(60, 1), 60);
    assert.equal(calls, 1);
    assert.ok(b.hasFrames);
    drain(b, 1);
    assert.ok(b.hasFrames);
    drain(b);
    assert.ok(!b.hasFrames);
    a.send(frame(60, 1), 60);
    assert.equal(calls, 2);
  });

  it('drops and counts frames that are too short, too long, or longer than their buffer', () => {
    const [a, b] = createCable({ mtu: 100 });
    for (const [buffer, length] of [[20, 13], [200, 115], [20, 21], [20, -1]] as const) a.send(new Uint8Array(buffer), length);
    assert.equal(a.counters.badLength, 4);
    a.send(new Uint8Array(114), 114);
    assert.equal(drain(b).length, 1);
  });

  it('drops and counts what finds the queue full, and goes on when there is room', () => {
    const [a, b] = createCable({ mtu: 1500, queueBytes: 10_000 });
    for (let i = 0; i < 20; i++) a.send(frame(1_000, i), 1_000);
    assert.ok(a.counters.txDropped > 9);
    assert.equal(b.counters.rxQueueFull, a.counters.txDropped);
    const kept = drain(b);
    assert.deepEqual(kept.map((bytes) => bytes[0]), kept.map((_, i) => i));
    a.send(frame(1_000, 99), 1_000);
    assert.deepEqual(drain(b), [frame(1_000, 99)]);
  });

  it('after close sends and receives nothing, while the other end can still take what was sent before', () => {
    const [a, b] = createCable({ mtu: 1500 });
    a.send(frame(60, 1), 60);
    b.send(frame(60, 2), 60);
    a.close();
    a.close();
    a.send(frame(60, 3), 60);
    b.send(frame(60, 4), 60);
    assert.ok(!a.hasFrames);
    assert.deepEqual(drain(a), []);
    assert.deepEqual(drain(b), [frame(60, 1)]);
    assert.equal(a.counters.txDropped + b.counters.txDropped, 2);
  });

  it('may be closed by the handler of a frame', () => {
    const [a, b] = createCable({ mtu: 1500 });
    for (let i = 0; i < 3; i++) a.send(frame(60, i), 60);
    assert.equal(b.receive(10, () => b.close()), 1);
  });

  it('behaves as a bounded queue, whatever is sent and taken', () => {
    const step = fc.oneof(fc.record({ send: fc.integer({ min: 14, max: 514 }) }), fc.record({ take: fc.integer({ min: 1, max: 8 }) }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const [a, b] = createCable({ mtu: 500, queueBytes: 3_000 });
        const model: Uint8Array[] = [];
        let fill = 0;
        for (const action of steps) {
          if ('send' in action) {
            const sent = frame(action.send, fill++ & 0xff);
            const { txFrames } = a.counters;
            a.send(sent, sent.length);
            if (a.counters.txFrames > txFrames) model.push(sent);
            // A ring loses at most one frame's room at its end, and a record has at most nine bytes of its own.
            else assert.ok(model.reduce((sum, { length }) => sum + length + 9, 0) + 2 * (action.send + 14) > 3_000, 'dropped with room left');
          } else {
            assert.deepEqual(drain(b, action.take), model.splice(0, action.take));
          }
          assert.equal(b.hasFrames, model.length > 0);
        }
      }),
      { seed: 42, numRuns: 300 },
    );
  });

  it('refuses an MTU or a queue out of range', () => {
    assert.throws(() => createCable({ mtu: 67 }), /68 … 65535, not 67/);
    assert.throws(() => createCable({ mtu: 65_536 }), RangeError);
    assert.throws(() => createCable({ mtu: 1500, queueBytes: 1_000 }), /queue at MTU 1500/);
  });
});
