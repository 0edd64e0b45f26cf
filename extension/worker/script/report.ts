/**
 * What a script's process tells on its standard output, in frames of `wire.ts`: what the script prints,
 * and its errors: one of kind `handler` does not end it, any other has. Written synchronously, so that a line printed just before
 * `while (true) {}` or an abort is seen, and a script that prints faster than anyone reads is slowed
 * down instead of filling memory. Imports only types: both sides bundle it.
 */
import type { OutputLevel } from '../../protocol';

export const OUTPUT_LEVELS: readonly OutputLevel[] = ['print', 'log', 'info', 'warn', 'error', 'debug'];
/** Operations 0 … 5 are output of that level: UTF-8, a piece of a line; the frame's id says whether it is the last. */
export const REPORT_ERROR = 16;
/** The id of an output frame that ends its line. */
export const LAST_PIECE = 1;
/** A longer line travels in several frames. */
export const MAX_PIECE_BYTES = 60 * 1024;
/** Largest report: the 14 000 units of an error's text (errors.ts) and a path, six bytes each where JSON has to escape them. */
export const MAX_REPORT_BYTES = 128 * 1024;
