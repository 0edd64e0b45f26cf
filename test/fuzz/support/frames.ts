/**
 * Frames for fuzzing: built field by field with checksums that hold, so that they get past the first
 * check, then spoilt in places. The checksum here is the plain definition (RFC 1071), not the stack's.
 */
import fc from 'fast-check';

export const OUR_MAC = Uint8Array.of(2, 0, 0, 0, 0, 1);
export const PEER_MAC = Uint8Array.of(2, 0, 0, 0, 0, 2);
export const OUR_ADDRESS = 0x0a00_0001;
export const PEER_ADDRESS = 0x0a00_0002;

function u16(value: number): number[] {
  return [(value >>> 8) & 0xff, value & 0xff];
}

function u32(value: number): number[] {
  return [...u16(value >>> 16), ...u16(value)];
}

/** RFC 1071 §1: the ones' complement of the ones' complement sum. */
export function checksum(bytes: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += ((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}

function withChecksum(bytes: readonly number[], at: number, before: readonly number[] = []): number[] {
  const out = [...bytes];
  [out[at], out[at + 1]] = [0, 0];
  const [high = 0, low = 0] = u16(checksum([...before, ...out]));
  [out[at], out[at + 1]] = [high, low];
  return out;
}

export interface Ipv4Parts {
  readonly protocol: number;
  readonly source: number;
  readonly destination: number;
  readonly payload: readonly number[];
  readonly options?: readonly number[];
  readonly identification?: number;
  /** Flags and offset together, as on the wire. */
  readonly fragment?: number;
  readonly ttl?: number;
}

export function ipv4(parts: Ipv4Parts): number[] {
  const options = parts.options ?? [];
  const padded = [...options, ...Array.from({ length: (4 - (options.length % 4)) % 4 }, () => 0)];
  const headerBytes = 20 + padded.length;
  const header = [
    0x40 | (headerBytes / 4), 0, ...u16(headerBytes + parts.payload.length), ...u16(parts.identification ?? 1), ...u16(parts.fragment ?? 0),
    parts.ttl ?? 64, parts.protocol, 0, 0, ...u32(parts.source), ...u32(parts.destination), ...padded,
  ];
  return [...withChecksum(header, 10), ...parts.payload];
}

function pseudoHeader(source: number, destination: number, protocol: number, length: number): number[] {
  return [...u32(source), ...u32(destination), 0, protocol, ...u16(length)];
}

export interface TcpParts {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly seq: number;
  readonly ack: number;
  readonly flags: number;
  readonly window: number;
  readonly options: readonly number[];
  readonly payload: readonly number[];
}

export function tcp(source: number, destination: number, parts: TcpParts): number[] {
  const padded = [...parts.options, ...Array.from({ length: (4 - (parts.options.length % 4)) % 4 }, () => 0)].slice(0, 40);
  const bytes = [
    ...u16(parts.sourcePort), ...u16(parts.destinationPort), ...u32(parts.seq), ...u32(parts.ack), (5 + padded.length / 4) << 4, parts.flags,
    ...u16(parts.window), 0, 0, 0, 0, ...padded, ...parts.payload,
  ];
  return withChecksum(bytes, 16, pseudoHeader(source, destination, 6, bytes.length));
}

export function udp(source: number, destination: number, sourcePort: number, destinationPort: number, data: readonly number[]): number[] {
  const bytes = [...u16(sourcePort), ...u16(destinationPort), ...u16(8 + data.length), 0, 0, ...data];
  return withChecksum(bytes, 6, pseudoHeader(source, destination, 17, bytes.length));
}

export function icmp(type: number, code: number, rest: number, body: readonly number[]): number[] {
  return withChecksum([type, code, 0, 0, ...u32(rest), ...body], 2);
}

export function arp(operation: number, sender: readonly number[], senderAddress: number, target: readonly number[], targetAddress: number): number[] {
  return [0, 1, 8, 0, 6, 4, ...u16(operation), ...sender, ...u32(senderAddress), ...target, ...u32(targetAddress)];
}

export function ethernet(destination: Iterable<number>, source: Iterable<number>, type: number, payload: readonly number[]): Uint8Array {
  return Uint8Array.from([...destination, ...source, ...u16(type), ...payload]);
}

const byte = fc.nat({ max: 255 });
const bytes = (max: number): fc.Arbitrary<number[]> => fc.array(byte, { maxLength: max });
const port = fc.oneof(fc.constantFrom(80, 5_353, 68, 67, 53), fc.nat({ max: 0xffff }));
const word = fc.oneof(fc.constantFrom(0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff), fc.nat({ max: 0xffff_ffff }));
const address = fc.oneof(
  { weight: 8, arbitrary: fc.constant(PEER_ADDRESS) },
  { weight: 1, arbitrary: fc.constantFrom(OUR_ADDRESS, 0, 0xffff_ffff, 0x7f00_0001, 0xe000_0001, 0x0a00_00ff, 0x0a00_0000) },
  { weight: 1, arbitrary: fc.nat({ max: 0xffff_ffff }) },
);
const toUs = fc.oneof({ weight: 9, arbitrary: fc.constant(OUR_ADDRESS) }, { weight: 1, arbitrary: address });

const tcpOption = fc.oneof(
  fc.constantFrom([0], [1], [2, 4, 5, 180], [2, 4, 0, 0], [3, 3, 7], [3, 3, 255], [4, 2], [8, 10, 0, 0, 0, 1, 0, 0, 0, 0], [5, 10, 0, 0, 0, 9, 0, 0, 0, 1]),
  fc.constantFrom([2], [2, 0], [2, 40, 1], [5, 255], [254, 1], [8, 9]),
  bytes(12),
);

const tcpParts = fc.record({
  sourcePort: port, destinationPort: port, seq: word, ack: word, flags: byte, window: fc.nat({ max: 0xffff }),
  options: fc.array(tcpOption, { maxLength: 5 }).map((options) => options.flat().slice(0, 40)),
  payload: bytes(40),
});

/** The IPv4 payload for a protocol, sound as far as lengths and checksums go. */
function transport(source: number, destination: number): fc.Arbitrary<{ protocol: number; payload: number[] }> {
  return fc.oneof(
    { weight: 4, arbitrary: tcpParts.map((parts) => ({ protocol: 6, payload: tcp(source, destination, parts) })) },
    { weight: 2, arbitrary: fc.tuple(port, port, bytes(300)).map(([from, to, data]) => ({ protocol: 17, payload: udp(source, destination, from, to, data) })) },
    {
      weight: 2,
      arbitrary: fc.tuple(fc.oneof(fc.constantFrom(0, 3, 4, 5, 8, 11, 12), byte), fc.nat({ max: 16 }), word, fc.oneof(bytes(60), quotedPacket())).map(
        ([type, code, rest, body]) => ({ protocol: 1, payload: icmp(type, code, rest, body) }),
      ),
    },
    { weight: 1, arbitrary: fc.tuple(byte, bytes(60)).map(([protocol, payload]) => ({ protocol, payload })) },
  );
}

/** What an ICMP error quotes: as if we had sent it. */
function quotedPacket(): fc.Arbitrary<number[]> {
  return fc.tuple(tcpParts, fc.constantFrom(6, 17, 1), fc.nat({ max: 60 })).map(([parts, protocol, cut]) =>
    ipv4({ protocol, source: OUR_ADDRESS, destination: PEER_ADDRESS, payload: tcp(OUR_ADDRESS, PEER_ADDRESS, parts) }).slice(0, 28 + cut),
  );
}

const packet = fc
  .tuple(address, toUs)
  .chain(([source, destination]) =>
    fc.tuple(
      transport(source, destination),
      fc.record({
        options: fc.oneof({ weight: 4, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: bytes(40) }),
        identification: fc.nat({ max: 3 }),
        fragment: fc.oneof({ weight: 6, arbitrary: fc.constantFrom(0, 0x4000) }, { weight: 1, arbitrary: fc.constantFrom(0x2000, 0x2001, 0x0001, 0x0002, 0x1fff, 0x3fff) }, { weight: 1, arbitrary: fc.nat({ max: 0xffff }) }),
        ttl: byte,
      }),
    ).map(([body, fields]) => ipv4({ source, destination, ...body, ...fields })),
  );

const arpPacket = fc
  .tuple(fc.oneof(fc.constantFrom(1, 2), fc.nat({ max: 0xffff })), fc.oneof(fc.constant([...PEER_MAC]), fc.array(byte, { minLength: 6, maxLength: 6 })), address, fc.array(byte, { minLength: 6, maxLength: 6 }), toUs)
  .map(([operation, sender, senderAddress, target, targetAddress]) => arp(operation, sender, senderAddress, target, targetAddress));

const destinationMac = fc.oneof(
  { weight: 8, arbitrary: fc.constant([...OUR_MAC]) },
  { weight: 2, arbitrary: fc.constant([255, 255, 255, 255, 255, 255]) },
  { weight: 1, arbitrary: fc.array(byte, { minLength: 6, maxLength: 6 }) },
);
const sourceMac = fc.oneof({ weight: 8, arbitrary: fc.constant([...PEER_MAC]) }, { weight: 1, arbitrary: fc.array(byte, { minLength: 6, maxLength: 6 }) });

const soundFrame = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(destinationMac, sourceMac, packet).map(([to, from, payload]) => ethernet(to, from, 0x0800, payload)) },
  { weight: 2, arbitrary: fc.tuple(destinationMac, sourceMac, arpPacket).map(([to, from, payload]) => ethernet(to, from, 0x0806, payload)) },
  { weight: 1, arbitrary: fc.tuple(destinationMac, sourceMac, fc.nat({ max: 0xffff }), bytes(60)).map(([to, from, type, payload]) => ethernet(to, from, type, payload)) },
);

