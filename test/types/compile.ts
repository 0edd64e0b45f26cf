/** Runs a TypeScript compiler over a project, and tells what it says. */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

/** The current major and the one before it, as the packages of the lockfile that hold them. */
export const COMPILERS: readonly string[] = ['typescript-7', 'typescript'];

export interface Diagnostic {
  /** Relative to the project's root. */
  readonly file: string;
  readonly line: number;
  /** Such as `TS2345`. */
  readonly code: string;
  readonly text: string;
}

/** @param project a folder with a tsconfig.json */
export async function compile(compiler: string, project: string): Promise<Diagnostic[]> {
  const args = [path.join('node_modules', compiler, 'bin', 'tsc'), '--noEmit', '--pretty', 'false', '-p', project];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  const diagnostics = [...output.matchAll(/^(.+?)\((\d+),\d+\): error (TS\d+): (.*)$/gm)].map((match) => {
    const [, file = '', line = '', tsCode = '', text = ''] = match;
    return { file, line: Number(line), code: tsCode, text };
  });
  // Anything else that it says (a project it cannot read, a crash) has no place in a file.
  if ((code === 0) !== (diagnostics.length === 0)) throw new Error(`${compiler} ended with ${code}: ${output}`);
  return diagnostics;
}

/** The major version of a compiler's package. */
export function majorOf(compiler: string): number {
  const { version }: { version: string } = JSON.parse(fs.readFileSync(path.join('node_modules', compiler, 'package.json'), 'utf8'));
  return Number(version.split('.')[0]);
}
