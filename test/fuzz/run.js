'use strict';
/*
 * `npm run fuzz -- [--seconds N] [--seed S [--path P]]`: drives a whole stack with mutated frames for N seconds.
 * A failure prints a seed and a path, which replay it.
 */
const { parseArgs } = require('node:util');
const { ensureDependencies } = require('../../esbuild.js');
const { runMocha } = require('../unit.js');

const USAGE = 'npm run fuzz -- [--seconds N] [--seed S [--path P]]';
/** Beside the fuzzing itself: building, starting, and taking a failure apart. */
const SPARE_MS = 180_000;

function main() {
  const { values } = parseArgs({ options: { seconds: { type: 'string', default: '20' }, seed: { type: 'string' }, path: { type: 'string' } } });
  const seconds = Number(values.seconds);
  if (!(seconds > 0 && seconds <= 86_400)) throw new Error(`--seconds ${values.seconds}: a number from 1 to 86400 is meant. ${USAGE}`);
  process.env.RIFTNET_FUZZ_SECONDS = String(seconds);
  if (values.seed !== undefined) process.env.FC_SEED = values.seed;
  if (values.path !== undefined) process.env.FC_PATH = values.path;
  ensureDependencies();
  return runMocha(['test/fuzz/session.test.ts'], ['--timeout', String(seconds * 1_000 + SPARE_MS), '--reporter-option', 'style=spec']);
}

Promise.resolve()
  .then(main)
  .then(
    (code) => {
      process.exitCode = code;
    },
    (error) => {
      // esbuild has printed what is wrong in the sources; anything else has not been told yet.
      if (!error.errors) console.error(error.message);
      process.exitCode = 1;
    },
  );
