import assert from 'node:assert/strict';
import { RunController, STOP_GIVE_UP_MS, STOP_KILL_MS } from '../../extension/run-controller';
import type { RunRequest } from '../../extension/run-controller';
import { RunModel } from '../../extension/run-model';
import { RESTART_DELAY_MS } from '../../extension/worker-supervisor';
import { superviseFakes } from './fake-worker';
import { fetchReport, settle, socketReport } from './support';

function request(name = 'a.ts', whenRunning: 'restart' | 'parallel' = 'restart', source = 'text'): RunRequest {
  return { key: `file:///ws/${name}`, file: `/ws/${name}`, source, settings: { tickRate: 30, limits: { memoryMb: 512, outputBytesPerSecond: 1024 }, timeoutSeconds: null, whenRunning } };
}

function control() {
  const fakes = superviseFakes();
  const model = new RunModel();
  const controller = new RunController({ supervisor: fakes.supervisor, model, scheduler: fakes.scheduler });
  /** Runs a script until the worker has started it. */
  const start = async (asked = request(), pid = 5000) => {
    const running = controller.run(asked);
    await settle();
    if (fakes.supervisor.state.kind !== 'ready') fakes.worker().ready();
    const run = await running;
    assert.ok(run);
    fakes.worker().say({ type: 'started', runId: run.id, pid });
    fakes.worker().say({ type: 'running', runId: run.id });
    return run;
  };
  return { ...fakes, model, controller, start };
}

