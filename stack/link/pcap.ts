/**
 * The link over libpcap: a host of our own on a real network, beside the kernel's. This file holds what both
 * bindings share: which one is taken, the filter, VLAN tags, the interface's state, and opening again when it is back.
 */
import type { Clock } from '../clock';
import { formatIpv4, formatMac } from '../wire/address';
import { readU16 } from '../wire/bytes';
import { ETHERNET_HEADER_BYTES } from '../wire/ethernet';
import { loadCap } from './cap';
import { CaptureFailure, type CaptureBinding, type CaptureHandle } from './capture-handle';
import { createLinkCounters, type Claim, type Device, type LinkChange, type LinkCounters } from './device';
import { InterfaceWatch, type InterfaceEvent } from './interface-watch';
import { listInterfaces, readInterfaceState, unsuitable } from './interfaces';
import { loadLibpcap } from './libpcap';

export type PcapBinding = 'cap' | 'libpcap';

export interface PcapOptions {
  readonly interface: string;
  /** `auto`, the default: `cap` where it loads and is sound, else libpcap through koffi. */
  readonly binding?: 'auto' | PcapBinding;
  /** Six bytes, the address to send from. Default: the interface's own. */
  readonly mac?: Uint8Array;
  readonly clock: Clock;
  /**
   * The kernel's capture ring, bytes, 2¹⁶ … 2³⁰. Default 32 MiB. On Linux libpcap divides it into slots of one size
   * (TPACKET_V2, in immediate mode): of the MTU where the interface has no offload, so that it holds 20 000 frames; of
   * 64 KiB where it has one that joins frames (GRO, TSO …), so that it holds 512, and takes twice the memory, since a
   * slot is more than 2¹⁶ bytes. Smaller slots would lose each joined frame that fills one.
   */
  readonly kernelBufferBytes?: number;
  /** Memory of the queue in this process, bytes, 2¹⁸ … 2³⁰; only `cap` needs one. Default 16 MiB. */
  readonly queueBytes?: number;
}

/** Why a binding was not taken, for a person: names the next step. */
export interface PcapFailure {
  readonly binding: PcapBinding;
  readonly reason: string;
}

export interface PcapDevice extends Device {
  readonly interfaceName: string;
  readonly binding: PcapBinding;
  /** Whether frames pass now. */
  readonly isUp: boolean;
  onStateChange: ((change: LinkChange) => void) | null;
}

export type PcapResult =
  | { readonly device: PcapDevice; readonly warnings: readonly string[]; readonly failures: readonly PcapFailure[] }
  | { readonly device: null; readonly failures: readonly PcapFailure[] };

const DEFAULT_KERNEL_BUFFER_BYTES = 32 << 20;
const DEFAULT_QUEUE_BYTES = 16 << 20;
/** Between two looks at the interface: how late its going and coming back are noticed. */
const WATCH_MS = 250;
const MTU_MAX = 65_535;
const DEFAULT_MTU = 1_500;
const ETHERTYPE_VLAN = 0x8100;
const VLAN_TAG_BYTES = 4;
/** The low twelve bits of a tag are the VLAN; 0 is none, only a priority (IEEE 802.1Q §9.6). */
const VLAN_ID = 0x0fff;

/** DHCP's answers, which may come to an address that the stack does not have yet, and the link's own groups. */
const FOR_ANY_ADDRESS = 'udp dst port 68 or dst net 224.0.0.0/24';
/** ICMP's errors: unreachable, source quench, time exceeded, parameter problem. */
const ICMP_ERRORS = '(icmp[0] = 3 or icmp[0] = 4 or icmp[0] = 11 or icmp[0] = 12)';
/** Fragments but the first, which show no port. */
const LATER_FRAGMENTS = 'ip[6:2] & 0x1fff != 0';

/**
 * What the stack can want, in libpcap's language: ARP and its own address, or its own ports there; the same with a VLAN
 * tag, to be stripped or counted. Not by MAC, which may be the host's too. `vlan` moves the offsets of all that follows
 * it, so it comes last.
 */
export function captureFilter(mac: Uint8Array, claim: Claim | null): string {
  const wanted = `(arp or (ip and (${wantedPackets(claim)})))`;
  return `not ether src ${formatMac(mac)} and (${wanted} or (vlan and ${wanted}))`;
}

function wantedPackets(claim: Claim | null): string {
  if (claim === null) return FOR_ANY_ADDRESS;
  const own = formatIpv4(claim.address);
  const { ports } = claim;
  const forUs = ports === null
    ? `${FOR_ANY_ADDRESS} or dst host ${own}`
    : `dst host ${own} and (dst portrange ${ports.first}-${ports.last} or ${ICMP_ERRORS} or ${LATER_FRAGMENTS})`;
  const viaGateway = claim.viaGateway.map((address) => `dst host ${formatIpv4(address)}`).join(' or ');
  return viaGateway === '' ? forUs : `${forUs} or (src host ${own} and (${viaGateway}))`;
}

