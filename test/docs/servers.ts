/** The servers that the pages' scripts talk to, each under the port by which the pages call it. */
import { createRequire } from 'node:module';
import net from 'node:net';
import path from 'node:path';

interface SampleServers {
  readonly ports: { readonly port: number; readonly chatPort: number; readonly echoPort: number };
  stop(): void;
}

const sample: { startServers(ports: Record<string, number>): Promise<SampleServers> } = createRequire(path.resolve('examples/test'))('./server.js');

/** What a block may ask for by `server=NAME`, and the port it has on the page. */
export const PORTS = {
  /** `node examples/server.js`. */
  http: 18080,
  chat: 18081,
  echo: 18082,
  /** Closes the first two connections at once, then is an echo. */
  flaky: 18090,
  /** Sends 12 bytes, and resets the connection. */
  reset: 18091,
  /** Takes a request and never answers. */
  silent: 18092,
  /** Answers a request with something that is no HTTP. */
  garbage: 18093,
  /** Nothing listens. */
  closed: 18099,
} as const;

export type ServerName = keyof typeof PORTS;

export function isServerName(name: string): name is ServerName {
  return name in PORTS;
}

export interface DocsServers {
  /** The text with the ports that the servers really have. */
  withPorts(text: string): string;
  /** For the next block: those that count begin anew. */
  reset(): void;
  stop(): void;
}

export async function startDocsServers(): Promise<DocsServers> {
  const { ports, stop } = await sample.startServers({ port: 0, chatPort: 0, echoPort: 0 });
  let connections = 0;
  const [flaky, reset, silent, garbage, closed] = await Promise.all([
    listen((socket) => void (++connections <= 2 ? socket.end() : socket.pipe(socket))),
    // Once the peer has the bytes: a reset overtakes what is still in a buffer.
    listen((socket) => void socket.write('half of what', () => setTimeout(() => socket.resetAndDestroy(), 50))),
    listen(() => {}),
    listen((socket) => void socket.once('data', () => socket.end('SSH-2.0-OpenSSH_9.2\r\n'))),
    listen(() => {}),
  ]);
  // A port that was free a moment ago, and that the system hands out last.
  const nothing = closed.port;
  closed.stop();
  const real: Record<ServerName, number> = { http: ports.port, chat: ports.chatPort, echo: ports.echoPort, flaky: flaky.port, reset: reset.port, silent: silent.port, garbage: garbage.port, closed: nothing };
  const names = Object.keys(PORTS).filter(isServerName);
  return {
    withPorts: (text) => text.replace(/\b18\d{3}\b/g, (port) => String(real[names.find((name) => PORTS[name] === Number(port)) ?? fail(port)])),
    reset: () => void (connections = 0),
    stop() {
      stop();
      for (const server of [flaky, reset, silent, garbage]) server.stop();
    },
  };
}

function fail(port: string): never {
  throw new Error(`the page names port ${port}, on which there is no server`);
}

function listen(serve: (socket: net.Socket) => void): Promise<{ port: number; stop(): void }> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    serve(socket);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      if (address === null || typeof address === 'string') return reject(new Error('a TCP server has an address'));
      resolve({
        port: address.port,
        stop() {
          for (const socket of sockets) socket.destroy();
          server.close();
        },
      });
    });
  });
}
