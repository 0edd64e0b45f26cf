/** Where the fields of a frame lie, as its own headers tell, and how its lengths and checksums are made right. */

export interface Field {
  readonly name: string;
  readonly at: number;
  /** Bytes: 1, 2 or 4. */
  readonly size: number;
}

const ETHERNET = 14;
const [ICMP, TCP, UDP] = [1, 6, 17];

function u16(frame: Uint8Array, at: number): number {
  return ((frame[at] ?? 0) << 8) | (frame[at + 1] ?? 0);
}

function put16(frame: Uint8Array, at: number, value: number): void {
  if (at + 1 >= frame.length) return;
  frame[at] = value >>> 8;
  frame[at + 1] = value & 0xff;
}

/** Names with their sizes, one after another from `at` on: as far as the frame reaches. */
function consecutive(frame: Uint8Array, at: number, layout: readonly (readonly [string, number])[]): Field[] {
  const fields: Field[] = [];
  let next = at;
  for (const [name, size] of layout) {
    if (next + size <= frame.length) fields.push({ name, at: next, size });
    next += size;
  }
  return fields;
}

export interface Layout {
  readonly isArp: boolean;
  readonly isIpv4: boolean;
  readonly isFragment: boolean;
  readonly protocol: number;
  /** Offsets; the transport header's is the frame's length where there is none. */
  readonly transportAt: number;
  readonly payloadAt: number;
}

export function layoutOf(frame: Uint8Array): Layout {
  const type = frame.length >= ETHERNET ? u16(frame, 12) : 0;
  const isIpv4 = type === 0x0800 && frame.length >= ETHERNET + 20;
  const transportAt = isIpv4 ? Math.min(frame.length, ETHERNET + 4 * ((frame[ETHERNET] ?? 0) & 15)) : frame.length;
  const protocol = isIpv4 ? (frame[ETHERNET + 9] ?? 0) : 0;
  const headerBytes = protocol === TCP ? 4 * ((frame[transportAt + 12] ?? 0) >>> 4) : 8;
  return {
    isArp: type === 0x0806,
    isIpv4,
    isFragment: isIpv4 && (u16(frame, ETHERNET + 6) & 0x3fff) !== 0,
    protocol,
    transportAt,
    payloadAt: Math.min(frame.length, transportAt + headerBytes),
  };
}

/** Every field that a mutation may aim at, and the first bytes of the payload: DNS and DHCP have their headers there. */
export function fieldsOf(frame: Uint8Array): Field[] {
  const { isArp, isIpv4, protocol, transportAt, payloadAt } = layoutOf(frame);
  const fields = consecutive(frame, 0, [['destination MAC', 4], ['destination MAC', 2], ['source MAC', 4], ['source MAC', 2], ['type', 2]]);
  if (isArp) {
    fields.push(...consecutive(frame, ETHERNET, [
      ['hardware', 2], ['protocol', 2], ['hardware length', 1], ['protocol length', 1], ['operation', 2], ['sender MAC', 4], ['sender MAC', 2], ['sender address', 4],
      ['target MAC', 4], ['target MAC', 2], ['target address', 4],
    ]));
  }
  if (!isIpv4) return fields;
  fields.push(...consecutive(frame, ETHERNET, [
    ['version and length', 1], ['traffic class', 1], ['total length', 2], ['identification', 2], ['flags and offset', 2], ['TTL', 1], ['protocol', 1], ['checksum', 2],
    ['source', 4], ['destination', 4],
  ]));
  if (protocol === TCP) {
    fields.push(...consecutive(frame, transportAt, [
      ['source port', 2], ['destination port', 2], ['sequence number', 4], ['acknowledgment', 4], ['data offset', 1], ['flags', 1], ['window', 2], ['checksum', 2], ['urgent', 2],
    ]));
    for (let at = transportAt + 20; at < payloadAt; at++) fields.push({ name: 'option byte', at, size: 1 });
  } else if (protocol === UDP) {
    fields.push(...consecutive(frame, transportAt, [['source port', 2], ['destination port', 2], ['length', 2], ['checksum', 2]]));
    for (let at = payloadAt; at < Math.min(frame.length, payloadAt + 300); at++) fields.push({ name: 'message byte', at, size: 1 });
  } else if (protocol === ICMP) {
    fields.push(...consecutive(frame, transportAt, [['type', 1], ['code', 1], ['checksum', 2], ['rest', 2], ['rest', 2]]));
    for (let at = payloadAt; at < Math.min(frame.length, payloadAt + 40); at++) fields.push({ name: 'quoted byte', at, size: 1 });
  }
  return fields;
}

/** RFC 1071 §1, plainly: not the stack's own. */
function sum(frame: Uint8Array, from: number, to: number, start = 0): number {
  let total = start;
  for (let at = from; at < to; at += 2) total += ((frame[at] ?? 0) << 8) | (at + 1 < to ? (frame[at + 1] ?? 0) : 0);
  return total;
}

function fold(total: number): number {
  let folded = total;
  while (folded > 0xffff) folded = (folded & 0xffff) + Math.floor(folded / 0x1_0000);
  return ~folded & 0xffff;
}

/** Makes the lengths of the headers fit the frame. */
export function repairLengths(frame: Uint8Array): void {
  const { isIpv4, isFragment, protocol, transportAt } = layoutOf(frame);
  if (!isIpv4) return;
  put16(frame, ETHERNET + 2, frame.length - ETHERNET);
  if (protocol === UDP && !isFragment) put16(frame, transportAt + 4, frame.length - transportAt);
}

/** Makes the checksums right, so that what is wrong with the frame gets past them. */
export function repairChecksums(frame: Uint8Array): void {
  const { isIpv4, isFragment, protocol, transportAt } = layoutOf(frame);
  if (!isIpv4) return;
  put16(frame, ETHERNET + 10, 0);
  put16(frame, ETHERNET + 10, fold(sum(frame, ETHERNET, transportAt)));
  const end = Math.min(frame.length, ETHERNET + u16(frame, ETHERNET + 2));
  const checksumAt = transportAt + (protocol === TCP ? 16 : protocol === UDP ? 6 : 2);
  if (isFragment || checksumAt + 2 > end || ![ICMP, TCP, UDP].includes(protocol)) return;
  put16(frame, checksumAt, 0);
  const pseudo = protocol === ICMP ? 0 : sum(frame, ETHERNET + 12, ETHERNET + 20, protocol + end - transportAt);
  put16(frame, checksumAt, fold(sum(frame, transportAt, end, pseudo)));
}
