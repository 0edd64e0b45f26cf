import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { DEFAULT_WORKER_SETTINGS, type PcapSettings } from '../../../../extension/protocol';
import { FailureMemory } from '../../../../extension/worker/link/failure-memory';
import { hostOptions, planLinks } from '../../../../extension/worker/link/plan';
import { Network } from '../../../../extension/worker/network';

describe('The ways to the network', () => {
  it('are the gateway alone where the settings say so', () => {
    assert.equal(planLinks({ ...DEFAULT_WORKER_SETTINGS, link: 'gateway' }).length, 1);
  });

  it('end with the gateway where the choice is free, and never with it where it is not', () => {
    const nowhere = { interface: 'nosuch0', binding: 'auto', address: { mode: 'dhcp' }, localhost: 'relay' } as const;
    const ways = planLinks({ ...DEFAULT_WORKER_SETTINGS, link: 'auto', pcap: nowhere });
    assert.deepEqual(ways.map(({ patienceMs }) => patienceMs), [0, Infinity]);
    assert.throws(() => planLinks({ ...DEFAULT_WORKER_SETTINGS, link: 'pcap', pcap: nowhere }), { name: 'LinkFailure', message: /^there is no interface "nosuch0": there are .*lo/ });
  });

  it('that were asked for by hand and cannot be met are told in one line, with the reason', () => {
    const said = (asked: Partial<PcapSettings>, hostAddress = '127.0.0.1'): string[] => {
      const lines: string[] = [];
      const settings = { ...DEFAULT_WORKER_SETTINGS, link: 'auto', hostAddress, pcap: { ...DEFAULT_WORKER_SETTINGS.pcap, ...asked } } as const;
      const network = new Network({ settings, log: (level, message) => void (level === 'debug' || lines.push(`${level} ${message}`)), onChange: () => {} });
      assert.equal(network.report().kind, 'gateway');
      network.close();
      return lines;
    };
    const [line = '', ...more] = said({ interface: 'nosuch0', address: { mode: 'shared', gateway: null } });
    assert.match(line, /^warn --interface nosuch0 --address shared cannot be met, and the embedded gateway is taken: (there is no interface "nosuch0"|this process may not capture)/);
    assert.deepEqual(more, []);
    const foreign = said({ interface: 'nosuch0' }, '192.0.2.77').join('\n');
    assert.match(foreign, /warn .*this computer has no address 192\.0\.2\.77: localhost in a script reaches another one/);
    assert.deepEqual(hostOptions({ interface: null, address: { mode: 'static', address: '10.0.0.2', prefixLength: 24, gateway: null }, binding: 'cap', localhost: 'router' }), ['--address 10.0.0.2/24', '--capture-binding cap', '--localhost router']);
    assert.deepEqual(hostOptions(DEFAULT_WORKER_SETTINGS.pcap), []);
  });

  it('leave out for an hour an interface on which nobody has answered, unless it is on another network', () => {
    const folder = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'riftnet-state-')), 'made');
    try {
      let now = 1_700_000_000_000;
      const on = { name: 'eth0', mac: Uint8Array.of(2, 0, 0, 0, 0, 1), addresses: [{ address: 0x0a00_0005, prefixLength: 24 }] };
      const recall = (other: Partial<typeof on> = {}) => new FailureMemory({ ...on, ...other }, folder, () => now).recall();
      const memory = new FailureMemory(on, folder, () => now);
      assert.equal(recall(), null);
      memory.remember('nobody answered');
      now += 3_599_000;
      assert.equal(recall()?.reason, 'nobody answered');
      assert.match(recall()?.at ?? '', /\d+:\d\d/);
      assert.equal(recall({ name: 'eth1' }), null);
      assert.equal(recall({ addresses: [{ address: 0x0b00_0005, prefixLength: 24 }] }), null);
      now += 2_000;
      assert.equal(recall(), null);
      // A clock that was set back must not keep the memory for ever.
      now -= 10_000_000;
      assert.equal(recall(), null);
      memory.remember('again');
      memory.forget();
      memory.forget();
      new FailureMemory(on, '/dev/null', () => now).forget();
      assert.equal(recall(), null);
      for (const text of ['', 'null', '{}', '{"at":"x","network":"10.0.0.5/24","reason":"r"}']) {
        fs.writeFileSync(path.join(folder, fs.readdirSync(folder)[0] ?? 'x.failure.json'), text);
        assert.equal(recall(), null, text);
      }
    } finally {
      fs.rmSync(path.dirname(folder), { recursive: true, force: true });
    }
  });
});
