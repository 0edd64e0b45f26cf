/**
 * Reassembly of fragmented packets (RFC 791 §3.2, RFC 815), kept safe: memory is bounded, time is bounded,
 * and a packet with overlapping fragments is dropped whole (RFC 5722 says so for IPv6, for reasons that hold
 * here: an overlap has no honest use and has been used to smuggle headers past filters).
 */
import type { Ipv4Config } from '../config';
import type { Counters } from '../observer';
import type { Ipv4Address } from '../wire/address';
import { IPV4_MAX_BYTES, type Ipv4Header } from '../wire/ipv4';

/** A datagram whose fragments have all come. */
export interface Reassembled {
  /** 0 … 3, by RFC 3168 §5.3. */
  readonly ecn: number;
  /** The whole payload, in memory of its own. */
  readonly payload: Uint8Array;
  /** The first fragment's header, as it came. */
  readonly header: Uint8Array;
}

/** The first fragment of a datagram, kept for the error that may have to quote it. */
export interface FirstFragment {
  readonly source: Ipv4Address;
  readonly destination: Ipv4Address;
  readonly protocol: number;
  /** The header as it came. */
  readonly header: Uint8Array;
  readonly payload: Uint8Array;
}

interface Fragment {
  readonly start: number;
  readonly end: number;
  readonly bytes: Uint8Array;
}

interface Partial {
  readonly key: string;
  readonly expiresAt: number;
  /** By start, without overlap. */
  readonly fragments: Fragment[];
  /** Bytes of payload held, and what they cost with the bookkeeping. */
  heldBytes: number;
  cost: number;
  /** Length of the whole payload, once the last fragment has come. */
  length: number | null;
  /** Bit n set: a fragment with ECN field n has come. */
  ecnSeen: number;
  first: FirstFragment | null;
}

/** Charged per fragment beside its bytes: many tiny fragments cost memory too. */
const FRAGMENT_OVERHEAD_BYTES = 128;

export class Reassembly {
  /** Oldest first: each lives equally long, so the first to expire too. */
  private readonly partials = new Map<string, Partial>();
  private cost = 0;

  constructor(
    private readonly config: Ipv4Config,
    private readonly counters: Counters['ipv4'],
    /** Not called when the first fragment never came: then no error is sent (RFC 1122 §3.3.2). */
    private readonly onExpired: (first: FirstFragment) => void,
  ) {}

  /** Bytes held, with bookkeeping: never above `config.reassemblyBytes`. */
  get heldBytes(): number {
    return this.cost;
  }

  pollAt(): number {
    return this.partials.values().next().value?.expiresAt ?? Infinity;
  }

  poll(now: number): void {
    for (const partial of this.partials.values()) {
      if (now < partial.expiresAt) return;
      this.drop(partial);
      this.counters.reassemblyTimeout++;
      const { first } = partial;
      if (first !== null) this.onExpired(first);
    }
  }

  clear(): void {
    this.partials.clear();
    this.cost = 0;
  }