describe('the run controller', () => {
  it('tells the worker what to run once it is ready', async () => {
    const { start, worker } = control();
    const run = await start(request('b.ts'));
    assert.deepEqual(worker().sentOf('run'), [
      { type: 'run', runId: run.id, file: '/ws/b.ts', source: 'text', tickRate: 30, limits: { memoryMb: 512, outputBytesPerSecond: 1024 }, timeoutSeconds: null },
    ]);
    assert.equal(run.phase, 'running');
    assert.equal(run.pid, 5000);
  });

  it('shows a run while its worker starts, and ends it if none can be started', async () => {
    const { controller, model, worker } = control();
    const running = controller.run(request());
    assert.equal(model.runs[0]?.phase, 'starting');
    worker().exit(1);
    await assert.rejects(running, /could not start/);
    assert.equal(model.runs[0]?.outcome?.kind, 'crashed');
  });

  it('stops a run that the worker does not know yet without asking it', async () => {
    const { controller, model, worker } = control();
    const running = controller.run(request());
    const [run] = model.runs;
    assert.ok(run);
    controller.stop(run.id);
    assert.deepEqual(run.outcome, { kind: 'stopped' });
    worker().ready();
    assert.equal(await running, null);
    assert.deepEqual(worker().sentOf('run'), []);
  });

  it('asks the worker to stop a run, once', async () => {
    const { controller, start, worker } = control();
    const run = await start();
    controller.stop(run.id);
    controller.stop(run.id);
    assert.deepEqual(worker().sentOf('stop'), [{ type: 'stop', runId: run.id }]);
    assert.equal(run.phase, 'stopping');
  });

  it('ends the script itself if the worker does not confirm a stop, then the worker', async () => {
    const { controller, start, worker, scheduler, killedPids } = control();
    const run = await start(request(), 6001);
    controller.stop(run.id);
    scheduler.advance(STOP_KILL_MS);
    assert.deepEqual(killedPids, [6001]);
    assert.equal(worker().killed, false);
    const first = worker();
    scheduler.advance(STOP_GIVE_UP_MS - STOP_KILL_MS);
    assert.ok(first.killed);
    assert.equal(run.phase, 'ended');
    assert.equal(run.outcome?.kind, 'crashed');
  });

  it('leaves no timer behind once a stop is confirmed', async () => {
    const { controller, start, worker, scheduler } = control();
    const run = await start();
    controller.stop(run.id);
    worker().say({ type: 'ended', runId: run.id, outcome: { kind: 'stopped' } });
    assert.equal(scheduler.pending, 0);
  });

  it('running again stops the old run and starts the new one when it has ended', async () => {
    const { controller, start, worker } = control();
    const first = await start(request('a.ts'));
    const again = controller.run(request('a.ts', 'restart', 'newer'));
    await settle();
    assert.deepEqual(worker().sentOf('stop').map(({ runId }) => runId), [first.id]);
    assert.equal(worker().sentOf('run').length, 1, 'not before the old one has ended');
    worker().say({ type: 'ended', runId: first.id, outcome: { kind: 'stopped' } });
    const second = await again;
    assert.equal(worker().sentOf('run').at(-1)?.source, 'newer');
    assert.notEqual(second?.id, first.id);
  });

  it('of several requests that wait for the old run, only the last is run', async () => {
    const { controller, start, worker, model } = control();
    const first = await start();
    const waiting = ['one', 'two', 'three'].map((source) => controller.run(request('a.ts', 'restart', source)));
    await settle();
    worker().say({ type: 'ended', runId: first.id, outcome: { kind: 'stopped' } });
    const [one, two, three] = await Promise.all(waiting);
    assert.deepEqual([one, two, three?.phase], [null, null, 'starting']);
    assert.deepEqual(worker().sentOf('run').map(({ source }) => source), ['text', 'three']);
    assert.equal(model.activeRuns.length, 1);
  });

  it('Stop gives up the request that waits for the old run, too', async () => {
    for (const all of [false, true]) {
      const { controller, start, worker, model } = control();
      const first = await start();
      const again = controller.run(request('a.ts', 'restart', 'newer'));
      await settle();
      if (all) controller.stopAll();
      else controller.stop(first.id);
      worker().say({ type: 'ended', runId: first.id, outcome: { kind: 'stopped' } });
      assert.equal(await again, null);
      assert.equal(worker().sentOf('run').length, 1);
      assert.deepEqual(model.activeRuns, []);
      await start(request('a.ts', 'restart', 'asked for after'));
    }
  });

  it('runs a script beside itself where settings say so, with titles that differ', async () => {
    const { start } = control();
    const first = await start(request('a.ts', 'parallel'));
    const second = await start(request('a.ts', 'parallel'), 5001);
    assert.equal(first.phase, 'running');
    assert.deepEqual([first.title, second.title], ['a.ts', 'a.ts #2']);
  });

  it('reports each script of a worker that died, with what its network was doing', async () => {
    const { start, worker, model, scheduler, killedPids } = control();
    const first = await start(request('a.ts'), 7001);
    const second = await start(request('b.ts'), 7002);
    worker().say({ type: 'activity', sockets: [socketReport({ runId: first.id, status: 'connected' })], fetches: [fetchReport({ runId: second.id })] });
    worker().exit(null, 'SIGKILL');
    for (const run of [first, second]) assert.match(run.outcome?.kind === 'crashed' ? run.outcome.message : '', /signal SIGKILL/);
    assert.deepEqual(killedPids, [7001, 7002]);
    assert.equal(first.sockets.get(1)?.status, 'error');
    assert.equal(second.fetches.get(1)?.status, -1);
    assert.equal(model.openSockets, 0);
    scheduler.advance(RESTART_DELAY_MS);
    worker().ready();
    assert.equal((await start(request('c.ts'))).phase, 'running');
  });

  it('keeps running scripts through a change of settings, and takes it over when the last has ended', async () => {
    const { controller, start, worker, supervisor } = control();
    const run = await start();
    assert.equal(controller.settingsChanged(), true);
    assert.deepEqual(worker().sentOf('shutdown'), []);
    worker().say({ type: 'ended', runId: run.id, outcome: { kind: 'finished' } });
    assert.equal(worker().sentOf('shutdown').length, 1);
    worker().exit(0);
    assert.equal(supervisor.state.kind, 'idle');
  });

  it('marks as stopped what ran in a worker that was closed', async () => {
    const { start, supervisor, worker } = control();
    const run = await start();
    const closed = supervisor.close();
    worker().exit(0);
    await closed;
    assert.deepEqual(run.outcome, { kind: 'stopped' });
  });
});
