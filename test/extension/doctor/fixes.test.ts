import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { carryOut, runProgram, type FixPlan, type Run, type RunResult } from '../../../extension/doctor/fixes/fix';
import { findSource, planCopy, planRemoval } from '../../../extension/doctor/fixes/granted-copy';
import { OWN_TABLE, planForwarding, planShared, planTableRemoval, SHARED_TABLE } from '../../../extension/doctor/fixes/kernel-rules';
import { planNeighbour, planNeighbourRemoval } from '../../../extension/doctor/fixes/neighbour-entry';
import { ownAddresses, rememberFixed } from '../../../extension/doctor/own-addresses';
import type { Owner } from '../../../extension/node/places';

const ok = (stdout = ''): RunResult => ({ status: 0, stdout, words: '' });
const no: RunResult = { status: 1, stdout: '', words: 'no such thing' };
const nothing: Run = () => no;

/** @returns the work of a plan */
function work(plan: FixPlan) {
  assert.equal(plan.kind, 'work', JSON.stringify(plan));
  return plan.kind === 'work' ? plan.work : assert.fail();
}

describe('a fix', () => {
  const plan: FixPlan = { kind: 'work', work: { commands: [['nft', 'add table x'], ['ip', 'link']], isDone: false, summary: 'so it is' } };
  const carry = (given: FixPlan, isRoot: boolean, run: Run = () => ok()) => {
    const said: string[] = [];
    const ran: string[] = [];
    const report = carryOut('shared', 'title', given, { isRoot, onCommand: (line) => said.push(line), run: (words) => (ran.push(words.join(' ')), run(words)) });
    return { report, said, ran };
  };

  it('is run by root, each command told before', () => {
    const { report, said, ran } = carry(plan, true);
    assert.deepEqual([report.status, said, ran], ['done', ["nft 'add table x'", 'ip link'], ['nft add table x', 'ip link']]);
  });

  it('is told to others, and nothing is run', () => {
    const { report, ran } = carry(plan, false);
    assert.deepEqual([report.status, report.commands, ran], ['needs-root', ["sudo nft 'add table x'", 'sudo ip link'], []]);
  });

  it('that is there already is left as it is; one that fails names the command and its words', () => {
    assert.equal(carry({ kind: 'work', work: { ...work(plan), isDone: true } }, true).report.status, 'unchanged');
    const { report, ran } = carry(plan, true, () => no);
    assert.deepEqual([report.status, report.summary, ran.length], ['failed', "nft 'add table x': no such thing", 1]);
    assert.equal(carry({ kind: 'none', status: 'not-applicable', summary: 'no' }, true).report.status, 'not-applicable');
  });

  it('that needs a program which is not there names its package', () => {
    const before = process.env['PATH'];
    assert.match(runProgram(['riftnet-no-such-program']).words, /there is no program riftnet-no-such-program: install it/);
    assert.equal(process.env['PATH'], before);
  });
});

