/** The product as an ordinary user has it: installed in a folder that any account can read, run without privileges. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** Debian's account for those who own nothing. */
const UID = 65_534;
const GID = 65_534;
/** Packages that the bundles load at run time. */
const PACKAGES = ['cap', 'koffi', '@koromix', 'esbuild', '@esbuild', 'node-addon-api', 'nan'];

export class OrdinaryUser {
  readonly folder = fs.mkdtempSync(path.join(os.tmpdir(), 'riftnet-user-'));
  /** A Node without capabilities. */
  readonly node = path.join(this.folder, 'bin', 'node');
  readonly cli = path.join(this.folder, 'dist', 'cli.js');
  /** Where doctor's copy is looked for. */
  readonly copy = path.join(this.folder, 'data', 'riftnet', 'node');

  constructor() {
    fs.chmodSync(this.folder, 0o755);
    fs.cpSync('dist', path.join(this.folder, 'dist'), { recursive: true, filter: (source) => !source.startsWith(path.join('dist', 'test')) });
    for (const name of PACKAGES) if (fs.existsSync(`node_modules/${name}`)) fs.cpSync(`node_modules/${name}`, path.join(this.folder, 'node_modules', name), { recursive: true, dereference: true });
    fs.mkdirSync(path.dirname(this.node));
    fs.copyFileSync(fs.realpathSync(process.execPath), this.node, fs.constants.COPYFILE_FICLONE);
    fs.chmodSync(this.node, 0o755);
    for (const name of ['data', 'state', 'cache', 'home', 'work']) {
      fs.mkdirSync(path.join(this.folder, name));
      fs.chownSync(path.join(this.folder, name), UID, GID);
    }
  }

  get environment(): NodeJS.ProcessEnv {
    const at = (name: string): string => path.join(this.folder, name);
    return { PATH: process.env['PATH'], HOME: at('home'), XDG_DATA_HOME: at('data'), XDG_STATE_HOME: at('state'), XDG_CACHE_HOME: at('cache') };
  }

  /** Words before a command that make it the user's. */
  get prefix(): string[] {
    return ['setpriv', '--reuid', String(UID), '--regid', String(GID), '--clear-groups', '--inh-caps=-all'];
  }

  /** A file that the user can read. @returns its path */
  write(name: string, text: string): string {
    const file = path.join(this.folder, 'work', name);
    fs.writeFileSync(file, text);
    return file;
  }

  /** Makes the copy of Node as `riftnet doctor --fix` and the command it names do. */
  grant(): void {
    fs.mkdirSync(path.dirname(this.copy), { recursive: true });
    fs.copyFileSync(this.node, this.copy, fs.constants.COPYFILE_FICLONE);
    fs.chownSync(path.dirname(this.copy), UID, GID);
    fs.chownSync(this.copy, UID, GID);
    fs.chmodSync(this.copy, 0o700);
    const { status, stderr } = spawnSync('setcap', ['cap_net_raw+ep', this.copy], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`setcap failed: ${stderr}`);
  }

  /** Runs a command to its end. */
  run(words: readonly string[], before: readonly string[] = []): { code: number | null; stdout: string; stderr: string } {
    const [command = '', ...args] = [...before, ...this.prefix, ...words];
    const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', env: this.environment, cwd: this.folder, timeout: 60_000 });
    if (error) throw error;
    return { code: status, stdout, stderr };
  }

  remove(): void {
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}
