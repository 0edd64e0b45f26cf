'use strict';
/*
 * `npm run packetdrill -- [OPTIONS] FILE.pkt|FOLDER…`: builds the runner and runs it on the scripts.
 */
const path = require('node:path');
const { root, ensureDependencies, buildTests } = require('../../esbuild.js');

async function main() {
  ensureDependencies();
  await buildTests(['test/packetdrill/cli.ts', 'test/packetdrill/worker.ts']);
  const { main: runCli } = require(path.join(root, 'dist/test/packetdrill/cli.js'));
  return runCli(process.argv.slice(2));
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error) => {
    // esbuild has printed what is wrong in the sources; anything else has not been told yet.
    if (!error.errors) console.error(error);
    process.exitCode = 1;
  },
);
