/** `riftnet doctor` where the settings ask for more: the computer's own address, and `localhost` by way of the router. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Check, CheckId, Report } from '../../extension/network-report';
import { startDnsmasq } from './support/dhcp-servers';
import { prepare } from './support/guest';
import { Programs } from './support/programs';
import { describeRun, runCli } from './support/run-cli';
import { Lan, LAN, WAN } from './support/topology';

const OURS = '10.77.0.99';
const TARGET = ['--target', 'web.test', '--dns', LAN.router];

describe('riftnet doctor in the other modes', function () {
  this.timeout(120_000);
  let lan: Lan;
  let programs: Programs;
  let folder: string;

  before(prepare);
  beforeEach(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'riftnet-doctor-'));
    programs = new Programs();
    lan = new Lan({ offloads: false });
    await startDnsmasq(programs, lan.router, folder, { interface: 'lan', options: [`address=/web.test/${WAN.server}`] });
    await programs.peer(lan.server, 'http-server', '80').line();
  });
  afterEach(async () => {
    await programs.end();
    lan.remove();
    fs.rmSync(folder, { recursive: true, force: true });
  });

  const environment = (): NodeJS.ProcessEnv => ({ ...process.env, XDG_STATE_HOME: path.join(folder, 'state'), XDG_DATA_HOME: path.join(folder, 'data'), XDG_CACHE_HOME: path.join(folder, 'cache') });

  async function doctor(...args: string[]): Promise<{ report: Report; code: number | null; words: string }> {
    const result = await runCli(['doctor', '--json', ...args], { host: lan.host, env: environment(), limitMs: 110_000 });
    assert.deepEqual(result.leftRunning, [], describeRun(result));
    return { report: JSON.parse(result.stdout.toString()) as Report, code: result.code, words: describeRun(result) };
  }

  /** From the open interface on. */
  const statuses = ({ checks }: Report): string[] => checks.slice(checks.findIndex(({ id }) => id === 'capture')).map(({ id, status }) => `${id} ${status}`);
  const checkOf = ({ checks }: Report, id: CheckId): Check => checks.find((check) => check.id === id) ?? assert.fail(`no check ${id}: ${JSON.stringify(checks)}`);

  /** Runs a command that the doctor has printed; in the namespace this is root, and there need be no sudo. */
  function carryOut(command: string): void {
    lan.host.run('sh', '-c', `XDG_STATE_HOME=${path.join(folder, 'state')} ${command.replace(/^sudo /, '')}`);
  }

  it('with --address shared says that the kernel answers on the stack\'s ports, and after its command has gone through all', async () => {
    const before = await doctor(...TARGET, '--address', 'shared');
    assert.equal(before.code, 1, before.words);
    assert.deepEqual(statuses(before.report), ['capture ok', 'address ok', 'kernel failed', 'router ok', 'dns skipped', 'connection skipped'], before.words);
    const kernel = checkOf(before.report, 'kernel');
    assert.match(kernel.summary, /it answers on the ports 61440 to 61695, and would reset the stack's connections/);
    assert.match(kernel.details.join('\n'), /^sent this computer's kernel a connection to 127\.0\.0\.1:61440.*\nseen an answer of the kernel$/);
    assert.match(kernel.commands.join(), /^sudo .* doctor --fix shared$/);
    carryOut(kernel.commands[0] ?? '');

    const wire = await programs.capture(lan.router, 'port0', path.join(folder, 'wire.pcapng'));
    const after = await doctor(...TARGET, '--address', 'shared', '--verbose');
    assert.deepEqual(statuses(after.report), ['capture ok', 'address ok', 'kernel ok', 'router ok', 'dns ok', 'connection ok'], after.words);
    assert.deepEqual([after.report.ok, after.code], [true, 0], after.words);
    assert.match(checkOf(after.report, 'capture').summary, new RegExp(`this computer's own MAC address, ${lan.host.mac()}`));
    assert.match(checkOf(after.report, 'address').summary, new RegExp(`^${LAN.host}/24, router ${LAN.router}, name server ${LAN.router}; the ports 61440 to 61695 are the stack's$`));
    assert.ok(checkOf(after.report, 'connection').details.some((line) => new RegExp(`^sent TCP ${LAN.host}:6\\d+ to ${WAN.server}:80 SYN$`).test(line)), after.words);
    await wire.stop();
    // The kernel has said nothing of what was for the stack.
    assert.deepEqual(await wire.frames(`icmp.type == 3 && eth.src == ${lan.host.mac()}`), []);
  });

  it('with --address shared on an interface without an address says so', async () => {
    lan.host.ip('address', 'flush', 'dev', 'eth0');
    const { report, code, words } = await doctor(...TARGET, '--address', 'shared', '--interface', 'eth0');
    assert.equal(code, 1, words);
    assert.deepEqual(statuses(report), ['capture ok', 'address failed', 'kernel skipped', 'router skipped', 'dns skipped', 'connection skipped'], words);
    assert.match(checkOf(report, 'address').summary, /^eth0 has no IPv4 address that the stack could share: give it one/);
  });

  it('with --localhost router tells that this computer cannot resolve the stack\'s address, and after its command reaches it', async () => {
    const own = [...TARGET, '--address', `${OURS}/24`, '--gateway', LAN.router, '--localhost', 'router'];
    const before = await doctor(...own);
    assert.equal(before.code, 1, before.words);
    assert.deepEqual(statuses(before.report), ['capture ok', 'address ok', 'router ok', 'dns ok', 'connection ok', 'localhost failed'], before.words);
    const failed = checkOf(before.report, 'localhost');
    assert.match(failed.summary, new RegExp(`this computer, ${LAN.host}, cannot resolve the stack's address ${OURS}.*riftnet doctor --fix router`));
    assert.ok(failed.details.some((line) => new RegExp(`^sent TCP ${OURS}:\\d+ to ${LAN.host}:\\d+ SYN$`).test(line)), before.words);
    assert.ok(failed.details.includes(`seen ARP: who has ${OURS}? tell ${LAN.host}`), before.words);
    assert.match(failed.commands.join(), new RegExp(`^sudo .* doctor --fix router --interface eth0 --address ${OURS}$`));
    carryOut(failed.commands[0] ?? '');

    const after = await doctor(...own);
    assert.deepEqual([after.code, checkOf(after.report, 'localhost').status], [0, 'ok'], after.words);
    assert.match(checkOf(after.report, 'localhost').summary, new RegExp(`^${LAN.host}:\\d+ was reached in \\d+ ms$`));
    assert.ok(checkOf(after.report, 'localhost').details.some((line) => new RegExp(`^seen TCP ${LAN.host}:\\d+ to ${OURS}:\\d+ SYN-ACK$`).test(line)), after.words);
  });

  it('with --localhost router tells that the router sends nothing back, for which there is no command', async () => {
    lan.router.run('nft', 'table ip isolation { chain forward { type filter hook forward priority 0; iif lan oif lan drop; }; }');
    const { report, code, words } = await doctor(...TARGET, '--address', `${OURS}/24`, '--gateway', LAN.router, '--localhost', 'router');
    assert.equal(code, 1, words);
    const { status, summary, commands } = checkOf(report, 'localhost');
    assert.deepEqual([status, commands], ['failed', []], words);
    assert.match(summary, new RegExp(`the router ${LAN.router} does not send packets back to this computer, ${LAN.host},.*--localhost relay`));
  });

  it('with both says that they exclude each other', async () => {
    carryOut(`${process.execPath} dist/cli.js doctor --fix shared`);
    const { report, code, words } = await doctor(...TARGET, '--address', 'shared', '--localhost', 'router');
    assert.equal(code, 1, words);
    assert.match(checkOf(report, 'localhost').summary, /^localhost cannot be reached by the router from a shared address/);
  });
});
