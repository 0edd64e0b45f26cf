import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import path from 'node:path';
import type { CapturedSocket, CaptureSelection, CaptureSummary, SocketReport } from '../../extension/protocol';
import { RuntimeBench } from '../extension/worker/runtime-bench';

/** What a person saves after something happened, read by Wireshark's own reader. */
describe('A saved capture', function () {
  this.timeout(60_000);
  let bench: RuntimeBench;
  let server: net.Server;
  let port = 0;
  let sockets: readonly SocketReport[] = [];
  let requests = 0;

  before(async () => {
    server = net.createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', (data) => socket.end(`answer to ${data.toString()}`));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
    bench = await RuntimeBench.start({ recentFrameBytes: 1 << 20 });
    const run = await bench.run(`
      for (const name of ['first', 'second']) {
        const socket = Network.Connect('localhost', ${port});
        while (socket.status === 'connecting') await Event.OnTick;
        socket.write(name);
        while (socket.status === 'connected') { socket.read(); await Event.OnTick; }
      }`);
    assert.deepEqual(run.outcome, { kind: 'finished' });
    sockets = [...run.sockets.values()];
  });

  after(async () => {
    server.close();
    await bench.stop();
  });

  async function save(name: string, selection: CaptureSelection): Promise<{ file: string; result: CaptureSummary | { readonly error: string } }> {
    const file = path.join(bench.folder, name);
    const requestId = ++requests;
    bench.runtime.handle({ type: 'save-capture', requestId, file, selection });
    const message = await bench.message((candidate) => candidate.type === 'capture-saved' && candidate.requestId === requestId);
    assert.ok(message.type === 'capture-saved');
    return { file, result: message.result };
  }

  const tshark = (file: string, ...args: string[]): string =>
    execFileSync('tshark', ['-n', '-r', file, '-o', 'tcp.check_checksum:TRUE', '-o', 'ip.check_checksum:TRUE', ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  const wrong = '_ws.malformed || ip.checksum.status == "Bad" || tcp.checksum.status == "Bad" || udp.checksum.status == "Bad"';

  function selected(socket: SocketReport | undefined): CapturedSocket {
    assert.ok(socket);
    return { remoteAddress: socket.remoteAddress, remotePort: socket.port, localPort: socket.localPort, from: socket.openedAt, to: socket.closedAt, byName: false };
  }

  it('of everything is opened by tshark without complaint, and holds what was sent and what came back', async () => {
    const { file, result } = await save('all.pcapng', 'all');
    assert.ok('frames' in result && result.frames > 10 && result.since === null, JSON.stringify(result));
    assert.equal(tshark(file, '-Y', wrong), '');
    assert.equal(tshark(file).trim().split('\n').length, result.frames);
    for (const text of ['first', 'answer to first', 'second', 'answer to second']) assert.notEqual(tshark(file, '-Y', `tcp contains "${text}"`), '', text);
  });

  it('of one socket holds that conversation whole, and no other', async () => {
    const [first, second] = sockets;
    const { file, result } = await save('first.pcapng', [selected(first)]);
    assert.ok('frames' in result && result.frames >= 6, JSON.stringify(result));
    assert.equal(tshark(file, '-Y', wrong), '');
    assert.equal(tshark(file, '-Y', `tcp.port == ${second?.localPort}`), '');
    for (const filter of ['tcp.flags.syn == 1 && tcp.flags.ack == 0', 'tcp.flags.syn == 1 && tcp.flags.ack == 1', 'tcp contains "answer to first"', 'tcp.flags.fin == 1']) assert.notEqual(tshark(file, '-Y', filter), '', filter);
  });

  it('into a folder that is not there is refused, with the file named', async () => {
    const { result } = await save('none/x.pcapng', 'all');
    assert.ok('error' in result);
    assert.match(result.error, /none\/x\.pcapng cannot be written/);
    assert.equal(fs.existsSync(path.join(bench.folder, 'none')), false);
  });
});