type Damage = { readonly kind: 'none' } | { readonly kind: 'cut'; readonly to: number } | { readonly kind: 'flip'; readonly at: number; readonly bit: number } | { readonly kind: 'pad'; readonly by: number };

const damage: fc.Arbitrary<Damage> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Damage>({ kind: 'none' }) },
  { weight: 1, arbitrary: fc.nat({ max: 120 }).map((to): Damage => ({ kind: 'cut', to })) },
  { weight: 1, arbitrary: fc.record({ at: fc.nat({ max: 120 }), bit: fc.nat({ max: 7 }) }).map(({ at, bit }): Damage => ({ kind: 'flip', at, bit })) },
  { weight: 1, arbitrary: fc.nat({ max: 40 }).map((by): Damage => ({ kind: 'pad', by })) },
);

function spoil(frame: Uint8Array, how: Damage): Uint8Array {
  switch (how.kind) {
    case 'none':
      return frame;
    case 'cut':
      return frame.slice(0, how.to);
    case 'flip': {
      const out = frame.slice();
      const at = how.at % out.length;
      out[at] = (out[at] ?? 0) ^ (1 << how.bit);
      return out;
    }
    case 'pad':
      return Uint8Array.from([...frame, ...Array.from({ length: how.by }, () => 0xa5)]);
  }
}

/** Frames of every kind: most sound, some spoilt, some of random bytes. */
export const anyFrame: fc.Arbitrary<Uint8Array> = fc.oneof(
  { weight: 9, arbitrary: fc.tuple(soundFrame, damage).map(([frame, how]) => spoil(frame, how)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) },
);
