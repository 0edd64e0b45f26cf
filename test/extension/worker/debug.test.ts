import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { WebSocket } from 'undici';
import { RuntimeBench } from './runtime-bench';

/** What a fetch may take below, and how long the script is held longer than that. */
const FETCH_LIMIT_MS = 600;
const HELD_MS = 1_500;

type Params = Record<string, unknown>;

/** A debugger, as far as a test needs one: the Chrome DevTools Protocol over a WebSocket. */
class Debugger {
  readonly scripts: { readonly url: string; readonly sourceMapURL: string }[] = [];
  private nextId = 1;
  private readonly waiting = new Map<number, () => void>();
  private readonly listeners = new Map<string, () => void>();

  private constructor(private readonly socket: WebSocket) {
    socket.addEventListener('message', ({ data }) => {
      const message = JSON.parse(String(data)) as { id?: number; method?: string; params?: Params };
      if (message.id !== undefined) this.waiting.get(message.id)?.();
      if (message.method === 'Debugger.scriptParsed') this.scripts.push({ url: String(message.params?.['url']), sourceMapURL: String(message.params?.['sourceMapURL']) });
      // Node waits for its debugger to go before it exits.
      if (message.method === 'Runtime.executionContextDestroyed') socket.close();
      if (message.method !== undefined) this.listeners.get(message.method)?.();
    });
  }

  /** Attaches, and lets the process begin. */
  static async attach(url: string): Promise<Debugger> {
    const socket = new WebSocket(url);
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve, { once: true });
      socket.addEventListener('error', () => reject(new Error(`no debugger at ${url}`)), { once: true });
    });
    const attached = new Debugger(socket);
    await attached.send('Runtime.enable');
    await attached.send('Debugger.enable');
    const started = attached.event('Debugger.paused');
    await attached.send('Runtime.runIfWaitingForDebugger');
    await started;
    await attached.send('Debugger.resume');
    return attached;
  }

  send(method: string): Promise<void> {
    const id = this.nextId++;
    return new Promise((resolve) => {
      this.waiting.set(id, () => {
        this.waiting.delete(id);
        resolve();
      });
      this.socket.send(JSON.stringify({ id, method }));
    });
  }

  event(method: string): Promise<void> {
    return new Promise((resolve) => this.listeners.set(method, resolve));
  }

  async pause(): Promise<void> {
    const paused = this.event('Debugger.paused');
    await this.send('Debugger.pause');
    await paused;
  }
}

async function listen(server: net.Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return address.port;
}

describe('A script that is debugged', function () {
  this.timeout(60_000);
  let bench: RuntimeBench;

  before(async () => (bench = await RuntimeBench.start()));
  after(() => bench.stop());

  it('waits for its debugger, which finds its files by the map in the program', async () => {
    const attached: Promise<Debugger>[] = [];
    const { outcome, output } = await bench.run(`print('ran');`, {
      debug: true,
      // No time is too long for a person.
      timeoutSeconds: 0.001,
      onMessage: (message) => {
        if (message.type === 'running') assert.equal(attached.length, 1, 'it ran before anybody attached');
        if (message.type === 'debuggable') attached.push(Debugger.attach(message.url));
      },
    });
    assert.deepEqual([outcome, output], [{ kind: 'finished' }, ['ran']]);
    const script = (await attached[0])?.scripts.find(({ url }) => url.startsWith('riftnet:'));
    assert.ok(script, 'the program was seen');
    const map = JSON.parse(Buffer.from(script.sourceMapURL.split(',')[1] ?? '', 'base64').toString()) as { sources: string[] };
    assert.ok(map.sources.includes(pathToFileURL(script.url.slice('riftnet:'.length)).href), `the script is among ${map.sources.join(' ')}`);
  });

  it('keeps its connections while it is held: what was sent arrives, and no limit of fetch passes', async () => {
    const blocks = 64;
    const bulk = net.createServer((socket) => {
      socket.on('error', () => undefined);
      // More than any window on the way: most of it waits until the script reads again.
      socket.end(Buffer.alloc(blocks << 20, 7));
    });
    let asked = (_answer: () => void): void => undefined;
    const request = new Promise<() => void>((resolve) => (asked = resolve));
    const slow = http.createServer((_request, response) => asked(() => response.end('patience')));
    const [bulkPort, slowPort] = [await listen(bulk), await listen(slow)];
    const held = async (url: string): Promise<void> => {
      const attached = await Debugger.attach(url);
      const answer = await request;
      await attached.pause();
      answer();
      await delay(HELD_MS);
      await attached.send('Debugger.resume');
    };
    let holding: Promise<void> = Promise.resolve();
    const { outcome, output } = await bench.run(
      `const socket = Network.Connect('localhost', ${bulkPort});
      const answer = fetch('http://localhost:${slowPort}/', { timeoutMs: ${FETCH_LIMIT_MS} });
      let got = 0;
      while (true) {
        const data = socket.read();
        if (data) got += data.length;
        else if (socket.status === 'connecting' || socket.status === 'connected') await Event.OnTick;
        else break;
      }
      print(socket.status, got);
      const { status, statusMessage, body } = await answer;
      print(status, statusMessage, body.toString());`,
      { debug: true, onMessage: (message) => void (message.type === 'debuggable' && (holding = held(message.url))) },
    );
    await holding;
    bulk.close();
    slow.close();
    assert.deepEqual(output, [`fin ${blocks << 20}`, '200 OK patience']);
    assert.deepEqual(outcome, { kind: 'finished' });
  });

  it('is stopped at once while it is held', async () => {
    const { outcome } = await bench.run(`Event.OnTick.on(() => {});`, {
      debug: true,
      onMessage: (message, runId) => {
        if (message.type !== 'debuggable') return;
        void Debugger.attach(message.url).then(async (attached) => {
          await attached.pause();
          bench.runtime.handle({ type: 'stop', runId });
        });
      },
    });
    assert.deepEqual(outcome, { kind: 'stopped' });
  });

  it('says so when its process fails, in Node\'s words and not its debugger\'s', async () => {
    const { outcome } = await bench.run(`print('begins');\nEvent.OnTick.on(() => {});`, {
      debug: true,
      onMessage: (message) => {
        if (message.type === 'debuggable') void Debugger.attach(message.url);
        if (message.type === 'output') process.kill(bench.messages.findLast((each) => each.type === 'started')?.pid ?? 0, 'SIGKILL');
      },
    });
    assert.equal(outcome.kind, 'crashed');
    assert.ok(outcome.kind === 'crashed' && !/[Dd]ebugger|inspector/.test(outcome.message), JSON.stringify(outcome));
  });
});
