/**
 * The seam between the stack and whatever carries its frames. A device queues what arrives; the stack
 * takes it in bounded batches, so that a flood can starve neither timers nor scripts.
 */
import type { PortRange } from '../config';
import type { Ipv4Address } from '../wire/address';

export interface LinkCounters {
  rxFrames: number;
  rxBytes: number;
  txFrames: number;
  txBytes: number;
  /** Frames lost because the device's receive queue was full. */
  rxQueueFull: number;
  /** Frames that could not be sent: link down, or the other end's queue full. */
  txDropped: number;
  /** Frames dropped for their length: shorter than an Ethernet header or longer than the link takes. */
  badLength: number;
  /** Frames dropped because the capture held only their beginning. */
  rxTruncated: number;
  /** Frames dropped because they belong to a VLAN. One that has only a priority (VLAN 0) is taken. */
  rxVlanTagged: number;
  /** Frames that the system's capture lost before we could take them, as far as the system tells. */
  rxKernelDropped: number;
}

export function createLinkCounters(): LinkCounters {
  return {
    rxFrames: 0, rxBytes: 0, txFrames: 0, txBytes: 0, rxQueueFull: 0, txDropped: 0, badLength: 0,
    rxTruncated: 0, rxVlanTagged: 0, rxKernelDropped: 0,
  };
}

/** What became of the link. While it is `down` or `gone` nothing arrives, and what is sent is dropped. */
export interface LinkChange {
  readonly type: 'down' | 'gone' | 'up' | 'mtu-changed';
  /** For a person: names the interface and what happened. */
  readonly message: string;
}

/** What the stack wants of a link that carries more than what is for it. */
export interface Claim {
  readonly address: Ipv4Address;
  /** Only what is for these ports, ICMP errors, and ARP: the address is the computer's, too. null: all that is for the address. */
  readonly ports: PortRange | null;
  /** What we sent to these is wanted, too, when a router sends it on past us. */
  readonly viaGateway: readonly Ipv4Address[];
}

export interface Device {
  /** Six bytes, the address the stack sends from. */
  readonly mac: Uint8Array;
  /** Largest IPv4 packet in bytes, without the 14-byte Ethernet header. 68 … 65535. */
  readonly mtu: number;
  readonly counters: LinkCounters;
  /**
   * Sends the first `length` bytes of `buffer` as one Ethernet frame. The buffer belongs to the caller
   * again when this returns. Never throws: what cannot be sent is dropped and counted.
   */
  send(buffer: Uint8Array, length: number): void;
  /**
   * Hands at most `budget` queued frames to `handler`, oldest first. A frame is a view that is valid
   * only during that call of `handler`. @returns how many were handed over.
   */
  receive(budget: number, handler: (frame: Uint8Array) => void): number;
  /** Whether `receive` would hand over a frame. */
  readonly hasFrames: boolean;
  /**
   * Called when a frame has been queued and the queue was empty before. It must only schedule work
   * (never call back into the device or the stack).
   */
  onFrame: (() => void) | null;
  /**
   * A checksum of TCP or UDP that is the pseudo-header's sum alone is a sound one: the sender left the rest to
   * hardware that the frame never passed, as between virtual interfaces. Absent: every sum is whole.
   */
  readonly acceptsPartialChecksums?: boolean;
  /** What the stack wants now, so that a capture can leave out the rest. null: it has no address. */
  use?(claim: Claim | null): void;
  /** Called when the state of the link changed, where it can. It must only schedule work. */
  onStateChange?: ((change: LinkChange) => void) | null;
  /** Idempotent; afterwards `send` drops and nothing is received. */
  close(): void;
}
