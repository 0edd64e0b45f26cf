/**
 * Every tunable of the stack with its default, unit, range and source. A value out of range throws when
 * the stack is made, never later.
 */
export interface TcpConfig {
  /** Bytes a connection holds for sending, 1 … 2³⁰. */
  readonly sendBufferBytes: number;
  /** Bytes the receive buffer holds, which is the largest window offered, 1 … 2³⁰ (RFC 7323 §2.3). */
  readonly receiveBufferBytes: number;
  /** Initial retransmission timeout, ms (RFC 6298 §2.1). */
  readonly initialRtoMs: number;
  /** The RTO is at least SRTT and this, ms. RFC 6298 §2.4 says 1 s; Linux and others use 200 ms, which delayed ACKs (at most 40–200 ms) allow. */
  readonly minRtoMs: number;
  /** Ceiling of the RTO, ms, at least 60 000 (RFC 6298 §2.5). */
  readonly maxRtoMs: number;
  /** How long SYN is repeated before ETIMEDOUT, ms (RFC 9293 §3.8.3 R2 for SYN: at least 3 minutes; users of scripts want an answer sooner, Linux's 127 s). */
  readonly connectTimeoutMs: number;
  /** How long unacknowledged data is repeated before ETIMEDOUT, ms (RFC 9293 §3.8.3: R2 at least 100 s). */
  readonly userTimeoutMs: number;
  /** Delayed ACK, ms, less than 500 (RFC 9293 §3.8.6.3). */
  readonly delayedAckMs: number;
  /** Maximum segment lifetime, ms; TIME-WAIT lasts two (RFC 9293 §3.4.2: 2 minutes; Linux and others take 30 s). */
  readonly mslMs: number;
  /** How long FIN-WAIT-2 waits for the peer's FIN after both our user and our direction are closed, ms. RFC 9293 has no limit; without one a silent peer holds the state for ever. */
  readonly finWait2TimeoutMs: number;
  /** Connections that a listener holds before it is asked to accept. */
  readonly listenBacklog: number;
  /** How long a ConnectionRequest may wait for its listener's word, ms. */
  readonly requestTimeoutMs: number;
  /** Connections in any state, in total. */
  readonly maxConnections: number;
  /** TIME-WAIT connections at once; the oldest is evicted. */
  readonly maxTimeWait: number;
  /** Nagle's algorithm with the Minshall variant (RFC 9293 §3.7.4). */
  readonly nagle: boolean;
  /** SACK and DSACK (RFC 2018, RFC 2883). */
  readonly sack: boolean;
  /** Timestamps with PAWS (RFC 7323). */
  readonly timestamps: boolean;
  /** Window scaling (RFC 7323 §2). */
  readonly windowScaling: boolean;
  /** Loss detection by RACK with tail loss probes (RFC 8985) where SACK is agreed; else NewReno (RFC 6582). */
  readonly rack: boolean;
  readonly tlp: boolean;
  /** Proportional rate reduction (RFC 9937). */
  readonly prr: boolean;
  readonly fastRetransmit: boolean;
  /** RFC 3042. */
  readonly limitedTransmit: boolean;
  /** Detection of spurious timeouts (RFC 5682). */
  readonly frto: boolean;
  /** Taking back reductions for segments that were only late (RFC 4015, RFC 3708). */
  readonly undo: boolean;
  readonly congestion: 'cubic' | 'reno';
  /** HyStart++ (RFC 9406). */
  readonly hystart: boolean;
  /** Spreads a window over its round trip instead of sending bursts. */
  readonly pacing: boolean;
  /** Explicit congestion notification (RFC 3168): `on` offers it, `passive` only agrees to a peer's offer. */
  readonly ecn: 'on' | 'passive' | 'off';
  /** Buffers start at `initialBufferBytes` and grow with what the path and the reader use, up to their limits; off: at the limits. */
  readonly autoTuning: boolean;
  readonly initialBufferBytes: number;
  /** Memory of all connections' buffers together, bytes, beyond which none grows. */
  readonly totalBufferBytes: number;
  /** Segments acknowledged at once at the start and after a silence, before ACKs are delayed. 0: none. */
  readonly quickAcks: number;
  /** Smaller segments when full-sized ones time out again and again (RFC 4821 §7.7). */
  readonly blackHoleDetection: boolean;
  /**
   * Segments sent in one poll by all connections together, 1 … 2²⁴; what is left goes in the next: bounds the time
   * of a poll, and the burst that a link has to queue.
   */
  readonly txBatch: number;
  /** Initial window in segments (RFC 6928: 10). */
  readonly initialWindowSegments: number;
  /** Back to the initial window after a silence of an RTO (RFC 5681 §4.1). */
  readonly idleRestart: boolean;
  /** First ephemeral port, 1 … 65535 (RFC 6056 §3.2, RFC 6335: 49152). */
  readonly ephemeralFirst: number;
  readonly ephemeralLast: number;
  /** Between answers to segments without data that a connection cannot accept, challenge ACKs among them (RFC 5961 §7), ms. Linux: 500. */
  readonly invalidAnswerMs: number;
}

