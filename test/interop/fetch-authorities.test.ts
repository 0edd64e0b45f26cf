import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { makeCertificate } from './support/certificates';
import { describeRun, LOCAL, runCli, type CliResult } from './support/run-cli';
import { ScriptFolder } from './support/script-folder';
import { ScriptedHttpServer } from './support/scripted-http';

describe('Authorities that the terminal is told to trust', function () {
  this.timeout(60_000);
  const authority = makeCertificate({ commonName: 'Riftnet test authority', isAuthority: true });
  const certificate = makeCertificate({ commonName: 'localhost', names: ['localhost'], issuer: authority });
  let folder: ScriptFolder;
  let server: ScriptedHttpServer;
  let ca: string;
  let script: string;

  before(async () => {
    folder = new ScriptFolder();
    ca = folder.write('ca.pem', authority.cert);
    server = await ScriptedHttpServer.start({ answers: { '*': (peer) => peer.send('HTTP/1.1 204 None\r\n\r\n') }, tls: { key: certificate.key, cert: certificate.cert } });
    script = folder.write('script.ts', `const { status, error } = await fetch('https://localhost:${server.port}/');\nprint(status, error?.code);\n`);
  });
  after(async () => {
    await server.stop();
    folder.remove();
  });

  async function run(args: readonly string[], extra: string | null = null): Promise<CliResult> {
    const { NODE_EXTRA_CA_CERTS: _own, ...env } = process.env;
    return runCli(['run', script, ...LOCAL, ...args], { env: extra === null ? env : { ...env, NODE_EXTRA_CA_CERTS: extra } });
  }

  for (const [how, args, extra] of [['--ca', () => ['--ca', ca], () => null], ['NODE_EXTRA_CA_CERTS', () => [], () => ca]] as const) {
    it(`are those of ${how}`, async () => {
      const result = await run(args(), extra());
      assert.equal(result.stdout.toString(), '204 undefined\n', describeRun(result));
    });
  }

  it('are none unless told', async () => assert.equal((await run([])).stdout.toString(), '-1 UNABLE_TO_VERIFY_LEAF_SIGNATURE\n'));

  it('are left out with a warning if NODE_EXTRA_CA_CERTS names no such file', async () => {
    const result = await run([], path.join(folder.path, 'none.pem'));
    assert.deepEqual([result.code, result.stdout.toString()], [0, '-1 UNABLE_TO_VERIFY_LEAF_SIGNATURE\n'], describeRun(result));
    assert.match(result.stderr, /^riftnet: .*none\.pem with certificates cannot be read: ENOENT.*; fetch goes on without them$/m);
  });

  it('must be in the file that --ca names', async () => {
    fs.writeFileSync(path.join(folder.path, 'words.pem'), 'words');
    for (const [name, message] of [['none.pem', /^riftnet: --ca: .*none\.pem with certificates cannot be read: ENOENT/], ['words.pem', /^riftnet: --ca: .*words\.pem holds no certificate in PEM form/]] as const) {
      const result = await run(['--ca', path.join(folder.path, name)]);
      assert.deepEqual([result.code, result.stdout.toString()], [2, ''], describeRun(result));
      assert.match(result.stderr, message);
    }
  });
});
