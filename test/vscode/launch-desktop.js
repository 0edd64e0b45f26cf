'use strict';
/* A desktop VS Code through @vscode/test-electron, for the machines that have or can download one. */
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { root } = require('../../esbuild.js');
const { suitesFolder, workspaceFolder } = require('./build.js');

/** The version that is downloaded: the oldest that `engines.vscode` allows. */
const DOWNLOADED_VERSION = '1.100.3';

/**
 * What @vscode/test-electron is called with.
 * @param executable VS Code's executable, or null to download one
 * @param profile an empty folder: nothing of the user's own VS Code is read or changed
 */
function desktopOptions({ executable, profile }) {
  return {
    ...(executable === null ? { version: DOWNLOADED_VERSION } : { vscodeExecutablePath: executable }),
    extensionDevelopmentPath: root,
    extensionTestsPath: path.join(suitesFolder, 'index.js'),
    launchArgs: [
      workspaceFolder,
      `--user-data-dir=${path.join(profile, 'user-data')}`,
      `--extensions-dir=${path.join(profile, 'extensions')}`,
      '--disable-extensions',
      '--disable-workspace-trust',
      '--disable-telemetry',
      '--disable-updates',
      '--skip-welcome',
      '--skip-release-notes',
    ],
  };
}

async function launch({ executable, signal }) {
  const { runTests } = require('@vscode/test-electron');
  const profile = fs.mkdtempSync(path.join(os.tmpdir(), 'riftnet-vscode-'));
  try {
    const aborted = new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
    return await Promise.race([runTests(desktopOptions({ executable, profile })), aborted]);
  } finally {
    fs.rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

module.exports = { desktopOptions, launch, prepare: async () => ({}) };
