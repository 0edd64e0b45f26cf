/** A UDP socket of the operating system that is connected to one address, as the gateway's relays use it. */
import { createSocket } from 'node:dgram';

/** Datagrams that wait for the socket to be ready, and, later, for the system to take them. More are lost, as UDP may. */
const MAX_WAITING = 64;
const MAX_WAITING_BYTES = 1 << 20;

export interface OutsideUdp {
  /** @returns false if the datagram was dropped: too many wait, or the socket is closed */
  send(data: Uint8Array): boolean;
  /** Idempotent; no handler is called afterwards. */
  close(): void;
}

/** None is called before {@link openUdp} or `send` has returned. */
export interface OutsideUdpHandlers {
  /** @param data the receiver's own */
  readonly message: (data: Uint8Array) => void;
  /** @param code the system's name of the error: ECONNREFUSED where ICMP said that nobody has the port. It may go on. */
  readonly error: (code: string) => void;
  /**
   * The system gives no socket, or knows no way: this one is closed.
   * @param code the system's name of the error @param lost datagrams that waited
   */
  readonly failed: (code: string, lost: number) => void;
}

/**
 * Only datagrams from the address itself are received: the system sees to that for a connected socket, and
 * tells what ICMP says about what was sent. The local port is the system's random choice.
 */
export function openUdp(target: { readonly address: string; readonly port: number; readonly family: 4 | 6 }, handlers: OutsideUdpHandlers): OutsideUdp {
  const { address, port, family } = target;
  // The address is numeric: no lookup, which could read the hosts file.
  const socket = createSocket({ type: family === 6 ? 'udp6' : 'udp4', lookup: (host, _options, done) => done(null, host, family) });
  /** null once the socket is ready. */
  let waiting: Uint8Array[] | null = [];
  let waitingBytes = 0;
  let closed = false;

  const close = (): void => {
    if (closed) return;
    closed = true;
    waiting = null;
    socket.close();
  };
  // Node tells some errors, such as one of its bind, before the call that leads to them has returned.
  const onError = (error: NodeJS.ErrnoException | null): void => {
    if (error) process.nextTick(tell, error.code ?? 'EIO');
  };
  const tell = (code: string): void => {
    if (closed) return;
    if (waiting === null) return handlers.error(code);
    const lost = waiting.length;
    close();
    handlers.failed(code, lost);
  };
  const transmit = (data: Uint8Array): void => {
    try {
      socket.send(data, onError);
    } catch (error) {
      // An embedder may have closed the handle under us: as good as lost.
      onError(error instanceof Error ? error : new Error(String(error)));
    }
  };

  socket.on('error', onError);
  socket.on('message', (data) => {
    if (!closed) handlers.message(data);
  });
  socket.connect(port, address, (error?: Error) => {
    if (closed) return;
    if (error) return onError(error);
    const ready = waiting ?? [];
    waiting = null;
    for (const data of ready) transmit(data);
  });

  return {
    send(data) {
      if (closed) return false;
      if (waiting) {
        if (waiting.length >= MAX_WAITING || waitingBytes + data.length > MAX_WAITING_BYTES) return false;
        waiting.push(data);
        waitingBytes += data.length;
        return true;
      }
      if (socket.getSendQueueCount() >= MAX_WAITING || socket.getSendQueueSize() + data.length > MAX_WAITING_BYTES) return false;
      transmit(data);
      return true;
    },
    close,
  };
}
