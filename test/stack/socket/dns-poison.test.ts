import assert from 'node:assert/strict';
import { encode, type Answer } from 'dns-packet';
import fc from 'fast-check';
import { SeededRandom } from '../../../stack/random';
import { randomCase } from '../../../stack/socket/dns-name';
import { a, Asked, cname, nameOf, ONE, soa, TWO } from './dns-asked';

/** On failure fast-check prints the seed and the path that replay it. */
const RUNS = { numRuns: 300 };

/** Letters of the other case. */
function swapCase(name: string): string {
  return name.replace(/[a-zA-Z]/g, (char) => (char === char.toLowerCase() ? char.toUpperCase() : char.toLowerCase()));
}

describe('The DNS resolver against forged answers', () => {
  it('asks in letters of random case, all of them over the names asked for', () => {
    const x = new Asked();
    const asked = new Set<string>();
    for (let i = 0; i < 20; i++) {
      x.resolve('a-long-enough-name.example.org');
      const sent = x.take();
      asked.add(sent.query.questions?.[0]?.name ?? '');
      assert.equal(nameOf(sent), 'a-long-enough-name.example.org');
      x.reply(sent, { answers: [a('a-long-enough-name.example.org', '192.0.2.1', 0)] });
    }
    assert.equal(asked.size, 20);
    const random = new SeededRandom(4);
    const written = Array.from({ length: 64 }, () => randomCase('ab1-', random));
    assert.deepEqual([...new Set(written)].sort(), ['AB1-', 'Ab1-', 'aB1-', 'ab1-']);
    assert.equal(randomCase('x'.repeat(200), random).toLowerCase(), 'x'.repeat(200));
  });

  it('asks in plain letters where that is set', () => {
    const x = new Asked({ randomCase: false });
    x.resolve('a-long-enough-name.example.org');
    assert.equal(x.take().query.questions?.[0]?.name, 'a-long-enough-name.example.org');
  });

  it('believes no answer in other letters: without TCP it asks once more, in plain ones, and remembers', () => {
    const x = new Asked();
    const results = x.resolve('example.org');
    const sent = x.take();
    const [question] = sent.query.questions ?? [];
    assert.ok(question);
    const questions = [{ ...question, name: swapCase(question.name) }];
    for (let i = 0; i < 10; i++) x.reply(sent, { questions, answers: [a('example.org', '203.0.113.66')] });
    assert.deepEqual(results, []);
    assert.equal(x.counters.rxOtherCase, 10);
    const plain = x.take();
    assert.deepEqual(x.host.sent, [], 'once, however many such answers come');
    assert.equal(plain.query.questions?.[0]?.name, 'example.org');
    x.reply(plain, { answers: [a('example.org', '192.0.2.1')] });
    assert.deepEqual(results, ['192.0.2.1']);
    x.resolve('other.org');
    assert.equal(x.take().query.questions?.[0]?.name, 'other.org');
  });

  it('uses and keeps only what the chain of aliases from the question leads to', () => {
    const x = new Asked();
    const results = x.resolve('www.org');
    x.reply(x.take(), {
      answers: [a('bank.example', '203.0.113.66'), cname('mail.org', 'www.org'), cname('www.org', 'b.org'), a('b.org', '192.0.2.9'), a('x.b.org', '203.0.113.67')],
      authorities: [{ type: 'NS', class: 'IN', name: 'org', data: 'ns.evil.example' }],
      additionals: [a('b.org', '203.0.113.68'), a('ns.evil.example', '203.0.113.69')],
    });
    assert.deepEqual(results, ['192.0.2.9']);
    for (const name of ['bank.example', 'mail.org', 'x.b.org', 'b.org', 'ns.evil.example']) {
      x.resolve(name);
      assert.equal(nameOf(x.take()), name, 'nothing of the answer was kept for it');
    }
  });

  it('gives only addresses that the question leads to, whatever records an answer is made of', () => {
    const name = fc.constantFrom('a.org', 'b.org', 'c.org', 'd.org');
    const record = fc.oneof(
      fc.record({ type: fc.constant('A' as const), name, data: fc.constantFrom('192.0.2.1', '192.0.2.2', '192.0.2.3') }),
      fc.record({ type: fc.constant('CNAME' as const), name, data: name }),
    );
    fc.assert(
      fc.property(fc.array(record, { maxLength: 12 }), fc.boolean(), (records, negative) => {
        const x = new Asked({ maxCnames: 4 });
        const results = x.resolve('a.org');
        const answers = records.map((r): Answer => (r.type === 'A' ? a(r.name, r.data) : cname(r.name, r.data)));
        x.reply(x.take(), { answers, ...(negative && { authorities: [soa(60)] }) });
        // An independent walk: what can be reached from the question at all.
        const reached = new Set(['a.org']);
        for (let i = 0; i < records.length; i++) for (const r of records) if (r.type === 'CNAME' && reached.has(r.name)) reached.add(r.data);
        const allowed = new Set<string>(records.flatMap((r) => (r.type === 'A' && reached.has(r.name) ? [r.data] : [])));
        const [result] = results;
        if (result === undefined) assert.equal(x.host.sent.length, 1, 'no result and nothing asked');
        else if (!/^E/.test(result)) for (const address of result.split(' ')) assert.ok(allowed.has(address), result);
      }),
      RUNS,
    );
  });

  it('survives any bytes in place of an answer, and still takes the right one', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(200), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 8 }), fc.nat(120), (changes, cut) => {
        const x = new Asked();
        const results = x.resolve('example.org');
        const sent = x.take();
        const { questions = [], id = 0 } = sent.query;
        const whole = encode({ type: 'response', id, questions, answers: [cname('example.org', 'b.org'), a('b.org', '192.0.2.9')] });
        const bytes = new Uint8Array(whole);
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        const from = { address: sent.destination, port: sent.destinationPort };
        x.host.arrive(from, { address: sent.source, port: sent.sourcePort }, bytes.subarray(0, Math.max(1, bytes.length - cut)), 0);
        x.until(0);
        assert.ok(results.length <= 1);
        if (results.length === 0 && x.host.sent.length === 0) {
          x.reply(sent, { answers: [a('example.org', '192.0.2.1')] });
          assert.equal(results.length, 1);
        }
      }),
      RUNS,
    );
  });

  it('needs the id, the port and the letters: 5000 blind answers to a known port get nowhere', () => {
    const x = new Asked({}, [ONE], 11);
    const results = x.resolve('a-long-enough-name.example.org');
    const sent = x.take();
    const random = new SeededRandom(99);
    for (let i = 0; i < 5_000; i++) {
      const guess = randomCase('a-long-enough-name.example.org', random);
      x.reply(sent, { id: random.below(0x1_0000), questions: [{ type: 'A', class: 'IN', name: guess }], answers: [a(guess, '203.0.113.66')] });
    }
    assert.ok(!results.includes('203.0.113.66'));
    assert.equal(x.counters.rxMismatched + x.counters.rxOtherCase, 5_000);
  });
});

