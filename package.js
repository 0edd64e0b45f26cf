'use strict';
/*
 * `npm run package`: a VSIX for this platform, because esbuild and the capture bindings are native. What goes into it
 * is the allow-list `.vscodeignore`; vsce itself builds, by the script `vscode:prepublish`.
 */
const fs = require('node:fs');
const path = require('node:path');
const { root, ensureDependencies } = require('./esbuild.js');

/** What a person is asked to download, at most. */
const MAX_BYTES = 15 * 1024 * 1024;
/** VS Code's names of the platforms whose native parts npm installs here. */
const TARGETS = ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64', 'win32-x64', 'win32-arm64'];

/** @returns VS Code's name of this platform. @throws Error if there is none, or its native parts are left out */
function targetOf({ platform = process.platform, arch = process.arch, glibc = hasGlibc() } = {}) {
  const target = `${platform}-${arch}`;
  if (!TARGETS.includes(target)) throw new Error(`There is no package for ${target}; there are ${TARGETS.join(', ')}`);
  if (platform === 'linux' && !glibc) throw new Error('There is no package for a Linux without glibc: the capture binding for musl is left out of .vscodeignore');
  return target;
}

function hasGlibc() {
  return process.platform === 'linux' && Boolean(process.report.getReport().header.glibcVersionRuntime);
}

/** Builds for production and packs. @returns where the VSIX is, and how large */
async function packageExtension() {
  ensureDependencies();
  const target = targetOf();
  const { version } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
  const file = path.join(root, 'dist', `riftnet-${target}-${version}.vsix`);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const { createVSIX } = require('@vscode/vsce');
  await createVSIX({ cwd: root, target, packagePath: file, allowMissingRepository: true, rewriteRelativeLinks: false });
  const { size } = fs.statSync(file);
  if (size > MAX_BYTES) throw new Error(`${file} has ${size} bytes, more than ${MAX_BYTES}: npx vsce ls --tree says what is in it`);
  return { file, size };
}

module.exports = { MAX_BYTES, targetOf, packageExtension };

if (require.main === module) {
  packageExtension().then(
    ({ file, size }) => console.log(`${file}: ${(size / 1024 / 1024).toFixed(1)} MB`),
    (error) => {
      console.error(error.message);
      process.exit(1);
    },
  );
}
