/** Gathers a body: into one piece of memory where its length is known, else in blocks, however small the pieces it comes in. */
import { Buffer } from 'node:buffer';

const FIRST_BLOCK_BYTES = 16 << 10;
const MAX_BLOCK_BYTES = 1 << 20;

export class BodyBuffer {
  private readonly blocks: Buffer[] = [];
  /** Filled part of the last block, bytes. */
  private used = 0;
  private total = 0;

  /** @param expectedBytes how many will come, if that is known; memory for them is taken with the first */
  constructor(private readonly expectedBytes: number | null) {}

  get length(): number {
    return this.total;
  }

  /** Copies. */
  add(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; ) {
      const block = this.blockWithRoom();
      const part = Math.min(chunk.length - at, block.length - this.used);
      block.set(chunk.subarray(at, at + part), this.used);
      this.used += part;
      this.total += part;
      at += part;
    }
  }

  /** Counts bytes without keeping them. */
  skip(bytes: number): void {
    this.total += bytes;
  }

  /** The body; afterwards nothing is left here. */
  take(): Buffer {
    const [first] = this.blocks;
    const body = first !== undefined && first.length === this.used ? first : Buffer.concat(this.blocks, this.blocks.length === 0 ? 0 : this.total);
    this.blocks.length = 0;
    return body;
  }

  private blockWithRoom(): Buffer {
    const last = this.blocks.at(-1);
    if (last !== undefined && this.used < last.length) return last;
    const expected = (this.expectedBytes ?? 0) - this.total;
    const block = Buffer.allocUnsafeSlow(expected > 0 ? expected : Math.min(MAX_BLOCK_BYTES, Math.max(FIRST_BLOCK_BYTES, this.total)));
    this.blocks.push(block);
    this.used = 0;
    return block;
  }
}
