'use strict';
/*
 * Runs the suites of this folder inside a real VS Code: `node test/vscode/launch.js [TEXT [WINDOW…]]`, with TEXT
 * only the tests whose full names hold it, with WINDOW only in these (usual, no-folder, several-roots, german, untrusted, walk).
 * Exit code 0: all passed.
 *
 * Two ways, for the same suites: VS Code's own server with Chromium (Linux, and CI), or a desktop VS Code
 * through @vscode/test-electron (where VSCODE_PATH names one, or where there is no Chromium to use).
 */
const { buildSuites } = require('./build.js');
const { chooseLauncher } = require('./choose-launcher.js');

/** The build, the start, the suites and the walk together; the server's installation has its own limits. */
const RUN_TIMEOUT_MS = 15 * 60_000;

async function main() {
  // The extension host inherits it.
  process.env.RIFTNET_TEST_GREP = process.argv[2] ?? '';
  const choice = chooseLauncher();
  console.log(`VS Code tests: ${choice.reason}`);
  const { launch, prepare } = require(choice.kind === 'server' ? './launch-server.js' : './launch-desktop.js');
  const prepared = await prepare();
  await buildSuites();
  const abort = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => abort.abort(new Error(`ended by ${signal}`)));
  const timer = setTimeout(() => abort.abort(new Error(`not done within ${RUN_TIMEOUT_MS / 60_000} minutes`)), RUN_TIMEOUT_MS);
  try {
    return await launch({ ...choice, ...prepared, windows: process.argv.slice(3), signal: abort.signal });
  } finally {
    clearTimeout(timer);
  }
}

main().then(
  (code) => process.exit(code),
  (error) => {
    console.error(`VS Code tests: ${error.message}`);
    process.exit(1);
  },
);
