/** A cable with the kernel on one end and the stack, in a process of its own, on the other. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { Cable, demandNamespaces, removeStale, type Host } from './namespaces';
import type { GuestOptions, GuestTask } from './pcap-guest';

export const OUR_ADDRESS = '10.77.0.2';
const LIMIT_MS = 60_000;

/** What the guest has told, in order. */
export interface GuestMessage {
  readonly ready?: boolean;
  readonly binding?: string;
  readonly warnings?: readonly string[];
  readonly failures?: readonly { readonly binding: string; readonly reason: string }[];
  readonly address?: string | null;
  readonly event?: { readonly type: string; readonly change?: string; readonly message?: string };
  readonly id?: number;
  readonly done?: Readonly<Record<string, unknown>>;
}

const bundle = (name: string): string => path.resolve('dist/test/interop/support', `${name}.js`);

/** Bundles what runs in the namespaces. */
export async function prepare(): Promise<void> {
  demandNamespaces();
  removeStale();
  const { buildTests } = createRequire(path.resolve('package.json'))('./esbuild.js') as { buildTests(files: readonly string[]): Promise<void> };
  await buildTests(['test/interop/support/pcap-guest.ts', 'test/interop/support/kernel-peer.ts']);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
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

  /** @returns once the stack runs, or the interface could not be opened: see `opened`. */
  static async start(host: Host, options: Partial<GuestOptions> & Pick<GuestOptions, 'binding'>): Promise<Guest> {
    const argument = JSON.stringify({ interface: 'eth0', ...options });
    const guest = new Guest(host.start([process.execPath, '--enable-source-maps', bundle('pcap-guest'), argument], { stdio: ['ignore', 'inherit', 'pipe', 'ipc'] }));
    await guest.until('the guest to start', (message) => message.ready === true || message.failures !== undefined);
    return guest;
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

  async perform(task: GuestTask): Promise<Readonly<Record<string, unknown>>> {
    const id = this.nextId++;
    this.child.send({ id, task });
    return (await this.until(task.do, (message) => message.id === id)).done ?? {};
  }

  async counters(): Promise<{ link: Record<string, number>; stack: Record<string, Record<string, number>> }> {
    return (await this.perform({ do: 'counters' })) as { link: Record<string, number>; stack: Record<string, Record<string, number>> };
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

export class PcapHosts {
  readonly cable = Cable.create();
  private readonly children: ChildProcess[] = [];

  get ours(): Host {
    return this.cable.ours;
  }

  get theirs(): Host {
    return this.cable.theirs;
  }

  async guest(options: Partial<GuestOptions> & Pick<GuestOptions, 'binding'>): Promise<Guest> {
    const guest = await Guest.start(this.ours, { address: OUR_ADDRESS, ...options });
    this.children.push(guest.child);
    return guest;
  }

  async guestByDhcp(binding: GuestOptions['binding']): Promise<Guest> {
    const guest = await Guest.start(this.ours, { binding });
    this.children.push(guest.child);
    return guest;
  }

  /** A kernel's role of `kernel-peer` that goes on. Resolves with its first line. */
  async peer(...words: string[]): Promise<string> {
    return this.program(this.theirs, [process.execPath, bundle('kernel-peer'), ...words]);
  }

  /** Starts a program. Resolves with its first line of output. */
  async program(host: Host, words: readonly string[]): Promise<string> {
    const child = host.start(words, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.children.push(child);
    let output = '';
    child.stdout?.setEncoding('utf8');
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${words.join(' ')} said nothing for ${LIMIT_MS} ms`)), LIMIT_MS);
      child.stdout?.on('data', (chunk: string) => {
        output += chunk;
        if (!output.includes('\n')) return;
        clearTimeout(timer);
        resolve(output.slice(0, output.indexOf('\n')));
      });
      child.on('exit', (code) => {
        clearTimeout(timer);
        reject(new Error(`${words.join(' ')} ended with ${code}: ${output}`));
      });
    });
  }

  /** BusyBox's udhcpd on the kernel's host, leasing one address. @returns its configuration's folder's remover */
  startDhcpServer(folder: string): void {
    const config = path.join(folder, 'udhcpd.conf');
    const lines = [
      'start 10.77.0.50', 'end 10.77.0.50', 'interface eth0', `lease_file ${folder}/leases`, `pidfile ${folder}/pid`,
      'opt subnet 255.255.255.0', `opt router ${this.cable.theirAddress}`, `opt dns ${this.cable.theirAddress}`, 'opt lease 120',
    ];
    fs.writeFileSync(config, `${lines.join('\n')}\n`);
    fs.writeFileSync(path.join(folder, 'leases'), '');
    this.children.push(this.theirs.start(['udhcpd', '-f', '-a', '50', config], { stdio: 'ignore' }));
  }

  /** Ends every process, then removes the namespaces. */
  async remove(): Promise<void> {
    await Promise.all(this.children.map(end));
    this.cable.remove();
  }
}