class PcapLink implements PcapDevice {
  readonly counters: LinkCounters = createLinkCounters();
  readonly acceptsPartialChecksums = true;
  onFrame: (() => void) | null = null;
  onStateChange: ((change: LinkChange) => void) | null = null;
  mtu: number;
  private handle: CaptureHandle | null = null;
  private filter: string;
  private closed = false;
  private failing = false;
  private readonly watch: InterfaceWatch;
  private kernelDroppedBefore = 0;

  /** @throws CaptureFailure */
  constructor(
    private readonly options: PcapOptions,
    private readonly loaded: CaptureBinding,
    readonly mac: Uint8Array,
    mtu: number | null,
  ) {
    const { clock } = options;
    this.mtu = Math.min(mtu ?? DEFAULT_MTU, MTU_MAX);
    this.filter = captureFilter(mac, null);
    const handle = this.open();
    this.handle = handle;
    this.watch = new InterfaceWatch({
      clock, intervalMs: WATCH_MS,
      read: () => readInterfaceState(options.interface),
      onEvent: (event) => this.changed(event),
      onTick: () => this.tick(),
    });
  }

  get interfaceName(): string {
    return this.options.interface;
  }

  get binding(): PcapBinding {
    return this.loaded.name;
  }

  get isUp(): boolean {
    return this.handle !== null && this.watch.isUp;
  }

  get hasFrames(): boolean {
    return this.handle?.hasFrames ?? false;
  }

  send(buffer: Uint8Array, length: number): void {
    const { counters } = this;
    if (length < ETHERNET_HEADER_BYTES || length > ETHERNET_HEADER_BYTES + this.mtu || length > buffer.length) {
      counters.badLength++;
    } else if (this.handle?.send(buffer, length)) {
      counters.txFrames++;
      counters.txBytes += length;
    } else {
      counters.txDropped++;
    }
  }

  receive(budget: number, handler: (frame: Uint8Array) => void): number {
    const { counters } = this;
    return this.handle?.receive(budget, (frame) => {
      if (frame.length < ETHERNET_HEADER_BYTES) {
        counters.badLength++;
        return;
      }
      const plain = readU16(frame, 12) === ETHERTYPE_VLAN ? this.untag(frame) : frame;
      if (plain === null) return;
      counters.rxFrames++;
      counters.rxBytes += plain.length;
      handler(plain);
    }) ?? 0;
  }

  use(claim: Claim | null): void {
    const filter = captureFilter(this.mac, claim);
    if (filter === this.filter || this.closed) return;
    this.filter = filter;
    const { handle } = this;
    if (handle === null) return;
    try {
      if (handle.setFilter(filter)) return;
      // The new one first, so that no frame falls between the two; what waits in the old one is not for the new address.
      this.handle = this.open();
      handle.close();
      this.kernelDroppedBefore = 0;
    } catch {
      // The interface has just gone: the watch notices, and opens again with the new filter.
      this.fail();
    }
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.watch.stop();
    this.drop();
  }

  private open(): CaptureHandle {
    const { kernelBufferBytes = DEFAULT_KERNEL_BUFFER_BYTES, queueBytes = DEFAULT_QUEUE_BYTES } = this.options;
    return this.loaded.open({
      interfaceName: this.interfaceName, filter: this.filter, kernelBufferBytes, queueBytes,
      counters: this.counters,
      onReadable: () => this.onFrame?.(),
      onFailure: () => this.fail(),
    });
  }

  /** @returns the frame without its tag, or null: it belongs to a VLAN, where we are not. */
  private untag(frame: Uint8Array): Uint8Array | null {
    if (frame.length < ETHERNET_HEADER_BYTES + VLAN_TAG_BYTES) {
      this.counters.badLength++;
      return null;
    }
    if ((readU16(frame, ETHERNET_HEADER_BYTES) & VLAN_ID) !== 0) {
      this.counters.rxVlanTagged++;
      return null;
    }
    frame.copyWithin(VLAN_TAG_BYTES, 0, ETHERNET_HEADER_BYTES - 2);
    return frame.subarray(VLAN_TAG_BYTES);
  }

  /** The capture died under a call: looked into with the next tick, outside that call. */
  private fail(): void {
    this.failing = true;
  }

  private tick(): void {
    if (this.failing) {
      this.failing = false;
      // Whatever it was, the interface is up as far as it says: begin anew.
      if (this.handle !== null && this.watch.isUp) {
        this.drop();
        this.tell('down', `the capture on ${this.interfaceName} ended`);
      }
    }
    if (this.handle === null && this.watch.isUp) this.reopen();
    const dropped = this.handle?.kernelDropped() ?? null;
    if (dropped === null || dropped <= this.kernelDroppedBefore) return;
    this.counters.rxKernelDropped += dropped - this.kernelDroppedBefore;
    this.kernelDroppedBefore = dropped;
  }

