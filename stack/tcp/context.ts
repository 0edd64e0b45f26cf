/** What the parts of TCP need of the layer around them. */
import type { TcpConfig } from '../config';
import type { Ipv4Egress } from '../egress';
import type { StackError } from '../errors';
import type { Counters } from '../observer';
import type { Tcb } from './tcb';
import type { TcpState } from './types';

export interface TcpContext {
  readonly config: TcpConfig;
  readonly counters: Counters['tcp'];
  readonly egress: Ipv4Egress;
  /** Time of the poll under way, ms; for a user's call between polls, of the last poll. */
  readonly now: number;
  /** Whether all buffers together leave room for one to grow (`tcp.totalBufferBytes`). */
  readonly mayGrowBuffers: boolean;
  /** Segments that this poll may still send; what must wait for the next poll stays touched. */
  txBudget: number;
  /** Asks that what the connection owes be sent, and its timer be set, in this or the next poll. */
  touch(tcb: Tcb): void;
  /** Notes that a user may see something new. */
  changed(tcb: Tcb): void;
  setState(tcb: Tcb, state: TcpState): void;
  /** Ends a connection: out of the table, no timers, nothing more to send; what was received can still be read. */
  finish(tcb: Tcb, error: StackError | null): void;
  /** Begins, or begins again, the 2 MSL of TIME-WAIT. */
  enterTimeWait(tcb: Tcb): void;
}
