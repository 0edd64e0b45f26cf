/** The link and the stack on it: what all scripts of a worker share. */
import { CryptoRandom, formatIpv4, Gateway, runStack, Stack, StackError, SystemClock, type Clock, type Counters, type Device, type LinkCounters } from '../../stack';
import type { LinkReport, WorkerSettings } from '../protocol';
import { CaptureFile } from './capture-file';
import { RecentFrames } from './recent-frames';

/** How long a connection waits for the stack to have an address. */
const ADDRESS_TIMEOUT_MS = 20_000;

export type LogLevel = 'info' | 'warn' | 'error' | 'debug';

export interface NetworkOptions {
  readonly settings: WorkerSettings;
  readonly log: (level: LogLevel, message: string) => void;
  /** The link has an address, another one, or none any more. */
  readonly onChange: (report: LinkReport) => void;
}

export class Network {
  readonly clock: Clock = new SystemClock();
  readonly stack: Stack;
  /** The address `localhost` is mapped to. */
  readonly hostAddress: number;
  /** The frames that passed last, if the settings ask for them. */
  readonly recentFrames: RecentFrames | null;
  private readonly gateway: Gateway;
  private readonly device: Device;
  private readonly capture: CaptureFile | null;
  private readonly runner: { stop(): void };
  private readonly reason: string;
  private readonly waiting = new Set<(error: StackError | null) => void>();
  private closed = false;

  /** @throws Error in plain words for a setting that cannot be, or a capture file that cannot be written */
  constructor(options: NetworkOptions) {
    const { settings, log } = options;
    const random = new CryptoRandom();
    const observer = (event: { readonly type: string }) => {
      if (event.type === 'warning' && 'message' in event) log('warn', String(event.message));
    };
    if (settings.link === 'pcap') {
      throw new Error("Link 'pcap' is not in this version: use 'auto' or 'gateway'");
    }
    this.capture = settings.captureFile === null ? null : new CaptureFile(settings.captureFile, (message) => log('error', message));
    this.gateway = new Gateway({
      clock: this.clock,
      random,
      observer,
      config: { hostAddress: settings.hostAddress, dnsServers: settings.dns },
    });
    this.hostAddress = this.gateway.hostAddressInside;
    const recorded = this.capture === null ? this.gateway.device : this.capture.wrap(this.gateway.device, this.clock);
    const recentFrameBytes = settings.recentFrameBytes ?? 0;
    this.recentFrames = recentFrameBytes === 0 ? null : new RecentFrames(recentFrameBytes, this.clock);
    this.device = this.recentFrames === null ? recorded : this.recentFrames.wrap(recorded);
    this.stack = new Stack({ device: this.device, random, observer, address: { mode: 'dhcp', hostname: 'riftnet' } });
    const why = settings.link === 'auto' ? "link 'auto' uses the embedded gateway, which needs no privileges" : "as the setting 'gateway' says";
    this.reason = `The embedded gateway relays through this computer's own sockets (${why}); localhost is ${formatIpv4(this.gateway.hostAddress)}.`;
    this.stack.onAddress = () => {
      if (this.stack.addressInfo !== null) this.settle(null);
      options.onChange(this.report());
    };
    this.runner = runStack(this.stack, this.clock);
  }

  report(): LinkReport {
    const info = this.stack.addressInfo;
    return {
      kind: 'gateway',
      reason: this.reason,
      address: info === null ? null : formatIpv4(info.address),
      gateway: info === null || info.gateway === null ? null : formatIpv4(info.gateway),
      dns: (info?.dns ?? []).map(({ address, port }) => (port === 53 ? formatIpv4(address) : `${formatIpv4(address)}:${port}`)),
    };
  }

  /** The address outside that `localhost` is relayed to, as text. */
  get relayedHost(): string {
    return formatIpv4(this.gateway.hostAddress);
  }

  /** A failed lookup in terms of the servers that the gateway asked: its own address tells nobody anything. */
  withNameServers({ code, message }: StackError): StackError {
    const servers = this.gateway.nameServers.join(', ') || 'no server';
    const own = formatIpv4(this.gateway.address).replaceAll('.', '\\.');
    return new StackError(code, message.replace(new RegExp(`\\b${own}\\b`, 'g'), `${servers} through the gateway`));
  }

  /** Calls `done` once the stack has an address, or it took too long. @returns what cancels it */
  whenReady(done: (error: StackError | null) => void): () => void {
    if (this.stack.addressInfo !== null) {
      done(null);
      return () => {};
    }
    const finish = (error: StackError | null) => {
      this.waiting.delete(finish);
      timer.cancel();
      done(error);
    };
    const timer = this.clock.at(this.clock.now() + ADDRESS_TIMEOUT_MS, () => {
      finish(new StackError('ENETDOWN', `The stack has had no address for ${ADDRESS_TIMEOUT_MS / 1000} s: DHCP does not answer`));
    });
    this.waiting.add(finish);
    return () => {
      this.waiting.delete(finish);
      timer.cancel();
    };
  }

  /** All counters, by layer. */
  counters(): { readonly link: LinkCounters; readonly stack: Counters; readonly gateway: Counters } {
    return { link: this.device.counters, stack: this.stack.counters, gateway: this.gateway.stack.counters };
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.settle(new StackError('ENETDOWN', 'The network was closed'));
    this.stack.onAddress = null;
    this.stack.close(this.clock.now());
    this.runner.stop();
    this.gateway.close();
    this.capture?.close();
  }

  private settle(error: StackError | null): void {
    for (const finish of [...this.waiting]) finish(error);
  }
}
