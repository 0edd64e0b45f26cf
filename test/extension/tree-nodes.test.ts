import assert from 'node:assert/strict';
import { TREE_ITEMS } from '../../extension/contributions';
import { explainSocket } from '../../extension/explain';
import { RunModel } from '../../extension/run-model';
import { explanationRows, fetchDetails, fetchView, reasonView, runDetails, runView, socketAddress, socketDetails, socketView } from '../../extension/tree-nodes';
import { fetchReport, socketReport } from './support';

function modelWithRun() {
  const model = new RunModel();
  return { model, run: model.add({ id: 'run-1', key: 'file:///ws/a.ts', file: '/ws/a.ts', title: 'a.ts', tickRate: 30, startedAt: 1_000_000 }) };
}

describe('the nodes of the Sockets view', () => {
  it('a script shows its phase and how many of its sockets are open', () => {
    const { model, run } = modelWithRun();
    model.apply({ type: 'started', runId: 'run-1', pid: 77 }, 0);
    model.apply({ type: 'running', runId: 'run-1' }, 0);
    model.apply({ type: 'activity', sockets: [socketReport({ status: 'connected' })], fetches: [] }, 0);
    const view = runView(run);
    assert.deepEqual([view.id, view.label, view.description, view.contextValue], ['run/run-1', 'a.ts', 'running · 1 open', TREE_ITEMS.activeRun]);
    assert.deepEqual(runDetails(run).find(([name]) => name === 'Process'), ['Process', '77']);
  });

  it('an ended script shows how it ended and how long it ran', () => {
    const { model, run } = modelWithRun();
    model.apply({ type: 'ended', runId: 'run-1', outcome: { kind: 'error', error: { kind: 'throw', message: 'Error: no good', stack: '', location: null } } }, 1_002_000);
    const view = runView(run);
    assert.equal(view.description, 'error: Error: no good · 2.00 s');
    assert.equal(view.contextValue, TREE_ITEMS.endedRun);
    assert.equal(view.spoken, 'script a.ts, error: Error: no good, 2.00 s');
  });

  it('a socket keeps its id and shows status and counters', () => {
    const connecting = socketView(socketReport());
    const connected = socketView(socketReport({ status: 'connected', bytesRead: 2048, bytesWritten: 10 }));
    const closed = socketView(socketReport({ status: 'fin', bytesRead: 2048, bytesWritten: 10, closedAt: 1_000_250 }));
    const failed = socketView(socketReport({ status: 'error', error: { code: 'ECONNRESET', message: '' }, closedAt: 1_000_100 }));
    assert.deepEqual([...new Set([connecting, connected, closed, failed].map(({ id }) => id))], ['run/run-1/socket/1']);
    assert.deepEqual(
      [connecting, connected, closed, failed].map(({ description }) => description),
      ['connecting', 'connected · ↓ 2.0 KiB ↑ 10 B', 'fin · ↓ 2.0 KiB ↑ 10 B · 250 ms', 'error ECONNRESET · 100 ms'],
    );
    assert.deepEqual([connected.contextValue, closed.contextValue, failed.contextValue], [TREE_ITEMS.openSocket, TREE_ITEMS.closedSocket, TREE_ITEMS.failedSocket]);
  });

  it('an open socket shows its rate, its round trip and what was sent again', () => {
    const busy = socketReport({ status: 'connected', bytesRead: 2048, srttMs: 13, retransmissions: 3 });
    assert.equal(socketView(busy, { down: 1536, up: 0 }).description, 'connected · ↓ 2.0 KiB ↑ 0 B · ↓ 1.5 KiB/s · RTT 13 ms · 3 sent again');
    assert.equal(socketView({ ...busy, fetchId: 1 }).description, 'connected · ↓ 2.0 KiB ↑ 0 B · RTT 13 ms · 3 sent again · for fetches', 'told from those that the script opened itself');
    assert.deepEqual(socketDetails(busy, undefined, null, fetchReport({ id: 1 })).filter(([name]) => name === 'Opened by'), [['Opened by', 'GET http://example.test/']]);
    assert.deepEqual(socketDetails(busy, { down: 1536, up: 10 }, 1_002_000).filter(([name]) => name === 'Rate' || name === 'Took'), [['Rate', '↓ 1.5 KiB/s ↑ 10 B/s'], ['Took', '2.00 s']]);
  });

  it('a script shows what all its sockets do together, and what it waits for', () => {
    const { run } = modelWithRun();
    assert.equal(runView(run, { down: 2048, up: 0 }, 'starting the network').description, 'starting: starting the network · ↓ 2.0 KiB/s');
  });

  it('what failed is explained line by line below it', () => {
    const why = explainSocket(socketReport({ status: 'error', error: { code: 'ENOTFOUND', message: '' } }));
    assert.ok(why);
    const rows = explanationRows(why);
    assert.deepEqual(rows.map(([name]) => name), ['Sent', 'Came back', 'Means', 'Try', 'Try', 'Try']);
    const views = rows.map((row, index) => reasonView('run/run-1/socket/1', index, row));
    assert.deepEqual(views.map(({ icon }) => icon), ['arrow-up', 'arrow-down', 'info', 'lightbulb', 'lightbulb', 'lightbulb']);
    assert.equal(views[3]?.id, 'run/run-1/socket/1/why/3');
    assert.ok(views.every(({ spoken, description }) => spoken.includes(description)));
  });

  it('a socket that is closed for its script, and not yet for TCP, says so', () => {
    assert.equal(socketView(socketReport({ status: 'fin', tcpState: 'FIN-WAIT-1' })).description, 'fin, FIN-WAIT-1');
  });

  it('a socket in TIME-WAIT is not counted as open, and cannot be closed again', () => {
    const { model, run } = modelWithRun();
    const waiting = socketReport({ status: 'fin', tcpState: 'TIME-WAIT' });
    model.apply({ type: 'activity', sockets: [waiting], fetches: [] }, 0);
    assert.equal(model.openSockets, 0);
    assert.equal(runView(run).description, 'starting');
    assert.deepEqual([socketView(waiting).description, socketView(waiting).contextValue], ['fin, TIME-WAIT', TREE_ITEMS.closedSocket]);
  });

  it('a fetch shows method, URL, status, size and time', () => {
    assert.equal(fetchView(fetchReport()).label, 'GET example.test/');
    assert.equal(fetchView(fetchReport({ method: 'PUT', url: 'https://example.test/a' })).label, 'PUT https://example.test/a');
    assert.deepEqual(fetchDetails(fetchReport())[0], ['Request', 'GET http://example.test/']);
    assert.equal(fetchView(fetchReport()).description, 'pending');
    assert.equal(fetchView(fetchReport({ bodyBytes: 1024, expectedBytes: 4096 })).description, 'pending · 1.0 KiB of 4.0 KiB');
    assert.equal(fetchView(fetchReport({ status: 200, statusMessage: 'OK', bodyBytes: 1024, expectedBytes: 4096 })).description, '200 OK · 1.0 KiB of 4.0 KiB');
    assert.equal(fetchView(fetchReport({ status: 200, statusMessage: 'OK', bodyBytes: 9, durationMs: 12 })).description, '200 OK · 9 B · 12 ms');
    assert.equal(fetchView(fetchReport({ requestBytes: 4096 })).description, 'pending · 0 B of 4.0 KiB sent');
    assert.equal(fetchView(fetchReport({ requestBytes: 4096, sentBytes: 1024 })).description, 'pending · 1.0 KiB of 4.0 KiB sent');
    assert.equal(fetchView(fetchReport({ requestBytes: 4096, sentBytes: 4096 })).description, 'pending · 4.0 KiB sent');
    assert.equal(fetchView(fetchReport({ requestBytes: 4096, sentBytes: 4096, status: 200, bodyBytes: 9, durationMs: 12 })).description, '200 · 9 B · 12 ms');
    assert.equal(fetchView(fetchReport({ status: -1, statusMessage: 'socket error', durationMs: 12, error: { code: 'ETIMEDOUT', message: '' } })).description, 'error ETIMEDOUT · 12 ms');
  });

  it('no two kinds of state differ by colour alone', () => {
    const views = [200, 301, 404, -1, null].map((status) => fetchView(fetchReport({ status, durationMs: status === null ? null : 1 })));
    assert.equal(new Set(views.map(({ icon }) => icon)).size, views.length);
    const sockets = (['connecting', 'connected', 'error', 'fin'] as const).map((status) => socketView(socketReport({ status })));
    assert.equal(new Set(sockets.map(({ icon }) => icon)).size, sockets.length);
  });

  it('details name what is known, and only that', () => {
    const names = (details: readonly (readonly [string, string])[]) => details.map(([name]) => name);
    assert.ok(!names(socketDetails(socketReport())).includes('Address'));
    const full = socketDetails(socketReport({ remoteAddress: '192.0.2.1', localPort: 50_000, tcpState: 'ESTABLISHED', srttMs: 1.5, error: { code: 'X', message: 'y' }, closedAt: 1_000_001 }));
    for (const name of ['Address', 'Local port', 'TCP state', 'Round trip', 'Closed', 'Error']) assert.ok(names(full).includes(name), name);
    assert.deepEqual(fetchDetails(fetchReport({ bodyBytes: 3, expectedBytes: 10 }))[2], ['Body', '3 B of 10 B']);
    assert.deepEqual(fetchDetails(fetchReport({ requestBytes: 10, sentBytes: 3 }))[2], ['Request body', '3 B of 10 B sent']);
  });

  it('the address to copy is the one connected to, once it is known', () => {
    assert.equal(socketAddress(socketReport()), 'example.test:80');
    assert.equal(socketAddress(socketReport({ remoteAddress: '192.0.2.1' })), '192.0.2.1:80');
  });
});
