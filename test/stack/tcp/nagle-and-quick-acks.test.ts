import assert from 'node:assert/strict';
import { TcpHarness } from '../../support/tcp-harness';

describe('TCP Nagle\'s algorithm switched by the user (RFC 1122 §4.2.3.4)', () => {
  it('off: what waited goes at once, and small segments no longer wait', () => {
    const t = new TcpHarness();
    const socket = t.establish({ rtt: 100 });
    t.write(100, socket, 10);
    t.expect(100, { flags: 'ACK', seq: 1, payload: 10 });
    t.write(110, socket, 10);
    t.expectNothing(120);
    t.user(120, 'nagle off', () => socket.setNagle(false));
    t.expect(120, { flags: 'ACK', seq: 11, payload: 10 });
    t.write(130, socket, 10);
    t.expect(130, { flags: 'ACK', seq: 21, payload: 10 });
  });

  it('on: small segments wait again', () => {
    const t = new TcpHarness({ config: { nagle: false } });
    const socket = t.establish({ rtt: 100 });
    t.user(100, 'nagle on', () => socket.setNagle(true));
    t.write(100, socket, 10);
    t.expect(100, { flags: 'ACK', seq: 1, payload: 10 });
    t.write(110, socket, 10);
    t.expectNothing(190);
    t.send(200, { flags: 'ACK', seq: 1, ack: 11 });
    t.expect(200, { flags: 'ACK', seq: 11, payload: 10 });
  });
});

describe('TCP quick ACKs', () => {
  /** ACKs for `count` small segments, 5 ms apart from `from` on: how long each took, or -1 for none of its own. */
  const delays = (t: TcpHarness, from: number, count: number, firstSeq: number): number[] => {
    const seen: number[] = [];
    for (let i = 0; i < count; i++) {
      const at = from + 100 * i;
      t.send(at, { flags: 'ACK', seq: firstSeq + 10 * i, ack: 1, payload: 10 });
      const [ack] = t.take(at + 99);
      seen.push(ack ? ack.at - at : -1);
    }
    return seen;
  };

  it('the first segments are acknowledged at once, so that the peer\'s slow start gets its clock, then ACKs are delayed', () => {
    const t = new TcpHarness({ config: { quickAcks: 4, delayedAckMs: 40 } });
    t.establish({ rtt: 100 });
    assert.deepEqual(delays(t, 100, 7, 1), [0, 0, 0, 0, 40, 40, 40]);
  });

  it('and again after a silence longer than the RTO', () => {
    const t = new TcpHarness({ config: { quickAcks: 4, delayedAckMs: 40 } });
    const socket = t.establish({ rtt: 100 });
    delays(t, 100, 6, 1);
    const { rtoMs } = socket.snapshot();
    const at = 700 + rtoMs;
    assert.deepEqual(delays(t, at, 6, 61), [0, 0, 0, 0, 40, 40]);
  });

  it('not after a shorter one', () => {
    const t = new TcpHarness({ config: { quickAcks: 4, delayedAckMs: 40 } });
    const socket = t.establish({ rtt: 100 });
    delays(t, 100, 6, 1);
    assert.ok(socket.snapshot().rtoMs > 250);
    assert.deepEqual(delays(t, 850, 2, 61), [40, 40]);
  });

  it('none when switched off', () => {
    const t = new TcpHarness({ config: { quickAcks: 0, delayedAckMs: 40 } });
    t.establish({ rtt: 100 });
    assert.deepEqual(delays(t, 100, 3, 1), [40, 40, 40]);
  });

  it('one for a batch, not one for each of its segments', () => {
    const t = new TcpHarness({ config: { quickAcks: 4 } });
    t.establish({ rtt: 100 });
    t.sendAll(100, [0, 1, 2].map((i) => ({ flags: 'ACK', seq: 1 + 10 * i, ack: 1, payload: 10 })));
    t.expect(100, { flags: 'ACK', ack: 31 });
    t.expectNothing(200);
  });
});
