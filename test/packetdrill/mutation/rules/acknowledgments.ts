/** Acknowledgments and Nagle's algorithm: RFC 9293 §3.8.6.3 and §3.7.4, RFC 5681 §4.2. */
import type { Rule } from '../rule';

export const ACKNOWLEDGMENTS: readonly Rule[] = [
  { rule: 'delayed ACKs', without: { config: { delayedAckMs: 0 } }, scripts: ['ack/delayed', 'ack/every-second', 'ack/rides-along'] },
  { rule: 'delayed by 40 ms', without: { config: { delayedAckMs: 200 } }, scripts: ['ack/delayed', 'ack/every-second', 'ack/quick-after-silence', 'ack/rides-along'] },
  {
    rule: 'every second segment at once',
    without: {
      file: 'tcp/input-data.ts',
      find: 'if (filledGap || tcb.unackedBytes >= 2 * tcb.rcvMss || tcb.quickAcks > 0) {',
      replace: 'if (filledGap || tcb.quickAcks > 0) {',
    },
    scripts: ['ack/every-second'],
  },
  { rule: 'quick ACKs at the start', without: { config: { quickAcks: 0 } }, scripts: ['ack/quick-at-start'] },
  {
    rule: 'quick ACKs after a silence',
    without: {
      file: 'tcp/input.ts',
      find: 'if (context.now - tcb.heardAt > tcb.rtt.rtoMs) tcb.quickAcks = context.config.quickAcks;',
      replace: '',
    },
    scripts: ['ack/quick-after-silence'],
  },
  {
    rule: 'quick ACKs end',
    without: {
      file: 'tcp/input-data.ts',
      find: 'if (tcb.quickAcks > 0) tcb.quickAcks--;',
      replace: '',
    },
    scripts: ['ack/quick-after-silence'],
  },
  {
    rule: 'gap is told at once',
    without: {
      file: 'tcp/input-data.ts',
      find: 'else if (!inOrder) sendAck(context, tcb);',
      replace: 'else if (!inOrder) tcb.ackAt = context.now + 40;',
    },
    scripts: ['ack/out-of-order'],
  },
  {
    rule: 'filled gap is told at once',
    without: {
      file: 'tcp/input-data.ts',
      find: 'if (filledGap || tcb.unackedBytes',
      replace: 'if (tcb.unackedBytes',
    },
    scripts: ['ack/filled-gap'],
  },
  {
    rule: 'duplicate is acknowledged',
    without: {
      file: 'tcp/invalid-segment.ts',
      find: 'const repeatsData = segment.length > 0 && !segment.has(SYN);\n  if (repeatsData ||',
      replace: 'if (segment.length > 0) return;\n  if (',
    },
    scripts: ['ack/duplicate-data'],
  },
  {
    rule: 'ACK rides along',
    without: {
      file: 'tcp/output.ts',
      find: 'tcb.ackOwed = false;\n  tcb.windowNews = false;\n  tcb.unackedBytes = 0;\n  tcb.ackAt = Infinity;',
      replace: 'if (length === 0) {\n    tcb.ackOwed = false;\n    tcb.ackAt = Infinity;\n  }\n  tcb.windowNews = false;\n  tcb.unackedBytes = 0;',
    },
    scripts: ['ack/rides-along'],
  },
  {
    rule: 'ACKs are not acknowledged',
    without: {
      file: 'tcp/input-data.ts',
      find: 'if (segment.payloadLength === 0 && !segment.has(FIN)) return;',
      replace: 'if (segment.payloadLength === 0 && !segment.has(FIN)) {\n    tcb.ackOwed = true;\n    return;\n  }',
    },
    scripts: ['ack/not-of-acks'],
  },
  { rule: 'Nagle\'s algorithm', without: { config: { nagle: false } }, scripts: ['nagle/fin', 'nagle/minshall', 'nagle/small-writes'] },
  {
    rule: 'Nagle off by option',
    without: {
      file: 'tcp/output.ts',
      find: 'return !tcb.nagle || tcb.finQueued',
      replace: 'return tcb.finQueued',
    },
    scripts: ['nagle/off'],
  },
  {
    rule: 'Minshall\'s variant',
    without: {
      file: 'tcp/output.ts',
      find: 'const smallInFlight = seqGt(tcb.sndSml, tcb.sndUna);',
      replace: 'const smallInFlight = tcb.sent.length > 0;',
    },
    scripts: ['nagle/minshall'],
  },
  {
    rule: 'Nagle does not hold the last piece of a closed stream',
    without: {
      file: 'tcp/output.ts',
      find: 'tcb.finQueued || !smallInFlight',
      replace: '!smallInFlight',
    },
    scripts: ['nagle/fin'],
  },
];
