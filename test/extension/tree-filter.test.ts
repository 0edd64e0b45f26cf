import assert from 'node:assert/strict';
import { RunModel } from '../../extension/run-model';
import { describeFilter, isFiltering, NO_FILTER, passesFetch, passesRun, passesSocket } from '../../extension/tree-filter';
import { fetchReport, socketReport } from './support';

describe('the filter of the Sockets view', () => {
  const open = socketReport({ status: 'connected', remoteAddress: '192.0.2.7' });
  const closed = socketReport({ id: 2, status: 'fin', closedAt: 1 });
  const broken = socketReport({ id: 3, status: 'error', error: { code: 'ECONNRESET', message: '' }, closedAt: 1 });
  const pending = fetchReport();
  const found = fetchReport({ id: 2, status: 200, durationMs: 1 });
  const missing = fetchReport({ id: 3, status: 404, durationMs: 1 });
  const lost = fetchReport({ id: 4, status: -1, durationMs: 1, error: { code: 'ENOTFOUND', message: '' } });

  it('shows everything unless told otherwise', () => {
    assert.equal(isFiltering(NO_FILTER), false);
    assert.ok([open, closed, broken].every((socket) => passesSocket(NO_FILTER, socket)));
    assert.ok([pending, found, missing, lost].every((fetch) => passesFetch(NO_FILTER, fetch)));
    assert.equal(describeFilter(NO_FILTER), '');
  });

  it('shows what is open', () => {
    const filter = { show: 'open', text: '' } as const;
    assert.deepEqual([open, closed, broken].map((socket) => passesSocket(filter, socket)), [true, false, false]);
    assert.deepEqual([pending, found, missing, lost].map((fetch) => passesFetch(filter, fetch)), [true, false, false, false]);
  });

  it('shows what failed, an error of the server included', () => {
    const filter = { show: 'failed', text: '' } as const;
    assert.deepEqual([open, closed, broken].map((socket) => passesSocket(filter, socket)), [false, false, true]);
    assert.deepEqual([pending, found, missing, lost].map((fetch) => passesFetch(filter, fetch)), [false, false, true, true]);
  });

  it('shows what holds a text, in any case', () => {
    for (const [text, passes] of [['EXAMPLE', true], [':80', true], ['192.0.2', true], ['other', false]] as const) assert.equal(passesSocket({ show: 'all', text }, open), passes, text);
    assert.ok(passesFetch({ show: 'all', text: 'get http' }, pending));
    assert.equal(describeFilter({ show: 'failed', text: 'x' }), 'Shown: only what failed and holds "x"');
  });

  it('keeps a script of which something is shown, or that is meant itself', () => {
    const model = new RunModel();
    const run = model.add({ id: 'run-1', key: 'k', file: '/a.ts', title: 'a.ts', tickRate: 30, startedAt: 0 });
    assert.ok(passesRun({ show: 'open', text: '' }, run), 'it runs');
    assert.equal(passesRun({ show: 'failed', text: '' }, run), false);
    assert.ok(passesRun({ show: 'all', text: 'A.TS' }, run));
    model.apply({ type: 'activity', sockets: [broken], fetches: [] }, 0);
    assert.ok(passesRun({ show: 'failed', text: '' }, run));
    model.apply({ type: 'ended', runId: 'run-1', outcome: { kind: 'finished' } }, 0);
    assert.equal(passesRun({ show: 'open', text: '' }, run), false);
    assert.equal(passesRun({ show: 'failed', text: 'elsewhere' }, run), false);
  });
});
