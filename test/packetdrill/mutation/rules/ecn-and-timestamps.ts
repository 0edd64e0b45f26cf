/** ECN (RFC 3168) and timestamps (RFC 7323). */
import type { Rule } from '../rule';

export const ECN_AND_TIMESTAMPS: readonly Rule[] = [
  { rule: 'ECN', without: { config: { ecn: 'off' } }, scripts: ['ecn/active', 'ecn/lost-syn', 'ecn/mirrored', 'ecn/no-growth', 'ecn/passive', 'ecn/retransmission', 'ecn/zero-window-probe'] },
  { rule: 'ECN offered', without: { config: { ecn: 'passive' } }, scripts: ['ecn/active', 'ecn/lost-syn', 'ecn/mirrored'] },
  {
    rule: 'offer needs both flags',
    without: {
      file: 'tcp/input.ts',
      find: ': segment.has(ECE) && segment.has(CWR);',
      replace: ': segment.has(ECE);',
    },
    scripts: ['ecn/not-offered'],
  },
  {
    rule: 'mirrored flags are no agreement',
    without: {
      file: 'tcp/input.ts',
      find: 'segment.has(ACK) ? segment.has(ECE) && !segment.has(CWR) :',
      replace: 'segment.has(ACK) ? segment.has(ECE) :',
    },
    scripts: ['ecn/mirrored'],
  },
  {
    rule: 'no offer after a lost SYN',
    without: {
      file: 'tcp/output.ts',
      find: 'context.config.ecn === \'on\' && !tcb.synRetransmitted;',
      replace: 'context.config.ecn === \'on\';',
    },
    scripts: ['ecn/lost-syn'],
  },
  {
    rule: 'echo of marks',
    without: {
      file: 'tcp/input.ts',
      find: 'tcb.eceOwed = true;\n    tcb.ackOwed = true;',
      replace: '',
    },
    scripts: ['ecn/echo'],
  },
  {
    rule: 'echo until CWR',
    without: {
      file: 'tcp/input.ts',
      find: 'if (segment.has(CWR)) tcb.eceOwed = false;',
      replace: '',
    },
    scripts: ['ecn/echo'],
  },
  {
    rule: 'echo in every ACK',
    without: {
      file: 'tcp/output.ts',
      find: 'const allFlags = tcb.eceOwed ? flags | ECE : flags;',
      replace: 'const allFlags = tcb.eceOwed ? flags | ECE : flags;\n  tcb.eceOwed = false;',
    },
    scripts: ['ecn/echo'],
  },
  {
    rule: 'ECE reduces',
    without: {
      file: 'tcp/input-ack.ts',
      find: 'reduce(context, tcb);\n  context',
      replace: 'context',
    },
    scripts: ['ecn/reduction'],
  },
  {
    rule: 'ECE reduces once',
    without: {
      file: 'tcp/input-ack.ts',
      find: 'if (tcb.recovery !== \'open\' || !seqGt(tcb.sndUna, tcb.ecnRecover)) return;',
      replace: '',
    },
    scripts: ['ecn/echo-of-a-loss', 'ecn/reduction'],
  },
  {
    rule: 'loss and mark reduce once',
    without: {
      file: 'tcp/episode.ts',
      find: 'tcb.ecnRecover = tcb.sndMax;\n  tcb.cwrOwed = tcb.ecnEnabled;',
      replace: 'tcb.cwrOwed = tcb.ecnEnabled;',
    },
    scripts: ['ecn/echo-of-a-loss'],
  },
  {
    rule: 'CWR',
    without: {
      file: 'tcp/episode.ts',
      find: 'tcb.cwrOwed = tcb.ecnEnabled;',
      replace: '',
    },
    scripts: ['ecn/echo-of-a-loss', 'ecn/reduction'],
  },
  {
    rule: 'retransmissions are not capable',
    without: {
      file: 'tcp/output.ts',
      find: 'transmit(context, tcb, start, payload, ACK | (hasFin ? FIN : 0) | (last ? PSH : 0), NOT_ECT);',
      replace: 'transmit(context, tcb, start, payload, ACK | (hasFin ? FIN : 0) | (last ? PSH : 0), tcb.ecnEnabled ? ECT : NOT_ECT);',
    },
    scripts: ['ecn/retransmission'],
  },
  {
    rule: 'probes are not capable',
    without: {
      file: 'tcp/output.ts',
      find: 'const capable = tcb.ecnEnabled && length > 0 && !tcb.probeOwed;',
      replace: 'const capable = tcb.ecnEnabled && length > 0;',
    },
    scripts: ['ecn/zero-window-probe'],
  },
  {
    rule: 'ACKs are not capable',
    without: {
      file: 'tcp/output.ts',
      find: 'if (tcb.state !== \'SYN-SENT\' && tcb.state !== \'CLOSED\') transmit(context, tcb, acceptableSeq(tcb), 0, ACK, NOT_ECT);',
      replace: 'if (tcb.state !== \'SYN-SENT\' && tcb.state !== \'CLOSED\') transmit(context, tcb, acceptableSeq(tcb), 0, ACK, tcb.ecnEnabled ? ECT : NOT_ECT);',
    },
    scripts: ['ecn/active', 'ecn/passive'],
  },
  {
    rule: 'ECE does not grow the window',
    without: {
      file: 'tcp/episode.ts',
      find: 'if (outcome.marked) return;',
      replace: '',
    },
    scripts: ['ecn/no-growth'],
  },
  { rule: 'timestamps', without: { config: { timestamps: false } }, scripts: ['timestamps/active-open', 'timestamps/agreed', 'timestamps/gap-not-echoed', 'timestamps/missing', 'timestamps/oldest-echoed', 'timestamps/own-wrap', 'timestamps/sample-of-retransmission'] },
  {
    rule: 'timestamps only where offered',
    without: {
      file: 'tcp/input.ts',
      find: 'tcb.tsEnabled = config.timestamps && options.hasTimestamps;',
      replace: 'tcb.tsEnabled = config.timestamps;',
    },
    scripts: ['timestamps/active-open', 'timestamps/not-offered'],
  },
  {
    rule: 'timestamps come out of the segment',
    without: {
      file: 'tcp/input.ts',
      find: 'tcb.sndMss -= TIMESTAMP_BYTES;',
      replace: '',
    },
    scripts: ['timestamps/agreed'],
  },
  {
    rule: 'segments without are dropped',
    without: {
      file: 'tcp/input.ts',
      find: 'if (tcb.tsEnabled && !segment.options.hasTimestamps && !segment.has(RST)) {',
      replace: 'if (segment.length < 0) {',
    },
    scripts: ['timestamps/missing'],
  },
  {
    rule: 'PAWS',
    without: {
      file: 'tcp/timestamps.ts',
      find: 'return seqLt(segment.options.tsVal, tcb.tsRecent) && context.now',
      replace: 'return false && context.now',
    },
    scripts: ['timestamps/paws', 'timestamps/wrap'],
  },
  {
    rule: 'PAWS wraps',
    without: {
      file: 'tcp/timestamps.ts',
      find: 'return seqLt(segment.options.tsVal, tcb.tsRecent) && context.now',
      replace: 'return segment.options.tsVal < tcb.tsRecent && context.now',
    },
    scripts: ['timestamps/wrap'],
  },
  {
    rule: 'PAWS is acknowledged',
    without: {
      file: 'tcp/input.ts',
      find: 'context.counters.rxBadPaws++;\n    answerUnacceptable(context, tcb, segment);',
      replace: 'context.counters.rxBadPaws++;',
    },
    scripts: ['timestamps/paws', 'timestamps/wrap'],
  },
  {
    rule: 'PAWS spares resets',
    without: {
      file: 'tcp/timestamps.ts',
      find: 'if (!tcb.tsEnabled || !segment.options.hasTimestamps || segment.has(RST)) return false;',
      replace: 'if (!tcb.tsEnabled || !segment.options.hasTimestamps) return false;',
    },
    scripts: ['timestamps/paws'],
  },
  {
    rule: 'the oldest is echoed',
    without: {
      file: 'tcp/timestamps.ts',
      find: '&& seqLe(seq, tcb.lastAckSent)) {',
      replace: ') {',
    },
    scripts: ['timestamps/gap-not-echoed', 'timestamps/oldest-echoed'],
  },
  {
    rule: 'samples of retransmissions',
    without: {
      file: 'tcp/input-ack.ts',
      find: '} else if (tsEcr !== null && seqGt(ack, tcb.rttSampleFrom)) {',
      replace: '} else if (tsEcr !== null && ack < 0) {',
    },
    scripts: ['timestamps/own-wrap', 'timestamps/sample-of-retransmission'],
  },
  {
    rule: 'own clock wraps',
    without: {
      file: 'tcp/input-ack.ts',
      find: 'tcb.rtt.sample(Math.max(0, seqDiff(timestampNow(tcb, context.now), tsEcr)));',
      replace: 'tcb.rtt.sample(Math.max(0, timestampNow(tcb, context.now) - tsEcr));',
    },
    scripts: ['timestamps/own-wrap'],
  },
];
