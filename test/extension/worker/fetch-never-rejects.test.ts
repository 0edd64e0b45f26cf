import assert from 'node:assert/strict';
import http from 'node:http';
import fc from 'fast-check';
import { RuntimeBench } from './runtime-bench';

/** Tries all in one script. Nothing listens on the port, so that what is usable ends with -1 as well. */
const SCRIPT = `
  const anything: Record<string, unknown> = {
    undefined, null: null, true: true, zero: 0, NaN, bigint: 5n, symbol: Symbol('s'), empty: '', text: 'text', array: [], fn: () => 1, date: new Date(0), map: new Map([['a', 'b']]),
    bare: Object.create(null), regexp: /x/, error: new Error('x'), promise: Promise.resolve(1), buffer: Buffer.alloc(3), view: new DataView(new ArrayBuffer(2)), lone: '\\ud800', long: 'x'.repeat(3_000_000),
    deep: JSON.parse('['.repeat(5_000) + ']'.repeat(5_000)),
    circle: (() => { const a: Record<string, unknown> = {}; a['self'] = a; return a; })(),
    throwing: { get method() { throw new Error('getter'); }, get headers() { throw 5; }, get json() { throw Object.create(null); }, toString() { throw new Error('toString'); } },
    throwsNothing: { get method() { throw undefined; } },
    revoked: (() => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy; })(),
    revokedFunction: (() => { const { proxy, revoke } = Proxy.revocable(() => 1, {}); revoke(); return proxy; })(),
    throwsRevoked: { get method() { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); throw proxy; } },
    hostileProxy: new Proxy({}, { get() { throw new Error('trap'); }, has() { throw new Error('trap'); }, ownKeys() { throw new Error('trap'); }, getPrototypeOf() { throw new Error('trap'); } }),
    proxiedBytes: new Proxy(new Uint8Array(3), {}),
    evilError: { get method() { throw new Proxy(new Error('e'), { get() { throw new Error('again'); } }); } },
    evilMessage: { get method() { throw Object.assign(new Error('e'), { message: { toString() { throw 1; } }, code: { a: 1 }, cause: 7 }); } },
    toJSON: { json: { toJSON() { throw new Error('toJSON'); } } }, toJSONBare: { json: { toJSON() { throw Object.create(null); } } },
    jsonBigint: { json: { a: [1n] } }, jsonUndefined: { json: undefined }, jsonSymbol: { json: Symbol('j') }, jsonFunction: { json: () => 1 }, jsonCircle: { json: globalThis },
    infinite: Infinity, negative: -1, huge: 1e308, fraction: 0.5,
  };
  const uri = 'http://localhost:1/';
  const tries: [string, () => unknown][] = [['no argument', () => (fetch as () => unknown)()]];
  for (const [name, value] of Object.entries(anything)) {
    const any = value as never;
    tries.push(['uri ' + name, () => fetch(any)], ['options ' + name, () => fetch(uri, any)]);
    for (const option of ['method', 'headers', 'body', 'timeoutMs', 'redirect', 'maxBodyBytes', 'unknown']) {
      tries.push([option + ' ' + name, () => fetch(uri, { method: 'POST', [option]: any })]);
    }
    tries.push(['header ' + name, () => fetch(uri, { headers: { a: any } })], ['json ' + name, () => fetch(uri, { method: 'POST', body: { json: any } })]);
  }
  for (const address of ['http://', 'http:///', 'http://:80', 'http://a b/', 'http://[::1]/', 'http://[fe80::1%25eth0]/', 'http://localhost:99999/', 'http://localhost:0/', 'http://127.1/', 'http://256.1.1.1/', 'http://0x7f000001/', 'http://127.0.0.1:1/',
    'javascript:alert(1)', 'data:text/plain,x', 'file:///etc/passwd', 'blob:x', 'about:blank', '//host/', 'localhost:80', 'http://user:pass@localhost/', 'http://%00/', 'http://a..b/', 'http://' + 'a'.repeat(64) + '.example/', 'http://' + 'a.'.repeat(200) + 'b/',
    'http://xn--a/', 'http://\\u0000/', ' http://localhost:1/ ', 'http://localhost:1/' + 'p'.repeat(100_000), 'HTTP://LOCALHOST:1/']) tries.push(['address ' + address.slice(0, 40), () => fetch(address)]);
  for (const name of ['', ' ', 'a b', 'a:', 'ü', 'content-length', 'Transfer-Encoding', 'connection', 'Upgrade', 'Host', 'Expect', 'Keep-Alive', 'constructor', '__proto__', 'toString']) {
    for (const value of ['x', '', '5', 'a\\r\\nb: c', '\\n', '\\0', '日', ' padded ']) tries.push(['header ' + name + JSON.stringify(value), () => fetch(uri, { headers: { [name]: value } })]);
  }
  let wrong = 0;
  const report = (name: string, text: string) => { if (wrong++ < 20) print('WRONG', name, text); };
  await Promise.all(tries.map(async ([name, run]) => {
    let promise;
    try {
      promise = run();
    } catch (error) {
      return report(name, 'threw ' + String(error));
    }
    if (!(promise instanceof Promise)) return report(name, 'gave no promise');
    try {
      const response = await promise;
      const { status, statusMessage, headers, body, ok, url, error, timings } = response;
      const fine = status === -1 && statusMessage === 'socket error' && JSON.stringify(headers) === '{}' && Buffer.isBuffer(body) && body.length === 0 && ok === false && typeof url === 'string'
        && typeof error?.code === 'string' && error.code !== '' && typeof error.message === 'string' && error.message !== '' && error.message.length < 3_100_000 && timings.total >= 0 && response.text() === '';
      if (!fine) report(name, JSON.stringify([status, statusMessage, error]).slice(0, 300));
    } catch (error) {
      report(name, 'rejected');
    }
  }));
  print(tries.length > 600 ? 'all of them' : 'only ' + tries.length, wrong);
`;

