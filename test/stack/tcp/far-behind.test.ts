/**
 * Connections older than half of the sequence space, in which nothing has happened for as long: 2 GiB pass through
 * the layer, in segments as large as there are, to a peer that only counts them.
 */
import assert from 'node:assert/strict';
import { DEFAULT_CONFIG } from '../../../stack/config';
import type { Ipv4Egress } from '../../../stack/egress';
import { createCounters } from '../../../stack/observer';
import { SeededRandom } from '../../../stack/random';
import { TcpLayer } from '../../../stack/tcp/tcp-layer';
import type { TcpSocket } from '../../../stack/tcp/types';
import { seqAdd, seqMax } from '../../../stack/wire/seq';
import { encodeSegment, parseFlags, type Block } from '../../support/tcp-segment';

const MTU = 65_535;
const MSS = MTU - 40;
const RTT_MS = 100;
const HALF_SPACE = 2 ** 31;
const SOME = 8 * MSS;
const MUCH = 64 * MSS;
const LOCAL = 0x0a00_0002;
const REMOTE = 0x0a00_0001;

class LongRun {
  now = 0;
  readonly counters = createCounters().tcp;
  readonly tcp: TcpLayer;
  readonly socket: TcpSocket;
  /** Behind the last byte that was sent, absolute. */
  end = 0;
  acked = 0;
  movedBytes = 0;
  private readonly bytes = new Uint8Array(MUCH);

  constructor(private readonly sack: boolean) {
    const config = {
      ...DEFAULT_CONFIG.tcp, sack, sendBufferBytes: MUCH, receiveBufferBytes: 65_535, autoTuning: false, congestion: 'reno', hystart: false, pacing: false, timestamps: false, tlp: false,
    } as const;
    this.tcp = new TcpLayer({ config, counters: this.counters, random: new SeededRandom(1), egress: this.egress(), observer: () => {}, onWork: () => {} });
    this.socket = this.tcp.connect({ address: REMOTE, port: 80, localPort: 50_000 }, this.now);
    this.tcp.poll(this.now);
    this.now += RTT_MS;
    this.acked = this.end;
    this.input('SYN ACK ECE', 0);
  }

  /** Writes, and a round trip later acknowledges all of it. */
  round(bytes: number, flags = 'ACK'): void {
    this.write(bytes);
    this.now += RTT_MS;
    this.acked = this.end;
    this.input(flags, 1);
  }

  write(bytes: number): void {
    assert.equal(this.socket.write(this.bytes.subarray(0, bytes)), bytes);
    this.movedBytes += bytes;
    while (this.tcp.pollAt() <= this.now) this.tcp.poll(this.now);
  }

  /** A segment of the peer that acknowledges `acked`. */
  input(flags: string, seq: number, sack: readonly Block[] | null = null): void {
    const syn = flags.startsWith('SYN');
    const bytes = encodeSegment(REMOTE, LOCAL, {
      sourcePort: 80, destinationPort: 50_000, seq, ack: this.acked, flags: parseFlags(flags), win: 65_535, payload: new Uint8Array(0),
      mss: syn ? MSS : null, wscale: syn ? 10 : null, sackPermitted: syn && this.sack, sack,
    });
    this.tcp.input(REMOTE, LOCAL, bytes, 0, this.now);
    this.tcp.poll(this.now);
  }

  get cwndBytes(): number {
    return this.socket.snapshot().cwndBytes;
  }

  private egress(): Ipv4Egress {
    const buffer = new Uint8Array(MTU);
    const view = new DataView(buffer.buffer);
    return {
      buffer, payloadOffset: 20, maxPayload: MTU - 20, sourceFor: () => LOCAL, linkMtu: () => MTU, pathMtu: () => MTU, sendUnreachable: () => {},
      send: (_protocol, _source, _destination, length) => {
        const seq = view.getUint32(20 + 4);
        const end = seqAdd(seq, length - 4 * (view.getUint8(20 + 12) >> 4) + ((view.getUint8(20 + 13) & 2) >> 1));
        this.end = this.movedBytes === 0 ? end : seqMax(this.end, end);
        return 'sent';
      },
    };
  }
}

/** Fills a window of 32 segments, then uses a quarter of it until more than half of the sequence space has passed. */
function longRun(sack: boolean): LongRun {
  const run = new LongRun(sack);
  while (run.cwndBytes < 32 * MSS) run.round(MUCH - run.socket.bufferedBytes);
  while (run.socket.bufferedBytes > 0) run.round(0);
  // RFC 2883 §4.1: the peer has the last segment twice.
  if (sack) run.input('ACK', 1, [[seqAdd(run.end, -MSS), run.end]]);
  run.round(SOME);
  const before = run.cwndBytes;
  for (run.movedBytes = 0; run.movedBytes < HALF_SPACE + MUCH; ) run.round(SOME);
  assert.equal(run.cwndBytes, before, 'a window of which a quarter is used does not grow (RFC 7661 §4.3)');
  return run;
}

describe('TCP, 2 GiB after the last loss', function () {
  this.timeout(120_000);

  it('grows no window that is not used, takes a mark for one, and three duplicate ACKs for a loss', () => {
    const run = longRun(false);
    run.round(SOME, 'ACK ECE');
    assert.equal(run.counters.ecnReductions, 1, 'RFC 3168 §6.1.2');
    run.round(SOME);
    run.write(SOME);
    for (let i = 0; i < 3; i++) run.input('ACK', 1);
    assert.equal(run.counters.fastRetransmits, 1, 'RFC 6582 §3.2 step 2');
  });

  it('widens the reordering window for a DSACK (RFC 8985 §6.2 step 4)', () => {
    const run = longRun(true);
    run.input('ACK', 1, [[seqAdd(run.end, -MSS), run.end]]);
    const una = run.end;
    run.write(SOME);
    const sentAt = run.now;
    run.now += RTT_MS;
    run.input('ACK', 1, [[seqAdd(una, MSS), seqAdd(una, 2 * MSS)]]);
    assert.equal(run.tcp.pollAt() - sentAt, RTT_MS + 3 * (RTT_MS / 4), 'a quarter of the RTT, one for each of two DSACKs');
  });
});
