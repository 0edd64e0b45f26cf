/** The test's end of a stack in a namespace (`pcap-guest.ts`): starts it, tells it what to do, and hears what happens. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { GuestTask, TaskResult } from './guest-tasks';
import { demandNamespaces, removeStale, type Host } from './namespaces';
import type { GuestOptions } from './pcap-guest';

const LIMIT_MS = 60_000;

/** What the guest has told, in order. */
export interface GuestMessage {
  readonly ready?: boolean;
  readonly binding?: string;
  readonly warnings?: readonly string[];
  readonly failures?: readonly { readonly binding: string; readonly reason: string }[];
  readonly address?: string | null;
  readonly event?: { readonly type: string; readonly change?: string; readonly message?: string; readonly reason?: string };
  readonly id?: number;
  readonly done?: TaskResult;
}

export const bundle = (name: string): string => path.resolve('dist/test/interop/support', `${name}.js`);

/** Bundles what runs in the namespaces: files of this folder. */
export async function bundleForHosts(...names: readonly string[]): Promise<void> {
  const { buildTests } = createRequire(path.resolve('package.json'))('./esbuild.js') as { buildTests(files: readonly string[]): Promise<void> };
  await buildTests(names.map((name) => `test/interop/support/${name}.ts`));
}

/** What every test in namespaces needs, before the first of a file. */
export async function prepare(): Promise<void> {
  demandNamespaces();
  removeStale();
  await bundleForHosts('pcap-guest', 'kernel-peer', 'wire-tool');
}

export class Guest {
  readonly messages: GuestMessage[] = [];
  private words = '';
  private nextId = 0;
  private readonly wake = new Set<() => void>();

  private constructor(readonly child: ChildProcess) {
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (this.words = (this.words + chunk).slice(-10_000)));
    child.on('message', (message: GuestMessage) => {
      this.messages.push(message);
      for (const wake of this.wake) wake();
    });
    child.on('exit', () => {
      for (const wake of this.wake) wake();
    });
  }

  /** How opening the interface went. */
  get opened(): GuestMessage {
    return this.messages.find((message) => message.ready === true || message.failures !== undefined) ?? {};
  }

  /** `ready` resolves once the stack runs, or the interface could not be opened: see {@link opened}. */
  static start(host: Host, options: Partial<GuestOptions> & Pick<GuestOptions, 'binding'>, node = process.execPath): { child: ChildProcess; ready: Promise<Guest> } {
    const argument = JSON.stringify({ interface: 'eth0', ...options });
    const child = host.start([node, '--enable-source-maps', bundle('pcap-guest'), argument], { stdio: ['ignore', 'inherit', 'pipe', 'ipc'] });
    const guest = new Guest(child);
    const ready = guest.until('the guest to start', (message) => message.ready === true || message.failures !== undefined).then(() => guest);
    return { child, ready };
  }

  /** Waits for a message, also one that has come already, from the `from`-th on. */
  until(what: string, fits: (message: GuestMessage) => boolean, from = 0, limitMs = LIMIT_MS): Promise<GuestMessage> {
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void): void => {
        clearTimeout(timer);
        this.wake.delete(look);
        settle();
      };
      const fail = (why: string): void =>
        finish(() => reject(new Error(`waited for ${what}: ${why}. It said ${JSON.stringify(this.messages.slice(-10))} ${this.words}`)));
      const look = (): void => {
        const found = this.messages.slice(from).find(fits);
        if (found) finish(() => resolve(found));
        else if (this.child.exitCode !== null || this.child.signalCode !== null) fail(`the guest ended with ${this.child.signalCode ?? this.child.exitCode}`);
      };
      const timer = setTimeout(() => fail(`nothing for ${limitMs} ms`), limitMs);
      this.wake.add(look);
      look();
    });
  }

  linkChange(change: string, from: number): Promise<GuestMessage> {
    return this.until(`the link to be ${change}`, ({ event }) => event?.type === 'link' && event.change === change, from, 10_000);
  }

  async perform(task: GuestTask): Promise<TaskResult> {
    const id = this.nextId++;
    this.child.send({ id, task });
    return (await this.until(task.do, (message) => message.id === id)).done ?? {};
  }

  async counters(): Promise<{ link: Record<string, number>; stack: Record<string, Record<string, number>> }> {
    return (await this.perform({ do: 'counters' })) as { link: Record<string, number>; stack: Record<string, Record<string, number>> };
  }

  /** Asks again and again until a counter of a layer (`link` is the device's) is at least `least`: no message tells of it. */
  async untilCounter(layer: string, name: string, least: number): Promise<void> {
    const deadline = performance.now() + LIMIT_MS;
    for (;;) {
      const { link, stack } = await this.counters();
      const value = (layer === 'link' ? link : (stack[layer] ?? {}))[name] ?? 0;
      if (value >= least) return;
      if (performance.now() > deadline) throw new Error(`${layer}.${name} is ${value}, not ${least}, after ${LIMIT_MS} ms. It said ${this.words}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** As an embedder ends it: the link is closed. @returns the exit code */
  async stop(): Promise<number | null> {
    if (this.child.exitCode !== null) return this.child.exitCode;
    const ended = once(this.child, 'exit');
    if (this.child.connected) this.child.disconnect();
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 10_000);
    await ended;
    clearTimeout(timer);
    return this.child.exitCode;
  }
}
