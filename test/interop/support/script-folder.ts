/**
 * A folder of scripts for one test. It lies inside the project, so that packages are found as for a
 * person's own scripts, and outside git.
 */
import fs from 'node:fs';
import path from 'node:path';

const PARENT = path.resolve('test-output');

export class ScriptFolder {
  readonly path: string;

  constructor() {
    fs.mkdirSync(PARENT, { recursive: true });
    this.path = fs.mkdtempSync(path.join(PARENT, 'interop-'));
  }

  /** The environment of a person who keeps here what the product keeps in their home: nothing of it passes from test to test. */
  get environment(): NodeJS.ProcessEnv {
    const at = (name: string): string => path.join(this.path, name);
    return { ...process.env, XDG_STATE_HOME: at('state'), XDG_DATA_HOME: at('data'), XDG_CACHE_HOME: at('cache') };
  }

  /** Writes a script from its text. @returns its absolute path */
  write(name: string, text: string): string {
    const file = path.join(this.path, name);
    fs.writeFileSync(file, text);
    return file;
  }

  /** Copies a script of the project, to be run beside the `server.json` of this folder. @returns its absolute path */
  copy(file: string): string {
    return this.write(path.basename(file), fs.readFileSync(path.resolve(file), 'utf8'));
  }

  /** What the scripts import to know where their server is. */
  serve(port: number, more: Readonly<Record<string, unknown>> = {}): void {
    this.write('server.json', JSON.stringify({ host: 'localhost', port, ...more }));
  }

  remove(): void {
    fs.rmSync(this.path, { recursive: true, force: true });
  }
}
