'use strict';
/*
 * Builds everything into dist/: the extension, the worker, the script process and the terminal command.
 * `node esbuild.js` builds once, `--watch` goes on, `--production` leaves out source maps and shortens.
 */
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const root = __dirname;

/** Installs the locked dependencies if they are missing. `cap` is optional: a machine without a compiler goes without. */
function ensureDependencies() {
  const marker = path.join(root, 'node_modules', '.package-lock.json');
  const lock = path.join(root, 'package-lock.json');
  if (fs.existsSync(marker) && fs.statSync(marker).mtimeMs >= fs.statSync(lock).mtimeMs) return;
  execFileSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'], shell: process.platform === 'win32' });
  // npm keeps the lock file's own time on a fresh clone: mark the install as newer.
  fs.utimesSync(marker, new Date(), new Date());
}

/** What every bundle shares. Native and generated packages stay outside. */
const common = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  sourcemap: true,
  logLevel: 'warning',
  external: ['vscode', 'esbuild', 'cap', 'koffi'],
};

const entries = {
  extension: 'extension/extension.ts',
  worker: 'extension/worker/main.ts',
  script: 'extension/worker/script/main.ts',
  cli: 'extension/cli.ts',
};

/** Options for the product's bundles; entries that do not exist yet would be an error of the build. */
function productOptions(production) {
  return { ...common, entryPoints: entries, outdir: 'dist', minify: production, sourcemap: production ? false : true };
}

/** Builds test files (paths below test/) each into a bundle of its own below dist/test/. */
async function buildTests(files) {
  const esbuild = require('esbuild');
  await esbuild.build({ ...common, entryPoints: files, outdir: 'dist/test', outbase: 'test', packages: 'external', sourcemap: 'inline' });
}

async function buildProduct({ production = false, watch = false } = {}) {
  const esbuild = require('esbuild');
  const options = productOptions(production);
  if (!watch) return void (await esbuild.build(options));
  const context = await esbuild.context(options);
  await context.watch();
}

module.exports = { root, ensureDependencies, buildProduct, buildTests };

if (require.main === module) {
  const flags = new Set(process.argv.slice(2));
  ensureDependencies();
  buildProduct({ production: flags.has('--production'), watch: flags.has('--watch') }).catch(() => process.exit(1));
}
