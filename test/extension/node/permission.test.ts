import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { dropPrivileges, findSetpriv } from '../../../extension/node/drop-privileges';
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
  const ROOT: ProcessStatus = { ...NONE, effective: 0x1ff_ffff_ffffn, permitted: 0x1ff_ffff_ffffn };
  const drop = (status: ProcessStatus | null, uid: number, setpriv: string | null, program = '/bin/node', own = '/copy/node') => dropPrivileges(program, own, status, uid, () => setpriv);

  it('is started as it is where there is nothing to take away', () => {
    assert.deepEqual(drop(NONE, 1000, '/bin/setpriv'), { prefix: [], warning: null });
    assert.deepEqual(drop(null, 0, '/bin/setpriv'), { prefix: [], warning: null });
  });

  it('loses what its worker may do, and cannot gain it from a file', () => {
    const prefix = ['/bin/setpriv', '--no-new-privs', '--inh-caps=-all', '--ambient-caps=-all'];
    assert.deepEqual(drop(GRANTED, 1000, '/bin/setpriv'), { prefix: [...prefix, '--'], warning: null });
    // For root the bounding set decides.
    assert.deepEqual(drop(ROOT, 0, '/bin/setpriv'), { prefix: [...prefix, '--bounding-set=-all', '--'], warning: null });
  });

  it('is told to keep them only where they cannot be taken away', () => {
    // A Node without capabilities of its own gives none to an ordinary user.
    assert.deepEqual(drop(GRANTED, 1000, null), { prefix: [], warning: null });
    assert.match(drop(GRANTED, 1000, null, '/copy/node').warning ?? '', /setpriv/);
    assert.match(drop({ ...GRANTED, ambient: NET_RAW }, 1000, null).warning ?? '', /setpriv/);
    assert.match(drop(ROOT, 0, null).warning ?? '', /you are root/);
    // Root in a container without CAP_SETPCAP.
    assert.match(drop({ ...ROOT, effective: NET_RAW }, 0, '/bin/setpriv').warning ?? '', /you are root/);
  });

  it("finds util-linux's setpriv, and not BusyBox's", () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'riftnet-setpriv-'));
    try {
      const [busybox, link, real] = ['busybox', 'bin-setpriv', 'setpriv'].map((name) => path.join(folder, name)) as [string, string, string];
      fs.writeFileSync(busybox, '');
      fs.symlinkSync(busybox, link);
      assert.equal(findSetpriv([link, real]), null);
      fs.writeFileSync(real, '');
      assert.equal(findSetpriv([link, real]), real);
    } finally {
      fs.rmSync(folder, { recursive: true, force: true });
    }
  });
});
