/** Something to be let go of; has the shape VS Code's own `Disposable` has. */
export interface Disposable {
  dispose(): void;
}

/** Subscribes a listener; assignable to `vscode.Event<T>`, so that modules without VS Code can offer events. */
export type Listen<T> = (listener: (value: T) => void) => Disposable;

/**
 * An event source that needs no VS Code, so that what uses it can be tested outside one.
 * A listener added or removed while the event fires takes effect with the next one.
 */
export class Emitter<T> {
  readonly #listeners = new Set<(value: T) => void>();

  readonly event: Listen<T> = (listener) => {
    // A wrapper each, so that a function subscribed twice is two subscriptions.
    const entry = (value: T): void => listener(value);
    this.#listeners.add(entry);
    return { dispose: () => void this.#listeners.delete(entry) };
  };

  fire(value: T): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(value);
      } catch (error) {
        // Listeners may be of other extensions: one that throws keeps the value from no other, and is told as uncaught.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  dispose(): void {
    this.#listeners.clear();
  }
}

/** Collects disposables and lets go of them in reverse order, once. What comes later is let go of at once. */
export class DisposableStore implements Disposable {
  readonly #items: Disposable[] = [];
  #disposed = false;

  add<T extends Disposable>(item: T): T {
    if (this.#disposed) item.dispose();
    else this.#items.push(item);
    return item;
  }

  dispose(): void {
    this.#disposed = true;
    for (let item = this.#items.pop(); item; item = this.#items.pop()) item.dispose();
  }
}