describe('the copy of Node', () => {
  let folder: string;
  let whose: Owner;
  let source: string;
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'riftnet-copy-'));
    // Not root, whoever runs this: root needs no copy.
    whose = { home: folder, uid: process.getuid?.() || 1_000, gid: process.getgid?.() || 1_000, isSelf: false };
    source = path.join(folder, 'source');
    fs.writeFileSync(source, 'the Node', { mode: 0o755 });
  });
  afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));
  const copy = (): string => path.join(folder, '.local/share/riftnet/node');

  it('is made for its person alone, and the grant is left to root', () => {
    const { commands, isDone } = work(planCopy({ platform: 'linux', source, run: nothing, whose }));
    assert.deepEqual([commands, isDone], [[['setcap', 'cap_net_raw+ep', copy()]], false]);
    const { mode, uid } = fs.statSync(copy());
    assert.deepEqual([mode & 0o777, uid, fs.readFileSync(copy(), 'utf8')], [0o700, whose.uid, 'the Node']);
    assert.equal(fs.statSync(path.dirname(copy())).mode & 0o777, 0o700);
  });

  it('is not made for an account without a home, which is told what to do', () => {
    const plan = planCopy({ platform: 'linux', source, run: nothing, whose: { ...whose, home: null } });
    assert.match(plan.kind === 'none' ? `${plan.status} ${plan.summary}` : '', /^failed .*set HOME/);
    assert.equal(planRemoval({ whose: { ...whose, home: null } }).kind, 'none');
  });

  it('is kept while it is of the same Node, with what it was granted, and made anew after', () => {
    planCopy({ platform: 'linux', source, run: nothing, whose });
    const { ino } = fs.statSync(copy());
    const granted: Run = (words) => ok(words[0] === 'getcap' ? `${copy()} cap_net_raw=ep\n` : '');
    assert.equal(work(planCopy({ platform: 'linux', source, run: granted, whose })).isDone, true);
    assert.equal(fs.statSync(copy()).ino, ino);
    fs.writeFileSync(source, 'a newer Node');
    planCopy({ platform: 'linux', source, run: nothing, whose });
    assert.notEqual(fs.statSync(copy()).ino, ino);
    assert.deepEqual(fs.readdirSync(path.dirname(copy())), ['node']);
  });

  it('is removed again, once', () => {
    planCopy({ platform: 'linux', source, run: nothing, whose });
    assert.deepEqual(planRemoval({ whose }), { kind: 'none', status: 'done', summary: `${copy()} is removed` });
    assert.equal(fs.existsSync(copy()), false);
    assert.deepEqual(planRemoval({ whose }), { kind: 'none', status: 'unchanged', summary: `there is no ${copy()}` });
  });

  it('is not made where it means nothing: for root, on other systems, without a Node', () => {
    const status = (plan: FixPlan): string => (plan.kind === 'none' ? plan.status : 'work');
    assert.equal(status(planCopy({ platform: 'darwin', source, run: nothing, whose })), 'not-applicable');
    assert.equal(status(planCopy({ platform: 'linux', source, run: nothing, whose: { home: folder, uid: 0, gid: 0, isSelf: true } })), 'not-applicable');
    assert.equal(status(planCopy({ platform: 'linux', source: null, run: nothing, whose })), 'failed');
    assert.equal(status(planCopy({ platform: 'linux', source: path.join(folder, 'gone'), run: nothing, whose })), 'failed');
    assert.equal(fs.existsSync(copy()), false);
  });

  it('that cannot be made says where else it can be', () => {
    fs.writeFileSync(path.join(folder, '.local'), 'a file, where a folder is needed');
    const plan = planCopy({ platform: 'linux', source, run: nothing, whose });
    assert.match(plan.kind === 'none' ? `${plan.status} ${plan.summary}` : '', /^failed .*source could not be copied to .*: ENOTDIR.*\. Let this account write there, or name another folder by the variable XDG_DATA_HOME$/);
  });

  it('is of this Node, or of one that can be found where this is Electron', () => {
    assert.equal(findSource(null, source, false), source);
    fs.copyFileSync(source, path.join(folder, 'node'));
    fs.chmodSync(path.join(folder, 'node'), 0o755);
    assert.equal(findSource(null, '/opt/code', true, `relative:${folder}`), path.join(folder, 'node'));
    assert.equal(findSource(source, '/opt/code', true, folder), source);
    assert.equal(findSource(null, '/opt/code', true, '/nowhere'), null);
  });
});

