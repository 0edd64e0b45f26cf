import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { doctorArguments, runNetworkCheck } from '../../extension/network-check-process';
import { reportCommands, reportText } from '../../extension/network-check-text';
import type { Check, Report } from '../../extension/network-report';
import { DEFAULT_WORKER_SETTINGS } from '../../extension/protocol';

const check = (fields: Partial<Check>): Check => ({ id: 'dns', title: 'a name', status: 'ok', summary: 'found', details: ['sent x'], next: [], commands: [], ms: 1, ...fields });
const REPORT: Report = {
  format: 1, version: '0.0.0', platform: 'linux', arch: 'x64', ok: false, nodes: [], fixes: [],
  interfaces: [{ name: 'eth0', addresses: ['192.0.2.7/24'], mac: '02:00:00:00:00:07', mtu: 1_500, up: true, loopback: false, wireless: true, obstacle: null, recommended: true }],
  checks: [check({}), check({ id: 'permission', title: 'the permission', status: 'failed', summary: 'none', next: ['Grant it.'], commands: ['sudo setcap x', 'sudo setcap x'] })],
};

describe("the doctor's process", () => {
  let folder: string;
  beforeEach(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), 'riftnet-check-'))));
  afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

  /** Runs a program in the doctor's place. */
  function run(program: string, signal = new AbortController().signal) {
    const file = path.join(folder, 'doctor.js');
    fs.writeFileSync(file, program);
    const seen: Check[] = [];
    return { seen, result: runNetworkCheck({ file, args: ['doctor', '--json'], signal, onCheck: (one) => void seen.push(one) }) };
  }

  it('tells each check as it is made, and gives the report, whatever its exit code', async () => {
    const { seen, result } = run(`process.send({ progress: ${JSON.stringify(REPORT.checks[0])} }, () => process.disconnect());\nconsole.log(${JSON.stringify(JSON.stringify(REPORT, null, 2))});\nprocess.exitCode = 1;`);
    assert.deepEqual(await result, REPORT);
    assert.deepEqual(seen, [REPORT.checks[0]]);
  });

  it('that breaks off, or prints something else, has its words told', async () => {
    await assert.rejects(run("console.error('no disk'); process.exit(3);").result, /no disk/);
    await assert.rejects(run("console.log('{}'); process.disconnect();").result, /exit code 0/);
    await assert.rejects(run("process.kill(process.pid, 'SIGKILL'); setInterval(() => {}, 1000);").result, /SIGKILL/);
  });

  it('is let go of when it is stopped, and ended if it does not end itself', async () => {
    const stop = new AbortController();
    const gentle = run("process.on('disconnect', () => process.exit(130)); process.send({ progress: {} });", stop.signal);
    await new Promise<void>((resolve) => {
      const look = (): void => (gentle.seen.length > 0 ? resolve() : void setTimeout(look, 5));
      look();
    });
    stop.abort();
    assert.equal(await gentle.result, null);
    const before = new AbortController();
    before.abort();
    assert.equal(await run("process.on('disconnect', () => process.exit(130)); setInterval(() => {}, 1000);", before.signal).result, null);
  });

  it('is given what the worker would have', () => {
    assert.deepEqual(doctorArguments(DEFAULT_WORKER_SETTINGS, null), ['doctor', '--json']);
    const pcap = { ...DEFAULT_WORKER_SETTINGS.pcap, interface: 'eth1', binding: 'cap', address: { mode: 'static', address: '192.0.2.9', prefixLength: 24, gateway: '192.0.2.1' } } as const;
    assert.deepEqual(doctorArguments({ dns: ['192.0.2.1:5353'], pcap }, '/n'), [
      'doctor', '--json', '--node=/n', '--interface=eth1', '--address=192.0.2.9/24', '--gateway=192.0.2.1', '--dns=192.0.2.1:5353', '--capture-binding=cap',
    ]);
    const shared = { ...DEFAULT_WORKER_SETTINGS.pcap, address: { mode: 'shared', gateway: '192.0.2.1' }, localhost: 'router' } as const;
    assert.deepEqual(doctorArguments({ dns: [], pcap: shared }, null), ['doctor', '--json', '--address=shared', '--gateway=192.0.2.1', '--localhost=router']);
  });
});

describe('the report as a document', () => {
  it('shows details where something is wrong, what comes next, and the commands as they are typed', () => {
    const text = reportText(REPORT);
    assert.match(text, /^# Riftnet: network setup$/m);
    assert.match(text, /^## ✔ a name: found$/m);
    assert.match(text, /^## ✖ the permission: none\n\n- sent x\n\n→ Grant it\.\n\n {4}sudo setcap x\n {4}sudo setcap x$/m);
    assert.match(text, /^- eth0: 192\.0\.2\.7\/24, 02:00:00:00:00:07, MTU 1500, up, Wi-Fi, recommended$/m);
    assert.equal(text.match(/sent x/g)?.length, 1);
    assert.deepEqual(reportCommands(REPORT), ['sudo setcap x']);
  });

  it('says at the top whether it works', () => {
    assert.match(reportText(REPORT), /embedded gateway/);
    assert.match(reportText({ ...REPORT, ok: true }), /set "riftnet\.link" to "pcap"/);
  });
});
