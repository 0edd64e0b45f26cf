import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CapturedSocket, CaptureSelection } from '../../../extension/protocol';
import { MAX_FRAMES, RecentFrames, SNAP_BYTES } from '../../../extension/worker/recent-frames';
import { Direction, VirtualClock } from '../../../stack';

const OURS = [10, 0, 2, 15];
const SERVER = [192, 0, 2, 7];

/** An Ethernet frame with just what picks it out: addresses, protocol, ports. */
function frame(protocol: number, [source, sourcePort]: [number[], number], [destination, destinationPort]: [number[], number], bytes = 60): Uint8Array {
  const view = Buffer.alloc(bytes);
  view.writeUInt16BE(0x0800, 12);
  view[14] = 0x45;
  view.writeUInt16BE(bytes - 14, 16);
  view[23] = protocol;
  view.set(source, 26);
  view.set(destination, 30);
  view.writeUInt16BE(sourcePort, 34);
  view.writeUInt16BE(destinationPort, 36);
  return view;
}

const tcp = (localPort: number, bytes?: number): Uint8Array => frame(6, [OURS, localPort], [SERVER, 80], bytes);
const answer = (localPort: number): Uint8Array => frame(6, [SERVER, 80], [OURS, localPort]);

/** A port-unreachable that a router sent about one of our packets. */
function unreachable(localPort: number): Uint8Array {
  const quoted = tcp(localPort).subarray(14, 14 + 28);
  const view = Buffer.from(frame(1, [[192, 0, 2, 1], 0], [OURS, 0], 14 + 20 + 8 + 28));
  view.set([3, 3, 0, 0, 0, 0, 0, 0], 34);
  view.set(quoted, 42);
  return view;
}

describe('The frames that passed last', () => {
  const folder = mkdtempSync(join(tmpdir(), 'riftnet-frames-'));
  const file = join(folder, 'saved.pcapng');
  after(() => rmSync(folder, { recursive: true }));

  /** What a saved file holds of each frame, read block by block. */
  function saved(frames: RecentFrames, selection: CaptureSelection) {
    const summary = frames.save(file, selection);
    const bytes = readFileSync(file);
    const found: { data: Buffer; frameBytes: number; flags: number }[] = [];
    for (let at = 0; at < bytes.length; at += bytes.readUInt32LE(at + 4)) {
      if (bytes.readUInt32LE(at) !== 6) continue;
      const kept = bytes.readUInt32LE(at + 20);
      found.push({ data: bytes.subarray(at + 28, at + 28 + kept), frameBytes: bytes.readUInt32LE(at + 24), flags: bytes.readUInt32LE(at + 28 + ((kept + 3) & ~3) + 4) });
    }
    assert.equal(found.length, summary.frames);
    return { summary, found };
  }

  const socket = (clock: VirtualClock, localPort: number, fields: Partial<CapturedSocket> = {}): CapturedSocket => ({
    remoteAddress: SERVER.join('.'), remotePort: 80, localPort, from: clock.wallTime(), to: null, byName: false, ...fields,
  });

  it('are saved whole, in order, with their direction', () => {
    const frames = new RecentFrames(1 << 20, new VirtualClock());
    frames.add(tcp(5000), Direction.outbound);
    frames.add(answer(5000), Direction.inbound);
    const { found, summary } = saved(frames, 'all');
    assert.deepEqual(found.map(({ flags }) => flags), [2, 1]);
    assert.deepEqual(found.map(({ data }) => data.equals(tcp(5000)) || data.equals(answer(5000))), [true, true]);
    assert.equal(summary.since, null, 'nothing has been lost');
  });

  it('take no more room than they are given: the oldest leave, and it is told since when the file is whole', () => {
    const clock = new VirtualClock();
    const frames = new RecentFrames(64 << 10, clock);
    for (let index = 0; index < 1_000; index++) {
      frames.add(tcp(index, 1_000), Direction.outbound);
      clock.advance(1);
    }
    const { found, summary } = saved(frames, 'all');
    assert.ok(found.length >= 64 && found.length <= 65, `${found.length} frames of 1000 bytes in 64 KiB`);
    assert.deepEqual(found.map(({ data }) => data.readUInt16BE(34)), Array.from({ length: found.length }, (_, index) => 1_000 - found.length + index));
    assert.equal(summary.since, new VirtualClock().wallTime() + 1_000 - found.length);
  });

  it('are bounded in number as well', () => {
    const frames = new RecentFrames(64 << 20, new VirtualClock());
    const small = tcp(1);
    for (let index = 0; index < MAX_FRAMES + 100; index++) frames.add(small, Direction.outbound);
    assert.equal(frames.count, MAX_FRAMES);
  });

  it('keep the beginning of a very long frame, and its length', () => {
    const frames = new RecentFrames(1 << 20, new VirtualClock());
    frames.add(tcp(5000, 60_000), Direction.outbound);
    const [only] = saved(frames, 'all').found;
    assert.deepEqual([only?.data.length, only?.frameBytes], [SNAP_BYTES, 60_000]);
  });

  it('of one socket are those of its ends, both ways, and the errors about them', () => {
    const clock = new VirtualClock();
    const frames = new RecentFrames(1 << 20, clock);
    const wanted = [tcp(5000), answer(5000), unreachable(5000)];
    for (const one of [tcp(5001), ...wanted, frame(17, [OURS, 5000], [SERVER, 80]), unreachable(5001), new Uint8Array(20)]) frames.add(one, Direction.outbound);
    assert.deepEqual(saved(frames, [socket(clock, 5000)]).found.map(({ data }) => data.toString('hex')), wanted.map((one) => Buffer.from(one).toString('hex')));
    assert.equal(saved(frames, [socket(clock, 5000), socket(clock, 5001)]).found.length, 5);
    assert.equal(saved(frames, []).found.length, 0);
  });

  it('of one socket are found also in a frame whose end was not kept', () => {
    const clock = new VirtualClock();
    const frames = new RecentFrames(1 << 20, clock);
    frames.add(tcp(5000, 60_000), Direction.outbound);
    assert.equal(saved(frames, [socket(clock, 5000)]).found.length, 1);
  });

  it('of one socket are not those of an earlier one on the same port', () => {
    const clock = new VirtualClock();
    const frames = new RecentFrames(1 << 20, clock);
    frames.add(tcp(5000), Direction.outbound);
    const first = socket(clock, 5000, { to: clock.wallTime() });
    clock.advance(60_000);
    frames.add(tcp(5000), Direction.outbound);
    frames.add(answer(5000), Direction.inbound);
    assert.equal(saved(frames, [first]).found.length, 1);
    assert.equal(saved(frames, [socket(clock, 5000)]).found.length, 2);
  });

  it('of a socket to a name include the question for it', () => {
    const clock = new VirtualClock();
    const frames = new RecentFrames(1 << 20, clock);
    frames.add(frame(17, [OURS, 40_000], [[10, 0, 2, 3], 53]), Direction.outbound);
    const unresolved = { remoteAddress: null, localPort: null };
    assert.equal(saved(frames, [socket(clock, 0, unresolved)]).found.length, 0);
    assert.equal(saved(frames, [socket(clock, 0, { ...unresolved, byName: true })]).found.length, 1);
  });

  it('a file that cannot be written is an error that names it', () => {
    assert.throws(() => new RecentFrames(1 << 20, new VirtualClock()).save(join(folder, 'none', 'x.pcapng'), 'all'), /none/);
  });
});
