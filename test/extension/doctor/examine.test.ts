import assert from 'node:assert/strict';
import { permissionAdvice } from '../../../extension/doctor/advice';
import { parseDoctorCommand } from '../../../extension/doctor/command';
import { examine, type ExaminedSystem } from '../../../extension/doctor/examine';
import { findLibpcap } from '../../../extension/doctor/loaded-library';
import { renderCheck, renderEnd, renderInterfaces } from '../../../extension/doctor/render';
import type { Check, InterfaceReport, Report } from '../../../extension/network-report';
import type { Probe, ProbeResult } from '../../../extension/node/probe-result';

const GOOD: ProbeResult = {
  version: 'v20.19.0', modules: '115', permissionFlag: '--experimental-permission', obstacle: null,
  bindings: [{ name: 'cap', loads: true, words: null }, { name: 'libpcap', loads: true, words: null }],
  library: { path: '/usr/lib/libpcap.so.1.10.3', version: 'libpcap version 1.10.3' },
};
const NOT_ALLOWED = 'it has not the capability CAP_NET_RAW';
const ETH0: InterfaceReport = { name: 'eth0', addresses: ['192.0.2.7/24'], mac: '02:00:00:00:00:07', mtu: 1_500, up: true, loopback: false, wireless: false, obstacle: null, recommended: true };
const LO: InterfaceReport = { name: 'lo', addresses: ['127.0.0.1/8'], mac: null, mtu: 65_536, up: true, loopback: true, wireless: false, obstacle: 'lo is the loopback interface', recommended: false };

interface Given extends Partial<Pick<ExaminedSystem, 'platform' | 'forwards'>> {
  readonly probe?: (node: string) => Probe;
  readonly interfaces?: readonly InterfaceReport[];
  /** What the trial finds. */
  readonly trial?: readonly Check[];
  readonly failure?: string | null;
}

function look(args: readonly string[], given: Given = {}): Promise<Report & { tried: string[] }> {
  const command = parseDoctorCommand(['doctor', ...args]);
  if (command.kind !== 'doctor') assert.fail(command.kind);
  const tried: string[] = [];
  const system: ExaminedSystem = {
    platform: given.platform ?? 'linux',
    probe: (node) => Promise.resolve(given.probe?.(node) ?? { result: GOOD }),
    interfaces: () => [...(given.interfaces ?? [ETH0, LO])],
    forwards: given.forwards ?? (() => false),
    trial: (_node, _file, request, _signal, onCheck) => {
      tried.push(request.interface);
      for (const check of given.trial ?? []) onCheck(check);
      return Promise.resolve(given.failure ?? null);
    },
  };
  return examine({
    command, version: '0.0.0', bundles: 'dist', bundle: 'dist/doctor.js', fixes: [], system,
    fixCommand: 'riftnet doctor --fix', rootFixCommand: (...what) => `sudo riftnet doctor --fix ${what.join(' ')}`, signal: new AbortController().signal, onCheck: () => undefined,
  }).then((report) => ({ ...report, tried }));
}

const find = ({ checks }: Report, id: Check['id']): Check => checks.find((check) => check.id === id) ?? assert.fail(id);
const check = (id: Check['id'], status: Check['status']): Check => ({ id, title: id, status, summary: id, details: [], next: [], commands: [], ms: 1 });

