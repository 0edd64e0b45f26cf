/** What a server sees of fetch: requests, redirects as on the web, and connections that are used again. */
import assert from 'node:assert/strict';
import { fetchGroups, type FetchLink, type FetchOrder, type FetchResult } from './fetch-link';
import { ScriptedHttpServer, type Answer, type Peer, type SeenRequest } from './scripted-http';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH'] as const;
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const OK_AND_CLOSE = 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok';
const ok: Answer = (peer) => peer.send(OK);
const PRIVATE = { Authorization: 'secret', Cookie: 'a=1', 'Proxy-Authorization': 'too', 'X-Own': 'kept' };

/** On the first request of a connection it answers, on the next it does `then`. */
const onceThen = (then: (peer: Peer) => Promise<void> | void): Answer => (peer, { turn }) => (turn === 1 ? peer.send(OK) : then(peer));

export function fetchRequests(link: FetchLink): void {
  describe(`fetch over ${link.name}, as servers see it`, function () {
    this.timeout(180_000);
    let server: ScriptedHttpServer;
    let other: ScriptedHttpServer;
    let slow: ScriptedHttpServer;
    let results: Record<string, FetchResult[]>;
    /** Open connections of `slow`, at their most. */
    let mostOpen = 0;
    const resets: string[] = [];

    const answers: Record<string, Answer> = {
      '*': ok,
      '/close': async (peer) => {
        peer.socket.on('error', () => resets.push('/close'));
        await peer.send(OK_AND_CLOSE);
        peer.close();
      },
      '/stale-get': onceThen((peer) => peer.close()),
      '/stale-reset': onceThen((peer) => peer.reset()),
      '/stale-post': onceThen((peer) => peer.close()),
      '/partly': onceThen(async (peer) => {
        await peer.send('HTTP/1.1 2');
        peer.close();
      }),
      '/always': (peer) => peer.close(),
      '/idle-close': async (peer) => {
        await peer.send(OK);
        setTimeout(() => peer.close(), 20);
      },
      '/unasked': async (peer, { turn }) => {
        await peer.send(OK);
        // Later than the response, and before the next request.
        if (turn === 1) setTimeout(() => void peer.send('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil'), 20);
      },
      '/brief': (peer) => peer.send('HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\nContent-Length: 2\r\n\r\nok'),
      '/count': (peer, { target }) => {
        const left = Number(target.split('?')[1]);
        return peer.send(left === 0 ? OK : `HTTP/1.1 302 Found\r\nLocation: /count?${left - 1}\r\nContent-Length: 0\r\n\r\n`);
      },
    };
    for (const status of [300, 301, 302, 303, 304, 305, 307, 308]) {
      answers[`/to/${status}`] = (peer) => peer.send(`HTTP/1.1 ${status} Go\r\nLocation: /landed?${status}#there\r\nContent-Length: 0\r\n\r\n`);
      answers[`/across/${status}`] = (peer, { headers }) => peer.send(`HTTP/1.1 ${status} Go\r\nLocation: http://${headers['host']?.split(':')[0]}:${other.port}/across?${status}\r\nContent-Length: 5\r\n\r\nthere`);
    }

    before(async () => {
      server = await ScriptedHttpServer.start({ address: link.listen, answers });
      other = await ScriptedHttpServer.start({ address: link.listen, answers: { '*': ok } });
      // It answers nobody before no more connections come.
      const waiting: Peer[] = [];
      slow = await ScriptedHttpServer.start({ address: link.listen, answers: { '*': async (peer) => {
        waiting.push(peer);
        mostOpen = Math.max(mostOpen, slow.open);
        if (waiting.length >= 64) for (const one of waiting.splice(0)) await one.send(OK);
      } } });
      const base = `http://${link.host}:${server.port}`;
      const at = (path: string, options: FetchOrder['options'] = {}, more: Partial<FetchOrder> = {}): FetchOrder => ({ url: base + path, options: { timeoutMs: 60_000, ...options }, ...more });
      const post = { method: 'POST', body: 'words', headers: PRIVATE };
      const groups: Record<string, FetchOrder[]> = {
        methods: METHODS.map((method) => at(`/method?${method}`, { method })),
        headers: [at('/headers', { headers: { 'X-A': '1', 'x-a': '2', Accept: 'text/x', 'User-Agent': 'mine', Host: 'named.example', Empty: '', __proto__x: 'y' } })],
        defaults: [at('/defaults')],
        json: [at('/json', { method: 'POST', body: { json: { a: [1, null, 'ü€'] } } }), at('/json?own', { method: 'PUT', headers: { 'Content-Type': 'application/merge-patch+json' }, body: { json: null } })],
        text: [at('/text', { method: 'POST', body: 'ü€\n' }), at('/text?empty', { method: 'POST', body: '' })],
        bytes: [at('/bytes', { method: 'PATCH' }, { bodyBase64: Buffer.from([0, 1, 254, 255]).toString('base64') })],
        target: [at('/a%20b/ü?q=ä&r=[]#fragment'), at('')],
        manual: [at('/to/302?manual', { redirect: 'manual' })],
        twenty: [at('/count?20')],
        twentyOne: [at('/count?21')],
        close: [at('/close'), at('/close')],
        staleGet: [at('/stale-get'), at('/stale-get')],
        staleReset: [at('/stale-reset'), at('/stale-reset', { method: 'DELETE' })],
        stalePost: [at('/stale-post'), at('/stale-post', { method: 'POST', body: 'once' })],
        partly: [at('/partly'), at('/partly')],
        always: [at('/always')],
        idleClose: [at('/idle-close', post), at('/idle-close', post, { waitMs: 300 })],
        unasked: [at('/unasked'), at('/unasked', {}, { waitMs: 300 })],
        brief: [at('/brief'), at('/brief')],
      };
      for (const status of [300, 301, 302, 303, 304, 305, 307, 308]) {
        groups[`post ${status}`] = [at(`/to/${status}?post`, post)];
        groups[`put ${status}`] = [at(`/to/${status}?put`, { ...post, method: 'PUT' })];
        groups[`head ${status}`] = [at(`/to/${status}?head`, { method: 'HEAD' })];
        groups[`across ${status}`] = [at(`/across/${status}`, post)];
      }
      for (let i = 0; i < 192; i++) groups[`slow ${i}`] = [{ url: `http://${link.host}:${slow.port}/${i}`, options: { timeoutMs: 60_000 } }];
      // Those that count connections must be alone on theirs.
      results = {};
      const alone = ['close', 'staleGet', 'staleReset', 'stalePost', 'partly', 'always', 'idleClose', 'unasked', 'brief'];
      for (const name of alone) Object.assign(results, await fetchGroups(link, { [name]: groups[name] ?? [] }));
      Object.assign(results, await fetchGroups(link, Object.fromEntries(Object.entries(groups).filter(([name]) => !alone.includes(name)))));
    });
    after(async () => {
      await server.stop();
      await other.stop();
      await slow.stop();
    });

    const seen = (path: string, on = server): SeenRequest => {
      const found = on.seen.find(({ target }) => target === path);
      assert.ok(found, `${path} was asked for`);
      return found;
    };
    const outcomes = (name: string) => results[name]?.map(({ status, error }) => error?.code ?? status);
    /** Which requests for a path came over which connection of the server, counted from the first that it had. */
    const connectionsOf = (path: string) => {
      const all = server.requestsFor(path).map(({ connection }) => connection);
      return all.map((connection) => connection - (all[0] ?? 0));
    };

    describe('requests', () => {
      for (const method of METHODS) {
        it(`${method}`, () => {
          const { headers } = seen(`/method?${method}`);
          assert.equal(seen(`/method?${method}`).method, method);
          // RFC 9110 §8.6: a length of 0 where a body is usual.
          assert.equal(headers['content-length'], ['POST', 'PUT', 'PATCH'].includes(method) ? '0' : undefined);
        });
      }

      it('with headers of its own, and those of the script instead of them', () => {
        const { headers } = seen('/headers');
        assert.deepEqual([headers['x-a'], headers['accept'], headers['user-agent'], headers['host'], headers['empty'], headers['__proto__x']], ['1, 2', 'text/x', 'mine', 'named.example', '', 'y']);
        const { headers: own } = seen('/defaults');
        assert.deepEqual([own['user-agent'], own['accept'], own['accept-encoding'], own['host'], own['connection']], ['riftnet', '*/*', 'gzip, deflate, br', `${link.host}:${server.port}`, 'keep-alive']);
      });

      it('with JSON', () => {
        assert.deepEqual([seen('/json').body.toString(), seen('/json').headers['content-type']], ['{"a":[1,null,"ü€"]}', 'application/json']);
        assert.deepEqual([seen('/json?own').body.toString(), seen('/json?own').headers['content-type']], ['null', 'application/merge-patch+json']);
      });

      it('with text, as UTF-8', () => {
        assert.deepEqual([seen('/text').body.toString(), seen('/text').headers['content-length'], seen('/text').headers['content-type']], ['ü€\n', '6', 'text/plain;charset=UTF-8']);
        assert.deepEqual([seen('/text?empty').body.length, seen('/text?empty').headers['content-length']], [0, '0']);
      });

      it('with bytes', () => assert.deepEqual([...seen('/bytes').body], [0, 1, 254, 255]));
      it('with the path and query encoded, and without the fragment', () => assert.ok(seen('/a%20b/%C3%BC?q=%C3%A4&r=[]') && seen('/')));
    });

    describe('redirects (Fetch Standard §4.4)', () => {
      for (const status of [301, 302, 303, 307, 308]) {
        const keeps = status >= 307;
        it(`after ${status} a POST is ${keeps ? 'a POST with its body' : 'a GET without'}`, () => {
          const [result] = results[`post ${status}`] ?? [];
          assert.deepEqual([result?.status, result?.url, result?.body.toString()], [200, `http://${link.host}:${server.port}/landed?${status}`, 'ok']);
          const landed = server.seen.filter(({ target, method }) => target === `/landed?${status}` && method === (keeps ? 'POST' : 'GET'));
          const request = landed.find(({ headers }) => headers['x-own'] === 'kept');
          assert.ok(request);
          assert.deepEqual([request.body.toString(), request.headers['content-type'], request.headers['content-length']], keeps ? ['words', 'text/plain;charset=UTF-8', '5'] : ['', undefined, undefined]);
          // The same server: it knows the secrets anyway.
          assert.deepEqual([request.headers['authorization'], request.headers['cookie']], ['secret', 'a=1']);
        });

        it(`after ${status} a PUT is a ${status === 303 ? 'GET' : 'PUT'}, and a HEAD a HEAD`, () => {
          const methods = new Set(server.seen.filter(({ target }) => target === `/landed?${status}`).map(({ method }) => method));
          assert.deepEqual([methods.has('PUT'), methods.has('HEAD')], [status !== 303, true]);
          assert.deepEqual([outcomes(`put ${status}`), outcomes(`head ${status}`)], [[200], [200]]);
        });

        it(`after ${status} to another server nothing secret goes along`, () => {
          const { headers, method } = seen(`/across?${status}`, other);
          assert.equal(method, keeps ? 'POST' : 'GET');
          assert.deepEqual([headers['authorization'], headers['cookie'], headers['proxy-authorization'], headers['x-own'], headers['host']], [undefined, undefined, undefined, 'kept', `${link.host}:${other.port}`]);
        });
      }

      for (const status of [300, 304, 305]) it(`${status} is followed nowhere`, () => assert.deepEqual(outcomes(`post ${status}`), [status]));

      it("with `redirect: 'manual'` are the response", () => {
        const [result] = results['manual'] ?? [];
        assert.deepEqual([result?.status, result?.headers['location'], result?.url], [302, '/landed?302#there', `http://${link.host}:${server.port}/to/302?manual`]);
      });

      it('are followed 20 times and not more', () => assert.deepEqual([outcomes('twenty'), outcomes('twentyOne')], [[200], ['ELOOP']]));
    });

    describe('connections', () => {
      it('close in order when the server says so', () => {
        assert.deepEqual([outcomes('close'), connectionsOf('/close'), resets], [[200, 200], [0, 1], []]);
      });

      it('that turn out to be closed cost a GET nothing: it is sent again', () => {
        assert.deepEqual([outcomes('staleGet'), connectionsOf('/stale-get')], [[200, 200], [0, 0, 1]]);
        assert.deepEqual([outcomes('staleReset'), connectionsOf('/stale-reset')], [[200, 200], [0, 0, 1]]);
      });

      it('that turn out to be closed fail a POST, which is not sent again', () => {
        assert.deepEqual([outcomes('stalePost'), server.requestsFor('/stale-post').map(({ method }) => method)], [[200, 'ECONNRESET'], ['GET', 'POST']]);
        assert.match(results['stalePost']?.[1]?.error?.message ?? '', /closed the connection before the response to POST/);
      });

      it('that broke within a response are not tried again', () => assert.deepEqual([outcomes('partly'), connectionsOf('/partly')], [[200, 'ECONNRESET'], [0, 0]]));
      it('that are new and break are not tried again', () => assert.deepEqual([outcomes('always'), connectionsOf('/always')], [['ECONNRESET'], [0]]));
      it('that closed while nobody used them are not used, not even for a POST', () => assert.deepEqual([outcomes('idleClose'), connectionsOf('/idle-close')], [[200, 200], [0, 1]]));
      it('on which something came unasked are not used again', () => {
        assert.deepEqual([outcomes('unasked'), results['unasked']?.map(({ body }) => body.toString()), connectionsOf('/unasked')], [[200, 200], ['ok', 'ok'], [0, 1]]);
      });
      it('that the server keeps for a second only are not kept', () => assert.deepEqual([outcomes('brief'), connectionsOf('/brief')], [[200, 200], [0, 1]]));

      it('to one server are 64 at most; further requests wait in turn, and all come through', () => {
        assert.equal(mostOpen, 64);
        for (let i = 0; i < 192; i++) assert.deepEqual(outcomes(`slow ${i}`), [200]);
      });
    });
  });
}
