/** Recovery with SACK: RFC 2018, 2883, 8985, 9937, 5682, 4015, 3708. */
import type { Rule } from '../rule';

export const RECOVERY: readonly Rule[] = [
  { rule: 'SACK', without: { config: { sack: false } }, scripts: ['sack/active-open', 'sack/duplicate', 'sack/forged', 'sack/holes-only', 'sack/reneging'] },
  {
    rule: 'only where permitted',
    without: {
      file: 'tcp/input.ts',
      find: 'tcb.sackEnabled = config.sack && options.sackPermitted;',
      replace: 'tcb.sackEnabled = config.sack;',
    },
    scripts: ['sack/not-agreed'],
  },
  {
    rule: 'newest block first',
    without: {
      file: 'storage/assembler.ts',
      find: 'recent.unshift(seq);',
      replace: 'recent.push(seq);',
    },
    scripts: ['sack/blocks', 'sack/blocks-beside-timestamps'],
  },
  {
    rule: 'a block that grows is first',
    without: {
      file: 'storage/assembler.ts',
      find: 'this.remember(start, mergedStart, mergedEnd);',
      replace: '',
    },
    scripts: ['sack/blocks'],
  },
  {
    rule: 'four blocks',
    without: {
      file: 'wire/tcp-options.ts',
      find: 'export const MAX_SACK_BLOCKS = 4;',
      replace: 'export const MAX_SACK_BLOCKS = 3;',
    },
    scripts: ['sack/blocks', 'sack/blocks-beside-timestamps'],
  },
  {
    rule: 'three beside timestamps',
    without: {
      file: 'tcp/output.ts',
      find: 'tcb.tsEnabled ? MAX_SACK_BLOCKS - 1 : MAX_SACK_BLOCKS',
      replace: 'tcb.tsEnabled ? MAX_SACK_BLOCKS - 2 : MAX_SACK_BLOCKS',
    },
    scripts: ['sack/blocks-beside-timestamps'],
  },
  {
    rule: 'DSACK',
    without: {
      file: 'tcp/sack.ts',
      find: 'if (!tcb.sackEnabled || !seqLt(start, end)) return;',
      replace: 'if (start !== end) return;',
    },
    scripts: ['sack/duplicate', 'sack/duplicate-behind-gap'],
  },
  {
    rule: 'DSACK behind a gap',
    without: {
      file: 'tcp/input-data.ts',
      find: 'if (twice) oweDsack(tcb, twice.start, twice.end);',
      replace: '',
    },
    scripts: ['sack/duplicate-behind-gap'],
  },
  {
    rule: 'DSACK once',
    without: {
      file: 'tcp/sack.ts',
      find: 'tcb.dsackOwed = false;',
      replace: '',
    },
    scripts: ['sack/duplicate', 'sack/duplicate-behind-gap'],
  },
  {
    rule: 'blocks mark what is held',
    without: {
      file: 'tcp/sack.ts',
      find: 'for (let block = 0; block < count; block++) tcb.sent.sack(',
      replace: 'for (let block = 0; block < 0; block++) tcb.sent.sack(',
    },
    scripts: ['sack/forged', 'sack/holes-only', 'sack/reneging'],
  },
  {
    rule: 'forged blocks',
    without: {
      file: 'tcp/sack.ts',
      find: 'if (!seqLt(start, end) || seqLe(end, tcb.sndUna) || seqLt(start, tcb.sndUna) || seqGt(end, tcb.sndMax)) continue;',
      replace: 'if (seqLe(end, tcb.sndUna)) continue;',
    },
    scripts: ['sack/forged'],
  },
  {
    rule: 'reneging',
    without: {
      file: 'tcp/recovery.ts',
      find: 'tcb.sent.forgetIfReneged();',
      replace: '',
    },
    scripts: ['sack/reneging'],
  },
  {
    rule: 'reneging behind a closed window',
    without: {
      file: 'tcp/episode.ts',
      find: 'tcb.sent.forgetIfReneged();',
      replace: '',
    },
    scripts: ['window/reneged-and-closed'],
  },
  { rule: 'RACK', without: { config: { rack: false } }, scripts: ['rack/by-time', 'rack/lost-retransmission', 'rack/reorder-timer', 'rack/timeout-marks-old'] },
  {
    rule: 'three duplicates',
    without: {
      file: 'tcp/rack.ts',
      find: 'const DUP_THRESH = 3;',
      replace: 'const DUP_THRESH = 30;',
    },
    scripts: ['rack/duplicate-threshold', 'rack/lost-retransmission'],
  },
  {
    rule: 'reorder timer',
    without: {
      file: 'tcp/rack.ts',
      find: '} else this.timerAt = Math.min(this.timerAt, dueAt);',
      replace: '}',
    },
    scripts: ['rack/duplicate-widens', 'rack/reorder-timer', 'rack/reordering-window'],
  },
  {
    rule: 'reordering is seen',
    without: {
      file: 'tcp/rack.ts',
      find: '} else if (seqLt(end, this.fack) && !resent) this.reorderingSeen = true;',
      replace: '}',
    },
    scripts: ['rack/reordering-window'],
  },
  {
    rule: 'reordering window',
    without: {
      file: 'tcp/rack.ts',
      find: 'return Math.min((this.reoWndMult * minRttMs) / 4, srttMs);',
      replace: 'return 0;',
    },
    scripts: ['rack/duplicate-widens', 'rack/reorder-timer', 'rack/reordering-no-loss', 'rack/reordering-window'],
  },
  {
    rule: 'DSACK widens',
    without: {
      file: 'tcp/rack.ts',
      find: 'this.reoWndMult++;',
      replace: '',
    },
    scripts: ['rack/duplicate-widens'],
  },
  {
    rule: 'lost retransmissions',
    without: {
      file: 'tcp/rack.ts',
      find: 'if (queue.isSacked(index) || queue.isLost(index)) continue;',
      replace: 'if (queue.isSacked(index) || queue.isLost(index) || queue.wasResent(index)) continue;',
    },
    scripts: ['rack/lost-retransmission'],
  },
  {
    rule: 'timeout marks what is old',
    without: {
      file: 'tcp/rack.ts',
      find: 'if (index === 0 || queue.sentAt(index) + this.rttMs + window <= now) queue.markLost(index);',
      replace: 'queue.markLost(index);',
    },
    scripts: ['rack/timeout-marks-old'],
  },
  { rule: 'TLP', without: { config: { tlp: false } }, scripts: ['tlp/hidden-loss', 'tlp/new-data', 'tlp/nothing-lost', 'tlp/nothing-lost-later', 'tlp/one-probe', 'tlp/retransmission'] },
  {
    rule: 'new data as the probe',
    without: {
      file: 'tcp/output.ts',
      find: 'tcb.exemptSegments = 1;\n  sendNewData(context, tcb);',
      replace: 'sendNewData(context, tcb);',
    },
    scripts: ['tlp/new-data'],
  },
  {
    rule: 'probe waits for a delayed ACK',
    without: {
      file: 'tcp/timers.ts',
      find: 'const delayMs = tcb.flightBytes <= tcb.sndMss ? MAX_ACK_DELAY_MS : 0;',
      replace: 'const delayMs = 0;',
    },
    scripts: ['tlp/lone-segment'],
  },
  {
    rule: 'hidden loss',
    without: {
      file: 'tcp/rack-recovery.ts',
      find: 'if (!repaired || tcb.recovery !== \'open\') return;',
      replace: 'if (tcb.tlpEndSeq < 0) return;',
    },
    scripts: ['tlp/hidden-loss'],
  },
  {
    rule: 'duplicate probe hides nothing',
    without: {
      file: 'tcp/rack-recovery.ts',
      find: 'const arrivedTwice = outcome.dsack?.end === tcb.tlpEndSeq;',
      replace: 'const arrivedTwice = false;',
    },
    scripts: ['tlp/nothing-lost-later'],
  },
  {
    rule: 'answer with nothing in flight',
    without: {
      file: 'tcp/input-ack.ts',
      find: 'if (!advanced && sent.length === 0 && options.sackCount === 0 && tcb.tlpEndSeq < 0) return;',
      replace: 'if (!advanced && sent.length === 0) return;',
    },
    scripts: ['tlp/nothing-lost'],
  },
  {
    rule: 'probes need SACK',
    without: {
      file: 'tcp/timers.ts',
      find: 'context.config.tlp && usesRack(context, tcb) &&',
      replace: 'context.config.tlp &&',
    },
    scripts: ['tlp/needs-sack'],
  },
  {
    rule: 'one probe',
    without: {
      file: 'tcp/timers.ts',
      find: '|| tcb.tlpEndSeq >= 0) return Infinity;',
      replace: ') return Infinity;',
    },
    scripts: ['tlp/one-probe'],
  },
  {
    rule: 'RTO counts from the probe',
    without: {
      file: 'tcp/timers.ts',
      find: 'restartRetransmission(tcb); // RFC 8985 §7.3',
      replace: '// RFC 8985 §7.3',
    },
    scripts: ['tlp/lone-segment', 'tlp/one-probe', 'tlp/retransmission'],
  },
  { rule: 'PRR', without: { config: { prr: false } }, scripts: ['prr/conservative', 'prr/proportional', 'prr/slow-start'] },
  {
    rule: 'proportional',
    without: {
      file: 'tcp/prr.ts',
      find: 'count = Math.ceil((this.delivered * ssthreshBytes) / this.recoverFs) - this.out;',
      replace: 'count = Math.max(this.delivered - this.out, deliveredBytes);',
    },
    scripts: ['prr/proportional'],
  },
  {
    rule: 'conservative bound',
    without: {
      file: 'tcp/prr.ts',
      find: 'if (safe) count += mss;',
      replace: 'count += mss;',
    },
    scripts: ['prr/conservative', 'prr/slow-start'],
  },
  {
    rule: 'slow start bound',
    without: {
      file: 'tcp/prr.ts',
      find: 'if (safe) count += mss;',
      replace: '',
    },
    scripts: ['prr/slow-start'],
  },
  {
    rule: 'up to ssthresh',
    without: {
      file: 'tcp/prr.ts',
      find: 'count = Math.min(ssthreshBytes - pipeBytes, count);',
      replace: '',
    },
    scripts: ['prr/proportional'],
  },
  { rule: 'F-RTO', without: { config: { frto: false } }, scripts: ['frto/real-loss', 'frto/spurious'] },
  {
    rule: 'F-RTO believes originals only',
    without: {
      file: 'tcp/sent-queue.ts',
      find: 'if (seqLe(end, this.recover)) this.originalDelivered = true;',
      replace: 'this.originalDelivered = true;',
    },
    scripts: ['frto/real-loss'],
  },
  {
    rule: 'F-RTO\'s new segments',
    without: {
      file: 'tcp/rack-recovery.ts',
      find: 'tcb.frto = 2;\n    tcb.exemptSegments = 2;',
      replace: 'tcb.frto = 2;',
    },
    scripts: ['frto/new-segments'],
  },
  {
    rule: 'F-RTO without new data',
    without: {
      file: 'tcp/rack-recovery.ts',
      find: 'if (tcb.frto === 1 && advanced && tcb.unsentBytes > 0 && tcb.usableWindow > 0) {',
      replace: 'if (tcb.frto === 1 && advanced) {',
    },
    scripts: ['frto/no-new-data'],
  },
  {
    rule: 'F-RTO not for a repeated timeout',
    without: {
      file: 'tcp/recovery.ts',
      find: 'tcb.frto = tcb.recovery === \'open\' && context.config.frto',
      replace: 'tcb.frto = context.config.frto',
    },
    scripts: ['frto/repeated-timeout'],
  },
  { rule: 'undo', without: { config: { undo: false } }, scripts: ['frto/spurious', 'undo/duplicate-reported', 'undo/eifel-fast-retransmit', 'undo/eifel-timeout'] },
  {
    rule: 'Eifel',
    without: {
      file: 'tcp/undo.ts',
      find: 'const byEifel = outcome.eifel && advanced && tcb.recovery !== \'open\';',
      replace: 'const byEifel = false;',
    },
    scripts: ['undo/eifel-fast-retransmit', 'undo/eifel-timeout'],
  },
  {
    rule: 'Eifel compares',
    without: {
      file: 'tcp/input-ack.ts',
      find: 'seqLt(options.tsEcr, timestampNow(tcb, tcb.resent.firstAt))',
      replace: 'seqLe(options.tsEcr, timestampNow(tcb, tcb.resent.firstAt))',
    },
    scripts: ['undo/eifel-not-spurious'],
  },
  {
    rule: 'undo by DSACK',
    without: {
      file: 'tcp/undo.ts',
      find: 'const byDsack = outcome.dsack !== null &&',
      replace: 'const byDsack = false && outcome.dsack !== null &&',
    },
    scripts: ['undo/duplicate-reported'],
  },
  {
    rule: 'every retransmission reported',
    without: {
      file: 'tcp/resent.ts',
      find: 'return this.starts.length === 0 && !this.overflowed;',
      replace: 'return !this.overflowed;',
    },
    scripts: ['undo/some-were-needed'],
  },
];
