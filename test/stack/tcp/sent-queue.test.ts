import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Rack } from '../../../stack/tcp/rack';
import { SentQueue } from '../../../stack/tcp/sent-queue';
import { seqAdd, seqDiff } from '../../../stack/wire/seq';

interface Sent {
  start: number;
  end: number;
  at: number;
  lost: boolean;
  repeated: boolean;
}

const step = fc.oneof(
  fc.record({ do: fc.constant('push' as const), size: fc.integer({ min: 1, max: 50 }) }),
  fc.record({ do: fc.constant('acknowledge' as const), size: fc.integer({ min: 0, max: 120 }) }),
  fc.record({ do: fc.constantFrom('markLost' as const, 'resend' as const, 'markAllLost' as const, 'pop' as const), size: fc.integer({ min: 0, max: 30 }) }),
  fc.record({ do: fc.constant('split' as const), size: fc.integer({ min: 0, max: 30 }) }),
);

describe('SentQueue', () => {
  it('keeps count of what is in flight, lost and repeated like a plain list, whatever happens to the segments', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0xffff_f000, max: 0xffff_ffff }), fc.array(step, { maxLength: 120 }), (first, steps) => {
        const queue = new SentQueue();
        const rack = new Rack();
        const model: Sent[] = [];
        let una = first;
        let next = first;
        let now = 0;
        for (const { do: what, size } of steps) {
          now++;
          const index = model.length ? size % model.length : -1;
          const segment = model[index];
          if (what === 'push') {
            queue.push(next, seqAdd(next, size), now);
            model.push({ start: next, end: seqAdd(next, size), at: now, lost: false, repeated: false });
            next = seqAdd(next, size);
          } else if (what === 'acknowledge') {
            una = seqAdd(una, Math.min(size, seqDiff(next, una)));
            let expected = -1;
            let ambiguous = false;
            while (model[0] && seqDiff(model[0].end, una) <= 0) {
              const gone = model.shift();
              if (gone?.repeated) ambiguous = true;
              else if (gone && expected < 0) expected = gone.at;
            }
            if (model[0] && seqDiff(una, model[0].start) > 0) model[0].start = una;
            assert.equal(queue.acknowledge(una, rack, now), ambiguous ? -1 : expected, 'the sample for the RTT (RFC 6298 §3)');
          } else if (what === 'markAllLost') {
            queue.markAllLost();
            for (const sent of model) sent.lost = true;
          } else if (segment && what === 'markLost') {
            queue.markLost(index);
            segment.lost = true;
          } else if (segment && what === 'resend') {
            const lost = queue.nextLost();
            assert.equal(lost, model.findIndex((sent) => sent.lost));
            const target = lost < 0 ? index : lost;
            queue.resent(target, now);
            Object.assign(model[target] ?? {}, { lost: false, repeated: true, at: now });
          } else if (segment && what === 'split' && seqDiff(segment.end, segment.start) > 1) {
            const middle = seqAdd(segment.start, 1 + (size % (seqDiff(segment.end, segment.start) - 1)));
            queue.split(index, middle);
            model.splice(index + 1, 0, { ...segment, start: middle });
            segment.end = middle;
          } else if (segment && what === 'pop') {
            queue.pop();
            next = model.pop()?.start ?? next;
          }
          compare(queue, model);
        }
      }),
      { seed: 1, numRuns: 1_000 },
    );
  });
});

function compare(queue: SentQueue, model: readonly Sent[]): void {
  assert.equal(queue.length, model.length);
  assert.equal(queue.hasLost, model.some((sent) => sent.lost));
  assert.equal(queue.nextLost(), model.findIndex((sent) => sent.lost));
  assert.equal(queue.pipeBytes, model.reduce((sum, sent) => sum + (sent.lost ? 0 : seqDiff(sent.end, sent.start)), 0));
  model.forEach((sent, index) => assert.deepEqual([queue.start(index), queue.end(index), queue.sentAt(index)], [sent.start, sent.end, sent.at]));
}