export interface ArpConfig {
  /** How long a learnt neighbour is trusted before it is asked again, ms (RFC 4861 §10 REACHABLE_TIME 30 s, as in gVisor's NUD). */
  readonly reachableMs: number;
  /** Between requests to one neighbour, ms (RFC 1122 §2.3.2.1: at most one a second). */
  readonly retransmitMs: number;
  readonly maxRequests: number;
  /** Neighbours at once; the least recently used is evicted. */
  readonly maxNeighbors: number;
  /** Packets waiting for one neighbour (RFC 1122 §2.3.2.2: at least one, the latest). */
  readonly queuePackets: number;
  /** Bytes waiting for all neighbours together. */
  readonly queueBytes: number;
  /** Address conflict detection (RFC 5227 §1.1): up to so long before the first probe, ms, at random. */
  readonly probeWaitMs: number;
  /** Probes, and the least and most between two of them, ms. */
  readonly probes: number;
  readonly probeMinMs: number;
  readonly probeMaxMs: number;
  /** Silence after the last probe that makes the address ours, ms. */
  readonly announceWaitMs: number;
}

export interface Ipv4Config {
  /** RFC 1122 §3.2.1.7. 1 … 255 */
  readonly ttl: number;
  /** RFC 1122 §3.3.2: 60 … 120 s; RFC 791 15 s. Linux: 30 s. */
  readonly reassemblyTimeoutMs: number;
  /** Bytes held for reassembly in total. */
  readonly reassemblyBytes: number;
  /** Frames taken from the link in one poll. */
  readonly rxBatch: number;
  /** How long a path is taken for narrower than the link, ms (RFC 1191 §6.3: 10 minutes). */
  readonly pathMtuMs: number;
  /** Such paths at once; the one narrowed longest ago is forgotten. */
  readonly maxPathMtus: number;
}

export interface IcmpConfig {
  /** Echo replies and errors together, per second (RFC 1812 §4.3.2.8). */
  readonly ratePerSecond: number;
  readonly answerEcho: boolean;
}

export interface UdpConfig {
  /** Datagrams and bytes queued per socket. */
  readonly queueDatagrams: number;
  readonly queueBytes: number;
  readonly maxSockets: number;
}

export interface DhcpConfig {
  /** First wait for an answer, ms, doubling to 64 s, ±1 s (RFC 2131 §4.1). */
  readonly initialTimeoutMs: number;
  /** Asks for answers by broadcast (RFC 2131 §4.1): needed where the link delivers no unicast before there is an address. */
  readonly broadcastFlag: boolean;
}

export interface DnsConfig {
  /** Wait for one answer, ms, before the next try; grows by half each round. */
  readonly timeoutMs: number;
  /** Tries over all servers before EAI_AGAIN. */
  readonly tries: number;
  /** A name is given up after this, ms, whatever servers send: each alias that they name begins the tries anew. */
  readonly limitMs: number;
  readonly cacheEntries: number;
  /** Bounds on the TTL taken from answers, s (RFC 2181 §8, RFC 2308 §5). */
  readonly maxTtlSeconds: number;
  readonly maxNegativeTtlSeconds: number;
  /** CNAMEs followed in one answer. */
  readonly maxCnames: number;
  /** Queries under way at once. */
  readonly maxQueries: number;
  /** How long a query waits for the link to name a server, ms: three rounds of DHCP. */
  readonly waitForServersMs: number;
  /** Largest answer asked for in a datagram, bytes (RFC 6891 §6.2.3; RFC 9715 §3.1: 1232, which no path fragments). */
  readonly ednsPayloadBytes: number;
  /** Asks in letters of random case, and takes answers in the same only: forging one takes a guess more ("0x20"). */
  readonly randomCase: boolean;
  /** A server that left so many questions in a row without an answer is asked after the others, for so long, ms. */
  readonly deadAfter: number;
  readonly deadMs: number;
  /** Asks the link for `.local` names (RFC 6762) instead of the name servers: for links with other stations. */
  readonly multicast: boolean;
}