describe('the rules of the kernel', () => {
  const listing = (...rules: string[]): Run => () => ok(`table inet x {\n\tchain prerouting {\n\t\ttype filter hook prerouting priority raw; policy accept;\n${rules.map((rule) => `\t\t${rule}\n`).join('')}\t}\n}\n`);

  it('drop the range of the shared ports, in one transaction that replaces what was there', () => {
    const { commands, isDone } = work(planShared('linux', { first: 61_440, last: 65_535 }, nothing));
    assert.equal(isDone, false);
    assert.deepEqual(commands, [['nft', 'add table inet riftnet_shared; delete table inet riftnet_shared; add table inet riftnet_shared; add chain inet riftnet_shared prerouting { type filter hook prerouting priority -300; policy accept; }; add rule inet riftnet_shared prerouting tcp dport 61440-65535 drop; add rule inet riftnet_shared prerouting udp dport 61440-65535 drop']]);
  });

  it('are left as they are only where they are the same', () => {
    const range = { first: 61_440, last: 65_535 };
    assert.equal(work(planShared('linux', range, listing('tcp dport 61440-65535 drop', 'udp dport 61440-65535 drop'))).isDone, true);
    assert.equal(work(planShared('linux', range, listing('tcp dport 61440-65535 drop'))).isDone, false);
    assert.equal(work(planShared('linux', range, listing('tcp dport 1-2 drop', 'udp dport 1-2 drop'))).isDone, false);
  });

  it('say why the system leaves no ports', () => {
    assert.deepEqual(planShared('linux', { words: 'none left' }, nothing), { kind: 'none', status: 'failed', summary: 'none left' });
    assert.equal(planShared('darwin', { first: 1, last: 2 }, nothing).kind, 'none');
  });

  it('drop what is for the stack where the computer forwards packets, and only there', () => {
    assert.match(work(planForwarding('linux', ['10.0.0.9'], true, nothing)).commands[0]?.[1] ?? '', /add rule inet riftnet_own prerouting ip daddr 10\.0\.0\.9 drop$/);
    assert.match(work(planForwarding('linux', ['10.0.0.10', '10.0.0.9'], true, nothing)).commands[0]?.[1] ?? '', /ip daddr \{ 10\.0\.0\.9, 10\.0\.0\.10 \} drop$/);
    const still = planForwarding('linux', ['10.0.0.9'], false, nothing);
    assert.equal(still.kind === 'none' && still.status, 'not-applicable');
    const unknown = planForwarding('linux', [], true, nothing);
    assert.match(unknown.kind === 'none' ? unknown.summary : '', /--address/);
  });

  it('are taken away by table, without a word where there is none', () => {
    assert.deepEqual(work(planTableRemoval('linux', SHARED_TABLE, listing('x drop'), true)).commands, [['nft', 'add table inet riftnet_shared; delete table inet riftnet_shared']]);
    const gone = planTableRemoval('linux', OWN_TABLE, (words) => (words.includes('tables') ? ok() : no), true);
    assert.deepEqual(gone, { kind: 'none', status: 'unchanged', summary: 'there is no table riftnet_own' });
    // An ordinary account cannot look: the command does no harm.
    assert.equal(work(planTableRemoval('linux', OWN_TABLE, nothing, false)).summary, 'the table riftnet_own is gone, if it was there, which only root can see');
  });
});

