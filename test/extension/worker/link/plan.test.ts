import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { DEFAULT_WORKER_SETTINGS } from '../../../../extension/protocol';
import { planLinks } from '../../../../extension/worker/link/plan';
import { SilenceMemory } from '../../../../extension/worker/link/silence-memory';

describe('The ways to the network', () => {
  it('are the gateway alone where the settings say so', () => {
    assert.equal(planLinks({ ...DEFAULT_WORKER_SETTINGS, link: 'gateway' }).length, 1);
  });

  it('end with the gateway where the choice is free, and never with it where it is not', () => {
    const nowhere = { interface: 'nosuch0', binding: 'auto', address: { mode: 'dhcp' } } as const;
    const ways = planLinks({ ...DEFAULT_WORKER_SETTINGS, link: 'auto', pcap: nowhere });
    assert.deepEqual(ways.map(({ patienceMs }) => patienceMs), [0, Infinity]);
    assert.throws(() => planLinks({ ...DEFAULT_WORKER_SETTINGS, link: 'pcap', pcap: nowhere }), { name: 'LinkFailure', message: /^there is no interface "nosuch0": there are .*lo/ });
  });

  it('leave out for an hour an interface on which nobody has answered', () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'riftnet-state-'));
    try {
      let now = 1_700_000_000_000;
      const on = { name: 'eth0', mac: Uint8Array.of(2, 0, 0, 0, 0, 1) };
      const memory = new SilenceMemory(on, folder, () => now);
      assert.equal(memory.recall(), null);
      memory.remember();
      now += 3_599_000;
      assert.match(memory.recall() ?? '', /\d+:\d\d/);
      assert.equal(new SilenceMemory({ ...on, name: 'eth1' }, folder, () => now).recall(), null);
      now += 2_000;
      assert.equal(memory.recall(), null);
      // A clock that was set back must not keep the memory for ever.
      now -= 10_000_000;
      assert.equal(memory.recall(), null);
    } finally {
      fs.rmSync(folder, { recursive: true, force: true });
    }
  });
});
