/** Runs the events of a script one after the other, as packetdrill does, on the virtual clock. */
import type { Ecn } from '../../stack/egress';
import { SYN, type Call, type EventTime, type IcmpPacketSpec, type Script, type ScriptEvent, type TcpPacketSpec } from './syntax/ast';
import { beginCall } from './sockets/calls';
import { interpretCommand } from './commands';
import type { Descriptor, Outcome } from './sockets/descriptor';
import type { Captured, Flow, Tuple } from './wire/flow';
import { formatTime } from './syntax/format';
import type { Host } from './wire/host';
import { transportError } from './wire/icmp-error';
import type { Kernel, Pending } from './sockets/kernel';
import { comparePacket, formatExpected, formatSeen, joinSegments, type SeenPacket } from './wire/match';
import { runPython, PythonError } from './python/run-python';
import { ScriptFailure } from './syntax/script-error';
import type { Settings } from './settings';
import { tcpInfo } from './tcp-info';
import { Traffic } from './wire/traffic';
import { describe, optionalNumber } from './sockets/values';

const ECN_BITS: Readonly<Record<string, Ecn>> = { noecn: 0, ect1: 1, ect0: 2, ce: 3 };
/** Where the peer's ports begin: one for each connection that it opens. */
const FIRST_REMOTE_PORT = 40_000;
/** How long past its time a packet is waited for, only to be able to tell when it came, µs. */
const LOOK_AHEAD_US = 10e6;
/** How long `*` waits, µs: longer than any timer of TCP but keep-alive. */
const ANY_TIME_US = 3 * 3_600e6;

/** A blocking call under way. */
interface Waiting {
  readonly pending: Pending;
  readonly call: Call;
  readonly line: number;
  readonly endUs: number;
}

export class Interpreter implements Kernel {
  readonly descriptors = new Map<number, Descriptor>();
  readonly defaults;
  currentFlow: Flow | null = null;
  private waiting: Waiting | null = null;
  private nextRemotePort = FIRST_REMOTE_PORT;
  /** Start of the event before, µs, and whether it was an inbound packet: those are timed from each other's starts. */
  private last: { readonly us: number; readonly inbound: boolean } | null = null;
  private readonly variables = new Map<string, number | string>();

  /** @param report told of commands that have no effect */
  constructor(
    readonly host: Host,
    readonly settings: Settings,
    private readonly report: (line: number, ignored: string) => void,
  ) {
    this.defaults = { ...host.tcpConfig };
  }

  /** @throws ScriptFailure, UnsupportedConstruct */
  run(script: Script): void {
    const [first] = script.events;
    if (first && !(first.time.kind !== 'any' && first.time.us === 0)) throw new ScriptFailure(first.line, 'the first event at time 0', 'a later time');
    for (const event of script.events) this.event(event);
    this.finishWaiting();
  }

  private event(event: ScriptEvent): void {
    this.host.line = event.line;
    const { action } = event;
    const inbound = action.type === 'packet' && !(action.packet.type === 'tcp' && !action.packet.inbound);
    const base = this.last && this.last.inbound && inbound ? this.last.us : this.host.nowUs;
    const { time } = event;
    const relative = time.kind === 'relative' || time.kind === 'relative-range' || time.kind === 'any';
    const us = (time.kind === 'any' ? 0 : time.us) + (relative ? base : 0);
    const before = this.last?.us ?? 0;
    if (action.type === 'packet' && action.packet.type === 'tcp' && !action.packet.inbound) {
      const endUs = time.kind === 'absolute-range' ? time.endUs : time.kind === 'relative-range' ? time.endUs + base : us;
      this.expect(event, action.packet, { us, endUs, isAny: time.kind === 'any', toleranceUs: this.tolerance(us - before) });
    } else {
      // The call before must have returned: there is one thread.
      if (action.type === 'call') this.finishWaiting();
      this.waitUntil(event.line, event.time, us, this.tolerance(us - before));
      this.act(event, us - (relative ? event.time.kind === 'any' ? 0 : event.time.us : 0), relative);
    }
    this.last = { us, inbound };
  }

  private act({ line, action }: ScriptEvent, baseUs: number, relative: boolean): void {
    switch (action.type) {
      case 'packet':
        if (action.packet.type === 'icmp') this.sendIcmp(line, action.packet);
        else this.send(action.packet);
        this.progress();
        return;
      case 'call':
        this.call(action.call, line, action.call.endUs === null ? null : action.call.endUs + (relative ? baseUs : 0));
        return;
      case 'command': {
        const { config, ignored } = interpretCommand(action.text);
        this.host.configure(config);
        for (const command of ignored) this.report(line, command);
        return;
      }
      case 'code':
        this.code(action.text, line);
    }
  }

  // ---- time

  private tolerance(sinceUs: number): number {
    return Math.max(this.settings.toleranceUs, (this.settings.tolerancePercent / 100) * sinceUs);
  }

