/**
 * The link over libpcap on a veth pair, in network namespaces made for the run, with full-sized frames and whole
 * checksums: the stack against the bare link under it, and beside the kernel with `node:net` and `node:http`.
 *
 * On a veth pair the sender's processor also does the receiving kernel's work: what `upload` spends in sending a
 * frame is the wire, the peer's TCP and the waking of its reader, while the bare link's frames are dropped there.
 * `upload-received` stands beside a bare link whose frames a UDP socket of the peer's takes; `upload-send-share` tells
 * how much of the time that sending is, the rest being the stack and Node.
 */
import { spawnSync } from 'node:child_process';
import type { PcapBinding } from '../../stack';
import type { Benchmark } from './support/harness';
import { measureFetch, measureRate, measureRead } from './support/pcap-pair';

/** @returns why it cannot run here, or null */
function obstacle(): string | null {
  if (process.getuid?.() !== 0) return 'not root: namespaces and captures need it';
  if (spawnSync('ip', ['-V']).status !== 0) return 'the program ip is missing (Debian package iproute2)';
  return null;
}

function over(binding: PcapBinding): readonly Benchmark[] {
  const group = 'pcap';
  return [
    {
      name: `${binding}/download`, group, unit: 'Gbit/s', target: 'ratio at least 0.6',
      run: () => measureRate('download', binding),
      against: { what: 'frames of 1514 bytes taken by the bare link', run: () => measureRate('raw-receive', binding) },
    },
    {
      name: `${binding}/upload`, group, unit: 'Gbit/s', target: 'ratio at least 0.6',
      run: () => measureRate('upload', binding),
      against: { what: 'frames of 1514 bytes sent by the bare link', run: () => measureRate('raw-send', binding) },
    },
    {
      name: `${binding}/upload-received`, group, unit: 'Gbit/s', target: 'ratio at least 0.6',
      run: () => measureRate('upload', binding),
      against: { what: 'the same by the bare link, taken by a UDP socket', run: () => measureRate('raw-send-received', binding) },
    },
    { name: `${binding}/upload-send-share`, group, unit: '%', run: () => measureRate('send-share', binding) },
    {
      name: `${binding}/read`, group, unit: 'Gbit/s', target: 'ratio at least 0.8',
      run: () => measureRead(binding),
      against: { what: 'the same stack, without a script', run: () => measureRate('download', binding) },
    },
    {
      name: `${binding}/fetch-kept`, group, unit: 'ms', target: 'ratio at most 2',
      run: () => measureFetch(binding, 'kept'),
      against: { what: 'node:http over the kernel, 1 KiB, connection kept', run: () => measureFetch('kernel', 'kept') },
    },
    {
      name: `${binding}/fetch-once`, group, unit: 'ms', target: 'ratio at most 2',
      run: () => measureFetch(binding, 'once'),
      against: { what: 'node:http over the kernel, 1 KiB, a connection each', run: () => measureFetch('kernel', 'once') },
    },
  ];
}

const why = obstacle();
if (why !== null) process.stderr.write(`cap/…, libpcap/… are left out: ${why}\n`);

export const benchmarks: readonly Benchmark[] = why !== null ? [] : [
  ...over('cap'),
  ...over('libpcap'),
  { name: 'pcap/kernel-download', unit: 'Gbit/s', run: () => measureRate('kernel-download', 'cap') },
  { name: 'pcap/kernel-upload', unit: 'Gbit/s', run: () => measureRate('kernel-upload', 'cap') },
];
