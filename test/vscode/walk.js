'use strict';
/*
 * The walk: the packaged extension in a VS Code that does not know the repository, and all that a person does in it
 * by keys and mouse. Each step leaves its pictures in each kind of theme in test-output/vscode/walk/, to be looked at.
 */
const { execFile } = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { promisify } = require('node:util');
const Mocha = require('mocha');
const { packageExtension } = require('../../package.js');
const { outputFolder } = require('./build.js');

const run = promisify(execFile);
const INSTALL_MS = 120_000;
/** One thing that a person waits for, on a busy machine. */
const WAIT_MS = 45_000;
const STEP_MS = 150_000;
/** The palette shows what it has, or has been closed by something else. */
const PALETTE_MS = 15_000;
/** A hover comes after half a second, or not at all. */
const HOVER_MS = 4_000;
const PICTURES = path.join(outputFolder, 'walk');
/** Name of the picture -> VS Code's theme, and the class that the window has in it. */
const THEMES = [
  ['light', 'Default Light Modern', 'vs'],
  ['dark', 'Default Dark Modern', 'vs-dark'],
  ['high-contrast', 'Default High Contrast', 'hc-black'],
  ['high-contrast-light', 'Default High Contrast Light', 'hc-light'],
];

const ROW = '.pane-body .monaco-list-row';
const OUTPUT = '.part.panel .view-line';

/** @returns the number of steps that failed */
async function walk({ browser, dataFolder, serverFolder, startServer }) {
  const { file } = await packageExtension();
  const extensions = path.join(dataFolder, 'extensions');
  fs.mkdirSync(extensions, { recursive: true });
  await run(process.execPath, [path.join(serverFolder, 'out', 'server-main.js'), '--install-extension', file, '--extensions-dir', extensions, '--server-data-dir', path.join(dataFolder, 'server'), '--accept-server-license-terms'], { timeout: INSTALL_MS });
  fs.mkdirSync(PICTURES, { recursive: true });
  const workspace = path.join(dataFolder, 'workspace');
  fs.mkdirSync(path.join(workspace, '.vscode'), { recursive: true });
  const server = await startServer(serverFolder, dataFolder, process.env);
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  page.setDefaultTimeout(WAIT_MS);
  const site = http.createServer((request, response) => {
    if (request.url === '/slow') return;
    response.writeHead(request.url === '/missing' ? 404 : 200, { 'content-type': 'application/json' }).end('{"name":"rift","size":3}');
  });
  await new Promise((resolve) => site.listen(0, '127.0.0.1', resolve));
  try {
    const mocha = new Mocha({ timeout: STEP_MS, bail: true, color: false, reporter: 'spec' });
    mocha.suite.emit('pre-require', global, 'walk', mocha);
    describeWalk({ page, workspace, extensions, address: `http://127.0.0.1:${server.port}/?${new URLSearchParams({ folder: workspace, payload: JSON.stringify([['skipWelcome', 'true']]) })}`, port: site.address().port });
    return await new Promise((resolve) => mocha.run(resolve));
  } finally {
    site.closeAllConnections();
    site.close();
    await page.close();
    await server.stop();
  }
}

