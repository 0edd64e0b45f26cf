/** Every state's checks: RFC 9293 §3.10.7, RFC 5961. */
import type { Rule } from '../rule';

export const STATES: readonly Rule[] = [
  {
    rule: 'segment without ACK is dropped',
    without: {
      file: 'tcp/input.ts',
      find: 'if (!segment.has(ACK)) {\n    context.counters.rxNoAck++;\n    return;\n  }',
      replace: '',
    },
    scripts: ['states/no-ack'],
  },
  {
    rule: 'urgent data in line',
    without: {
      file: 'tcp/input.ts',
      find: '// Sixth, URG: data is delivered in line;',
      replace: 'if ((segment.flags & 0x20) !== 0) return; //',
    },
    scripts: ['states/urgent'],
  },
  {
    rule: 'sequence number first',
    without: {
      file: 'tcp/input.ts',
      find: 'if (!isAcceptable(tcb, segment) && !acceptAckOnly(tcb, segment)) {',
      replace: 'if (!isAcceptable(tcb, segment) && !acceptAckOnly(tcb, segment) && !segment.has(RST)) {',
    },
    scripts: ['defence/reset-in-window', 'states/order-of-checks'],
  },
  {
    rule: 'unacceptable segment is acknowledged',
    without: {
      file: 'tcp/input.ts',
      find: 'answerUnacceptable(context, tcb, segment);\n  context.touch(tcb);\n}\n\n/** The SYN that brought',
      replace: 'context.touch(tcb);\n}\n\n/** The SYN that brought',
    },
    scripts: ['defence/out-of-window-limit', 'keep-alive/of-the-peer', 'states/order-of-checks'],
  },
  {
    rule: 'segment is trimmed to the window',
    without: {
      file: 'tcp/input-data.ts',
      find: 'segment.payloadLength = Math.max(0, segment.payloadLength - beyond);\n    segment.flags &= ~FIN;',
      replace: '',
    },
    scripts: ['states/partly-in-window'],
  },
  {
    rule: 'FIN beyond the window is cut off',
    without: {
      file: 'tcp/input-data.ts',
      find: 'segment.flags &= ~FIN;\n    tcb.ackOwed = true;',
      replace: 'tcb.ackOwed = true;',
    },
    scripts: ['states/partly-in-window'],
  },
  {
    rule: 'old part is cut off',
    without: {
      file: 'tcp/input-data.ts',
      find: 'segment.trimFront(old);',
      replace: 'if (old === segment.payloadLength) segment.trimFront(old);',
    },
    scripts: ['ack/duplicate-data', 'states/partly-in-window'],
  },
  {
    rule: 'reset only at RCV.NXT',
    without: {
      file: 'tcp/input.ts',
      find: 'if (segment.seq !== tcb.rcvNxt) {\n    context.counters.rxBadReset++;\n    challengeAck(context, tcb);\n    return;\n  }',
      replace: '',
    },
    scripts: ['defence/challenge-limit', 'defence/reset-in-window'],
  },
  {
    rule: 'reset in closing states is no error',
    without: {
      file: 'tcp/input.ts',
      find: 'case \'CLOSING\':\n    case \'LAST-ACK\':\n    case \'TIME-WAIT\':\n      context.finish(tcb, null);\n      return;\n    default:',
      replace: 'default:',
    },
    scripts: ['states/reset-closing'],
  },
  {
    rule: 'reset ends the connection',
    without: {
      file: 'tcp/input.ts',
      find: 'context.finish(tcb, new StackError(\'ECONNRESET\', `${peer(tcb)} reset the connection.`));',
      replace: '',
    },
    scripts: ['defence/reset-in-window', 'defence/syn-in-window', 'keep-alive/reset-by-forgetful-peer', 'states/order-of-checks', 'states/reset-close-wait', 'states/reset-fin-wait'],
  },
  {
    rule: 'SYN is challenged in the window',
    without: {
      file: 'tcp/input.ts',
      find: 'challengeAck(context, tcb);\n}\n\nfunction peer',
      replace: '}\n\nfunction peer',
    },
    scripts: ['defence/syn-in-window', 'states/syn-while-closing'],
  },
  {
    rule: 'SYN is challenged outside the window',
    without: {
      file: 'tcp/input.ts',
      find: 'challengeAck(context, tcb); // RFC 5961 §4.2: in the window or not',
      replace: '',
    },
    scripts: ['defence/syn-in-window', 'states/syn-ack-repeated', 'states/syn-while-closing'],
  },
  {
    rule: 'data in FIN-WAIT-1',
    without: {
      file: 'tcp/input-data.ts',
      find: 'case \'ESTABLISHED\':\n    case \'FIN-WAIT-1\':\n    case \'FIN-WAIT-2\':\n      break;',
      replace: 'case \'ESTABLISHED\':\n    case \'FIN-WAIT-2\':\n      break;',
    },
    scripts: ['states/fin-wait-1-data', 'states/reset-closing'],
  },
  {
    rule: 'data in FIN-WAIT-2',
    without: {
      file: 'tcp/input-data.ts',
      find: 'case \'ESTABLISHED\':\n    case \'FIN-WAIT-1\':\n    case \'FIN-WAIT-2\':\n      break;',
      replace: 'case \'ESTABLISHED\':\n    case \'FIN-WAIT-1\':\n      break;',
    },
    scripts: ['close/half-close', 'states/syn-while-closing'],
  },
  {
    rule: 'ACK of what was never sent is dropped',
    without: {
      file: 'tcp/input-ack.ts',
      find: 'context.counters.rxBadAck++;\n    challengeAck(context, tcb);\n    return false;',
      replace: 'context.counters.rxBadAck++;',
    },
    scripts: ['defence/ack-out-of-range', 'defence/blind-data', 'states/ack-of-unsent'],
  },
  {
    rule: 'ACK out of range is answered',
    without: {
      file: 'tcp/input-ack.ts',
      find: 'context.counters.rxBadAck++;\n    challengeAck(context, tcb);\n    return false;',
      replace: 'context.counters.rxBadAck++;\n    return false;',
    },
    scripts: ['defence/blind-data', 'states/ack-of-unsent'],
  },
  {
    rule: 'ACK of unsent leaves our FIN',
    without: {
      file: 'tcp/input-ack.ts',
      find: 'tcb.maxSndWnd + seqDiff(tcb.sndMax, tcb.sndUna) + 1)) {',
      replace: 'tcb.maxSndWnd + seqDiff(tcb.sndMax, tcb.sndUna) + 5000)) {',
    },
    scripts: ['defence/ack-out-of-range', 'states/ack-of-unsent'],
  },
  {
    rule: 'oldest ACK that counts',
    without: {
      file: 'tcp/input-ack.ts',
      find: 'const oldest = seqAdd(tcb.sndUna, -tcb.maxSndWnd);\n  if (!seqWithin(ack, oldest, tcb.maxSndWnd + ',
      replace: 'const oldest = seqAdd(tcb.sndUna, -10 * tcb.maxSndWnd);\n  if (!seqWithin(ack, oldest, 10 * tcb.maxSndWnd + ',
    },
    scripts: ['defence/blind-data'],
  },
  {
    rule: 'old window update is ignored',
    without: {
      file: 'tcp/input-ack.ts',
      find: 'if (!(seqLt(tcb.sndWl1, segment.seq) || (tcb.sndWl1 === segment.seq && seqLe(tcb.sndWl2, segment.ack)))) return;',
      replace: '',
    },
    scripts: ['window/old-update-ignored'],
  },
  {
    rule: 'ACKs outside the window are limited',
    without: {
      file: 'tcp/invalid-segment.ts',
      find: 'if (repeatsData || mayAnswer(context, tcb)) sendAck',
      replace: 'sendAck',
    },
    scripts: ['defence/out-of-window-limit'],
  },
  { rule: 'challenge ACKs are limited', without: { config: { invalidAnswerMs: 0 } }, scripts: ['defence/challenge-limit', 'defence/out-of-window-limit', 'timestamps/paws-answer-limit'] },
  {
    rule: 'sequence numbers compare modulo 2^32',
    without: {
      file: 'wire/seq.ts',
      find: 'export function seqLt(a: number, b: number): boolean {\n  return ((a - b) | 0) < 0;',
      replace: 'export function seqLt(a: number, b: number): boolean {\n  return a < b;',
    },
    scripts: ['sequence/local-wrap', 'sequence/remote-wrap'],
  },
  {
    rule: 'later is later modulo 2^32',
    without: {
      file: 'wire/seq.ts',
      find: 'export function seqGt(a: number, b: number): boolean {\n  return ((a - b) | 0) > 0;',
      replace: 'export function seqGt(a: number, b: number): boolean {\n  return a > b;',
    },
    scripts: ['sequence/local-wrap'],
  },
  {
    rule: 'distances are modulo 2^32',
    without: {
      file: 'wire/seq.ts',
      find: 'export function seqDiff(a: number, b: number): number {\n  return (a - b) | 0;',
      replace: 'export function seqDiff(a: number, b: number): number {\n  return a - b;',
    },
    scripts: ['sequence/local-wrap', 'sequence/remote-wrap', 'window/largest'],
  },
  {
    rule: 'no data behind the FIN',
    without: {
      file: 'tcp/input-data.ts',
      find: '    segment.payloadLength = Math.max(0, seqDiff(tcb.peerFinSeq, segment.seq));\n',
      replace: '',
    },
    scripts: ['states/data-after-fin'],
  },
  {
    rule: 'data on the last ACK of the handshake',
    without: {
      file: 'tcp/input.ts',
      find: 'if (tcb.state === \'SYN-RECEIVED\' && !synReceivedAck(context, tcb, segment)) return;',
      replace: 'if (tcb.state === \'SYN-RECEIVED\') {\n    synReceivedAck(context, tcb, segment);\n    return;\n  }',
    },
    scripts: ['states/syn-received-data'],
  },
];
