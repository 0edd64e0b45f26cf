/** The handshake: RFC 9293 §3.5, RFC 7323 §2, RFC 6298 §2.1. */
import type { Rule } from '../rule';

export const HANDSHAKE: readonly Rule[] = [
  { rule: 'offers and answers window scaling', without: { config: { windowScaling: false } }, scripts: ['handshake/passive-options', 'window/scaled-both-ways'] },
  { rule: 'first SYN timeout of a second', without: { config: { initialRtoMs: 3000 } }, scripts: ['handshake/syn-ack-back-off', 'handshake/syn-back-off', 'handshake/syn-gives-up', 'handshake/syn-sent-unacceptable-ack'] },
  { rule: 'gives up connecting in time', without: { config: { connectTimeoutMs: 127000 } }, scripts: ['defence/half-open-ends', 'handshake/syn-gives-up'] },
  {
    rule: 'takes the peer\'s MSS',
    without: {
      file: 'tcp/input.ts',
      find: 'const peerMss = options.mss >= 0 ? options.mss : DEFAULT_MSS;',
      replace: 'const peerMss = 1460;',
    },
    scripts: ['handshake/passive-without-options'],
  },
  {
    rule: 'assumes 536 without an MSS',
    without: {
      file: 'tcp/input.ts',
      find: 'options.mss >= 0 ? options.mss : DEFAULT_MSS',
      replace: 'options.mss >= 0 ? options.mss : 1460',
    },
    scripts: ['handshake/passive-without-options'],
  },
  {
    rule: 'window of a SYN is not scaled',
    without: {
      file: 'tcp/input.ts',
      find: 'tcb.sndWnd = segment.has(SYN) ? segment.window : segment.window << tcb.sndWndShift;',
      replace: 'tcb.sndWnd = segment.window << tcb.sndWndShift;',
    },
    scripts: ['handshake/active-open'],
  },
  {
    rule: 'later windows are scaled',
    without: {
      file: 'tcp/input-ack.ts',
      find: 'const windowBytes = segment.window << tcb.sndWndShift;',
      replace: 'const windowBytes = segment.window;',
    },
    scripts: ['handshake/active-open', 'handshake/passive-options', 'window/largest', 'window/scaled-both-ways'],
  },
  {
    rule: 'SYN-ACK is acknowledged',
    without: {
      file: 'tcp/input.ts',
      find: 'tcb.ackOwed = true;\n    established(context, tcb, segment);\n    dataAfterSyn',
      replace: 'established(context, tcb, segment);\n    dataAfterSyn',
    },
    scripts: ['handshake/active-open', 'handshake/blocking-connect', 'handshake/syn-back-off'],
  },
  {
    rule: 'simultaneous open',
    without: {
      file: 'tcp/input.ts',
      find: 'context.setState(tcb, \'SYN-RECEIVED\');\n    tcb.synOwed = true;',
      replace: '',
    },
    scripts: ['close/syn-received', 'handshake/simultaneous-open'],
  },
  {
    rule: 'listener answers an ACK with a reset',
    without: {
      file: 'tcp/listener.ts',
      find: 'this.host.resetUnknown(segment); // second check',
      replace: '',
    },
    scripts: ['handshake/listen-checks'],
  },
  {
    rule: 'never a reset for a reset',
    without: {
      file: 'tcp/reset.ts',
      find: 'if (segment.has(RST)) return;',
      replace: '',
    },
    scripts: ['handshake/nobody-listens'],
  },
  {
    rule: 'reset at the number acknowledged',
    without: {
      file: 'tcp/reset.ts',
      find: 'const seq = withAck ? segment.ack : 0;',
      replace: 'const seq = 0;',
    },
    scripts: ['close/syn-sent', 'handshake/listen-checks', 'handshake/nobody-listens', 'states/syn-received-bad-ack'],
  },
  {
    rule: 'reset acknowledges all of a segment',
    without: {
      file: 'tcp/reset.ts',
      find: 'seqAdd(segment.seq, segment.length)',
      replace: 'segment.seq',
    },
    scripts: ['handshake/nobody-listens'],
  },
  {
    rule: 'reset in SYN-SENT ends the attempt',
    without: {
      file: 'tcp/input.ts',
      find: 'if (!segment.has(ACK)) {\n      context.counters.rxBadReset++;',
      replace: 'if (segment.has(RST)) {\n      context.counters.rxBadReset++;',
    },
    scripts: ['handshake/refused', 'states/syn-sent-reset-without-ack'],
  },
  {
    rule: 'reset without ACK in SYN-SENT is dropped',
    without: {
      file: 'tcp/input.ts',
      find: 'if (!segment.has(ACK)) {\n      context.counters.rxBadReset++;',
      replace: 'if (segment.payloadLength > 0) {\n      context.counters.rxBadReset++;',
    },
    scripts: ['handshake/refused', 'states/syn-sent-reset-without-ack'],
  },
  {
    rule: 'wrong ACK in SYN-SENT is reset',
    without: {
      file: 'tcp/input.ts',
      find: 'if (!segment.has(RST)) replyReset(context, segment);\n    return;\n  }\n  if (segment.has(RST)) {',
      replace: 'return;\n  }\n  if (segment.has(RST)) {',
    },
    scripts: ['handshake/syn-sent-unacceptable-ack'],
  },
  {
    rule: 'wrong ACK in SYN-SENT does not open',
    without: {
      file: 'tcp/input.ts',
      find: 'if (segment.has(ACK) && (seqLe(segment.ack, tcb.iss) || seqGt(segment.ack, tcb.sndMax))) {',
      replace: 'if (segment.has(ACK) && segment.ack === tcb.iss) {',
    },
    scripts: ['handshake/refused', 'handshake/syn-sent-unacceptable-ack'],
  },
  {
    rule: 'only SYN opens',
    without: {
      file: 'tcp/input.ts',
      find: 'if (!segment.has(SYN)) {\n    context.counters.rxUnacceptable++;\n    return;\n  }',
      replace: '',
    },
    scripts: ['states/syn-sent-no-syn'],
  },
  {
    rule: 'data on the SYN-ACK',
    without: {
      file: 'tcp/input.ts',
      find: 'established(context, tcb, segment);\n    dataAfterSyn(context, tcb, segment);',
      replace: 'established(context, tcb, segment);',
    },
    scripts: ['states/syn-sent-data'],
  },
  {
    rule: 'wrong ACK in SYN-RECEIVED is reset',
    without: {
      file: 'tcp/input.ts',
      find: 'if (!(seqLt(tcb.sndUna, segment.ack) && seqLe(segment.ack, tcb.sndMax))) {',
      replace: 'if (segment.ack === tcb.iss) {',
    },
    scripts: ['states/syn-received-bad-ack'],
  },
  {
    rule: 'SYN in SYN-RECEIVED returns to LISTEN',
    without: {
      file: 'tcp/input.ts',
      find: 'if (tcb.state === \'SYN-RECEIVED\' && tcb.passive) {\n    context.finish(tcb, null);\n    return;\n  }',
      replace: '',
    },
    scripts: ['states/syn-received-new-syn'],
  },
  {
    rule: 'repeated SYN brings the SYN-ACK again',
    without: {
      file: 'tcp/input.ts',
      find: 'tcb.synRetransmitted = true;\n  tcb.synOwed = true;',
      replace: '',
    },
    scripts: ['handshake/syn-ack-back-off'],
  },
  {
    rule: 'reset in SYN-RECEIVED returns to LISTEN',
    without: {
      file: 'tcp/input.ts',
      find: 'case \'SYN-RECEIVED\':\n      context.finish(tcb, tcb.passive ? null : new StackError(\'ECONNREFUSED\', `${peer(tcb)} refused the connection.`));\n      return;',
      replace: 'case \'SYN-RECEIVED\':\n      return;',
    },
    scripts: ['handshake/listen-checks'],
  },
  {
    rule: 'lost SYN: RTO of 3 s',
    without: {
      file: 'tcp/rtt.ts',
      find: 'if (this.srttMs === null) this.rtoMs = Math.min(RTO_AFTER_LOST_SYN_MS, this.bounds.maxRtoMs);',
      replace: '',
    },
    scripts: ['retransmission/lost-syn', 'retransmission/syn-ack-then-data'],
  },
  {
    rule: 'lost SYN: window of one segment',
    without: {
      file: 'tcp/input.ts',
      find: 'tcb.congestion.onLostSyn();',
      replace: '',
    },
    scripts: ['retransmission/lost-syn'],
  },
  {
    rule: 'MSS offered follows the MTU',
    without: {
      file: 'tcp/output.ts',
      find: 'return context.egress.linkMtu(remoteAddress) - IPV4_HEADER_BYTES - TCP_HEADER_BYTES;',
      replace: 'return 1460;',
    },
    scripts: ['path-mtu/offered'],
  },
  {
    rule: 'close in SYN-SENT deletes',
    without: {
      file: 'tcp/socket.ts',
      find: 'if (tcb.state === \'SYN-SENT\' && tcb.sendRing.length === 0) {',
      replace: 'if (tcb.state === \'CLOSED\') {',
    },
    scripts: ['close/syn-sent'],
  },
  {
    rule: 'close in SYN-RECEIVED waits',
    without: {
      file: 'tcp/input.ts',
      find: 'context.setState(tcb, tcb.finQueued ? \'FIN-WAIT-1\' : \'ESTABLISHED\');',
      replace: 'context.setState(tcb, \'ESTABLISHED\');',
    },
    scripts: ['close/syn-received'],
  },
  {
    rule: 'backlog is bounded',
    without: {
      file: 'tcp/listener.ts',
      find: 'if (this.requests.size + this.halfOpen.size + this.waiting.length >= this.backlog) {',
      replace: 'if (this.requests.size < 0) {',
    },
    scripts: ['defence/backlog', 'defence/half-open-ends'],
  },
  {
    rule: 'half-open connections end',
    without: {
      file: 'tcp/timers.ts',
      find: 'case \'SYN-SENT\':\n    case \'SYN-RECEIVED\':\n      context.finish(tcb, timedOut',
      replace: 'case \'SYN-SENT\':\n    case \'SYN-RECEIVED\':\n      if (tcb.passive) tcb.lifeAt = Infinity;\n      else context.finish(tcb, timedOut',
    },
    scripts: ['defence/half-open-ends'],
  },
];
