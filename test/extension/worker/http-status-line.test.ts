import assert from 'node:assert/strict';
import fc from 'fast-check';
import { StatusLineReader } from '../../../extension/worker/script/http/status-line';
import { NetworkError } from '../../../extension/worker/script/http/stream';

/** What the parser is given of `text`, cut at `cuts`. */
function read(text: string, cuts: readonly number[] = []): string[] {
  const reader = new StatusLineReader();
  reader.expect();
  const ends = [...cuts.map((cut) => cut % (text.length + 1)).sort((a, b) => a - b), text.length];
  let at = 0;
  return ends.map((end) => {
    const chunk = Buffer.from(text.slice(at, end), 'latin1');
    at = Math.max(at, end);
    return reader.take(chunk).toString('latin1');
  });
}

describe('What comes before a response (RFC 9110 §15.2, RFC 9112 §4)', () => {
  const RESPONSE = 'HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno';
  const INTERIM = 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 103 Early Hints\nLink: </a>\n\nHTTP/1.1 102 Processing\r\nA: b\r\n\r\n';

  it('reaches the parser without interim responses and with its status line in one piece, however it is cut', () => {
    fc.assert(fc.property(fc.array(fc.nat(), { maxLength: 30 }), (cuts) => {
      const given = read(INTERIM + RESPONSE, cuts).filter((part) => part !== '');
      assert.equal(given.join(''), RESPONSE);
      assert.ok(given[0]?.includes('\n'));
    }));
  });

  it('lets 101 through, and what is no HTTP at once', () => {
    assert.deepEqual(read('HTTP/1.1 101 Switching Protocols\r\n\r\n', [40]).join(''), 'HTTP/1.1 101 Switching Protocols\r\n\r\n');
    assert.deepEqual(read('220 hello', [3]), ['220', ' hello']);
    assert.deepEqual(read('HTTPS', [4]), ['', 'HTTPS']);
  });

  it('lets everything through after the status line, also what looks like another', () => {
    const reader = new StatusLineReader();
    reader.expect();
    reader.take(Buffer.from('HTTP/1.1 200 OK\r\n'));
    const body = Buffer.from('HTTP/1.1 100 Continue\r\n\r\n');
    assert.equal(reader.take(body), body);
  });

  it('knows whether anything has come since the request', () => {
    const reader = new StatusLineReader();
    reader.expect();
    const answers = [reader.answered];
    reader.take(Buffer.from('H'));
    answers.push(reader.answered);
    reader.expect();
    answers.push(reader.answered);
    assert.deepEqual(answers, [false, true, false]);
  });

  it('has an end to its patience', () => {
    const protocolError = (error: unknown) => error instanceof NetworkError && error.code === 'EPROTO';
    assert.throws(() => read(`HTTP/1.1 200 ${'x'.repeat(9_000)}`), protocolError);
    assert.throws(() => read('HTTP/1.1 102 Processing\r\n\r\n'.repeat(3_000)), protocolError);
    assert.throws(() => read(`HTTP/1.1 102 Processing\r\n${'A: b\r\n'.repeat(20_000)}`), protocolError);
  });
});
