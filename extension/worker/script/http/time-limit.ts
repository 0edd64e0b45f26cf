/** Limits on how long something takes: of the clock's time, or of the time in which the script could run. */

/** @returns what takes the limit away again */
export type LimitTime = (ms: number, expire: () => void) => () => void;

/** The longest time in one piece that is counted. */
const SLICE_MS = 250;

export const limitTime: LimitTime = (ms, expire) => {
  const timer = setTimeout(expire, ms);
  return () => clearTimeout(timer);
};

/** Under a debugger: however long a pause is, no more of it counts than one slice. */
export const limitRunningTime: LimitTime = (ms, expire) => {
  let timer: NodeJS.Timeout;
  const wait = (left: number): void => {
    const slice = Math.min(left, SLICE_MS);
    timer = setTimeout(() => (left > slice ? wait(left - slice) : expire()), slice);
  };
  wait(ms);
  return () => clearTimeout(timer);
};
