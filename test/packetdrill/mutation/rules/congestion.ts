/** Congestion control and NewReno: RFC 5681, 6582, 6928, 9406, 9438. */
import type { Rule } from '../rule';

export const CONGESTION: readonly Rule[] = [
  { rule: 'initial window of ten', without: { config: { initialWindowSegments: 4 } }, scripts: ['congestion/application-limited', 'congestion/initial-window', 'congestion/slow-start'] },
  {
    rule: 'initial window of large segments',
    without: {
      file: 'tcp/congestion/window.ts',
      find: 'return Math.min(this.initialWindowSegments * this.mss, Math.max(2 * this.mss, 1_460 * this.initialWindowSegments));',
      replace: 'return this.initialWindowSegments * this.mss;',
    },
    scripts: ['congestion/initial-window-large-segments'],
  },
  {
    rule: 'slow start grows by what is acknowledged',
    without: {
      file: 'tcp/congestion/slow-start.ts',
      find: 'const bytes = ack.paced ? ack.ackedBytes : Math.min(ack.ackedBytes, MAX_SEGMENTS_PER_ACK * mss);',
      replace: 'const bytes = Math.min(ack.ackedBytes, mss);',
    },
    scripts: ['congestion/byte-counting', 'congestion/slow-start'],
  },
  {
    rule: 'eight segments for an ACK',
    without: {
      file: 'tcp/congestion/slow-start.ts',
      find: 'const MAX_SEGMENTS_PER_ACK = 8;',
      replace: 'const MAX_SEGMENTS_PER_ACK = 1000;',
    },
    scripts: ['congestion/byte-counting'],
  },
  {
    rule: 'idle restart',
    without: { config: { idleRestart: false } },
    scripts: ['congestion/idle-restart'],
  },
  {
    rule: 'idle restart only after an RTO',
    without: {
      file: 'tcp/output.ts',
      find: 'idleMs > tcb.rtt.rtoMs) {',
      replace: 'idleMs > 0) {',
    },
    scripts: ['congestion/short-pause'],
  },
  {
    rule: 'unused windows do not grow',
    without: {
      file: 'tcp/episode.ts',
      find: 'if (!wasLimit && !halfUsed) {',
      replace: 'if (outcome.ackedBytes < 0) {',
    },
    scripts: ['congestion/application-limited'],
  },
  { rule: 'fast retransmit', without: { config: { fastRetransmit: false } }, scripts: ['congestion/fallback-with-sack-off-rack', 'congestion/fast-retransmit', 'congestion/limited-transmit', 'congestion/new-reno', 'newreno/recovery-inflates', 'newreno/timer-in-recovery'] },
  { rule: 'limited transmit', without: { config: { limitedTransmit: false } }, scripts: ['congestion/limited-transmit', 'newreno/recovery-inflates'] },
  {
    rule: 'NewReno\'s partial ACKs',
    without: {
      file: 'tcp/newreno.ts',
      find: 'if (ackedBytes >= tcb.sndMss) tcb.inflationBytes += tcb.sndMss;\n  repeatFirst(tcb);',
      replace: '',
    },
    scripts: ['congestion/new-reno', 'newreno/timer-in-recovery'],
  },
  {
    rule: 'NewReno\'s inflation',
    without: {
      file: 'tcp/newreno.ts',
      find: 'tcb.inflationBytes += tcb.sndMss; // RFC 5681 §3.2 step 4',
      replace: '// RFC 5681 §3.2 step 4',
    },
    scripts: ['newreno/recovery-inflates'],
  },
  {
    rule: 'no fast retransmit after a timeout',
    without: {
      file: 'tcp/newreno.ts',
      find: '|| !seqGt(tcb.sndUna, tcb.recover)) return;',
      replace: ') return;',
    },
    scripts: ['congestion/no-second-recovery'],
  },
  {
    rule: 'only the first partial ACK restarts the timer',
    without: {
      file: 'tcp/input-ack.ts',
      find: 'if (!partial || !tcb.partialAckSeen || tcb.sent.length === 0) restartRetransmission(tcb);',
      replace: 'restartRetransmission(tcb);',
    },
    scripts: ['newreno/timer-in-recovery'],
  },
  {
    rule: 'duplicates: same window',
    without: {
      file: 'tcp/input-ack.ts',
      find: 'windowBytes === tcb.sndWnd && windowBytes > 0;',
      replace: 'windowBytes > 0;',
    },
    scripts: ['congestion/not-duplicate'],
  },
  {
    rule: 'duplicates: no data',
    without: {
      file: 'tcp/input-ack.ts',
      find: 'pureAck && isDuplicate(tcb, segment, windowBytes)',
      replace: 'isDuplicate(tcb, segment, windowBytes)',
    },
    scripts: ['congestion/not-duplicate'],
  },
  {
    rule: 'NewReno where RACK is off',
    without: {
      file: 'tcp/recovery.ts',
      find: 'else newRenoOnAck(context, tcb, outcome);',
      replace: '',
    },
    scripts: ['congestion/fallback-with-sack-off-rack', 'congestion/fast-retransmit'],
  },
  {
    rule: 'Reno\'s half',
    without: {
      file: 'tcp/congestion/reno.ts',
      find: 'flightBytes / 2',
      replace: 'flightBytes * 0.7',
    },
    scripts: ['congestion/fast-retransmit', 'reno/congestion-avoidance', 'reno/reduction'],
  },
  {
    rule: 'Reno\'s congestion avoidance',
    without: {
      file: 'tcp/congestion/reno.ts',
      find: 'if (this.ackedBytes >= this.cwndBytes) {',
      replace: 'if (this.ackedBytes >= this.mss) {',
    },
    scripts: ['reno/congestion-avoidance'],
  },
  {
    rule: 'CUBIC\'s seven tenths',
    without: {
      file: 'tcp/congestion/cubic.ts',
      find: 'const BETA = 0.7;',
      replace: 'const BETA = 0.5;',
    },
    scripts: ['cubic/curve', 'cubic/fast-convergence', 'cubic/reduction', 'cubic/reno-friendly', 'cubic/timeout'],
  },
  {
    rule: 'CUBIC\'s Reno-friendly region',
    without: {
      file: 'tcp/congestion/cubic.ts',
      find: 'if (cubicNow < this.wEst) {',
      replace: 'if (cubicNow < 0) {',
    },
    scripts: ['cubic/reno-friendly'],
  },
  {
    rule: 'CUBIC\'s curve',
    without: {
      file: 'tcp/congestion/cubic.ts',
      find: 'if (cubicNow < this.wEst) {',
      replace: 'if (cubicNow >= 0) {',
    },
    scripts: ['cubic/curve'],
  },
  {
    rule: 'CUBIC\'s fast convergence',
    without: {
      file: 'tcp/congestion/cubic.ts',
      find: 'this.wMax = cwnd < this.wMax ? (cwnd * (1 + BETA)) / 2 : cwnd;',
      replace: 'this.wMax = Math.max(this.wMax, cwnd);',
    },
    scripts: ['cubic/fast-convergence'],
  },
  { rule: 'HyStart++', without: { config: { hystart: false } }, scripts: ['hystart/delay-increase', 'hystart/ends', 'hystart/passing-increase'] },
  {
    rule: 'HyStart++ resumes',
    without: {
      file: 'tcp/congestion/slow-start.ts',
      find: 'if (this.roundMinRttMs < this.cssBaselineMs) {',
      replace: 'if (this.roundMinRttMs < 0) {',
    },
    scripts: ['hystart/passing-increase'],
  },
  {
    rule: 'HyStart++ ends slow start',
    without: {
      file: 'tcp/congestion/slow-start.ts',
      find: '++this.cssRounds >= CSS_ROUNDS) this.isOver = true;',
      replace: '++this.cssRounds >= 100) this.isOver = true;',
    },
    scripts: ['hystart/ends'],
  },
  {
    rule: 'HyStart++\'s threshold',
    without: {
      file: 'tcp/congestion/slow-start.ts',
      find: 'const MIN_RTT_DIVISOR = 8;',
      replace: 'const MIN_RTT_DIVISOR = 100;',
    },
    scripts: ['hystart/steady-delay'],
  },
  { rule: 'pacing', without: { config: { pacing: false } }, scripts: ['pacing/congestion-avoidance', 'pacing/slow-start'] },
  {
    rule: 'pacing in slow start',
    without: {
      file: 'tcp/output.ts',
      find: 'const factor = cwndBytes < ssthreshBytes / 2 ? 2 : 1.2;',
      replace: 'const factor = 1.2;',
    },
    scripts: ['pacing/congestion-avoidance', 'pacing/slow-start'],
  },
  {
    rule: 'pacing in congestion avoidance',
    without: {
      file: 'tcp/output.ts',
      find: 'const factor = cwndBytes < ssthreshBytes / 2 ? 2 : 1.2;',
      replace: 'const factor = 2;',
    },
    scripts: ['pacing/congestion-avoidance'],
  },
];
