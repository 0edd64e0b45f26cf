import assert from 'node:assert/strict';
import type { TcpConfig } from '../../../stack/config';
import { TcpHarness, type EstablishOptions } from '../../support/tcp-harness';
import type { Block } from '../../support/tcp-segment';

describe('TCP SACK negotiation (RFC 2018 §2)', () => {
  it('is offered in the SYN', () => {
    const t = new TcpHarness({ config: { sack: true } });
    t.connect();
    t.expect(0, { flags: 'SYN', sackPermitted: true });
  });

  it('is not offered when switched off, nor agreed to', () => {
    const t = new TcpHarness({ config: { sack: false } });
    t.connect();
    t.expect(0, { flags: 'SYN', sackPermitted: false });
    const passive = new TcpHarness({ config: { sack: false } });
    passive.listen();
    passive.send(0, { flags: 'SYN', seq: 0, sackPermitted: true });
    passive.expect(0, { flags: 'SYN ACK', sackPermitted: false });
  });

  it('is agreed to only if the SYN offered it', () => {
    for (const offered of [true, false]) {
      const t = new TcpHarness({ config: { sack: true } });
      t.listen();
      t.send(0, { flags: 'SYN', seq: 0, sackPermitted: offered });
      t.expect(0, { flags: 'SYN ACK', sackPermitted: offered });
    }
  });

  it('lies beside timestamps in the SYN', () => {
    const t = new TcpHarness({ config: { sack: true, timestamps: true } });
    t.connect();
    t.expect(0, { flags: 'SYN', sackPermitted: true, ts: { ecr: 0 } });
  });

  it('tells whether it is used', () => {
    assert.equal(receiving().socket.snapshot().sack, true);
    assert.equal(receiving({ sack: false }).socket.snapshot().sack, false);
    assert.equal(receiving({}, { sack: false }).socket.snapshot().sack, false);
  });
});

describe('TCP SACK blocks sent (RFC 2018 §4)', () => {
  it('begin with the one that holds the segment just received, then the latest before it', () => {
    const { t } = receiving();
    arrive(t, 10, 1001, 500, 1, [[1001, 1501]]);
    arrive(t, 20, 3001, 500, 1, [[3001, 3501], [1001, 1501]]);
    arrive(t, 30, 2001, 500, 1, [[2001, 2501], [3001, 3501], [1001, 1501]]);
    arrive(t, 40, 3501, 500, 1, [[3001, 4001], [2001, 2501], [1001, 1501]]);
    arrive(t, 50, 501, 500, 1, [[501, 1501], [3001, 4001], [2001, 2501]]);
  });

  it('merge when the gap between them is filled', () => {
    const { t } = receiving();
    arrive(t, 10, 1001, 500, 1, [[1001, 1501]]);
    arrive(t, 20, 2001, 500, 1, [[2001, 2501], [1001, 1501]]);
    arrive(t, 30, 1501, 500, 1, [[1001, 2501]]);
  });

  it('are four at most, three beside timestamps (§3)', () => {
    const { t } = receiving();
    for (let i = 1; i <= 6; i++) t.send(10 * i, { flags: 'ACK', seq: 1 + 1000 * i, ack: 1, payload: 500 });
    assert.deepEqual(t.take(60).length, 6);
    arrive(t, 70, 7001, 500, 1, [[7001, 7501], [6001, 6501], [5001, 5501], [4001, 4501]]);
    const stamped = receiving({ timestamps: true }, { ts: true }).t;
    for (let i = 1; i <= 6; i++) stamped.send(10 * i, { flags: 'ACK', seq: 1 + 1000 * i, ack: 1, payload: 500 });
    stamped.take(60);
    arrive(stamped, 70, 7001, 500, 1, [[7001, 7501], [6001, 6501], [5001, 5501]]);
  });

  it('repeat older blocks however many segments have since extended the latest', () => {
    const { t } = receiving();
    arrive(t, 10, 1001, 500, 1, [[1001, 1501]]);
    arrive(t, 20, 2001, 500, 1, [[2001, 2501], [1001, 1501]]);
    for (let i = 0; i < 20; i++) arrive(t, 30 + i, 3001 + 500 * i, 500, 1, [[3001, 3501 + 500 * i], [2001, 2501], [1001, 1501]]);
  });

  it('are left out once nothing is missing', () => {
    const { t, socket } = receiving();
    arrive(t, 10, 1001, 500, 1, [[1001, 1501]]);
    arrive(t, 20, 1, 1000, 1501, null);
    t.send(30, { flags: 'ACK', seq: 1501, ack: 1, payload: 1000 });
    arrive(t, 30, 2501, 1000, 3501, null);
    t.expectRead(30, socket, 3500);
  });

  it('remain for what is still missing behind an acknowledgment that moves', () => {
    const { t } = receiving();
    arrive(t, 10, 1001, 500, 1, [[1001, 1501]]);
    arrive(t, 20, 2001, 500, 1, [[2001, 2501], [1001, 1501]]);
    arrive(t, 30, 1, 1000, 1501, [[2001, 2501]]);
  });

  it('ride on data as far as there is room beside it', () => {
    for (const [payload, sack] of [[100, [[1001, 1501]]], [1448, [[1001, 1501]]], [1449, null], [1460, null]] as const) {
      const { t, socket } = receiving({ nagle: false });
      arrive(t, 10, 1001, 500, 1, [[1001, 1501]]);
      t.write(20, socket, payload);
      t.expect(20, { flags: 'ACK', seq: 1, payload, sack });
    }
  });

  it('number as many as fit beside data', () => {
    const { t, socket } = receiving({ nagle: false });
    arrive(t, 10, 1001, 500, 1, [[1001, 1501]]);
    arrive(t, 20, 2001, 500, 1, [[2001, 2501], [1001, 1501]]);
    t.write(30, socket, 1460 - 4 - 8);
    t.expect(30, { flags: 'ACK', seq: 1, payload: 1448, sack: [[2001, 2501]] });
    t.write(40, socket, 1460 - 4 - 16);
    t.expect(40, { flags: 'ACK', seq: 1449, payload: 1440, sack: [[2001, 2501], [1001, 1501]] });
  });

  it('are never sent when switched off or not permitted by the peer', () => {
    for (const { t } of [receiving({ sack: false }), receiving({}, { sack: false })]) {
      arrive(t, 10, 1001, 500, 1, null);
      arrive(t, 20, 1001, 500, 1, null);
      arrive(t, 30, 2001, 500, 1, null);
    }
  });

  it('stay right when sequence numbers wrap', () => {
    const { t } = receiving({}, {}, 0xffff_ffff - 1200);
    arrive(t, 10, 1001, 500, 1, [[1001, 1501]]);
    arrive(t, 20, 2001, 500, 1, [[2001, 2501], [1001, 1501]]);
    arrive(t, 30, 1, 1000, 1501, [[2001, 2501]]);
    arrive(t, 40, 1, 500, 1501, [[1, 501], [2001, 2501]]);
  });
});

