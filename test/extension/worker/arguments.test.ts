import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { checkHost } from '../../../extension/worker/script/host-name';
import { createNetwork, Socket } from '../../../extension/worker/script/socket';
import { parseRequest } from '../../../extension/worker/script/http/request';
import { MAX_READ_BYTES, SEND_QUEUE_BYTES } from '../../../extension/worker/script/channel';
import { ScriptPeer } from './script-peer';

const LIMITS = { demandBytes: 64 << 20 };

function connected(): { peer: ScriptPeer; socket: Socket } {
  const peer = new ScriptPeer().connect();
  return { peer, socket: new Socket(peer.channel, LIMITS) };
}

describe('Network.Connect', () => {
  const opened: unknown[] = [];
  const network = createNetwork((host, port) => {
    opened.push([host, port]);
    return new ScriptPeer().channel;
  }, LIMITS);

  for (const [host, name] of [
    ['example.com', 'example.com'], ['EXAMPLE.com.', 'example.com.'], ['192.0.2.1', '192.0.2.1'], ['localhost', 'localhost'],
    ['bücher.example', 'xn--bcher-kva.example'], ['_service.host-1.example', '_service.host-1.example'], ['1.example', '1.example'],
  ] as const) {
    it(`takes ${host}`, () => {
      opened.length = 0;
      network.Connect(host, 80);
      assert.deepEqual(opened, [[name, 80]]);
    });
  }

  for (const host of ['', 'a b', '256.1.1.1', '1.2.3', '01.2.3.4', '::1', '[::1]', 'host:80', 'http://example.com', 'a..b', 'x'.repeat(64), `${'abc.'.repeat(64)}de`]) {
    it(`refuses ${JSON.stringify(host.slice(0, 30))} with its value`, () => {
      assert.throws(() => checkHost('Network.Connect(host, port)', host), (error) => error instanceof RangeError && error.message.startsWith('Network.Connect(host, port): host') && error.message.includes(host.slice(0, 20)));
    });
  }

  for (const host of ['x.'.repeat(150), 'ü'.repeat(300)]) {
    it(`says that ${host.slice(0, 4)}… is too long`, () => {
      assert.throws(() => network.Connect(host, 80), { name: 'RangeError', message: /: longer than the 253 characters a name may have$/ });
    });
  }

  it('names a host in errors as it was written, and as DNS has it', () => {
    const peer = new ScriptPeer({ host: 'xn--tda.test' });
    const socket = createNetwork(() => peer.channel, LIMITS).Connect('ü.test', 80);
    peer.channel.failed({ code: 'ENOTFOUND', message: 'xn--tda.test:80: no such name' });
    assert.deepEqual(socket.error, { code: 'ENOTFOUND', message: 'ü.test (xn--tda.test):80: no such name' });
    assert.equal(socket.error, socket.error);
  });

  it('refuses what is no text', () => {
    assert.throws(() => network.Connect(undefined, 80), { name: 'TypeError', message: /host must be .* not undefined/ });
  });

  for (const [port, error] of [[0, 'RangeError'], [65_536, 'RangeError'], [80.5, 'RangeError'], ['80', 'TypeError'], [undefined, 'TypeError']] as const) {
    it(`refuses port ${port}`, () => {
      assert.throws(() => network.Connect('example.com', port), { name: error, message: /port must be a whole number from 1 to 65535/ });
    });
  }
});

describe('A socket that is printed', () => {
  it('shows its state, and only its name where the depth is used up', () => {
    const { socket } = connected();
    assert.equal(
      inspect(socket, { breakLength: Infinity }),
      "Socket { status: 'connected', error: null, host: 'example.com', remoteAddress: '192.0.2.1', remotePort: 80, localPort: 50000, bufferedAmount: 0, bytesRead: 0, bytesWritten: 0 }",
    );
    assert.equal(inspect({ a: { socket } }, { depth: 1 }), '{ a: { socket: [Socket] } }');
  });
});

describe('socket.write', () => {
  it('takes text in an encoding, bytes, and arrays of bytes', () => {
    const { peer, socket } = connected();
    assert.equal(socket.write('aé'), true);
    assert.equal(socket.write('é', 'latin1'), true);
    assert.equal(socket.write(Buffer.from('b')), true);
    assert.equal(socket.write(new Uint8Array([99])), true);
    assert.equal(socket.write([100, 0, 255]), true);
    peer.turn();
    assert.deepEqual([...Buffer.concat(peer.written)], [97, 0xc3, 0xa9, 0xe9, 98, 99, 100, 0, 255]);
    assert.equal(socket.bytesWritten, 9);
  });

  for (const [name, args, message] of [
    ['a byte out of range', [[1, 256]], /bytes\[1\] must be .* not 256/],
    ['a fraction', [[0.5]], /bytes\[0\] must be .* not 0\.5/],
    ['text among bytes', [['a']], /bytes\[0\] must be a number, not 'a'/],
    ['an unknown encoding', ['text', 'utf9'], /unknown encoding 'utf9'/],
    ['a number', [5], /data must be .* not 5/],
    ['more than the whole queue', [Buffer.alloc(SEND_QUEUE_BYTES + 1)], /67108865 bytes, more than the whole send queue of 67108864/],
  ] as const) {
    it(`throws for ${name}, and queues nothing`, () => {
      const { peer, socket } = connected();
      assert.throws(() => Reflect.apply(socket.write, socket, [...args]), { message });
      assert.equal(socket.bytesWritten, 0);
      assert.deepEqual(peer.take(), ['open']);
    });
  }
});

