/** Packets, times and results back into the notation, for messages. */
import { FLAG_BITS, type EcnSpec, type TcpOption } from './ast';

/** Order in which tcpdump and packetdrill write flags. */
const FLAG_ORDER = 'FSRPUEWA.';

/** What both an expected and a seen packet have. Sequence numbers in the script's terms. */
export interface Described {
  readonly flags: number;
  readonly seq: number;
  readonly payloadBytes: number;
  readonly ack: number;
  readonly window: number | null;
  readonly urgent: number;
  readonly options: readonly TcpOption[] | null;
  readonly ecn?: EcnSpec | null;
}

export function formatPacket(packet: Described): string {
  const parts = ['>'];
  if (packet.ecn && packet.ecn !== 'noecn') parts.push(`[${packet.ecn}]`);
  parts.push(formatFlags(packet.flags));
  parts.push(`${packet.seq}:${(packet.seq + packet.payloadBytes) % 0x1_0000_0000}(${packet.payloadBytes})`);
  if (packet.flags & (FLAG_BITS['.'] ?? 0)) parts.push(`ack ${packet.ack}`);
  if (packet.window !== null) parts.push(`win ${packet.window}`);
  if (packet.urgent) parts.push(`urg ${packet.urgent}`);
  if (!packet.options) parts.push('<...>');
  else if (packet.options.length > 0) parts.push(formatOptions(packet.options));
  return parts.join(' ');
}

export function formatFlags(flags: number): string {
  return [...FLAG_ORDER].filter((char) => flags & (FLAG_BITS[char] ?? 0)).join('') || '-';
}

export function formatOptions(options: readonly TcpOption[]): string {
  return `<${options.map(formatOption).join(',')}>`;
}

function formatOption(option: TcpOption): string {
  switch (option.kind) {
    case 'nop':
    case 'eol':
    case 'sackOK':
      return option.kind;
    case 'mss':
      return `mss ${option.bytes}`;
    case 'wscale':
      return `wscale ${option.shift}`;
    case 'TS':
      return `TS val ${option.val} ecr ${option.ecr}`;
    case 'sack': {
      const blocks: string[] = [];
      for (let edge = 0; edge < option.edges.length; edge += 2) blocks.push(`${option.edges[edge] ?? 0}:${option.edges[edge + 1] ?? 0}`);
      return `sack ${blocks.join(' ')}`;
    }
    case 'other':
      return `option ${option.number} ${Buffer.from(option.data).toString('hex')}`.trimEnd();
  }
}

/** @returns `0.104 s`, as exact as a microsecond */
export function formatTime(us: number): string {
  return `${Number((us / 1e6).toFixed(6))} s`;
}
