'use strict';
/*
 * `npm run sim -- [--update] [--cells RTT/LOSS/RATE,…] [--seeds N] [--seed S]`: builds the simulator and runs it.
 */
const path = require('node:path');
const { root, ensureDependencies, buildTests } = require('../../esbuild.js');

async function main() {
  ensureDependencies();
  await buildTests(['test/sim/cli.ts']);
  const { main: runCli } = require(path.join(root, 'dist/test/sim/cli.js'));
  return runCli(__dirname, process.argv.slice(2));
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error) => {
    // esbuild has printed what is wrong in the sources; anything else has not been told yet.
    if (!error.errors) console.error(error.message);
    process.exitCode = 1;
  },
);
