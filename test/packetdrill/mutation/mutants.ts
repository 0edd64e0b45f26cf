/** Stacks with one rule removed: bundles of the runner in which a piece of the stack's source reads otherwise. */
import { readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { context, type BuildContext, type Plugin } from 'esbuild';
import type { TcpConfig } from '../../../stack/config';

/** A setting that switches the rule off. */
export interface Setting {
  readonly config: Partial<TcpConfig>;
}

/** Source text below stack/ that the rule lives in, which must be there exactly once, and what it becomes. */
export interface Edit {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

export type Mutation = Setting | Edit;

const WORKER = 'test/packetdrill/worker.ts';
const STACK = 'stack';

/** Bundles the runner's worker again and again; what does not change is parsed once. */
export class MutantBuilder {
  private edit: Edit | null = null;
  private applied = false;
  private builder: Promise<BuildContext<{ write: false }>> | null = null;

  /** @param root the project's folder */
  constructor(private readonly root: string) {}

  /**
   * @param edit null: the stack as it is
   * @returns the worker's program
   * @throws Error if the text to be replaced is not in the file, or more than once
   */
  async build(edit: Edit | null): Promise<string> {
    this.edit = edit;
    this.applied = false;
    // Before the bundler, whose own errors hide the reason.
    if (edit) this.edited(edit);
    this.builder ??= this.start();
    const { outputFiles } = await (await this.builder).rebuild();
    if (edit && !this.applied) throw new Error(`The runner does not use stack/${edit.file}: nothing would change.`);
    return outputFiles[0]?.text ?? '';
  }

  async close(): Promise<void> {
    await (await this.builder)?.dispose();
    this.builder = null;
  }

  private start(): Promise<BuildContext<{ write: false }>> {
    const mutant: Plugin = {
      name: 'mutant',
      setup: (build) => {
        build.onLoad({ filter: /[\\/]stack[\\/].*\.ts$/ }, ({ path }) => {
          const { edit } = this;
          if (!edit || path !== this.pathOf(edit.file)) return undefined;
          this.applied = true;
          return { contents: this.edited(edit), loader: 'ts' };
        });
      },
    };
    return context({
      absWorkingDir: this.root, entryPoints: [WORKER], bundle: true, write: false, platform: 'node', target: 'node20', format: 'cjs', packages: 'external',
      logLevel: 'silent', plugins: [mutant],
    });
  }

  private pathOf(file: string): string {
    return join(this.root, STACK, ...file.split('/')).split('/').join(sep);
  }

  private edited({ file, find, replace }: Edit): string {
    const text = readFileSync(this.pathOf(file), 'utf8');
    const found = text.split(find).length - 1;
    if (found !== 1) throw new Error(`stack/${file} has this text ${found} times, not once; the mutation has to follow the source: ${find}`);
    // A function, so that no $ in the text means anything.
    return text.replace(find, () => replace);
  }
}
