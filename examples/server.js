'use strict';
/*
 * Small servers for the example scripts: `node examples/server.js [--host ADDRESS]`. HTTP, a chat and an echo,
 * on the ports in server.json, which the scripts read as well. Without options they listen on 127.0.0.1 only:
 * this folder's settings, and `npm start`, have `localhost` mean that address. `--host 0.0.0.0` lets other
 * computers, and scripts with Riftnet's default settings, reach them too.
 */
const http = require('node:http');
const { parseArgs } = require('node:util');
const { startChat, startEcho } = require('./line-servers.js');
const settings = require('./server.json');

const PAGE = `<!doctype html>
<title>Riftnet sample server</title>
<p>This page came through a TCP/IP stack written in TypeScript.</p>
`;
const MAX_BODY_BYTES = 1 << 20;
const MAX_DOWNLOAD_BYTES = 64 << 20;
const MAX_PLAYERS = 1_000;

const EMPTY_PLAYER = { name: '', score: 0, level: 1 };

function answer(response, status, type, body, headers = {}) {
  const bytes = Buffer.from(body);
  response.writeHead(status, { 'content-type': type, 'content-length': bytes.length, ...headers }).end(bytes);
}

function answerJson(response, status, value, headers) {
  answer(response, status, 'application/json', `${JSON.stringify(value)}\n`, headers);
}

/** @returns the text, or null if it is longer than a server should take */
async function readBody(request) {
  const chunks = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** What a request says of a player, or null after an answer that says what is wrong with it. */
async function readPlayer(request, response) {
  const body = await readBody(request);
  const refuse = (status, error) => {
    answerJson(response, status, { error });
    return null;
  };
  if (body === null) return refuse(413, `a body of at most ${MAX_BODY_BYTES} bytes is taken`);
  let given;
  try {
    given = JSON.parse(body);
  } catch {
    return refuse(400, 'the body is not JSON');
  }
  if (typeof given !== 'object' || given === null) return refuse(400, 'the body is not a JSON object');
  return Object.fromEntries(Object.entries(EMPTY_PLAYER).filter(([key, value]) => typeof given[key] === typeof value).map(([key]) => [key, given[key]]));
}

/** The API: GET and POST /players; GET, PATCH and DELETE /players/ID. */
async function servePlayers(players, request, response, id) {
  if (id === undefined) {
    if (request.method === 'GET') return answerJson(response, 200, [...players.values()]);
    if (request.method !== 'POST') return answerJson(response, 405, { error: `${request.method} is not for /players` }, { allow: 'GET, POST' });
    const given = await readPlayer(request, response);
    if (given === null) return;
    if (players.size >= MAX_PLAYERS) return answerJson(response, 507, { error: `there are ${MAX_PLAYERS} players already` });
    const player = { id: Math.max(0, ...players.keys()) + 1, ...EMPTY_PLAYER, ...given };
    players.set(player.id, player);
    return answerJson(response, 201, player, { location: `/players/${player.id}` });
  }
  const player = players.get(id);
  if (player === undefined) return answerJson(response, 404, { error: `there is no player ${id}` });
  switch (request.method) {
    case 'GET':
      return answerJson(response, 200, player);
    case 'PATCH': {
      const given = await readPlayer(request, response);
      if (given !== null) answerJson(response, 200, Object.assign(player, given));
      return;
    }
    case 'DELETE':
      players.delete(id);
      return response.writeHead(204).end();
    default:
      return answerJson(response, 405, { error: `${request.method} is not for a player` }, { allow: 'GET, PATCH, DELETE' });
  }
}

/** What `GET /bytes/N` sends: the same at any time. */
function sampleBytes(length) {
  const bytes = Buffer.allocUnsafe(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 8)) & 255;
  return bytes;
}

/** RFC 1950 §8.2, in hexadecimal: a checksum that a script can compute too. */
function adler32(bytes) {
  let [a, b] = [1, 0];
  for (const byte of bytes) {
    a = (a + byte) % 65_521;
    b = (b + a) % 65_521;
  }
  return (b * 65_536 + a).toString(16).padStart(8, '0');
}

/** The file that was asked for last: a download in parts asks for it again and again. */
let sample = { bytes: Buffer.alloc(0), checksum: adler32([]) };

