/** Reading and writing: what goes through the stack is a pattern that every reader checks. */
import { failure, success, type Descriptor } from './descriptor';
import type { Attempt, CallContext } from './kernel';
import { FOREIGN_FLAGS, MSG_DONTWAIT, MSG_WAITALL } from './names';
import { patternByte, patternBytes } from '../wire/pattern';
import { ScriptFailure, UnsupportedConstruct } from '../syntax/script-error';
import { literalBytes } from './values';

/** Bytes given to the stack at once: a script may ask for gigabytes. */
const CHUNK = 65_536;

export function receive(context: CallContext, descriptor: Descriptor, count: number, flags: number): Attempt {
  refuseForeign(context, flags);
  let got = 0;
  return () => {
    const { socket } = descriptor;
    if (!socket) return failure('ENOTCONN');
    const ended = socket.peerClosed || descriptor.shutRead || socket.state === 'CLOSED';
    // SO_RCVLOWAT: a blocking call lies still until so much is there.
    const least = Math.min(count, descriptor.remembered.get('SO_RCVLOWAT') ?? 1);
    const mayWait = !descriptor.nonBlocking && !(flags & MSG_DONTWAIT);
    if (mayWait && !ended && got + socket.readableBytes < least) return null;
    // Linux gives out what is there even after shutdown(SHUT_RD).
    got += takeBytes(context, descriptor, Math.min(count - got, socket.readableBytes));
    const waitsForAll = (flags & MSG_WAITALL) !== 0 && got < count;
    if (got > 0 && !waitsForAll) return success(got);
    const errno = got === 0 ? descriptor.takeErrno() : null;
    if (errno) return failure(errno);
    if (count === 0 || ended) return success(got);
    if (mayWait) return null;
    return got > 0 ? success(got) : failure('EAGAIN');
  };
}

function refuseForeign({ line }: CallContext, flags: number): void {
  for (const [bit, name] of FOREIGN_FLAGS) if (flags & bit) throw new UnsupportedConstruct(line, name);
}

/** Reads and compares with what the script sent. */
function takeBytes({ kernel, line }: CallContext, descriptor: Descriptor, count: number): number {
  const { socket } = descriptor;
  let taken = 0;
  while (socket && taken < count) {
    const target = new Uint8Array(Math.min(CHUNK, count - taken));
    const got = kernel.host.guarded(() => socket.read(target));
    if (got === 0) break;
    const wrong = target.subarray(0, got).findIndex((byte, index) => byte !== patternByte('peer', descriptor.read + index));
    if (wrong >= 0) throw new ScriptFailure(line, `byte ${descriptor.read + wrong} of the stream as it was sent`, `another: 0x${(target[wrong] ?? 0).toString(16)}`);
    descriptor.read += got;
    taken += got;
  }
  return taken;
}

export function send(context: CallContext, descriptor: Descriptor, count: number, flags: number): Attempt {
  refuseForeign(context, flags);
  const literal = literalBytes(context.call.args[1]);
  let sent = 0;
  return () => {
    const { socket } = descriptor;
    if (!socket || descriptor.shutWrite) return failure('EPIPE');
    if (!descriptor.isOpening) {
      const errno = descriptor.takeErrno();
      if (errno) return sent > 0 ? success(sent) : failure(errno);
      if (socket.state !== 'ESTABLISHED' && socket.state !== 'CLOSE-WAIT') return sent > 0 ? success(sent) : failure('EPIPE');
      sent += putBytes(context, descriptor, literal, sent, count);
    }
    if (sent === count) return success(sent);
    if (!descriptor.nonBlocking && !(flags & MSG_DONTWAIT)) return null;
    return sent > 0 ? success(sent) : failure('EAGAIN');
  };
}

/** Hands over the bytes `[from, count)` as far as there is room. @returns how many */
function putBytes({ kernel }: CallContext, descriptor: Descriptor, literal: Uint8Array | null, from: number, count: number): number {
  const { socket } = descriptor;
  if (!socket) return 0;
  let taken = 0;
  while (from + taken < count) {
    const room = Math.min(socket.writableBytes, (descriptor.sendLimit ?? Infinity) - socket.bufferedBytes);
    const length = Math.min(CHUNK, count - from - taken, room);
    if (length <= 0) break;
    const bytes = literal ? literalPart(literal, from + taken, length) : patternBytes('stack', descriptor.written, length);
    if (literal) kernel.host.flowOf(socket).noteLiteral(descriptor.written, bytes);
    const put = kernel.host.guarded(() => socket.write(bytes));
    if (put === 0) break;
    descriptor.written += put;
    taken += put;
  }
  return taken;
}

/** What the string does not fill is zero. */
function literalPart(literal: Uint8Array, from: number, length: number): Uint8Array {
  const part = new Uint8Array(length);
  part.set(literal.subarray(from, from + length));
  return part;
}
