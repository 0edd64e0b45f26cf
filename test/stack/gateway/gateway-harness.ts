/** A guest on a gateway, on the system's clock, with servers of the operating system's on 127.0.0.1. */
import { createHash } from 'node:crypto';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { SystemClock } from '../../../stack/clock';
import type { PartialStackConfig } from '../../../stack/config';
import { Gateway, type GatewaySystem } from '../../../stack/gateway/gateway';
import type { GatewayConfig } from '../../../stack/gateway/gateway-config';
import type { NetworkInterfaces } from '../../../stack/gateway/host-address';
import { SeededRandom } from '../../../stack/random';
import { runStack } from '../../../stack/run-stack';
import { Stack } from '../../../stack/stack';
import type { TcpSocket } from '../../../stack/tcp/types';

/** Resolves once `done()` holds; fails with `what` after the limit, which is below mocha's own, so that the message is seen. */
export async function until(done: () => boolean, what: string | (() => string), limitMs = 8_000): Promise<void> {
  const end = performance.now() + limitMs;
  while (!done()) {
    if (performance.now() > end) throw new Error(`not within ${limitMs} ms: ${typeof what === 'string' ? what : what()}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** A computer with one interface of its own. */
export const INTERFACES: NetworkInterfaces = {
  lo: [{ address: '127.0.0.1', netmask: '255.0.0.0', family: 'IPv4', mac: '00:00:00:00:00:00', internal: true, cidr: '127.0.0.1/8' }],
  eth0: [{ address: '198.51.100.7', netmask: '255.255.255.0', family: 'IPv4', mac: '02:00:00:00:00:07', internal: false, cidr: '198.51.100.7/24' }],
};

export interface NetworkOptions {
  readonly config?: Partial<GatewayConfig>;
  readonly system?: Partial<GatewaySystem>;
  /** For both stacks. */
  readonly stackConfig?: PartialStackConfig;
}

export class Network {
  readonly clock = new SystemClock();
  readonly warnings: string[] = [];
  readonly gateway: Gateway;
  readonly guest: Stack;
  private readonly runner: { stop(): void };
  private readonly closers: (() => void)[] = [];

  private constructor(options: NetworkOptions) {
    const { clock } = this;
    this.gateway = new Gateway({
      clock,
      random: new SeededRandom(1),
      config: { hostAddress: '127.0.0.1', ...options.config },
      system: { networkInterfaces: () => INTERFACES, ...options.system },
      ...(options.stackConfig && { stackConfig: options.stackConfig }),
      observer: (event) => {
        if (event.type === 'warning') this.warnings.push(event.message);
      },
    });
    this.guest = new Stack({
      device: this.gateway.device, random: new SeededRandom(2), address: { mode: 'dhcp' }, ...(options.stackConfig && { config: options.stackConfig }),
    });
    this.runner = runStack(this.guest, clock);
  }

  /** A network whose guest has its address. */
  static async open(options: NetworkOptions = {}): Promise<Network> {
    const network = new Network(options);
    await until(() => network.guest.addressInfo !== null, 'an address by DHCP');
    return network;
  }

  get counters() {
    return this.gateway.stack.counters.gateway;
  }

  /** A server on 127.0.0.1. @returns its port */
  async serve(handler: (socket: Socket) => void): Promise<number> {
    const sockets = new Set<Socket>();
    const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => sockets.delete(socket));
      handler(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.closers.push(() => {
      server.close();
      for (const socket of sockets) socket.destroy();
    });
    return (server.address() as AddressInfo).port;
  }

  connect(port: number, address = this.gateway.hostAddressInside): Guest {
    return new Guest(this.guest.tcp.connect({ address, port }, this.clock.now()));
  }

  onClose(close: () => void): void {
    this.closers.push(close);
  }

  close(): void {
    this.runner.stop();
    this.guest.close(this.clock.now());
    this.gateway.close();
    for (const close of this.closers) close();
  }
}

/** The guest's end of a connection: keeps what comes in, as fast as it is told to read. */
export class Guest {
  received = 0;
  /** Whether bytes are read as they come. */
  reading = true;
  readonly hash = createHash('sha256');
  private readonly kept: Buffer[] = [];
  private readonly buffer = new Uint8Array(64 << 10);
  private toWrite: Uint8Array | null = null;
  private closing = false;

  constructor(readonly socket: TcpSocket) {
    socket.onChange = () => this.changed();
  }

  get text(): string {
    return Buffer.concat(this.kept).toString();
  }

  /** Everything has come, and the end. */
  get ended(): boolean {
    return this.socket.peerClosed && this.socket.readableBytes === 0;
  }

  /** Queues everything, as there is room. */
  write(data: Uint8Array | string, close = false): void {
    this.toWrite = typeof data === 'string' ? Buffer.from(data) : data;
    this.closing = close;
    this.push();
  }

  /** @returns how many bytes there were */
  readSome(): number {
    const count = this.socket.read(this.buffer);
    const bytes = this.buffer.subarray(0, count);
    this.hash.update(bytes);
    this.received += count;
    if (this.received < 1 << 20) this.kept.push(Buffer.from(bytes));
    return count;
  }

  private changed(): void {
    while (this.reading && this.readSome() > 0);
    this.push();
  }

  private push(): void {
    if (!this.toWrite) return;
    this.toWrite = this.toWrite.subarray(this.socket.write(this.toWrite));
    if (this.toWrite.length > 0) return;
    this.toWrite = null;
    if (this.closing) this.socket.close();
  }
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
