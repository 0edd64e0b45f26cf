/** setsockopt and getsockopt. The stack's tunables are the layer's, and a script has one connection: they are set there. */
import type { TcpConfig } from '../../../stack/config';
import type { Call, Expression } from '../syntax/ast';
import { failure, OK, type Descriptor, type Outcome } from './descriptor';
import type { Host } from '../wire/host';
import type { CallContext } from './kernel';
import { ERRNO } from './names';
import { ScriptFailure, UnsupportedConstruct } from '../syntax/script-error';
import { describe, ELLIPSIS, fieldOf, numberOf, optionalNumber } from './values';

interface Option {
  /** Whether the stack can do as the value says. Absent: every value. */
  readonly can?: (value: number) => boolean;
  readonly set?: (target: Target, value: number) => Outcome | void;
  /** Absent: the value last set, or 0. */
  readonly get?: (target: Target) => number;
}

interface Target {
  readonly host: Host;
  readonly descriptor: Descriptor;
  /** The layer's settings before the script changed any. */
  readonly defaults: Readonly<TcpConfig>;
}

const REMEMBERED: Option = {};
/** The kernel reports twice what was asked for: half is for its own book-keeping (socket(7)). */
const RECEIVE_BUFFER: Option = {
  set: ({ host, descriptor }, value) => {
    if (descriptor.socket) descriptor.socket.setReceiveLimit(Math.max(1, value));
    else host.configure({ receiveBufferBytes: Math.max(1, value) });
  },
  get: ({ descriptor, host }) => 2 * (descriptor.remembered.get('SO_RCVBUF') ?? host.tcpConfig.receiveBufferBytes),
};
const SEND_BUFFER: Option = {
  set: ({ descriptor }, value) => {
    descriptor.sendLimit = Math.max(1, value);
  },
  get: ({ descriptor, host }) => 2 * (descriptor.sendLimit ?? host.tcpConfig.sendBufferBytes),
};

const OPTIONS: ReadonlyMap<string, Option> = new Map<string, Option>([
  ['SO_REUSEADDR', REMEMBERED],
  ['SO_REUSEPORT', REMEMBERED],
  ['SO_DEBUG', REMEMBERED],
  ['SO_PRIORITY', REMEMBERED],
  ['SO_RCVBUF', RECEIVE_BUFFER],
  ['SO_RCVBUFFORCE', RECEIVE_BUFFER],
  ['SO_SNDBUF', SEND_BUFFER],
  ['SO_SNDBUFFORCE', SEND_BUFFER],
  ['SO_KEEPALIVE', { can: (value) => value === 0 }],
  ['SO_TYPE', { get: () => 1 }],
  ['SO_ACCEPTCONN', { get: ({ descriptor }) => (descriptor.listener ? 1 : 0) }],
  ['SO_ERROR', { get: ({ descriptor }) => ERRNO.get(descriptor.takeErrno() ?? '') ?? 0 }],
  ['TCP_NODELAY', { set: ({ host }, value) => host.configure({ nagle: value === 0 }), get: ({ host }) => (host.tcpConfig.nagle ? 0 : 1) }],
  ['TCP_CORK', { can: (value) => value === 0 }],
  ['TCP_QUICKACK', { set: ({ host, defaults }, value) => host.configure({ delayedAckMs: value ? 0 : defaults.delayedAckMs }), get: ({ host }) => (host.tcpConfig.delayedAckMs === 0 ? 1 : 0) }],
  ['TCP_MAXSEG', {
    set: ({ host }, value) => {
      // net/ipv4/tcp.c: TCP_MIN_MSS to MAX_TCP_WINDOW
      if (value < 88 || value > 32_767) return failure('EINVAL');
      host.mssLimit = value;
      return OK;
    },
    get: ({ descriptor, host }) => descriptor.socket?.snapshot().mss ?? host.mssLimit ?? 536,
  }],
  ['TCP_USER_TIMEOUT', { set: ({ host, defaults }, value) => host.configure({ userTimeoutMs: value || defaults.userTimeoutMs }) }],
  ['TCP_SYNCNT', { set: ({ host }, value) => host.configure({ connectTimeoutMs: (2 ** (value + 1) - 1) * 1_000 }) }],
  ['TCP_LINGER2', { set: ({ host }, value) => host.configure({ finWait2TimeoutMs: value * 1_000 }) }],
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
  const option = OPTIONS.get(name);
  if (!option) throw new UnsupportedConstruct(line, `socket option ${name.slice(0, 40)}`);
  if (call.name !== 'setsockopt') return;
  const value = optionalNumber(call.args[3], line) ?? 0;
  if (option.can && !option.can(value)) throw new UnsupportedConstruct(line, `socket option ${name} with value ${value}`);
}

function optionName(call: Call, line: number): string {
  const name: Expression | undefined = call.args[2];
  if (!name) throw new ScriptFailure(line, `at least 4 arguments for ${call.name}()`, `${call.args.length}`);
  if (name.type !== 'word') throw new UnsupportedConstruct(line, `socket option ${describe(name)}`);
  return name.name;
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
  const value = optionalNumber(given, line) ?? 0;
  const outcome = OPTIONS.get(name)?.set?.({ host: kernel.host, descriptor, defaults: kernel.defaults }, value);
  if (!outcome?.errno) descriptor.remembered.set(name, value);
  return outcome ?? OK;
}

export function getOption({ kernel, call, line }: CallContext, descriptor: Descriptor): Outcome {
  const name = optionName(call, line);
  if (name === 'TCP_INFO' || name === 'SO_LINGER') return OK;
  const value = OPTIONS.get(name)?.get?.({ host: kernel.host, descriptor, defaults: kernel.defaults }) ?? descriptor.remembered.get(name) ?? 0;
  const expected = optionalNumber(call.args[3], line);
  return expected === null || expected === value ? OK : { ...OK, mismatch: { expected: `[${expected}]`, seen: `[${value}]` } };
}
