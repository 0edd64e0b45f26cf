import assert from 'node:assert/strict';
import { RunModel } from '../../extension/run-model';
import { RATE_INTERVAL_MS, TransferRates } from '../../extension/transfer-rates';
import { FakeScheduler, socketReport } from './support';

function measure() {
  const scheduler = new FakeScheduler();
  const model = new RunModel();
  model.add({ id: 'run-1', key: 'file:///a.ts', file: '/a.ts', title: 'a.ts', tickRate: 30, startedAt: scheduler.now() });
  const rates = new TransferRates(model, scheduler);
  const told: number[][] = [];
  rates.onDidChange((sockets) => told.push(sockets.map(({ id }) => id)));
  const report = (fields: Parameters<typeof socketReport>[0]) => {
    const socket = socketReport({ status: 'connected', ...fields });
    model.apply({ type: 'activity', sockets: [socket], fetches: [] }, scheduler.now());
    return socket;
  };
  return { scheduler, model, rates, told, report };
}

describe('the rate of a socket', () => {
  it('is what moved within the last second, each way', () => {
    const { scheduler, rates, report } = measure();
    report({ bytesRead: 1_000 });
    scheduler.advance(500);
    const socket = report({ bytesRead: 3_000, bytesWritten: 50 });
    scheduler.advance(500);
    assert.deepEqual(rates.of(socket), { down: 3_000, up: 50 });
  });

  it('falls to nothing a second after the last byte, and then nothing is looked at any more', () => {
    const { scheduler, rates, told, report } = measure();
    const socket = report({ bytesRead: 1_000 });
    scheduler.advance(RATE_INTERVAL_MS);
    scheduler.advance(RATE_INTERVAL_MS);
    assert.deepEqual(rates.of(socket), { down: 0, up: 0 });
    assert.deepEqual(told, [[1], [1]], 'while it moves, and once when it has come to rest');
    assert.equal(scheduler.pending, 0);
  });

  it('is none for a socket that only waits, and costs no timer', () => {
    const { scheduler, rates, told, report } = measure();
    const socket = report({ status: 'connecting' });
    assert.equal(scheduler.pending, 0);
    scheduler.advance(5_000);
    assert.deepEqual([rates.of(socket), told], [{ down: 0, up: 0 }, []]);
  });

  it('is gone with its socket', () => {
    const { scheduler, rates, report } = measure();
    report({ bytesRead: 1_000 });
    scheduler.advance(RATE_INTERVAL_MS);
    const socket = report({ bytesRead: 2_000, status: 'fin', closedAt: scheduler.now() });
    assert.deepEqual(rates.of(socket), { down: 0, up: 0 });
    scheduler.advance(RATE_INTERVAL_MS);
    assert.equal(scheduler.pending, 0);
  });

  it('is told once a second for a thousand sockets together', () => {
    const { scheduler, model, told } = measure();
    for (let step = 1; step <= 10; step++) {
      const sockets = Array.from({ length: 1_000 }, (_, id) => socketReport({ id, status: 'connected', bytesRead: step * 100 * (step + id) }));
      model.apply({ type: 'activity', sockets, fetches: [] }, scheduler.now());
      scheduler.advance(RATE_INTERVAL_MS / 10);
    }
    assert.deepEqual(told.map((ids) => ids.length), [1_000]);
  });
});
