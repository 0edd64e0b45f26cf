/**
 * Events instead of polling: looks at a socket on every tick, and calls those who listen. For code that thinks
 * in events; the socket under it stays usable as it is.
 */

interface SocketEventMap {
  /** The connection is open. */
  connect: () => void;
  /** Bytes have arrived: all that there were in this tick. */
  data: (bytes: Buffer) => void;
  /** What was written has been acknowledged by the peer. */
  drain: () => void;
  /** Last: no error, or why the connection ended. */
  close: (error: NetworkError | null) => void;
}

type Listeners = { [K in keyof SocketEventMap]: Set<SocketEventMap[K]> };

export class SocketEvents {
  private readonly listeners: Listeners = { connect: new Set(), data: new Set(), drain: new Set(), close: new Set() };
  private connected = false;
  private writing = false;
  private readonly look = (): void => this.poll();

  constructor(readonly socket: Socket) {
    // Bound until the end: it keeps the script alive as long as the connection.
    Event.OnTick.on(this.look);
  }

  /** @returns this, so that calls may be joined */
  on<K extends keyof SocketEventMap>(name: K, listener: SocketEventMap[K]): this {
    this.listeners[name].add(listener);
    return this;
  }

  off<K extends keyof SocketEventMap>(name: K, listener: SocketEventMap[K]): boolean {
    return this.listeners[name].delete(listener);
  }

  write(data: string | Uint8Array): boolean {
    this.writing = true;
    return this.socket.write(data);
  }

  close(): void {
    this.socket.close();
  }

  private poll(): void {
    const { socket } = this;
    if (!this.connected && socket.status === 'connected') {
      this.connected = true;
      for (const listener of this.listeners.connect) listener();
    }
    // Before the end is looked at: it shows once everything has been read.
    const bytes = socket.read();
    if (bytes) for (const listener of this.listeners.data) listener(bytes);
    if (this.writing && socket.bufferedAmount === 0) {
      this.writing = false;
      for (const listener of this.listeners.drain) listener();
    }
    if (socket.status !== 'fin' && socket.status !== 'error') return;
    Event.OnTick.off(this.look);
    for (const listener of this.listeners.close) listener(socket.error);
  }
}
