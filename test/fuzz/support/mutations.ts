/** What is done to a real frame before the stack gets it. */
import fc from 'fast-check';
import { fieldsOf, layoutOf, repairChecksums, repairLengths } from './frame-layout';

export type Mutation =
  | { readonly kind: 'flip'; readonly at: number; readonly bit: number }
  | { readonly kind: 'cut'; readonly to: number }
  | { readonly kind: 'grow'; readonly bytes: Uint8Array }
  /** Sets one of the frame's fields, or adds to it: `which` counts the fields, round and round. */
  | { readonly kind: 'set' | 'add'; readonly which: number; readonly value: number }
  /** Puts other TCP or IPv4 options in place of those that are there. */
  | { readonly kind: 'tcp-options' | 'ipv4-options'; readonly bytes: Uint8Array }
  | { readonly kind: 'flags'; readonly value: number };

export interface Recipe {
  readonly mutations: readonly Mutation[];
  readonly lengths: boolean;
  readonly checksums: boolean;
}

/** No frame gets longer than that: the link could not carry it. */
const MAX_FRAME_BYTES = 1_514;

const byte = fc.nat({ max: 255 });
const edge = fc.constantFrom(0, 1, 2, 3, 4, 5, 6, 8, 20, 40, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff);
const step = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.integer({ min: -3_000, max: 3_000 }), fc.constantFrom(0x1_0000, -0x1_0000, 0x4000_0000, -0x4000_0000));
const which = fc.nat({ max: 0xffff });

const tcpOption = fc.oneof(
  fc.constantFrom(
    [0], [1], [2, 4, 5, 180], [2, 4, 0, 0], [2, 4, 0, 1], [3, 3, 7], [3, 3, 255], [4, 2], [8, 10, 0, 0, 0, 1, 0, 0, 0, 0], [8, 10, 255, 255, 255, 255, 255, 255, 255, 255],
    [5, 10, 0, 0, 0, 9, 0, 0, 0, 1], [5, 2], [5, 34], [2, 0], [2, 1], [8, 9], [254, 1], [30, 4, 0, 0],
  ),
  fc.array(byte, { maxLength: 12 }),
);

/** RFC 791 §3.1: source routes, record route, timestamps, router alert; whole, and cut or pointing beyond their end. */
const ipv4Option = fc.oneof(
  fc.constantFrom([0], [1], [131, 7, 4, 10, 0, 0, 9], [137, 7, 4, 10, 0, 0, 9], [131, 3, 4], [7, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0], [68, 12, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0], [148, 4, 0, 0]),
  fc.constantFrom([131], [131, 0], [137, 255], [7, 11, 255], [254, 1]),
  fc.array(byte, { maxLength: 12 }),
);

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('flip' as const), at: fc.nat({ max: 1_600 }), bit: fc.nat({ max: 7 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('cut' as const), to: fc.nat({ max: 1_600 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('grow' as const), bytes: fc.uint8Array({ minLength: 1, maxLength: 200 }) }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('set' as const), which, value: fc.oneof(edge, fc.nat({ max: 0xffff_ffff })) }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('add' as const), which, value: step }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('tcp-options' as const), bytes: fc.array(tcpOption, { maxLength: 6 }).map((options) => Uint8Array.from(options.flat().slice(0, 40))) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('ipv4-options' as const), bytes: fc.array(ipv4Option, { maxLength: 4 }).map((options) => Uint8Array.from(options.flat().slice(0, 40))) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('flags' as const), value: byte }) },
);

/** One to three mutations, mostly with lengths and checksums that hold afterwards; or none, which is a replay. */
export const recipe: fc.Arbitrary<Recipe> = fc.record({
  mutations: fc.oneof({ weight: 1, arbitrary: fc.constant([]) }, { weight: 6, arbitrary: fc.array(mutation, { minLength: 1, maxLength: 3 }) }),
  lengths: fc.oneof({ weight: 3, arbitrary: fc.constant(true) }, { weight: 2, arbitrary: fc.constant(false) }),
  checksums: fc.oneof({ weight: 9, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
});

/** @returns a frame of its own memory */
export function mutate(frame: Uint8Array, { mutations, lengths, checksums }: Recipe): Uint8Array {
  let out: Uint8Array = frame.slice();
  for (const one of mutations) out = apply(out, one);
  if (out.length > MAX_FRAME_BYTES) out = out.slice(0, MAX_FRAME_BYTES);
  if (lengths && mutations.length > 0) repairLengths(out);
  if (checksums && mutations.length > 0) repairChecksums(out);
  return out;
}

function apply(frame: Uint8Array, one: Mutation): Uint8Array {
  switch (one.kind) {
    case 'flip': {
      const at = one.at % Math.max(1, frame.length);
      frame[at] = (frame[at] ?? 0) ^ (1 << one.bit);
      return frame;
    }
    case 'cut':
      return frame.slice(0, one.to % (frame.length + 1));
    case 'grow':
      return join(frame, one.bytes, new Uint8Array(0));
    case 'set':
    case 'add':
      return aim(frame, one.kind, one.which, one.value);
    case 'tcp-options':
      return withTcpOptions(frame, one.bytes);
    case 'ipv4-options':
      return withIpv4Options(frame, one.bytes);
    case 'flags': {
      const { protocol, transportAt } = layoutOf(frame);
      if (protocol === 6 && transportAt + 13 < frame.length) frame[transportAt + 13] = one.value;
      return frame;
    }
  }
}

function aim(frame: Uint8Array, how: 'set' | 'add', which: number, value: number): Uint8Array {
  const fields = fieldsOf(frame);
  const field = fields[which % Math.max(1, fields.length)];
  if (!field) return frame;
  let old = 0;
  for (let i = 0; i < field.size; i++) old = old * 256 + (frame[field.at + i] ?? 0);
  let next = (how === 'set' ? value : old + value) >>> 0;
  for (let i = field.size - 1; i >= 0; i--) {
    frame[field.at + i] = next & 0xff;
    next >>>= 8;
  }
  return frame;
}

function withTcpOptions(frame: Uint8Array, bytes: Uint8Array): Uint8Array {
  const { protocol, transportAt, payloadAt } = layoutOf(frame);
  if (protocol !== 6 || transportAt + 20 > frame.length) return frame;
  const options = padded(bytes);
  const out = join(frame.subarray(0, transportAt + 20), options, frame.subarray(Math.max(payloadAt, transportAt + 20)));
  out[transportAt + 12] = (5 + options.length / 4) << 4;
  return out;
}

function withIpv4Options(frame: Uint8Array, bytes: Uint8Array): Uint8Array {
  const { isIpv4, transportAt } = layoutOf(frame);
  if (!isIpv4 || transportAt < 34) return frame;
  const options = padded(bytes);
  const out = join(frame.subarray(0, 34), options, frame.subarray(transportAt));
  out[14] = 0x40 | (5 + options.length / 4);
  return out;
}

function padded(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(Math.min(40, Math.ceil(bytes.length / 4) * 4));
  out.set(bytes.subarray(0, 40));
  return out;
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