describe('The DNS resolver with servers that are dead', () => {
  it('asks one that left two questions in a row without an answer after the others, for half a minute', () => {
    const x = new Asked();
    for (const name of ['a.org', 'b.org']) {
      x.resolve(name);
      assert.equal(x.take().destination, ONE.address);
      x.until(x.resolver.pollAt());
      x.reply(x.take(), { answers: [a(name, '192.0.2.1')] });
    }
    x.resolve('c.org');
    const third = x.take();
    assert.equal(third.destination, TWO.address);
    x.reply(third, { answers: [a('c.org', '192.0.2.1')] });
    x.until(x.now + 30_000);
    x.resolve('d.org');
    assert.equal(x.take().destination, ONE.address);
  });

  it('asks dead ones still where all are, and believes their first answer', () => {
    const x = new Asked();
    x.resolve('a.org');
    x.until(60_000);
    assert.equal(x.host.sent.length, 4);
    x.host.sent.length = 0;
    const results = x.resolve('b.org');
    x.reply(x.take(), { answers: [a('b.org', '192.0.2.1')] });
    assert.deepEqual(results, ['192.0.2.1']);
    x.resolve('c.org');
    assert.equal(x.take().destination, ONE.address);
  });

  it('tells what of each server was dropped, where nothing else came', () => {
    const x = new Asked({ timeoutMs: 1_000, tries: 3 });
    const results = x.resolve('example.org');
    const first = x.take();
    x.reply(first, { id: ((first.query.id ?? 0) + 1) & 0xffff });
    x.until(1_000);
    const second = x.take();
    for (let i = 0; i < 2; i++) x.reply(second, {}, { port: 1_053 });
    x.host.arrive({ address: TWO.address, port: TWO.port }, { address: second.source, port: second.sourcePort }, Uint8Array.of(1, 2), x.now);
    x.until(10_000);
    assert.deepEqual(results, [
      'EAI_AGAIN: "example.org" could not be resolved: asked 10.0.0.53 (no answer; 1 that does not fit the question was dropped), 10.0.0.54:5353 (no answer; 3 that do not fit the question were dropped) for 3.5 s; check the network, or set other servers (dns)',
    ]);
    assert.deepEqual([x.counters.rxMismatched, x.counters.rxMalformed], [3, 1]);
  });

  it('ends after half a minute, however long aliases lead on without an end', () => {
    const x = new Asked({}, [ONE]);
    const results = x.resolve('a0.org');
    for (let aliases = 1; aliases < 16; aliases++) {
      const sent = x.take();
      // The answer comes after the second question, and names another alias.
      x.until(x.now + 3_400);
      if (results.length > 0) break;
      x.host.sent.length = 0;
      x.reply(sent, { answers: [cname(nameOf(sent) ?? '', `a${aliases}.org`)] });
    }
    assert.match(results[0] ?? '', /^EAI_AGAIN: "a0\.org" could not be resolved: asked 10\.0\.0\.53 \(no answer\) for 30\.0 s; /);
    assert.equal(x.resolver.pollAt(), Infinity);
  });
});