describe('the entry for the stack among the neighbours', () => {
  const table = (entries: Readonly<Record<string, object>>): Run => (words) => (words.includes('show') ? ok(JSON.stringify(entries[words[4] ?? ''] === undefined ? [] : [entries[words[4] ?? '']])) : ok());
  const options = { platform: 'linux' as const, interfaceName: 'eth0', addresses: ['10.0.0.9'], router: '10.0.0.1' };
  const router = { lladdr: '02:00:00:00:00:01', state: ['REACHABLE'] };

  it('is the router\'s MAC address, for good', () => {
    const { commands, isDone } = work(planNeighbour({ ...options, run: table({ '10.0.0.1': router }) }));
    assert.deepEqual([isDone, commands], [false, [['ip', 'neigh', 'replace', '10.0.0.9', 'lladdr', '02:00:00:00:00:01', 'dev', 'eth0', 'nud', 'permanent']]]);
  });

  it('is there only if it is permanent and the router\'s', () => {
    const done = (state: string, lladdr: string): boolean => work(planNeighbour({ ...options, run: table({ '10.0.0.1': router, '10.0.0.9': { lladdr, state: [state] } }) })).isDone;
    assert.equal(done('PERMANENT', router.lladdr), true);
    assert.equal(done('STALE', router.lladdr), false);
    assert.equal(done('PERMANENT', '02:00:00:00:00:02'), false);
  });

  it('needs an address, a router, and its MAC address', () => {
    const words = (plan: FixPlan): string => (plan.kind === 'none' ? `${plan.status} ${plan.summary}` : 'work');
    assert.match(words(planNeighbour({ ...options, addresses: [], run: table({}) })), /^failed .*--address/);
    assert.match(words(planNeighbour({ ...options, router: null, run: table({}) })), /^failed this computer has no router on eth0/);
    assert.match(words(planNeighbour({ ...options, run: table({}) })), /^failed the router 10\.0\.0\.1 does not say its MAC address/);
  });

  it('is taken away only where it is one of ours', () => {
    const permanent = table({ '10.0.0.9': { lladdr: router.lladdr, state: ['PERMANENT'] } });
    assert.deepEqual(work(planNeighbourRemoval({ ...options, run: permanent })).commands, [['ip', 'neigh', 'del', '10.0.0.9', 'dev', 'eth0']]);
    assert.equal(planNeighbourRemoval({ ...options, run: table({ '10.0.0.9': router }) }).kind, 'none');
    assert.equal(planNeighbourRemoval({ ...options, run: (words) => (words.length > 0 ? ok('no JSON') : no) }).kind, 'none');
  });
});

describe('the stack\'s own addresses', () => {
  it('are kept in folders that are their person\'s all the way down, whoever makes them', () => {
    const home = fs.mkdtempSync(path.join(os.tmpdir(), 'riftnet-addresses-'));
    const whose: Owner = { home, uid: process.getuid?.() || 1_000, gid: process.getgid?.() || 1_000, isSelf: false };
    try {
      rememberFixed([], whose);
      assert.deepEqual(fs.readdirSync(home), []);
      rememberFixed(['10.0.0.9'], whose);
      const made = ['.local', '.local/state', '.local/state/riftnet', '.local/state/riftnet/fixes.json'];
      assert.deepEqual(made.map((name) => fs.statSync(path.join(home, name)).uid), made.map(() => whose.uid));
    } finally {
      fs.rmSync(home, { recursive: true, force: true });
    }
  });

  it('are those of its leases and of earlier fixes, in the network at hand', () => {
    const home = fs.mkdtempSync(path.join(os.tmpdir(), 'riftnet-addresses-'));
    const whose: Owner = { home, uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, isSelf: false };
    try {
      assert.deepEqual(ownAddresses(null, whose), []);
      rememberFixed(['10.0.0.9'], whose);
      rememberFixed(['10.0.0.10', '10.0.0.9'], whose);
      const folder = path.join(home, '.local/state/riftnet');
      fs.writeFileSync(path.join(folder, 'a-0.lease.json'), '{"address":"10.0.0.11","server":"10.0.0.1"}');
      fs.writeFileSync(path.join(folder, 'a-1.lease.json'), '{"address":"10.9.0.11","server":"10.0.0.1"}');
      fs.writeFileSync(path.join(folder, 'a-2.lease.json'), '{ broken');
      assert.deepEqual([...ownAddresses(null, whose)].sort(), ['10.0.0.10', '10.0.0.11', '10.0.0.9', '10.9.0.11']);
      assert.deepEqual([...ownAddresses({ address: 0x0a00_0001, prefixLength: 24 }, whose)].sort(), ['10.0.0.10', '10.0.0.11', '10.0.0.9']);
    } finally {
      fs.rmSync(home, { recursive: true, force: true });
    }
  });
});