describe('what the doctor finds', () => {
  it('is in order where all is there, and the trial is made on the recommended interface', async () => {
    const report = await look([], { trial: [check('capture', 'ok'), check('connection', 'ok')] });
    assert.deepEqual([report.ok, report.tried], [true, ['eth0']]);
    assert.deepEqual(report.checks.map(({ id, status }) => `${id} ${status}`), ['libpcap ok', 'bindings ok', 'permission ok', 'interface ok', 'capture ok', 'connection ok']);
    assert.equal(find(report, 'libpcap').summary, 'libpcap version 1.10.3, /usr/lib/libpcap.so.1.10.3');
  });

  it('names the packages where libpcap is missing, and tries nothing', async () => {
    const bindings = [{ name: 'cap', loads: false, words: 'no build' }, { name: 'libpcap', loads: false, words: 'libpcap cannot be loaded' }];
    const report = await look([], { probe: () => ({ result: { ...GOOD, bindings, library: null } }) });
    assert.deepEqual([report.ok, report.tried], [false, []]);
    assert.deepEqual(report.checks.map(({ id, status }) => `${id} ${status}`), ['libpcap failed', 'bindings failed', 'permission failed', 'interface ok', 'capture skipped']);
    assert.equal(find(report, 'capture').summary, "not tried: 'libpcap' comes first");
    assert.match(find(report, 'libpcap').next.join(), /libpcap0\.8/);
    assert.match(find(report, 'libpcap').details.join(), /cap: no build/);
  });

  it('says of each Node why it may not capture, and the one command that grants it to a copy', async () => {
    const report = await look([], { probe: () => ({ result: { ...GOOD, obstacle: NOT_ALLOWED } }) });
    const { status, details, commands } = find(report, 'permission');
    assert.deepEqual([status, report.tried], ['failed', []]);
    assert.deepEqual(details, [`${process.execPath} (the Node that runs this): it may not capture: ${NOT_ALLOWED}`]);
    assert.match(commands.at(-1) ?? '', /^sudo setcap cap_net_raw\+ep \S+\/riftnet\/node$/);
  });

  it('reports a setting that names no Node, and goes on with the next', async () => {
    const report = await look(['--node', '/nowhere/node'], { probe: (node) => (node === '/nowhere/node' ? { failure: 'there is no such file' } : { result: GOOD }) });
    assert.deepEqual(report.nodes.map(({ path, from }) => [path, from])[0], ['/nowhere/node', 'the setting riftnet.nodePath']);
    assert.deepEqual(
      [find(report, 'permission').status, find(report, 'permission').next, report.ok],
      ['warning', ['/nowhere/node, which was named, is not used: there is no such file. Name another (--node PATH, setting riftnet.nodePath), or none.'], true],
    );
    assert.equal(find(await look(['--node', '/nowhere/node']), 'permission').status, 'ok');
  });

  it('warns of a build of cap that ends the process, and of a missing one says only why', async () => {
    const unsound = await look([], { probe: () => ({ result: { ...GOOD, bindings: [{ name: 'cap', loads: true, words: 'rebuild it' }] } }) });
    assert.deepEqual([find(unsound, 'bindings').status, find(unsound, 'bindings').next], ['warning', ['rebuild it']]);
    const missing = await look([], { probe: () => ({ result: { ...GOOD, bindings: [{ name: 'cap', loads: false, words: 'no build' }, { name: 'libpcap', loads: true, words: null }] } }) });
    assert.deepEqual([find(missing, 'bindings').status, missing.ok], ['ok', true]);
    assert.match(find(missing, 'bindings').details.join(), /cap: no build/);
  });

  it('names an interface that is not there, and what stands against each of the others', async () => {
    const unknown = await look(['--interface', 'wlan0']);
    assert.match(find(unknown, 'interface').summary, /no interface "wlan0": there are eth0, lo is the loopback interface/);
    const none = await look([], { interfaces: [LO] });
    assert.match(find(none, 'interface').summary, /none that the stack can be a host on: lo is the loopback/);
    assert.deepEqual([unknown.tried, none.tried], [[], []]);
  });

  it('tells why the trial broke off', async () => {
    const report = await look([], { failure: 'it ended with SIGABRT' });
    assert.equal(report.ok, false);
    assert.equal(report.checks.at(-1)?.summary, 'it ended with SIGABRT');
  });

  it('warns where the kernel forwards packets and the stack has its MAC address, and only there', async () => {
    const forwards = (): boolean => true;
    const own = await look([], { forwards, trial: [check('dhcp', 'ok')] });
    assert.equal(own.checks.some(({ id }) => id === 'forwarding'), false);
    const fallback = await look([], { forwards, trial: [check('dhcp', 'warning')] });
    assert.deepEqual(find(fallback, 'forwarding').commands, ['sudo riftnet doctor --fix forwarding']);
    const wireless = await look([], { forwards, interfaces: [{ ...ETH0, wireless: true }], trial: [check('dhcp', 'ok')] });
    assert.equal(find(wireless, 'forwarding').status, 'warning');
    const still = await look([], { interfaces: [{ ...ETH0, wireless: true }], trial: [check('dhcp', 'ok')] });
    assert.equal(still.checks.some(({ id }) => id === 'forwarding'), false);
  });
});

