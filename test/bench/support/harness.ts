/** What a benchmark is, and how its results are chosen, summarised and shown. */

export interface Benchmark {
  /** `area/what`; `npm run bench -- area` runs all of an area. */
  readonly name: string;
  /** A name for several areas together. */
  readonly group?: string;
  readonly unit: string;
  /** Runs it once. @returns the figure in `unit` */
  readonly run: () => Promise<number>;
  /** The peer, measured in the same run on the same machine: absolute figures move with the machine. */
  readonly against?: { readonly what: string; readonly run: () => Promise<number> };
  /** The project's target for it, in words. */
  readonly target?: string;
}

/** One entry of the JSON file. */
export interface Result {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** The peer's figure, in the same unit. */
  readonly against?: number;
  /** `value / against` */
  readonly ratio?: number;
}

export interface Row {
  readonly benchmark: Benchmark;
  readonly result: Result;
}

/**
 * The benchmarks whose name is, or begins with, one of `names` as whole path segments; all without names.
 * @returns null for a name that fits none, with that name
 */
export function select(benchmarks: readonly Benchmark[], names: readonly string[]): { chosen: readonly Benchmark[] } | { unknown: string } {
  const fits = (benchmark: Benchmark, name: string): boolean => benchmark.name === name || benchmark.group === name || benchmark.name.startsWith(name.endsWith('/') ? name : `${name}/`);
  const unknown = names.find((name) => !benchmarks.some((benchmark) => fits(benchmark, name)));
  if (unknown !== undefined) return { unknown };
  return { chosen: benchmarks.filter((benchmark) => names.length === 0 || names.some((name) => fits(benchmark, name))) };
}

/** The middle of the values; of an even number, the mean of the two middle ones. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? NaN) + (sorted[Math.floor(middle)] ?? NaN)) / 2;
}

export function summarise(benchmark: Benchmark, values: readonly number[], peer: readonly number[]): Result {
  const value = median(values);
  const base = { name: benchmark.name, value, unit: benchmark.unit };
  if (peer.length === 0) return base;
  const against = median(peer);
  return { ...base, against, ratio: value / against };
}

export function table(rows: readonly Row[]): string {
  const cells = rows.map(({ benchmark, result }) => [
    result.name,
    `${figure(result.value)} ${result.unit}`,
    result.against === undefined ? '' : `${figure(result.against)} ${result.unit}`,
    result.ratio === undefined ? '' : figure(result.ratio),
    benchmark.against?.what ?? '',
    benchmark.target ?? '',
  ]);
  const all = [['name', 'value', 'against', 'ratio', 'the peer', 'target'], ...cells];
  const widths = (all[0] ?? []).map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd()).join('\n');
}

/** Three significant digits, without an exponent. */
export function figure(value: number): string {
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value) || 1)));
  return value.toFixed(Math.min(digits, 6));
}
