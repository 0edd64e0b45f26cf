'use strict';
/*
 * Builds everything into dist/: the extension, the worker, the script process and the terminal command.
 * `node esbuild.js` builds once, `--watch` goes on, `--production` leaves out source maps and shortens.
 */
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const root = __dirname;

/**
 * Whether node_modules holds what the lock file names, by npm's own record of what it installed. Versions are
 * compared, not times: a clone, a checkout or `npm install` leaves the two files in any order.
 */
function dependenciesAreFresh() {
  const record = path.join(root, 'node_modules', '.package-lock.json');
  if (!fs.existsSync(record)) return false;
  const installed = JSON.parse(fs.readFileSync(record, 'utf8')).packages;
  const locked = JSON.parse(fs.readFileSync(path.join(root, 'package-lock.json'), 'utf8')).packages;
  return Object.entries(locked).every(([place, entry]) => place === '' || entry.optional || installed[place]?.version === entry.version);
}

/**
 * `cap` compiled with assertions aborts the whole process when its interface goes down. The assertion's own text
 * is in such a build.
 */
function capHasAssertions() {
  const binary = path.join(root, 'node_modules', 'cap', 'build', 'Release', 'cap.node');
  return fs.existsSync(binary) && fs.readFileSync(binary).includes('status == 0');
}

function npm(command) {
  // One string, because npm is a batch file on Windows, which only a shell starts; nothing in it is given by a user.
  const env = { ...process.env, CXXFLAGS: `${process.env.CXXFLAGS ?? ''} -DNDEBUG`.trim() };
  return spawnSync(`npm ${command}`, { cwd: root, shell: true, env, stdio: ['ignore', 'ignore', 'inherit'] });
}

/**
 * Installs the locked dependencies if they are missing or others than the lock file names. `cap` is optional:
 * npm leaves it out by itself on a machine without a compiler. It is built without assertions.
 */
function ensureDependencies() {
  if (!dependenciesAreFresh()) {
    console.error('Installing the locked dependencies (npm ci) …');
    const result = npm('ci --no-audit --no-fund --loglevel=error');
    if (result.status !== 0) {
      throw new Error(`npm ci failed (${result.error?.message ?? `exit code ${result.status ?? result.signal}`}) in ${root}: see npm's words above; the npm registry must be reachable.`);
    }
  }
  if (!capHasAssertions()) return;
  console.error('Building cap without assertions (npm rebuild cap) …');
  // A build that fails leaves the old one, or none: the link then goes over libpcap, and says why.
  if (npm('rebuild cap --loglevel=error').status !== 0) console.error('cap was not rebuilt: see the words above. The link uses libpcap instead.');
}

/**
 * Installs `cap` where `npm ci` had to leave it out: once libpcap's headers and a compiler have come.
 * @throws Error if it still cannot be built
 */
function ensureCap() {
  const binary = path.join(root, 'node_modules', 'cap', 'build', 'Release', 'cap.node');
  if (fs.existsSync(binary)) return;
  console.error('Installing cap (npm install) …');
  npm('install --no-save --no-audit --no-fund --loglevel=error');
  if (!fs.existsSync(binary)) throw new Error('cap could not be built: it needs libpcap\'s headers (Debian package libpcap-dev), a C++ compiler, make and Python');
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
  script: 'extension/worker/script/boot.ts',
  'script-main': 'extension/worker/script/main.ts',
  // Compiled when a script first calls fetch: most scripts need not wait for an HTTP client to load.
  'script-http': 'extension/worker/script/http/main.ts',
  cli: 'extension/cli.ts',
  // What a Node is asked by, before it is taken for the worker.
  probe: 'extension/doctor/probe.ts',
  doctor: 'extension/doctor/main.ts',
};

function productOptions(production) {
  // jsonc-parser's main file loads its parts in a way that cannot be bundled.
  const alias = { 'jsonc-parser': 'jsonc-parser/lib/esm/main.js' };
  return { ...common, alias, entryPoints: entries, outdir: 'dist', minify: production, sourcemap: !production };
}

/**
 * Builds, and writes each file in one step if it is not yet as it should be: others may be starting it, as tests do
 * that run beside those that build.
 */
async function build(options) {
  const { outputFiles } = await require('esbuild').build({ ...options, write: false });
  for (const { path: file, contents } of outputFiles) {
    if (fs.existsSync(file) && fs.readFileSync(file).equals(contents)) continue;
    fs.mkdirSync(path.dirname(file), { recursive: true });
    const beside = `${file}.${process.pid}`;
    // As esbuild itself does, with what begins with `#!`.
    fs.writeFileSync(beside, contents, { mode: contents[0] === 0x23 && contents[1] === 0x21 ? 0o755 : 0o644 });
    fs.renameSync(beside, file);
  }
}

/** Builds some of the product's bundles, by their names, into another folder, without source maps. */
async function buildParts(names, outdir, { minify = false } = {}) {
  const entryPoints = Object.fromEntries(names.map((name) => [name, entries[name]]));
  await build({ ...productOptions(true), entryPoints, outdir, minify });
}

/** Builds files below the root each into a bundle of its own, below dist/ at the same path. Packages stay outside. */
async function buildTests(files) {
  if (files.length === 0) return;
  await build({ ...common, entryPoints: files, outdir: 'dist', outbase: '.', packages: 'external', sourcemap: 'inline' });
}

/** Builds the product; with `watch`, again on every change until the process ends. */
async function buildProduct({ production = false, watch = false } = {}) {
  if (!watch) return build(productOptions(production));
  // VS Code's background task waits for these two lines before it starts debugging.
  const tell = {
    name: 'tell',
    setup(build) {
      build.onStart(() => console.log('[watch] build started'));
      build.onEnd(() => console.log('[watch] build finished'));
    },
  };
  const context = await require('esbuild').context({ ...productOptions(production), plugins: [tell] });
  await context.watch();
}

module.exports = { root, entries, ensureDependencies, ensureCap, buildParts, buildProduct, buildTests };

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
