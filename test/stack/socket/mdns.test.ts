import assert from 'node:assert/strict';
import { decode, encode, type Packet } from 'dns-packet';
import { a, Asked, ONE, TWO } from './dns-asked';

const GROUP = 0xe000_00fb;
const PRINTER = 0x0a00_0009;

class AskedOnLink extends Asked {
  readonly ttls: (number | undefined)[] = [];

  constructor(servers: (typeof ONE)[] | null = [ONE, TWO], multicast = true) {
    super({ multicast }, servers, 1, { isOnLink: (address) => address >>> 8 === 0x0a0000 });
    const { host } = this;
    const send = host.send.bind(host);
    host.send = (protocol, source, destination, length, options?: { readonly ttl?: number }) => {
      this.ttls.push(options?.ttl);
      return send(protocol, source, destination, length);
    };
  }

  /** A host of the link answers. */
  answer(to: ReturnType<Asked['take']>, packet: Packet, from = { address: PRINTER, port: 5_353 }): void {
    const { questions, id = 0 } = to.query;
    const bytes = encode({ type: 'response', id, ...(questions && { questions }), ...packet });
    this.host.arrive(from, { address: to.source, port: to.sourcePort }, new Uint8Array(bytes), this.now);
    this.until(this.now);
  }
}

describe('Names of the link (RFC 6762 §5.1)', () => {
  it('are asked for once by multicast with TTL 255, from a port of their own, in plain letters', () => {
    const x = new AskedOnLink();
    const results = x.resolve('Printer.local');
    const sent = x.take();
    assert.deepEqual([sent.destination, sent.destinationPort], [GROUP, 5_353]);
    assert.ok(sent.sourcePort >= 49_152);
    assert.deepEqual(x.ttls, [255]);
    assert.deepEqual(sent.query.questions, [{ name: 'printer.local', type: 'A', class: 'IN' }]);
    x.answer(sent, { answers: [a('Printer.local', '10.0.0.9', 120)] });
    assert.deepEqual(results, ['10.0.0.9']);
    assert.equal(x.resolver.pollAt(), Infinity);
    assert.equal(x.counters.mdnsQueries, 1);
  });

  it('are not asked for at name servers, which are not needed', () => {
    const x = new AskedOnLink([]);
    const results = x.resolve('printer.local');
    x.answer(x.take(), { answers: [a('printer.local', '10.0.0.9')] });
    assert.deepEqual(results, ['10.0.0.9']);
  });

  it('are, where the link is not to be asked; and so are names that only look like them', () => {
    const off = new AskedOnLink([ONE], false);
    off.resolve('printer.local');
    assert.equal(off.take().destination, ONE.address);
    const on = new AskedOnLink();
    on.resolve('printer.local.example.org');
    assert.equal(on.take().destination, ONE.address);
    on.resolve('mylocal');
    assert.equal(on.take().destination, ONE.address);
  });

  it('are asked for again after a second, and given up after three (§5.2)', () => {
    const x = new AskedOnLink();
    const results = x.resolve('nobody.local');
    x.until(999);
    assert.equal(x.host.sent.length, 1);
    x.until(1_000);
    assert.equal(x.host.sent.length, 2);
    const [first, second] = x.host.sent.map(({ data, sourcePort }) => ({ id: decode(Buffer.from(data)).id, sourcePort }));
    assert.deepEqual(first, second, 'a late answer to the first is welcome');
    x.until(2_999);
    assert.deepEqual(results, []);
    x.until(3_000);
    assert.match(results[0] ?? '', /^ENOTFOUND: "nobody\.local" does not exist: no device on the link answers/);
    x.resolve('nobody.local');
    assert.equal(x.host.sent.length, 3, 'the device may come: nothing is kept');
  });

  it('are answered by the link only (§11), from its port, to the question and the id', () => {
    const x = new AskedOnLink();
    const results = x.resolve('printer.local');
    const sent = x.take();
    const answers = [a('printer.local', '203.0.113.66')];
    x.answer(sent, { answers }, { address: 0x0a01_0009, port: 5_353 });
    x.answer(sent, { answers }, { address: PRINTER, port: 53 });
    x.answer(sent, { answers, id: ((sent.query.id ?? 0) + 1) & 0xffff });
    x.answer(sent, { answers, questions: [{ type: 'A', class: 'IN', name: 'other.local' }] });
    x.answer(sent, { answers, questions: [] });
    x.answer(sent, { answers: [a('other.local', '203.0.113.66')] });
    x.answer(sent, { flags: 3 });
    assert.equal(x.counters.rxMismatched, 7);
    x.host.arrive({ address: PRINTER, port: 5_353 }, { address: sent.source, port: sent.sourcePort }, Uint8Array.of(1, 2), 0);
    assert.equal(x.counters.rxMalformed, 1);
    assert.deepEqual(results, []);
    x.answer(sent, { answers: [a('other.local', '203.0.113.66'), a('printer.local', '10.0.0.9')] });
    assert.deepEqual(results, ['10.0.0.9']);
  });

  it('are kept for ten seconds at most, whatever the answer says (§6.7)', () => {
    const x = new AskedOnLink();
    x.resolve('printer.local');
    x.answer(x.take(), { answers: [a('printer.local', '10.0.0.9', 4_500)] });
    x.now = 9_999;
    x.resolve('printer.local');
    assert.deepEqual(x.host.sent, []);
    x.until(x.now);
    x.now = 10_000;
    x.resolve('printer.local');
    assert.equal(x.host.sent.length, 1);
  });

  it('do not cost more than a hundred looks, however much a host of the link babbles', () => {
    const x = new AskedOnLink();
    const results = x.resolve('printer.local');
    const sent = x.take();
    for (let i = 0; i < 150; i++) x.answer(sent, { answers: [a('other.local', '10.0.0.9')] });
    x.answer(sent, { answers: [a('printer.local', '10.0.0.9')] });
    assert.deepEqual(results, []);
    x.until(3_000);
    assert.equal(
      results[0],
      'ENOTFOUND: "printer.local" does not exist: no device on the link answers to the name (151 answers were dropped: not from the link\'s port 5353, or not to the question); check that it is switched on, and the spelling',
    );
  });

  it('give their port back when nobody asks any more', () => {
    const x = new AskedOnLink();
    const request = x.resolver.resolve('printer.local', 0, () => assert.fail('was cancelled'));
    const sent = x.take();
    request.cancel();
    assert.equal(x.resolver.pollAt(), Infinity);
    x.answer(sent, { answers: [a('printer.local', '10.0.0.9')] });
    assert.equal(x.host.counters.udp.rxNoPort, 1);
  });
});
