/** The state of one connection (RFC 9293 §3.3.1), with the RFC's names. Only data and what follows from it. */
import type { TcpConfig } from '../config';
import type { StackError } from '../errors';
import { Assembler } from '../storage/assembler';
import type { Due } from '../storage/deadline-heap';
import type { Flow } from '../storage/flow-table';
import { RingBuffer, type MemoryAccount } from '../storage/ring-buffer';
import { seqAdd, seqDiff, seqGt, seqLe } from '../wire/seq';
import type { CongestionControl } from './congestion/congestion';
import { Prr } from './prr';
import { Rack } from './rack';
import { RttEstimator } from './rtt';
import { SentQueue } from './sent-queue';
import type { KeepAlive, TcpState } from './types';
import { Resent } from './resent';

/** RFC 9293 §3.7.1: what an end that names no MSS takes. */
export const DEFAULT_MSS = 536;

/** RFC 7323 §2.2: the largest shift. */
export const MAX_WINDOW_SCALE = 14;

export interface Tuple {
  readonly localAddress: number;
  readonly localPort: number;
  readonly remoteAddress: number;
  readonly remotePort: number;
}

/** A listener, as a half-open connection of its sees it. */
export interface Opener {
  /** The handshake is complete. */
  opened(tcb: Tcb): void;
  /** The connection ended before that. */
  lost(tcb: Tcb): void;
}

export class Tcb implements Flow, Due {
  readonly localAddress: number;
  readonly localPort: number;
  readonly remoteAddress: number;
  readonly remotePort: number;

  state: TcpState;
  error: StackError | null = null;
  /** Who waits for a passive open to complete; null otherwise. */
  opener: Opener | null = null;
  /** Tells the user of changes, at the end of the batch. */
  notify: (() => void) | null = null;

  // Send sequence space
  sndUna: number;
  sndNxt: number;
  /** Highest SND.NXT there was: a zero-window probe may be taken back and sent afresh. */
  sndMax: number;
  sndWnd = 0;
  sndWl1 = 0;
  sndWl2 = 0;
  /** MAX.SND.WND (RFC 5961 §5.2, RFC 1122 §4.2.3.4). */
  maxSndWnd = 0;
  sndWndShift = 0;
  /** Whether our SYN carries the window scale option: always offered, answered only to one (RFC 7323 §2.2). */
  offersWindowScale: boolean;
  /** Largest payload of a segment toward the peer. */
  sndMss = DEFAULT_MSS;
  /** Bytes of options in every segment. */
  optionBytes = 0;
  /** What the handshake and the route allowed. */
  handshakeMss = DEFAULT_MSS;
  /** When the path was last found narrower, ms, or -1. */
  mssReducedAt = -1;
  /** RFC 1191; given up for a path said to be narrower than any segment size we go down to. */
  dontFragment = true;
  /** End of the last segment sent that was not full (Minshall's variant of Nagle). */
  sndSml: number;
  /** Sequence number of our FIN once sent, else -1. */
  finSeq = -1;
  /** The user has closed: FIN follows the last queued byte. */
  finQueued = false;
  readonly sendRing: RingBuffer;
  readonly sent = new SentQueue();

  // Receive sequence space
  irs = 0;
  rcvNxt = 0;
  /** Right edge of the window that the peer knows: never taken back (RFC 9293 §3.8.6.2.1). */
  rcvAdv = 0;
  rcvWndShift = 0;
  /** The window that our SYN offered, bytes; 0: none was sent yet. */
  synWindow = 0;
  /** The MSS option of our SYN. */
  offeredMss = DEFAULT_MSS;
  /** Largest payload seen, up to that: what "full-sized" means for delayed ACKs. */
  rcvMss = DEFAULT_MSS;
  /** What the user allows the receive buffer to grow to. */
  receiveLimit: number;
  // Right-sizing of the receive buffer: rounds of one round trip each
  rcvRttMs = Infinity;
  rcvRttSeq = 0;
  rcvRttSince = -1;
  readInRound = 0;
  roundBytes = 0;
  roundSince = 0;
  /** Sequence number of the peer's FIN once seen, in order or not, else -1. */
  peerFinSeq = -1;
  readonly receiveRing: RingBuffer;
  readonly outOfOrder = new Assembler();

