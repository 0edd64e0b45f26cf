/** What one script may cost. A script at a limit fails with a line; it never hangs and never exhausts the machine. */
import { ScriptFailure } from './script-error';

/** Bytes of a script file. */
export const MAX_FILE_BYTES = 1 << 20;
/** Nested brackets in an expression. */
export const MAX_DEPTH = 32;
/** Script time in all, µs: keep-alive scripts wait for hours. */
const MAX_SCRIPT_US = 48 * 3_600 * 1e6;
/** Polls of the stack and packets of the script. */
const MAX_STEPS = 400_000;
/** Segments that wait for the script to look at them. */
export const MAX_CAPTURED = 100_000;
/** Milliseconds on the wall for one script. */
const MAX_WALL_MS = 10_000;
/** Wall time is asked for once in so many steps: asking costs more than a step. */
const STEPS_PER_LOOK = 256;

/** Counts what a run has used and ends it at a limit. */
export class Budget {
  private steps = 0;
  private readonly wallEnd: number;

  constructor(private readonly wallNow: () => number) {
    this.wallEnd = wallNow() + MAX_WALL_MS;
  }

  /** @param line where the script is now @param scriptUs the script's time, µs */
  spend(line: number, scriptUs: number): void {
    this.steps++;
    if (this.steps > MAX_STEPS) throw new ScriptFailure(line, `an end within ${MAX_STEPS} steps`, 'none: the script or the stack goes on and on');
    if (scriptUs > MAX_SCRIPT_US) throw new ScriptFailure(line, `an end within ${MAX_SCRIPT_US / 3.6e9} hours of script time`, 'none');
    if (this.steps % STEPS_PER_LOOK === 0 && this.wallNow() > this.wallEnd) {
      throw new ScriptFailure(line, `an end within ${MAX_WALL_MS / 1000} s on the wall`, 'none');
    }
  }
}
