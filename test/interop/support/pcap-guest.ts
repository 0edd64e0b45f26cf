/** Runs in a namespace: one Stack on a captured interface, that does what its parent's messages say. */
import { createHash, randomFillSync } from 'node:crypto';
import {
  CryptoRandom, formatIpv4, openPcap, parseIpv4, runStack, Stack, SystemClock, type PcapBinding, type TcpSocket,
} from '../../../stack';

export interface GuestOptions {
  readonly binding: PcapBinding | 'auto';
  readonly interface: string;
  /** Absent: by DHCP. */
  readonly address?: string;
  readonly kernelBufferBytes?: number;
  readonly queueBytes?: number;
}

export type GuestTask =
  /** Sends random bytes to an echo server, and compares what comes back. */
  | { readonly do: 'echo'; readonly address: string; readonly port: number; readonly bytes: number }
  /** Echoes whatever arrives on connections to the port. */
  | { readonly do: 'serve'; readonly port: number }
  | { readonly do: 'bind-udp'; readonly port: number }
  | { readonly do: 'counters' }
  /** Occupies the process, so that nothing is taken from the link. */
  | { readonly do: 'stall'; readonly ms: number }
  /** How late a timer of 10 ms came at worst, within that time. */
  | { readonly do: 'lag'; readonly ms: number };

const options: GuestOptions = JSON.parse(process.argv[2] ?? '{}');
const clock = new SystemClock();

function ipv4(text: string): number {
  const address = parseIpv4(text);
  if (address === null) throw new Error(`${text} is no IPv4 address`);
  return address;
}

const tell = (message: object): void => void process.send?.(message);

function echo(stack: Stack, address: string, port: number, bytes: number): Promise<object> {
  const data = randomFillSync(Buffer.alloc(bytes));
  const started = performance.now();
  const hash = createHash('sha256');
  const socket = stack.tcp.connect({ address: ipv4(address), port }, clock.now());
  const target = new Uint8Array(1 << 18);
  let sent = 0;
  let received = 0;
  return new Promise((resolve) => {
    const finish = (result: object): void => {
      socket.onChange = null;
      resolve(result);
    };
    socket.onChange = () => {
      while (sent < bytes && socket.writableBytes > 0) sent += socket.write(data.subarray(sent));
      if (sent === bytes) socket.close();
      for (let length = socket.read(target); length > 0; length = socket.read(target)) {
        received += length;
        hash.update(target.subarray(0, length));
      }
      if (socket.error) finish({ sent, received, error: socket.error.code, message: socket.error.message });
      else if (socket.peerClosed && socket.readableBytes === 0) {
        const intact = hash.digest('hex') === createHash('sha256').update(data).digest('hex');
        finish({ sent, received, intact, ms: performance.now() - started });
      }
    };
  });
}

function serve(socket: TcpSocket): void {
  const buffer = new Uint8Array(1 << 18);
  socket.onChange = () => {
    for (;;) {
      const length = socket.read(buffer.subarray(0, Math.min(buffer.length, socket.writableBytes)));
      if (length === 0) break;
      socket.write(buffer.subarray(0, length));
    }
    if (socket.peerClosed && socket.readableBytes === 0) socket.close();
  };
}

function lag(ms: number): Promise<object> {
  return new Promise((resolve) => {
    const end = performance.now() + ms;
    let worst = 0;
    let due = performance.now() + 10;
    const tick = (): void => {
      const now = performance.now();
      worst = Math.max(worst, now - due);
      if (now >= end) return resolve({ worst, rss: process.memoryUsage.rss() });
      due = now + 10;
      setTimeout(tick, 10);
    };
    setTimeout(tick, 10);
  });
}

function perform(stack: Stack, task: GuestTask): object | Promise<object> {
  switch (task.do) {
    case 'echo':
      return echo(stack, task.address, task.port, task.bytes);
    case 'serve':
      stack.tcp.listen({ port: task.port }).onAccept = serve;
      return {};
    case 'bind-udp': {
      const socket = stack.udp.bind({ port: task.port });
      socket.onChange = () => {
        while (socket.receive());
      };
      return {};
    }
    case 'counters':
      return { link: stack.linkCounters, stack: stack.counters };
    case 'stall': {
      const end = performance.now() + task.ms;
      while (performance.now() < end);
      return {};
    }
    case 'lag':
      return lag(task.ms);
  }
}

function main(): void {
  const { binding, kernelBufferBytes, queueBytes } = options;
  const result = openPcap({
    interface: options.interface, binding, clock, mac: Uint8Array.of(0x02, 0x52, 0x4e, 0, 0, 7),
    ...(kernelBufferBytes !== undefined && { kernelBufferBytes }),
    ...(queueBytes !== undefined && { queueBytes }),
  });
  if (result.device === null) {
    tell({ failures: result.failures });
    process.disconnect();
    return;
  }
  const stack = new Stack({
    device: result.device, random: new CryptoRandom(),
    address: options.address === undefined ? { mode: 'dhcp' } : { mode: 'static', address: ipv4(options.address), prefixLength: 24 },
    observer: (event) => {
      if (event.type !== 'tcp-state') tell({ event });
    },
  });
  stack.onAddress = () => {
    const info = stack.addressInfo;
    tell({ address: info && formatIpv4(info.address) });
  };
  const running = runStack(stack, clock);
  process.on('message', (message: { id: number; task: GuestTask }) => {
    void Promise.resolve(perform(stack, message.task)).then((done) => tell({ id: message.id, done }));
  });
  process.once('disconnect', () => {
    stack.close(clock.now());
    running.stop();
  });
  tell({ ready: true, binding: result.device.binding, warnings: result.warnings });
}

main();
