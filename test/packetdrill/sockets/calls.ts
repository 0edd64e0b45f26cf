/** The system calls: what each does with a descriptor, and whether it has to wait. */
import { StackError } from '../../../stack/errors';
import { Descriptor, failure, OK, success, type Outcome } from './descriptor';
import { argument, flagsOf, type Attempt, type CallContext, type Kernel, type Pending } from './kernel';
import { O_NONBLOCK, O_RDWR } from './names';
import { pollCall } from './poll-call';
import { UnsupportedConstruct } from '../syntax/script-error';
import { applyRemembered, getOption, setOption } from './socket-options';
import { receive, send } from './transfer';
import { describe, ELLIPSIS, fieldOf, numberOf, optionalNumber, socketAddress, vectorBytes } from './values';

type Handler = (context: CallContext, descriptor: Descriptor) => Attempt | Pending | Outcome;

/** The most that one call may ask for, as in Linux (MAX_RW_COUNT). */
const MAX_COUNT = 0x7fff_f000;

const ON_DESCRIPTORS: ReadonlyMap<string, Handler> = new Map<string, Handler>([
  ['bind', bind],
  ['listen', listen],
  ['accept', accept],
  ['accept4', accept],
  ['connect', connect],
  ['read', (context, descriptor) => receive(context, descriptor, countOf(context, 2), 0)],
  ['recv', (context, descriptor) => receive(context, descriptor, countOf(context, 2), flagsOf(context, 3))],
  ['recvfrom', (context, descriptor) => receive(context, descriptor, countOf(context, 2), flagsOf(context, 3))],
  ['readv', (context, descriptor) => receive(context, descriptor, vectorBytes(context.call.args[1], context.line), 0)],
  ['recvmsg', (context, descriptor) => receive(context, descriptor, messageBytes(context), flagsOf(context, 2))],
  ['write', (context, descriptor) => send(context, descriptor, countOf(context, 2), 0)],
  ['send', (context, descriptor) => send(context, descriptor, countOf(context, 2), flagsOf(context, 3))],
  ['sendto', (context, descriptor) => send(context, descriptor, countOf(context, 2), flagsOf(context, 3))],
  ['writev', (context, descriptor) => send(context, descriptor, vectorBytes(context.call.args[1], context.line), 0)],
  ['sendmsg', (context, descriptor) => send(context, descriptor, messageBytes(context), flagsOf(context, 2))],
  ['close', close],
  ['shutdown', shutdown],
  ['setsockopt', setOption],
  ['getsockopt', getOption],
  ['fcntl', fcntl],
  ['ioctl', ioctl],
]);

export function isKnownCall(name: string): boolean {
  return ON_DESCRIPTORS.has(name) || name === 'socket' || name === 'poll';
}

/** Begins the call. @throws UnsupportedConstruct, ScriptFailure */
export function beginCall(context: CallContext): Pending {
  const { call } = context;
  const begun = call.name === 'socket' ? socketCall(context) : call.name === 'poll' ? pollCall(context) : onDescriptor(context);
  if (typeof begun === 'function') return { attempt: begun, wakeUs: Infinity };
  if ('attempt' in begun) return begun;
  return { attempt: () => begun, wakeUs: Infinity };
}

function onDescriptor(context: CallContext): Attempt | Pending | Outcome {
  const { call, line, kernel } = context;
  const handler = ON_DESCRIPTORS.get(call.name);
  if (!handler) throw new UnsupportedConstruct(line, `${call.name.slice(0, 40)}()`);
  const descriptor = kernel.descriptors.get(numberOf(argument(context, 0), line));
  return descriptor ? handler(context, descriptor) : failure('EBADF');
}

function countOf(context: CallContext, index: number): number {
  return Math.min(MAX_COUNT, Math.max(0, numberOf(argument(context, index), context.line)));
}