const anything = fc.anything({ withBigInt: true, withBoxedValues: true, withDate: true, withMap: true, withSet: true, withNullPrototype: true, withTypedArray: true, withSparseArray: true });
const words = fc.oneof(fc.string({ unit: 'binary', maxLength: 30 }), fc.constantFrom('', 'content-length', 'host', '__proto__', 'constructor', 'x'));
/** Nothing is asked for but what this computer would have: no name leaves it. */
const uris = fc.oneof(
  anything,
  fc.string({ unit: 'binary', maxLength: 40 }).filter((text) => !/^\s*https?:/i.test(text)),
  fc.tuple(fc.constantFrom('http:', 'https:', 'HTTP:', 'ftp:', 'http', ''), fc.constantFrom('//', '/', ''), fc.constantFrom('localhost', '127.0.0.1', '0x7f.1', '[::1]', 'a@localhost'), fc.constantFrom(':1', ':0', ':65536', ':x'), fc.string({ maxLength: 20 })).map(
    ([scheme, slashes, host, port, rest]) => `${scheme}${slashes}${host}${port}/${rest}`,
  ),
);
const options = fc.record({
  method: fc.oneof(anything, fc.constantFrom('GET', 'get', 'HEAD', 'POST', 'PUT', 'TRACE')),
  headers: fc.oneof(anything, fc.dictionary(words, fc.oneof(words, anything))),
  body: fc.oneof(anything, words, fc.record({ json: anything })),
  timeoutMs: fc.oneof(anything, fc.double(), fc.integer()),
  redirect: fc.oneof(anything, fc.constantFrom('follow', 'manual', 'error')),
  maxBodyBytes: fc.oneof(anything, fc.double(), fc.integer()),
}, { requiredKeys: [] });

/** What gives the value when it is run. */
function sourceOf(value: unknown): string {
  // A lone surrogate would not outlive the file.
  return fc.stringify(value).replace(/[^\n\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

describe('fetch, whatever it is given', function () {
  this.timeout(120_000);
  let bench: RuntimeBench;
  before(async () => (bench = await RuntimeBench.start()));
  after(() => bench.stop());

  it('never throws and never rejects: "If … the URI or an option is unusable, `status` is -1 and `statusMessage` is `socket error`"', async () => {
    const { outcome, output, fetches } = await bench.run(SCRIPT, { memoryMb: 1_024 });
    assert.deepEqual([outcome, output], [{ kind: 'finished' }, ['all of them 0']]);
    // A long address is shortened for the view, and does not break the pipe.
    for (const { url, error } of fetches.values()) assert.ok(url.length < 2_100 && (error?.message.length ?? 0) < 2_100);
  });

  it('never throws and never rejects, for arguments made at random', async () => {
    const seed = Number(process.env['FC_SEED'] ?? Date.now() % 2 ** 31);
    // As source text: what is made here is made anew in the script.
    const pairs = fc.sample(fc.tuple(uris, fc.oneof(anything, options)), { numRuns: 1_500, seed }).map(([uri, given]) => `[${sourceOf(uri)}, ${sourceOf(given)}]`);
    const { outcome, output } = await bench.run(`
      const pairs: any[][] = [\n${pairs.join(',\n')}\n];
      let ended = 0;
      await Promise.all(pairs.map(async ([uri, options], index) => {
        try {
          const promise = fetch(uri, options);
          const { status, statusMessage, headers, body, ok, url, error, timings } = await promise;
          const fine = promise instanceof Promise && status === -1 && statusMessage === 'socket error' && Object.keys(headers).length === 0 && body.length === 0 && !ok && typeof url === 'string'
            && typeof error?.code === 'string' && error.code !== '' && error.message !== '' && timings.total >= 0;
          if (!fine) print('WRONG', index, status, error);
        } catch (error) {
          print('REJECTED', index, String(error));
        }
        ended++;
      }));
      print(ended);`, { memoryMb: 1_024 });
    const said = output.map((line) => line.replace(/(WRONG|REJECTED) (\d+)/, (text, _, index: string) => `${text} ${pairs[Number(index)]}`));
    assert.deepEqual([outcome, said], [{ kind: 'finished' }, [String(pairs.length)]], `FC_SEED=${seed}`);
  });

  it('sends a copy of the bytes: what the script does to its Buffer afterwards changes nothing', async () => {
    const received: string[] = [];
    const server = http.createServer((request, response) => {
      request.setEncoding('latin1').on('data', (text: string) => received.push(text)).on('end', () => response.end());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    assert.ok(typeof address === 'object' && address !== null);
    const { outcome, output } = await bench.run(`
      const bytes = Buffer.alloc(300_000, 'a');
      const promise = fetch('http://localhost:${address.port}/', { method: 'PUT', body: bytes });
      bytes.fill('b');
      print((await promise).status);`);
    server.closeAllConnections();
    server.close();
    assert.deepEqual([outcome.kind, output, received.join('') === 'a'.repeat(300_000)], ['finished', ['200'], true]);
  });
});
