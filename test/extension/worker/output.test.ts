import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { toFetchReport } from '../../../extension/worker/fetch-report';
import { LineLimiter, OutputReader, parseError } from '../../../extension/worker/script-output';
import { permissionFlag } from '../../../extension/node/script-node';
import { ranOutOfHeap } from '../../../extension/worker/script-process';
import { LAST_PIECE, OUTPUT_LEVELS, REPORT_ERROR } from '../../../extension/worker/script/report';

function frame(op: number, id: number, text: string): Buffer {
  const payload = Buffer.from(text);
  const header = Buffer.alloc(9);
  header.writeUInt32LE(payload.length, 0);
  header[4] = op;
  header.writeUInt32LE(id, 5);
  return Buffer.concat([header, payload]);
}

describe('What a script prints', () => {
  function limiter(bytesPerSecond: number) {
    let now = 0;
    const lines: string[] = [];
    const limit = new LineLimiter(bytesPerSecond, () => now, (level, text) => lines.push(`${level} ${text}`));
    return { lines, limit, wait: (ms: number) => (now += ms) };
  }

  it('joins the pieces of a line, splitting no character', () => {
    const { lines, limit } = limiter(1_000);
    const bytes = Buffer.from('aé€b');
    for (let at = 0; at < bytes.length; at++) limit.add('print', bytes.subarray(at, at + 1), at === bytes.length - 1);
    limit.add('warn', Buffer.alloc(0), true);
    assert.deepEqual(lines, ['print aé€b', 'warn ']);
  });

  it('drops what exceeds the rate, and tells how much', () => {
    const { lines, limit, wait } = limiter(10);
    for (let i = 0; i < 5; i++) limit.add('print', Buffer.from('1234'), true);
    assert.deepEqual(lines, ['print 1234', 'print 1234']);
    wait(1_000);
    limit.add('print', Buffer.from('next'), true);
    assert.match(lines[2] ?? '', /^warn \[riftnet\] 15 bytes of output were dropped: the limit is 10 bytes a second/);
    assert.equal(lines[3], 'print next');
    limit.flush();
    assert.equal(lines.length, 4);
  });

  it('cuts a line that is longer than the rate', () => {
    const { lines, limit } = limiter(10);
    limit.add('print', Buffer.from('123456'), false);
    limit.add('print', Buffer.from('789012345'), false);
    limit.add('print', Buffer.from('more'), true);
    limit.flush();
    assert.equal(lines[0], 'print 1234567890');
    assert.match(lines[1] ?? '', / 9 bytes of output were dropped/);
  });

  it('is read frame by frame, with levels and errors', () => {
    const stream = new PassThrough();
    const seen: unknown[] = [];
    const reader = new OutputReader(stream, {
      output: (level, piece, last) => seen.push([level, piece.toString(), last]),
      error: (error) => seen.push(error),
      broken: (reason) => seen.push(reason),
    });
    assert.ok(reader);
    const error = { kind: 'handler', message: 'Error: x', stack: 'Error: x\n    at /a.ts:1:2', location: { file: '/a.ts', line: 1, column: 2 } };
    // Level 4 has the number of the pipe's data frames: here it is a message like the others.
    const bytes = Buffer.concat([...OUTPUT_LEVELS.map((level, op) => frame(op, op % 2 === 0 ? LAST_PIECE : 0, level)), frame(REPORT_ERROR, 0, JSON.stringify(error)), frame(99, 0, '')]);
    stream.emit('data', bytes.subarray(0, 20));
    stream.emit('data', bytes.subarray(20));
    assert.deepEqual(seen, [...OUTPUT_LEVELS.map((level, op) => [level, level, op % 2 === 0]), error, 'a report of unknown kind 99']);
  });
});

describe('What a script\'s process says is not trusted', () => {
  for (const text of ['', '{', 'null', '5', '{}', '{"kind":"throw"}', '{"kind":"other","message":"","stack":"","location":null}', '{"kind":"throw","message":5,"stack":"","location":null}']) {
    it(`takes ${text || 'nothing'} for no error`, () => assert.equal(parseError(Buffer.from(text)), null));
  }

  it('leaves out a location that is none', () => {
    assert.equal(parseError(Buffer.from('{"kind":"throw","message":"m","stack":"s","location":{"file":5}}'))?.location, null);
  });

  it('takes a report of a fetch field by field', () => {
    assert.equal(toFetchReport('1', Buffer.from('[]')), null);
    assert.equal(toFetchReport('1', Buffer.from('{"id":1,"method":"GET","startedAt":1}')), null);
    const report = toFetchReport('1', Buffer.from('{"id":1,"method":"GET","url":"http://a/","startedAt":1,"status":"200","error":{"code":1},"extra":1}'));
    assert.deepEqual(report, {
      runId: '1', id: 1, method: 'GET', url: 'http://a/', status: null, statusMessage: null, sentBytes: 0, requestBytes: null, bodyBytes: 0, expectedBytes: null, startedAt: 1, durationMs: null, error: null,
    });
  });
});

describe('How a script\'s process ended', () => {
  const end = (errorOutput: string) => ({ code: null, signal: 'SIGABRT' as const, errorOutput, spawnError: null });
  for (const words of [
    'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory', 'FATAL ERROR: invalid array length Allocation failed',
    'FATAL ERROR: invalid table size Allocation failed - JavaScript heap out of memory', '# Fatal process out of memory: Zone',
    'FATAL ERROR: Ineffective mark-compacts near heap limit Allocation failed',
  ]) {
    it(`recognises "${words.slice(0, 50)}"`, () => assert.equal(ranOutOfHeap(end(`\n<--- Last few GCs --->\n${words}\n`)), true));
  }
  it('tells it from other crashes', () => assert.equal(ranOutOfHeap(end('FATAL ERROR: v8::ToLocalChecked Empty MaybeLocal')), false));

  it('finds the permission model of each Node', () => {
    assert.equal(permissionFlag(new Set(['--permission', '--experimental-permission'])), '--permission');
    assert.equal(permissionFlag(new Set(['--experimental-permission'])), '--experimental-permission');
    assert.equal(permissionFlag(new Set()), null);
    assert.notEqual(permissionFlag(), null);
  });
});
