/** The contract's two scripts, as they stand in examples/, and what else a first script does. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { Nginx } from './nginx';
import type { FetchLink } from './fetch-link';
import { ScriptFolder } from './script-folder';
import { originServer, type TestServer } from './servers';

const HELLO = 'Hello from nginx.\nA second line, and one with ümläuts — €.\n';

/** The bytes of a response over the kernel's TCP: what the script must have printed. */
function rawResponse(address: string, port: number, target: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = net.connect(port, address, () => socket.write(`GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`));
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('end', () => resolve(Buffer.concat(chunks).toString()));
    socket.on('error', reject);
  });
}

const DATE = /^Date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r$/m;

/**
 * Whether `printed` is `text`, printed in pieces: a newline may follow any of them, and nothing else may differ.
 * @returns the index in `text` of the first difference, or -1
 */
function differsAt(printed: string, text: string): number {
  let at = 0;
  for (const char of printed) {
    if (text.startsWith(char, at)) at += char.length;
    else if (char !== '\n') return at;
  }
  return at === text.length ? -1 : at;
}

export function contractScripts(link: FetchLink): void {
  describe(`The two scripts of the contract, against nginx, over ${link.name}`, function () {
    this.timeout(60_000);
    let origin: TestServer;
    let nginx: Nginx;
    let folder: ScriptFolder;

    before(async () => {
      origin = await originServer();
      nginx = await Nginx.start(origin.port, { address: link.listen });
      fs.writeFileSync(path.join(nginx.www, 'hello.txt'), HELLO);
      fs.writeFileSync(path.join(nginx.www, 'index.html'), '<!doctype html><title>nginx</title>\n');
      folder = new ScriptFolder();
      folder.serve(nginx.port, { host: link.host });
    });
    after(async () => {
      folder.remove();
      await nginx.stop();
      await origin.close();
    });

    it('prints a response as it came over a polled socket, headers and body', async () => {
      const run = await link.run(folder.copy('examples/connect.ts'), []);
      assert.equal(run.code, 0, run.description);
      const expected = await rawResponse(link.listen, nginx.port, '/hello.txt');
      const printed = run.stdout;
      assert.match(printed, DATE);
      const date = DATE.exec(printed)?.[0] ?? '';
      const at = differsAt(printed, expected.replace(DATE, date));
      assert.equal(at, -1, `differs at character ${at} of:\n${expected}\n${run.description}`);
      assert.deepEqual(run.leftRunning, []);
    });

    it('hands a script every byte of a binary body', async () => {
      const bytes = Buffer.concat([randomBytes(50_000), Buffer.from(Array.from({ length: 256 }, (_, i) => i)), randomBytes(50_000)]);
      fs.writeFileSync(path.join(nginx.www, 'bytes.bin'), bytes);
      const run = await link.run(folder.copy('test/interop/scripts/response.ts'), []);
      assert.equal(run.code, 0, run.description);
      const response = Buffer.from(run.stdout, 'base64');
      const end = response.indexOf('\r\n\r\n');
      const head = response.subarray(0, end).toString('latin1');
      assert.match(head, /^HTTP\/1\.1 200 OK\r\n/);
      assert.match(head, new RegExp(`^Content-Length: ${bytes.length}\r?$`, 'm'));
      assert.ok(response.subarray(end + 4).equals(bytes), 'the body is the file');
    });

    it('fetches a page and patches a resource with JSON', async () => {
      const run = await link.run(folder.copy('examples/fetch.ts'), []);
      assert.equal(run.code, 0, run.description);
      const size = fs.statSync(path.join(nginx.www, 'index.html')).size;
      assert.equal(run.stdout, `200 text/html ${size}\n1 Grace 42 1\n`);
      assert.deepEqual(run.leftRunning, []);
    });

    it('follows redirects and undoes encodings', async () => {
      fs.writeFileSync(path.join(nginx.www, 'hello.txt'), HELLO.repeat(20));
      const script = folder.write('moved.ts', `
        import server from './server.json';
        const response = await fetch(\`http://\${server.host}:\${server.port}/moved\`);
        print(response.status, response.headers['content-encoding'] ?? 'plain', response.url.split('/').pop());
        print(response.text() === ${JSON.stringify(HELLO)}.repeat(20));
        const plain = await fetch(\`http://\${server.host}:\${server.port}/moved\`, { redirect: 'manual' });
        print(plain.status, plain.headers.location?.endsWith('/hello.txt'));
      `);
      const run = await link.run(script, []);
      assert.equal(run.code, 0, run.description);
      assert.match(run.stdout, /^200 (gzip|plain) hello\.txt\ntrue\n301 true\n$/);
    });
  });
}