/** N bytes; with `Range: bytes=A-B` some of them (RFC 9110 §14). */
function serveBytes(request, response, length) {
  if (length > MAX_DOWNLOAD_BYTES) return answer(response, 404, 'text/plain', `at most ${MAX_DOWNLOAD_BYTES} bytes\n`);
  if (sample.bytes.length !== length) {
    const made = sampleBytes(length);
    sample = { bytes: made, checksum: adler32(made) };
  }
  const { bytes, checksum } = sample;
  const headers = { 'accept-ranges': 'bytes', 'x-adler32': checksum };
  const type = 'application/octet-stream';
  if (request.method === 'HEAD') return response.writeHead(200, { 'content-type': type, 'content-length': length, ...headers }).end();
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  if (range === null) return answer(response, 200, type, bytes, headers);
  const first = Number(range[1]);
  const last = Math.min(range[2] === '' ? Infinity : Number(range[2]), length - 1);
  if (first > last) return answer(response, 416, 'text/plain', '', { 'content-range': `bytes */${length}` });
  return answer(response, 206, type, bytes.subarray(first, last + 1), { ...headers, 'content-range': `bytes ${first}-${last}/${length}` });
}

function handle(players, request, response) {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  const player = /^\/players(?:\/(\d+))?$/.exec(pathname);
  if (player !== null) {
    const id = player[1] === undefined ? undefined : Number(player[1]);
    return void servePlayers(players, request, response, id).catch((error) => answerJson(response, 500, { error: error.message }));
  }
  const bytes = /^\/bytes\/(\d{1,9})$/.exec(pathname);
  if (bytes !== null && (request.method === 'GET' || request.method === 'HEAD')) return void serveBytes(request, response, Number(bytes[1]));
  switch (`${request.method} ${pathname}`) {
    case 'GET /':
      return answer(response, 200, 'text/html; charset=utf-8', PAGE);
    case 'GET /hello.txt':
      return answer(response, 200, 'text/plain; charset=utf-8', 'Hello from the sample server.\n');
    case 'GET /old.txt':
      return answer(response, 301, 'text/plain', '', { location: '/hello.txt' });
    default:
      return answerJson(response, 404, { error: `nothing at ${request.method} ${pathname}` });
  }
}

/** @param port 0: any free one @returns the listening HTTP server; rejects with the system's error */
function startServer({ host = '127.0.0.1', port = settings.port } = {}) {
  const players = new Map([[1, { id: 1, name: 'Ada', score: 0, level: 1 }]]);
  const server = http.createServer((request, response) => handle(players, request, response));
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve(server));
  });
}

/**
 * All three.
 * @param ports as in server.json; 0: any free one
 * @returns their ports, and `stop()`; rejects with the system's error, after which none listens
 */
async function startServers({ host = '127.0.0.1', port, chatPort, echoPort } = settings) {
  const started = [];
  const stop = () => {
    for (const server of started) {
      if ('stop' in server) server.stop();
      else {
        server.closeAllConnections();
        server.close();
      }
    }
  };
  try {
    for (const start of [() => startServer({ host, port }), () => startChat({ host, port: chatPort }), () => startEcho({ host, port: echoPort })]) started.push(await start());
  } catch (error) {
    stop();
    throw error;
  }
  const [httpPort, ...others] = started.map((server) => server.address().port);
  return { ports: { port: httpPort, chatPort: others[0], echoPort: others[1] }, stop };
}

module.exports = { startServer, startServers };

if (require.main === module) {
  const { values } = parseArgs({ options: { host: { type: 'string', default: '127.0.0.1' } } });
  const { port, chatPort, echoPort } = settings;
  startServers({ host: values.host, port, chatPort, echoPort }).then(
    () => {
      console.log(`The sample server listens on http://${values.host}:${port}/; a chat on port ${chatPort}, an echo on ${echoPort} (Ctrl-C ends it)`);
    },
    (error) => {
      const taken = `Port ${error.port} of ${values.host} is taken by another program: end it, or write a free port into examples/server.json.`;
      console.error(error.code === 'EADDRINUSE' ? taken : error.message);
      process.exit(1);
    },
  );
}
