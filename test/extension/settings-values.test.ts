import assert from 'node:assert/strict';
import { MEMORY_MB } from '../../extension/cli-options';
import { DEFAULT_WORKER_SETTINGS } from '../../extension/protocol';
import { NUMBER_SETTINGS, runSettings, workerSettings } from '../../extension/settings-values';

/** As the settings have it; the terminal command keeps no frames. */
const DEFAULTS = { ...DEFAULT_WORKER_SETTINGS, recentFrameBytes: 16 << 20 };

function read<T>(reader: (raw: (key: string) => unknown, problem: (message: string) => void) => T, values: Record<string, unknown>) {
  const problems: string[] = [];
  return { settings: reader((key) => values[key], (message) => problems.push(message)), problems };
}

describe('settings', () => {
  it("give a script the memory that the terminal's --memory does", () => {
    assert.deepEqual(NUMBER_SETTINGS.memoryLimit, MEMORY_MB);
  });

  it('have defaults that need no setting', () => {
    const run = read(runSettings, {});
    assert.deepEqual(run.settings, { tickRate: 30, limits: { memoryMb: 512, outputBytesPerSecond: 1024 * 1024 }, timeoutSeconds: null, whenRunning: 'restart' });
    const worker = read(workerSettings, {});
    assert.deepEqual(worker.settings, DEFAULTS);
    assert.deepEqual([...run.problems, ...worker.problems], []);
  });

  it('are handed on as they stand where they are valid', () => {
    const run = read(runSettings, { tickRate: 60, memoryLimit: 128, outputLimit: 2, timeout: 2.5, whenRunning: 'parallel' });
    assert.deepEqual(run.settings, { tickRate: 60, limits: { memoryMb: 128, outputBytesPerSecond: 2048 }, timeoutSeconds: 2.5, whenRunning: 'parallel' });
    const worker = read(workerSettings, {
      link: 'pcap', hostAddress: '127.0.0.1', dns: ['192.0.2.53', '192.0.2.54:5353'], captureFile: '/tmp/x.pcapng', extraCaCertificates: ['/etc/ca.pem'],
      interface: 'eth1', address: '192.0.2.7/24', gateway: '192.0.2.1', captureBinding: 'libpcap', localhost: 'router', captureMemory: 0.5,
    });
    assert.deepEqual(worker.settings, {
      link: 'pcap', hostAddress: '127.0.0.1', dns: ['192.0.2.53', '192.0.2.54:5353'], captureFile: '/tmp/x.pcapng', extraCaCertificates: ['/etc/ca.pem'], recentFrameBytes: 1 << 19,
      pcap: { interface: 'eth1', binding: 'libpcap', address: { mode: 'static', address: '192.0.2.7', prefixLength: 24, gateway: '192.0.2.1' }, localhost: 'router' },
    });
    assert.deepEqual([...run.problems, ...worker.problems], []);
    const leased = read(workerSettings, { address: 'dhcp', gateway: '192.0.2.1' });
    assert.deepEqual([leased.settings, leased.problems], [DEFAULTS, []]);
    const shared = read(workerSettings, { address: 'shared', gateway: '192.0.2.1' });
    assert.deepEqual([shared.settings.pcap.address, shared.problems], [{ mode: 'shared', gateway: '192.0.2.1' }, []]);
  });

  it('out of range or of the wrong kind are named with their value, and the default is used', () => {
    const run = read(runSettings, { tickRate: 0, memoryLimit: 1, outputLimit: '5', timeout: -1 });
    assert.deepEqual(run.settings, read(runSettings, {}).settings);
    assert.deepEqual(run.problems.length, 4);
    assert.match(run.problems.join('\n'), /riftnet\.tickRate is 0; it must be a number from 1 to 1000\. 30 is used/);
    const worker = read(workerSettings, {
      link: 'wifi', hostAddress: '127.0.0.256', dns: ['example.test', 5, '192.0.2.53'], captureFile: 'relative.pcapng', extraCaCertificates: ['ca.pem', 'C:\\ca.pem'],
      interface: 5, address: '192.0.2.7', gateway: 'router', captureBinding: 'npcap', localhost: 'loop',
    });
    assert.deepEqual(worker.settings, { ...DEFAULTS, dns: ['192.0.2.53'], extraCaCertificates: ['C:\\ca.pem'] });
    assert.equal(worker.problems.length, 11);
    assert.match(worker.problems.join('\n'), /riftnet\.extraCaCertificates holds "ca\.pem"; it must be an absolute path/);
    assert.match(worker.problems.join('\n'), /riftnet\.address is "192\.0\.2\.7"; it must be dhcp, shared, or an IPv4 address with the length of its network/);
    assert.match(worker.problems.join('\n'), /riftnet\.hostAddress is "127\.0\.0\.256"; it must be an IPv4 address/);
  });
});
