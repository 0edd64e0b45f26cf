'use strict';
/* VS Code's own server, and Chromium as its window. Everything that is started here is ended here. */
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const readline = require('node:readline');
const { format } = require('node:util');
const { chromium: playwright } = require('playwright-core');
const { root } = require('../../esbuild.js');
const { startBrowserControl } = require('./browser-control.js');
const { outputFolder, severalRoots, suitesFolder, untrustedFolder, workspaceFolder } = require('./build.js');
const { installCodeServer } = require('./install-code-server.js');
const { walk } = require('./walk.js');

/** From the server's start to its line with the port. */
const SERVER_START_MS = 120_000;
/** How long the server's processes may take to end when asked. */
const SERVER_END_MS = 5_000;
/** From the page's opening to the extension host's first word: without one the suites would never begin. */
const PAGE_LOAD_MS = 180_000;

/** What a window's server is like. `trust`: VS Code asks whether to trust the folder. */
const TRUSTING = { trust: false, locale: 'en' };
/** The windows that suites run in, each with suites and a server of its own: what one leaves behind, the next does not meet. */
const WINDOWS = [
  { name: 'usual', opens: { folder: workspaceFolder }, entry: 'index.js', server: TRUSTING },
  { name: 'no-folder', opens: { ew: 'true' }, entry: 'index-no-folder.js', server: TRUSTING },
  { name: 'several-roots', opens: { workspace: severalRoots }, entry: 'index-several-roots.js', server: TRUSTING },
  { name: 'german', opens: { folder: workspaceFolder }, entry: 'index-german.js', server: { ...TRUSTING, locale: 'de' } },
  { name: 'untrusted', opens: { folder: untrustedFolder }, entry: 'index-untrusted.js', server: { ...TRUSTING, trust: true } },
];

/** Characters of the window's own log that are kept. */
const MAX_WINDOW_LOG = 4 * 1024 * 1024;
/** Begins each line that the suites print, among the many that the window logs; `index.ts` puts it there. */
const SUITE_MARK = 'riftnet-suite|';

const CHROMIUM_ARGUMENTS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

/**
 * A language pack without a word in it: VS Code itself stays English, and takes its language for the window's, in
 * which extensions then have their texts. The real pack comes from the marketplace alone.
 */
function installLanguagePack(dataFolder, locale) {
  const pack = path.join(dataFolder, 'language-pack');
  const id = 'riftnet-tests.language-pack';
  const translations = path.join(pack, 'main.i18n.json');
  fs.mkdirSync(pack, { recursive: true });
  fs.writeFileSync(translations, JSON.stringify({ version: '1.0.0', contents: {} }));
  const data = path.join(dataFolder, 'server', 'data');
  fs.mkdirSync(data, { recursive: true });
  const packs = { [locale]: { hash: 'riftnet-tests', extensions: [{ extensionIdentifier: { id }, version: '1.0.0' }], translations: { vscode: translations }, label: locale } };
  fs.writeFileSync(path.join(data, 'languagepacks.json'), JSON.stringify(packs));
}

