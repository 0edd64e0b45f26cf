/** A link with a stack on it: whether that has an address, and why not yet. */
import { formatIpv4, runStack, Stack, StackError, type Counters, type Device, type LinkCounters, type StackEvent } from '../../stack';
import type { LinkReport } from '../protocol';
import type { Link, LinkAttempt, LinkContext, LogLevel } from './link/link';

export interface AttachmentOptions {
  readonly attempt: LinkAttempt;
  readonly context: Omit<LinkContext, 'observer' | 'onReason'>;
  readonly log: (level: LogLevel, message: string) => void;
  /** Puts something between link and stack that sees every frame. */
  readonly wrap: (device: Device) => Device;
  /** The stack has an address, another one, or none any more. */
  readonly onChange: () => void;
  /** What is waited for is another: see {@link Attachment.waitsFor}. */
  readonly onProgress: (waitsFor: string) => void;
  /** The link is up again, but has to be opened anew. */
  readonly onStale: () => void;
}

/** What opens a connection: a stack, and what its link knows. */
export interface Uplink {
  readonly stack: Stack;
  readonly link: Pick<Link, 'thisComputer' | 'loopbackAdvice' | 'beforeLookup' | 'explainLookup' | 'explainReset' | 'limitOf'>;
}

export class Attachment implements Uplink {
  readonly link: Link;
  readonly stack: Stack;
  private readonly device: Device;
  private readonly runner: { stop(): void };
  private readonly waiting = new Set<(error: StackError | null) => void>();
  /** Somebody on the link has given the stack an address, whether or not it is used yet. */
  private offered = false;
  /** Why there is no hope for an address in the next seconds: the link is down, or another has the address; null: there is. */
  private obstacle: string | null = null;
  private progress = '';
  private closed = false;

  /** @throws LinkFailure if the machine has not what it takes, Error for a setting that cannot be */
  constructor(private readonly options: AttachmentOptions) {
    const { attempt, context } = options;
    const observer = (event: StackEvent): void => this.observe(event);
    this.link = attempt.open({ ...context, observer, onReason: () => options.onChange() });
    // In memory everything is there at once: nobody need be told what is waited for.
    options.log(this.waitsForOthers ? 'info' : 'debug', this.link.reason);
    this.waitFromNew();
    this.device = options.wrap(this.link.device);
    const { address, conflictDetection, stackConfig } = this.link;
    try {
      this.stack = new Stack({ device: this.device, random: context.random, observer, address, conflictDetection, config: stackConfig });
    } catch (error) {
      this.device.close();
      this.link.close();
      throw error;
    }
    this.stack.onAddress = () => {
      if (this.stack.addressInfo !== null) this.settle(null);
      options.onChange();
    };
    this.link.attached?.(this.stack);
    this.runner = runStack(this.stack, context.clock);
  }

  /** Whether the stack's address depends on other stations, so that it takes seconds, or may not come. */
  get waitsForOthers(): boolean {
    return this.link.conflictDetection;
  }

  /** What sockets wait for that are not connected yet, in a sentence; null: nothing, or nothing that takes longer than a moment. */
  get waitsFor(): string | null {
    return this.waitsForOthers && !this.hasAddress && this.obstacle === null ? this.progress : null;
  }

  get hasAddress(): boolean {
    return this.stack.addressInfo !== null;
  }

  /** Whether the link is one that answers: the stack has had an address, or has been offered one. */
  get answers(): boolean {
    return this.offered || this.hasAddress;
  }

  report(notTaken: readonly string[]): LinkReport {
    const info = this.stack.addressInfo;
    const { kind, reason } = this.link;
    return {
      kind,
      reason: [reason, ...notTaken].join(' '),
      address: info === null ? null : formatIpv4(info.address),
      gateway: info === null || info.gateway === null ? null : formatIpv4(info.gateway),
      dns: (info?.dns ?? []).map(({ address, port }) => (port === 53 ? formatIpv4(address) : `${formatIpv4(address)}:${port}`)),
    };
  }

  counters(): { readonly link: LinkCounters; readonly stack: Counters; readonly [part: string]: object } {
    return { link: this.device.counters, stack: this.stack.counters, ...this.link.counters() };
  }

