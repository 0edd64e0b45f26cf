/** Linux's names and numbers that calls and their results use (asm-generic/errno.h and others). */

export const ERRNO: ReadonlyMap<string, number> = new Map([
  ['EPERM', 1], ['ENOENT', 2], ['EINTR', 4], ['EIO', 5], ['EBADF', 9], ['EAGAIN', 11], ['EWOULDBLOCK', 11], ['ENOMEM', 12], ['EACCES', 13], ['EFAULT', 14],
  ['EBUSY', 16], ['EINVAL', 22], ['EMFILE', 24], ['EPIPE', 32], ['EDOM', 33], ['ENOTSOCK', 88], ['EDESTADDRREQ', 89], ['EMSGSIZE', 90],
  ['EPROTOTYPE', 91], ['ENOPROTOOPT', 92], ['EPROTONOSUPPORT', 93], ['EOPNOTSUPP', 95], ['EAFNOSUPPORT', 97], ['EADDRINUSE', 98],
  ['EADDRNOTAVAIL', 99], ['ENETDOWN', 100], ['ENETUNREACH', 101], ['ECONNABORTED', 103], ['ECONNRESET', 104], ['ENOBUFS', 105],
  ['EISCONN', 106], ['ENOTCONN', 107], ['ESHUTDOWN', 108], ['ETIMEDOUT', 110], ['ECONNREFUSED', 111], ['EHOSTDOWN', 112], ['EHOSTUNREACH', 113],
  ['EALREADY', 114], ['EINPROGRESS', 115],
]);

export const O_RDWR = 0o2;
export const O_NONBLOCK = 0o4000;
export const MSG_DONTWAIT = 0x40;
/** Flags that change what a call does and that the stack has nothing for. Their names are no constants, so that a script with one is unsupported before it runs. */
export const FOREIGN_FLAGS: ReadonlyMap<number, string> = new Map([[0x01, 'MSG_OOB'], [0x02, 'MSG_PEEK'], [0x80, 'MSG_EOR'], [0x8000, 'MSG_MORE'], [0x400_0000, 'MSG_ZEROCOPY']]);
export const MSG_WAITALL = 0x100;
export const POLLIN = 0x001;
export const POLLOUT = 0x004;
export const POLLERR = 0x008;
export const POLLHUP = 0x010;
export const POLLRDHUP = 0x2000;

/** Words that stand for a number wherever they appear. */
export const CONSTANTS: ReadonlyMap<string, number> = new Map([
  ...ERRNO,
  ['AF_INET', 2], ['PF_INET', 2], ['SOCK_STREAM', 1], ['SOCK_NONBLOCK', O_NONBLOCK], ['SOCK_CLOEXEC', 0o2000000],
  ['IPPROTO_IP', 0], ['IPPROTO_TCP', 6], ['SOL_IP', 0], ['SOL_TCP', 6], ['SOL_SOCKET', 1],
  ['F_GETFL', 3], ['F_SETFL', 4], ['F_GETFD', 1], ['F_SETFD', 2], ['FD_CLOEXEC', 1], ['O_RDONLY', 0], ['O_WRONLY', 1], ['O_RDWR', O_RDWR], ['O_NONBLOCK', O_NONBLOCK],
  ['SHUT_RD', 0], ['SHUT_WR', 1], ['SHUT_RDWR', 2],
  ['MSG_DONTROUTE', 4], ['MSG_TRUNC', 0x20], ['MSG_DONTWAIT', MSG_DONTWAIT], ['MSG_WAITALL', MSG_WAITALL], ['MSG_NOSIGNAL', 0x4000],
  ['POLLIN', POLLIN], ['POLLRDNORM', 0x40], ['POLLOUT', POLLOUT], ['POLLWRNORM', 0x100], ['POLLPRI', 2], ['POLLERR', POLLERR], ['POLLHUP', POLLHUP], ['POLLNVAL', 0x20], ['POLLRDHUP', POLLRDHUP],
  ['SIOCINQ', 0x541b], ['FIONREAD', 0x541b], ['SIOCOUTQ', 0x5411], ['TIOCOUTQ', 0x5411], ['SIOCOUTQNSD', 0x894b], ['FIONBIO', 0x5421],
  ['SO_DEBUG', 1], ['SO_REUSEADDR', 2], ['SO_TYPE', 3], ['SO_ERROR', 4], ['SO_SNDBUF', 7], ['SO_RCVBUF', 8], ['SO_KEEPALIVE', 9], ['SO_PRIORITY', 12], ['SO_LINGER', 13],
  ['SO_REUSEPORT', 15], ['SO_RCVLOWAT', 18], ['SO_SNDLOWAT', 19], ['SO_ACCEPTCONN', 30], ['SO_SNDBUFFORCE', 32], ['SO_RCVBUFFORCE', 33],
  ['TCP_NODELAY', 1], ['TCP_MAXSEG', 2], ['TCP_CORK', 3], ['TCP_KEEPIDLE', 4], ['TCP_KEEPINTVL', 5], ['TCP_KEEPCNT', 6], ['TCP_SYNCNT', 7], ['TCP_LINGER2', 8],
  ['TCP_INFO', 11], ['TCP_QUICKACK', 12], ['TCP_CONGESTION', 13], ['TCP_USER_TIMEOUT', 18],
  ['IP_TOS', 1], ['IP_TTL', 2], ['IP_MTU_DISCOVER', 10], ['IP_MTU', 14],
  ['IP_PMTUDISC_DONT', 0], ['IP_PMTUDISC_WANT', 1], ['IP_PMTUDISC_DO', 2], ['IP_PMTUDISC_PROBE', 3],
]);
