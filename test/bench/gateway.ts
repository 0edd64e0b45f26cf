/**
 * The embedded gateway alone: the guest's stack and the gateway in this process, the server one of the operating
 * system's in another, beside `node:net` in place of the gateway.
 */
import { once } from 'node:events';
import net from 'node:net';
import path from 'node:path';
import { CryptoRandom, Gateway, runStack, Stack, SystemClock, type Ipv4Address, type TcpSocket } from '../../stack';
import type { Benchmark } from './support/harness';
import { startServer } from './support/product';
import { PATTERN_BYTES, patternAt } from './support/script-server';

type Direction = 'download' | 'upload';

const WARM_UP_BYTES = 128 << 20;
const BYTES = 1 << 30;
const PATTERN = Buffer.from(Array.from({ length: PATTERN_BYTES }, (_, i) => patternAt(i)));

/** Counts what the client receives, checking samples of it. */
class Meter {
  private received = 0;
  private startedAt = 0;

  /** @param first the first of `length` bytes @returns Gbit/s once everything has arrived, else null */
  take(first: number | undefined, length: number): number | null {
    if (first !== patternAt(this.received)) throw new Error(`wrong byte at ${this.received}`);
    this.received += length;
    if (this.startedAt === 0 && this.received >= WARM_UP_BYTES) [this.startedAt, this.received] = [performance.now(), this.received - WARM_UP_BYTES];
    return this.startedAt === 0 || this.received < BYTES ? null : (this.received * 8) / (performance.now() - this.startedAt) / 1e6;
  }
}

/** `measure` gets the server's port. An upload is measured by the server, which has received it. */
async function withServer(direction: Direction, measure: (port: number) => Promise<number> | void): Promise<number> {
  const server = await startServer(path.join(__dirname, 'support', 'script-server.js'), direction === 'download' ? 'stream' : 'sink');
  try {
    const measured = measure(server.port);
    if (measured !== undefined) return await measured;
    const [rate]: unknown[] = await once(server.child, 'message');
    if (typeof rate !== 'number') throw new Error('the server told no rate');
    return rate;
  } finally {
    server.child.kill('SIGKILL');
  }
}

/** A stack behind a gateway, once it has an address. */
function attach(): Promise<{ readonly connect: (port: number) => TcpSocket; readonly close: () => void }> {
  const clock = new SystemClock();
  const random = new CryptoRandom();
  const gateway = new Gateway({ clock, random, config: { hostAddress: '127.0.0.1' } });
  const stack = new Stack({ device: gateway.device, random, address: { mode: 'dhcp' } });
  const runner = runStack(stack, clock);
  const address: Ipv4Address = gateway.hostAddressInside;
  const close = (): void => {
    runner.stop();
    gateway.close();
  };
  return new Promise((resolve) => {
    stack.onAddress = () => {
      stack.onAddress = null;
      resolve({ connect: (port) => stack.tcp.connect({ address, port }, clock.now()), close });
    };
  });
}

function throughGateway(direction: Direction): Promise<number> {
  return withServer(direction, direction === 'download' ? download : (port) => void upload(port));
}

async function download(port: number): Promise<number> {
  const { connect, close } = await attach();
  const socket = connect(port);
  const target = new Uint8Array(1 << 18);
  const meter = new Meter();
  return new Promise((resolve, reject) => {
    socket.onChange = () => {
      if (socket.error) return reject(socket.error);
      for (let length = socket.read(target); length > 0; length = socket.read(target)) {
        const rate = meter.take(target[0], length);
        if (rate === null) continue;
        socket.onChange = null;
        close();
        return resolve(rate);
      }
    };
  });
}

async function upload(port: number): Promise<void> {
  const socket = (await attach()).connect(port);
  let offset = 0;
  socket.onChange = () => {
    if (socket.error) throw socket.error;
    while (socket.isOpen && socket.writableBytes > 0) offset = (offset + socket.write(PATTERN.subarray(offset))) % PATTERN.length;
  };
}

function throughKernel(direction: Direction): Promise<number> {
  return withServer(direction, (port) => {
    const socket = net.connect(port, '127.0.0.1');
    if (direction === 'upload') {
      const send = (): void => {
        while (!socket.destroyed && socket.write(PATTERN));
      };
      return void socket.on('error', () => socket.destroy()).on('connect', send).on('drain', send);
    }
    const meter = new Meter();
    return new Promise<number>((resolve, reject) => {
      socket.on('error', reject).on('data', (chunk: Buffer) => {
        const rate = meter.take(chunk[0], chunk.length);
        if (rate === null) return;
        socket.destroy();
        resolve(rate);
      });
    });
  });
}

export const benchmarks: readonly Benchmark[] = (['download', 'upload'] as const).map((direction) => ({
  name: `gateway/${direction}`,
  unit: 'Gbit/s',
  run: () => throughGateway(direction),
  against: { what: 'node:net over loopback', run: () => throughKernel(direction) },
  target: 'at least 3 Gbit/s',
}));
