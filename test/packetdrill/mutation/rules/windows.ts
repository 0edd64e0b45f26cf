/** Windows, buffers and probes: RFC 9293 §3.8.6, RFC 7323 §2. */
import type { Rule } from '../rule';

export const WINDOWS: readonly Rule[] = [
  {
    rule: 'shift above 14 is 14',
    without: {
      file: 'tcp/input.ts',
      find: 'tcb.sndWndShift = Math.min(options.windowScale, MAX_WINDOW_SCALE);',
      replace: 'tcb.sndWndShift = options.windowScale;',
    },
    scripts: ['window/scale-too-large'],
  },
  {
    rule: 'receive buffer grows',
    without: {
      file: 'tcp/buffers.ts',
      find: 'if (limit > tcb.receiveRing.limit) tcb.receiveRing.setLimit(limit);',
      replace: '',
    },
    scripts: ['window/receive-auto-tuning'],
  },
  {
    rule: 'receive buffer grows only for readers',
    without: {
      file: 'tcp/buffers.ts',
      find: '  tcb.rcvRttSeq = seqAdd(tcb.rcvNxt, tcb.rcvWnd);\n',
      replace: '  tcb.receiveRing.setLimit(2 * tcb.receiveRing.limit);\n  tcb.rcvRttSeq = seqAdd(tcb.rcvNxt, tcb.rcvWnd);\n',
    },
    scripts: ['window/receive-slow-reader'],
  },
  {
    rule: 'send buffer grows',
    without: {
      file: 'tcp/buffers.ts',
      find: 'if (wanted > sendRing.limit) sendRing.setLimit(wanted);',
      replace: '',
    },
    scripts: ['window/send-auto-tuning'],
  },
  {
    rule: 'send buffer is bounded',
    without: {
      file: 'tcp/buffers.ts',
      find: 'const wanted = Math.min(2 * congestion.cwndBytes, context.config.sendBufferBytes);',
      replace: 'const wanted = 20 * congestion.cwndBytes;',
    },
    scripts: ['window/send-auto-tuning', 'window/send-buffer-limit'],
  },
  {
    rule: 'window update after reading',
    without: {
      file: 'tcp/output.ts',
      find: 'if (tcb.ackOwed || windowUpdateDue(tcb)) sendAck',
      replace: 'if (tcb.ackOwed) sendAck',
    },
    scripts: ['window/receive-auto-tuning', 'window/receiver-silly-window', 'window/update-after-read'],
  },
  {
    rule: 'window updates of two segments',
    without: {
      file: 'tcp/output.ts',
      find: 'const segments = known < tcb.rcvMss ? 1 : 2;',
      replace: 'const segments = 1;',
    },
    scripts: ['window/update-after-read'],
  },
  {
    rule: 'receiver\'s silly window avoidance',
    without: {
      file: 'tcp/output.ts',
      find: 'if (full || offer - tcb.rcvWnd >= Math.min(tcb.receiveRing.limit / 2, tcb.rcvMss)) tcb.rcvAdv',
      replace: 'if (offer > tcb.rcvWnd) tcb.rcvAdv',
    },
    scripts: ['window/receiver-silly-window'],
  },
  {
    rule: 'silly window updates',
    without: {
      file: 'tcp/output.ts',
      find: '>= Math.max(1, Math.min(tcb.receiveRing.limit / 2, segments * tcb.rcvMss))',
      replace: '>= 1',
    },
    scripts: ['window/receiver-silly-window', 'window/update-after-read'],
  },
  {
    rule: 'edge is not taken back',
    without: {
      file: 'tcp/output.ts',
      find: 'tcb.rcvAdv = seqAdd(tcb.rcvNxt, offer);\n  // Rounded',
      replace: 'tcb.rcvAdv = seqAdd(tcb.rcvNxt, offer);\n  else if (offer < tcb.rcvWnd) tcb.rcvAdv = seqAdd(tcb.rcvNxt, offer);\n  // Rounded',
    },
    scripts: ['window/edge-not-taken-back'],
  },
  {
    rule: 'sender\'s silly window avoidance',
    without: {
      file: 'tcp/output.ts',
      find: 'return length >= tcb.maxSndWnd / 2 ? length : 0;',
      replace: 'return length;',
    },
    scripts: ['window/sender-silly-window'],
  },
  {
    rule: 'zero-window probes',
    without: {
      file: 'tcp/timers.ts',
      find: 'tcb.probeOwed = true;',
      replace: '',
    },
    scripts: ['window/fin-in-closed-window', 'window/probe-interval-limit', 'window/probe-of-the-dead', 'window/probed-byte-accepted', 'window/zero-window-probe'],
  },
  {
    rule: 'probes back off',
    without: {
      file: 'tcp/timers.ts',
      find: 'tcb.probeOwed = true;\n  tcb.rtt.backOff();',
      replace: 'tcb.probeOwed = true;',
    },
    scripts: ['window/probe-interval-limit', 'window/probe-of-the-dead', 'window/probes-for-ever', 'window/zero-window-probe'],
  },
  {
    rule: 'probing a live peer never ends',
    without: {
      file: 'tcp/timers.ts',
      find: 'if (tcb.sndWnd === 0 && tcb.heardAt >= tcb.lastDataSentAt) tcb.progressAt = context.now;',
      replace: '',
    },
    scripts: ['window/probes-for-ever'],
  },
  {
    rule: 'probing a live peer ends after the close',
    without: {
      file: 'tcp/timers.ts',
      find: 'return tcb.endsIfStalled && waits && tcb.maySend ? tcb.takenAt + tcb.userTimeoutMs : Infinity;',
      replace: 'return waits ? Infinity : Infinity;',
    },
    scripts: ['window/probes-end-after-close'],
  },
  {
    rule: 'probing a dead peer ends',
    without: {
      file: 'tcp/timers.ts',
      find: 'if (context.now - tcb.progressAt >= tcb.userTimeoutMs) {',
      replace: 'if (tcb.sndWnd > 0 && context.now - tcb.progressAt >= tcb.userTimeoutMs) {',
    },
    scripts: ['window/probe-of-the-dead'],
  },
  {
    rule: 'largest RTO',
    without: {
      file: 'tcp/rtt.ts',
      find: 'this.rtoMs = Math.min(this.rtoMs * 2, this.bounds.maxRtoMs);',
      replace: 'this.rtoMs *= 2;',
    },
    scripts: ['window/probe-interval-limit'],
  },
  {
    rule: 'probed byte is taken back',
    without: {
      file: 'tcp/input-ack.ts',
      find: 'tcb.sent.pop();\n    tcb.sndNxt = tcb.sndUna;\n    tcb.sndSml = tcb.sndUna;',
      replace: '',
    },
    scripts: ['window/probed-byte-accepted', 'window/probes-for-ever', 'window/zero-window-probe'],
  },
  {
    rule: 'back-off ends when the window opens',
    without: {
      file: 'tcp/input-ack.ts',
      find: 'tcb.rtt.endBackOff();\n  restartRetransmission(tcb);\n  if (tcb.sent.length === 1',
      replace: 'if (tcb.sent.length === 1',
    },
    scripts: ['window/back-off-ends'],
  },
  {
    rule: 'FIN as a probe',
    without: {
      file: 'tcp/output.ts',
      find: '(tcb.usableWindow > 0 || tcb.probeOwed)) pushSegment',
      replace: 'tcb.usableWindow > 0) pushSegment',
    },
    scripts: ['window/fin-in-closed-window'],
  },
  {
    rule: 'FIN waits for the window',
    without: {
      file: 'tcp/output.ts',
      find: '(tcb.usableWindow > 0 || tcb.probeOwed)) pushSegment',
      replace: 'true) pushSegment',
    },
    scripts: ['window/fin-in-closed-window'],
  },
  {
    rule: 'segments count in a closed window',
    without: {
      file: 'tcp/input.ts',
      find: 'return segment.seq === tcb.rcvAdv && (tcb.rcvWnd === 0 || ',
      replace: 'return segment.seq === tcb.rcvAdv && (',
    },
    scripts: ['window/closed-window-acks'],
  },
  {
    rule: 'shrunk window is respected',
    without: {
      file: 'tcp/output.ts',
      find: 'const length = Math.min(unsent, tcb.sndMss, usable);',
      replace: 'const length = Math.min(unsent, tcb.sndMss);',
    },
    scripts: ['window/shrunk'],
  },
];
