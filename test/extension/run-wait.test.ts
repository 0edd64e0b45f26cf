import assert from 'node:assert/strict';
import { RunModel } from '../../extension/run-model';
import { waitsFor } from '../../extension/run-wait';
import { LINK } from './support';

describe('What a run waits for', () => {
  it('is told step by step, and no longer once it runs', () => {
    const model = new RunModel();
    const run = model.add({ id: 'run-1', key: 'file:///a.ts', file: '/a.ts', title: 'a.ts', tickRate: 30, startedAt: 0 });
    const ready = { kind: 'ready', pid: 1, link: LINK } as const;
    assert.equal(waitsFor(run, { kind: 'starting', pid: null, link: null }), 'starting the network');
    assert.equal(waitsFor(run, { kind: 'starting', pid: 1, link: { ...LINK, address: null } }), 'waiting for an address from the network');
    assert.equal(waitsFor(run, ready), 'starting its process');
    model.apply({ type: 'started', runId: 'run-1', pid: 7 }, 0);
    assert.equal(waitsFor(run, ready), 'putting the script together');
    model.apply({ type: 'running', runId: 'run-1' }, 0);
    assert.equal(waitsFor(run, ready), null);
  });

  it('is nothing for one that was stopped before it ran', () => {
    const model = new RunModel();
    const run = model.add({ id: 'run-1', key: 'file:///a.ts', file: '/a.ts', title: 'a.ts', tickRate: 30, startedAt: 0 });
    model.stopping('run-1');
    assert.equal(waitsFor(run, { kind: 'starting', pid: null, link: null }), null);
  });
});
