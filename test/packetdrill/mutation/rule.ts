/** What a row of the mutation table says. */
import type { Mutation } from './mutants';

export interface Rule {
  /** What the stack does, to be read after "without". */
  readonly rule: string;
  /** How the stack is made not to. */
  readonly without: Mutation;
  /** Scripts that must fail then: paths below scripts/ without .pkt. */
  readonly scripts: readonly string[];
}