/** Ports in a row, 1 … 65535, both ends included. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

export interface StackConfig {
  readonly tcp: TcpConfig;
  readonly arp: ArpConfig;
  readonly ipv4: Ipv4Config;
  readonly icmp: IcmpConfig;
  readonly udp: UdpConfig;
  readonly dhcp: DhcpConfig;
  readonly dns: DnsConfig;
}

export const DEFAULT_CONFIG: StackConfig = {
  tcp: {
    sendBufferBytes: 4 << 20,
    receiveBufferBytes: 4 << 20,
    initialRtoMs: 1_000,
    minRtoMs: 200,
    maxRtoMs: 60_000,
    connectTimeoutMs: 127_000,
    userTimeoutMs: 100_000,
    delayedAckMs: 40,
    mslMs: 30_000,
    finWait2TimeoutMs: 60_000,
    listenBacklog: 128,
    requestTimeoutMs: 130_000,
    maxConnections: 65_536,
    maxTimeWait: 16_384,
    nagle: true,
    sack: true,
    timestamps: true,
    windowScaling: true,
    rack: true,
    tlp: true,
    prr: true,
    fastRetransmit: true,
    limitedTransmit: true,
    frto: true,
    undo: true,
    congestion: 'cubic',
    hystart: true,
    pacing: true,
    ecn: 'on',
    autoTuning: true,
    initialBufferBytes: 128 << 10,
    totalBufferBytes: 256 << 20,
    quickAcks: 16,
    blackHoleDetection: true,
    txBatch: 128,
    initialWindowSegments: 10,
    idleRestart: true,
    ephemeralFirst: 49_152,
    ephemeralLast: 65_535,
    invalidAnswerMs: 500,
  },
  arp: {
    reachableMs: 30_000, retransmitMs: 1_000, maxRequests: 3, maxNeighbors: 1_024, queuePackets: 1_024, queueBytes: 1 << 20,
    probeWaitMs: 1_000, probes: 3, probeMinMs: 1_000, probeMaxMs: 2_000, announceWaitMs: 2_000,
  },
  ipv4: { ttl: 64, reassemblyTimeoutMs: 30_000, reassemblyBytes: 1 << 20, rxBatch: 256, pathMtuMs: 600_000, maxPathMtus: 1_024 },
  icmp: { ratePerSecond: 1_000, answerEcho: true },
  udp: { queueDatagrams: 256, queueBytes: 1 << 20, maxSockets: 4_096 },
  dhcp: { initialTimeoutMs: 4_000, broadcastFlag: true },
  dns: {
    timeoutMs: 1_500, tries: 4, limitMs: 30_000, cacheEntries: 1_024, maxTtlSeconds: 86_400, maxNegativeTtlSeconds: 900, maxCnames: 16, maxQueries: 256,
    waitForServersMs: 30_000, ednsPayloadBytes: 1_232, randomCase: true, deadAfter: 2, deadMs: 30_000, multicast: false,
  },
};

export type PartialStackConfig = { readonly [K in keyof StackConfig]?: Partial<StackConfig[K]> };

type Range = readonly [least: number, most: number];

const BYTES: Range = [1, 2 ** 30];
const COUNT: Range = [1, 2 ** 24];
const MS: Range = [1, 2 ** 31 - 1];
const MS_OR_0: Range = [0, 2 ** 31 - 1];
const PORT: Range = [1, 65_535];

/** A range for numbers, the words that may stand for choices, null for switches. */
type Allowed<T> = [T] extends [number] ? Range : [T] extends [boolean] ? null : readonly T[];

