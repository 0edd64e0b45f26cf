/** Packets in packetdrill's notation, which follows tcpdump's. */
import { AE, FLAG_BITS, type EcnSpec, type IcmpPacketSpec, type IpInfo, type PacketSpec, type Ports, type TcpOption } from './ast';
import { CODE_FRAGMENTATION_NEEDED, ICMP_TYPES, ICMP_UNREACHABLE, ICMP_UNREACHABLE_CODES } from './icmp-names';
import { optionBytes } from '../wire/tcp-codec';
import type { TokenStream } from './token-stream';

const ECN: readonly EcnSpec[] = ['noecn', 'ect0', 'ect1', 'ce', 'ect01'];
/** Encapsulations, and transports other than TCP. */
const FOREIGN = ['ipv4', 'ipv6', 'gre', 'GREv0', 'mpls', 'udp', 'udplite', 'sctp'];
const FAST_OPEN_KIND = 34;
const EXPERIMENTAL_KIND = 254;
/** RFC 7413 appendix: Fast Open's experiment identifier. */
const FAST_OPEN_MAGIC = [0xf9, 0x89];
/** An IPv4 packet's most, less the least headers. */
const MAX_PAYLOAD = 65_535 - 40;

/** At `<` or `>`. */
export function parsePacket(tokens: TokenStream): PacketSpec {
  const inbound = tokens.next().text === '<';
  for (const word of FOREIGN) if (tokens.is(word)) tokens.unsupported(`packet ${word}`);
  let quotedSeq: number | null = null;
  let ip: IpInfo = { ecn: null, tos: null, ttl: null };
  if (tokens.is('[') && tokens.kindIs('integer', 1)) quotedSeq = parseQuoted(tokens);
  else if (tokens.is('[') || tokens.is('(')) ip = parseIpInfo(tokens, inbound);
  for (const word of FOREIGN) if (tokens.is(word)) tokens.unsupported(`packet ${word}`);
  if (tokens.is('icmp')) return parseIcmp(tokens, inbound, quotedSeq);
  if (quotedSeq !== null) tokens.fail('icmp');
  return parseTcp(tokens, inbound, ip);
}

function parseIpInfo(tokens: TokenStream, inbound: boolean): IpInfo {
  const close = tokens.next().text === '[' ? ']' : ')';
  let ecn: EcnSpec | null = null;
  let tos: number | null = null;
  let ttl: number | null = null;
  do {
    const token = tokens.peek();
    const named = ECN.find((name) => name === token.text);
    if (named) {
      ecn = named;
      if (ecn === 'ect01' && inbound) tokens.failAt(token, '[ect01] in outbound packets only', 'an inbound packet');
      tokens.next();
    } else if (tokens.accept('tos')) tos = tokens.takeInteger('a TOS byte', 0, 255);
    else if (tokens.accept('ttl')) ttl = tokens.takeInteger('a TTL', 1, 255);
    else if (tokens.is('flowlabel')) tokens.unsupported('IPv6 flow label');
    else tokens.fail('noecn, ect0, ect1, ect01, ce, tos or ttl');
  } while (tokens.accept(','));
  tokens.take(close);
  return { ecn, tos, ttl };
}

function parseTcp(tokens: TokenStream, inbound: boolean, ip: IpInfo): PacketSpec {
  let ports: Ports | null = null;
  if (tokens.kindIs('integer') && tokens.is('>', 1)) {
    const source = tokens.takeInteger('a port', 1, 0xffff);
    tokens.next();
    ports = { source, destination: tokens.takeInteger('a port', 1, 0xffff) };
  }
  const flags = parseFlags(tokens);
  if (!inbound && flags & AE) tokens.unsupported('AccECN, flag A');
  const { seq, payloadBytes } = parseSequence(tokens);
  const ack = tokens.accept('ack') ? tokens.takeInteger('an acknowledgment number') : 0;
  let window: number | null = null;
  if (tokens.accept('win')) window = tokens.takeInteger('a window', 0, 0xffff);
  else if (inbound) tokens.fail("'win' and a window, which an inbound packet must have");
  const urgent = tokens.accept('urg') ? tokens.takeInteger('an urgent pointer', 0, 0xffff) : 0;
  const options = tokens.is('<') ? parseOptions(tokens, inbound) : [];
  if (tokens.is('{')) tokens.unsupported('mutation of a packet { … }');
  return { type: 'tcp', inbound, ip, ports, flags, seq, payloadBytes, ack, window, urgent, options };
}

function parseFlags(tokens: TokenStream): number {
  const first = tokens.peek();
  if (tokens.accept('-')) return 0;
  if (tokens.kindIs('float')) tokens.unsupported('AccECN counter in the flags');
  let text = tokens.kindIs('word') ? tokens.next().text : '';
  if (/^[FSRPUEWA]*[0-7]$/.test(text)) tokens.unsupported('AccECN counter in the flags');
  const last = tokens.peek();
  if (text && last.start === first.end && last.kind === 'float') tokens.unsupported('AccECN counter in the flags');
  if (tokens.accept('.')) text += '.';
  if (!text) tokens.fail('flags');
  let flags = 0;
  for (const char of text) flags |= FLAG_BITS[char] ?? tokens.failAt(first, 'flags out of F S R P U E W A .', `'${text.slice(0, 40)}'`);
  return flags;
}

function parseSequence(tokens: TokenStream): { seq: number; payloadBytes: number } {
  const at = tokens.peek();
  const seq = tokens.takeInteger('a sequence number');
  tokens.take(':');
  const end = tokens.takeInteger('the sequence number of the end');
  tokens.take('(');
  const payloadBytes = tokens.takeInteger('a number of bytes', 0, MAX_PAYLOAD);
  tokens.take(')');
  const right = seq + payloadBytes;
  // Either as plain numbers or modulo 2³².
  if (end !== right && end !== right % 0x1_0000_0000) tokens.failAt(at, `the end ${right} for ${payloadBytes} bytes from ${seq}`, `${end}`);
  return { seq, payloadBytes };
}

