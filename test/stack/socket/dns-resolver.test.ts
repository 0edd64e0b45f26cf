import assert from 'node:assert/strict';
import { a, Asked, cname, nameOf, ns, ONE, show, soa, TWO } from './dns-asked';

describe('The DNS resolver', () => {
  it('asks the first server and gives its addresses in order', () => {
    const x = new Asked();
    const results = x.resolve('Example.ORG.');
    const sent = x.take();
    assert.deepEqual([sent.destination, sent.destinationPort], [ONE.address, 53]);
    assert.equal(nameOf(sent), 'example.org');
    x.reply(sent, { answers: [a('EXAMPLE.org', '192.0.2.2'), a('example.org', '192.0.2.1')] });
    assert.deepEqual(results, ['192.0.2.2 192.0.2.1']);
    assert.equal(x.resolver.pollAt(), Infinity);
  });

  it('uses an id and a port of their own for each query and each try (RFC 5452 §9.2)', () => {
    const x = new Asked();
    for (let i = 0; i < 20; i++) x.resolve(`name${i}.org`);
    x.until(1600);
    const sent = Array.from({ length: 40 }, () => x.take());
    assert.equal(new Set(sent.map(({ sourcePort }) => sourcePort)).size, 40);
    assert.ok(new Set(sent.map(({ query }) => query.id)).size >= 39);
  });

  it('ignores answers from elsewhere, to another id, another question, or malformed (RFC 5452 §9.1)', () => {
    const x = new Asked();
    const results = x.resolve('example.org');
    const sent = x.take();
    const answers = [a('example.org', '203.0.113.66')];
    x.reply(sent, { answers }, { address: ONE.address + 1 });
    x.reply(sent, { answers }, { port: 54 });
    x.reply(sent, { answers, id: ((sent.query.id ?? 0) + 1) & 0xffff });
    x.reply(sent, { answers, questions: [{ type: 'A', class: 'IN', name: 'example.com' }] });
    x.reply(sent, { answers, questions: [{ type: 'AAAA', class: 'IN', name: 'example.org' }] });
    x.reply(sent, { answers, questions: [] });
    assert.equal(x.counters.rxMismatched, 6);
    x.host.arrive({ address: sent.destination, port: 53 }, { address: sent.source, port: sent.sourcePort }, Uint8Array.of(1, 2, 3), 0);
    assert.equal(x.counters.rxMalformed, 1);
    assert.deepEqual(results, []);
    x.reply(sent, { answers: [a('example.org', '192.0.2.1')] });
    assert.deepEqual(results, ['192.0.2.1']);
  });

  it('asks the next server after a while without an answer, and still takes the late one', () => {
    const x = new Asked();
    const results = x.resolve('example.org');
    const first = x.take();
    x.until(1499);
    assert.deepEqual(x.host.sent, []);
    x.until(1500);
    const second = x.take();
    assert.deepEqual([second.destination, second.destinationPort], [TWO.address, TWO.port]);
    assert.notEqual(second.sourcePort, first.sourcePort);
    x.reply(first, { answers: [a('example.org', '192.0.2.1')] });
    assert.deepEqual(results, ['192.0.2.1']);
    assert.equal(x.resolver.pollAt(), Infinity);
  });

  it('gives EAI_AGAIN when nobody answers, naming the name, the servers and the time', () => {
    const x = new Asked();
    const results = x.resolve('example.org');
    x.until(60_000);
    assert.equal(x.host.sent.length, 4);
    const [text = ''] = results;
    assert.match(text, /^EAI_AGAIN: "example\.org" .*10\.0\.0\.53 \(no answer\), 10\.0\.0\.54:5353 \(no answer\) for 7\.5 s/);
    assert.equal(x.counters.timeouts, 4);
  });

  it('asks every server at least once, however many there are', () => {
    const servers = Array.from({ length: 7 }, (_, i) => ({ address: ONE.address + i, port: 53 }));
    const x = new Asked({}, servers);
    const results = x.resolve('example.org');
    x.until(60_000);
    assert.deepEqual(x.host.sent.map(({ destination }) => destination), servers.map(({ address }) => address));
    assert.equal(results.length, 1);
  });

  it('passes none over, and asks none again, when one between them fails', () => {
    const servers = Array.from({ length: 4 }, (_, i) => ({ address: ONE.address + i, port: 53 }));
    const x = new Asked({}, servers);
    x.resolve('example.org');
    x.until(3000);
    const [, , third] = [x.take(), x.take(), x.take()];
    x.reply(third, { flags: 2 });
    assert.equal(x.take().destination, ONE.address + 3);
  });

  it('asks the next server at once when one fails, refuses or is not there, and EAI_AGAIN says how each failed', () => {
    const x = new Asked();
    const results = x.resolve('example.org');
    x.reply(x.take(), { flags: 2 });
    const second = x.take();
    assert.equal(x.counters.rxServerFailures, 1);
    x.host.icmp(second, { type: 'unreachable', code: 3 });
    x.until(x.now);
    assert.match(results[0] ?? '', /^EAI_AGAIN: .*10\.0\.0\.53 \(server failure\), 10\.0\.0\.54:5353 \(refused\) for 0\.0 s/);
    assert.equal(x.now, 0);
  });

  it('asks again without EDNS where a server does not know it (RFC 6891 §7)', () => {
    const x = new Asked();
    const results = x.resolve('example.org');
    x.reply(x.take(), { flags: 1, questions: [] });
    const again = x.take();
    assert.equal(again.destination, ONE.address);
    assert.equal(again.query.additionals?.length, 0);
    x.reply(again, { answers: [a('example.org', '192.0.2.1')] });
    assert.deepEqual(results, ['192.0.2.1']);
  });

  it('gives ENOTFOUND for a name that does not exist, and for one without an IPv4 address', () => {
    const x = new Asked();
    const missing = x.resolve('missing.org');
    x.reply(x.take(), { flags: 3, authorities: [soa(60)] });
    assert.match(missing[0] ?? '', /^ENOTFOUND: "missing\.org" does not exist: .*10\.0\.0\.53/);
    const without = x.resolve('v6.org');
    x.reply(x.take(), { authorities: [soa(60)] });
    assert.match(without[0] ?? '', /^ENOTFOUND: "v6\.org" has no IPv4 address/);
  });

  it('follows aliases within an answer (RFC 1034 §3.6.2)', () => {
    const x = new Asked();
    const results = x.resolve('www.org');
    x.reply(x.take(), { answers: [a('c.org', '192.0.2.9'), cname('b.org', 'C.org'), cname('www.org', 'b.org')] });
    assert.deepEqual(results, ['192.0.2.9']);
  });

  it('asks for the end of aliases that the answer leaves open', () => {
    const x = new Asked();
    const results = x.resolve('www.org');
    x.reply(x.take(), { answers: [cname('www.org', 'b.net')] });
    const next = x.take();
    assert.equal(nameOf(next), 'b.net');
    x.reply(next, { answers: [a('b.net', '192.0.2.9')] });
    assert.deepEqual(results, ['192.0.2.9']);
    const dead = x.resolve('dead.org');
    x.reply(x.take(), { answers: [cname('dead.org', 'gone.net')], authorities: [soa(5)] });
    assert.match(dead[0] ?? '', /^ENOTFOUND: "dead\.org" \(an alias of "gone\.net"\) has no IPv4 address/);
  });

  it('gives up on aliases in a circle, across answers too, and on those with a name that is none', () => {
    const x = new Asked({ maxCnames: 5 });
    const circle = x.resolve('a.org');
    x.reply(x.take(), { answers: [cname('a.org', 'b.org'), cname('b.org', 'a.org')] });
    assert.match(circle[0] ?? '', /^ENOTFOUND: .*circle/);
    const far = x.resolve('x0.org');
    for (let i = 0; i < 6; i++) x.reply(x.take(), { answers: [cname(`x${i}.org`, `x${i + 1}.org`)] });
    assert.match(far[0] ?? '', /^ENOTFOUND: .*after 5/);
    const bad = x.resolve('bad.org');
    x.reply(x.take(), { answers: [cname('bad.org', 'sp ace.org')] });
    assert.match(bad[0] ?? '', /^ENOTFOUND: .*"sp ace\.org"/);
    assert.deepEqual(x.host.sent, []);
  });

  it('uses what a truncated answer has, without keeping it, and asks another server where it has nothing', () => {
    const x = new Asked();
    const results = x.resolve('example.org');
    x.reply(x.take(), { flags: 1 << 9, answers: [a('example.org', '192.0.2.1')] });
    assert.deepEqual(results, ['192.0.2.1']);
    x.resolve('example.org');
    x.reply(x.take(), { flags: 1 << 9 });
    assert.equal(x.take().destination, TWO.address);
    assert.equal(x.counters.rxTruncated, 2);
  });

  it('answers from its cache for as long as the least TTL on the way', () => {
    const x = new Asked();
    x.resolve('www.org');
    x.reply(x.take(), { answers: [cname('www.org', 'b.org', 100), a('b.org', '192.0.2.9', 30)] });
    x.now = 29_999;
    const hit = x.resolve('WWW.org');
    x.until(x.now);
    assert.deepEqual(hit, ['192.0.2.9']);
    assert.equal(x.counters.cacheHits, 1);
    assert.deepEqual(x.host.sent, []);
    x.now = 30_000;
    x.resolve('www.org');
    assert.equal(x.host.sent.length, 1);
  });

  it('keeps a negative answer as long as its SOA says, within bounds, and not without one (RFC 2308 §5)', () => {
    const x = new Asked({ maxNegativeTtlSeconds: 20 });
    x.resolve('missing.org');
    x.reply(x.take(), { flags: 3, authorities: [soa(3600)] });
    x.now = 19_999;
    const hit = x.resolve('missing.org');
    x.until(x.now);
    assert.match(hit[0] ?? '', /^ENOTFOUND/);
    x.now = 20_000;
    x.resolve('missing.org');
    x.reply(x.take(), { flags: 3 });
    x.resolve('missing.org');
    assert.equal(x.host.sent.length, 1);
  });

  it('keeps a negative answer behind aliases no longer than they hold (RFC 1035 §3.2.1)', () => {
    const x = new Asked();
    const ask = () => {
      const results = x.resolve('www.org');
      x.until(x.now);
      return results;
    };
    ask();
    x.reply(x.take(), { answers: [cname('www.org', 'gone.net', 10)], authorities: [soa(300)] });
    x.now = 9_999;
    assert.match(ask()[0] ?? '', /^ENOTFOUND/);
    x.now = 10_000;
    ask();
    x.reply(x.take(), { answers: [cname('www.org', 'gone.net', 10)] });
    const next = x.take();
    assert.equal(nameOf(next), 'gone.net');
    x.reply(next, {});
    ask();
    assert.equal(x.host.sent.length, 1, 'and not at all without a SOA');
  });

  it('takes a referral for no answer: such a server does not resolve names (RFC 2308 §2.2)', () => {
    const x = new Asked();
    const results = x.resolve('www.org');
    x.reply(x.take(), { authorities: [ns('org')] });
    const second = x.take();
    assert.equal(second.destination, TWO.address);
    x.reply(second, { authorities: [ns('org')] });
    assert.match(results[0] ?? '', /^EAI_AGAIN: .*10\.0\.0\.53 \(does not resolve names\), 10\.0\.0\.54:5353 \(does not resolve names\)/);
    for (const packet of [{ authorities: [ns('org'), soa(5)] }, { flags: 1 << 10, authorities: [ns('org')] }]) {
      const without = x.resolve(`v6-${packet.flags ?? 0}.org`);
      x.reply(x.take(), packet);
      assert.match(without[0] ?? '', /^ENOTFOUND: .* has no IPv4 address/);
    }
  });

  it('bounds its cache, evicting what was not used for longest, and the TTL', () => {
    const x = new Asked({ cacheEntries: 2, maxTtlSeconds: 100 });
    const learn = (name: string) => {
      x.resolve(name);
      x.reply(x.take(), { answers: [a(name, '192.0.2.1', 1_000_000)] });
    };
    learn('a.org');
    learn('b.org');
    x.resolve('a.org');
    learn('c.org');
    assert.equal(x.counters.cacheEvicted, 1);
    x.resolve('a.org');
    assert.deepEqual(x.host.sent, []);
    x.resolve('b.org');
    assert.equal(nameOf(x.take()), 'b.org');
    x.now = 100_000;
    x.resolve('a.org');
    assert.equal(x.host.sent.length, 1);
  });

  it('asks once for names that are asked for at the same time, until the last asker has cancelled', () => {
    const x = new Asked();
    const results: string[] = [];
    const requests = [0, 1, 2].map((i) => x.resolver.resolve('example.org', 0, (result) => results.push(`${i} ${show(result)}`)));
    assert.equal(x.host.sent.length, 1);
    requests[1]?.cancel();
    x.reply(x.take(), { answers: [a('example.org', '192.0.2.1', 0)] });
    assert.deepEqual(results, ['0 192.0.2.1', '2 192.0.2.1']);
    const other = x.resolver.resolve('other.org', 0, () => assert.fail('was cancelled'));
    const sent = x.take();
    other.cancel();
    other.cancel();
    assert.equal(x.resolver.pollAt(), Infinity);
    x.reply(sent, { answers: [a('other.org', '192.0.2.1')] });
    assert.equal(x.host.counters.udp.rxNoPort, 1, 'its port is closed');
  });

  it('does not tell who cancels while the answer is on its way', () => {
    const x = new Asked();
    const request = x.resolver.resolve('192.0.2.1', 0, () => assert.fail('was cancelled'));
    request.cancel();
    x.until(0);
  });

  it('does not ask for dotted quads', () => {
    const x = new Asked();
    const results = x.resolve('192.0.2.1');
    x.until(0);
    assert.deepEqual(results, ['192.0.2.1']);
    assert.deepEqual(x.host.sent, []);
  });

  it('refuses names that are none, saying why, without asking', () => {
    const x = new Asked();
    const cases: [string, RegExp][] = [
      ['', /empty/], ['.', /empty/], ['a..org', /two dots/], ['.org', /begins with one/], ['300.1.1.1', /neither a name nor/], ['1.2.3', /neither a name nor/],
      ['a b.org', /"a b"/], ['-a.org', /hyphen/], ['bücher.de', /xn--/], ['::1', /only IPv4/], ['a.org:80', /without a port/], ['localhost', /loopback/],
      ['foo.LOCALHOST.', /loopback/], [`${'a'.repeat(64)}.org`, /longer than 63/], [`${'a.'.repeat(130)}org`, /at most 253/],
    ];
    for (const [name, why] of cases) {
      const results = x.resolve(name);
      x.until(0);
      assert.match(results[0] ?? '', why, name);
      assert.match(results[0] ?? '', /^ENOTFOUND: "/, name);
    }
    assert.deepEqual(x.host.sent, []);
    x.resolve('_http._tcp.example.org');
    assert.equal(x.host.sent.length, 1);
  });

  it('waits for the link to name its servers, and not for ever', () => {
    const x = new Asked({ waitForServersMs: 10_000 }, null);
    const results = x.resolve('example.org');
    x.until(5_000);
    assert.deepEqual(x.host.sent, []);
    x.resolver.servers = [ONE];
    x.until(5_000);
    x.reply(x.take(), { answers: [a('example.org', '192.0.2.1')] });
    assert.deepEqual(results, ['192.0.2.1']);
    x.resolver.servers = null;
    const never = x.resolve('example.org');
    x.until(14_999);
    assert.deepEqual(never, []);
    x.until(15_000);
    assert.match(never[0] ?? '', /^EAI_AGAIN: "example\.org" .*within 10 s/);
  });

  it('fails at once where the link has no name server', () => {
    const x = new Asked({}, []);
    const results = x.resolve('example.org');
    x.until(0);
    assert.match(results[0] ?? '', /^EAI_AGAIN: .*set one \(dns\)/);
  });

  it('begins anew with new servers, forgetting what the old ones said, but not with the same', () => {
    const x = new Asked();
    x.resolve('known.org');
    x.reply(x.take(), { answers: [a('known.org', '192.0.2.1')] });
    const results = x.resolve('example.org');
    x.take();
    x.resolver.servers = [ONE, TWO];
    x.until(0);
    assert.deepEqual(x.host.sent, []);
    x.resolver.servers = [TWO];
    x.until(0);
    x.reply(x.take(), { answers: [a('example.org', '192.0.2.1')] });
    assert.deepEqual(results, ['192.0.2.1']);
    x.resolve('known.org');
    assert.equal(x.take().destination, TWO.address);
  });

  it('begins anew when it is told that answers may be others, forgetting those it had, good and bad', () => {
    const x = new Asked();
    x.resolve('known.org');
    x.reply(x.take(), { answers: [a('known.org', '192.0.2.1')] });
    x.resolve('missing.org');
    x.reply(x.take(), { flags: 3, authorities: [soa(60)] });
    const results = x.resolve('example.org');
    const old = x.take();
    x.resolver.forget();
    x.resolver.resolve('known.org', x.now, () => {});
    x.resolver.resolve('missing.org', x.now, () => {});
    x.until(0);
    assert.deepEqual(x.host.sent.map((sent) => sent.destination), [ONE.address, ONE.address, ONE.address]);
    x.reply(old, { answers: [a('example.org', '192.0.2.66')] });
    assert.deepEqual(results, [], 'the answer to the old question counts no more');
    x.reply(x.take(), { answers: [a('example.org', '192.0.2.1')] });
    assert.deepEqual(results, ['192.0.2.1']);
  });

  it('bounds the names being asked for', () => {
    const x = new Asked({ maxQueries: 2 });
    x.resolve('a.org');
    x.resolve('b.org');
    const third = x.resolve('c.org');
    x.until(0);
    assert.match(third[0] ?? '', /^ENOBUFS: "c\.org"/);
    const same = x.resolve('a.org');
    x.until(0);
    assert.deepEqual(same, []);
  });

  it('tells everybody who waits when the stack cannot send at all', () => {
    const x = new Asked();
    x.host.result = 'unreachable';
    const results = x.resolve('example.org');
    x.until(0);
    assert.match(results[0] ?? '', /^EAI_AGAIN: .*\(no route\)/);
  });

  it('ends what is under way when it is closed', () => {
    const x = new Asked();
    const results = x.resolve('example.org');
    x.resolver.close();
    assert.match(results[0] ?? '', /^EAI_AGAIN: .*closed/);
    assert.equal(x.resolver.pollAt(), Infinity);
  });
});
