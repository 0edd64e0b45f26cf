/**
 * Network namespaces of the test's own: two hosts on one cable (a veth pair), made and removed here. No interface
 * outside of them is touched.
 */
import { spawn, spawnSync, type ChildProcess, type SpawnOptions } from 'node:child_process';
import fs from 'node:fs';

let made = 0;

/** Runs a command to its end. @throws Error with its words */
function run(words: readonly string[], input = ''): string {
  const [command = '', ...args] = words;
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', input });
  if (status !== 0) throw new Error(`${words.join(' ')} failed: ${error?.message ?? stderr}`);
  return stdout;
}

/** What a machine must allow. @throws Error with all that is missing */
export function demandNamespaces(): void {
  const missing: string[] = [];
  if (process.getuid?.() !== 0) missing.push('root, to make network namespaces and to capture: run the tests as root');
  if (spawnSync('ip', ['-V']).status !== 0) missing.push('the program ip (Debian package iproute2)');
  if (missing.length > 0) throw new Error(`These tests need ${missing.join('; and ')}`);
}

/** A new namespace, whose name tells which run it belongs to. */
export function makeNamespace(role: string): Host {
  const host = new Host(`riftnet-${process.pid}-${made++}-${role}`);
  run(['ip', 'netns', 'add', host.name]);
  host.ip('link', 'set', 'lo', 'up');
  return host;
}

/** Runs commands of `ip` in the namespace, in one process. @throws Error with its words */
export function runInBatch(host: Host, commands: readonly string[]): void {
  run(['ip', '-n', host.name, '-batch', '-'], `${commands.join('\n')}\n`);
}

export function removeNamespace(host: Host): void {
  remove(host.name);
}

/** Removes a namespace with what still runs in it. */
function remove(name: string): void {
  const { stdout } = spawnSync('ip', ['netns', 'pids', name], { encoding: 'utf8' });
  for (const pid of (stdout ?? '').split('\n').filter(Boolean)) {
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It has just ended.
    }
  }
  spawnSync('ip', ['netns', 'delete', name], { stdio: 'ignore' });
}

/** Removes what runs that were killed have left: names tell whose they were. */
export function removeStale(): void {
  const { stdout } = spawnSync('ip', ['netns', 'list'], { encoding: 'utf8' });
  for (const [name, pid = ''] of (stdout ?? '').matchAll(/^riftnet-(\d+)-\S+/gm)) {
    if (!fs.existsSync(`/proc/${pid}`)) remove(name);
  }
}

/** One host: a namespace with the interface `eth0`. */
export class Host {
  constructor(readonly name: string) {}

  /** `ip` in the namespace. */
  ip(...words: string[]): string {
    return run(['ip', '-n', this.name, ...words]);
  }

  /** Runs a program in the namespace to its end. @throws Error with its words */
  run(...words: string[]): string {
    return run(['ip', 'netns', 'exec', this.name, ...words]);
  }

  /** Starts a program in the namespace; `ip` becomes it, so that the process is the program's. */
  start(words: readonly string[], options: SpawnOptions): ChildProcess {
    return spawn('ip', ['netns', 'exec', this.name, ...words], options);
  }

  /**
   * Pings until `count` answers have come: on a busy machine one can come later than `ping` waits for the last one.
   * @returns how many questions it has sent @throws Error if too few were answered within ten seconds
   */
  ping(address: string, count: number, ...options: string[]): number {
    const words = this.run('ping', '-c', String(count), '-w', '10', '-i', '0.05', ...options, address);
    return Number(/(\d+) packets transmitted/.exec(words)?.[1]);
  }

  /** Waits until frames pass on the interface. @throws Error if they do not after ten seconds */
  awaitUp(interfaceName = 'eth0'): void {
    const deadline = performance.now() + 10_000;
    while (!/\bstate UP\b/.test(this.ip('link', 'show', interfaceName))) {
      if (performance.now() > deadline) throw new Error(`${interfaceName} of ${this.name} is not up after 10 s: ${this.ip('link', 'show', interfaceName)}`);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    }
  }

  /** An interface's own MAC address, with colons. */
  mac(interfaceName = 'eth0'): string {
    return /link\/ether (\S+)/.exec(this.ip('link', 'show', interfaceName))?.[1] ?? '';
  }

  /** All that lets a sender leave work to its hardware, or a receiver join segments. */
  setOffloads(on: boolean, interfaceName = 'eth0'): void {
    const value = on ? 'on' : 'off';
    this.run('ethtool', '-K', interfaceName, 'tx', value, 'rx', value, 'sg', value, 'tso', value, 'gso', value, 'gro', value);
  }
}

export class Cable {
  private constructor(
    /** Where the stack captures: the kernel has no address there. */
    readonly ours: Host,
    /** The kernel's host, with an address. */
    readonly theirs: Host,
    readonly theirAddress: string,
  ) {}

  static create(theirAddress = '10.77.0.1'): Cable {
    const cable = new Cable(makeNamespace('ours'), makeNamespace('theirs'), theirAddress);
    try {
      cable.plug();
    } catch (error) {
      cable.remove();
      throw error;
    }
    return cable;
  }

  /** Makes the pair; also anew, once it was deleted. */
  plug(): void {
    const { ours, theirs } = this;
    ours.ip('link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', theirs.name);
    for (const host of [ours, theirs]) host.run('sysctl', '-qw', 'net.ipv6.conf.eth0.disable_ipv6=1');
    theirs.ip('address', 'add', `${this.theirAddress}/24`, 'dev', 'eth0');
    for (const host of [ours, theirs]) host.ip('link', 'set', 'eth0', 'up');
    // Until the kernel's linkwatch has seen the carrier, up to a second later, it may drop what is sent.
    for (const host of [ours, theirs]) host.awaitUp();
  }

  /** Also after a failure half-way. The pair goes with its namespaces. */
  remove(): void {
    for (const host of [this.ours, this.theirs]) remove(host.name);
  }
}