describe('what lets a program capture', () => {
  const situation = { platform: 'linux' as NodeJS.Platform, copy: '/home/a/node', copyExists: false, grantObstacle: null, fixCommand: 'riftnet doctor --fix' };

  it('is, on Linux, a capability of one file', () => {
    assert.deepEqual(permissionAdvice(situation).commands, ['riftnet doctor --fix', 'sudo setcap cap_net_raw+ep /home/a/node']);
    assert.deepEqual(permissionAdvice({ ...situation, copyExists: true }).commands, ['sudo setcap cap_net_raw+ep /home/a/node']);
    const homeless = permissionAdvice({ ...situation, copy: null });
    assert.deepEqual(homeless.commands, []);
    assert.match(homeless.next.join(), /no home folder .*set HOME/);
    const sealed = permissionAdvice({ ...situation, grantObstacle: 'it is a container' });
    assert.deepEqual(sealed.commands, []);
    assert.match(sealed.next.join(), /it is a container/);
  });

  it('is, on macOS, the group of the BPF devices, and on Windows Npcap', () => {
    const mac = permissionAdvice({ ...situation, platform: 'darwin' });
    assert.match(mac.next.join(), /ChmodBPF.*access_bpf/);
    assert.match(mac.commands.join(), /access_bpf/);
    assert.match(permissionAdvice({ ...situation, platform: 'win32' }).next.join(), /Npcap/);
    assert.match(permissionAdvice({ ...situation, platform: 'freebsd' }).next.join(), /freebsd.*gateway/);
  });
});

describe('the report in words', () => {
  it('shows what was seen where something is wrong, or all of it is wanted', () => {
    const failed: Check = { id: 'dns', title: 'the name', status: 'failed', summary: 'no answer', details: ['sent x'], next: ['ask'], commands: ['do it'], ms: 2_340 };
    assert.equal(renderCheck(failed, false), 'FAILED   the name: no answer (2.3 s)\n         · sent x\n         → ask\n         $ do it\n');
    const fine = { ...failed, status: 'ok' as const, next: [], commands: [], ms: 3 };
    assert.equal(renderCheck(fine, false), 'ok       the name: no answer\n');
    assert.equal(renderCheck(fine, true), 'ok       the name: no answer\n         · sent x\n');
    assert.match(renderEnd({ ok: false, checks: [failed] }), /What failed: the name\. Scripts that are a host on this network meet the same; with --link gateway /);
    assert.match(renderEnd({ ok: false, checks: [check('dhcp', 'failed'), failed] }), /What failed: dhcp; the name\. Until it is mended, scripts run over the embedded gateway\./);
  });

  it('lists interfaces in columns', () => {
    const lines = renderInterfaces([ETH0, LO]).split('\n');
    assert.equal(lines[1], '*  eth0  192.0.2.7/24  02:00:00:00:00:07  1500   up     recommended');
    assert.equal(lines[2], '   lo    127.0.0.1/8   -                  65536  up     loopback');
  });
});

describe('the libpcap of a process', () => {
  it('is read from what it maps', () => {
    assert.equal(findLibpcap('7f0 r--p 0 fe:00 1 /usr/lib/x86_64-linux-gnu/libpcap.so.1.10.3\n7f1 r-xp 0 fe:00 1 /usr/lib/libc.so.6\n'), '/usr/lib/x86_64-linux-gnu/libpcap.so.1.10.3');
    assert.equal(findLibpcap('7f1 r-xp 0 fe:00 1 /usr/lib/libc.so.6\n'), null);
  });
});
