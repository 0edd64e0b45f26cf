/** What the system was asked, where it cannot answer each time: reading takes a descriptor, of which none may be free. */

/** @returns what asks, and gives the last answer again where `ask` throws; before the first one, `first` */
export function lastKnown<T>(ask: () => T, first: T): () => T {
  let answer = first;
  return () => {
    try {
      answer = ask();
    } catch {
      // What was so is the better guess than that there is nothing.
    }
    return answer;
  };
}
