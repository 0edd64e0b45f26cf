'use strict';
/*
 * Two servers without HTTP, for the scripts that talk over a socket: a chat of lines, and an echo that sends
 * back what it gets. `server.js` starts both; they are modules of their own for tests.
 */
const net = require('node:net');

/** Connections at once; more are closed. */
const MAX_CLIENTS = 100;
/** A client that sends a longer line without an end is closed. */
const MAX_LINE_BYTES = 1024;
/** A client that does not read this much of what it is sent is closed. */
const MAX_BACKLOG_BYTES = 1 << 20;

/** @returns a promise of the listening server, with `stop()`, which ends its connections too; rejects with the system's error */
function listen({ host = '127.0.0.1', port }, serve) {
  const sockets = new Set();
  // An end of the client's is answered by an end, once what it still gets is on its way.
  const server = net.createServer((socket) => {
    if (sockets.size >= MAX_CLIENTS) return socket.destroy();
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    serve(socket);
  });
  server.stop = () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve(server));
  });
}

/** Sends back what comes. */
function startEcho(where) {
  return listen(where, (socket) => socket.pipe(socket));
}

/**
 * A chat: lines of UTF-8 that end in LF. The first line of a client is its name; every further one goes to
 * all, as `NAME: TEXT`. Lines that begin with `* ` are the server's own. `/quit` ends the connection.
 */
function startChat(where) {
  const clients = new Map();
  const toAll = (line) => {
    for (const socket of clients.keys()) {
      socket.write(`${line}\n`);
      if (socket.writableLength > MAX_BACKLOG_BYTES) socket.destroy();
    }
  };

  function take(socket, line) {
    const name = clients.get(socket);
    if (name !== undefined) return line === '/quit' ? void socket.end('* bye\n') : toAll(`${name}: ${line}`);
    const wanted = line.trim();
    if (!/^[\p{L}\p{N}_-]{1,20}$/u.test(wanted)) return void socket.end('* a name has 1 to 20 letters and digits\n');
    if ([...clients.values()].includes(wanted)) return void socket.end(`* ${wanted} is taken\n`);
    clients.set(socket, wanted);
    toAll(`* ${wanted} has come (${clients.size} here)`);
  }

  return listen(where, (socket) => {
    socket.setEncoding('utf8');
    let rest = '';
    socket.on('data', (text) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (!socket.writableEnded) take(socket, line.replace(/\r$/, ''));
      if (Buffer.byteLength(rest) > MAX_LINE_BYTES) socket.destroy();
    });
    socket.on('close', () => {
      const name = clients.get(socket);
      if (clients.delete(socket)) toAll(`* ${name} has gone`);
    });
    socket.write('* who are you?\n');
  });
}

module.exports = { startChat, startEcho };
