'use strict';
/*
 * `npm run bench -- [NAME…] [--json FILE] [--runs N] [--cpu-prof] [--list]`: bundles the benchmarks of this
 * folder (each file exports `benchmarks`) and runs those whose names begin with NAME, each in a fresh process.
 */
const fs = require('node:fs');
const path = require('node:path');
const { root, ensureDependencies, buildTests } = require('../../esbuild.js');

async function run() {
  ensureDependencies();
  const files = fs.readdirSync(__dirname).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'));
  await buildTests([...files.map((name) => `test/bench/${name}`), 'test/bench/support/main.ts', 'test/bench/support/child.ts', 'test/bench/support/script-server.ts']);
  const built = path.join(root, 'dist', 'test', 'bench');
  const { main } = require(path.join(built, 'support', 'main.js'));
  return main(files.map((name) => path.join(built, name.replace(/\.ts$/, '.js'))), process.argv.slice(2));
}

run().then(
  (code) => process.exit(code),
  (error) => {
    // esbuild has printed what is wrong in the sources.
    if (!error.errors) console.error(error.message);
    process.exit(1);
  },
);
