import assert from 'node:assert/strict';
import { beginOf, captureName, CaptureRequests, SAVE_TIMEOUT_MS, selectionOf } from '../../extension/capture-requests';
import { superviseFakes } from './fake-worker';
import { settle, socketReport } from './support';

async function ready() {
  const fakes = superviseFakes();
  const waiting = fakes.supervisor.ready();
  fakes.worker().ready();
  await waiting;
  return { ...fakes, requests: new CaptureRequests(fakes.supervisor, fakes.scheduler) };
}

describe('saving a capture', () => {
  it('asks the worker, and tells what it saved, each its own answer', async () => {
    const { requests, worker, scheduler } = await ready();
    const [first, second] = [requests.save('/tmp/a.pcapng', 'all'), requests.save('/tmp/b.pcapng', [])];
    const [a, b] = worker().sentOf('save-capture');
    assert.deepEqual([a?.file, a?.selection, b?.file], ['/tmp/a.pcapng', 'all', '/tmp/b.pcapng']);
    worker().say({ type: 'capture-saved', requestId: b?.requestId ?? 0, result: { frames: 2, since: null } });
    worker().say({ type: 'capture-saved', requestId: a?.requestId ?? 0, result: { frames: 1, since: 5 } });
    assert.deepEqual([await first, await second], [{ frames: 1, since: 5 }, { frames: 2, since: null }]);
    assert.equal(scheduler.pending, 0);
  });

  it('fails in the words of the worker', async () => {
    const { requests, worker } = await ready();
    const saving = requests.save('/no/a.pcapng', 'all');
    worker().say({ type: 'capture-saved', requestId: worker().sentOf('save-capture')[0]?.requestId ?? 0, result: { error: '/no/a.pcapng cannot be written: why' } });
    await assert.rejects(saving, /cannot be written: why/);
  });

  it('fails at once without a worker, and says what to do', async () => {
    const { supervisor, scheduler } = superviseFakes();
    await assert.rejects(new CaptureRequests(supervisor, scheduler).save('/tmp/a', 'all'), /Run a script first/);
  });

  it('fails when the worker ends, and when it does not answer', async () => {
    const { requests, worker, scheduler } = await ready();
    const ended = requests.save('/tmp/a', 'all');
    worker().exit(1);
    await assert.rejects(ended, /ended before the capture was saved/);
    const other = await ready();
    const silent = other.requests.save('/tmp/a', 'all');
    other.scheduler.advance(SAVE_TIMEOUT_MS);
    await assert.rejects(silent, /within 30 s/);
    await settle();
    assert.ok(scheduler.pending >= 0);
  });

  it('selects sockets by their ends and times, with their questions for names', () => {
    const [named, literal, own] = selectionOf([socketReport({ remoteAddress: '192.0.2.7', localPort: 5, closedAt: 9 }), socketReport({ host: '192.0.2.7' }), socketReport({ host: 'localhost' })]);
    assert.deepEqual(named, { remoteAddress: '192.0.2.7', remotePort: 80, localPort: 5, from: 1_000_000, to: 9, byName: true });
    assert.deepEqual([literal?.byName, own?.byName], [false, false]);
  });

  it('knows how far back a selection reaches', () => {
    assert.equal(beginOf('all', null), null);
    assert.equal(beginOf(selectionOf([socketReport({ openedAt: 7 }), socketReport({ openedAt: 5 })]), null), 5);
  });

  it('names the file after what it holds', () => {
    assert.equal(captureName('a.ts #2'), 'a.ts-2.pcapng');
    assert.equal(captureName('example.test:80/a?b=c'), 'example.test-80-a-b-c.pcapng');
    assert.equal(captureName('../..'), 'riftnet.pcapng');
  });
});
