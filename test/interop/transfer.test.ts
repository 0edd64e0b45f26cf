import assert from 'node:assert/strict';
import { createHash, randomFillSync } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { Nginx } from './support/nginx';
import { describeRun, runScript, type CliResult } from './support/run-cli';
import { ScriptFolder } from './support/script-folder';
import { originServer, type TestServer } from './support/servers';

const LENGTH = 100 << 20;

describe('A large transfer through a script', function () {
  this.timeout(180_000);
  let origin: TestServer;
  let nginx: Nginx;
  let folder: ScriptFolder;
  let digest: string;

  before(async () => {
    origin = await originServer();
    nginx = await Nginx.start(origin.port);
    const bytes = randomFillSync(Buffer.alloc(LENGTH));
    digest = createHash('sha256').update(bytes).digest('hex');
    fs.writeFileSync(path.join(nginx.www, 'large.bin'), bytes);
    folder = new ScriptFolder();
    folder.serve(nginx.port, { length: LENGTH });
    folder.copy('test/interop/scripts/pattern.ts');
  });
  after(async () => {
    folder.remove();
    await nginx.stop();
    await origin.close();
  });

  async function run(name: string): Promise<CliResult> {
    const result = await runScript(folder.copy(`test/interop/scripts/${name}`), ['--tick-rate', '200', '--timeout', '120'], { limitMs: 150_000 });
    assert.equal(result.code, 0, describeRun(result));
    assert.deepEqual(result.leftRunning, []);
    return result;
  }

  it('of 100 MB arrives over a socket with the right SHA-256', async () => {
    const { stdout } = await run('socket-download.ts');
    assert.equal(stdout.toString(), `HTTP/1.1 200 OK\n${LENGTH} ${digest} fin\n`);
  });

  it('of 100 MB arrives over fetch with the right SHA-256', async () => {
    const { stdout } = await run('fetch-download.ts');
    assert.equal(stdout.toString(), `200 ${LENGTH} ${digest}\n`);
  });

  it('of 100 MB leaves over a socket with the right SHA-256, held back by a full send queue', async () => {
    const { stdout } = await run('socket-upload.ts');
    const [told = '', own = ''] = stdout.toString().split('\n');
    assert.equal(told, `${LENGTH} ${own.split(' ')[0]}`);
    assert.match(own, /^[0-9a-f]{64} (waited for room|always had room)$/);
  });

  it('of 100 MB leaves over fetch with the right SHA-256', async () => {
    const { stdout } = await run('fetch-upload.ts');
    const [told = '', own = ''] = stdout.toString().split('\n');
    assert.match(own, /^[0-9a-f]{64}$/);
    assert.equal(told, `200 ${LENGTH} ${own}`);
  });
});
