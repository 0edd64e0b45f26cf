/** The rules that scripts are about, each with a stack that lacks it. Each script has to fail without at least one. */
import type { Rule } from './rule';
import { ACKNOWLEDGMENTS } from './rules/acknowledgments';
import { CLOSING } from './rules/closing';
import { CONGESTION } from './rules/congestion';
import { ECN_AND_TIMESTAMPS } from './rules/ecn-and-timestamps';
import { HANDSHAKE } from './rules/handshake';
import { ICMP } from './rules/icmp';
import { RECOVERY } from './rules/recovery';
import { STATES } from './rules/states';
import { TIMEOUTS } from './rules/timeouts';
import { WINDOWS } from './rules/windows';

export const RULES: readonly Rule[] = [
  ...HANDSHAKE, ...STATES, ...CLOSING, ...ACKNOWLEDGMENTS, ...WINDOWS, ...CONGESTION, ...TIMEOUTS, ...RECOVERY, ...ECN_AND_TIMESTAMPS, ...ICMP,
];
