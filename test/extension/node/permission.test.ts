import assert from 'node:assert/strict';
import { dropPrivileges } from '../../../extension/node/drop-privileges';
import { captureObstacle, grantObstacle, ownStatus, parseStatus, type ProcessStatus } from '../../../extension/node/permission';

const NET_RAW = 1n << 13n;
const NONE: ProcessStatus = { effective: 0n, permitted: 0n, ambient: 0n, bounding: 0x1ff_ffff_ffffn, noNewPrivileges: false };
const GRANTED: ProcessStatus = { ...NONE, effective: NET_RAW, permitted: NET_RAW };

describe('what a process may do', () => {
  it('is read from the lines of /proc', () => {
    const text = 'Name:\tnode\nCapInh:\t0000000000000000\nCapPrm:\t0000000000002000\nCapEff:\t0000000000002000\nCapBnd:\t000001ffffffffff\nCapAmb:\t0000000000000000\nNoNewPrivs:\t1\n';
    assert.deepEqual(parseStatus(text), { ...GRANTED, noNewPrivileges: true });
    assert.equal(parseStatus('Name:\tnode\n'), null);
    assert.equal(ownStatus() === null, process.platform !== 'linux');
  });

  it('includes capturing with CAP_NET_RAW alone, and not with all other capabilities', () => {
    assert.equal(captureObstacle('linux', GRANTED), null);
    assert.match(captureObstacle('linux', { ...NONE, effective: 0x1ff_ffff_ffffn & ~NET_RAW }) ?? '', /CAP_NET_RAW/);
    // Permitted and not raised is not enough.
    assert.match(captureObstacle('linux', { ...NONE, permitted: NET_RAW }) ?? '', /CAP_NET_RAW/);
    assert.equal(captureObstacle('linux', null), null);
    assert.match(captureObstacle('darwin', null) ?? '', /\/dev\/bpf0/);
  });

  it("tells why a file's capability would not be given", () => {
    assert.equal(grantObstacle(NONE), null);
    assert.match(grantObstacle({ ...NONE, noNewPrivileges: true }) ?? '', /no_new_privs/);
    assert.match(grantObstacle({ ...NONE, bounding: ~NET_RAW & 0x1ffn }) ?? '', /--cap-add=NET_RAW/);
  });
});

describe("a script's process", () => {
  const drop = (status: ProcessStatus | null, uid: number, works: (words: readonly string[]) => boolean, program = '/bin/node', own = '/copy/node') => dropPrivileges(program, own, status, uid, works);

  it('is started as it is where there is nothing to take away', () => {
    const never = (): boolean => assert.fail('nothing need be tried');
    assert.deepEqual(drop(NONE, 1000, never), { prefix: [], warning: null });
    assert.deepEqual(drop(null, 0, never), { prefix: [], warning: null });
  });

  it('loses what its worker may do, and cannot gain it from a file', () => {
    const tried: string[] = [];
    const works = (words: readonly string[]): boolean => tried.push(words.join(' ')) > 0;
    const prefix = ['setpriv', '--no-new-privs', '--inh-caps=-all', '--ambient-caps=-all'];
    assert.deepEqual(drop(GRANTED, 1000, works), { prefix: [...prefix, '--'], warning: null });
    // For root the bounding set decides.
    assert.deepEqual(drop(GRANTED, 0, works), { prefix: [...prefix, '--bounding-set=-all', '--'], warning: null });
    assert.equal(tried.length, 2);
  });

  it('is told to keep them only where they cannot be taken away', () => {
    const fails = (): boolean => false;
    // A Node without capabilities of its own gives none to an ordinary user.
    assert.deepEqual(drop(GRANTED, 1000, fails), { prefix: [], warning: null });
    assert.match(drop(GRANTED, 1000, fails, '/copy/node').warning ?? '', /setpriv/);
    assert.match(drop({ ...GRANTED, ambient: NET_RAW }, 1000, fails).warning ?? '', /setpriv/);
    assert.match(drop(GRANTED, 0, fails).warning ?? '', /you are root/);
  });
});
