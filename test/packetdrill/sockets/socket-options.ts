/**
 * setsockopt and getsockopt. What the stack has for a connection is set there; what it has for all of them is set
 * for the layer, as a script is mostly about one.
 */
import type { TcpConfig } from '../../../stack/config';
import type { TcpSocket } from '../../../stack/tcp/types';
import type { Call, Expression } from '../syntax/ast';
import { failure, OK, type Descriptor, type Outcome } from './descriptor';
import type { Host } from '../wire/host';
import type { CallContext, Kernel } from './kernel';
import { ERRNO } from './names';
import { ScriptFailure, UnsupportedConstruct } from '../syntax/script-error';
import { describe, ELLIPSIS, fieldOf, isEllipsis, numberOf, optionalNumber } from './values';

interface Option {
  /** Whether the stack can do as the value says. Absent: every value. */
  readonly can?: (value: number) => boolean;
  readonly set?: (target: Target, value: number, line: number) => Outcome | void;
  /** Absent: the value last set, or 0. */
  readonly get?: (target: Target) => number;
}

interface Target {
  readonly host: Host;
  readonly descriptor: Descriptor;
  /** The layer's settings before the script changed any. */
  readonly defaults: Readonly<TcpConfig>;
}

/** Bounds of what the stack takes: a script may name any number. */
const MAX_BUFFER_BYTES = 2 ** 30;
const MAX_MS = 2 ** 31 - 1;
/** Linux's keep-alive: after two hours (RFC 1122 §4.2.3.6), nine times, 75 s apart. */
const KEEP_IDLE_SECONDS = 7_200;
const KEEP_INTERVAL_SECONDS = 75;
const KEEP_PROBES = 9;

const clamp = (value: number, most: number): number => Math.min(most, Math.max(1, value));

const REMEMBERED: Option = {};
/** Remembered, and told to the connection as soon as there is one. */
const PER_CONNECTION: Option = {};
/** The kernel reports twice what was asked for: half is for its own book-keeping (socket(7)). */
const RECEIVE_BUFFER: Option = {
  set: ({ host, descriptor }, value) => {
    const bytes = clamp(value, MAX_BUFFER_BYTES);
    // A size that is asked for is no longer tuned.
    if (descriptor.socket) descriptor.socket.setReceiveLimit(bytes);
    else host.configure({ receiveBufferBytes: bytes, initialBufferBytes: bytes });
  },
  get: ({ descriptor, host }) => 2 * (descriptor.remembered.get('SO_RCVBUF') ?? host.tcpConfig.receiveBufferBytes),
};
const SEND_BUFFER: Option = {
  set: ({ descriptor }, value) => {
    descriptor.sendLimit = clamp(value, MAX_BUFFER_BYTES);
  },
  get: ({ descriptor, host }) => 2 * (descriptor.sendLimit ?? host.tcpConfig.sendBufferBytes),
};

const OPTIONS: ReadonlyMap<string, Option> = new Map<string, Option>([
  ['SO_REUSEADDR', REMEMBERED],
  ['SO_REUSEPORT', REMEMBERED],
  ['SO_DEBUG', REMEMBERED],
  ['SO_PRIORITY', REMEMBERED],
  ['SO_RCVLOWAT', REMEMBERED],
  ['SO_RCVBUF', RECEIVE_BUFFER],
  ['SO_RCVBUFFORCE', RECEIVE_BUFFER],
  ['SO_SNDBUF', SEND_BUFFER],
  ['SO_SNDBUFFORCE', SEND_BUFFER],
  ['SO_KEEPALIVE', PER_CONNECTION],
  ['TCP_KEEPIDLE', { ...PER_CONNECTION, get: ({ descriptor }) => descriptor.remembered.get('TCP_KEEPIDLE') ?? KEEP_IDLE_SECONDS }],
  ['TCP_KEEPINTVL', { ...PER_CONNECTION, get: ({ descriptor }) => descriptor.remembered.get('TCP_KEEPINTVL') ?? KEEP_INTERVAL_SECONDS }],
  ['TCP_KEEPCNT', { ...PER_CONNECTION, get: ({ descriptor }) => descriptor.remembered.get('TCP_KEEPCNT') ?? KEEP_PROBES }],
  ['SO_TYPE', { get: () => 1 }],
  ['SO_ACCEPTCONN', { get: ({ descriptor }) => (descriptor.listener ? 1 : 0) }],
  ['SO_ERROR', { get: ({ descriptor }) => ERRNO.get(descriptor.takeErrno() ?? '') ?? 0 }],
  ['TCP_NODELAY', PER_CONNECTION],
  ['TCP_CORK', { can: (value) => value === 0 }],
  ['TCP_QUICKACK', {
    set: ({ host, descriptor, defaults }, value, line) => {
      // For connections to come: whether the first segments are acknowledged at once. For one that is: all of them.
      if (!descriptor.socket) host.configure({ quickAcks: value ? defaults.quickAcks : 0 });
      else if (value) host.configure({ delayedAckMs: 0 });
      else throw new UnsupportedConstruct(line, 'socket option TCP_QUICKACK with value 0 on a connection');
    },
    get: ({ descriptor }) => descriptor.remembered.get('TCP_QUICKACK') ?? 1,
  }],
  ['TCP_MAXSEG', {
    set: ({ host }, value) => {
      // net/ipv4/tcp.c: TCP_MIN_MSS to MAX_TCP_WINDOW
      if (value < 88 || value > 32_767) return failure('EINVAL');
      host.mssLimit = value;
      return OK;
    },
    get: ({ descriptor, host }) => descriptor.socket?.snapshot().mss ?? host.mssLimit ?? 536,
  }],
  ['TCP_USER_TIMEOUT', PER_CONNECTION],
  ['TCP_SYNCNT', { set: ({ host }, value) => host.configure({ connectTimeoutMs: clamp((2 ** (value + 1) - 1) * 1_000, MAX_MS) }) }],
  ['TCP_LINGER2', { set: ({ host }, value) => host.configure({ finWait2TimeoutMs: clamp(value * 1_000, MAX_MS) }) }],
  ['IP_TOS', { can: (value) => value === 0 }],
  ['IP_TTL', { can: (value) => value === 64, get: () => 64 }],
  ['IP_MTU', { get: ({ host }) => host.mtu }],
  // The stack always forbids fragments of its segments (RFC 1191).
  ['IP_MTU_DISCOVER', { can: (value) => value === 1 || value === 2 }],
]);