  // Options agreed in the handshake (RFC 2018, RFC 7323, RFC 3168)
  sackEnabled = false;
  tsEnabled = false;
  /** Added to the clock so that timestamps tell nothing of our uptime or other connections (RFC 7323 §5.4). */
  readonly tsOffset: number;
  /** TS.Recent, and when it was taken, ms. */
  tsRecent = 0;
  tsRecentAt = 0;
  /** Last.ACK.sent (RFC 7323 §4.3). */
  lastAckSent = 0;
  ecnEnabled = false;
  /** Whether our last SYN was an ECN-setup SYN. */
  offeredEcn = false;
  /** A packet came marked: ECE goes out until the peer answers with CWR (RFC 3168 §6.1.3). */
  eceOwed = false;
  cwrOwed = false;
  /** No second reduction for marks before this is acknowledged. */
  ecnRecover: number;
  /** The duplicate to report in the next ACK (RFC 2883), valid while `dsackOwed`. */
  dsackOwed = false;
  dsackStart = 0;
  dsackEnd = 0;

  // What is owed to the peer
  synOwed = false;
  ackOwed = false;
  probeOwed = false;
  /** The user has made room since the window was last told. Room that was there before rides on the next segment. */
  windowNews = false;
  /** Bytes in order that were not acknowledged yet. */
  unackedBytes = 0;
  /** Segments that are still acknowledged at once, so that the peer's slow start gets its clock. */
  quickAcks: number;
  /** The next segment that is lost goes out whatever the congestion window says. */
  retransmitNow = false;

  // Recovery (RFC 5681, RFC 6582)
  readonly congestion: CongestionControl;
  recovery: 'open' | 'fast' | 'timeout' = 'open';
  /** Recovery is over when everything before it has been acknowledged. */
  recover: number;
  dupAcks = 0;
  /** Bytes that the window is inflated by, for segments that duplicate ACKs say have left the network. */
  inflationBytes = 0;
  partialAckSeen = false;
  readonly rack = new Rack();
  readonly prr = new Prr();
  /** Step of F-RTO (RFC 5682): 0 off, 1 after the timeout, 2 after the first ACK. */
  frto: 0 | 1 | 2 = 0;
  /** New segments that may go whatever the congestion window says: F-RTO's step 2, a tail loss probe. */
  exemptSegments = 0;
  /** SND.NXT when the congestion window last held output back. */
  limitedAt: number;
  /** In flight when output last ran. */
  outputFlightBytes = 0;
  /** Most in flight within the last round trip, and SND.NXT when it was. */
  maxFlightBytes = 0;
  maxFlightSeq: number;
  readonly resent = new Resent();
  /** End of the tail loss probe in flight, or -1 (RFC 8985 §7). */
  tlpEndSeq = -1;
  tlpIsRetransmission = false;
  tlpOwed = false;

  // Timers, ms
  readonly rtt: RttEstimator;
  /** No second RTT sample before this is acknowledged: one per round trip (RFC 6298 §3). */
  rttSampleFrom: number;
  timerKind: 'idle' | 'rto' | 'persist' = 'idle';
  timerAt = Infinity;
  ackAt = Infinity;
  tlpAt = Infinity;
  /** Earliest time for the next new segment (pacing). */
  paceAt = 0;
  /** Whether output stopped for it. */
  paced = false;
  /** End of the handshake, of FIN-WAIT-2 or of TIME-WAIT. */
  lifeAt = Infinity;
  /** Last time the peer acknowledged something new, or data began to wait. */
  progressAt = 0;
  lastDataSentAt = 0;
  /** Last time that a segment which may be nobody's was answered, ms. */
  invalidAnsweredAt = -Infinity;
  synSentAt = 0;
  synRetransmitted = false;
  timeWaitSince = 0;
  /** Last time a segment of the peer was accepted, ms. */
  heardAt = 0;
  /** Probes since then, and when the last of them went out, ms. */
  keepAliveProbes = 0;
  probedAt = 0;
  trimAt = Infinity;
  /** Retransmission timeouts since SND.UNA last moved. */
  timeoutsInRow = 0;

  // What the user chose
  nagle: boolean;
  userTimeoutMs: number;
  keepAlive: KeepAlive | null = null;
  /** What ICMP said of the path since the last progress (RFC 1122 §4.2.3.9: reported, not acted on). */
  softError: string | null = null;

  /** The peer has to take something within the user timeout, also while its window is closed. */
  endsIfStalled = false;
  /** Last time that SND.UNA moved, or when that began to count, ms; `Infinity`: with the next poll. */
  takenAt = 0;
  /** Nobody reads any more. */
  released = false;
  /** Listener side, waiting for the first ACK. */
  readonly passive: boolean;