function messageBytes(context: CallContext): number {
  const message = argument(context, 1);
  if (fieldOf(message, 'msg_control')) throw new UnsupportedConstruct(context.line, 'msg_control');
  return vectorBytes(fieldOf(message, 'msg_iov'), context.line);
}

/** The number that the script gives to a new socket. */
function newNumber({ kernel, call, line }: CallContext): number {
  const wanted = optionalNumber(call.result, line);
  if (wanted !== null && wanted >= 0 && !kernel.descriptors.has(wanted)) return wanted;
  let free = 3;
  while (kernel.descriptors.has(free)) free++;
  return free;
}

function socketCall(context: CallContext): Outcome {
  const { call, line, kernel } = context;
  const [domain, type, protocol] = [0, 1, 2].map((index) => argument(context, index));
  if (domain && optionalNumber(domain, line) !== null && numberOf(domain, line) !== 2) throw new UnsupportedConstruct(line, `socket of ${describe(domain)}`);
  const flags = type ? numberOf(type, line) : 0;
  if ((flags & 0xf) !== 1) throw new UnsupportedConstruct(line, `socket of type ${type ? describe(type) : '?'}`);
  if (protocol && ![null, 0, 6].includes(optionalNumber(protocol, line))) throw new UnsupportedConstruct(line, `socket of protocol ${describe(protocol)}`);
  const descriptor = new Descriptor();
  descriptor.nonBlocking = (flags & O_NONBLOCK) !== 0;
  const number = newNumber({ kernel, call, line });
  kernel.descriptors.set(number, descriptor);
  return success(number);
}

function bind({ kernel, call, line }: CallContext, descriptor: Descriptor): Outcome {
  if (descriptor.bound || descriptor.socket) return failure('EINVAL');
  const given = socketAddress(call.args[1], line);
  const address = given?.address ?? kernel.settings.localAddress;
  if (address !== 0 && address !== kernel.settings.localAddress) return failure('EADDRNOTAVAIL');
  descriptor.bound = { address, port: given?.port ?? kernel.settings.bindPort };
  return OK;
}

function listen({ kernel, call, line }: CallContext, descriptor: Descriptor): Outcome {
  if (descriptor.socket) return failure('EINVAL');
  if (descriptor.listener) return OK;
  const backlog = Math.max(0, optionalNumber(call.args[1], line) ?? 128);
  try {
    // Linux lets one more wait than it is told.
    descriptor.listener = kernel.host.tcp.listen({ port: descriptor.bound?.port ?? kernel.settings.bindPort, backlog: backlog + 1 });
  } catch (error) {
    return stackFailure(error);
  }
  kernel.currentFlow = null;
  return OK;
}

function stackFailure(error: unknown): Outcome {
  if (error instanceof StackError) return failure(error.code);
  throw error;
}

function accept(context: CallContext, listening: Descriptor): Attempt {
  const { kernel, call, line } = context;
  const flags = call.name === 'accept4' ? flagsOf(context, 3) : 0;
  return () => {
    if (!listening.listener) return failure('EINVAL');
    const socket = listening.takeConnection();
    if (!socket) return listening.nonBlocking ? failure('EAGAIN') : null;
    const descriptor = new Descriptor();
    descriptor.socket = socket;
    descriptor.nonBlocking = (flags & O_NONBLOCK) !== 0;
    descriptor.sendLimit = listening.sendLimit;
    for (const [name, value] of listening.remembered) descriptor.remembered.set(name, value);
    applyRemembered(kernel, descriptor, socket);
    const number = newNumber({ kernel, call, line });
    kernel.descriptors.set(number, descriptor);
    return success(number);
  };
}

function connect({ kernel, call, line }: CallContext, descriptor: Descriptor): Attempt | Outcome {
  if (descriptor.listener) return failure('EISCONN');
  if (!descriptor.socket) {
    const begun = beginConnect(kernel, descriptor, socketAddress(call.args[1], line));
    if (begun) return begun;
    if (descriptor.nonBlocking && descriptor.isOpening) return failure('EINPROGRESS');
  } else if (!descriptor.connecting) return failure('EISCONN');
  else if (descriptor.isOpening && descriptor.nonBlocking) return failure('EALREADY');
  return () => {
    if (descriptor.isOpening) return null;
    const errno = descriptor.takeErrno();
    if (errno) {
      descriptor.forgetConnection();
      return failure(errno);
    }
    descriptor.connecting = false;
    return OK;
  };
}

