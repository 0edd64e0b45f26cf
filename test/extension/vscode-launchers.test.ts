import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

interface Launchers {
  chooseLauncher(options: { env: Record<string, string>; platform: string; exists: (file: string) => boolean }): { kind: string; executable?: string | null; chromium?: string; reason: string };
  desktopOptions(options: { executable: string | null; profile: string }): Record<string, unknown> & { launchArgs: string[] };
}

// Plain scripts, started by `node` itself, and loaded here as such: they find the project by where they stand.
const load = createRequire(resolve('test/vscode/launch.js'));
const { chooseLauncher } = load('./choose-launcher.js') as Launchers;
const { desktopOptions } = load('./launch-desktop.js') as Launchers;

describe('the choice of a VS Code for the tests', () => {
  const choose = (env: Record<string, string>, platform: string, files: string[] = []) => chooseLauncher({ env, platform, exists: (file) => files.includes(file) });

  it('is the desktop VS Code that is named', () => {
    const choice = choose({ VSCODE_PATH: '/opt/code' }, 'linux', ['/opt/code', '/usr/bin/chromium']);
    assert.deepEqual([choice.kind, choice.executable], ['desktop', '/opt/code']);
  });

  it("is VS Code's server where there is a Chromium", () => {
    const choice = choose({}, 'linux', ['/usr/bin/chromium']);
    assert.deepEqual([choice.kind, choice.chromium], ['server', '/usr/bin/chromium']);
    assert.equal(choose({ CHROMIUM_PATH: '/opt/chrome' }, 'linux', ['/opt/chrome']).chromium, '/opt/chrome');
  });

  it('is a desktop VS Code to download everywhere else', () => {
    for (const platform of ['darwin', 'win32', 'linux']) {
      const choice = choose({}, platform);
      assert.deepEqual([choice.kind, choice.executable], ['desktop', null]);
    }
  });

  it('is refused, with the variable and its value, if what is named does not exist', () => {
    assert.throws(() => choose({ VSCODE_PATH: '/opt/none' }, 'linux'), /VSCODE_PATH is \/opt\/none/);
    assert.throws(() => choose({ CHROMIUM_PATH: '/opt/none' }, 'linux'), /CHROMIUM_PATH is \/opt\/none/);
  });
});

describe('the arguments for a desktop VS Code', () => {
  it('load the extension and its suites in a profile of their own', () => {
    const options = desktopOptions({ executable: '/opt/code', profile: '/tmp/profile' });
    assert.equal(options['vscodeExecutablePath'], '/opt/code');
    assert.equal('version' in options, false);
    assert.equal(options['extensionDevelopmentPath'], process.cwd());
    assert.equal(options['extensionTestsPath'], resolve('dist/test/vscode/index.js'));
    assert.equal(options.launchArgs[0], resolve('test-output/vscode/workspace'));
    for (const wanted of [`--user-data-dir=${join('/tmp/profile', 'user-data')}`, `--extensions-dir=${join('/tmp/profile', 'extensions')}`, '--disable-extensions', '--disable-workspace-trust']) {
      assert.ok(options.launchArgs.includes(wanted), wanted);
    }
  });

  it('name the version to download if there is none', () => {
    const options = desktopOptions({ executable: null, profile: '/tmp/profile' });
    assert.equal(options['version'], '1.100.3');
    assert.equal('vscodeExecutablePath' in options, false);
  });
});
