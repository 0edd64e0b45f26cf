/** Debian's nginx on the loopback address, with a configuration, folder and port of its own. */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import type { Certificate } from './certificates';
import { terminate } from './processes';

export interface NginxOptions {
  /** Default 127.0.0.1. */
  readonly address?: string;
  /** With one it speaks TLS too, on a port of its own. */
  readonly certificate?: Certificate;
}

export class Nginx {
  private constructor(
    readonly port: number,
    /** 0 without a certificate. */
    readonly tlsPort: number,
    /** What it serves: a file `www/NAME` is at `/NAME`. */
    readonly www: string,
    private readonly folder: string,
    private readonly child: ChildProcess,
  ) {}

  /** @param originPort the server on 127.0.0.1 that /players/ and /upload are passed on to */
  static async start(originPort: number, { address = '127.0.0.1', certificate }: NginxOptions = {}): Promise<Nginx> {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'riftnet-nginx-'));
    const www = path.join(folder, 'www');
    fs.mkdirSync(www);
    const port = await freePort();
    const tlsPort = certificate === undefined ? 0 : await freePort();
    if (certificate !== undefined) {
      fs.writeFileSync(path.join(folder, 'server.pem'), certificate.cert);
      fs.writeFileSync(path.join(folder, 'server.key'), certificate.key, { mode: 0o600 });
    }
    const config = path.join(folder, 'nginx.conf');
    fs.writeFileSync(config, configuration(folder, { address, port, tlsPort, originPort }));
    const child = spawn(nginxProgram(), ['-p', folder, '-c', config, '-e', path.join(folder, 'error.log')], { stdio: ['ignore', 'ignore', 'pipe'] });
    let words = '';
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (words += chunk));
    child.on('error', (error) => (words += error.message));
    const server = new Nginx(port, tlsPort, www, folder, child);
    try {
      await waitForPort(port, () => child.exitCode !== null || child.pid === undefined, address);
    } catch (error) {
      await server.stop();
      throw new Error(`nginx did not start: ${words}`, { cause: error });
    }
    return server;
  }

  async stop(): Promise<void> {
    await terminate(this.child);
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Debian puts it in /usr/sbin, which is not in every user's PATH. */
function nginxProgram(): string {
  return ['/usr/sbin/nginx', '/usr/local/sbin/nginx'].find((file) => fs.existsSync(file)) ?? 'nginx';
}

interface Listening {
  readonly address: string;
  readonly port: number;
  readonly tlsPort: number;
  readonly originPort: number;
}

function configuration(folder: string, { address, port, tlsPort, originPort }: Listening): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`).join('\n  ');
  return `
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
# Started by root, its workers would else be a user who may not read the folder.
${process.getuid?.() === 0 ? 'user root root;' : ''}
events { worker_connections 256; }
http {
  ${temporary}
  access_log off;
  types { text/html html; application/octet-stream bin; }
  default_type text/plain;
  client_max_body_size 256m;
  gzip on;
  gzip_types text/plain;
  gzip_min_length 100;
  server {
    listen ${address}:${port};
    ${tlsPort === 0 ? '' : `listen ${address}:${tlsPort} ssl; ssl_certificate ${folder}/server.pem; ssl_certificate_key ${folder}/server.key;`}
    root ${folder}/www;
    location = /moved { return 301 /hello.txt; }
    location ~ ^/(players/|upload) {
      proxy_pass http://127.0.0.1:${originPort};
      proxy_http_version 1.1;
      proxy_request_buffering off;
    }
  }
}
`;
}

/**
 * A port nobody listens on now: below those that the system gives out by itself (Linux: from 32 768), so that none of
 * the tests that run beside this one is given it before its server has it.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(10_000, 32_000);
    const server = net.createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!isFree) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}

/** Waits until something listens there, at most 10 s. @param hopeless whether it never will */
export async function waitForPort(port: number, hopeless: () => boolean, address = '127.0.0.1'): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!(await accepts(port, address))) {
    if (hopeless()) throw new Error('it ended');
    if (performance.now() > deadline) throw new Error(`nothing listens on ${address}:${port} after 10 s`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function accepts(port: number, address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, address, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
