/** TCP alone: no process boundary, no operating system. */
import net from 'node:net';
import { createCable, CryptoRandom, parseIpv4, runStack, Stack, SystemClock, type Device } from '../../stack';
import type { Benchmark } from './support/harness';

const WARM_UP_BYTES = 128 << 20;
const BYTES = 1 << 30;
const PORT = 5_001;

/** What is sent, over and over; the receiver checks samples of it, so that speed without truth does not count. */
const PATTERN = Uint8Array.from({ length: 1 << 20 }, (_, i) => (i * 31 + (i >>> 8)) & 0xff);

/** Counts what arrives, and tells the rate of all bytes after the warm-up. */
class Meter {
  private received = 0;
  private startedAt = 0;

  /** @returns Gbit/s once everything has arrived, else null */
  take(chunk: Uint8Array): number | null {
    if (chunk[0] !== PATTERN[this.received % PATTERN.length]) throw new Error(`wrong byte at ${this.received}`);
    this.received += chunk.length;
    if (this.startedAt === 0 && this.received >= WARM_UP_BYTES) {
      this.startedAt = performance.now();
      this.received -= WARM_UP_BYTES;
    }
    if (this.startedAt === 0 || this.received < BYTES) return null;
    return (this.received * 8) / (performance.now() - this.startedAt) / 1e6;
  }
}

function makeStack(device: Device, address: string): Stack {
  const parsed = parseIpv4(address);
  if (parsed === null) throw new Error(`${address} is no IPv4 address`);
  return new Stack({ device, random: new CryptoRandom(), address: { mode: 'static', address: parsed, prefixLength: 24 } });
}

function inProcess(): Promise<number> {
  const [left, right] = createCable({ mtu: 1_500 });
  const sender = makeStack(left, '10.0.0.1');
  const receiver = makeStack(right, '10.0.0.2');
  const clock = new SystemClock();
  const runs = [runStack(sender, clock), runStack(receiver, clock)];

  return new Promise((resolve, reject) => {
    const target = new Uint8Array(1 << 18);
    const meter = new Meter();
    const done = (settle: () => void): void => {
      for (const run of runs) run.stop();
      settle();
    };
    receiver.tcp.listen({ port: PORT }).onAccept = (socket) => {
      socket.onChange = () => {
        if (socket.error) return done(() => reject(socket.error));
        for (let length = socket.read(target); length > 0; length = socket.read(target)) {
          const rate = meter.take(target.subarray(0, length));
          if (rate !== null) return done(() => resolve(rate));
        }
      };
    };
    const address = receiver.addressInfo?.address;
    if (address === undefined) throw new Error('a static address is there at once');
    const socket = sender.tcp.connect({ address, port: PORT }, clock.now());
    let offset = 0;
    socket.onChange = () => {
      if (socket.error) return done(() => reject(socket.error));
      while (socket.isOpen && socket.writableBytes > 0) offset = (offset + socket.write(PATTERN.subarray(offset))) % PATTERN.length;
    };
  });
}

/** The same transfer over the kernel's TCP and the loopback interface, both ends in one process too. */
function kernel(): Promise<number> {
  return new Promise((resolve, reject) => {
    const meter = new Meter();
    const server = net.createServer((socket) => {
      socket.on('error', reject).on('data', (chunk) => {
        const rate = meter.take(chunk);
        if (rate === null) return;
        socket.destroy();
        server.close();
        resolve(rate);
      });
    });
    server.on('error', reject).listen(0, '127.0.0.1', () => {
      const address = server.address();
      if (address === null || typeof address === 'string') throw new Error('a TCP server has an address');
      const client = net.connect(address.port, '127.0.0.1');
      // The meter's end resets it, as ours does.
      client.on('error', () => client.destroy());
      const send = (): void => {
        while (!client.destroyed && client.write(PATTERN));
      };
      client.on('connect', send).on('drain', send);
    });
  });
}

export const benchmarks: readonly Benchmark[] = [
  {
    name: 'tcp/in-process',
    unit: 'Gbit/s',
    run: inProcess,
    against: { what: 'node:net over loopback', run: kernel },
    target: 'at least 5 Gbit/s',
  },
];