  private waitUntil(line: number, time: EventTime, us: number, toleranceUs: number): void {
    const { nowUs } = this.host;
    if (us < nowUs - toleranceUs) throw new ScriptFailure(line, `this at ${formatTime(us)}`, `${formatTime(nowUs)} when its turn came${time.kind === 'absolute' ? ', as time goes backwards or what came before took longer' : ''}`);
    this.advance(us);
  }

  /** Lets time pass; a blocking call may return on the way. */
  private advance(us: number): void {
    while (this.waiting) {
      const wakeUs = Math.min(us, this.waiting.pending.wakeUs);
      const returned = this.host.runUntil(wakeUs, () => this.progress());
      if (!returned && wakeUs < us) this.progress();
      if (wakeUs >= us && !returned) return;
    }
    this.host.runUntil(us, () => false);
  }

  // ---- calls

  private call(call: Call, line: number, endUs: number | null): void {
    const pending = beginCall({ kernel: this, call, line });
    this.waiting = { pending, call, line, endUs: endUs ?? this.host.nowUs };
    if (this.progress()) return;
    if (endUs === null) throw new ScriptFailure(line, formatResult(call), `${call.name}() still waiting (a call that blocks has its end behind '...')`);
  }

  /** Tries the call under way again. @returns whether it returned */
  private progress(): boolean {
    const { waiting } = this;
    if (!waiting) return false;
    const outcome = waiting.pending.attempt();
    this.host.settle();
    if (!outcome) return false;
    this.waiting = null;
    const { call, line, endUs } = waiting;
    checkOutcome(call, line, outcome);
    const { nowUs } = this.host;
    if (call.endUs !== null && Math.abs(nowUs - endUs) > this.settings.toleranceUs) throw new ScriptFailure(line, `${call.name}() to return at ${formatTime(endUs)}`, `its return at ${formatTime(nowUs)}`);
    return true;
  }

  private finishWaiting(): void {
    if (!this.waiting) return;
    const { call, line, endUs } = this.waiting;
    this.host.line = line;
    this.advance(Math.max(this.host.nowUs, endUs + this.settings.toleranceUs));
    if (this.waiting) throw new ScriptFailure(line, `${call.name}() to return at ${formatTime(endUs)}`, `it still waiting at ${formatTime(this.host.nowUs)}`);
  }

  // ---- packets in

  private send(spec: TcpPacketSpec): void {
    const flow = this.flowFor(spec, true);
    const isSyn = (spec.flags & SYN) !== 0;
    if (isSyn && this.opensConnection(flow)) flow.startRemote(spec.seq);
    const { localPort, remotePort } = flow.tuple;
    const before = this.host.socketOf(flow);
    this.host.inject(flow, flow.inbound(spec, remotePort, localPort), ECN_BITS[spec.ip.ecn ?? 'noecn'] ?? 0);
    // The stack decides whether a SYN takes the place of a connection in TIME-WAIT.
    if (isSyn && before?.state === 'CLOSED' && this.host.socketOf(flow)?.snapshot().irs === spec.seq) flow.startRemote(spec.seq);
  }

  /** A SYN begins the peer's numbers unless there is a connection that has them already. */
  private opensConnection(flow: Flow): boolean {
    if (!flow.hasRemoteIsn) return true;
    const state = this.host.socketOf(flow)?.state ?? 'CLOSED';
    return state === 'CLOSED' || state === 'SYN-SENT';
  }

  private sendIcmp(line: number, spec: IcmpPacketSpec): void {
    const flow = this.currentFlow ?? this.newInboundFlow();
    this.host.injectError(transportError(flow, spec, line));
  }

  /** The flow that a packet belongs to: by its ports, else the one that was opened last. */
  private flowFor({ ports }: TcpPacketSpec, inbound: boolean): Flow {
    if (!ports) {
      this.currentFlow ??= this.newInboundFlow();
      return this.currentFlow;
    }
    const { localAddress, remoteAddress } = this.settings;
    const [localPort, remotePort] = inbound ? [ports.destination, ports.source] : [ports.source, ports.destination];
    const flow = this.host.flowOf({ localAddress, localPort, remoteAddress, remotePort });
    this.currentFlow ??= flow;
    return flow;
  }

  private newInboundFlow(): Flow {
    const listening = [...this.descriptors.values()].reverse().find(({ listener }) => listener)?.listener;
    const localPort = typeof listening?.port === 'number' ? listening.port : this.settings.bindPort;
    const tuple: Tuple = { localAddress: this.settings.localAddress, localPort, remoteAddress: this.settings.remoteAddress, remotePort: this.nextRemotePort++ };
    return this.host.flowOf(tuple);
  }

  // ---- packets out

