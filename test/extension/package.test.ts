import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';

const load = createRequire(resolve('package.json'));
const { targetOf } = load('./package.js') as { targetOf(host: { platform: string; arch: string; glibc: boolean }): string };
const { listFiles } = load('@vscode/vsce') as { listFiles(options: { cwd: string }): Promise<string[]> };

describe('The package', () => {
  it('is for one platform, and says where there is none', () => {
    assert.equal(targetOf({ platform: 'linux', arch: 'x64', glibc: true }), 'linux-x64');
    assert.equal(targetOf({ platform: 'darwin', arch: 'arm64', glibc: false }), 'darwin-arm64');
    assert.throws(() => targetOf({ platform: 'linux', arch: 'x64', glibc: false }), /glibc/);
    assert.throws(() => targetOf({ platform: 'sunos', arch: 'x64', glibc: false }), /sunos-x64; there are linux-x64/);
  });

  it('holds what runs, with the native parts of this platform, and nothing of the workshop', async function () {
    this.timeout(60_000);
    const files = await listFiles({ cwd: process.cwd() });
    const native = `${process.platform}-${process.arch}`;
    for (const file of ['package.json', 'dist/extension.js', 'riftnet.d.ts', 'docs/scripts.md', 'media/icon.png', `node_modules/@esbuild/${native}/bin/esbuild`, 'node_modules/esbuild/lib/main.js', 'node_modules/koffi/index.cjs']) {
      assert.ok(files.includes(file), `${file} is packed`);
    }
    assert.ok(files.some((file) => file.startsWith(`node_modules/@koromix/koffi-${native}/`) && file.endsWith('koffi.node')));
    const workshop = files.filter((file) => /^(?:test|stack|extension|examples|\.vscode)\/|\.map$|\.vsix$|tsconfig|musl|node_modules\/(?:undici|dns-packet|acorn|nan)\//.test(file));
    assert.deepEqual(workshop, []);
    const typescript = files.filter((file) => file.endsWith('.ts') && !file.startsWith('snippets/'));
    assert.deepEqual(typescript, ['riftnet.d.ts']);
  });
});