function describeWalk({ page, workspace, extensions, address, port }) {
  const { after, afterEach, before, describe, it } = global;
  const settingsFile = path.join(workspace, '.vscode', 'settings.json');
  const setTheme = (theme) => {
    const settings = {
      'riftnet.link': 'gateway', 'riftnet.hostAddress': '127.0.0.1', 'workbench.startupEditor': 'none', 'workbench.enableExperiments': false, 'workbench.colorTheme': theme,
      'window.autoDetectColorScheme': false, 'editor.accessibilitySupport': 'off', 'git.enabled': false, 'remote.autoForwardPorts': false, 'files.autoSave': 'off',
      // What is written here comes as it is, not as an editor helps it along.
      'editor.autoIndent': 'none', 'editor.autoClosingBrackets': 'never',
    };
    fs.writeFileSync(settingsFile, JSON.stringify(settings, null, 2));
  };
  let step = 0;
  /**
   * Takes what is on the screen in each theme.
   * @param again brings back what a change of the theme takes away
   * @param pages a part of it for the pages of `media/walkthrough`: its name, and where it is
   */
  const look = async (name, again = async () => {}, pages = null) => {
    const number = String(++step).padStart(2, '0');
    for (const [label, theme, mark] of THEMES) {
      setTheme(theme);
      await page.locator(`.monaco-workbench.${mark}`).waitFor();
      await again();
      await page.evaluate(async () => {
        // The editor's colours come a frame later than the window's, and some of the window's by and by. What spins goes on.
        await new Promise((resolve) => globalThis.requestAnimationFrame(() => globalThis.requestAnimationFrame(resolve)));
        const passing = globalThis.document.getAnimations().filter((animation) => Number.isFinite(animation.effect?.getComputedTiming().endTime ?? 0));
        await Promise.allSettled(passing.map((animation) => animation.finished));
      });
      await page.screenshot({ path: path.join(PICTURES, `${number}-${name}-${label}.png`) });
      if (pages !== null) await page.screenshot({ path: path.join(PICTURES, `${pages.name}-${label}.png`), clip: pages.clip });
    }
  };
  const see = (selector) => page.locator(selector).first().waitFor();
  const click = (selector, options) => page.locator(selector).first().click(options);
  const command = async (name) => {
    // Something that opens meanwhile takes the focus, and the palette closes: a person opens it again.
    for (let attempt = 1; ; attempt++) {
      try {
        await page.keyboard.press('F1');
        await page.locator('.quick-input-widget input').first().fill(`>${name}`, { timeout: PALETTE_MS });
        return await click(`.quick-input-list .monaco-list-row:has-text("${name}")`, { timeout: PALETTE_MS });
      } catch (error) {
        if (attempt === 3) throw error;
      }
    }
  };
  /** Puts a text in place of all that the active editor holds. */
  const write = async (text) => {
    await click('.editor-instance .view-lines');
    await page.keyboard.press('Control+A');
    await page.keyboard.press('Delete');
    await page.keyboard.insertText(text);
    await page.keyboard.press('Control+S');
  };
  const open = async (name) => {
    await page.locator(`.explorer-folders-view .monaco-list-row:has-text("${name}")`).dblclick();
    await see(`.tab.active:has-text("${name}")`);
  };
  const dismiss = () => command('Notifications: Clear All Notifications');

  describe('A person who has installed the package', () => {
    before(async () => {
      setTheme(THEMES[0][1]);
      fs.writeFileSync(path.join(workspace, 'walk.ts'), '');
      await page.goto(address, { timeout: STEP_MS });
      await see('.monaco-workbench .explorer-folders-view');
    });

    afterEach(async function () {
      if (this.currentTest?.state === 'failed') await page.screenshot({ path: path.join(PICTURES, 'failed.png') });
    });

    after(() => setTheme(THEMES[0][1]));

    it('has it in a VS Code without the repository', () => {
      const [installed] = fs.readdirSync(extensions).filter((name) => name.startsWith('riftnet.riftnet-'));
      if (installed === undefined) throw new Error(`nothing was installed into ${extensions}`);
      for (const left of ['stack', 'test', 'extension', 'esbuild.js']) if (fs.existsSync(path.join(extensions, installed, left))) throw new Error(`${left} is in the package`);
    });

    it('is told by the walkthrough how to begin', async () => {
      await command('Welcome: Open Walkthrough');
      await click('.quick-input-list .monaco-list-row:has-text("Riftnet")');
      await see('.gettingStartedContainer .step-title >> text=Run a script');
      // With room for the page and its picture side by side.
      await page.keyboard.press('Control+B');
      await look('walkthrough');
      for (const title of ['Watch its sockets', 'Stop at a line', 'Use the real network']) {
        await click(`.gettingStartedContainer .step-title >> text=${title}`);
        await see('.gettingStartedContainer .getting-started-media img:visible, .gettingStartedContainer .getting-started-media iframe:visible, .gettingStartedContainer .getting-started-media svg:visible, .gettingStartedContainer .getting-started-media .webview:visible');
        await look(`walkthrough-${title.split(' ')[0].toLowerCase()}`);
      }
      await page.keyboard.press('Control+B');
      await command('View: Close All Editors');
    });

    it('sets the folder up', async () => {
      await command('Riftnet: Set Up Script Folder');
      await see('.notification-list-item >> text=is set up');
      await see('.explorer-folders-view .monaco-list-row:has-text("tsconfig.json")');
      await look('set-up');
      await dismiss();
    });

    it("runs a script from the Explorer's menu and from the editor's", async () => {
      for (const where of ['.explorer-folders-view .monaco-list-row:has-text("hello.ts")', '.editor-instance .view-lines']) {
        if (where.startsWith('.editor')) await open('hello.ts');
        await click(where, { button: 'right' });
        const entry = '.monaco-menu .action-item:has-text("Run Script")';
        await see(entry);
        if (where.startsWith('.editor')) await look('menu', async () => {
          if (await page.locator(entry).first().isVisible()) return;
          await click(where, { button: 'right' });
          await see(entry);
        });
        // A menu that has just opened takes no click: what it was opened by may be the same hand's.
        await page.locator(entry).first().hover();
        await page.keyboard.press('Enter');
        await see(`${OUTPUT} >> text=Hello from Riftnet`);
        await click('.part.panel .action-label[aria-label^="Clear Output"]');
        await page.locator(`${OUTPUT} >> text=Hello from Riftnet`).waitFor({ state: 'detached' });
      }
      await command('View: Close All Editors');
      await page.keyboard.press('Control+J');
    });

    it('writes a script by a snippet', async () => {
      await open('walk.ts');
      await click('.editor-instance .view-lines');
      await page.keyboard.type('netfetch', { delay: 5 });
      await see('.suggest-widget.visible .monaco-list-row:has-text("netfetch")');
      await look('snippet');
      await page.keyboard.press('Enter');
      await see('.editor-instance .view-line:has-text("await fetch(")');
      await page.keyboard.press('Escape');
    });

    it('runs it, and watches its sockets and what it prints', async () => {
      await write(`const base = 'http://localhost:${port}';\nconst page = await fetch(base + '/item');\nprint(page.status, page.json());\nawait fetch(base + '/missing');\nconst refused = Network.Connect('localhost', 1);\nconst socket = Network.Connect('localhost', ${port});\nwhile (socket.status === 'connecting') await Event.OnTick;\nwhile (refused.status === 'connecting') await Event.OnTick;\nEvent.OnTick.once(() => {\n  throw new Error('shown with its line');\n});\nawait fetch(base + '/slow');\n`);
      await click('.activitybar .action-item:has([aria-label^="Riftnet"])');
      // Wide enough to read the rows.
      await page.mouse.move(348, 420);
      await page.mouse.down();
      await page.mouse.move(560, 420, { steps: 4 });
      await page.mouse.up();
      await click('.editor-actions .action-label[aria-label^="Run Script"]');
      await see(`${ROW}:has-text("GET localhost:${port}/slow")`);
      await see(`${ROW}:has-text("404 Not Found")`);
      await see(`${OUTPUT} >> text=shown with its line`);
      await see('.activitybar .action-item:has([aria-label^="Riftnet"]) .badge-content >> text=2');
      await look('running', undefined, { name: 'run', clip: { x: 560, y: 35, width: 720, height: 744 } });
    });

    it('finds all scripts behind the status bar', async () => {
      await click('.statusbar-item:has-text("Riftnet: 1 script")');
      await see('.quick-input-list .monaco-list-row:has-text("walk.ts")');
      await look('scripts');
      await page.keyboard.press('Escape');
    });

    it('reads more of a socket where the mouse rests', async () => {
      await look('hover', async () => {
        const row = page.locator(`${ROW}:has-text("localhost:${port}"):has-text("connected")`).first();
        for (let attempt = 1; ; attempt++) {
          // From somewhere else: a mouse that already rests there opens nothing, nor one under which the row was drawn anew.
          await page.mouse.move(800, 400 + attempt);
          await row.hover();
          try {
            return await page.locator('.workbench-hover >> text=Retransmissions').first().waitFor({ timeout: HOVER_MS });
          } catch (error) {
            if (attempt === 10) throw error;
          }
        }
      }, { name: 'watch', clip: { x: 0, y: 35, width: 800, height: 450 } });
      await page.mouse.move(800, 400);
    });

    it('asks why something failed, and is told in the middle of the window', async () => {
      const row = `${ROW}:has-text("localhost:1"):has-text("ECONNREFUSED")`;
      await click(`${row} .monaco-tl-twistie`);
      await see(`${ROW} >> text=Came back:`);
      const dialog = '.monaco-dialog-box';
      await page.locator(row).first().hover();
      await click(`${row} .action-label[aria-label^="Explain"]`);
      await see(`${dialog} >> text=Nothing listens on port 1`);
      await see(`${dialog} .monaco-button >> text=Open Setting`);
      await look('explain');
      await page.keyboard.press('Escape');
      await page.locator(dialog).waitFor({ state: 'detached' });
      await page.mouse.move(800, 400);
      await page.locator('.workbench-hover').waitFor({ state: 'detached' });
      await look('reasons');
      await click(`${row} .monaco-tl-twistie`);
    });

    it('goes to the line of an error by a click', async () => {
      await click(`${OUTPUT}:has-text("walk.ts:10:9") .detected-link`, { modifiers: ['Control'] });
      await see('.statusbar-item >> text=/Ln 10, Col/');
      await look('error');
    });

    it('stops it in the tree', async () => {
      const row = `${ROW}:has-text("walk.ts")`;
      await page.locator(row).first().hover();
      await click(`${row} .action-label[aria-label="Stop"]`);
      await see(`${row}:has-text("stopped")`);
      await look('stopped');
    });

    it('saves what went over the network for Wireshark', async () => {
      const file = path.join(workspace, 'walk.pcapng');
      await command('Riftnet: Save Capture');
      const input = page.locator('.quick-input-widget input').first();
      await see('.quick-input-widget .quick-input-title >> text=Save Capture');
      await look('save-dialog');
      await input.fill(file);
      await page.keyboard.press('Enter');
      await see('.notification-list-item >> text=/frames were saved to walk.pcapng/');
      if (fs.readFileSync(file).readUInt32LE(0) !== 0x0a0d0d0a) throw new Error(`${file} is no pcapng`);
      await look('capture');
      await dismiss();
    });

    it('stops a script that spins', async () => {
      await write(`print('spins');\nwhile (true) {}\n`);
      await click('.codelens-decoration a >> text=Run');
      await see(`${OUTPUT} >> text=spins`);
      await click('.codelens-decoration a >> text=Stop');
      await see(`${ROW}:has-text("walk.ts"):has-text("stopped")`);
      await look('spinning');
    });

    it('debugs to a breakpoint', async () => {
      await write(`function product(of: number[]): number {\n  let answer = 1;\n  for (const factor of of) answer *= factor;\n  return answer;\n}\nconst answer = product([6, 7]);\nprint('the answer', answer);\n`);
      await page.keyboard.press('Control+Home');
      for (let line = 1; line < 4; line++) await page.keyboard.press('ArrowDown');
      await page.keyboard.press('F9');
      await click('.codelens-decoration a >> text=Debug');
      await see('.debug-top-stack-frame-line');
      // What is ours is not among the script's own.
      await page.locator('.debug-viewlet .monaco-list-row:has-text("__"), .debug-pane .monaco-list-row:has-text("__")').first().waitFor({ state: 'detached' });
      await see('.debug-pane .monaco-list-row:has-text("answer"):has-text("42"), .debug-viewlet .monaco-list-row:has-text("answer"):has-text("42")');
      await look('breakpoint', undefined, { name: 'debug', clip: { x: 0, y: 35, width: 800, height: 586 } });
      await page.keyboard.press('F5');
      await page.locator('.debug-toolbar').waitFor({ state: 'hidden' });
    });
  });
}

module.exports = { walk };