  /**
   * Calls `done` once the stack has an address, or it took too long, or the link is lost.
   * @param since when the wait began, ms of the clock @returns what cancels it
   */
  whenReady(since: number, done: (error: StackError | null) => void): () => void {
    if (this.obstacle !== null) {
      done(new StackError('ENETDOWN', this.obstacle));
      return () => {};
    }
    if (this.hasAddress) {
      done(null);
      return () => {};
    }
    const { clock } = this.options.context;
    const finish = (error: StackError | null): void => {
      this.waiting.delete(finish);
      timer.cancel();
      done(error);
    };
    const { addressTimeoutMs } = this.link;
    const timer = clock.at(since + addressTimeoutMs, () => {
      const { cause, advice } = this.link.explainNoAddress(this.stack);
      finish(new StackError('ENETDOWN', `The stack has had no address for ${addressTimeoutMs / 1000} s: ${cause}; ${advice}`));
    });
    this.waiting.add(finish);
    return () => {
      this.waiting.delete(finish);
      timer.cancel();
    };
  }

  /** Ends its connections, those that wait too, with `reason`. Idempotent. */
  close(reason: string): void {
    if (this.closed) return;
    this.closed = true;
    this.settle(new StackError('ENETDOWN', reason));
    this.stack.onAddress = null;
    this.stack.close(this.options.context.clock.now(), reason);
    this.runner.stop();
    this.link.close();
  }

  private settle(error: StackError | null): void {
    for (const finish of [...this.waiting]) finish(error);
  }

  private observe(event: StackEvent): void {
    const { log } = this.options;
    switch (event.type) {
      case 'warning':
        return log('warn', event.message);
      case 'link':
        return this.linkChanged(event.change, event.message);
      case 'address-probing':
        this.offered = true;
        if (event.afterMs > 0) return;
        return this.tell(`The address ${event.address} is checked for another owner (RFC 5227) before it is used, which takes 4 to 7 s; sockets stay 'connecting'.`);
      case 'address-taken':
        log('warn', event.message);
        // DHCP gives another within seconds.
        if (event.retryMs !== null) this.lose(`the stack has no address: ${event.message}`);
        return;
      case 'address':
        this.offered = true;
        this.obstacle = null;
        return log(this.waitsForOthers ? 'info' : 'debug', describeAddress(event));
      case 'address-lost':
        this.waitFromNew();
        // What happened to the link, or who has the address, has been said.
        if (this.obstacle === null) log('warn', `The stack has no address any more: ${event.reason}`);
        return;
      case 'tcp-state':
        return;
    }
  }

  private linkChanged(change: 'down' | 'gone' | 'up' | 'mtu-changed', message: string): void {
    const { log } = this.options;
    if (change === 'down' || change === 'gone') {
      log('warn', `${message}: sockets end in an error until it is back`);
      this.lose(message);
      return;
    }
    log('info', message);
    if (change !== 'up') return;
    this.obstacle = null;
    // Not within the stack's own call.
    if (this.link.isStale?.()) this.options.context.clock.soon(() => !this.closed && this.options.onStale());
  }

  /** Nothing is known of an address to come. */
  private waitFromNew(): void {
    this.progress = `${this.link.reason} It has no address yet; sockets stay 'connecting'.`;
  }

  private tell(progress: string): void {
    this.progress = progress;
    this.options.log('info', progress);
    this.options.onProgress(progress);
  }

  /** Ends what waits for an address, and what comes until there may be one again. */
  private lose(reason: string): void {
    this.obstacle = reason;
    this.settle(new StackError('ENETDOWN', reason));
  }
}

function describeAddress({ address, prefixLength, gateway, dns, source }: StackEvent & { readonly type: 'address' }): string {
  const router = gateway === null ? 'no router' : `router ${gateway}`;
  const servers = dns.length === 0 ? 'no name server' : `name server ${dns.join(', ')}`;
  return `The stack has the address ${address}/${prefixLength}${source === 'dhcp' ? ' from DHCP' : ''}, ${router}, ${servers}.`;
}
