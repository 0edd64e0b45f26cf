import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { readInterfaceState } from '../../../stack/link/interfaces';
import { defaultRoutes } from '../../../stack/link/routing-table';

describe('The state of an interface', () => {
  let sysfs: string;

  beforeEach(() => (sysfs = fs.mkdtempSync(path.join(os.tmpdir(), 'riftnet-sysfs-'))));
  afterEach(() => fs.rmSync(sysfs, { recursive: true, force: true }));

  const UP = { ifindex: '7', flags: '0x1003', carrier: '1', operstate: 'up', mtu: '1500', carrier_changes: '3' };

  /** An interface's folder, as the kernel shows it; a file that is null cannot be read. */
  function isUp(files: Readonly<Record<string, string | null>>): boolean | undefined {
    const folder = path.join(sysfs, 'eth0');
    fs.rmSync(folder, { recursive: true, force: true });
    fs.mkdirSync(folder);
    for (const [name, text] of Object.entries({ ...UP, ...files })) if (text !== null) fs.writeFileSync(path.join(folder, name), `${text}\n`);
    const state = readInterfaceState('eth0', sysfs);
    return state === 'unknown' ? assert.fail('it can be looked at') : state?.up;
  }

  it('is read whole', () => {
    isUp({});
    assert.deepEqual(readInterfaceState('eth0', sysfs), { index: 7, mtu: 1500, up: true, carrierChanges: 3 });
  });

  it('is up with the carrier, before the kernel has drawn its conclusion', () => {
    for (const operstate of ['up', 'unknown', 'down', 'lowerlayerdown']) assert.equal(isUp({ operstate }), true, operstate);
  });

  it('is down without the carrier, whatever the kernel still says', () => {
    assert.equal(isUp({ carrier: '0' }), false);
    assert.equal(isUp({ flags: '0x1002' }), false);
    // The kernel does not tell the carrier of an interface that is switched off.
    assert.equal(isUp({ flags: '0x1002', carrier: null, operstate: 'down' }), false);
  });

  it('is down while the network has not let it in', () => {
    assert.equal(isUp({ operstate: 'dormant' }), false);
  });

  it('is unknown where it cannot be read for another reason than that it is not there', () => {
    isUp({ mtu: null });
    fs.mkdirSync(path.join(sysfs, 'eth0', 'mtu'));
    assert.equal(readInterfaceState('eth0', sysfs), 'unknown');
    // A file beside the interfaces' folders, as the kernel has them.
    fs.writeFileSync(path.join(sysfs, 'bonding_masters'), '\n');
    assert.equal(readInterfaceState('bonding_masters', sysfs), null);
  });

  it('is none for a name that is not there, or leads out of the folder', () => {
    isUp({});
    for (const name of ['eth1', '', '.', '..', '../etc', 'eth0/../eth0']) assert.equal(readInterfaceState(name, sysfs), null, name);
  });
});

describe('The default routes of a machine', () => {
  it('are read from the kernel\'s table: the best of each interface that goes over a router and is up', () => {
    const table = [
      'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT',
      'eth0\t00000000\tFE01A8C0\t0003\t0\t0\t200\t00000000\t0\t0\t0',
      'eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0',
      'wlan0\t00000000\t0100000A\t0003\t0\t0\t600\t00000000\t0\t0\t0',
      'eth0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0',
      'ppp0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0',
      'eth1\t00000000\t0102A8C0\t0002\t0\t0\t0\t00000000\t0\t0\t0',
      'eth2\t00000080\t0102A8C0\t0003\t0\t0\t0\t00000080\t0\t0\t0',
      '',
    ].join('\n');
    const read = (text: string | null) => [...defaultRoutes({ routes: () => text, littleEndian: true })];
    assert.deepEqual(read(table), [
      ['eth0', { router: 0xc0a8_0101, metric: 100 }],
      ['wlan0', { router: 0x0a00_0001, metric: 600 }],
    ]);
    for (const text of [null, '', 'nonsense\neth0\n']) assert.deepEqual(read(text), []);
  });
});
