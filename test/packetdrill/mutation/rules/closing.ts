/** Closing, TIME-WAIT and keep-alive: RFC 9293 §3.6 and §3.8.4, RFC 6191. */
import type { Rule } from '../rule';

export const CLOSING: readonly Rule[] = [
  {
    rule: 'abort sends a reset',
    without: {
      file: 'tcp/socket.ts',
      find: 'if (tcb.state !== \'SYN-SENT\' && tcb.state !== \'TIME-WAIT\') sendReset(context, tcb);',
      replace: '',
    },
    scripts: ['close/linger-zero', 'close/unread-data'],
  },
  {
    rule: 'data after the close is reset',
    without: {
      file: 'tcp/input-data.ts',
      find: 'if (tcb.released && tcb.state === \'FIN-WAIT-2\') {',
      replace: 'if (segment.payloadLength < 0) {',
    },
    scripts: ['close/data-after-close'],
  },
  {
    rule: 'FIN behind a gap is remembered',
    without: {
      file: 'tcp/input-data.ts',
      find: 'if (tcb.peerFinSeq < 0) tcb.peerFinSeq = end;',
      replace: 'if (tcb.peerFinSeq < 0 && segment.seq === tcb.rcvNxt) tcb.peerFinSeq = end;',
    },
    scripts: ['close/fin-out-of-order'],
  },
  {
    rule: 'FIN on the last segment',
    without: {
      file: 'tcp/output.ts',
      find: 'const withFin = last && tcb.finQueued && tcb.finSeq < 0 && tcb.usableWindow > length;',
      replace: 'const withFin = false;',
    },
    scripts: ['close/fin-with-data'],
  },
  {
    rule: 'FIN is acknowledged at once',
    without: {
      file: 'tcp/input-data.ts',
      find: 'tcb.ackOwed = true;\n  tcb.outOfOrder.clear();',
      replace: 'tcb.outOfOrder.clear();',
    },
    scripts: ['close/fin-with-ack-of-fin', 'close/half-close', 'close/simultaneous', 'close/simultaneous-crossing', 'close/time-wait-older-sequence', 'close/time-wait-older-timestamp', 'close/time-wait-reuse'],
  },
  {
    rule: 'CLOSING',
    without: {
      file: 'tcp/input-data.ts',
      find: 'context.setState(tcb, \'CLOSING\');',
      replace: 'context.enterTimeWait(tcb);',
    },
    scripts: ['close/simultaneous', 'close/simultaneous-crossing'],
  },
  { rule: 'TIME-WAIT of two MSL', without: { config: { mslMs: 1000 } }, scripts: ['close/active', 'close/time-wait-lasts', 'close/time-wait-no-active-reuse'] },
  {
    rule: 'TIME-WAIT begins anew with a FIN',
    without: {
      file: 'tcp/input.ts',
      find: 'if (tcb.state === \'TIME-WAIT\' && segment.has(FIN)) context.enterTimeWait(tcb);',
      replace: '',
    },
    scripts: ['close/active'],
  },
  {
    rule: 'TIME-WAIT begins anew only with a FIN',
    without: {
      file: 'tcp/input.ts',
      find: 'if (tcb.state === \'TIME-WAIT\' && segment.has(FIN)) context.enterTimeWait(tcb);',
      replace: 'if (tcb.state === \'TIME-WAIT\') context.enterTimeWait(tcb);',
    },
    scripts: ['close/time-wait-lasts'],
  },
  {
    rule: 'TIME-WAIT gives way to a newer SYN',
    without: {
      file: 'tcp/input.ts',
      find: 'if (tcb.state !== \'TIME-WAIT\' || !segment.has(SYN) || segment.has(ACK)) return false;',
      replace: 'if (tcb.state !== \'SYN-SENT\' || segment.has(SYN) || segment.has(ACK)) return false;',
    },
    scripts: ['close/time-wait-newer-timestamp', 'close/time-wait-reuse'],
  },
  {
    rule: 'TIME-WAIT keeps old SYNs out',
    without: {
      file: 'tcp/input.ts',
      find: 'return seqGe(segment.seq, tcb.rcvNxt);\n}',
      replace: 'return true;\n}',
    },
    scripts: ['close/time-wait-older-sequence'],
  },
  {
    rule: 'newer by timestamp',
    without: {
      file: 'tcp/input.ts',
      find: 'return seqGt(segment.options.tsVal, tcb.tsRecent);',
      replace: 'return seqGe(segment.seq, tcb.rcvNxt);',
    },
    scripts: ['close/time-wait-newer-timestamp', 'close/time-wait-older-timestamp'],
  },
  {
    rule: 'active reuse of TIME-WAIT',
    without: {
      file: 'tcp/connection-table.ts',
      find: 'return tcb.state === \'TIME-WAIT\' && tcb.tsEnabled && now - tcb.timeWaitSince > TIME_WAIT_REUSE_MS;',
      replace: 'return false;',
    },
    scripts: ['close/time-wait-active-reuse'],
  },
  {
    rule: 'active reuse needs timestamps',
    without: {
      file: 'tcp/connection-table.ts',
      find: 'return tcb.state === \'TIME-WAIT\' && tcb.tsEnabled && now',
      replace: 'return tcb.state === \'TIME-WAIT\' && now',
    },
    scripts: ['close/time-wait-no-active-reuse'],
  },
  {
    rule: 'FIN-WAIT-2 ends',
    without: {
      file: 'tcp/timers.ts',
      find: 'if (tcb.state === \'FIN-WAIT-2\' && tcb.released && tcb.lifeAt === Infinity) tcb.lifeAt',
      replace: 'if (tcb.state === \'CLOSED\') tcb.lifeAt',
    },
    scripts: ['close/fin-wait-2-timeout'],
  },
  {
    rule: 'FIN-WAIT-2 of a reader has no end',
    without: {
      file: 'tcp/timers.ts',
      find: 'if (tcb.state === \'FIN-WAIT-2\' && tcb.released && tcb.lifeAt',
      replace: 'if (tcb.state === \'FIN-WAIT-2\' && tcb.lifeAt',
    },
    scripts: ['close/half-closed-has-no-limit'],
  },
  {
    rule: 'LAST-ACK ends with its ACK',
    without: {
      file: 'tcp/input-ack.ts',
      find: 'case \'LAST-ACK\':\n      context.finish(tcb, null);\n      return false;',
      replace: 'case \'LAST-ACK\':\n      return true;',
    },
    scripts: ['close/last-ack-fin-lost', 'close/passive'],
  },
  {
    rule: 'FIN-WAIT-2 after our FIN is acknowledged',
    without: {
      file: 'tcp/input-ack.ts',
      find: 'context.setState(tcb, \'FIN-WAIT-2\');\n      return true;',
      replace: 'return true;',
    },
    scripts: ['close/data-after-close', 'close/fin-with-ack-of-fin', 'close/fin-with-data', 'close/time-wait-newer-timestamp', 'close/time-wait-older-timestamp', 'close/time-wait-reuse'],
  },
  {
    rule: 'FIN-WAIT-1 until our FIN is acknowledged',
    without: {
      file: 'tcp/tcb.ts',
      find: 'return this.finSeq >= 0 && seqGt(this.sndUna, this.finSeq);',
      replace: 'return this.finSeq >= 0 && !seqGt(this.finSeq, this.sndUna);',
    },
    scripts: ['close/simultaneous', 'close/simultaneous-crossing'],
  },
  {
    rule: 'FIN takes a number',
    without: {
      file: 'tcp/input-data.ts',
      find: 'tcb.rcvNxt = seqAdd(tcb.rcvNxt, 1);\n  if (seqLt(tcb.rcvAdv, tcb.rcvNxt))',
      replace: 'if (seqLt(tcb.rcvAdv, tcb.rcvNxt))',
    },
    scripts: ['close/fin-out-of-order', 'close/fin-with-ack-of-fin', 'close/half-close', 'close/time-wait-older-sequence'],
  },
  {
    rule: 'keep-alive probes',
    without: {
      file: 'tcp/keep-alive.ts',
      find: 'sendKeepAlive(context, tcb);',
      replace: '',
    },
    scripts: ['keep-alive/answered', 'keep-alive/dead-peer', 'keep-alive/reset-by-forgetful-peer'],
  },
  {
    rule: 'keep-alive ends',
    without: {
      file: 'tcp/keep-alive.ts',
      find: 'if (tcb.keepAliveProbes >= keepAlive.probes) {',
      replace: 'if (tcb.keepAliveProbes > 1_000) {',
    },
    scripts: ['keep-alive/dead-peer'],
  },
  {
    rule: 'answer counts',
    without: {
      file: 'tcp/input.ts',
      find: 'tcb.keepAliveProbes = 0;',
      replace: '',
    },
    scripts: ['keep-alive/answered'],
  },
  {
    rule: 'keep-alive off by default',
    without: {
      file: 'tcp/tcb.ts',
      find: 'keepAlive: KeepAlive | null = null;',
      replace: 'keepAlive: KeepAlive | null = { idleMs: 7_200_000, intervalMs: 75_000, probes: 9 };',
    },
    scripts: ['keep-alive/off-by-default'],
  },
];