/** @returns the port, and how to end the server with whatever it has started */
async function startServer(serverFolder, dataFolder, env, { trust, locale }) {
  fs.mkdirSync(dataFolder, { recursive: true });
  if (locale !== 'en') installLanguagePack(dataFolder, locale);
  const child = spawn(
    process.execPath,
    [
      path.join(serverFolder, 'out', 'server-main.js'),
      ...['--host', '127.0.0.1', '--port', '0', '--without-connection-token', '--accept-server-license-terms', '--telemetry-level', 'off'],
      ...['--server-data-dir', path.join(dataFolder, 'server'), '--extensions-dir', path.join(dataFolder, 'extensions')],
      ...['--locale', locale],
      ...(trust ? [] : ['--disable-workspace-trust']),
    ],
    // A group of its own, so that the extension host and all it starts can be ended together.
    { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const signalGroup = (signal) => {
    try {
      process.kill(-child.pid, signal);
      return true;
    } catch {
      return false; // Nobody is left in the group.
    }
  };
  const stop = async () => {
    signalGroup('SIGTERM');
    let timer;
    await Promise.race([exited, new Promise((resolve) => (timer = setTimeout(resolve, SERVER_END_MS)))]);
    clearTimeout(timer);
    signalGroup('SIGKILL');
  };
  const lines = [];
  try {
    const port = await new Promise((resolve, reject) => {
      const fail = (why) => reject(new Error(`VS Code's server ${why}:\n${lines.join('\n')}`));
      const timer = setTimeout(fail, SERVER_START_MS, `did not start within ${SERVER_START_MS / 1000} s`);
      child.once('error', (error) => fail(`could not be started: ${error.message}`));
      child.once('exit', (code) => fail(`ended at once with code ${code}`));
      for (const stream of [child.stdout, child.stderr]) {
        readline.createInterface({ input: stream }).on('line', (line) => {
          if (lines.length < 200) lines.push(line);
          const match = /Extension host agent listening on (\d+)/.exec(line);
          if (!match) return;
          clearTimeout(timer);
          resolve(Number(match[1]));
        });
      }
    });
    return { port, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The address of a window that loads the extension from its sources and runs the suites in it. */
function windowAddress(port, { opens, entry }) {
  const remote = (file) => `vscode-remote://127.0.0.1:${port}${file}`;
  const payload = [
    ['extensionDevelopmentPath', remote(root)],
    ['extensionTestsPath', remote(path.join(suitesFolder, entry))],
    ['skipWelcome', 'true'],
  ];
  return `http://127.0.0.1:${port}/?${new URLSearchParams({ ...opens, payload: JSON.stringify(payload) })}`;
}

/**
 * Opens the window and waits for the suites' end.
 * @param log what the window itself says
 * @returns the exit code
 */
async function runInBrowser(page, address, signal, log) {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    page.once('close', () => reject(new Error('the window was closed before the suites were done')));
    page.once('crash', () => reject(new Error('the window crashed')));
    const silent = setTimeout(() => reject(new Error(`the extension host said nothing within ${PAGE_LOAD_MS / 1000} s of the window's opening`)), PAGE_LOAD_MS);
    const open = async () => {
      await page.exposeFunction('codeAutomationLog', (type, args) => {
        const text = format(...args);
        if (!text.startsWith(SUITE_MARK)) return log(`${type}: ${text}`);
        clearTimeout(silent);
        process.stdout.write(`${text.replaceAll(SUITE_MARK, '')}\n`);
      });
      await page.exposeFunction('codeAutomationExit', (code) => {
        clearTimeout(silent);
        resolve(code);
      });
      await page.goto(address, { timeout: PAGE_LOAD_MS });
    };
    open().catch(reject);
  });
}

/** Keeps what the window says for whoever looks into a failure. */
function windowLog() {
  const stream = fs.createWriteStream(path.join(outputFolder, 'window.log'));
  let left = MAX_WINDOW_LOG;
  return (text) => {
    left -= text.length;
    if (left > 0) stream.write(`${text}\n`);
  };
}

async function launch({ serverFolder, chromium, signal, windows = [] }) {
  const dataFolder = fs.mkdtempSync(path.join(os.tmpdir(), 'riftnet-vscode-'));
  const closers = [() => fs.rmSync(dataFolder, { recursive: true, force: true, maxRetries: 5 })];
  let page = null;
  try {
    const browser = await playwright.launch({ executablePath: chromium, args: CHROMIUM_ARGUMENTS, handleSIGINT: false, handleSIGTERM: false });
    closers.push(() => browser.close());
    const control = await startBrowserControl(() => page, outputFolder);
    closers.push(() => control.stop());
    const log = windowLog();
    let failed = 0;
    for (const window of WINDOWS) {
      if (windows.length > 0 && !windows.includes(window.name)) continue;
      signal.throwIfAborted();
      const server = await startServer(serverFolder, path.join(dataFolder, window.name), { ...process.env, RIFTNET_TEST_BROWSER: control.address }, window.server);
      closers.push(() => server.stop());
      page = await browser.newPage({ viewport: { width: 1280, height: 800 }, permissions: ['clipboard-read', 'clipboard-write'] });
      const code = await runInBrowser(page, windowAddress(server.port, window), signal, log);
      if (code !== 0) await lastScreenshot(page);
      failed ||= code;
      // Before the server goes, so that the window does not try to reach it again.
      await page.close();
      await server.stop();
    }
    if (windows.length === 0 || windows.includes('walk')) {
      signal.throwIfAborted();
      failed += await walk({ browser, dataFolder: path.join(dataFolder, 'walk'), serverFolder, startServer: (...where) => startServer(...where, TRUSTING) });
    }
    return failed;
  } catch (error) {
    if (page) await lastScreenshot(page);
    throw error;
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

/** How the window looked when something went wrong. */
async function lastScreenshot(page) {
  await page.screenshot({ path: path.join(outputFolder, 'failed.png'), timeout: 5_000 }).catch(() => {});
}

module.exports = { launch, prepare: async () => ({ serverFolder: await installCodeServer(console.log) }) };
