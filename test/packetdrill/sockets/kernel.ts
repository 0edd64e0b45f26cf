/** What the system calls share. */
import type { TcpConfig } from '../../../stack/config';
import type { Call, Expression } from '../syntax/ast';
import type { Descriptor, Outcome } from './descriptor';
import type { Flow } from '../wire/flow';
import type { Host } from '../wire/host';
import { ScriptFailure } from '../syntax/script-error';
import type { Settings } from '../settings';
import { optionalNumber } from './values';

/** Tries the call: its outcome, or null as long as it has to wait. */
export type Attempt = () => Outcome | null;

/** A call under way. `wakeUs`: when waiting ends by itself, script µs. */
export interface Pending {
  readonly attempt: Attempt;
  readonly wakeUs: number;
}

/** What calls need of the run around them. */
export interface Kernel {
  readonly host: Host;
  readonly settings: Settings;
  /** The layer's settings before the script's calls changed any. */
  readonly defaults: Readonly<TcpConfig>;
  readonly descriptors: Map<number, Descriptor>;
  /** A connection was begun, or a socket listens (null): packets without ports belong to it. */
  currentFlow: Flow | null;
}

export interface CallContext {
  readonly kernel: Kernel;
  readonly call: Call;
  readonly line: number;
}

export function argument({ call, line }: CallContext, index: number): Expression {
  const found = call.args[index];
  if (!found) throw new ScriptFailure(line, `at least ${index + 1} arguments for ${call.name}()`, `${call.args.length}`);
  return found;
}

export function flagsOf(context: CallContext, index: number): number {
  return optionalNumber(context.call.args[index], context.line) ?? 0;
}