describe('socket.read', () => {
  for (const [n, error] of [[-1, 'RangeError'], [1.5, 'RangeError'], [MAX_READ_BYTES + 1, 'RangeError'], ['1', 'TypeError'], [null, 'TypeError']] as const) {
    it(`refuses ${n}`, () => {
      assert.throws(() => connected().socket.read(n), { name: error, message: new RegExp(`n must be a whole number from 0 to ${MAX_READ_BYTES}, not`) });
    });
  }

  it('says how much the sockets may hold together', () => {
    const { peer, socket } = connected();
    assert.equal(socket.read(10), null);
    assert.equal(peer.channel.readableBytes, 0);
    peer.channel.received(Buffer.from('0123456789'));
    assert.equal(socket.read(10)?.toString(), '0123456789');
  });

  it('shows addresses once connected, and an error only with its status', () => {
    const peer = new ScriptPeer();
    const socket = new Socket(peer.channel, LIMITS);
    assert.deepEqual([socket.remoteAddress, socket.localPort, socket.remotePort], [null, null, 80]);
    peer.connect();
    assert.deepEqual([socket.remoteAddress, socket.localPort], ['192.0.2.1', 50_000]);
    peer.channel.received(Buffer.from('x'));
    peer.channel.failed({ code: 'ECONNRESET', message: 'reset' });
    const errors = [socket.error];
    socket.read();
    errors.push(socket.error);
    assert.deepEqual(errors, [null, { code: 'ECONNRESET', message: 'reset' }]);
  });
});

describe('What fetch is given', () => {
  it('has defaults', () => {
    const request = parseRequest('http://example.com/a?b', undefined, 1_000);
    assert.deepEqual({ ...request, url: request.url.href }, {
      url: 'http://example.com/a?b', method: 'GET', headers: { 'user-agent': 'riftnet', accept: '*/*', 'accept-encoding': 'gzip, deflate, br' }, body: null, redirect: 'follow', timeoutMs: 300_000, maxBodyBytes: 1_000,
    });
  });

  it('serialises json and names its type, unless the script does', () => {
    const request = parseRequest('http://example.com/', { method: 'PATCH', body: { json: { a: [1] } } }, 1_000);
    assert.equal(String(request.body), '{"a":[1]}');
    assert.equal(request.headers['content-type'], 'application/json');
    const own = parseRequest('http://example.com/', { method: 'PATCH', headers: { 'Content-Type': 'application/merge-patch+json' }, body: { json: null } }, 1_000);
    assert.equal(own.headers['content-type'], 'application/merge-patch+json');
    assert.equal(String(own.body), 'null');
  });

  for (const [name, uri, options, message] of [
    ['no URI', 5, {}, /uri must be a string, not 5/],
    ['a relative URI', '/path', {}, /'\/path' is no absolute URI/],
    ['another protocol', 'ftp://example.com/', {}, /must be http: or https:/],
    ['an unknown method', 'http://example.com/', { method: 'TRACE' }, /method must be one of .* not 'TRACE'/],
    ['headers that are no object', 'http://example.com/', { headers: 'a: b' }, /headers must be an object/],
    ['a header that is no text', 'http://example.com/', { headers: { a: {} } }, /header 'a' must be a string/],
    ['an unknown body', 'http://example.com/', { method: 'POST', body: 5 }, /body must be .* not 5/],
    ['a body that JSON cannot hold', 'http://example.com/', { method: 'POST', body: { json: undefined } }, /body\.json/],
    ['an unknown redirect', 'http://example.com/', { redirect: 'error' }, /redirect must be 'follow' or 'manual', not 'error'/],
    ['an option mistyped', 'http://example.com/', { methd: 'POST' }, /no option 'methd'; there are method, headers, .* maxBodyBytes/],
    ['a signal', 'http://example.com/', { signal: AbortSignal.timeout(1_000) }, /no option 'signal'; timeoutMs ends/],
    ['no time', 'http://example.com/', { timeoutMs: 0 }, /timeoutMs must be a number from 1/],
    ['a negative size', 'http://example.com/', { maxBodyBytes: -1 }, /maxBodyBytes must be/],
    ['a body for GET', 'http://example.com/', { body: 'x' }, /GET has no body/],
    ['a password in the URI', 'http://user:secret@example.com/', {}, /use the header authorization/],
    ['options that are none', 'http://example.com/', 7, /options must be an object, not 7/],
  ] as const) {
    it(`refuses ${name}`, () => {
      assert.throws(() => parseRequest(uri, options, 1_000), { message });
    });
  }
});
