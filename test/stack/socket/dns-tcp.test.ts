import assert from 'node:assert/strict';
import { decode, encode, type DecodedPacket, type Packet } from 'dns-packet';
import { StackError } from '../../../stack/errors';
import type { DnsConnection } from '../../../stack/socket/dns-stream';
import { a, Asked, nameOf, ONE, TWO } from './dns-asked';

/** A TCP connection to a server, played by the test. */
class Connection implements DnsConnection {
  isOpen = false;
  peerClosed = false;
  error: { readonly code: string } | null = null;
  onChange: ((socket: never) => void) | null = null;
  aborted = false;
  private readonly written: number[] = [];
  private readonly incoming: number[] = [];

  get readableBytes(): number {
    return this.incoming.length;
  }

  /** Takes a few bytes at a time, as a full send buffer does. */
  write(data: Uint8Array): number {
    if (!this.isOpen) return 0;
    const taken = data.subarray(0, 7);
    this.written.push(...taken);
    return taken.length;
  }

  read(target: Uint8Array): number {
    const taken = this.incoming.splice(0, target.length);
    target.set(taken);
    return taken.length;
  }

  close(): void {
    this.aborted = true;
  }

  abort(): void {
    this.aborted = true;
  }

  changed(): void {
    (this.onChange as (() => void) | null)?.();
  }

  /** The handshake is done; the question is taken. */
  open(): DecodedPacket {
    this.isOpen = true;
    for (let i = 0; i < 20; i++) this.changed();
    const [high = 0, low = 0, ...message] = this.written;
    assert.equal(message.length, high * 256 + low, 'length and message (RFC 1035 §4.2.2)');
    return decode(Buffer.from(message));
  }

  /** Bytes arrive, `chunk` at a time. */
  arrive(bytes: Uint8Array, chunk = 3): void {
    for (let at = 0; at < bytes.length && this.onChange; at += chunk) {
      this.incoming.push(...bytes.subarray(at, at + chunk));
      this.changed();
    }
  }

  reply(query: DecodedPacket, packet: Packet, chunk?: number): void {
    const { questions, id = 0 } = query;
    const message = encode({ type: 'response', id, ...(questions && { questions }), ...packet });
    this.arrive(Uint8Array.of(message.length >>> 8, message.length & 255, ...message), chunk);
  }
}

class AskedByTcp extends Asked {
  readonly connections: { readonly connection: Connection; readonly address: number; readonly port: number }[];
  connectError: StackError | null = null;

  constructor() {
    const connections: AskedByTcp['connections'] = [];
    super({}, [ONE, TWO], 1, {
      connect: (address, port) => {
        if (this.connectError) throw this.connectError;
        const connection = new Connection();
        connections.push({ connection, address, port });
        return connection;
      },
    });
    this.connections = connections;
  }

  /** Asks, and has the answer cut short. */
  truncated(name = 'example.org'): { results: string[]; connection: Connection; udp: ReturnType<Asked['take']> } {
    const results = this.resolve(name);
    const udp = this.take();
    this.reply(udp, { flags: 1 << 9, answers: [a(name, '192.0.2.1')] });
    const last = this.connections.at(-1);
    assert.ok(last, 'did not connect');
    assert.deepEqual([last.address, last.port], [udp.destination, udp.destinationPort]);
    assert.deepEqual(results, []);
    return { results, connection: last.connection, udp };
  }
}

const many = Array.from({ length: 60 }, (_, i) => a('example.org', `192.0.2.${i + 1}`));

