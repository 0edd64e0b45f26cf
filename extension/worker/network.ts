/** The network that all scripts of a worker share: a stack on the first link that works. */
import { CryptoRandom, formatIpv4, formatMac, parseIpv4, readSystemAddress, StackError, SystemClock, type Clock, type Device, type Timer } from '../../stack';
import type { LinkReport, WorkerSettings } from '../protocol';
import { Attachment, type Uplink } from './attachment';
import { CaptureFile } from './capture-file';
import { isThisComputer } from './host-lookup';
import { openGatewayLink } from './link/gateway-link';
import { LinkFailure, type Link, type LinkAttempt, type LogLevel } from './link/link';
import { hostOptions, planLinks } from './link/plan';
import { OwnAddresses } from './own-addresses';
import { RecentFrames } from './recent-frames';

export interface NetworkOptions {
  readonly settings: WorkerSettings;
  readonly log: (level: LogLevel, message: string) => void;
  /** The link has an address, another one, or none any more. */
  readonly onChange: (report: LinkReport) => void;
}

export class Network {
  readonly clock: Clock = new SystemClock();
  /** The frames that passed last, if the settings ask for them. */
  readonly recentFrames: RecentFrames | null;
  private readonly random = new CryptoRandom();
  private readonly capture: CaptureFile | null;
  /** Ways that are left to try. */
  private attempts: LinkAttempt[];
  /** Why the ways before the present one were not taken. */
  private readonly notTaken: string[] = [];
  /** Connections that wait for whichever link it will be. */
  private readonly waiting = new Set<Waiting>();
  private patience: Timer | null = null;
  private current: Attachment;
  /** The way to this computer, where the link is none. */
  private relay: Attachment | null = null;
  private readonly ownAddresses = new OwnAddresses();
  private closed = false;

  /** @throws Error in plain words for a setting that cannot be, a link that is not to be had, or a capture file that cannot be written */
  constructor(private readonly options: NetworkOptions) {
    const { settings, log } = options;
    this.attempts = [...planLinks(settings)];
    this.capture = settings.captureFile === null ? null : new CaptureFile(settings.captureFile, (message) => log('error', message));
    this.recentFrames = settings.recentFrameBytes === 0 ? null : new RecentFrames(settings.recentFrameBytes, this.clock);
    try {
      this.current = this.attach();
    } catch (error) {
      this.capture?.close();
      throw error;
    }
  }

  /** Whether the address may be seconds away: scripts can start meanwhile, and their sockets wait. */
  get waitsForOthers(): boolean {
    return this.current.waitsForOthers;
  }

  report(): LinkReport {
    return this.current.report(this.notTaken);
  }

  /**
   * Calls `done` with the attachment that has the way to a host, once its stack has an address, or why it has none.
   * @param onWait told what is waited for, at once and whenever that is another @returns what cancels it
   */
  whenReady(host: string, done: (result: Uplink | StackError) => void, onWait?: (waitsFor: string) => void): () => void {
    const waiting: Waiting = { host, since: this.clock.now(), done, onWait: onWait ?? (() => {}), cancel: () => {} };
    this.waiting.add(waiting);
    this.wait(waiting);
    return () => {
      this.waiting.delete(waiting);
      waiting.cancel();
    };
  }

  /** All counters, by layer. */
  counters(): object {
    return { ...this.current.counters(), ...(this.relay && { relay: this.relay.counters() }) };
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.patience?.cancel();
    this.relay?.close('The network was closed');
    this.current.close('The network was closed');
    this.capture?.close();
  }

  private wait(waiting: Waiting): void {
    let attachment: Attachment;
    try {
      attachment = this.attachmentFor(waiting.host);
    } catch (error) {
      if (!(error instanceof StackError)) throw error;
      this.waiting.delete(waiting);
      return waiting.done(error);
    }
    if (attachment.waitsFor !== null) waiting.onWait(attachment.waitsFor);
    waiting.cancel = attachment.whenReady(waiting.since, (error) => {
      this.waiting.delete(waiting);
      waiting.done(error ?? attachment);
    });
  }

  /** Where the link does not lead to this computer itself, the relay does. @throws StackError for a host address that cannot be */
  private attachmentFor(host: string): Attachment {
    const { current } = this;
    if (!current.link.needsRelay) return current;
    const literal = parseIpv4(host.replace(/\.$/, ''));
    const isOwn = isThisComputer(host) || (literal !== null && this.ownAddresses.has(literal, this.clock.now()));
    return isOwn ? this.relayFor(current.link) : current;
  }

