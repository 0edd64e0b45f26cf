/**
 * Errors of the stack. Codes are the system's own names where one exists, so that a script author
 * can look them up; they are stable: a code never changes its meaning.
 */
export type StackErrorCode =
  /** The name does not exist, or has no IPv4 address. */
  | 'ENOTFOUND'
  /** No name server answered, or all of them failed: the name may exist. */
  | 'EAI_AGAIN'
  /** The peer refused the connection: RST in answer to our SYN (RFC 9293 §3.10.7.3). */
  | 'ECONNREFUSED'
  /** The peer, or the stack on its behalf, reset an open connection. */
  | 'ECONNRESET'
  /** The connection was ended by this side's own abort. */
  | 'ECONNABORTED'
  /** No answer within the user timeout (RFC 9293 §3.8.3) or the handshake's timeout. */
  | 'ETIMEDOUT'
  | 'EHOSTUNREACH'
  | 'ENETUNREACH'
  | 'EACCES'
  /** The link is down, gone, or has no address yet. */
  | 'ENETDOWN'
  | 'EADDRINUSE'
  | 'EADDRNOTAVAIL'
  | 'EMSGSIZE'
  /** A bound of the stack was reached: sockets, ports or memory. */
  | 'ENOBUFS'
  | 'EINVAL';

/** An error with a stable code and a message that names the thing, the value and the next step. */
export class StackError extends Error {
  override readonly name = 'StackError';

  constructor(
    readonly code: StackErrorCode,
    message: string,
  ) {
    super(message);
  }
}
