import assert from 'node:assert/strict';
import { changeLine, printLine } from '../../extension/output-lines';
import type { RunOutcome, SocketReport } from '../../extension/protocol';
import { RunModel } from '../../extension/run-model';
import type { RunChange } from '../../extension/run-model';
import { fetchReport, socketReport } from './support';

const NOW = new Date(2026, 0, 2, 3, 4, 5, 6).getTime();
const HEAD = '03:04:05.006 [a.ts] ';

function run(outcome: RunOutcome | null = null) {
  const model = new RunModel();
  const added = model.add({ id: 'run-1', key: 'file:///ws/a.ts', file: '/ws/a.ts', title: 'a.ts', tickRate: 30, startedAt: NOW - 1500 });
  if (outcome) model.apply({ type: 'ended', runId: 'run-1', outcome }, NOW);
  return added;
}

const line = (change: RunChange): string | null => changeLine(change, NOW);
const socketLine = (fields: Partial<SocketReport>, previous: Partial<SocketReport> | null = null) =>
  line({ kind: 'socket', run: run(), socket: socketReport(fields), previous: previous && socketReport(previous) });

describe('the lines of the output', () => {
  it('show what is printed as it is, with its level', () => {
    assert.equal(printLine(NOW, 'a.ts', 'print', 'one\ntwo'), `${HEAD}one\ntwo`);
    assert.equal(printLine(NOW, 'a.ts', 'log', 'text'), `${HEAD}text`);
    assert.equal(printLine(NOW, 'a.ts', 'warn', 'text'), `${HEAD}warn: text`);
    assert.equal(printLine(NOW, 'a.ts', 'error', 'text'), `${HEAD}error: text`);
  });

  it("tell a run's beginning and end", () => {
    assert.equal(line({ kind: 'added', run: run() }), `${HEAD}▸ running /ws/a.ts`);
    const outcomes: [RunOutcome, string][] = [
      [{ kind: 'finished' }, '■ finished after 1.50 s'],
      [{ kind: 'stopped' }, '■ stopped after 1.50 s'],
      [{ kind: 'timeout', seconds: 5 }, '✖ ended by its time limit of 5 s'],
      [{ kind: 'limit', message: 'it used 600 MiB' }, '✖ it used 600 MiB'],
      [{ kind: 'crashed', message: 'the worker ended' }, '✖ the worker ended'],
      [{ kind: 'error', error: { kind: 'throw', message: 'Error: no', stack: 'Error: no\n    at /ws/a.ts:1:2', location: null } }, '✖ Error: no\n    at /ws/a.ts:1:2'],
    ];
    for (const [outcome, text] of outcomes) assert.equal(line({ kind: 'phase', run: run(outcome) }), HEAD + text);
    assert.equal(line({ kind: 'phase', run: run() }), null, 'only the end of the phases is a line');
  });

  it('tell each change of a socket, and only changes', () => {
    assert.equal(socketLine({}), `${HEAD}● socket 1 example.test:80 connecting`);
    assert.equal(socketLine({ status: 'connected', remoteAddress: '192.0.2.1' }, {}), `${HEAD}● socket 1 example.test:80 connected to 192.0.2.1`);
    assert.equal(socketLine({ host: '192.0.2.1', status: 'connected', remoteAddress: '192.0.2.1' }, {}), `${HEAD}● socket 1 192.0.2.1:80 connected`);
    assert.equal(socketLine({ status: 'connected', bytesRead: 5 }, { status: 'connected' }), null);
    assert.equal(socketLine({ status: 'fin', bytesRead: 2048, bytesWritten: 7 }, { status: 'connected' }), `${HEAD}● socket 1 example.test:80 closed, 2.0 KiB read, 7 B written`);
    assert.equal(socketLine({ status: 'error', error: { code: 'ECONNREFUSED', message: 'port 80 refused' } }, {}), `${HEAD}● socket 1 example.test:80 error ECONNREFUSED: port 80 refused`);
  });

  it("leave a fetch's socket to the fetch", () => {
    assert.equal(socketLine({ fetchId: 3 }), null);
  });

  it('tell how a fetch ended', () => {
    const fetchLine = (fields: Parameters<typeof fetchReport>[0]) => line({ kind: 'fetch', run: run(), fetch: fetchReport(fields), previous: null });
    assert.equal(fetchLine({}), null);
    assert.equal(fetchLine({ status: 200, statusMessage: 'OK' }), null, 'the body is still to come');
    assert.equal(fetchLine({ status: 200, statusMessage: 'OK', bodyBytes: 12, durationMs: 34 }), `${HEAD}⇄ fetch GET http://example.test/ 200 OK, 12 B in 34 ms`);
    assert.equal(fetchLine({ status: 204, statusMessage: '', durationMs: 3 }), `${HEAD}⇄ fetch GET http://example.test/ 204, 0 B in 3.0 ms`);
    assert.equal(
      fetchLine({ status: -1, statusMessage: 'socket error', durationMs: 3, error: { code: 'ENOTFOUND', message: 'no such name' } }),
      `${HEAD}⇄ fetch GET http://example.test/ error ENOTFOUND: no such name in 3.0 ms`,
    );
    assert.ok((fetchLine({ status: 200, durationMs: 1, url: `http://example.test/${'x'.repeat(100_000)}` }) ?? '').length < 500);
  });

  it('tell an error that did not end the script', () => {
    const error = { kind: 'handler', message: 'Error: no', stack: 'Error: no\n    at /ws/a.ts:1:2', location: null } as const;
    assert.equal(line({ kind: 'error', run: run(), error }), `${HEAD}✖ Error: no\n    at /ws/a.ts:1:2`);
  });
});
