'use strict';
/* Which VS Code the suites run in. Pure, but for its defaults. */
const fs = require('node:fs');

const CHROMIUMS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/**
 * @param env VSCODE_PATH: a desktop VS Code to use; CHROMIUM_PATH: the browser to use with the server
 * @returns `{ kind: 'desktop', executable, reason }` (executable null: it is downloaded), or `{ kind: 'server', chromium, reason }`
 */
function chooseLauncher({ env = process.env, platform = process.platform, exists = fs.existsSync } = {}) {
  if (env.VSCODE_PATH) {
    if (!exists(env.VSCODE_PATH)) throw new Error(`VSCODE_PATH is ${env.VSCODE_PATH}, which does not exist: name VS Code's executable, or unset it`);
    return { kind: 'desktop', executable: env.VSCODE_PATH, reason: `desktop VS Code at ${env.VSCODE_PATH}` };
  }
  if (platform === 'linux') {
    const candidates = env.CHROMIUM_PATH ? [env.CHROMIUM_PATH] : CHROMIUMS;
    const chromium = candidates.find((candidate) => exists(candidate));
    if (chromium) return { kind: 'server', chromium, reason: `VS Code's server with ${chromium}` };
    if (env.CHROMIUM_PATH) throw new Error(`CHROMIUM_PATH is ${env.CHROMIUM_PATH}, which does not exist: name Chromium's executable, or unset it`);
  }
  return { kind: 'desktop', executable: null, reason: 'desktop VS Code, downloaded: there is no Chromium for the server here' };
}

module.exports = { chooseLauncher };