  // Statistics
  bytesIn = 0;
  bytesOut = 0;
  segmentsIn = 0;
  segmentsOut = 0;
  retransmissions = 0;
  timeouts = 0;
  fastRecoveries = 0;
  spuriousRecoveries = 0;

  // Scheduling, owned by the layer
  dirty = false;
  changed = false;
  dueAt = Infinity;
  heapIndex = -1;

  constructor(
    readonly id: number, tuple: Tuple, readonly iss: number, config: TcpConfig, congestion: CongestionControl,
    passive: boolean, tsOffset: number, memory: MemoryAccount,
  ) {
    this.localAddress = tuple.localAddress;
    this.localPort = tuple.localPort;
    this.remoteAddress = tuple.remoteAddress;
    this.remotePort = tuple.remotePort;
    this.passive = passive;
    this.state = passive ? 'SYN-RECEIVED' : 'SYN-SENT';
    this.sndUna = iss;
    this.sndNxt = iss;
    this.sndMax = iss;
    this.sndSml = iss;
    this.recover = iss;
    this.rttSampleFrom = iss;
    this.ecnRecover = iss;
    this.limitedAt = iss;
    this.maxFlightSeq = iss;
    this.tsOffset = tsOffset;
    this.nagle = config.nagle;
    this.userTimeoutMs = config.userTimeoutMs;
    this.quickAcks = config.quickAcks;
    this.receiveLimit = config.receiveBufferBytes;
    const first = (limit: number): number => (config.autoTuning ? Math.min(config.initialBufferBytes, limit) : limit);
    this.sendRing = new RingBuffer(first(config.sendBufferBytes), memory);
    this.receiveRing = new RingBuffer(first(config.receiveBufferBytes), memory);
    this.rtt = new RttEstimator(config);
    this.congestion = congestion;
    // What is offered in the SYN; the peer's SYN settles what is used.
    this.sackEnabled = config.sack;
    this.tsEnabled = config.timestamps;
    this.offersWindowScale = config.windowScaling;
    while (config.windowScaling && config.receiveBufferBytes >>> this.rcvWndShift > 0xffff && this.rcvWndShift < MAX_WINDOW_SCALE) this.rcvWndShift++;
  }

  get isSynchronized(): boolean {
    return this.state !== 'SYN-SENT' && this.state !== 'SYN-RECEIVED' && this.state !== 'CLOSED';
  }

  /** Whether our direction may still carry data or its retransmissions. */
  get maySend(): boolean {
    switch (this.state) {
      case 'ESTABLISHED':
      case 'CLOSE-WAIT':
      case 'FIN-WAIT-1':
      case 'CLOSING':
      case 'LAST-ACK':
        return true;
      default:
        return false;
    }
  }

  /** FlightSize (RFC 5681 §2): sent and not acknowledged. */
  get flightBytes(): number {
    return (this.sndNxt - this.sndUna) >>> 0;
  }

  /**
   * FlightSize for a reduction (RFC 5681 §3.1, RFC 9438 §4.6): what was in flight before the ACKs of this batch, in whose
   * place nothing could be sent yet. Not more than the window, which an earlier reduction may have made smaller.
   */
  get flightBeforeAcks(): number {
    return Math.max(this.flightBytes, Math.min(this.congestion.cwndBytes, this.outputFlightBytes));
  }

  /** Queued bytes that were never sent. */
  get unsentBytes(): number {
    // The ring starts at SND.UNA, or behind our SYN while that is not acknowledged.
    const first = this.isSynchronized ? this.sndUna : seqAdd(this.iss, 1);
    const sent = seqDiff(this.sndNxt, first) - (this.finSeq >= 0 ? 1 : 0);
    return this.sendRing.length - Math.max(0, sent);
  }

  /** What the peer's window still allows beyond SND.NXT; negative after it was shrunk. */
  get usableWindow(): number {
    return seqDiff(seqAdd(this.sndUna, this.sndWnd), this.sndNxt);
  }

  /** RCV.WND as the peer knows it. */
  get rcvWnd(): number {
    const window = seqDiff(this.rcvAdv, this.rcvNxt);
    return window > 0 ? window : 0;
  }

  get finAcked(): boolean {
    return this.finSeq >= 0 && seqGt(this.sndUna, this.finSeq);
  }

  get peerClosed(): boolean {
    return this.peerFinSeq >= 0 && seqLe(seqAdd(this.peerFinSeq, 1), this.rcvNxt);
  }
}
