/** The link over `cap` on a veth pair, in network namespaces made for the run: the stack against the raw link under it. */
import { spawnSync } from 'node:child_process';
import type { Benchmark } from './support/harness';
import { measurePcap } from './support/pcap-pair';

/** @returns why it cannot run here, or null */
function obstacle(): string | null {
  if (process.getuid?.() !== 0) return 'not root: namespaces and captures need it';
  if (spawnSync('ip', ['-V']).status !== 0) return 'the program ip is missing (Debian package iproute2)';
  return null;
}

const why = obstacle();
if (why !== null) process.stderr.write(`pcap/download, pcap/upload are left out: ${why}\n`);

export const benchmarks: readonly Benchmark[] = why !== null ? [] : [
  {
    name: 'pcap/download',
    unit: 'Gbit/s',
    run: () => measurePcap('download'),
    against: { what: 'frames of 1514 bytes taken by the bare link', run: () => measurePcap('raw-receive') },
  },
  {
    name: 'pcap/upload',
    unit: 'Gbit/s',
    run: () => measurePcap('upload'),
    against: { what: 'frames of 1514 bytes sent by the bare link', run: () => measurePcap('raw-send') },
  },
];