function beginConnect(kernel: Kernel, descriptor: Descriptor, target: { address: number; port: number } | null): Outcome | null {
  const { host, settings } = kernel;
  const address = target?.address ?? settings.remoteAddress;
  const port = target?.port ?? settings.connectPort;
  try {
    descriptor.socket = host.guarded(() => host.tcp.connect({ address, port, localPort: descriptor.bound?.port ?? 0 }, host.now));
  } catch (error) {
    // Linux, whose scripts these are, has another code where no port is left.
    if (error instanceof StackError && error.code === 'ENOBUFS') return failure('EADDRNOTAVAIL');
    return stackFailure(error);
  }
  applyRemembered(kernel, descriptor, descriptor.socket);
  const { localAddress, localPort } = descriptor.socket;
  descriptor.connecting = true;
  kernel.currentFlow = host.flowOf({ localAddress, localPort, remoteAddress: address, remotePort: port });
  host.settle();
  return null;
}

function close({ kernel, call, line }: CallContext, descriptor: Descriptor): Outcome {
  kernel.descriptors.delete(numberOf(call.args[0] ?? ELLIPSIS, line));
  for (const socket of descriptor.untaken) socket.abort();
  descriptor.listener?.close();
  const { socket } = descriptor;
  if (!socket) return OK;
  // RFC 1122 §4.2.2.13 and Linux: what nobody will read is answered with RST.
  if (descriptor.resetOnClose || socket.readableBytes > 0) kernel.host.guarded(() => socket.abort());
  else kernel.host.guarded(() => socket.release());
  return OK;
}

function shutdown({ call, line }: CallContext, descriptor: Descriptor): Outcome {
  const { socket } = descriptor;
  const how = numberOf(call.args[1] ?? ELLIPSIS, line);
  if (how < 0 || how > 2) return failure('EINVAL');
  if (!socket || socket.state === 'CLOSED') return failure('ENOTCONN');
  if (how !== 1) descriptor.shutRead = true;
  if (how !== 0) {
    descriptor.shutWrite = true;
    socket.close();
  }
  return OK;
}

function fcntl({ call, line }: CallContext, descriptor: Descriptor): Outcome {
  const command = numberOf(call.args[1] ?? ELLIPSIS, line);
  switch (command) {
    case 3: // F_GETFL
      return success(O_RDWR | (descriptor.nonBlocking ? O_NONBLOCK : 0));
    case 4: // F_SETFL
      descriptor.nonBlocking = ((optionalNumber(call.args[2], line) ?? 0) & O_NONBLOCK) !== 0;
      return OK;
    case 1: // F_GETFD
    case 2: // F_SETFD
      return OK;
    default:
      return failure('EINVAL');
  }
}

function ioctl({ call, line }: CallContext, descriptor: Descriptor): Outcome {
  const { socket } = descriptor;
  const command = numberOf(call.args[1] ?? ELLIPSIS, line);
  const expected = optionalNumber(call.args[2], line);
  if (command === 0x5421) {
    descriptor.nonBlocking = (expected ?? 0) !== 0;
    return OK;
  }
  if (descriptor.listener) return failure('EINVAL');
  // SIOCINQ, SIOCOUTQ, SIOCOUTQNSD
  const value = command === 0x541b ? (socket?.readableBytes ?? 0) : command === 0x5411 ? (socket?.bufferedBytes ?? 0) : (socket?.snapshot().unsentBytes ?? 0);
  return expected === null || expected === value ? OK : { ...OK, mismatch: { expected: `[${expected}]`, seen: `[${value}]` } };
}