  /**
   * Takes a fragment: `header` parsed from `frame` at `at`.
   * @returns the datagram if this fragment completed it.
   */
  add(header: Ipv4Header, frame: Uint8Array, at: number, now: number): Reassembled | null {
    const start = header.fragmentOffset;
    const payloadAt = at + header.headerBytes;
    const bytes = frame.subarray(payloadAt, at + header.totalBytes);
    const end = start + bytes.length;
    const key = `${header.source} ${header.destination} ${header.protocol} ${header.identification}`;
    const known = this.partials.get(key);
    // Every fragment but the last is a multiple of eight bytes (RFC 791 §3.2), and the whole fits in a packet.
    if (bytes.length === 0 || (header.moreFragments && bytes.length % 8 !== 0) || end > IPV4_MAX_BYTES - header.headerBytes) {
      this.counters.reassemblyTooBig++;
      if (known) this.drop(known);
      return null;
    }
    const partial = known ?? this.begin(key, now);
    const index = this.place(partial, start, end, !header.moreFragments);
    if (index === 'duplicate') {
      this.counters.reassemblyDuplicate++;
      return null;
    }
    if (index === 'overlap') {
      this.counters.reassemblyOverlap++;
      this.drop(partial);
      return null;
    }
    if (!this.makeRoom(partial, bytes.length + FRAGMENT_OVERHEAD_BYTES)) {
      this.counters.reassemblyFull++;
      this.drop(partial);
      return null;
    }
    const copy = bytes.slice();
    partial.fragments.splice(index, 0, { start, end, bytes: copy });
    partial.heldBytes += bytes.length;
    partial.ecnSeen |= 1 << header.ecn;
    if (!header.moreFragments) partial.length = end;
    if (start === 0) {
      const { source, destination, protocol } = header;
      partial.first = { source, destination, protocol, header: frame.slice(at, payloadAt), payload: copy };
    }
    return this.complete(partial);
  }

  private begin(key: string, now: number): Partial {
    const partial: Partial = {
      key, expiresAt: now + this.config.reassemblyTimeoutMs, fragments: [], heldBytes: 0, cost: 0, length: null, ecnSeen: 0, first: null,
    };
    this.partials.set(key, partial);
    return partial;
  }

  /** @returns where the range goes among the fragments. */
  private place(partial: Partial, start: number, end: number, isLast: boolean): number | 'duplicate' | 'overlap' {
    const { fragments, length } = partial;
    if (length !== null && (end > length || (isLast && end !== length))) return 'overlap';
    // From the back: fragments mostly come in order.
    let index = fragments.length;
    while (index > 0 && (fragments[index - 1]?.start ?? 0) >= start) index--;
    const before = fragments[index - 1];
    const after = fragments[index];
    // A copy of a fragment, as a link that repeats frames makes it, is no attack.
    if (after !== undefined && after.start === start && after.end === end && isLast === (length === end)) return 'duplicate';
    if ((before !== undefined && before.end > start) || (after !== undefined && (after.start < end || isLast))) return 'overlap';
    return index;
  }

  /** Evicts the oldest datagrams until there is room for `cost` more. @returns false if there cannot be. */
  private makeRoom(partial: Partial, cost: number): boolean {
    const { reassemblyBytes } = this.config;
    if (partial.cost + cost > reassemblyBytes) return false;
    for (const oldest of this.partials.values()) {
      if (this.cost + cost <= reassemblyBytes) break;
      if (oldest === partial) continue;
      this.counters.reassemblyFull++;
      this.drop(oldest);
    }
    partial.cost += cost;
    this.cost += cost;
    return true;
  }

  private complete(partial: Partial): Reassembled | null {
    if (partial.length === null || partial.heldBytes !== partial.length || partial.first === null) return null;
    this.drop(partial);
    const ecn = combineEcn(partial.ecnSeen);
    if (ecn === null) {
      this.counters.reassemblyBadEcn++;
      return null;
    }
    const payload = new Uint8Array(partial.length);
    for (const fragment of partial.fragments) payload.set(fragment.bytes, fragment.start);
    this.counters.reassembled++;
    return { ecn, payload, header: partial.first.header };
  }

  private drop(partial: Partial): void {
    this.partials.delete(partial.key);
    this.cost -= partial.cost;
  }
}

/**
 * RFC 3168 §5.3: a mark on any fragment marks the datagram, but a mark beside a fragment that could not carry
 * one is a fault. @param seen bit n set: a fragment with ECN field n has come @returns null: to be dropped
 */
function combineEcn(seen: number): number | null {
  const hasNotCapable = (seen & 0b0001) !== 0;
  const hasMark = (seen & 0b1000) !== 0;
  if (hasMark) return hasNotCapable ? null : 3;
  if (hasNotCapable) return 0;
  return (seen & 0b0100) !== 0 ? 2 : 1;
}
