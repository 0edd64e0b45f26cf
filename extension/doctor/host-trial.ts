/** The stack as a host on an interface, for a trial: opened, given an address, and everything it sends and sees noted. */
import {
  CryptoRandom, Direction, formatIpv4, parseIpv4, runStack, Stack, tapDevice,
  type AddressInfo, type AddressOptions, type Clock, type Device, type PcapResult, type StackEvent,
} from '../../stack';
import { WireLog } from './wire-log';

export interface HostTrialOptions {
  readonly clock: Clock;
  readonly open: (mac: Uint8Array) => PcapResult;
  /** The MAC address that the link is opened with first. */
  readonly mac: Uint8Array;
  /** As in a run, or why the stack cannot have the address. */
  readonly address: AddressOptions | { readonly mode: AddressOptions['mode']; readonly obstacle: string };
  /** First wait for an answer of DHCP, ms. */
  readonly dhcpTimeoutMs: number;
}

/** Ethernet, then ARP: operation, sender's MAC, sender's address. */
const OPERATION_AT = 14 + 6;
const SENDER_AT = 14 + 8;

export class HostTrial {
  readonly log = new WireLog();
  stack: Stack | null = null;
  /** What the link was opened with. */
  mac: Uint8Array | null = null;
  /** Addresses whose MAC was told in ARP, by anybody. */
  private readonly told = new Map<number, string>();
  private readonly wake = new Set<() => void>();
  private events: StackEvent[] = [];
  private device: Device | null = null;
  private runner: { stop(): void } | null = null;

  constructor(readonly options: HostTrialOptions) {}

  /** Opens the link, in place of one that is open. */
  open(mac: Uint8Array): PcapResult {
    this.close();
    const result = this.options.open(mac);
    if (result.device === null) return result;
    this.mac = result.device.mac;
    this.device = tapDevice(result.device, (frame, direction) => this.look(frame, direction === Direction.outbound ? 'sent' : 'seen'));
    return result;
  }

  /** Begins to get an address over the open link. @throws RangeError for an address that no host can have */
  start(): Stack {
    const { clock, address, dhcpTimeoutMs } = this.options;
    const { device } = this;
    if (device === null) throw new Error('the link is not open');
    if ('obstacle' in address) throw new Error(address.obstacle);
    this.events = [];
    const stack = new Stack({
      device, random: new CryptoRandom(), address, conflictDetection: true,
      // As in a run.
      config: { dns: { multicast: true }, dhcp: { initialTimeoutMs: dhcpTimeoutMs } },
      observer: (event) => this.observe(event),
    });
    this.stack = stack;
    this.runner = runStack(stack, clock);
    return stack;
  }

  /** The address that the stack has now, or null. */
  get addressInfo(): AddressInfo | null {
    return this.stack?.addressInfo ?? null;
  }

  /** What has happened to the stack since it was started, of one kind. */
  eventsOf<T extends StackEvent['type']>(type: T): (StackEvent & { readonly type: T })[] {
    return this.events.filter((event): event is StackEvent & { readonly type: T } => event.type === type);
  }

  /** The MAC address that a station has told of itself, as text; null: it has said nothing. */
  macOf(address: number): string | null {
    return this.told.get(address) ?? null;
  }

  /** Waits until `look` gives something, looked at whenever anything happens. @returns null: given up, or not in time */
  until<T>(look: () => T | null, signal: AbortSignal, limitMs = Infinity): Promise<T | null> {
    const { clock } = this.options;
    return new Promise((resolve) => {
      const finish = (found: T | null): void => {
        this.wake.delete(check);
        timer.cancel();
        signal.removeEventListener('abort', stop);
        resolve(found);
      };
      const stop = (): void => finish(null);
      const check = (): void => {
        const found = look();
        if (found !== null) finish(found);
      };
      const timer = clock.at(clock.now() + limitMs, stop);
      this.wake.add(check);
      signal.addEventListener('abort', stop);
      if (signal.aborted) stop();
      else check();
    });
  }

  /** Something that `until` should look at has happened. */
  changed(): void {
    for (const check of [...this.wake]) check();
  }

  /** Ends the stack and the link. The lease is kept for the runs, if there is a place to keep it. Idempotent. */
  close(): void {
    this.stack?.close(this.options.clock.now());
    this.runner?.stop();
    this.device?.close();
    this.stack = this.runner = this.device = null;
  }

  private look(frame: Uint8Array, direction: 'sent' | 'seen'): void {
    if (this.mac) this.log.add(frame, direction, this.mac);
    if (direction === 'seen' && frame.length >= SENDER_AT + 10 && frame[12] === 0x08 && frame[13] === 0x06 && frame[OPERATION_AT] === 0) {
      const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
      const sender = view.getUint32(SENDER_AT + 6);
      const mac = Array.from(frame.subarray(SENDER_AT, SENDER_AT + 6), (byte) => byte.toString(16).padStart(2, '0')).join(':');
      if (sender !== 0) this.told.set(sender, mac);
    }
    // A look at a frame is in the middle of a poll: whoever waits goes on after it.
    this.options.clock.soon(() => this.changed());
  }

  private observe(event: StackEvent): void {
    if (event.type === 'tcp-state') return;
    this.events.push(event);
    if (event.type === 'warning' || event.type === 'address-taken') this.log.note(event.message);
    if (event.type === 'address') {
      this.log.note(`the address is ${event.address}/${event.prefixLength}`);
      this.log.own = event.source === 'shared' ? null : parseIpv4(event.address);
    }
    this.options.clock.soon(() => this.changed());
  }
}

/** `192.0.2.7/24` */
export function formatNetwork({ address, prefixLength }: { readonly address: number; readonly prefixLength: number }): string {
  return `${formatIpv4(address)}/${prefixLength}`;
}