/** Before anything runs: whether the call is about an option, and a value, that there is here. @throws UnsupportedConstruct */
export function checkOptionCall(call: Call, line: number): void {
  const name = optionName(call, line);
  if (name === 'SO_LINGER' || (name === 'TCP_INFO' && call.name === 'getsockopt')) return;
  if (name === 'TCP_CONGESTION') {
    congestionOf(call.args[3], line);
    return;
  }
  const option = OPTIONS.get(name);
  if (!option) throw new UnsupportedConstruct(line, `socket option ${name.slice(0, 40)}`);
  if (call.name !== 'setsockopt') return;
  const value = optionalNumber(call.args[3], line) ?? 0;
  if (option.can && !option.can(value)) throw new UnsupportedConstruct(line, `socket option ${name} with value ${value}`);
}

/** `"cubic"`, or null for `...`. */
function congestionOf(given: Expression | undefined, line: number): TcpConfig['congestion'] | null {
  if (given === undefined || isEllipsis(given)) return null;
  if (given.type === 'string' && (given.text === 'cubic' || given.text === 'reno')) return given.text;
  throw new UnsupportedConstruct(line, `congestion control ${describe(given)}`);
}

function optionName(call: Call, line: number): string {
  const name: Expression | undefined = call.args[2];
  if (!name) throw new ScriptFailure(line, `at least 4 arguments for ${call.name}()`, `${call.args.length}`);
  if (name.type !== 'word') throw new UnsupportedConstruct(line, `socket option ${describe(name)}`);
  return name.name;
}

/** Brings a connection, perhaps a new one, to what its descriptor was told. */
export function applyRemembered({ host, defaults }: Pick<Kernel, 'host' | 'defaults'>, { remembered }: Descriptor, socket: TcpSocket): void {
  const noDelay = remembered.get('TCP_NODELAY');
  // Settings that a mutation froze are the layer's, and stay.
  if (noDelay !== undefined && !host.isFrozen('nagle')) socket.setNagle(noDelay === 0);
  const timeout = remembered.get('TCP_USER_TIMEOUT');
  if (timeout !== undefined) socket.setUserTimeout(clamp(timeout || defaults.userTimeoutMs, MAX_MS));
  const keepAlive = remembered.get('SO_KEEPALIVE');
  if (keepAlive === undefined) return;
  socket.setKeepAlive(keepAlive === 0 ? null : {
    idleMs: clamp((remembered.get('TCP_KEEPIDLE') ?? KEEP_IDLE_SECONDS) * 1_000, MAX_MS),
    intervalMs: clamp((remembered.get('TCP_KEEPINTVL') ?? KEEP_INTERVAL_SECONDS) * 1_000, MAX_MS),
    probes: clamp(remembered.get('TCP_KEEPCNT') ?? KEEP_PROBES, 100),
  });
}

export function setOption({ kernel, call, line }: CallContext, descriptor: Descriptor): Outcome {
  const name = optionName(call, line);
  const given = call.args[3];
  if (name === 'SO_LINGER') {
    const on = numberOf((given && fieldOf(given, 'onoff')) ?? ELLIPSIS, line);
    const seconds = numberOf((given && fieldOf(given, 'linger')) ?? ELLIPSIS, line);
    if (on && seconds) throw new UnsupportedConstruct(line, `SO_LINGER with ${seconds} s`);
    descriptor.resetOnClose = on !== 0;
    return OK;
  }
  if (name === 'TCP_CONGESTION') {
    const congestion = congestionOf(given, line);
    if (congestion === null || congestion === kernel.host.tcpConfig.congestion) return OK;
    if (descriptor.socket) throw new UnsupportedConstruct(line, 'another congestion control on a connection');
    kernel.host.configure({ congestion });
    return OK;
  }
  const value = optionalNumber(given, line) ?? 0;
  const outcome = OPTIONS.get(name)?.set?.({ host: kernel.host, descriptor, defaults: kernel.defaults }, value, line);
  if (!outcome?.errno) descriptor.remembered.set(name, value);
  if (descriptor.socket) applyRemembered(kernel, descriptor, descriptor.socket);
  return outcome ?? OK;
}

export function getOption({ kernel, call, line }: CallContext, descriptor: Descriptor): Outcome {
  const name = optionName(call, line);
  if (name === 'TCP_INFO' || name === 'SO_LINGER') return OK;
  if (name === 'TCP_CONGESTION') {
    const [wanted, seen] = [congestionOf(call.args[3], line), kernel.host.tcpConfig.congestion];
    return wanted === null || wanted === seen ? OK : { ...OK, mismatch: { expected: `"${wanted}"`, seen: `"${seen}"` } };
  }
  const value = OPTIONS.get(name)?.get?.({ host: kernel.host, descriptor, defaults: kernel.defaults }) ?? descriptor.remembered.get(name) ?? 0;
  const expected = optionalNumber(call.args[3], line);
  return expected === null || expected === value ? OK : { ...OK, mismatch: { expected: `[${expected}]`, seen: `[${value}]` } };
}
