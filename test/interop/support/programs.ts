/** Programs that a test starts in its namespaces, ended together with it. */
import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { bundle, Guest } from './guest';
import type { Host } from './namespaces';
import type { GuestOptions } from './pcap-guest';
import { Program } from './program';
import { WireCapture } from './wire-capture';

/** All programs of one test. */
export class Programs {
  private readonly started: Program[] = [];

  /** Starts a program in a host's namespace. */
  start(host: Host, words: readonly string[], options: SpawnOptions = {}): Program {
    return this.keep(host.start(words, { stdio: ['ignore', 'pipe', 'pipe'], ...options }), words.join(' '));
  }

  /** Starts a program in the test's own namespace. */
  startHere(words: readonly string[], options: SpawnOptions = {}): Program {
    const [command = '', ...args] = words;
    return this.keep(spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options }), words.join(' '));
  }

  /** Starts a stack on the host's interface: see `pcap-guest.ts`. */
  async guest(host: Host, options: Partial<GuestOptions> & Pick<GuestOptions, 'binding'>, node?: string): Promise<Guest> {
    const { child, ready } = Guest.start(host, options, node);
    this.keep(child, 'the stack');
    return ready;
  }

  /** Starts to capture all that passes a host's interface, once it is ready. */
  async capture(host: Host, interfaceName: string, file: string): Promise<WireCapture> {
    const program = this.tool(host, 'capture', interfaceName, file);
    await program.line();
    return new WireCapture(program, file);
  }

  /** Starts a role of `kernel-peer.ts`. */
  peer(host: Host, ...words: string[]): Program {
    return this.start(host, [process.execPath, bundle('kernel-peer'), ...words]);
  }

  /** Starts a role of `wire-tool.ts`. */
  tool(host: Host, ...words: string[]): Program {
    return this.start(host, [process.execPath, bundle('wire-tool'), ...words]);
  }

  private keep(child: ChildProcess, name: string): Program {
    const program = new Program(child, name);
    this.started.push(program);
    return program;
  }

  async end(): Promise<void> {
    await Promise.all(this.started.splice(0).map((program) => program.stop('SIGKILL')));
  }
}
