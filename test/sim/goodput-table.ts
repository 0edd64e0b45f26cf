/** The committed table: how it is read, written, shown, and held against new figures. */
import { nameOf, PATHS, secondsOf, seedsOf, type Cell, type Path } from './cells';
import { nameOfContest, type Contest, type Share } from './fairness';

export interface GoodputTable {
  readonly cells: readonly Cell[];
  readonly fairness: readonly Share[];
}

/**
 * How far a cell may fall below the committed figure: 5 %, or three standard errors of the two means where
 * random loss makes them vary more. Runs are seeded, so an unchanged stack gives the same figures to the digit:
 * the tolerance is for changes that only shift which packets are lost.
 */
export const TOLERANCE = 0.05;
const STANDARD_ERRORS = 3;
/** How far Jain's index may fall. */
export const JAIN_TOLERANCE = 0.03;

/** What fell, one line each; none if nothing did. */
export function fallen(committed: GoodputTable, cells: readonly Cell[], fairness: readonly Share[]): string[] {
  const found: string[] = [];
  for (const cell of cells) {
    const before = cellOf(committed, cell);
    if (before === undefined) found.push(`${nameOf(cell)}: not in the committed table`);
    else if (cell.mbps < before.mbps - toleranceOf(before, cell)) {
      found.push(`${nameOf(cell)}: ${cell.mbps} Mbit/s, was ${before.mbps}, and may fall by ${toleranceOf(before, cell).toPrecision(2)}`);
    }
  }
  for (const share of fairness) {
    const before = shareOf(committed, share);
    if (before === undefined) found.push(`${nameOfContest(share)}: not in the committed table`);
    else if (share.jain < before.jain - JAIN_TOLERANCE) found.push(`${nameOfContest(share)}: Jain's index ${share.jain}, was ${before.jain}, and may fall by ${JAIN_TOLERANCE}`);
    else if (sum(share) < sum(before) * (1 - TOLERANCE)) found.push(`${nameOfContest(share)}: ${sum(share)} Mbit/s together, was ${sum(before)}`);
  }
  return found;
}

function toleranceOf(before: Cell, now: Cell): number {
  return Math.max(TOLERANCE * before.mbps, STANDARD_ERRORS * Math.hypot(before.standardError, now.standardError));
}

function sum({ mbps }: Share): number {
  return mbps[0] + mbps[1];
}

export function cellOf(table: GoodputTable, { rttMs, lossPercent, rateMbps }: Path): Cell | undefined {
  return table.cells.find((cell) => cell.rttMs === rttMs && cell.lossPercent === lossPercent && cell.rateMbps === rateMbps);
}

export function shareOf(table: GoodputTable, { queue, rttsMs }: Contest): Share | undefined {
  return table.fairness.find((share) => share.queue === queue && share.rttsMs.join() === rttsMs.join());
}

/** One entry a line, so that a change shows which cells it moved. */
export function toJson({ cells, fairness }: GoodputTable): string {
  const lines = (entries: readonly unknown[]): string => entries.map((entry) => `    ${JSON.stringify(entry)}`).join(',\n');
  return `{\n  "cells": [\n${lines(cells)}\n  ],\n  "fairness": [\n${lines(fairness)}\n  ]\n}\n`;
}

/** The table as a page to read. */
export function toMarkdown(table: GoodputTable): string {
  const { cells } = table;
  const rates = [...new Set(cells.map(({ rateMbps }) => rateMbps))];
  const rows = cells.filter(({ rateMbps }) => rateMbps === rates[0]);
  const entry = (row: Path, rateMbps: number): string => {
    const cell = cellOf(table, { ...row, rateMbps });
    if (!cell) return '';
    const error = cell.standardError > 0 ? ` ± ${figure(cell.standardError)}` : '';
    return `${figure(cell.mbps)}${error} (${Math.round((100 * cell.mbps) / rateMbps)} %)`;
  };
  const lines = [
    '# Goodput over simulated paths',
    '',
    'Written by `npm run sim -- --update`; do not edit. `npm run sim` measures again and fails if a cell falls by more',
    `than ${100 * TOLERANCE} % (or ${STANDARD_ERRORS} standard errors, where random loss makes the mean uncertain). A change keeps this table, or`,
    'commits the new one and says why.',
    '',
    'One connection of the default configuration sends all it can between two stacks, through a bottleneck whose',
    'drop-tail queue holds one bandwidth-delay product (at least 64 KiB), at MTU 1500, with random loss of packets in both',
    'directions. Figures are Mbit/s of payload over the whole transfer, its opening included, and in brackets the share of',
    `the bottleneck's rate, of which headers leave 95.6 %. A window of at most 4 MiB limits the path of 1000 Mbit/s at`,
    '100 ms and more to 336 and 112 Mbit/s.',
    '',
    `| RTT | loss | ${rates.map((rate) => `${rate} Mbit/s`).join(' | ')} | transfer | longest silence |`,
    `|--:|--:|${rates.map(() => '--:|').join('')}---|--:|`,
    ...rows.map((row) => {
      const seeds = seedsOf(row);
      const silence = Math.max(...rates.map((rateMbps) => cellOf(table, { ...row, rateMbps })?.longestSilenceMs ?? 0));
      const transfer = `${secondsOf(row)} s${seeds > 1 ? `, mean of ${seeds}` : ''}`;
      return `| ${row.rttMs} ms | ${row.lossPercent} % | ${rates.map((rate) => entry(row, rate)).join(' | ')} | ${transfer} | ${silence} ms |`;
    }),
    '',
    '## Two flows through one bottleneck',
    '',
    '50 Mbit/s; the second flow starts 3 s after the first; rates of seconds 20 to 60. Drop-tail holds one bandwidth-delay',
    "product of the shorter round trip. CoDel (RFC 8289) marks ECN-capable packets. Jain's index is 1 for equal shares and",
    '0.5 if one flow takes all.',
    '',
    "| queue | round trips | rates, Mbit/s | Jain's index |",
    '|---|---|---|--:|',
    ...table.fairness.map(({ queue, rttsMs, mbps, jain }) => `| ${queue} | ${rttsMs.join(' and ')} ms | ${mbps.map(figure).join(' and ')} | ${jain.toFixed(3)} |`),
    '',
  ];
  return lines.join('\n');
}

function figure(value: number): string {
  return Number(value.toPrecision(3)).toString();
}

/** Whether every path and contest is there. */
export function isComplete(table: GoodputTable): boolean {
  return PATHS.every((path) => cellOf(table, path) !== undefined);
}
