'use strict';
/*
 * A small HTTP server for the example scripts: `node examples/server.js [--host ADDRESS] [--port PORT]`.
 * Without options it listens on 127.0.0.1 and the port in server.json, which the scripts read as well; this
 * folder's settings, and `npm start`, have `localhost` mean that address. `--host 0.0.0.0` lets other
 * computers, and scripts with Riftnet's default settings, reach it too.
 */
const http = require('node:http');
const { parseArgs } = require('node:util');
const settings = require('./server.json');

const PAGE = `<!doctype html>
<title>Riftnet sample server</title>
<p>This page came through a TCP/IP stack written in TypeScript.</p>
`;
const MAX_BODY_BYTES = 1 << 20;

const player = { id: 1, name: 'Ada', score: 0, level: 1 };

function answer(response, status, type, body) {
  const bytes = Buffer.from(body);
  response.writeHead(status, { 'content-type': type, 'content-length': bytes.length }).end(bytes);
}

function answerJson(response, status, value) {
  answer(response, status, 'application/json', `${JSON.stringify(value)}\n`);
}

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

async function patchPlayer(request, response) {
  const body = await readBody(request);
  if (body === null) return answerJson(response, 413, { error: `a body of at most ${MAX_BODY_BYTES} bytes is taken` });
  let change;
  try {
    change = JSON.parse(body);
  } catch {
    return answerJson(response, 400, { error: 'the body is not JSON' });
  }
  if (typeof change !== 'object' || change === null) return answerJson(response, 400, { error: 'the body is not a JSON object' });
  for (const key of ['name', 'score', 'level']) if (typeof change[key] === typeof player[key]) player[key] = change[key];
  return answerJson(response, 200, player);
}

function handle(request, response) {
  const route = `${request.method} ${new URL(request.url ?? '/', 'http://localhost').pathname}`;
  switch (route) {
    case 'GET /':
      return answer(response, 200, 'text/html; charset=utf-8', PAGE);
    case 'GET /hello.txt':
      return answer(response, 200, 'text/plain; charset=utf-8', 'Hello from the sample server.\n');
    case 'GET /players/1':
      return answerJson(response, 200, player);
    case 'PATCH /players/1':
      return patchPlayer(request, response).catch((error) => answerJson(response, 500, { error: error.message }));
    default:
      return answerJson(response, 404, { error: `nothing at ${route}` });
  }
}

/** @param port 0: any free one @returns the listening server; rejects with the system's error */
function startServer({ host = '127.0.0.1', port = settings.port } = {}) {
  const server = http.createServer(handle);
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve(server));
  });
}

module.exports = { startServer };

if (require.main === module) {
  const { values } = parseArgs({ options: { host: { type: 'string', default: '127.0.0.1' }, port: { type: 'string', default: String(settings.port) } } });
  startServer({ host: values.host, port: Number(values.port) }).then(
    (server) => console.log(`The sample server listens on http://${server.address().address}:${server.address().port}/ (Ctrl-C ends it)`),
    (error) => {
      const taken = `Port ${values.port} of ${values.host} is taken by another program: end it, or write a free port into examples/server.json.`;
      console.error(error.code === 'EADDRINUSE' ? taken : error.message);
      process.exit(1);
    },
  );
}
