/** Retransmission timeouts: RFC 6298. */
import type { Rule } from '../rule';

export const TIMEOUTS: readonly Rule[] = [
  { rule: 'RTO floor', without: { config: { minRtoMs: 1000 } }, scripts: ['retransmission/largest-rto', 'retransmission/timer-restarts'] },
  {
    rule: 'back-off',
    without: {
      file: 'tcp/timers.ts',
      find: 'tcb.rtt.backOff(); // RFC 6298 §5.5',
      replace: '',
    },
    scripts: ['close/fin-back-off', 'retransmission/karn', 'retransmission/largest-rto', 'retransmission/rto-back-off', 'retransmission/user-timeout', 'retransmission/user-timeout-before-timer'],
  },
  {
    rule: 'back-off of SYN',
    without: {
      file: 'tcp/timers.ts',
      find: 'tcb.synRetransmitted = true;\n    tcb.rtt.backOff();',
      replace: 'tcb.synRetransmitted = true;',
    },
    scripts: ['handshake/syn-ack-back-off', 'handshake/syn-back-off'],
  },
  {
    rule: 'Karn: no sample of what was sent twice',
    without: {
      file: 'tcp/sent-queue.ts',
      find: '      if (flags & AMBIGUOUS) ambiguous = true;\n      else if (sampleAt < 0)',
      replace: '      if (sampleAt < 0)',
    },
    scripts: ['retransmission/karn'],
  },
  {
    rule: 'one sample a round trip',
    without: {
      file: 'tcp/input-ack.ts',
      find: 'if (sentAt >= 0 && seqGt(ack, tcb.rttSampleFrom)) {',
      replace: 'if (sentAt >= 0) {',
    },
    scripts: ['retransmission/one-sample-a-round-trip', 'retransmission/timer-restarts'],
  },
  {
    rule: 'ACK restarts the timer',
    without: {
      file: 'tcp/input-ack.ts',
      find: 'if (!partial || !tcb.partialAckSeen || tcb.sent.length === 0) restartRetransmission(tcb);',
      replace: 'if (tcb.sent.length === 0) restartRetransmission(tcb);',
    },
    scripts: ['retransmission/timer-restarts'],
  },
  {
    rule: 'timer stops',
    without: {
      file: 'tcp/timers.ts',
      find: 'if (tcb.sent.length > 0) return \'rto\';',
      replace: 'return \'rto\';',
    },
    scripts: ['congestion/idle-restart', 'retransmission/timer-stops'],
  },
  {
    rule: 'smoothing',
    without: {
      file: 'tcp/rtt.ts',
      find: 'const ALPHA = 1 / 8;',
      replace: 'const ALPHA = 1 / 2;',
    },
    scripts: ['retransmission/smoothed'],
  },
  {
    rule: 'RTT variation',
    without: {
      file: 'tcp/rtt.ts',
      find: 'const BETA = 1 / 4;',
      replace: 'const BETA = 1 / 2;',
    },
    scripts: ['retransmission/one-sample-a-round-trip', 'retransmission/smoothed'],
  },
  {
    rule: 'RTO of the variation',
    without: {
      file: 'tcp/rtt.ts',
      find: 'const K = 4;',
      replace: 'const K = 2;',
    },
    scripts: ['retransmission/smoothed'],
  },
  {
    rule: 'loss window',
    without: {
      file: 'tcp/congestion/window.ts',
      find: 'this.cwndBytes = this.mss; // RFC 5681 §3.1: the loss window',
      replace: '',
    },
    scripts: ['retransmission/loss-window', 'retransmission/repeated-timeout', 'retransmission/rto-back-off'],
  },
  {
    rule: 'threshold once per loss',
    without: {
      file: 'tcp/congestion/window.ts',
      find: 'if (first) this.onCongestion',
      replace: 'this.onCongestion',
    },
    scripts: ['retransmission/repeated-timeout'],
  },
  {
    rule: 'user timeout',
    without: {
      file: 'tcp/timers.ts',
      find: 'if (context.now - tcb.progressAt >= tcb.userTimeoutMs) {',
      replace: 'if (context.now < 0) {',
    },
    scripts: ['retransmission/user-timeout', 'retransmission/user-timeout-before-timer'],
  },
  {
    rule: 'user timeout before the timer',
    without: {
      file: 'tcp/timers.ts',
      find: 'tcb.timerAt = Math.max(context.now, Math.min(tcb.timerAt, tcb.progressAt + tcb.userTimeoutMs));',
      replace: 'tcb.timerAt += 0;',
    },
    scripts: ['retransmission/user-timeout', 'retransmission/user-timeout-before-timer'],
  },
  {
    rule: 'partial ACK keeps the rest',
    without: {
      file: 'tcp/sent-queue.ts',
      find: 'this.starts[this.head] = una;',
      replace: '',
    },
    scripts: ['retransmission/partly-acknowledged'],
  },
  {
    rule: 'PSH only where nothing follows',
    without: {
      file: 'tcp/output.ts',
      find: 'const last = payload > 0 && seqAdd(start, payload) === seqAdd(tcb.sndUna, tcb.sendRing.length);',
      replace: 'const last = true;',
    },
    scripts: ['retransmission/rto-back-off'],
  },
  {
    rule: 'all lost after a timeout',
    without: {
      file: 'tcp/recovery.ts',
      find: 'else tcb.sent.markAllLost();',
      replace: 'else tcb.sent.markLost(0);',
    },
    scripts: ['retransmission/bytes-together', 'retransmission/loss-window', 'retransmission/rto-back-off'],
  },
  {
    rule: 'sample ends the back-off',
    without: {
      file: 'tcp/rtt.ts',
      find: '    this.rtoMs = this.computed();\n  }\n\n  /** §5.5',
      replace: '    this.rtoMs = Math.max(this.rtoMs, this.computed());\n  }\n\n  /** §5.5',
    },
    scripts: ['retransmission/karn', 'retransmission/syn-ack-then-data'],
  },
];
