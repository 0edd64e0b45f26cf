import assert from 'node:assert/strict';
import { VirtualClock } from '../../../stack/clock';
import { createCable } from '../../../stack/link/cable';
import { captureDevice } from '../../../stack/link/capture';
import { nanoseconds } from '../../../stack/link/pcapng';

interface Block {
  readonly type: number;
  readonly body: DataView;
}

/** Reads the blocks of a file, checking both lengths of each. */
function blocks(chunks: readonly Uint8Array[]): Block[] {
  const file = Buffer.concat(chunks);
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const found: Block[] = [];
  for (let at = 0; at < file.length; ) {
    const length = view.getUint32(at + 4, true);
    assert.equal(length % 4, 0);
    assert.equal(view.getUint32(at + length - 4, true), length);
    found.push({ type: view.getUint32(at, true), body: new DataView(view.buffer, view.byteOffset + at + 8, length - 12) });
    at += length;
  }
  return found;
}

function options(body: DataView, from: number): Map<number, Uint8Array> {
  const found = new Map<number, Uint8Array>();
  for (let at = from; at < body.byteLength; ) {
    const code = body.getUint16(at, true);
    const length = body.getUint16(at + 2, true);
    if (code === 0) {
      assert.equal(at + 4, body.byteLength, 'nothing follows the end of options');
      break;
    }
    found.set(code, new Uint8Array(body.buffer, body.byteOffset + at + 4, length));
    at += 4 + ((length + 3) & ~3);
  }
  return found;
}

describe('Capture (pcapng)', () => {
  it('begins with the section and the interface, with times in nanoseconds', () => {
    const chunks: Uint8Array[] = [];
    const [device] = createCable({ mtu: 1500 });
    captureDevice(device, { clock: new VirtualClock(), sink: (bytes) => chunks.push(bytes), name: 'test0' });
    const [section, description] = blocks(chunks);
    assert.equal(section?.type, 0x0a0d_0d0a);
    assert.equal(section.body.getUint32(0, true), 0x1a2b_3c4d);
    assert.equal(description?.type, 1);
    assert.equal(description.body.getUint16(0, true), 1, 'Ethernet');
    const given = options(description.body, 8);
    assert.deepEqual(given.get(9), Uint8Array.of(9));
    assert.equal(new TextDecoder().decode(given.get(2)), 'test0');
  });

  it('records frames both ways, with time, length and direction, and passes them on', () => {
    const chunks: Uint8Array[] = [];
    const clock = new VirtualClock(1_000, Date.UTC(2026, 0, 1));
    const [near, far] = createCable({ mtu: 1500 });
    const device = captureDevice(near, { clock, sink: (bytes) => chunks.push(bytes) });
    let told = 0;
    device.onFrame = () => told++;
    device.send(new Uint8Array(100).fill(7), 61);
    clock.advance(0.25);
    far.send(new Uint8Array(60).fill(8), 60);
    assert.equal(told, 1);
    assert.ok(device.hasFrames);
    const seen: number[] = [];
    device.receive(10, (frame) => seen.push(frame.length));
    assert.deepEqual(seen, [60]);
    assert.equal(far.receive(10, (frame) => assert.deepEqual(frame, new Uint8Array(61).fill(7))), 1);

    const packets = blocks(chunks).slice(2);
    assert.deepEqual(packets.map(({ type }) => type), [6, 6]);
    const read = packets.map(({ body }) => {
      const kept = body.getUint32(12, true);
      return {
        ns: (BigInt(body.getUint32(4, true)) << 32n) | BigInt(body.getUint32(8, true)),
        kept,
        length: body.getUint32(16, true),
        first: body.getUint8(20),
        flags: [...(options(body, 20 + ((kept + 3) & ~3)).get(2) ?? [])],
      };
    });
    const start = BigInt(Date.UTC(2026, 0, 1) + 1_000) * 1_000_000n;
    assert.deepEqual(read, [
      { ns: start, kept: 61, length: 61, first: 7, flags: [2, 0, 0, 0] },
      { ns: start + 250_000n, kept: 60, length: 60, first: 8, flags: [1, 0, 0, 0] },
    ]);
  });

  it('keeps as much of each frame as is asked for', () => {
    const chunks: Uint8Array[] = [];
    const [near] = createCable({ mtu: 1500 });
    const device = captureDevice(near, { clock: new VirtualClock(), sink: (bytes) => chunks.push(bytes), snapBytes: 50 });
    device.send(new Uint8Array(100), 100);
    const body = blocks(chunks)[2]?.body;
    assert.equal(body?.getUint32(12, true), 50);
    assert.equal(body.getUint32(16, true), 100);
    assert.throws(() => captureDevice(near, { clock: new VirtualClock(), sink: () => undefined, snapBytes: 0 }), /snapBytes is 0/);
  });

  it('counts nanoseconds exactly beyond 2⁵³', () => {
    for (const ms of [0, 1, 65_535, 65_536, 1_767_225_600_123, 1_767_225_600_123.5, 4_294_967_296_000]) {
      const { high, low } = nanoseconds(ms);
      const expected = BigInt(Math.floor(ms)) * 1_000_000n + BigInt((ms % 1) * 1_000_000);
      assert.equal((BigInt(high) << 32n) | BigInt(low), expected, `${ms}`);
    }
  });
});
