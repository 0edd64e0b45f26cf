import assert from 'node:assert/strict';
import { decode, encode, type Packet } from 'dns-packet';
import fc from 'fast-check';
import { decodeDnsResponse, encodeDnsQuery, questionEnd, sameQuestion, serverFailure } from '../../../stack/wire/dns';

const answer = (flags = 0) =>
  encode({
    type: 'response', id: 7, flags,
    questions: [{ type: 'A', class: 'IN', name: 'WWW.Example.org' }],
    answers: [
      { type: 'CNAME', class: 'IN', name: 'www.example.org', ttl: 30, data: 'Web.Example.org' },
      { type: 'A', class: 'IN', name: 'web.example.org', ttl: 60, data: '192.0.2.7' },
      { type: 'AAAA', class: 'IN', name: 'web.example.org', ttl: 60, data: '2001:db8::1' },
    ],
  });

describe('DNS codec (RFC 1035 §4)', () => {
  it('asks for IPv4 addresses, recursively, and says how long an answer may be (RFC 6891)', () => {
    const query = decode(Buffer.from(encodeDnsQuery(0xabcd, 'example.org', 1_232)));
    assert.equal(query.id, 0xabcd);
    assert.equal(query.flag_rd, true);
    assert.deepEqual(query.questions, [{ name: 'example.org', type: 'A', class: 'IN' }]);
    const [option] = query.additionals ?? [];
    assert.ok(option?.type === 'OPT');
    assert.equal(option.udpPayloadSize, 1232);
    assert.equal(decode(Buffer.from(encodeDnsQuery(1, 'example.org', null))).additionals?.length, 0);
  });

  it('narrows an answer to addresses and aliases, names in lower case', () => {
    assert.deepEqual(decodeDnsResponse(answer()), {
      id: 7,
      truncated: false,
      rcode: 0,
      question: { name: 'www.example.org', asWritten: 'WWW.Example.org', isAddress: true },
      answers: [
        { type: 'CNAME', name: 'www.example.org', target: 'web.example.org', ttlSeconds: 30 },
        { type: 'A', name: 'web.example.org', address: 0xc000_0207, ttlSeconds: 60 },
      ],
      negativeTtlSeconds: null,
      isReferral: false,
    });
  });

  it('takes a TTL with its top bit set for zero (RFC 2181 §8)', () => {
    const bytes = encode({ type: 'response', id: 1, answers: [{ type: 'A', class: 'IN', name: 'a', ttl: 0x8000_0000, data: '192.0.2.1' }] });
    assert.equal(decodeDnsResponse(bytes)?.answers[0]?.ttlSeconds, 0);
  });

  it('takes the least of the SOA record TTL and minimum for a negative answer (RFC 2308 §5)', () => {
    const soa = { mname: 'a', rname: 'b', serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 90 };
    const bytes = encode({ type: 'response', id: 1, flags: 3, authorities: [{ type: 'SOA', class: 'IN', name: 'a', ttl: 300, data: soa }] });
    assert.equal(decodeDnsResponse(bytes)?.negativeTtlSeconds, 90);
    assert.equal(decodeDnsResponse(bytes)?.rcode, 3);
  });

  it('refuses queries, other operations, and every cut of an answer', () => {
    assert.equal(decodeDnsResponse(encodeDnsQuery(1, 'a', 1_232)), null);
    assert.equal(decodeDnsResponse(answer(2 << 11)), null);
    const whole = answer();
    for (let length = 0; length < whole.length; length++) assert.equal(decodeDnsResponse(whole.subarray(0, length)), null, `${length} bytes`);
  });

  it('reads header and question of an answer that says that it is cut, wherever behind the question (RFC 2181 §9)', () => {
    const whole = answer(1 << 9);
    const end = questionEnd(whole) ?? 0;
    assert.equal(decodeDnsResponse(whole)?.answers.length, 2);
    for (let length = 0; length < whole.length; length++) {
      const cut = decodeDnsResponse(whole.subarray(0, length));
      assert.deepEqual([cut?.truncated, cut?.answers, cut?.question?.asWritten], length < end ? [undefined, undefined, undefined] : [true, [], 'WWW.Example.org'], `${length} bytes`);
    }
    const query = whole.subarray(0, end + 3);
    query[2] = (query[2] ?? 0) & 0x7f;
    assert.equal(decodeDnsResponse(query), null, 'a query');
  });

  it('tells a referral from "no such address": name servers, no SOA, not authoritative (RFC 2308 §2.2)', () => {
    const ns = { type: 'NS', class: 'IN', name: 'org', ttl: 60, data: 'ns.org' } as const;
    const soa = { type: 'SOA', class: 'IN', name: 'org', ttl: 60, data: { mname: 'a', rname: 'b', minimum: 90 } } as const;
    const a = { type: 'A', class: 'IN', name: 'www.org', ttl: 60, data: '192.0.2.7' } as const;
    const isReferral = (packet: Packet) => decodeDnsResponse(encode({ type: 'response', id: 1, ...packet }))?.isReferral;
    assert.equal(isReferral({ authorities: [ns] }), true);
    for (const packet of [{}, { authorities: [soa] }, { authorities: [ns, soa] }, { authorities: [ns], answers: [a] }, { authorities: [ns], flags: 1 << 10 }, { authorities: [ns], flags: 3 }]) {
      assert.equal(isReferral(packet), false, JSON.stringify(packet));
    }
  });

  it('never throws, and ends, whatever arrives', () => {
    const good = answer();
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 20 }), (changes) => {
        const bytes = Uint8Array.from(good);
        for (const [at, value] of changes) bytes[at] = value;
        decodeDnsResponse(bytes);
        questionEnd(bytes);
      }),
    );
  });
});

describe('Raw DNS questions, as the gateway forwards them', () => {
  const query = encodeDnsQuery(5, 'www.example.org', 1_232);
  const end = questionEnd(query) ?? 0;

  it('end after type and class', () => {
    assert.equal(end, 12 + 17 + 4);
    for (let length = 0; length < end; length++) assert.equal(questionEnd(query.subarray(0, length)), null, `${length} bytes`);
  });

  it('are refused where there is not exactly one, or its name is compressed', () => {
    const two = query.slice();
    two[5] = 2;
    assert.equal(questionEnd(two), null);
    const compressed = query.slice();
    compressed[12] = 0xc0;
    assert.equal(questionEnd(compressed), null);
  });

  it('are the same whatever the case of their letters, but not with another type (RFC 4343)', () => {
    assert.equal(sameQuestion(query, answer(), end), true);
    const https = query.slice();
    https[end - 3] = 65;
    const other = query.slice();
    other[end - 3] = 97;
    assert.equal(sameQuestion(https, other, end), false);
    assert.equal(sameQuestion(query, encodeDnsQuery(5, 'www.example.com', 1_232), end), false);
  });

  it('are answered with a server failure that repeats them (RFC 1035 §4.1.1)', () => {
    const failure = decodeDnsResponse(serverFailure(query, end));
    assert.deepEqual(failure, { id: 5, truncated: false, rcode: 2, question: { name: 'www.example.org', asWritten: 'www.example.org', isAddress: true }, answers: [], negativeTtlSeconds: null, isReferral: false });
  });
});
