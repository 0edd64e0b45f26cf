/** The command as it is typed: lines, total and exit code. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PASSING = '0 < S 0:0(0) win 1000\n+0 > R. 0:0(0) ack 1\n';

async function packetdrill(args: readonly string[], cwd?: string): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, ['test/packetdrill/run.js', ...args], { env: { ...process.env, INIT_CWD: cwd ?? process.cwd() } });
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
  return { code, out, err };
}

describe('packetdrill: the command', function () {
  this.timeout(60_000);
  let folder = '';

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'riftnet-packetdrill-'));
    mkdirSync(join(folder, 'in', 'deep'), { recursive: true });
    writeFileSync(join(folder, 'pass.pkt'), `\`tc qdisc show\`\n${PASSING}`);
    writeFileSync(join(folder, 'in', 'deep', 'fail.pkt'), PASSING.replace('ack 1', 'ack 2'));
    writeFileSync(join(folder, 'in', 'unsupported.pkt'), '\n0 epoll_create(1) = 3\n');
    writeFileSync(join(folder, 'in', 'broken.pkt'), '0 socket(');
    writeFileSync(join(folder, 'in', 'no-script.txt'), 'x');
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  it('prints a line for each script of files and folders, and a total; one failure makes it fail', async () => {
    const { code, out, err } = await packetdrill(['pass.pkt', 'in', 'gone.pkt'], folder);
    assert.deepEqual(out.trimEnd().split('\n'), [
      'PASS pass.pkt',
      "FAIL in/broken.pkt:1 expected an expression, seen the end of the file",
      'FAIL in/deep/fail.pkt:2 expected > R. 0:0(0) ack 2 at 0 s, seen > R. 0:0(0) ack 1 at 0 s (ack 1)',
      'UNSUPPORTED in/unsupported.pkt:2 epoll_create()',
      'FAIL gone.pkt:0 expected a script, seen no such file or folder',
      '1 passed, 3 failed, 1 unsupported',
    ]);
    assert.equal(code, 1);
    assert.match(err, /pass\.pkt:1: no effect here: tc qdisc show/);
  });

  it('succeeds without failures, unsupported scripts or not', async () => {
    const { code, out } = await packetdrill([join(folder, 'pass.pkt'), join(folder, 'in', 'unsupported.pkt')]);
    assert.equal(code, 0);
    assert.match(out, /1 passed, 0 failed, 1 unsupported\n$/);
  });

  it('takes options before the scripts\' own, and explains itself', async () => {
    assert.match((await packetdrill(['--ip_version=ipv6', join(folder, 'pass.pkt')])).out, /^UNSUPPORTED .*--ip_version=ipv6/);
    const nothing = await packetdrill([]);
    assert.equal(nothing.code, 2);
    assert.match(nothing.err, /Usage: npm run packetdrill/);
  });
});