  /** The embedded gateway beside the link, made when it is first needed, and anew when the computer's address is another. */
  private relayFor({ interfaceName }: Link): Attachment {
    const { settings, log } = this.options;
    const own = settings.hostAddress === null && interfaceName !== null ? readSystemAddress(interfaceName) : null;
    const hostAddress = own === null ? settings.hostAddress : formatIpv4(own.address);
    const { relay } = this;
    if (relay !== null && (hostAddress === null || relay.link.thisComputer?.outside === hostAddress)) return relay;
    relay?.close('This computer has another address now');
    const attempt: LinkAttempt = {
      open: (context) => openGatewayLink({ ...context, settings: { ...settings, hostAddress } }, "for this computer's own addresses, beside the link"),
      patienceMs: Infinity,
    };
    const context = { settings, clock: this.clock, random: this.random };
    this.relay = new Attachment({ attempt, context, log, wrap: (device) => this.record(device), onChange: () => {}, onProgress: () => {}, onStale: () => {} });
    return this.relay;
  }

  /** Opens the first of the ways left that can be opened. @throws Error if none can */
  private attach(): Attachment {
    const { settings, log } = this.options;
    for (;;) {
      const attempt = this.attempts.shift();
      if (attempt === undefined) throw new LinkFailure('no way to the network is left');
      try {
        // Some of these are called while it is being made.
        let made: Attachment | null = null;
        const isCurrent = (): boolean => made !== null && made === this.current;
        const attachment = new Attachment({
          attempt,
          context: { settings, clock: this.clock, random: this.random },
          log,
          wrap: (device) => this.record(device),
          onChange: () => {
            if (isCurrent()) this.options.onChange(this.report());
          },
          onProgress: (waitsFor) => {
            if (!isCurrent()) return;
            for (const waiting of this.waiting) if (this.attachmentFor(waiting.host) === made) waiting.onWait(waitsFor);
          },
          onStale: () => {
            if (isCurrent()) this.openAnew(this.current);
          },
        });
        made = attachment;
        this.limit(attachment, attempt);
        return attachment;
      } catch (error) {
        if (!(error instanceof LinkFailure) || this.attempts.length === 0) throw error;
        this.notTaken.push(sentence(error.message));
        this.tellUnmet(error.message);
      }
    }
  }

  /** Where the gateway takes the place of what was asked for by hand, silence would hide a slip. */
  private tellUnmet(cause: string): void {
    const { settings, log } = this.options;
    const unmet = settings.link === 'auto' ? hostOptions(settings.pcap) : [];
    if (unmet.length > 0) log('warn', sentence(`${unmet.join(' ')} cannot be met, and the embedded gateway is taken: ${cause}`));
  }

  /** Puts what the settings ask for between a link and its stack. */
  private record(device: Device): Device {
    const recorded = this.capture?.wrap(device, this.clock) ?? device;
    return this.recentFrames?.wrap(recorded) ?? recorded;
  }

  /** Goes on to the next way if nobody has answered on this one by then. */
  private limit(attachment: Attachment, attempt: LinkAttempt): void {
    if (attempt.patienceMs === Infinity || this.attempts.length === 0) return;
    this.patience = this.clock.at(this.clock.now() + attempt.patienceMs, () => {
      if (!attachment.answers && !this.closed) this.giveUp(attachment, attempt);
    });
  }

  private giveUp(attachment: Attachment, { onSilence }: LinkAttempt): void {
    const { cause } = attachment.link.explainNoAddress(attachment.stack);
    const reason = sentence(`${cause} (tried with the MAC address ${formatMac(attachment.link.device.mac)})`);
    this.options.log('info', reason);
    if (!this.replace(attachment)) return;
    this.notTaken.push(reason);
    onSilence?.(cause);
  }

  /** The interface has come back as another: the ways are tried from the first on. */
  private openAnew(attachment: Attachment): void {
    const { settings, log } = this.options;
    this.patience?.cancel();
    try {
      this.attempts = [...planLinks(settings)];
    } catch (error) {
      log('warn', sentence(error instanceof Error ? error.message : String(error)));
      return;
    }
    this.notTaken.length = 0;
    this.replace(attachment);
  }

  /** Puts the first of the ways left in the place of the present one. @returns whether there was one; else that is kept, and may yet be answered */
  private replace(attachment: Attachment): boolean {
    const { log, onChange } = this.options;
    try {
      this.current = this.attach();
    } catch (error) {
      log('warn', sentence(error instanceof Error ? error.message : String(error)));
      return false;
    }
    if (!this.current.waitsForOthers) log('info', this.current.link.reason);
    // They wait on, for the new link: the old one must not end them.
    for (const waiting of this.waiting) {
      waiting.cancel();
      this.wait(waiting);
    }
    attachment.close('Another link is used');
    onChange(this.report());
    return true;
  }
}

interface Waiting {
  readonly host: string;
  /** When the wait began, ms of the clock. */
  readonly since: number;
  readonly done: (result: Uplink | StackError) => void;
  readonly onWait: (waitsFor: string) => void;
  cancel: () => void;
}

function sentence(words: string): string {
  return `${words.slice(0, 1).toUpperCase()}${words.slice(1)}${/[.!?]$/.test(words) ? '' : '.'}`;
}