describe('The DNS resolver over TCP (RFC 7766)', () => {
  it('asks the same server again where the answer is cut short, and keeps the whole one', () => {
    const x = new AskedByTcp();
    const { results, connection, udp } = x.truncated();
    const query = connection.open();
    assert.equal(nameOf({ query }), 'example.org');
    assert.notEqual(query.id, udp.query.id);
    connection.reply(query, { answers: many });
    x.until(x.now);
    assert.equal(results[0]?.split(' ').length, 60);
    assert.ok(connection.aborted, 'nothing stays open');
    assert.deepEqual([x.counters.rxTruncated, x.counters.tcpQueries], [1, 1]);
    const again = x.resolve('example.org');
    x.until(x.now);
    assert.deepEqual(again, results);
    assert.deepEqual(x.host.sent, []);
  });

  it('asks the same server again where the answer is cut within a record (RFC 2181 §9)', () => {
    const x = new AskedByTcp();
    const results = x.resolve('example.org');
    const udp = x.take();
    const { id = 0, questions } = udp.query;
    const whole = encode({ type: 'response', id, flags: 1 << 9, ...(questions && { questions }), answers: many });
    x.host.arrive({ address: udp.destination, port: udp.destinationPort }, { address: udp.source, port: udp.sourcePort }, new Uint8Array(whole.subarray(0, 512)), x.now);
    const [only] = x.connections;
    assert.ok(only, 'did not connect');
    only.connection.reply(only.connection.open(), { answers: many });
    x.until(x.now);
    assert.equal(results[0]?.split(' ').length, 60);
    assert.equal(x.counters.rxMalformed, 0);
  });

  it('takes an answer that came with the end of the connection', () => {
    const x = new AskedByTcp();
    const { results, connection } = x.truncated();
    const query = connection.open();
    connection.isOpen = false;
    connection.error = { code: 'ECONNRESET' };
    connection.reply(query, { answers: [a('example.org', '192.0.2.7')] }, Infinity);
    x.until(x.now);
    assert.deepEqual(results, ['192.0.2.7']);
  });

  it('uses what a cut answer has where TCP has failed before', () => {
    const x = new AskedByTcp();
    const results = x.resolve('long-example.org');
    const first = x.take();
    // It answers in plain letters, and not over TCP: it is asked in plain letters.
    x.reply(first, { questions: [{ type: 'A', class: 'IN', name: 'long-example.org' }], answers: [a('long-example.org', '192.0.2.1')] });
    const [only] = x.connections;
    assert.ok(only, 'did not connect');
    only.connection.error = { code: 'ECONNREFUSED' };
    only.connection.changed();
    x.until(x.now);
    const plain = x.take();
    assert.deepEqual([plain.destination, plain.query.questions?.[0]?.name], [first.destination, 'long-example.org']);
    x.reply(plain, { flags: 1 << 9, answers: [a('long-example.org', '192.0.2.2')] });
    assert.deepEqual(results, ['192.0.2.2']);
    assert.equal(x.connections.length, 1);
  });

  it('connects once, however often the cut answer comes', () => {
    const x = new AskedByTcp();
    const { results, udp } = x.truncated();
    for (let i = 0; i < 10; i++) x.reply(udp, { flags: 1 << 9, answers: [a('example.org', '203.0.113.66')] });
    assert.equal(x.connections.length, 1);
    assert.deepEqual(results, []);
  });

  const failures: [string, (connection: Connection, x: AskedByTcp) => void][] = [
    ['refuses', (connection) => { connection.error = { code: 'ECONNREFUSED' }; connection.changed(); }],
    ['closes without an answer', (connection) => { connection.open(); connection.peerClosed = true; connection.changed(); }],
    ['answers another question', (connection) => connection.reply(connection.open(), { id: 1, answers: many })],
    ['answers no DNS', (connection) => { connection.open(); connection.arrive(Uint8Array.of(0, 3, 1, 2, 3)); }],
    ['answers with nothing', (connection) => { connection.open(); connection.arrive(Uint8Array.of(0, 0)); }],
    ['is silent', (_, x) => x.until(3_000)],
  ];
  for (const [name, fail] of failures) {
    it(`uses what the datagram had, without keeping it, where TCP ${name}`, () => {
      const x = new AskedByTcp();
      const { results, connection } = x.truncated();
      fail(connection, x);
      x.until(x.now);
      assert.deepEqual(results, ['192.0.2.1']);
      assert.ok(connection.aborted);
      x.resolve('example.org');
      assert.equal(x.host.sent.length, 1);
    });
  }

  it('asks the next server where there was nothing in the datagram either', () => {
    const x = new AskedByTcp();
    x.resolve('example.org');
    x.reply(x.take(), { flags: 1 << 9 });
    const [first] = x.connections;
    assert.ok(first);
    first.connection.error = { code: 'ETIMEDOUT' };
    first.connection.changed();
    x.until(x.now);
    assert.equal(x.take().destination, TWO.address);
  });

  it('does as without TCP where it cannot connect', () => {
    const x = new AskedByTcp();
    x.connectError = new StackError('ENOBUFS', 'full');
    const results = x.resolve('example.org');
    x.reply(x.take(), { flags: 1 << 9, answers: [a('example.org', '192.0.2.1')] });
    assert.deepEqual(results, ['192.0.2.1']);
  });

  it('verifies an answer in other letters over TCP, which a forger off the path cannot answer', () => {
    const x = new AskedByTcp();
    const results = x.resolve('example.org');
    const sent = x.take();
    x.reply(sent, { questions: [{ type: 'A', class: 'IN', name: 'eXaMpLe.OrG' }], answers: [a('example.org', '203.0.113.66')] });
    const [first] = x.connections;
    assert.ok(first);
    assert.deepEqual(results, []);
    const query = first.connection.open();
    first.connection.reply(query, { answers: [a('example.org', '192.0.2.1')] });
    x.until(x.now);
    assert.deepEqual(results, ['192.0.2.1']);
    x.resolve('another-long-name.org');
    assert.notEqual(x.take().query.questions?.[0]?.name, 'another-long-name.org', 'the server keeps the letters: it was a forger');
  });

  it('ends the connection when nobody wants the answer any more, or the stack closes', () => {
    const x = new AskedByTcp();
    const request = x.resolver.resolve('example.org', 0, () => assert.fail('was cancelled'));
    x.reply(x.take(), { flags: 1 << 9 });
    request.cancel();
    assert.ok(x.connections[0]?.connection.aborted);
    const { connection } = x.truncated('other.org');
    x.resolver.close();
    assert.ok(connection.aborted);
    assert.equal(x.resolver.pollAt(), Infinity);
  });
});