  private changed(event: InterfaceEvent): void {
    switch (event.type) {
      case 'down':
        this.drop();
        this.tell('down', `the interface ${this.interfaceName} is down`);
        return;
      case 'gone':
        this.drop();
        this.tell('gone', `the interface ${this.interfaceName} is gone`);
        return;
      case 'mtu':
        this.mtu = Math.min(event.mtu, MTU_MAX);
        this.tell('mtu-changed', `the MTU of ${this.interfaceName} is ${event.mtu} bytes now, ${event.before} before`);
        return;
      case 'up':
        this.mtu = Math.min(this.watch.mtu ?? this.mtu, MTU_MAX);
        this.reopen();
    }
  }

  private reopen(): void {
    this.drop();
    try {
      this.handle = this.open();
    } catch {
      // An interface that is up and cannot be opened is on its way up or down: the next tick tries again.
      return;
    }
    this.tell('up', `the interface ${this.interfaceName} is up again`);
  }

  private drop(): void {
    this.handle?.close();
    this.handle = null;
    this.failing = false;
    this.kernelDroppedBefore = 0;
  }

  private tell(type: LinkChange['type'], message: string): void {
    this.onStateChange?.({ type, message });
  }
}

const LOADERS: readonly { readonly name: PcapBinding; readonly load: () => CaptureBinding }[] = [
  { name: 'cap', load: loadCap },
  { name: 'libpcap', load: loadLibpcap },
];

/** What loading a binding came to. */
export interface BindingReport {
  readonly binding: PcapBinding;
  /** Why it cannot be used, with the next step; null: it can. */
  readonly failure: string | null;
  /** What should be known though it works. */
  readonly warning: string | null;
  /** libpcap's own words on its version, where the binding tells. */
  readonly libraryVersion: string | null;
}

/** Loads every binding, in the order that `auto` takes them, and opens nothing. */
export function loadBindings(): BindingReport[] {
  return LOADERS.map(({ name, load }) => {
    const failures: PcapFailure[] = [];
    const loaded = attempt(failures, name, load);
    return { binding: name, failure: failures[0]?.reason ?? null, warning: loaded?.warning ?? null, libraryVersion: loaded?.libraryVersion ?? null };
  });
}

/**
 * Opens a capture on an interface. @returns the device, or why each binding that was tried gave none; nothing is
 * thrown for what the machine lacks @throws RangeError for a size or a MAC out of range
 */
export function openPcap(options: PcapOptions): PcapResult {
  checkRanges(options);
  const { binding = 'auto', interface: name } = options;
  const wanted = LOADERS.filter((loader) => binding === 'auto' || binding === loader.name);
  const all = (reason: string): PcapResult => ({ device: null, failures: wanted.map((loader) => ({ binding: loader.name, reason })) });

  const known = listInterfaces();
  const found = known.find((one) => one.name === name);
  if (!found) return all(`there is no interface ${JSON.stringify(name)}: there are ${known.map((one) => one.name).join(', ')}`);
  const obstacle = unsuitable(name);
  if (obstacle !== null) return all(obstacle);
  if (!found.up) return all(`the interface ${name} is down: bring it up`);
  const mac = options.mac ?? found.mac;
  if (mac === null) return all(`the interface ${name} has no MAC address of its own: give one`);

  const failures: PcapFailure[] = [];
  const unsound: CaptureBinding[] = [];
  const open = (loaded: CaptureBinding): PcapResult | null => {
    const device = attempt(failures, loaded.name, () => new PcapLink(options, loaded, mac.slice(), found.mtu));
    return device && { device, warnings: loaded.warning === null ? [] : [loaded.warning], failures };
  };
  for (const { name: bindingName, load } of wanted) {
    const loaded = attempt(failures, bindingName, load);
    if (loaded === null) continue;
    // A build that can end the process comes last where there is a choice.
    if (loaded.warning !== null) {
      unsound.push(loaded);
      continue;
    }
    const result = open(loaded);
    if (result) return result;
  }
  for (const loaded of unsound) {
    const result = open(loaded);
    if (result) return result;
  }
  return { device: null, failures };
}

/** @returns what `run` gives, or null with its failure noted */
function attempt<T>(failures: PcapFailure[], binding: PcapBinding, run: () => T): T | null {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof CaptureFailure)) throw error;
    failures.push({ binding, reason: error.message });
    return null;
  }
}

function checkRanges({ mac, kernelBufferBytes = DEFAULT_KERNEL_BUFFER_BYTES, queueBytes = DEFAULT_QUEUE_BYTES }: PcapOptions): void {
  if (mac && (mac.length !== 6 || ((mac[0] ?? 0) & 1) !== 0)) throw new RangeError(`${formatMac(mac)} is not the MAC address of one station: six bytes, the first one even`);
  for (const [what, bytes, least] of [['kernelBufferBytes', kernelBufferBytes, 1 << 16], ['queueBytes', queueBytes, 1 << 18]] as const) {
    if (!Number.isInteger(bytes) || bytes < least || bytes > 2 ** 30) throw new RangeError(`${what} is ${bytes}: it is ${least} to 2^30`);
  }
}
