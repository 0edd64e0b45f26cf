/** What the stack in a namespace can be told to do by the test, which is another process. */
import { createHash, randomFillSync } from 'node:crypto';
import { formatIpv4, parseIpv4, StackError, SystemClock, type Stack, type TcpSocket } from '../../../stack';

export type GuestTask =
  /** Sends random bytes to an echo server, and compares what comes back. */
  | { readonly do: 'echo'; readonly address: string; readonly port: number; readonly bytes: number }
  /** Connects, and closes at once. */
  | { readonly do: 'connect'; readonly address: string; readonly port: number }
  /** Has a byte echoed again and again on one connection, for so long. */
  | { readonly do: 'connect-and-hold'; readonly address: string; readonly port: number; readonly ms: number }
  /** Echoes whatever arrives on connections to the port. */
  | { readonly do: 'serve'; readonly port: number }
  /** Takes datagrams and drops them. */
  | { readonly do: 'bind-udp'; readonly port: number }
  /** Echoes datagrams. */
  | { readonly do: 'serve-udp'; readonly port: number }
  /** Sends a datagram of random bytes to an echo server, and compares what comes back. */
  | { readonly do: 'echo-udp'; readonly address: string; readonly port: number; readonly bytes: number }
  | { readonly do: 'resolve'; readonly name: string }
  | { readonly do: 'counters' }
  | { readonly do: 'sockets' }
  /** Occupies the process, so that nothing is taken from the link. */
  | { readonly do: 'stall'; readonly ms: number }
  /** How late a timer of 10 ms came at worst, within that time. */
  | { readonly do: 'lag'; readonly ms: number };

export type TaskResult = Readonly<Record<string, unknown>>;

export const clock = new SystemClock();

/** A lost datagram is the test's affair; this only keeps it from waiting for ever. */
const UDP_LIMIT_MS = 10_000;

/** @throws Error for what is no address */
export function ipv4(text: string): number {
  const address = parseIpv4(text);
  if (address === null) throw new Error(`${text} is no IPv4 address`);
  return address;
}

function digest(data: Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

function echo(stack: Stack, address: string, port: number, bytes: number): Promise<TaskResult> {
  const data = randomFillSync(Buffer.alloc(bytes));
  const started = performance.now();
  const hash = createHash('sha256');
  const socket = stack.tcp.connect({ address: ipv4(address), port }, clock.now());
  const target = new Uint8Array(1 << 18);
  let sent = 0;
  let received = 0;
  return new Promise((resolve) => {
    const finish = (result: TaskResult): void => {
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
        const ms = performance.now() - started;
        // Not here: the acknowledgement of the peer's FIN waits until this returns.
        setImmediate(() => finish({ sent, received, intact: hash.digest('hex') === digest(data), ms }));
        socket.onChange = null;
      }
    };
  });
}

function connect(stack: Stack, address: string, port: number): Promise<TaskResult> {
  const started = performance.now();
  const socket = stack.tcp.connect({ address: ipv4(address), port }, clock.now());
  return new Promise((resolve) => {
    const finish = (result: TaskResult): void => {
      socket.onChange = null;
      resolve({ ...result, ms: performance.now() - started });
    };
    socket.onChange = () => {
      if (socket.error) finish({ error: socket.error.code, message: socket.error.message });
      else if (socket.isOpen) {
        const { mss, receiveMss } = socket.snapshot();
        socket.close();
        finish({ connected: true, mss, receiveMss });
      }
    };
  });
}

function connectAndHold(stack: Stack, address: string, port: number, ms: number): Promise<TaskResult> {
  const end = performance.now() + ms;
  const socket = stack.tcp.connect({ address: ipv4(address), port }, clock.now());
  const target = new Uint8Array(1);
  let opened = false;
  return new Promise((resolve) => {
    const finish = (result: TaskResult): void => {
      socket.onChange = null;
      resolve(result);
    };
    socket.onChange = () => {
      if (socket.error) return finish({ error: socket.error.code, message: socket.error.message });
      if (!opened && socket.isOpen) {
        opened = true;
        socket.write(target);
        return;
      }
      if (socket.read(target) === 0) return;
      if (performance.now() > end) {
        socket.close();
        return finish({ alive: true });
      }
      clock.at(clock.now() + 100, () => void socket.write(target));
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

function echoUdp(stack: Stack, address: string, port: number, bytes: number): Promise<TaskResult> {
  const data = randomFillSync(Buffer.alloc(bytes));
  const socket = stack.udp.bind();
  return new Promise((resolve) => {
    const finish = (result: TaskResult): void => {
      timer.cancel();
      socket.close();
      resolve(result);
    };
    const timer = clock.at(clock.now() + UDP_LIMIT_MS, () => finish({ error: 'timeout' }));
    socket.onChange = () => {
      const error = socket.takeError();
      const datagram = socket.receive();
      if (datagram) finish({ received: datagram.data.length, intact: digest(datagram.data) === digest(data), source: formatIpv4(datagram.source) });
      else if (error) finish({ error: error.error.code, message: error.error.message });
    };
    const sent = socket.send(ipv4(address), port, data);
    if (sent !== 'sent') finish({ error: sent });
  });
}

function lag(ms: number): Promise<TaskResult> {
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

function serveUdp(stack: Stack, port: number): TaskResult {
  const socket = stack.udp.bind({ port });
  socket.onChange = () => {
    for (let datagram = socket.receive(); datagram; datagram = socket.receive()) socket.send(datagram.source, datagram.sourcePort, datagram.data);
  };
  return {};
}

function bindUdp(stack: Stack, port: number): TaskResult {
  const socket = stack.udp.bind({ port });
  socket.onChange = () => {
    while (socket.receive());
  };
  return {};
}

function resolveName(stack: Stack, name: string): Promise<TaskResult> {
  const started = performance.now();
  return new Promise((resolve) => {
    stack.dns.resolve(name, clock.now(), (result) => {
      const ms = performance.now() - started;
      if ('error' in result) resolve({ error: result.error.code, message: result.error.message, ms });
      else resolve({ addresses: result.addresses.map(formatIpv4), ms });
    });
  });
}

/** What a call of the stack's refuses at once is a result like another. */
export function attempt(stack: Stack, task: GuestTask): TaskResult | Promise<TaskResult> {
  try {
    return perform(stack, task);
  } catch (error) {
    if (!(error instanceof StackError)) throw error;
    return { error: error.code, message: error.message };
  }
}

function perform(stack: Stack, task: GuestTask): TaskResult | Promise<TaskResult> {
  switch (task.do) {
    case 'echo':
      return echo(stack, task.address, task.port, task.bytes);
    case 'connect':
      return connect(stack, task.address, task.port);
    case 'connect-and-hold':
      return connectAndHold(stack, task.address, task.port, task.ms);
    case 'serve':
      stack.tcp.listen({ port: task.port }).onAccept = serve;
      return {};
    case 'bind-udp':
      return bindUdp(stack, task.port);
    case 'serve-udp':
      return serveUdp(stack, task.port);
    case 'echo-udp':
      return echoUdp(stack, task.address, task.port, task.bytes);
    case 'resolve':
      return resolveName(stack, task.name);
    case 'counters':
      return { link: stack.linkCounters, stack: stack.counters };
    case 'sockets':
      return { sockets: [...stack.tcp.sockets].map((socket) => ({ ...socket.snapshot(), error: null })) };
    case 'stall': {
      const end = performance.now() + task.ms;
      while (performance.now() < end);
      return {};
    }
    case 'lag':
      return lag(task.ms);
  }
}
