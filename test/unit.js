'use strict';
/*
 * Builds and runs mocha tests: `node test/unit.js [PATH…] [-- MOCHA ARGUMENTS]`. A path names a test file or
 * a folder; without one, every unit test.
 */
const fs = require('node:fs');
const path = require('node:path');
const { spawn } = require('node:child_process');
const { root, buildTests } = require('../esbuild.js');

const UNIT = ['test/stack', 'test/extension', 'test/types', 'test/docs', 'test/arch', 'test/support', 'test/packetdrill', 'test/sim', 'test/fuzz', 'test/bench'];

/** All `*.test.ts` at or below the given paths, relative to the root, in the order given. */
function testFiles(paths) {
  const found = new Set();
  const visit = (relative) => {
    const absolute = path.join(root, relative);
    if (!fs.existsSync(absolute)) return;
    if (fs.statSync(absolute).isDirectory()) for (const name of fs.readdirSync(absolute).sort()) visit(path.posix.join(relative, name));
    else if (relative.endsWith('.test.ts')) found.add(relative);
  };
  for (const given of paths) visit(path.relative(root, path.resolve(given)).split(path.sep).join('/'));
  return [...found];
}

/** Builds the files and runs them in mocha. @returns mocha's exit code */
async function runMocha(files, mochaArguments = []) {
  await buildTests(files);
  const bundles = files.map((file) => path.join('dist', file.replace(/\.ts$/, '.js')));
  const args = ['--enable-source-maps', 'node_modules/mocha/bin/mocha.js', '--reporter', 'test/reporter.js', '--timeout', '10000', ...mochaArguments, ...bundles];
  const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit' });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 1));
  });
}

module.exports = { testFiles, runMocha, UNIT };

if (require.main === module) {
  const split = process.argv.indexOf('--');
  const paths = process.argv.slice(2, split < 0 ? undefined : split);
  const rest = split < 0 ? [] : process.argv.slice(split + 1);
  const files = testFiles(paths.length ? paths : UNIT);
  if (files.length === 0) {
    console.error(`No *.test.ts at or below: ${(paths.length ? paths : UNIT).join(', ')}`);
    process.exit(1);
  }
  runMocha(files, rest).then(
    (code) => process.exit(code),
    // esbuild has printed what is wrong in the sources; anything else has not been told yet.
    (error) => {
      if (!error.errors) console.error(error);
      process.exit(1);
    },
  );
}
