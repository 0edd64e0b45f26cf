'use strict';
/*
 * Puts a real VS Code where the tests can run it: the server of the npm package `code-server`, installed once
 * into the user's cache, by version, because it is 300 MB and no dependency of the project itself.
 */
const { execFile } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { promisify } = require('node:util');
const { ensurePrograms } = require('../debian-packages.js');

const run = promisify(execFile);

/** code-server 4.100.3 carries VS Code 1.100.3, the oldest that `engines.vscode` allows, and runs on Node 20. */
const VERSION = '4.100.3';
/** Rises when the steps below change, so that an older installation is made anew. */
const RECIPE = 1;
/** One step of npm's; the largest takes about a minute on a slow line. */
const STEP_TIMEOUT_MS = 10 * 60_000;
const CHECK_TIMEOUT_MS = 30_000;
const MARKER = 'riftnet-installed.json';

const cacheFolder = () => path.join(process.env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache'), 'riftnet');
const installFolder = () => path.join(cacheFolder(), `code-server-${VERSION}`);
const serverFolder = (folder) => path.join(folder, 'node_modules', 'code-server', 'lib', 'vscode');

/** What the steps leave behind; an installation without one of them was interrupted. */
const PARTS = [
  'out/server-main.js',
  'node_modules/@vscode/spdlog/build/Release/spdlog.node',
  'node_modules/native-watchdog/build/Release/watchdog.node',
  'extensions/node_modules/typescript/lib/tsserver.js',
  'extensions/ms-vscode.js-debug/package.json',
];

/** Whether the folder holds an installation that starts. One without our marker is tried, and then marked. */
async function isInstalled(folder) {
  const server = serverFolder(folder);
  if (!PARTS.every((part) => fs.existsSync(path.join(server, part)))) return false;
  const marker = path.join(folder, MARKER);
  if (fs.existsSync(marker)) return JSON.parse(fs.readFileSync(marker, 'utf8')).recipe === RECIPE;
  try {
    await run(process.execPath, [path.join(server, 'out', 'server-main.js'), '--version'], { timeout: CHECK_TIMEOUT_MS });
  } catch {
    return false;
  }
  mark(folder);
  return true;
}

/** Written last: whatever is interrupted before it is done again. */
function mark(folder) {
  fs.writeFileSync(path.join(folder, MARKER), `${JSON.stringify({ version: VERSION, recipe: RECIPE })}\n`);
}

function needCompiler() {
  const missing = ensurePrograms(['make', 'g++', 'python3']);
  if (missing.length > 0) throw new Error(`VS Code's server has two small native parts to build, for which these programs are missing: ${missing.join(', ')}. On Debian: sudo apt-get install ${missing.join(' ')}`);
}

async function npm(folder, ...words) {
  try {
    await run('npm', [...words, '--no-audit', '--no-fund'], { cwd: folder, timeout: STEP_TIMEOUT_MS, maxBuffer: 64 * 1024 * 1024 });
  } catch (error) {
    throw new Error(`npm ${words.join(' ')} (in ${folder}) failed: ${error.stderr || error.message}`, { cause: error });
  }
}

/**
 * Makes sure of the installation.
 * @returns the folder of VS Code's server, which holds `out/server-main.js`
 * @throws Error that names the step that failed, or the programs that are missing
 */
async function installCodeServer(log = () => {}) {
  const folder = installFolder();
  if (await isInstalled(folder)) return serverFolder(folder);
  needCompiler();
  log(`installing VS Code's server (code-server ${VERSION}) into ${folder}; once, it takes some minutes`);
  fs.mkdirSync(cacheFolder(), { recursive: true });
  // Beside its place and moved there when complete: two runs at once do not meet in a half-done folder.
  const building = fs.mkdtempSync(path.join(cacheFolder(), `code-server-${VERSION}-`));
  try {
    fs.writeFileSync(path.join(building, 'package.json'), '{ "private": true }\n');
    await npm(building, 'install', `code-server@${VERSION}`, '--save-exact', '--ignore-scripts');
    const server = serverFolder(building);
    await npm(server, 'install', '--omit=dev', '--ignore-scripts');
    await npm(server, 'rebuild', '@vscode/spdlog', 'native-watchdog');
    // TypeScript, without which the editor has no IntelliSense.
    await npm(path.join(server, 'extensions'), 'install', '--omit=dev', '--ignore-scripts');
    if (!(await isInstalled(building))) {
      const missing = PARTS.filter((part) => !fs.existsSync(path.join(server, part)));
      throw new Error(`code-server ${VERSION} was installed, but ${missing.length > 0 ? `parts of it are missing: ${missing.join(', ')}` : 'its server does not start'}`);
    }
    if (!(await isInstalled(folder))) {
      fs.rmSync(folder, { recursive: true, force: true });
      fs.renameSync(building, folder);
    }
  } finally {
    fs.rmSync(building, { recursive: true, force: true });
  }
  return serverFolder(folder);
}

module.exports = { VERSION, installCodeServer, installFolder };

if (require.main === module) {
  installCodeServer(console.log).then(
    (folder) => console.log(folder),
    (error) => {
      console.error(error.message);
      process.exit(1);
    },
  );
}
