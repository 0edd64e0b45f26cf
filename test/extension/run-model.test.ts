import assert from 'node:assert/strict';
import { MAX_ENDED_PER_RUN, MAX_ENDED_RUNS, RunModel } from '../../extension/run-model';
import type { RunChange } from '../../extension/run-model';
import { fetchReport, socketReport } from './support';

const origin = (id: string, key = `file:///${id}.ts`) => ({ id, key, file: `/${id}.ts`, title: `${id}.ts`, tickRate: 30, startedAt: 1_000_000 });

function modelWithRun() {
  const model = new RunModel();
  const run = model.add(origin('run-1'));
  const changes: RunChange[] = [];
  model.onDidChange((change) => changes.push(change));
  return { model, run, changes };
}

describe('the model of runs', () => {
  it('follows a run from start to end', () => {
    const { model, run, changes } = modelWithRun();
    assert.equal(run.phase, 'starting');
    model.apply({ type: 'started', runId: 'run-1', pid: 42 }, 1_000_010);
    assert.deepEqual([run.phase, run.pid], ['starting', 42], 'its program is still being put together');
    model.apply({ type: 'running', runId: 'run-1' }, 1_000_020);
    assert.equal(run.phase, 'running');
    model.apply({ type: 'ended', runId: 'run-1', outcome: { kind: 'finished' } }, 1_000_500);
    assert.deepEqual([run.phase, run.endedAt, run.outcome], ['ended', 1_000_500, { kind: 'finished' }]);
    assert.deepEqual(changes.map(({ kind }) => kind), ['phase', 'phase', 'phase']);
  });

  it('hands each change of a socket on with what it was before', () => {
    const { model, changes } = modelWithRun();
    model.apply({ type: 'activity', sockets: [socketReport()], fetches: [] }, 0);
    model.apply({ type: 'activity', sockets: [socketReport({ status: 'connected' })], fetches: [] }, 0);
    const seen = changes.map((change) => (change.kind === 'socket' ? [change.previous?.status ?? null, change.socket.status] : []));
    assert.deepEqual(seen, [[null, 'connecting'], ['connecting', 'connected']]);
  });

  it('counts open sockets until they are closed, also after their script has ended', () => {
    const { model } = modelWithRun();
    model.apply({ type: 'activity', sockets: [socketReport({ id: 1 }), socketReport({ id: 2 })], fetches: [] }, 0);
    model.apply({ type: 'ended', runId: 'run-1', outcome: { kind: 'finished' } }, 0);
    assert.equal(model.openSockets, 2);
    model.apply({ type: 'activity', sockets: [socketReport({ id: 1, status: 'fin', closedAt: 5 }), socketReport({ id: 2, status: 'fin', closedAt: 5 })], fetches: [] }, 0);
    assert.equal(model.openSockets, 0);
  });

  it('keeps a bounded number of closed sockets and finished fetches, the latest, and counts the rest', () => {
    const { model, run } = modelWithRun();
    model.apply({ type: 'activity', sockets: [socketReport({ id: 0, status: 'connected' })], fetches: [] }, 0);
    const many = 3 * MAX_ENDED_PER_RUN;
    for (let id = 1; id <= many; id++) {
      model.apply({ type: 'activity', sockets: [socketReport({ id, status: 'fin', closedAt: id })], fetches: [fetchReport({ id, status: 200, durationMs: 1 })] }, 0);
    }
    assert.equal(run.sockets.size, MAX_ENDED_PER_RUN + 1);
    assert.equal(run.fetches.size, MAX_ENDED_PER_RUN);
    assert.ok(run.sockets.has(0), 'an open one stays');
    assert.ok(run.sockets.has(many));
    assert.equal(run.forgotten, 2 * (many - MAX_ENDED_PER_RUN));
  });

  it('keeps a bounded number of ended runs', () => {
    const model = new RunModel();
    const active = model.add(origin('active'));
    for (let n = 0; n < 2 * MAX_ENDED_RUNS; n++) {
      model.add(origin(`r${n}`));
      model.apply({ type: 'ended', runId: `r${n}`, outcome: { kind: 'finished' } }, n);
    }
    assert.equal(model.runs.length, MAX_ENDED_RUNS + 1);
    assert.equal(model.get('active'), active);
    assert.ok(model.get(`r${2 * MAX_ENDED_RUNS - 1}`));
  });

  it('a new run of a script takes the place of its ended ones', () => {
    const { model } = modelWithRun();
    model.apply({ type: 'ended', runId: 'run-1', outcome: { kind: 'stopped' } }, 0);
    model.add(origin('run-2', 'file:///run-1.ts'));
    assert.deepEqual(model.runs.map(({ id }) => id), ['run-2']);
  });

  it('ignores what is said about runs it does not know, or that have ended', () => {
    const { model, run } = modelWithRun();
    model.apply({ type: 'ended', runId: 'run-1', outcome: { kind: 'stopped' } }, 1);
    model.apply({ type: 'ended', runId: 'run-1', outcome: { kind: 'finished' } }, 2);
    model.apply({ type: 'started', runId: 'run-1', pid: 1 }, 2);
    model.apply({ type: 'started', runId: 'run-9', pid: 1 }, 2);
    model.apply({ type: 'activity', sockets: [socketReport({ runId: 'run-9' })], fetches: [fetchReport({ runId: 'run-9' })] }, 2);
    assert.deepEqual([run.outcome, run.endedAt, run.phase], [{ kind: 'stopped' }, 1, 'ended']);
    assert.equal(model.runs.length, 1);
  });

  it('ends the fetches of a script with it, whose process would have finished them', () => {
    const { model, run, changes } = modelWithRun();
    model.apply({ type: 'activity', sockets: [], fetches: [fetchReport({ id: 1, status: 200 }), fetchReport({ id: 2, status: 200, durationMs: 5 })] }, 0);
    model.apply({ type: 'ended', runId: 'run-1', outcome: { kind: 'stopped' } }, 1_000_700);
    assert.deepEqual([run.fetches.get(1)?.status, run.fetches.get(1)?.error?.code, run.fetches.get(1)?.durationMs], [-1, 'ECANCELED', 700]);
    assert.equal(run.fetches.get(2)?.status, 200);
    assert.deepEqual(changes.slice(2).map(({ kind }) => kind), ['fetch', 'phase']);
  });

  it('ends what was open in a worker that is gone', () => {
    const { model, run } = modelWithRun();
    model.apply({ type: 'activity', sockets: [socketReport({ id: 1, status: 'connected', tcpState: 'ESTABLISHED' }), socketReport({ id: 2, status: 'fin', closedAt: 3 })], fetches: [fetchReport()] }, 0);
    model.lost('run-1', 'gone', 1_002_000);
    assert.deepEqual([run.sockets.get(1)?.status, run.sockets.get(1)?.tcpState, run.sockets.get(1)?.closedAt], ['error', null, 1_002_000]);
    assert.equal(run.sockets.get(2)?.status, 'fin');
    assert.deepEqual([run.fetches.get(1)?.status, run.fetches.get(1)?.durationMs], [-1, 2_000]);
    assert.deepEqual(run.outcome, { kind: 'crashed', message: 'gone' });
  });
});