  private expect(event: ScriptEvent, spec: TcpPacketSpec, when: { us: number; endUs: number; isAny: boolean; toleranceUs: number }): void {
    const { line } = event;
    const flow = this.flowFor(spec, false);
    if (spec.flags & SYN) flow.expectSyn(spec.seq);
    const latestUs = when.isAny ? this.host.nowUs + ANY_TIME_US : Math.max(this.host.nowUs, when.endUs + when.toleranceUs);
    const whenText = when.isAny ? '' : ` at ${formatTime(when.us)}${when.endUs > when.us ? `~${formatTime(when.endUs)}` : ''}`;
    const expected = `${formatExpected(spec)}${whenText}`;
    const seen = this.nextPacket(flow, spec, latestUs);
    if (!seen) throw new ScriptFailure(line, expected, this.lookAhead(flow, latestUs));
    const differences = comparePacket(flow, spec, seen, this.settings);
    const early = seen.us < when.us - when.toleranceUs;
    if (!when.isAny && (early || seen.us > when.endUs + when.toleranceUs)) differences.push(early ? 'too early' : 'too late');
    if (differences.length > 0) throw new ScriptFailure(line, expected, `${formatSeen(flow, spec, seen)} at ${formatTime(seen.us)} (${differences.join(', ')})`);
  }

  /** The next segments of the flow, as many as make up the expected payload; one that came later is another packet. */
  private nextPacket(flow: Flow, spec: TcpPacketSpec, latestUs: number): SeenPacket | null {
    const { toleranceUs, strictSegments } = this.settings;
    const parts: Captured[] = [];
    let bytes = 0;
    for (let part = this.nextSegment(flow, latestUs); part; part = this.nextSegment(flow, part.us + toleranceUs)) {
      parts.push(part);
      bytes += part.segment.payload.length;
      if (part.segment.payload.length === 0 || bytes >= spec.payloadBytes || strictSegments) break;
    }
    return joinSegments(parts);
  }

  /** The next segment that the stack has sent, or sends, by then. */
  private nextSegment(flow: Flow, untilUs: number): Captured | null {
    // A blocking call may return, and send, on the way.
    while (flow.queue.length === 0 && untilUs >= this.host.nowUs) {
      const wakeUs = Math.min(untilUs, this.waiting?.pending.wakeUs ?? Infinity);
      const came = this.host.runUntil(wakeUs, () => {
        this.progress();
        return flow.queue.length > 0;
      });
      if (!came && wakeUs >= untilUs) break;
    }
    const [next] = flow.queue;
    if (!next || next.us > untilUs) return null;
    flow.queue.shift();
    return next;
  }

  /** Nothing came in time: what comes after, for the message. */
  private lookAhead(flow: Flow, fromUs: number): string {
    if (this.nextSegment(flow, fromUs) === null) {
      const later = this.nextSegment(flow, fromUs + LOOK_AHEAD_US);
      const seen = later && joinSegments([later]);
      if (seen) return `nothing until ${formatSeen(flow, null, seen)} at ${formatTime(seen.us)}`;
    }
    return `nothing by ${formatTime(fromUs)}`;
  }

  // ---- code

  private code(text: string, line: number): void {
    const { currentFlow } = this;
    const socket = currentFlow && (this.host.socketOf(currentFlow) ?? this.heldSocket(currentFlow));
    const snapshot = socket?.snapshot() ?? null;
    try {
      const connection = snapshot && { snapshot, traffic: currentFlow?.traffic ?? new Traffic(), nowUs: this.host.nowUs, mtu: this.host.mtu };
      const broken = runPython(text, (name) => tcpInfo(name, connection), this.variables);
      if (broken) throw new ScriptFailure(line, `assert ${broken.assertion}`, broken.values || 'it does not hold');
    } catch (error) {
      if (error instanceof ScriptFailure) throw error;
      if (!snapshot) throw new ScriptFailure(line, 'a connection for this code', 'none');
      if (error instanceof PythonError) throw new ScriptFailure(line, 'code that Python can run', error.message);
      throw error;
    }
  }

  /** A closed connection has left the stack's tables, but a descriptor may still hold it. */
  private heldSocket({ tuple }: Flow): ReturnType<Host['socketOf']> {
    for (const { socket } of this.descriptors.values()) if (socket?.localPort === tuple.localPort && socket.remotePort === tuple.remotePort) return socket;
    return null;
  }
}

function checkOutcome(call: Call, line: number, outcome: Outcome): void {
  const expected = optionalNumber(call.result, line);
  const sameValue = expected === null || expected === outcome.value;
  const sameErrno = call.errno === null || call.errno === outcome.errno || (call.errno === 'EWOULDBLOCK' && outcome.errno === 'EAGAIN');
  if (!sameValue || !sameErrno || (expected !== null && expected >= 0 && outcome.errno !== null)) {
    throw new ScriptFailure(line, formatResult(call), `${call.name}() = ${outcome.value}${outcome.errno ? ` ${outcome.errno}` : ''}`);
  }
  if (outcome.mismatch) throw new ScriptFailure(line, outcome.mismatch.expected, outcome.mismatch.seen);
}

function formatResult(call: Call): string {
  return `${call.name}() = ${describe(call.result)}${call.errno ? ` ${call.errno}` : ''}`;
}
