/** poll(2) on the stack's sockets, with Linux's events (net/ipv4/tcp.c, tcp_poll). */
import type { Expression } from '../syntax/ast';
import { success, type Descriptor, type Outcome } from './descriptor';
import type { CallContext, Pending } from './kernel';
import { POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDHUP } from './names';
import { ScriptFailure } from '../syntax/script-error';
import { fieldOf, numberOf, optionalNumber } from './values';

/** POLLNVAL: no such descriptor. */
const POLLNVAL = 0x20;

interface Entry {
  readonly descriptor: Descriptor | null;
  readonly events: number;
  readonly expected: number;
}

/** `poll([{fd=3, events=POLLIN, revents=POLLIN}], 1, 100) = 1`. The third argument is ms, negative: for ever. */
export function pollCall({ kernel, call, line }: CallContext): Pending {
  const [list, , timeout] = call.args;
  if (list?.type !== 'list') throw new ScriptFailure(line, 'a list of what to poll', 'none');
  const entries = list.items.map((item): Entry => ({
    descriptor: kernel.descriptors.get(numberOf(fieldOf(item, 'fd') ?? missing(line, 'fd'), line)) ?? null,
    events: numberOf(fieldOf(item, 'events') ?? missing(line, 'events'), line),
    expected: optionalNumber(fieldOf(item, 'revents'), line) ?? 0,
  }));
  const timeoutMs = optionalNumber(timeout, line) ?? -1;
  const wakeUs = timeoutMs < 0 ? Infinity : kernel.host.nowUs + timeoutMs * 1000;
  return {
    wakeUs,
    attempt: (): Outcome | null => {
      const seen = entries.map(({ descriptor, events }) => readyEvents(descriptor) & (events | POLLERR | POLLHUP | POLLNVAL));
      const ready = seen.filter((events) => events !== 0).length;
      if (ready === 0 && kernel.host.nowUs < wakeUs) return null;
      const wrong = entries.findIndex(({ expected }, index) => expected !== seen[index]);
      if (wrong < 0) return success(ready);
      return { ...success(ready), mismatch: { expected: `revents=${formatEvents(entries[wrong]?.expected ?? 0)}`, seen: `revents=${formatEvents(seen[wrong] ?? 0)}` } };
    },
  };
}

function missing(line: number, field: string): Expression {
  throw new ScriptFailure(line, `a field ${field} in each entry of poll()`, 'none');
}

function readyEvents(descriptor: Descriptor | null): number {
  if (!descriptor) return POLLNVAL;
  const { socket } = descriptor;
  if (descriptor.listener) return descriptor.hasConnection() ? POLLIN : 0;
  if (!socket) return POLLOUT | POLLHUP;
  if (descriptor.isOpening) return 0;
  const isClosed = socket.state === 'CLOSED';
  let events = 0;
  if (socket.readableBytes >= Math.max(1, descriptor.remembered.get('SO_RCVLOWAT') ?? 1)) events |= POLLIN;
  if (socket.peerClosed || descriptor.shutRead || isClosed) events |= POLLIN | POLLRDHUP;
  if (isClosed || (descriptor.shutWrite && (socket.peerClosed || descriptor.shutRead))) events |= POLLHUP;
  if (isClosed || descriptor.shutWrite || hasRoom(descriptor)) events |= POLLOUT;
  if (descriptor.pendingErrno) events |= POLLERR;
  return events;
}

/** Linux wakes a writer once a third of the buffer is free. */
function hasRoom({ socket, sendLimit }: Descriptor): boolean {
  if (!socket || socket.writableBytes === 0) return false;
  return sendLimit === null || sendLimit - socket.bufferedBytes >= sendLimit / 3;
}

function formatEvents(events: number): string {
  const names = [['POLLIN', POLLIN], ['POLLOUT', POLLOUT], ['POLLERR', POLLERR], ['POLLHUP', POLLHUP], ['POLLRDHUP', POLLRDHUP], ['POLLNVAL', POLLNVAL]] as const;
  return names.filter(([, bit]) => events & bit).map(([name]) => name).join('|') || '0';
}
