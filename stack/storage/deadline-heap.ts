/** A heap of things that are due some time, so that a poll costs what is due and not what exists. */
export interface Due {
  /** When it is due, ms; `Infinity`: not at all. Changed only through {@link DeadlineHeap.set}. */
  dueAt: number;
  /** The heap's own; -1 outside. */
  heapIndex: number;
}

export class DeadlineHeap<T extends Due> {
  private readonly items: T[] = [];

  /** The least deadline, or `Infinity`. */
  get nextAt(): number {
    return this.items[0]?.dueAt ?? Infinity;
  }

  get size(): number {
    return this.items.length;
  }

  set(item: T, dueAt: number): void {
    if (dueAt === item.dueAt) return;
    item.dueAt = dueAt;
    if (dueAt === Infinity) {
      this.remove(item);
      return;
    }
    if (item.heapIndex < 0) {
      item.heapIndex = this.items.length;
      this.items.push(item);
    }
    this.down(this.up(item.heapIndex));
  }

  /** Takes out the item that is due first if it is due at `now`. Its deadline becomes `Infinity`. */
  takeDue(now: number): T | null {
    const item = this.items[0];
    if (!item || item.dueAt > now) return null;
    item.dueAt = Infinity;
    this.remove(item);
    return item;
  }

  private remove(item: T): void {
    const index = item.heapIndex;
    if (index < 0) return;
    item.heapIndex = -1;
    const last = this.items.pop();
    if (!last || last === item) return;
    this.items[index] = last;
    last.heapIndex = index;
    this.down(this.up(index));
  }

  private up(from: number): number {
    let index = from;
    const item = this.items[index];
    if (!item) return index;
    while (index > 0) {
      const parent = (index - 1) >>> 1;
      const above = this.items[parent];
      if (!above || above.dueAt <= item.dueAt) break;
      this.items[index] = above;
      above.heapIndex = index;
      index = parent;
    }
    this.items[index] = item;
    item.heapIndex = index;
    return index;
  }

  private down(from: number): void {
    let index = from;
    const item = this.items[index];
    if (!item) return;
    for (;;) {
      let child = 2 * index + 1;
      const left = this.items[child];
      if (!left) break;
      let least = left;
      const right = this.items[child + 1];
      if (right && right.dueAt < left.dueAt) {
        child++;
        least = right;
      }
      if (least.dueAt >= item.dueAt) break;
      this.items[index] = least;
      least.heapIndex = index;
      index = child;
    }
    this.items[index] = item;
    item.heapIndex = index;
  }
}
