/** One socket of the script: what Linux keeps around a connection, over the stack's own sockets. */
import type { TcpListener, TcpSocket } from '../../../stack/tcp/types';

/** A result as the caller sees it. */
export interface Outcome {
  readonly value: number;
  /** Name of the errno with value -1, else null. */
  readonly errno: string | null;
  /** What came back through pointers and is not what the script says. */
  readonly mismatch?: { readonly expected: string; readonly seen: string };
}

export const OK: Outcome = { value: 0, errno: null };

export function success(value: number): Outcome {
  return { value, errno: null };
}

export function failure(errno: string): Outcome {
  return { value: -1, errno };
}

export class Descriptor {
  nonBlocking = false;
  /** Port and address of bind(), or null. */
  bound: { readonly address: number; readonly port: number } | null = null;
  listener: TcpListener | null = null;
  socket: TcpSocket | null = null;
  /** connect() was called and has not told its result yet. */
  connecting = false;
  shutRead = false;
  shutWrite = false;
  /** SO_LINGER with a time of zero: close() resets. */
  resetOnClose = false;
  /** Bytes written to and read from the stream. */
  written = 0;
  read = 0;
  /** SO_SNDBUF, or null: as much as the stack takes. */
  sendLimit: number | null = null;
  /** Values of options that are only remembered. */
  readonly remembered = new Map<string, number>();
  /** Connections taken from the stack's listener by poll(), which must only look. */
  private readonly arrived: TcpSocket[] = [];
  private errorTaken = false;

  /** The next open connection of a listening socket, which leaves it. */
  takeConnection(): TcpSocket | null {
    return this.arrived.shift() ?? this.listener?.accept() ?? null;
  }

  hasConnection(): boolean {
    if (this.arrived.length > 0) return true;
    const socket = this.listener?.accept() ?? null;
    if (socket) this.arrived.push(socket);
    return socket !== null;
  }

  get untaken(): readonly TcpSocket[] {
    return this.arrived;
  }

  /** Whether the handshake is still under way. */
  get isOpening(): boolean {
    return this.socket?.state === 'SYN-SENT' || this.socket?.state === 'SYN-RECEIVED';
  }

  /** The error that no call has told yet. */
  get pendingErrno(): string | null {
    const error = this.socket?.error;
    return error && !this.errorTaken && error.code !== 'ECONNABORTED' ? error.code : null;
  }

  /** Tells the pending error once, as SO_ERROR does. */
  takeErrno(): string | null {
    const errno = this.pendingErrno;
    if (errno) this.errorTaken = true;
    return errno;
  }

  /** Back to a socket that may connect() again. */
  forgetConnection(): void {
    this.socket = null;
    this.connecting = false;
    this.errorTaken = false;
  }
}
