import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { takeInstance } from '../../../../extension/worker/link/instance';
import { LeaseFile } from '../../../../extension/worker/link/lease-file';
import { acquireSlot } from '../../../../extension/worker/link/slot-lock';

const ETH0 = { name: 'eth0', mac: Uint8Array.of(0x52, 0x54, 0, 1, 2, 3) };

describe('An instance on the network', () => {
  let folder: string;

  beforeEach(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), 'riftnet-state-'))));
  afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

  describe('as a slot', () => {
    it('is the lowest number that no live process holds, and free again afterwards', () => {
      const [first, second] = [acquireSlot(folder, 'a'), acquireSlot(folder, 'a')];
      assert.deepEqual([first?.number, second?.number, acquireSlot(folder, 'b')?.number], [0, 1, 0]);
      first?.release();
      first?.release();
      assert.equal(acquireSlot(folder, 'a')?.number, 0);
      assert.equal(acquireSlot(folder, 'a')?.number, 2);
    });

    it('is taken over from a process that has ended without giving it back', () => {
      const { pid } = spawnSync(process.execPath, ['-e', '']);
      fs.writeFileSync(path.join(folder, 'a-0.lock'), `${pid} 12345`);
      assert.equal(acquireSlot(folder, 'a')?.number, 0);
      assert.deepEqual(fs.readdirSync(folder), ['a-0.lock']);
    });

    it('is taken over where another process has the number of the one that ended', function () {
      if (!fs.existsSync('/proc/self/stat')) throw new Error('this test needs /proc');
      fs.writeFileSync(path.join(folder, 'a-0.lock'), `${process.ppid} 1`);
      assert.equal(acquireSlot(folder, 'a')?.number, 0);
    });

    it('is left to a process that runs', () => {
      const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
      try {
        fs.writeFileSync(path.join(folder, 'a-0.lock'), `${child.pid}`);
        assert.equal(acquireSlot(folder, 'a')?.number, 1);
      } finally {
        child.kill('SIGKILL');
      }
    });

    it('is left to whoever is just taking it over or writing its name, but not for ever', () => {
      const { pid } = spawnSync(process.execPath, ['-e', '']);
      const old = new Date(Date.now() - 60_000);
      fs.writeFileSync(path.join(folder, 'a-0.lock'), `${pid}`);
      fs.writeFileSync(path.join(folder, 'a-0.lock.takeover'), '');
      fs.writeFileSync(path.join(folder, 'a-1.lock'), '');
      assert.equal(acquireSlot(folder, 'a')?.number, 2);
      for (const name of ['a-0.lock.takeover', 'a-1.lock']) fs.utimesSync(path.join(folder, name), old, old);
      assert.equal(acquireSlot(folder, 'a')?.number, 1);
      assert.equal(acquireSlot(folder, 'a')?.number, 0);
    });

    it('is none where the folder cannot be made', () => {
      fs.writeFileSync(path.join(folder, 'file'), '');
      assert.equal(acquireSlot(path.join(folder, 'file', 'below'), 'a'), null);
    });
  });

  it('has the same names each time, which no other live instance has', () => {
    const first = takeInstance(ETH0, folder);
    const second = takeInstance(ETH0, folder);
    const other = takeInstance({ name: 'eth1', mac: Uint8Array.of(0x52, 0x54, 0, 1, 2, 4) }, folder);
    const names = (one: typeof first): string => Buffer.concat([one.mac, one.clientId]).toString('hex');
    assert.equal(new Set([first, second, other].map(names)).size, 3);
    assert.equal(new Set([first, second, other].map(({ mac }) => Buffer.from(mac).toString('hex'))).size, 3);
    first.release();
    assert.equal(names(takeInstance(ETH0, folder)), names(first));
  });

  it('has a locally administered address of one station, and an identifier by RFC 4361 and RFC 6355', () => {
    for (let i = 0; i < 20; i++) {
      const { mac, clientId } = takeInstance(ETH0, folder);
      assert.equal((mac[0] ?? 0) & 3, 2);
      assert.equal(mac.length, 6);
      assert.deepEqual([...clientId.subarray(0, 7)], [255, 0, 0, 0, i, 0, 4]);
      assert.equal(clientId.length, 23);
    }
  });

  it('has random names, and no lease to remember, where nothing can be written', () => {
    const unusable = path.join(folder, 'file');
    fs.writeFileSync(unusable, '');
    const [first, second] = [takeInstance(ETH0, unusable), takeInstance(ETH0, unusable)];
    assert.notDeepEqual(first.mac, second.mac);
    assert.notDeepEqual(first.clientId, second.clientId);
    assert.equal(first.leaseStore, null);
  });

  it('remembers its last lease, and forgets it', () => {
    const first = takeInstance(ETH0, folder);
    assert.equal(first.leaseStore?.load(), null);
    first.leaseStore?.save({ address: 0x0a00_0005, server: 0x0a00_0001 });
    assert.deepEqual(first.leaseStore?.load(), { address: 0x0a00_0005, server: 0x0a00_0001 });
    assert.equal(takeInstance(ETH0, folder).leaseStore?.load(), null);
    first.release();
    const again = takeInstance(ETH0, folder);
    assert.deepEqual(again.leaseStore?.load(), { address: 0x0a00_0005, server: 0x0a00_0001 });
    again.leaseStore?.save(null);
    assert.equal(again.leaseStore?.load(), null);
  });

  it('takes what is no lease for none', () => {
    const file = path.join(folder, 'lease.json');
    for (const text of ['', '{', 'null', '5', '{}', '{"address":"10.0.0.1"}', '{"address":"10.0.0.256","server":"10.0.0.1"}', '{"address":5,"server":6}']) {
      fs.writeFileSync(file, text);
      assert.equal(new LeaseFile(file).load(), null, text);
    }
    new LeaseFile(path.join(folder, 'nowhere', 'lease.json')).save({ address: 1, server: 2 });
  });
});
