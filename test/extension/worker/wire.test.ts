import assert from 'node:assert/strict';
import { SeededRandom } from '../../../stack';
import {
  BATCH_BYTES, decodeCredit, decodeLoad, decodeOpen, decodeOpened, encodeCredit, encodeLoad, encodeOpen, encodeOpened, FrameReader, FrameWriter,
  HEADER_BYTES, MAX_DATA_BYTES, Op,
} from '../../../extension/worker/script/wire';

interface Received {
  readonly messages: { readonly op: number; readonly id: number; readonly payload: Buffer }[];
  readonly streams: Map<number, Buffer>;
}

function receiver(): { received: Received; reader: FrameReader } {
  const received: Received = { messages: [], streams: new Map() };
  const reader = new FrameReader(
    {
      message: (op, id, payload) => received.messages.push({ op, id, payload: Buffer.from(payload) }),
      data: (id, bytes) => received.streams.set(id, Buffer.concat([received.streams.get(id) ?? Buffer.alloc(0), bytes])),
    },
    1 << 20,
  );
  return { received, reader };
}

function sender() {
  const writes: Buffer[] = [];
  const dones: (() => void)[] = [];
  const turns: (() => void)[] = [];
  const writer = new FrameWriter({ write: (bytes, done) => void (writes.push(Buffer.from(bytes)), dones.push(done)) }, (run) => turns.push(run));
  return { writer, writes, dones, endTurn: () => turns.splice(0).forEach((run) => run()) };
}

describe('The protocol between worker and script', () => {
  it('carries messages and streams, whatever the pieces the pipe makes of them', () => {
    for (let seed = 1; seed <= 50; seed++) {
      const random = new SeededRandom(seed);
      const { writer, writes, endTurn } = sender();
      const sent = new Map<number, Buffer[]>();
      let messages = 0;
      for (let i = 0; i < 40; i++) {
        const id = 1 + random.below(3);
        const bytes = Buffer.from(random.bytes(random.below(random.below(4) === 0 ? 200_000 : 2_000)));
        const kind = random.below(4);
        if (kind === 0) {
          writer.message(Op.fetch, id, bytes.subarray(0, 1_000));
          messages++;
          continue;
        }
        sent.set(id, [...(sent.get(id) ?? []), bytes]);
        if (kind === 1) writer.data(id, bytes);
        else if (kind === 2) writer.ownedData(id, bytes);
        else for (let at = 0; at < bytes.length; ) at += writer.dataFrom(id, bytes.length - at, (target) => bytes.copy(target, 0, at));
      }
      endTurn();
      const { received, reader } = receiver();
      const stream = Buffer.concat(writes);
      for (let at = 0; at < stream.length; ) {
        const end = Math.min(stream.length, at + 1 + random.below(70_000));
        assert.equal(reader.push(stream.subarray(at, end)), null, `seed ${seed}`);
        at = end;
      }
      assert.equal(received.messages.length, messages, `seed ${seed}`);
      for (const [id, parts] of sent) assert.ok(Buffer.concat(parts).equals(received.streams.get(id) ?? Buffer.alloc(0)), `seed ${seed}, stream ${id}`);
    }
  });

  it('sends one batch for a turn, and full batches before its end', () => {
    const { writer, writes, endTurn } = sender();
    for (let i = 0; i < 10; i++) writer.data(i, Buffer.alloc(100));
    assert.equal(writes.length, 0);
    endTurn();
    assert.deepEqual(writes.map(({ length }) => length), [10 * (100 + HEADER_BYTES)]);
    writer.data(1, Buffer.alloc(1_000_000));
    assert.ok(writes.slice(1).every(({ length }) => length <= BATCH_BYTES && length > BATCH_BYTES / 2));
  });

  it('counts what the system has not taken yet, and tells when it has', () => {
    const { writer, dones, endTurn } = sender();
    let drained = 0;
    writer.onDrain = () => drained++;
    writer.data(1, Buffer.alloc(100));
    assert.equal(writer.backlog, 100 + HEADER_BYTES);
    endTurn();
    assert.equal(writer.backlog, 100 + HEADER_BYTES);
    assert.equal(drained, 0);
    dones.forEach((done) => done());
    assert.equal(writer.backlog, 0);
    assert.equal(drained, 1);
  });

  it('sends no frame for a source that has nothing', () => {
    const { writer, writes, endTurn } = sender();
    assert.equal(writer.dataFrom(1, 1_000, () => 0), 0);
    endTurn();
    assert.equal(writes.length, 0);
  });

  it('stops at a frame that is longer than allowed', () => {
    const { received, reader } = receiver();
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeUInt32LE(MAX_DATA_BYTES + 1, 0);
    header[4] = Op.data;
    assert.match(reader.push(header) ?? '', new RegExp(String(MAX_DATA_BYTES + 1)));
    assert.notEqual(reader.push(Buffer.alloc(100)), null);
    assert.equal(received.streams.size + received.messages.length, 0);
  });

  it('never throws, whatever the bytes', () => {
    for (let seed = 1; seed <= 300; seed++) {
      const random = new SeededRandom(seed);
      const { reader } = receiver();
      for (let i = 0; i < 20; i++) reader.push(Buffer.from(random.bytes(random.below(100))));
      const payload = Buffer.from(random.bytes(random.below(40)));
      for (const decode of [decodeOpen, decodeOpened, decodeCredit]) decode(payload);
    }
  });

  it('keeps the fields of each message', () => {
    const open = { port: 443, fetchId: 7, limit: 2 ** 40, host: 'bücher.example' };
    assert.deepEqual(decodeOpen(encodeOpen(open)), open);
    const opened = { remoteAddress: 0xffff_fffe, remotePort: 65_535, localPort: 49_152, limit: 2 ** 33, dnsMs: 1.5, connectMs: 0.25 };
    assert.deepEqual(decodeOpened(encodeOpened(opened)), opened);
    assert.deepEqual(decodeCredit(encodeCredit(2 ** 45, 12)), { limit: 2 ** 45, acknowledged: 12 });
    assert.equal(decodeCredit(encodeCredit(NaN, 0)), null);
    const options = { file: '/a/ü.ts', sourceRoot: '/a', tickRate: 30, memoryMb: 512, extraCaCertificates: '', programName: 'riftnet:/a/ü.ts', debug: false };
    assert.deepEqual(decodeLoad(encodeLoad(options, 'prögram', '{"map":1}')), { options, program: 'prögram', sourceMap: '{"map":1}' });
  });
});
