'use strict';
/*
 * What is read from the output of a phase while it is passed on: mocha's totals, for a suite whose reporter runs
 * where no file of ours is written, and what to say again at the end, where a long log's reader looks first.
 */

/** Of one phase; what is beyond stays in the log above. */
const MAX_LINES_AGAIN = 120;
/** Of a command that failed without mocha, the end is what tells why. */
const LAST_LINES = 20;
const MAX_LINE = 1_000;

const KEYS = { passing: 'passed', failing: 'failed', pending: 'skipped' };
// eslint-disable-next-line no-control-regex -- colours are control characters
const COLOURS = /\x1b\[[\d;]*m/g;

class PhaseOutput {
  constructor() {
    this.counted = { passed: 0, failed: 0, skipped: 0, seen: false };
    /** Mocha's lists of failures: from `N failing` to the end, or to the next mocha's totals. */
    this.failures = [];
    this.last = [];
    this.rest = '';
    this.inFailures = false;
  }

  add(chunk) {
    const lines = (this.rest + chunk.toString('utf8')).split('\n');
    this.rest = (lines.pop() ?? '').slice(-MAX_LINE);
    for (const line of lines) this.addLine(line.slice(0, MAX_LINE).replace(COLOURS, ''));
  }

  addLine(line) {
    this.last.push(line);
    if (this.last.length > LAST_LINES) this.last.shift();
    const total = /^\s*(\d+) (passing|failing|pending)\b/.exec(line);
    if (total) {
      this.counted.seen = true;
      this.counted[KEYS[total[2]]] += Number(total[1]);
      this.inFailures = total[2] === 'failing';
    }
    if (this.inFailures && this.failures.length < MAX_LINES_AGAIN) this.failures.push(line);
  }

  /** What tells why the phase failed. */
  excerpt() {
    return this.failures.length > 0 ? this.failures : this.last;
  }
}

module.exports = { PhaseOutput };
