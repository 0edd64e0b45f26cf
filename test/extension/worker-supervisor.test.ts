import assert from 'node:assert/strict';
import { DEFAULT_WORKER_SETTINGS, PROTOCOL_VERSION } from '../../extension/protocol';
import { BACKOFF_MS, HEALTHY_MS, MAX_RESTARTS, RESTART_DELAY_MS, SHUTDOWN_TIMEOUT_MS, START_TIMEOUT_MS } from '../../extension/worker-supervisor';
import { superviseFakes } from './fake-worker';
import { LINK, settle } from './support';

async function started() {
  const fixture = superviseFakes();
  const ready = fixture.supervisor.ready();
  fixture.worker().ready();
  await ready;
  return fixture;
}

describe('the worker supervisor', () => {
  it('starts no worker before one is used', () => {
    const { supervisor, workers } = superviseFakes();
    assert.equal(supervisor.state.kind, 'idle');
    assert.equal(workers.length, 0);
  });

  it('configures the worker first and is ready when the worker says so', async () => {
    const { supervisor, worker } = superviseFakes();
    const ready = supervisor.ready();
    assert.deepEqual(worker().sent, [{ type: 'configure', version: PROTOCOL_VERSION, settings: { ...DEFAULT_WORKER_SETTINGS, link: 'gateway', hostAddress: '127.0.0.1' } }]);
    assert.equal(supervisor.send({ type: 'stop', runId: 'run-1' }), false, 'nothing is sent before it is ready');
    worker().ready();
    await ready;
    assert.deepEqual(supervisor.state, { kind: 'ready', pid: 100, link: LINK });
    assert.equal(supervisor.send({ type: 'stop', runId: 'run-1' }), true);
  });

  it('starts one worker for many who wait', async () => {
    const { supervisor, workers, worker } = superviseFakes();
    const all = Promise.all([supervisor.ready(), supervisor.ready(), supervisor.ready()]);
    worker().ready();
    await all;
    assert.equal(workers.length, 1);
  });

  it('refuses a worker of another version, and says what to do', async () => {
    const { supervisor, worker } = superviseFakes();
    const ready = supervisor.ready();
    worker().ready(PROTOCOL_VERSION + 1);
    await assert.rejects(ready, new RegExp(`version ${PROTOCOL_VERSION + 1} of the protocol.*reload the window`));
    assert.ok(worker().killed);
  });

  it('ends a worker that is not ready in time', async () => {
    const { supervisor, worker, scheduler } = superviseFakes();
    const ready = supervisor.ready();
    scheduler.advance(START_TIMEOUT_MS - 1);
    assert.equal(worker().killed, false);
    scheduler.advance(1);
    await assert.rejects(ready, /not ready within 30 s/);
    assert.ok(worker().killed);
    assert.equal(scheduler.pending, 0);
  });

  it('tells in the words of the worker why it could not start, and leaves the next try to people', async () => {
    const { supervisor, worker, workers, scheduler } = superviseFakes();
    const ready = supervisor.ready();
    worker().say({ type: 'failed', message: 'no name server is known: set riftnet.dns' });
    worker().exit(1);
    await assert.rejects(ready, /could not start: no name server is known: set riftnet\.dns/);
    scheduler.advance(60_000);
    assert.equal(workers.length, 1);
    const again = supervisor.ready();
    worker().ready();
    await again;
    assert.equal(workers.length, 2);
  });

  it('tells when the process itself cannot be started', async () => {
    const { supervisor, worker } = superviseFakes();
    const ready = supervisor.ready();
    worker().events.end({ code: null, signal: null, spawnError: 'spawn EAGAIN' });
    await assert.rejects(ready, /could not start: .*spawn EAGAIN/);
  });

  it('restarts a worker that died within a second, and reports the death once', async () => {
    const { supervisor, worker, workers, scheduler, deaths } = await started();
    worker().exit(null, 'SIGSEGV');
    assert.deepEqual(deaths, [{ pid: 100, reason: "Riftnet's network worker ended unexpectedly (signal SIGSEGV).", restarting: true }]);
    assert.equal(supervisor.state.kind, 'waiting');
    assert.ok(RESTART_DELAY_MS < 1_000);
    scheduler.advance(RESTART_DELAY_MS);
    assert.equal(workers.length, 2);
    worker().ready();
    assert.equal(supervisor.state.kind, 'ready');
    assert.equal(supervisor.restarts, 1);
  });

  it('tells the loss of an interface from other deaths, where the capture ends the process with it', async () => {
    const { supervisor, worker, deaths } = await started();
    worker().events.diagnostic("node: ../src/binding.cc:190: static void Pcap::cb_packets(uv_poll_t*, int, int): Assertion `status == 0' failed.");
    worker().exit(null, 'SIGABRT');
    assert.match(deaths[0]?.reason ?? '', /its network interface was lost, .* npm rebuild cap\)\.$/);
    assert.equal(supervisor.state.kind, 'waiting');
  });

  it('ends the scripts of a worker that died by the pids it had told, and only those that still ran', async () => {
    const { worker, killedPids } = await started();
    worker().say({ type: 'started', runId: 'run-1', pid: 4001 });
    worker().say({ type: 'started', runId: 'run-2', pid: 4002 });
    worker().say({ type: 'ended', runId: 'run-1', outcome: { kind: 'finished' } });
    worker().exit(null, 'SIGKILL');
    assert.deepEqual(killedPids, [4002]);
  });

  it('backs off from a worker that keeps dying, and at last waits for people', async () => {
    const { supervisor, worker, workers, scheduler } = await started();
    for (let restart = 0; restart < MAX_RESTARTS; restart++) {
      worker().exit(1);
      const delay = BACKOFF_MS[Math.min(restart, BACKOFF_MS.length - 1)] ?? 0;
      scheduler.advance(delay - 1);
      assert.equal(workers.length, restart + 1, `restart ${restart + 1} not before ${delay} ms`);
      scheduler.advance(1);
      assert.equal(workers.length, restart + 2);
    }
    worker().exit(1);
    assert.equal(supervisor.state.kind, 'failed');
    assert.equal(scheduler.pending, 0);
    const ready = supervisor.ready();
    worker().ready();
    await ready;
  });

  it('begins the back-off anew after a worker was healthy', async () => {
    const { worker, scheduler, workers } = await started();
    for (let life = 0; life < 3 * MAX_RESTARTS; life++) {
      scheduler.advance(HEALTHY_MS);
      worker().exit(1);
      scheduler.advance(RESTART_DELAY_MS);
      worker().ready();
    }
    assert.equal(workers.length, 3 * MAX_RESTARTS + 1);
  });

  it('cuts a back-off short for somebody who runs a script', async () => {
    const { supervisor, worker, workers, scheduler } = await started();
    worker().exit(1);
    const ready = supervisor.ready();
    assert.equal(workers.length, 2);
    worker().ready();
    await ready;
    scheduler.advance(60_000);
    assert.equal(workers.length, 2, 'the restart that was due is not made as well');
  });

  it('asks the worker to end, and kills one that does not', async () => {
    const { supervisor, worker, scheduler, deaths } = await started();
    const closed = supervisor.close();
    assert.equal(worker().sent.at(-1)?.type, 'shutdown');
    scheduler.advance(SHUTDOWN_TIMEOUT_MS);
    assert.ok(worker().killed);
    await closed;
    assert.equal(supervisor.state.kind, 'idle');
    assert.deepEqual(deaths, [], 'an end that was asked for is no death');
  });

  it('kills one that hangs also where its log is closed, as when the window goes', async () => {
    const { supervisor, worker, scheduler } = superviseFakes((line) => {
      if (line.includes('killed')) throw new Error('Channel has been closed');
    });
    const ready = supervisor.ready();
    worker().ready();
    await ready;
    const disposed = supervisor.dispose();
    assert.throws(() => scheduler.advance(SHUTDOWN_TIMEOUT_MS), /Channel/);
    assert.ok(worker().killed);
    await disposed;
  });

  it('starts a new worker for somebody who asks while the old one is going', async () => {
    const { supervisor, worker, workers } = await started();
    const closed = supervisor.close();
    const ready = supervisor.ready();
    assert.equal(workers.length, 1);
    worker().exit(0);
    await closed;
    await settle();
    assert.equal(workers.length, 2);
    worker().ready();
    await ready;
  });

  it('after its own end starts none', async () => {
    const { supervisor, worker, workers } = await started();
    const disposed = supervisor.dispose();
    worker().exit(0);
    await disposed;
    await assert.rejects(supervisor.ready(), /shutting down/);
    assert.equal(workers.length, 1);
  });

  it('takes what it does not understand as something to log', async () => {
    const { worker, log, supervisor } = await started();
    const seen: unknown[] = [];
    supervisor.onMessage((message) => seen.push(message));
    for (const strange of [null, 'text', 7, {}, { type: 'unheard-of' }]) worker().events.message(strange);
    assert.deepEqual(seen, []);
    assert.equal(log.filter((line) => line.startsWith('warn: A message')).length, 5);
  });

  it('logs what the worker writes and says', async () => {
    const { worker, log } = await started();
    worker().events.diagnostic('(node:1) Warning: something');
    worker().say({ type: 'log', level: 'error', message: 'the address is in use' });
    assert.deepEqual(log.slice(-2), ['warn: worker: (node:1) Warning: something', 'error: the address is in use']);
  });
});
