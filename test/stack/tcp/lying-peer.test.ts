import assert from 'node:assert/strict';
import { SeededRandom, type Random } from '../../../stack/random';
import type { TcpSocket } from '../../../stack/tcp/types';
import { firstDifference, pattern } from '../../support/patterns';
import { PEER_CLOCK, STACK_STREAM, type Segment } from '../../support/segment-dsl';
import { seqOf, TcpHarness } from '../../support/tcp-harness';
import { seeds, withSeed } from '../../support/seeds';
import type { Block } from '../../support/tcp-segment';

const TOTAL = 150_000;
const LIES = 120;
const LIMIT_MS = 600_000;

describe('A peer that lies about what it received', function () {
  this.timeout(60_000);

  it('breaks nothing: accounts stay right, no storm follows, and when it turns honest everything arrives', () => {
    for (const seed of seeds(80)) withSeed(seed, () => encounter(seed));
  });
});

/** What the peer has, byte by byte, and the ways in which it misrepresents that. */
class Peer {
  readonly has = new Uint8Array(TOTAL);
  private told = 0;
  private sent = 0;
  /** A third of what is sent is lost before it gets here, while it lies. */
  private isHonest = false;

  constructor(
    readonly t: TcpHarness,
    private readonly random: Random,
    private readonly ts: boolean,
  ) {}

  get received(): number {
    const missing = this.has.indexOf(0);
    return missing < 0 ? TOTAL : missing;
  }

  /** Takes what the stack has sent. @returns how many segments */
  collect(at: number): number {
    const seen = this.t.take(at);
    for (const one of seen) {
      const { payload } = one.wire;
      if (payload.length === 0) continue;
      const offset = seqOf(one) - 1;
      assert.ok(offset >= 0 && offset + payload.length <= TOTAL, `bytes ${offset}…${offset + payload.length}`);
      assert.equal(firstDifference(payload, pattern(payload.length, offset, STACK_STREAM)), -1, `wrong bytes at ${offset}`);
      this.sent = Math.max(this.sent, offset + payload.length);
      if (this.isHonest || this.random.below(3) > 0) this.has.fill(1, offset, offset + payload.length);
    }
    return seen.length;
  }

  honest(at: number): void {
    this.isHonest = true;
    this.told = Math.max(this.told, this.received);
    this.t.send(at, { flags: 'ACK', seq: 1, ack: 1 + this.told, win: 65_535, ...this.stamp(at, null) });
  }

  lie(at: number): void {
    const { random } = this;
    const kind = random.below(8);
    // An ACK may be old, or of what never came; never of what was never sent.
    if (kind === 0) this.told = Math.min(this.sent, Math.max(this.told, this.received) + random.below(5_000));
    else if (kind < 4) this.told = Math.max(this.told, this.received);
    this.has.fill(1, 0, this.told); // the stack has forgotten it
    const ack = kind === 7 ? random.below(this.told + 1) : this.told;
    const blocks: Block[] = [];
    for (let i = random.below(5); i > 0; i--) {
      // Edges of segments, and others; in flight, below, beyond, inside out.
      const left = 1 + Math.max(0, this.told + (random.below(40) - 5) * (random.below(3) ? 1448 : 700));
      blocks.push([left, left + (random.below(6) - 1) * 1448 + random.below(2)]);
    }
    const segment: Segment = {
      flags: random.below(4) ? 'ACK' : 'ACK ECE', seq: 1, ack: 1 + ack, win: random.below(6) ? 65_535 : random.below(2) * 3_000,
      ...(blocks.length ? { sack: blocks.slice(0, this.ts ? 3 : 4) } : {}),
      ...this.stamp(at, random.below(3) ? null : random.below(Math.floor(at) + 2)),
    };
    this.t.send(at, segment);
  }

  private stamp(at: number, ecr: number | null): Partial<Segment> {
    if (!this.ts || ecr === null) return {};
    return { ts: { val: PEER_CLOCK + Math.floor(at), ecr } };
  }
}

function encounter(seed: number): void {
  const random = new SeededRandom(seed);
  const on = (): boolean => random.below(4) > 0;
  const ts = on();
  const t = new TcpHarness({
    seed,
    config: {
      sack: on(), timestamps: true, rack: on(), tlp: on(), prr: on(), frto: on(), undo: on(), hystart: on(), pacing: on(), limitedTransmit: on(),
      congestion: on() ? 'cubic' : 'reno', ecn: 'on', blackHoleDetection: on(), autoTuning: on(), sendBufferBytes: 1 << 20, userTimeoutMs: LIMIT_MS,
    },
  });
  const socket = t.establish({ rtt: 20 + random.below(100), sack: on(), ts, ecn: on() });
  const peer = new Peer(t, random, ts);
  const data = pattern(TOTAL, 0, STACK_STREAM);
  let written = 0;
  const write = (): void => {
    written += socket.write(data.subarray(written));
  };
  t.user(t.now, 'write', write);
  let at = t.now;
  for (let lie = 0; lie < LIES; lie++) {
    at += random.below(5) ? random.uniform() * 20 : random.uniform() * 2_000;
    const segments = peer.collect(at);
    assert.ok(segments <= 400, `${segments} segments for one ACK or timer`);
    peer.lie(at);
    t.user(at, 'write', write);
    check(t, socket);
  }
  const honestFrom = at;
  while (socket.bufferedBytes > 0 || written < TOTAL) {
    at += 50;
    peer.collect(at);
    peer.honest(at);
    t.user(at, 'write', write);
    check(t, socket);
    assert.ok(at < honestFrom + LIMIT_MS, `stalled with ${socket.bufferedBytes} bytes queued`);
    assert.equal(socket.error, null);
  }
}

function check(t: TcpHarness, socket: TcpSocket): void {
  const s = socket.snapshot();
  const claim = (condition: boolean, what: string): void => {
    if (!condition) t.fail(`${what}: ${JSON.stringify({ ...s, error: null })}`);
  };
  claim(s.flightBytes === (s.sndNxt - s.sndUna) >>> 0, 'flight');
  claim(s.sackedSegments >= 0 && s.lostSegments >= 0 && s.sackedSegments + s.lostSegments <= s.unackedSegments, 'segments');
  claim(s.unackedSegments > 0 === s.flightBytes > 0, 'no flight without segments');
  claim(Number.isFinite(s.cwndBytes) && s.cwndBytes > 0, 'cwnd');
  claim(s.ssthreshBytes >= 2 * 500, 'ssthresh');
  claim(s.rtoMs >= 200 && s.rtoMs <= 60_000, 'RTO');
  claim(s.srttMs === null || s.srttMs >= 0, 'SRTT');
  claim(s.unsentBytes >= 0, 'unsent');
}
