'use strict';
/*
 * Builds what a VS Code needs to run the suites: the extension, the suites, and an empty folder to open.
 */
const fs = require('node:fs');
const path = require('node:path');
const { root, buildProduct, buildTests } = require('../../esbuild.js');

/** What a run leaves behind: screenshots, and the folder its scripts were written to. Not in the repository. */
const outputFolder = path.join(root, 'test-output', 'vscode');
const workspaceFolder = path.join(outputFolder, 'workspace');
/** A folder that nobody has been asked to trust. */
const untrustedFolder = path.join(outputFolder, 'untrusted');
/** A workspace of two folders. */
const ROOTS = ['first-root', 'second-root'];
const severalRoots = path.join(outputFolder, 'several.code-workspace');
const suitesFolder = path.join(root, 'dist', 'test', 'vscode');

const SETTINGS = {
  // The servers that the suites start listen on 127.0.0.1 only.
  'riftnet.link': 'gateway',
  'riftnet.hostAddress': '127.0.0.1',
  'workbench.startupEditor': 'none',
  'workbench.enableExperiments': false,
  'editor.accessibilitySupport': 'off',
  'git.enabled': false,
  // A browser's VS Code saves by itself, where a desktop's does not.
  'files.autoSave': 'off',
};

async function buildSuites() {
  await buildProduct();
  const files = fs.readdirSync(__dirname).filter((name) => name.endsWith('.suite.ts') || name.startsWith('index'));
  fs.rmSync(suitesFolder, { recursive: true, force: true });
  await buildTests(files.map((name) => `test/vscode/${name}`));
  fs.rmSync(outputFolder, { recursive: true, force: true });
  fs.mkdirSync(path.join(workspaceFolder, '.vscode'), { recursive: true });
  fs.writeFileSync(path.join(workspaceFolder, '.vscode', 'settings.json'), `${JSON.stringify(SETTINGS, null, 2)}\n`);
  for (const root of ROOTS) fs.mkdirSync(path.join(outputFolder, root), { recursive: true });
  fs.writeFileSync(severalRoots, JSON.stringify({ folders: ROOTS.map((root) => ({ path: root })), settings: SETTINGS }));
  fs.mkdirSync(untrustedFolder, { recursive: true });
}

module.exports = { outputFolder, workspaceFolder, untrustedFolder, severalRoots, suitesFolder, buildSuites };

if (require.main === module) {
  buildSuites().catch((error) => {
    console.error(error.message);
    process.exit(1);
  });
}
