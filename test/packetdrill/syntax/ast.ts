/** A parsed script. Times are microseconds, sequence numbers as the script has them. */

/** The segment's flags beside their bits in the header's 13th and 14th byte; AE is RFC 9768's, once NS. */
export const FLAG_BITS: Readonly<Record<string, number>> = { F: 0x001, S: 0x002, R: 0x004, P: 0x008, '.': 0x010, U: 0x020, E: 0x040, W: 0x080, A: 0x100 };
export const FIN = 0x001;
export const SYN = 0x002;
export const RST = 0x004;
export const PSH = 0x008;
export const ACK = 0x010;
export const URG = 0x020;
export const ECE = 0x040;
export const CWR = 0x080;
export const AE = 0x100;

export type TcpOption =
  | { readonly kind: 'nop' }
  | { readonly kind: 'eol' }
  | { readonly kind: 'mss'; readonly bytes: number }
  | { readonly kind: 'wscale'; readonly shift: number }
  | { readonly kind: 'sackOK' }
  /** Left and right edges in turn. */
  | { readonly kind: 'sack'; readonly edges: readonly number[] }
  | { readonly kind: 'TS'; readonly val: number; readonly ecr: number }
  /** Any other: its number and the bytes behind its length. */
  | { readonly kind: 'other'; readonly number: number; readonly data: Uint8Array };

/** What a script says of the ECN field, or null: nothing. `ect01` is either of the two, in outbound packets. */
export type EcnSpec = 'noecn' | 'ect0' | 'ect1' | 'ce' | 'ect01';

export interface IpInfo {
  readonly ecn: EcnSpec | null;
  /** The whole TOS byte, or null. */
  readonly tos: number | null;
  readonly ttl: number | null;
}

export interface Ports {
  readonly source: number;
  readonly destination: number;
}

export interface TcpPacketSpec {
  readonly type: 'tcp';
  readonly inbound: boolean;
  readonly ip: IpInfo;
  readonly ports: Ports | null;
  readonly flags: number;
  readonly seq: number;
  readonly payloadBytes: number;
  readonly ack: number;
  /** The field as it stands, not scaled; null: not checked. */
  readonly window: number | null;
  readonly urgent: number;
  /** null: not checked. */
  readonly options: readonly TcpOption[] | null;
}

/** An ICMP error about a segment of the stack's, which only comes in. */
export interface IcmpPacketSpec {
  readonly type: 'icmp';
  readonly icmpType: number;
  readonly code: number;
  readonly mtu: number | null;
  /** Sequence number of the quoted segment. */
  readonly quotedSeq: number;
}

export type PacketSpec = TcpPacketSpec | IcmpPacketSpec;

export type Expression =
  | { readonly type: 'ellipsis' }
  | { readonly type: 'number'; readonly value: number }
  | { readonly type: 'word'; readonly name: string }
  | { readonly type: 'string'; readonly text: string }
  | { readonly type: 'or'; readonly terms: readonly Expression[] }
  | { readonly type: 'list'; readonly items: readonly Expression[] }
  | { readonly type: 'struct'; readonly fields: readonly Field[] }
  /** htons(…), inet_addr(…) and the like. */
  | { readonly type: 'apply'; readonly name: string; readonly items: readonly Expression[] };

export interface Field {
  /** '' for a field without a name. */
  readonly name: string;
  readonly value: Expression;
}

export interface Call {
  readonly name: string;
  readonly args: readonly Expression[];
  readonly result: Expression;
  /** The errno's name, or null. */
  readonly errno: string | null;
  /** Of a call that blocks: when it returns, µs; on the same footing as the event's own time. */
  readonly endUs: number | null;
}

export type EventTime =
  | { readonly kind: 'absolute'; readonly us: number }
  | { readonly kind: 'relative'; readonly us: number }
  | { readonly kind: 'absolute-range'; readonly us: number; readonly endUs: number }
  | { readonly kind: 'relative-range'; readonly us: number; readonly endUs: number }
  | { readonly kind: 'any' };

export type Action =
  | { readonly type: 'packet'; readonly packet: PacketSpec }
  | { readonly type: 'call'; readonly call: Call }
  | { readonly type: 'command'; readonly text: string }
  | { readonly type: 'code'; readonly text: string };

export interface ScriptEvent {
  readonly line: number;
  readonly time: EventTime;
  readonly action: Action;
}

export interface ScriptOption {
  readonly line: number;
  readonly name: string;
  readonly value: string | null;
}

export interface Command {
  readonly line: number;
  readonly text: string;
}

export interface Script {
  readonly options: readonly ScriptOption[];
  /** Before the first and behind the last event. */
  readonly initCommands: readonly Command[];
  readonly cleanupCommands: readonly Command[];
  readonly events: readonly ScriptEvent[];
}
