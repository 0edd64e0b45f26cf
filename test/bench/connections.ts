/** How many connections a second are opened and closed, for long enough that ports have to be used again. */
import net from 'node:net';
import { createPair, SERVER_ADDRESS } from './support/loopback';
import { StackError, type Stack, type TcpSocket } from '../../stack';
import type { Benchmark } from './support/harness';

const PORT = 5_001;
const SECONDS = 30;
/** The kernel's share: it has the same rate at once, and runs out of ports after a while. */
const KERNEL_SECONDS = 3;

/**
 * Opens connections, `atOnce` at a time, in real time; each carries a byte there and back and is closed by both
 * ends. The client closes first, so that TIME-WAIT is on its side, and ports come back by RFC 6191.
 */
function connections(atOnce: number): () => Promise<number> {
  return () => {
    const { client, server, settle } = createPair();
    const target = new Uint8Array(16);
    server.tcp.listen({ port: PORT }).onAccept = (socket) => {
      const work = (): void => {
        const length = socket.read(target);
        if (length > 0) socket.write(target.subarray(0, length));
        if (socket.peerClosed) socket.close();
      };
      socket.onChange = work;
      work();
    };
    let open = 0;
    let completed = 0;
    let failure: Error | null = null;
    /** @returns whether there was a port: a fast machine uses up all 16 384 within the second that each has to wait */
    const begin = (now: number): boolean => {
      const socket = connect(client, now);
      if (socket === null) return false;
      open++;
      let isClosing = false;
      socket.write(Uint8Array.of(7));
      socket.onChange = () => {
        if (!isClosing && socket.read(target) > 0) {
          isClosing = true;
          socket.close();
        }
        if (socket.isOpen || socket.state === 'SYN-SENT') return;
        failure ??= socket.error;
        socket.onChange = null;
        open--;
        completed++;
      };
      return true;
    };
    const started = performance.now();
    let now = started;
    for (; now < started + SECONDS * 1_000; now = performance.now()) {
      while (open < atOnce && begin(now));
      settle(now);
      if (failure) return Promise.reject(failure);
    }
    const { timeWaitReused, timeWaitEvicted } = client.counters.tcp;
    if (timeWaitReused + timeWaitEvicted === 0) return Promise.reject(new Error('the ports were not used again'));
    return Promise.resolve(completed / ((now - started) / 1_000));
  };
}

function connect(client: Stack, now: number): TcpSocket | null {
  try {
    return client.tcp.connect({ address: SERVER_ADDRESS, port: PORT }, now);
  } catch (error) {
    if (error instanceof StackError && error.code === 'ENOBUFS') return null;
    throw error;
  }
}

/** The same over the kernel's TCP and the loopback interface. */
function kernel(atOnce: number): () => Promise<number> {
  return () =>
    new Promise((resolve, reject) => {
      let completed = 0;
      let open = 0;
      let ended = false;
      const started = performance.now();
      const server = net.createServer({ allowHalfOpen: true }, (socket) => socket.on('error', reject).pipe(socket));
      server.on('error', reject).listen(0, '127.0.0.1', () => {
        const address = server.address();
        if (address === null || typeof address === 'string') throw new Error('a TCP server has an address');
        const begin = (): void => {
          open++;
          const socket = net.connect(address.port, '127.0.0.1');
          socket.on('error', reject).on('data', () => socket.end()).on('close', () => {
            open--;
            completed++;
            next();
          });
          socket.write(Uint8Array.of(7));
        };
        const next = (): void => {
          const seconds = (performance.now() - started) / 1_000;
          if (seconds < KERNEL_SECONDS) {
            while (open < atOnce) begin();
          } else if (!ended) {
            ended = true;
            server.close();
            resolve(completed / seconds);
          }
        };
        next();
      });
    });
}

const TARGET = 'at least 5 000/s for 30 s';

export const benchmarks: readonly Benchmark[] = [
  { name: 'connections/sequential', unit: '/s', run: connections(1), against: { what: 'node:net over loopback', run: kernel(1) }, target: TARGET },
  { name: 'connections/100-at-once', unit: '/s', run: connections(100), against: { what: 'node:net over loopback', run: kernel(100) }, target: TARGET },
];