describe('TCP duplicates reported (RFC 2883 §4)', () => {
  it('as the first block when the segment was acknowledged before (§4.1.1)', () => {
    const { t } = receiving();
    t.send(10, { flags: 'ACK', seq: 1, ack: 1, payload: 1000 });
    t.take(100);
    arrive(t, 110, 501, 500, 1001, [[501, 1001]]);
    arrive(t, 120, 1, 1000, 1001, [[1, 1001]]);
  });

  it('once: the next acknowledgment no longer has it', () => {
    const { t } = receiving();
    t.send(10, { flags: 'ACK', seq: 1, ack: 1, payload: 1000 });
    t.take(100);
    arrive(t, 110, 1, 1000, 1001, [[1, 1001]]);
    arrive(t, 120, 2001, 500, 1001, [[2001, 2501]]);
  });

  it('with the block of what waits above the acknowledgment behind it (§4.1.2)', () => {
    const { t } = receiving();
    t.send(10, { flags: 'ACK', seq: 1, ack: 1, payload: 500 });
    t.take(100);
    arrive(t, 110, 1001, 500, 501, [[1001, 1501]]);
    arrive(t, 120, 1, 500, 501, [[1, 501], [1001, 1501]]);
  });

  it('within a block above the acknowledgment: first the duplicate, then the whole block (§4.1.3)', () => {
    const { t } = receiving();
    arrive(t, 10, 1001, 500, 1, [[1001, 1501]]);
    arrive(t, 20, 1501, 500, 1, [[1001, 2001]]);
    arrive(t, 30, 3001, 500, 1, [[3001, 3501], [1001, 2001]]);
    arrive(t, 40, 1001, 500, 1, [[1001, 1501], [1001, 2001], [3001, 3501]]);
  });

  it('in the part that came before, when the rest is new (§4.2)', () => {
    const { t } = receiving({ delayedAckMs: 40 });
    t.send(10, { flags: 'ACK', seq: 1, ack: 1, payload: 500 });
    t.take(100);
    arrive(t, 110, 251, 750, 1001, [[251, 501]]);
  });

  it('in the part that came before, above the acknowledgment too (§4.2)', () => {
    const { t } = receiving();
    arrive(t, 10, 1001, 500, 1, [[1001, 1501]]);
    arrive(t, 20, 1251, 750, 1, [[1251, 1501], [1001, 2001]]);
  });

  it('in the part that lay beyond the gap which the segment fills (§4.2)', () => {
    const { t } = receiving();
    arrive(t, 10, 1001, 500, 1, [[1001, 1501]]);
    arrive(t, 20, 1, 1250, 1501, [[1001, 1251]]);
  });

  it('take one of the three places beside timestamps', () => {
    const { t } = receiving({ timestamps: true }, { ts: true });
    t.send(10, { flags: 'ACK', seq: 1, ack: 1, payload: 500 });
    for (let i = 1; i <= 4; i++) t.send(10 + i, { flags: 'ACK', seq: 1 + 1000 * i, ack: 1, payload: 500 });
    t.take(100);
    arrive(t, 110, 1, 500, 501, [[1, 501], [4001, 4501], [3001, 3501]]);
  });

  it('are not sent when switched off', () => {
    const { t } = receiving({ sack: false });
    t.send(10, { flags: 'ACK', seq: 1, ack: 1, payload: 1000 });
    t.take(100);
    arrive(t, 110, 1, 1000, 1001, null);
  });

  it('are not said of segments that lie beyond the window', () => {
    const { t } = receiving({ receiveBufferBytes: 4_000 });
    arrive(t, 10, 9_001, 500, 1, null);
  });
});

function receiving(config: Partial<TcpConfig> = {}, peer: EstablishOptions = {}, peerIss?: number) {
  const t = new TcpHarness({ config: { sack: true, ...config }, ...(peerIss === undefined ? {} : { peerIss }) });
  return { t, socket: t.establish({ sack: true, ...peer }) };
}

/** The peer sends a segment and is answered at once. */
function arrive(t: TcpHarness, at: number, seq: number, payload: number, ack: number, sack: readonly Block[] | null): void {
  t.send(at, { flags: 'ACK', seq, ack: 1, payload });
  t.expect(at, { flags: 'ACK', ack, sack });
}
