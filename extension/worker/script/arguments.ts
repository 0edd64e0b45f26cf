/** Checks of what scripts pass in: each error names the function, the argument, what it must be and what it was. */
import { inspect } from 'node:util';

/** The value as an error message shows it: short, on one line. */
export function shown(value: unknown): string {
  let text: string;
  try {
    text = inspect(value, { depth: 0, breakLength: Infinity, maxArrayLength: 3, maxStringLength: 60 });
  } catch {
    text = `a ${typeof value}`;
  }
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}

export function wrongType(where: string, argument: string, expected: string, value: unknown): TypeError {
  return new TypeError(`${where}: ${argument} must be ${expected}, not ${shown(value)}`);
}

export function outOfRange(where: string, argument: string, expected: string, value: unknown): RangeError {
  return new RangeError(`${where}: ${argument} must be ${expected}, not ${shown(value)}`);
}

export type Callback = (...values: unknown[]) => unknown;

export function checkFunction(where: string, argument: string, value: unknown): asserts value is Callback {
  if (typeof value !== 'function') throw wrongType(where, argument, 'a function', value);
}

/** A whole number of `min` … `max`. */
export function checkWhole(where: string, argument: string, value: unknown, min: number, max: number): asserts value is number {
  const expected = `a whole number from ${min} to ${max}`;
  if (typeof value !== 'number') throw wrongType(where, argument, expected, value);
  if (!Number.isInteger(value) || value < min || value > max) throw outOfRange(where, argument, expected, value);
}

/** A number of `min` … `max`, whole or not. */
export function checkNumber(where: string, argument: string, value: unknown, min: number, max: number): asserts value is number {
  const expected = `a number from ${min} to ${max}`;
  if (typeof value !== 'number') throw wrongType(where, argument, expected, value);
  if (!(value >= min && value <= max)) throw outOfRange(where, argument, expected, value);
}
