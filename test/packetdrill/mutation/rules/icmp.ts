/** ICMP (RFC 5927) and path MTU (RFC 1191, RFC 4821). */
import type { Rule } from '../rule';

export const ICMP: readonly Rule[] = [
  {
    rule: 'ICMP while connecting',
    without: {
      file: 'tcp/errors-in.ts',
      find: 'context.finish(tcb, new StackError(failure.code, `${peer} cannot be reached: ${failure.why}`));',
      replace: '',
    },
    scripts: ['icmp/prohibited-while-connecting', 'icmp/refused-while-connecting', 'icmp/while-connecting'],
  },
  {
    rule: 'ICMP is soft once open',
    without: {
      file: 'tcp/errors-in.ts',
      find: 'if (!failure || tcb.isSynchronized) {',
      replace: 'if (!failure) {',
    },
    scripts: ['icmp/soft-errors'],
  },
  {
    rule: 'ICMP about what is in flight',
    without: {
      file: 'tcp/errors-in.ts',
      find: 'if (!tcb || !seqWithin(seq, tcb.sndUna, Math.max(1, seqDiff(tcb.sndMax, tcb.sndUna)))) {',
      replace: 'if (!tcb) {',
    },
    scripts: ['icmp/forged', 'icmp/forged-while-connecting'],
  },
  {
    rule: 'port unreachable refuses',
    without: {
      file: 'tcp/errors-in.ts',
      find: 'case 2:\n        case 3:\n          return',
      replace: 'case 2:\n          return',
    },
    scripts: ['icmp/refused-while-connecting'],
  },
  {
    rule: 'prohibited',
    without: {
      file: 'tcp/errors-in.ts',
      find: 'case 9:\n        case 10:\n        case 13:\n',
      replace: 'case 9:\n        case 10:\n',
    },
    scripts: ['icmp/prohibited-while-connecting'],
  },
  {
    rule: 'time exceeded and source quench are soft',
    without: {
      file: 'tcp/errors-in.ts',
      find: 'default:\n      return null;',
      replace: 'default:\n      return { code: \'EHOSTUNREACH\', why: \'\' };',
    },
    scripts: ['icmp/time-exceeded-while-connecting'],
  },
  {
    rule: 'fragmentation needed',
    without: {
      file: 'tcp/errors-in.ts',
      find: 'if (!pathShrank(context, tcb, nextHopMtu)) {',
      replace: 'if (nextHopMtu !== -1) {',
    },
    scripts: ['icmp/fragmentation-needed', 'icmp/fragmentation-needed-lower-bound', 'icmp/fragmentation-needed-without-mtu', 'path-mtu/raised-again'],
  },
  {
    rule: 'sent again in smaller ones',
    without: {
      file: 'tcp/errors-in.ts',
      find: 'tcb.sent.markAllLost();\n',
      replace: '',
    },
    scripts: ['icmp/fragmentation-needed', 'icmp/fragmentation-needed-lower-bound', 'icmp/fragmentation-needed-without-mtu', 'path-mtu/raised-again'],
  },
  {
    rule: 'plateaus',
    without: {
      file: 'tcp/path-mtu.ts',
      find: 'nextHopMtu > 0 ? nextHopMtu : nextPlateau(packetBytes(tcb))',
      replace: 'nextHopMtu > 0 ? nextHopMtu : MIN_PATH_MTU',
    },
    scripts: ['icmp/fragmentation-needed-without-mtu'],
  },
  {
    rule: 'not smaller, nothing to do',
    without: {
      file: 'tcp/path-mtu.ts',
      find: 'if (mss >= tcb.sndMss && tcb.dontFragment === !fragmented) return false;',
      replace: '',
    },
    scripts: ['icmp/fragmentation-needed-not-smaller'],
  },
  {
    rule: 'least path MTU',
    without: {
      file: 'tcp/path-mtu.ts',
      find: 'const MIN_PATH_MTU = 552;',
      replace: 'const MIN_PATH_MTU = 68;',
    },
    scripts: ['icmp/fragmentation-needed-lower-bound'],
  },
  {
    rule: 'raised again',
    without: {
      file: 'tcp/path-mtu.ts',
      find: 'setMss(tcb, tcb.handshakeMss);',
      replace: '',
    },
    scripts: ['path-mtu/raised-again'],
  },
  { rule: 'black holes', without: { config: { blackHoleDetection: false } }, scripts: ['path-mtu/black-hole'] },
  {
    rule: 'black holes take full segments',
    without: {
      file: 'tcp/path-mtu.ts',
      find: '!tcb.dontFragment || !full || timeouts',
      replace: '!tcb.dontFragment || timeouts',
    },
    scripts: ['path-mtu/small-segment-lost'],
  },
];
