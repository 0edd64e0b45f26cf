/** What passed an interface, judged by Wireshark's dissectors. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Program } from './program';

/** Checksums are not verified by default, since senders may leave them to hardware. */
const VERIFY = ['ip', 'tcp', 'udp'].flatMap((protocol) => ['-o', `${protocol}.check_checksum:TRUE`]);

/**
 * Wireshark's display filter for frames with a sum that is wrong.
 * 0xffff is zero as well as 0 is (RFC 1071), and a kernel puts it there for one TCP segment in 65 536, which tshark blames.
 * @param ours a filter for what our stack has sent: it puts 0
 */
export function unsoundSums(ours: string): string {
  const blamed = ['ip', 'tcp', 'udp'].map((protocol) => `${protocol}.checksum.status == 0`).join(' || ');
  return `(${blamed}) && !(tcp.checksum == 0xffff && !(${ours}))`;
}

export class WireCapture {
  constructor(
    private readonly program: Program,
    private readonly file: string,
  ) {}

  /** Ends the capture; all that has passed is in its file then. */
  async stop(): Promise<void> {
    await this.program.stop();
    assert.match(await this.program.ended(), /^ready\n0\n$/, 'the capture missed frames, or failed');
  }

  /** @returns a line for each frame that fits Wireshark's display filter */
  async frames(filter: string): Promise<string[]> {
    const { stdout } = await promisify(execFile)('tshark', ['-r', this.file, '-n', ...VERIFY, '-Y', filter], { maxBuffer: 1 << 28 });
    return stdout.split('\n').filter((line) => line !== '');
  }
}
