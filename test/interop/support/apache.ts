/** Debian's Apache on the loopback address, with a configuration, folder and ports of its own. */
import { spawn, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Certificate } from './certificates';
import { freePort, waitForPort } from './nginx';
import { terminate } from './processes';

const MODULES = '/usr/lib/apache2/modules';
const LOADED = ['mpm_event', 'authz_core', 'mime', 'setenvif', 'filter', 'headers', 'alias', 'deflate', 'brotli', 'proxy', 'proxy_http', 'socache_shmcb', 'ssl'];

export interface ApacheOptions {
  readonly address: string;
  /** The server on 127.0.0.1 that /players/ and /upload are passed on to. */
  readonly originPort: number;
  readonly certificate: Certificate;
}

export class Apache {
  private constructor(
    readonly port: number,
    readonly tlsPort: number,
    /** What it serves: a file `www/NAME` is at `/NAME`. */
    readonly www: string,
    private readonly folder: string,
    private readonly child: ChildProcess,
  ) {}

  static async start(options: ApacheOptions): Promise<Apache> {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'riftnet-apache-'));
    // Started by root, its workers are another user, who reads here.
    fs.chmodSync(folder, 0o755);
    const www = path.join(folder, 'www');
    fs.mkdirSync(www);
    const [port, tlsPort] = [await freePort(), await freePort()];
    fs.writeFileSync(path.join(folder, 'server.pem'), options.certificate.cert);
    fs.writeFileSync(path.join(folder, 'server.key'), options.certificate.key, { mode: 0o600 });
    const config = path.join(folder, 'apache.conf');
    fs.writeFileSync(config, configuration(folder, port, tlsPort, options));
    const child = spawn('/usr/sbin/apache2', ['-D', 'FOREGROUND', '-d', folder, '-f', config], { stdio: ['ignore', 'ignore', 'pipe'] });
    let words = '';
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (words += chunk));
    child.on('error', (error) => (words += error.message));
    const server = new Apache(port, tlsPort, www, folder, child);
    try {
      await waitForPort(tlsPort, () => child.exitCode !== null || child.pid === undefined, options.address);
    } catch (error) {
      const log = path.join(folder, 'error.log');
      const more = fs.existsSync(log) ? fs.readFileSync(log, 'utf8') : '';
      await server.stop();
      throw new Error(`Apache did not start (Debian package apache2): ${words}${more}`, { cause: error });
    }
    return server;
  }

  async stop(): Promise<void> {
    await terminate(this.child);
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}

function configuration(folder: string, port: number, tlsPort: number, { address, originPort }: ApacheOptions): string {
  return `
${LOADED.map((name) => `LoadModule ${name}_module ${MODULES}/mod_${name}.so`).join('\n')}
ServerRoot ${folder}
ServerName localhost
PidFile ${folder}/apache.pid
ErrorLog ${folder}/error.log
${process.getuid?.() === 0 ? 'User www-data\nGroup www-data' : ''}
DefaultRuntimeDir ${folder}
Mutex file:${folder}
StartServers 1
ServerLimit 1
ThreadsPerChild 32
MaxRequestWorkers 32
Listen ${address}:${port}
Listen ${address}:${tlsPort}
DocumentRoot ${folder}/www
<Directory ${folder}/www>
  Require all granted
</Directory>
TypesConfig /etc/mime.types
AddType text/html .html
KeepAliveTimeout 5
Redirect 301 /moved /hello.txt
SetOutputFilter DEFLATE
SetEnvIf Request_URI "\\.bin$" no-gzip
<Location /brotli>
  SetOutputFilter BROTLI_COMPRESS
</Location>
Alias /brotli ${folder}/www
ProxyPass /players/ http://127.0.0.1:${originPort}/players/
ProxyPass /upload http://127.0.0.1:${originPort}/upload
<VirtualHost ${address}:${tlsPort}>
  SSLEngine on
  SSLCertificateFile ${folder}/server.pem
  SSLCertificateKeyFile ${folder}/server.key
</VirtualHost>
`;
}
