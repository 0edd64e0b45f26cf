'use strict';
/*
 * Builds everything into dist/: the extension, the worker, the script process and the terminal command.
 * `node esbuild.js` builds once, `--watch` goes on, `--production` leaves out source maps and shortens.
 */
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const root = __dirname;

/** Whether node_modules was installed from the lock file as it is now. */
function dependenciesAreFresh() {
  const marker = path.join(root, 'node_modules', '.package-lock.json');
  const lock = path.join(root, 'package-lock.json');
  return fs.existsSync(marker) && fs.statSync(marker).mtimeMs >= fs.statSync(lock).mtimeMs;
}

/**
 * Installs the locked dependencies if they are missing or older than the lock file. `cap` is optional:
 * npm leaves it out by itself on a machine without a compiler.
 */
function ensureDependencies() {
  if (dependenciesAreFresh()) return;
  console.error('Installing the locked dependencies (npm ci) …');
  // One string, because npm is a batch file on Windows, which only a shell starts; nothing in it is given by a user.
  const result = spawnSync('npm ci --no-audit --no-fund --loglevel=error', { cwd: root, shell: true, stdio: ['ignore', 'ignore', 'inherit'] });
  if (result.status !== 0) {
    throw new Error(`npm ci failed (${result.error?.message ?? `exit code ${result.status ?? result.signal}`}) in ${root}: see npm's words above; the npm registry must be reachable.`);
  }
  // npm may keep an older time on its marker than a fresh clone gives the lock file: mark the install as newer.
  const now = new Date();
  fs.utimesSync(path.join(root, 'node_modules', '.package-lock.json'), now, now);
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

/** The product's bundles: name in dist/ -> entry. */
const entries = {
  extension: 'extension/extension.ts',
  worker: 'extension/worker/main.ts',
  script: 'extension/worker/script/main.ts',
  // Compiled when a script first calls fetch: most scripts need not wait for an HTTP client to load.
  'script-http': 'extension/worker/script/http/main.ts',
  cli: 'extension/cli.ts',
};

function productOptions(production) {
  const present = Object.fromEntries(Object.entries(entries).filter(([, entry]) => fs.existsSync(path.join(root, entry))));
  return { ...common, entryPoints: present, outdir: 'dist', minify: production, sourcemap: !production };
}

/** Builds files below the root each into a bundle of its own, below dist/ at the same path. Packages stay outside. */
async function buildTests(files) {
  if (files.length === 0) return;
  const esbuild = require('esbuild');
  await esbuild.build({ ...common, entryPoints: files, outdir: 'dist', outbase: '.', packages: 'external', sourcemap: 'inline' });
}

/** Builds the product; with `watch`, again on every change until the process ends. */
async function buildProduct({ production = false, watch = false } = {}) {
  const esbuild = require('esbuild');
  if (!watch) return void (await esbuild.build(productOptions(production)));
  // VS Code's background task waits for these two lines before it starts debugging.
  const tell = {
    name: 'tell',
    setup(build) {
      build.onStart(() => console.log('[watch] build started'));
      build.onEnd(() => console.log('[watch] build finished'));
    },
  };
  const context = await esbuild.context({ ...productOptions(production), plugins: [tell] });
  await context.watch();
}

module.exports = { root, entries, ensureDependencies, buildProduct, buildTests };

if (require.main === module) {
  const known = new Set(['--production', '--watch']);
  const flags = process.argv.slice(2);
  const unknown = flags.filter((flag) => !known.has(flag));
  if (unknown.length > 0) {
    console.error(`Unknown option ${unknown.join(' ')}; known: ${[...known].join(' ')}`);
    process.exit(2);
  }
  try {
    ensureDependencies();
  } catch (error) {
    console.error(error.message);
    process.exit(1);
  }
  // esbuild has printed what is wrong.
  buildProduct({ production: flags.includes('--production'), watch: flags.includes('--watch') }).catch(() => process.exit(1));
}
