'use strict';
/*
 * `npm start`: installs the locked dependencies if they are missing, builds, starts the sample server and
 * runs the example scripts on the embedded link, their output on this terminal. Needs neither root nor
 * libpcap nor a compiler. Exit code 0 if every script ended with 0.
 */
const fs = require('node:fs');
const path = require('node:path');
const { spawn } = require('node:child_process');
const { root, ensureDependencies, buildProduct } = require('../esbuild.js');
const { startServers } = require('./server.js');

/** Those that need no more than the sample server. */
const SCRIPTS = ['hello.ts', 'connect.ts', 'fetch.ts', 'ticks.ts', 'emitter.ts', 'json-api.ts', 'parallel.ts', 'chat.ts'];
/** Seconds a script may take: they take one or two. */
const TIMEOUT_SECONDS = 60;

/**
 * Starts the sample server. Where one of its ports is taken it gets others, and the scripts run from a copy whose
 * server.json names those.
 * @returns the scripts' folder, and `stop()`
 */
async function startSampleServer() {
  try {
    return { folder: 'examples', stop: (await startServers()).stop };
  } catch (error) {
    if (error.code !== 'EADDRINUSE') throw error;
    console.log(`Port ${error.port}, which examples/server.json names, is taken: the sample server gets others, and the scripts run from a copy in dist/examples.`);
  }
  const { ports, stop } = await startServers({ port: 0, chatPort: 0, echoPort: 0 });
  const folder = path.join('dist', 'examples');
  fs.cpSync(path.join(root, 'examples'), path.join(root, folder), { recursive: true });
  fs.writeFileSync(path.join(root, folder, 'server.json'), JSON.stringify({ host: 'localhost', ...ports }));
  return { folder, stop };
}

/** Runs one script as a person would from the terminal. @returns the exit code */
function runScript(folder, name) {
  // The sample server is on 127.0.0.1 only, out of other computers' reach: `localhost` must mean that here.
  const args = ['run', path.join(folder, name), '--link', 'gateway', '--host-address', '127.0.0.1', '--timeout', String(TIMEOUT_SECONDS)];
  console.log(`\n$ riftnet ${args.join(' ')}`);
  const child = spawn(process.execPath, [path.join('dist', 'cli.js'), ...args], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 1));
  });
}

async function main() {
  ensureDependencies();
  await buildProduct();
  const { folder, stop } = await startSampleServer();
  try {
    for (const name of SCRIPTS) {
      const code = await runScript(folder, name);
      if (code !== 0) throw new Error(`${name} ended with exit code ${code}.`);
    }
  } finally {
    stop();
  }
  console.log('\nAll example scripts ran. To go on with them: `node examples/server.js` in one terminal, and in another');
  console.log('node dist/cli.js run examples/hello.ts --link gateway --host-address 127.0.0.1');
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