function parseOptions(tokens: TokenStream, inbound: boolean): TcpOption[] | null {
  const open = tokens.next();
  if (tokens.kindIs('ellipsis')) {
    if (inbound) tokens.failAt(open, '<...> in outbound packets only', 'an inbound packet');
    tokens.next();
    tokens.take('>');
    return null;
  }
  const options: TcpOption[] = [];
  do options.push(parseOption(tokens));
  while (tokens.accept(','));
  tokens.take('>');
  const bytes = options.reduce((sum, option) => sum + optionBytes(option), 0);
  if (bytes > 40) tokens.failAt(open, 'at most 40 bytes of options', `${bytes}`);
  if (bytes % 4) tokens.failAt(open, 'options padded with nop or eol to a multiple of 4 bytes', `${bytes} bytes`);
  return options;
}

function parseOption(tokens: TokenStream): TcpOption {
  const token = tokens.takeKind('word', 'a TCP option');
  switch (token.text) {
    case 'nop':
    case 'eol':
    case 'sackOK':
      return { kind: token.text };
    case 'mss':
      return { kind: 'mss', bytes: tokens.takeInteger('an MSS', 0, 0xffff) };
    case 'wscale':
      return { kind: 'wscale', shift: tokens.takeInteger('a shift', 0, 0xff) };
    case 'sack': {
      const edges: number[] = [];
      do {
        edges.push(tokens.takeInteger('the left edge of a block'));
        tokens.take(':');
        edges.push(tokens.takeInteger('the right edge of a block'));
      } while (tokens.kindIs('integer'));
      return { kind: 'sack', edges };
    }
    case 'TS': {
      tokens.take('val');
      const val = tokens.takeInteger('a timestamp');
      tokens.take('ecr');
      return { kind: 'TS', val, ecr: tokens.takeInteger('an echoed timestamp') };
    }
    case 'FO':
      return { kind: 'other', number: FAST_OPEN_KIND, data: Uint8Array.from(parseHex(tokens)) };
    case 'FOEXP':
      return { kind: 'other', number: EXPERIMENTAL_KIND, data: Uint8Array.from([...FAST_OPEN_MAGIC, ...parseHex(tokens)]) };
    default:
      return tokens.unsupported(`TCP option ${token.text.slice(0, 40)}`);
  }
}

/** Bytes as hexadecimal digits, or nothing. */
function parseHex(tokens: TokenStream): number[] {
  if (!tokens.kindIs('word') && !tokens.kindIs('integer') && !tokens.kindIs('hex')) return [];
  const token = tokens.next();
  const digits = token.text.replace(/^0x/, '');
  // A name that packetdrill has filled in from its command line.
  if (token.kind === 'word' && /^[A-Z_]*[G-Z_]/.test(digits)) tokens.unsupported(`Fast Open cookie ${token.text.slice(0, 40)}`);
  if (!/^([0-9a-fA-F]{2})+$/.test(digits)) tokens.failAt(token, 'pairs of hexadecimal digits', `'${token.text.slice(0, 60)}'`);
  return (digits.match(/../g) ?? []).map((pair) => parseInt(pair, 16));
}

/** `[1:1461(1460)]`: the segment that an ICMP error quotes. */
function parseQuoted(tokens: TokenStream): number {
  tokens.take('[');
  if (tokens.is('udp') || tokens.is('raw')) tokens.unsupported(`ICMP about ${tokens.peek().text}`);
  const { seq } = parseSequence(tokens);
  tokens.take(']');
  return seq;
}

function parseIcmp(tokens: TokenStream, inbound: boolean, quotedBefore: number | null): IcmpPacketSpec {
  if (!inbound) tokens.unsupported('outbound icmp packet');
  tokens.next();
  const typeToken = tokens.takeKind('word', 'an ICMP type');
  const icmpType = ICMP_TYPES.get(typeToken.text) ?? numbered(typeToken.text, 'type_') ?? tokens.failAt(typeToken, 'an ICMP type', `'${typeToken.text.slice(0, 40)}'`);
  let code = 0;
  if (tokens.kindIs('word') && !tokens.is('mtu') && !tokens.is('id')) {
    const codeToken = tokens.next();
    const known = icmpType === ICMP_UNREACHABLE ? ICMP_UNREACHABLE_CODES.get(codeToken.text) : undefined;
    code = known ?? numbered(codeToken.text, 'code_') ?? tokens.failAt(codeToken, 'an ICMP code', `'${codeToken.text.slice(0, 40)}'`);
  }
  let mtu: number | null = null;
  if (tokens.is('mtu')) {
    const at = tokens.next();
    mtu = tokens.takeInteger('an MTU', 0, 0xffff);
    if (icmpType !== ICMP_UNREACHABLE || code !== CODE_FRAGMENTATION_NEEDED) tokens.failAt(at, 'an MTU only with unreachable frag_needed', `mtu ${mtu}`);
  }
  if (tokens.is('id')) tokens.unsupported('ICMP echo');
  const quotedSeq = quotedBefore ?? (tokens.is('[') ? parseQuoted(tokens) : 0);
  return { type: 'icmp', icmpType, code, mtu, quotedSeq };
}

function numbered(text: string, prefix: string): number | null {
  const match = new RegExp(`^${prefix}(\\d{1,3})$`).exec(text);
  const value = Number(match?.[1] ?? NaN);
  return value <= 255 ? value : null;
}
