import assert from 'node:assert/strict';
import { DisposableStore, Emitter } from '../../extension/emitter';

describe('the events of the extension', () => {
  it('reach every listener, also where one throws, and what it threw is uncaught and not lost', () => {
    const emitter = new Emitter<number>();
    const seen: number[] = [];
    emitter.event(() => {
      throw new Error('of another extension');
    });
    emitter.event((value) => seen.push(value));
    const later: (() => void)[] = [];
    const { queueMicrotask } = globalThis;
    globalThis.queueMicrotask = (task) => void later.push(task);
    try {
      emitter.fire(1);
    } finally {
      globalThis.queueMicrotask = queueMicrotask;
    }
    assert.deepEqual(seen, [1]);
    assert.equal(later.length, 1);
    assert.throws(() => later[0]?.(), /of another extension/);
  });

  it('reach a listener as often as it was subscribed, and not after it was let go of', () => {
    const emitter = new Emitter<string>();
    const seen: string[] = [];
    const listener = (value: string): void => void seen.push(value);
    const first = emitter.event(listener);
    emitter.event(listener);
    emitter.fire('twice');
    first.dispose();
    emitter.fire('once');
    emitter.dispose();
    emitter.fire('never');
    assert.deepEqual(seen, ['twice', 'twice', 'once']);
  });

  it('a store lets go in reverse order, once, and at once of what comes later', () => {
    const store = new DisposableStore();
    const gone: string[] = [];
    for (const name of ['a', 'b']) store.add({ dispose: () => gone.push(name) });
    store.dispose();
    store.dispose();
    store.add({ dispose: () => gone.push('late') });
    assert.deepEqual(gone, ['b', 'a', 'late']);
  });
});
