import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { seedsOf, PATHS, runCell, type Cell, type Path } from './cells';
import { CONTESTS, jain, runContest } from './fairness';
import { cellOf, fallen, isComplete, shareOf, toJson, toMarkdown, type GoodputTable } from './goodput-table';

const FOLDER = path.join(process.cwd(), 'test/sim');
const text = fs.readFileSync(path.join(FOLDER, 'goodput.json'), 'utf8');
const committed = JSON.parse(text) as GoodputTable;

/** Cells that take little time, one at least for each round trip, loss and rate. `npm run sim` measures all. */
const SAMPLE: readonly Path[] = [
  { rttMs: 1, lossPercent: 0, rateMbps: 10 },
  { rttMs: 1, lossPercent: 1, rateMbps: 100 },
  { rttMs: 20, lossPercent: 0, rateMbps: 100 },
  { rttMs: 20, lossPercent: 1, rateMbps: 10 },
  { rttMs: 20, lossPercent: 5, rateMbps: 1_000 },
  { rttMs: 100, lossPercent: 0, rateMbps: 10 },
  { rttMs: 100, lossPercent: 1, rateMbps: 100 },
  { rttMs: 300, lossPercent: 0, rateMbps: 10 },
  { rttMs: 300, lossPercent: 0.1, rateMbps: 10 },
  { rttMs: 300, lossPercent: 5, rateMbps: 10 },
];

describe('The table of goodput', function () {
  this.timeout(120_000);

  it('has a cell for each path, and is what its page shows', () => {
    assert.ok(isComplete(committed), 'npm run sim -- --update');
    assert.equal(text, toJson(committed));
    assert.equal(fs.readFileSync(path.join(FOLDER, 'GOODPUT.md'), 'utf8'), toMarkdown(committed));
  });

  for (const one of SAMPLE) {
    it(`holds: ${one.rttMs} ms, ${one.lossPercent} % loss, ${one.rateMbps} Mbit/s (${seedsOf(one)} seeds)`, () => {
      assert.deepEqual(fallen(committed, [runCell(one)], []), []);
    });
  }

  it('holds: how two flows of one round trip share', () => {
    const [contest] = CONTESTS;
    assert.ok(contest);
    assert.deepEqual(fallen(committed, [], [runContest(contest)]), []);
  });

  it('names what fell by more than its tolerance, and nothing else', () => {
    const steady = cellOf(committed, { rttMs: 20, lossPercent: 0, rateMbps: 100 });
    const [share] = committed.fairness;
    assert.ok(steady && share);
    const cell = (mbps: number, standardError = 0): Cell => ({ ...steady, mbps, standardError });
    assert.deepEqual(fallen(committed, [cell(steady.mbps * 0.96)], []), []);
    assert.match(fallen(committed, [cell(steady.mbps * 0.94)], []).join(), /^20 ms, 0 % loss, 100 Mbit\/s: .* was/);
    assert.deepEqual(fallen(committed, [cell(steady.mbps * 0.8, steady.mbps * 0.1)], []), [], 'a mean that is not certain');
    assert.deepEqual(fallen(committed, [], [{ ...share, jain: share.jain - 0.02 }]), []);
    assert.match(fallen(committed, [], [{ ...share, jain: share.jain - 0.04 }]).join(), /Jain's index/);
    assert.match(fallen(committed, [], [{ ...share, mbps: [1, 1] }]).join(), /together/);
    assert.deepEqual(fallen({ cells: [], fairness: [] }, [steady], [share]).length, 2);
    assert.ok(PATHS.length === 48 && shareOf(committed, share) === share);
  });

  it("knows Jain's index", () => {
    assert.equal(jain([5, 5]), 1);
    assert.equal(jain([1, 0]), 0.5);
    assert.ok(Math.abs(jain([2, 1]) - 0.9) < 1e-12);
  });
});
