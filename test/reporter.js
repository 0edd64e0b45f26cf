'use strict';
/*
 * Mocha's dots (or with `--reporter-option style=spec` its tree), and besides the totals appended to the
 * file that RIFTNET_TEST_TOTALS names, one JSON object a line, for test/run.js to add up.
 */
const fs = require('node:fs');
const { reporters } = require('mocha');

module.exports = class TotalsReporter {
  constructor(runner, options) {
    const Shown = options.reporterOptions?.style === 'spec' ? reporters.Spec : reporters.Dot;
    new Shown(runner, options);
    const file = process.env.RIFTNET_TEST_TOTALS;
    if (!file) return;
    runner.once('end', () => {
      const { passes = 0, failures = 0, pending = 0 } = runner.stats ?? {};
      fs.appendFileSync(file, `${JSON.stringify({ passed: passes, failed: failures, skipped: pending })}\n`);
    });
  }
};
