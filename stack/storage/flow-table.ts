/** A table of flows by their four-tuple, with a keyed hash so that nobody outside can aim at one bucket. */
export interface Flow {
  readonly localAddress: number;
  readonly localPort: number;
  readonly remoteAddress: number;
  readonly remotePort: number;
}

/** @returns 0 … 2³²−1 */
export type FlowHash = (localAddress: number, remoteAddress: number, ports: number) => number;

export class FlowTable<T extends Flow> {
  /** Nearly every bucket holds one flow: only a collision makes an array. */
  private readonly buckets = new Map<number, T | T[]>();
  private count = 0;
  /** Segments come in runs of one flow: the last one found is asked first. */
  private recent: T | null = null;

  constructor(private readonly hash: FlowHash) {}

  get size(): number {
    return this.count;
  }

  find(localAddress: number, localPort: number, remoteAddress: number, remotePort: number): T | null {
    const recent = this.recent;
    if (recent && matches(recent, localAddress, localPort, remoteAddress, remotePort)) return recent;
    const bucket = this.buckets.get(this.hash(localAddress, remoteAddress, (localPort << 16) | remotePort));
    if (!bucket) return null;
    if (!Array.isArray(bucket)) {
      if (!matches(bucket, localAddress, localPort, remoteAddress, remotePort)) return null;
      this.recent = bucket;
      return bucket;
    }
    for (const flow of bucket) if (matches(flow, localAddress, localPort, remoteAddress, remotePort)) return flow;
    return null;
  }

  /** The caller has made sure that no flow has the same tuple. */
  add(flow: T): void {
    const key = this.keyOf(flow);
    const bucket = this.buckets.get(key);
    if (!bucket) this.buckets.set(key, flow);
    else if (Array.isArray(bucket)) bucket.push(flow);
    else this.buckets.set(key, [bucket, flow]);
    this.count++;
  }

  /** @returns whether the flow was in the table */
  remove(flow: T): boolean {
    const key = this.keyOf(flow);
    const bucket = this.buckets.get(key);
    if (bucket === flow) this.buckets.delete(key);
    else if (Array.isArray(bucket) && bucket.includes(flow)) {
      const rest = bucket.filter((other) => other !== flow);
      const only = rest[0];
      if (rest.length === 1 && only) this.buckets.set(key, only);
      else this.buckets.set(key, rest);
    } else return false;
    this.count--;
    if (this.recent === flow) this.recent = null;
    return true;
  }

  *[Symbol.iterator](): IterableIterator<T> {
    for (const bucket of this.buckets.values()) {
      if (Array.isArray(bucket)) yield* bucket;
      else yield bucket;
    }
  }

  private keyOf(flow: T): number {
    return this.hash(flow.localAddress, flow.remoteAddress, (flow.localPort << 16) | flow.remotePort);
  }
}

function matches(flow: Flow, localAddress: number, localPort: number, remoteAddress: number, remotePort: number): boolean {
  return (
    flow.remotePort === remotePort && flow.localPort === localPort && flow.remoteAddress === remoteAddress && flow.localAddress === localAddress
  );
}