/** Whole numbers, except times in ms. */
const RANGES: { readonly [K in keyof StackConfig]: { readonly [F in keyof StackConfig[K]]: Allowed<StackConfig[K][F]> } } = {
  tcp: {
    sendBufferBytes: BYTES, receiveBufferBytes: BYTES, initialRtoMs: MS, minRtoMs: MS, maxRtoMs: [60_000, 2 ** 31 - 1], connectTimeoutMs: MS,
    userTimeoutMs: MS, delayedAckMs: [0, 499], mslMs: MS, finWait2TimeoutMs: MS, listenBacklog: COUNT, requestTimeoutMs: MS, maxConnections: COUNT,
    maxTimeWait: COUNT, nagle: null, sack: null, timestamps: null, windowScaling: null, rack: null, tlp: null, prr: null,
    fastRetransmit: null, limitedTransmit: null, frto: null, undo: null, congestion: ['cubic', 'reno'], hystart: null, pacing: null,
    ecn: ['on', 'passive', 'off'], autoTuning: null, initialBufferBytes: BYTES, totalBufferBytes: [1, 2 ** 40], quickAcks: [0, 1_000],
    blackHoleDetection: null, txBatch: COUNT, initialWindowSegments: [1, 1_000], idleRestart: null, ephemeralFirst: PORT, ephemeralLast: PORT, invalidAnswerMs: MS_OR_0,
  },
  arp: {
    reachableMs: MS, retransmitMs: MS, maxRequests: [1, 100], maxNeighbors: COUNT, queuePackets: COUNT, queueBytes: BYTES,
    probeWaitMs: MS_OR_0, probes: [1, 100], probeMinMs: MS_OR_0, probeMaxMs: MS_OR_0, announceWaitMs: MS_OR_0,
  },
  ipv4: { ttl: [1, 255], reassemblyTimeoutMs: MS, reassemblyBytes: BYTES, rxBatch: COUNT, pathMtuMs: MS, maxPathMtus: COUNT },
  icmp: { ratePerSecond: COUNT, answerEcho: null },
  udp: { queueDatagrams: COUNT, queueBytes: BYTES, maxSockets: [1, 65_535] },
  dhcp: { initialTimeoutMs: MS, broadcastFlag: null },
  dns: {
    timeoutMs: MS, tries: [1, 100], limitMs: MS, cacheEntries: COUNT, maxTtlSeconds: [0, 2 ** 31 - 1], maxNegativeTtlSeconds: [0, 2 ** 31 - 1], maxCnames: [1, 1_000],
    maxQueries: COUNT, waitForServersMs: MS, ednsPayloadBytes: [512, 65_535], randomCase: null, deadAfter: COUNT, deadMs: MS, multicast: null,
  },
};

/** The defaults with `given` over them. @throws RangeError naming the field, its value and its range */
export function resolveConfig(given: PartialStackConfig = {}): StackConfig {
  const config: StackConfig = {
    tcp: { ...DEFAULT_CONFIG.tcp, ...given.tcp },
    arp: { ...DEFAULT_CONFIG.arp, ...given.arp },
    ipv4: { ...DEFAULT_CONFIG.ipv4, ...given.ipv4 },
    icmp: { ...DEFAULT_CONFIG.icmp, ...given.icmp },
    udp: { ...DEFAULT_CONFIG.udp, ...given.udp },
    dhcp: { ...DEFAULT_CONFIG.dhcp, ...given.dhcp },
    dns: { ...DEFAULT_CONFIG.dns, ...given.dns },
  };
  const ranges: Readonly<Record<string, Readonly<Record<string, Range | readonly string[] | null>>>> = RANGES;
  for (const [layer, fields] of Object.entries(config)) {
    for (const [field, value] of Object.entries(fields)) checkField(`${layer}.${field}`, value, ranges[layer]?.[field]);
  }
  const { ephemeralFirst, ephemeralLast } = config.tcp;
  if (ephemeralFirst > ephemeralLast) throw new RangeError(`tcp.ephemeralFirst is ${ephemeralFirst}, above tcp.ephemeralLast, ${ephemeralLast}: exchange them`);
  return config;
}

/** @throws RangeError */
export function checkPortRange({ first, last }: PortRange): void {
  for (const port of [first, last]) checkField('a port of the range', port, PORT);
  if (first > last) throw new RangeError(`the range of ports ${first} to ${last} is empty: exchange them`);
}

function checkField(name: string, value: unknown, range: Range | readonly string[] | null | undefined): void {
  if (range === undefined) throw new RangeError(`${name} is no setting of the stack: remove it`);
  if (range === null) {
    if (typeof value !== 'boolean') throw new RangeError(`${name} is ${String(value)}: it must be true or false`);
    return;
  }
  if (isWords(range)) {
    if (!range.some((word) => word === value)) throw new RangeError(`${name} is ${String(value)}: it must be one of ${range.join(', ')}`);
    return;
  }
  const [least, most] = range;
  const isWhole = typeof value === 'number' && (Number.isInteger(value) || (name.endsWith('Ms') && Number.isFinite(value)));
  if (!isWhole || value < least || value > most) throw new RangeError(`${name} is ${String(value)}: it must be a number from ${least} to ${most}`);
}

function isWords(range: Range | readonly string[]): range is readonly string[] {
  return typeof range[0] === 'string';
}
