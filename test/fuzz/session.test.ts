import assert from 'node:assert/strict';
import v8 from 'node:v8';
import vm from 'node:vm';
import fc from 'fast-check';
import { forgery, type Forgery } from './support/forgeries';
import { mutate, recipe, type Recipe } from './support/mutations';
import { NEWCOMER, SUBJECT, World, type Ambush, type Target } from './support/world';

/** `npm run fuzz -- --seconds N`; without it a fixed number of runs, as one test among others. */
const seconds = Number(process.env['RIFTNET_FUZZ_SECONDS'] ?? 0);
const seed = process.env['FC_SEED'];
const path = process.env['FC_PATH'];
const REPLAY = seed === undefined ? {} : { seed: Number(seed) };
/** Beside the fuzzing: for taking a failure apart, on a machine that is busy. */
const TIME_LIMIT_MS = 180_000;

/** Runs without a time limit: as many as `quick`, or as the given part of the time allows. */
function limits(quick: number, share: number): fc.Parameters<unknown> {
  // A failure is made small for as long, and no longer.
  if (seconds === 0) return { ...REPLAY, numRuns: quick, interruptAfterTimeLimit: 60_000, markInterruptAsFailure: false };
  return { ...REPLAY, numRuns: 1_000_000_000, interruptAfterTimeLimit: seconds * share * 1_000, markInterruptAsFailure: false };
}

type Action =
  | { readonly kind: 'mutant'; readonly target: Target; readonly pick: number; readonly recipe: Recipe; readonly waitMs: number }
  | { readonly kind: 'forgery'; readonly forgery: Forgery; readonly waitMs: number }
  | { readonly kind: 'ambush'; readonly ambush: Ambush; readonly waitMs: number }
  | { readonly kind: 'renew'; readonly waitMs: number };

const waitMs = fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, { weight: 6, arbitrary: fc.nat({ max: 20 }) }, { weight: 1, arbitrary: fc.nat({ max: 600 }) });
const target = fc.oneof({ weight: 3, arbitrary: fc.constant<Target>(SUBJECT) }, { weight: 1, arbitrary: fc.constant<Target>(NEWCOMER) });
/** Most are of the last few frames: what they say is still believed. */
const pick = fc.oneof({ weight: 3, arbitrary: fc.nat({ max: 5 }) }, { weight: 2, arbitrary: fc.nat({ max: 95 }) });

const ambush: fc.Arbitrary<Ambush> = fc.record({
  target, recipe: fc.option(recipe, { freq: 3 }), holdMs: fc.oneof(fc.constant(0), fc.nat({ max: 100 })),
});

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 20, arbitrary: fc.record({ kind: fc.constant('mutant' as const), target, pick, recipe, waitMs }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('forgery' as const), forgery, waitMs }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('ambush' as const), ambush, waitMs }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('renew' as const), waitMs }) },
);
const actions = fc.array(action, { minLength: 1, maxLength: 80, size: 'max' });

function perform(world: World, one: Action): void {
  switch (one.kind) {
    case 'mutant': {
      const frames = world.frames(one.target);
      const frame = frames[one.pick % Math.max(1, frames.length)];
      if (frame) world.inject(one.target, mutate(frame, one.recipe));
      break;
    }
    case 'forgery':
      world.forge(one.forgery);
      break;
    case 'ambush':
      world.lieInWait(one.ambush);
      break;
    case 'renew':
      world.renew();
  }
  world.pass(one.waitMs);
}

/** Bytes that are in use once everything that can go is gone. */
async function liveBytes(): Promise<number> {
  v8.setFlagsFromString('--expose-gc');
  const collect: unknown = vm.runInNewContext('gc');
  assert.ok(typeof collect === 'function');
  // The memory of arrays goes some time after the arrays.
  for (let i = 0; i < 3; i++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

describe('A stack in the middle of its sessions, fed with mutated copies of their frames', function () {
  this.timeout(TIME_LIMIT_MS + seconds * 1_000);

  it('is undisturbed by none', () => {
    const world = new World(1);
    world.pass(1_000);
    world.settle();
  });

  it('throws for none, counts each, keeps another connection going, and ends with nothing left', () => {
    fc.assert(
      fc.property(fc.nat(), actions, (worldSeed, list) => {
        const world = new World(worldSeed);
        for (const one of list) perform(world, one);
        world.settle();
      }),
      { ...limits(15, 0.6), ...(path !== undefined && { path, numRuns: 1 }) },
    );
  });

  it('holds no more memory after many than after few', async () => {
    const world = new World(2);
    let done = 0;
    let warm = 0;
    await fc.assert(
      fc.asyncProperty(actions, async (list) => {
        for (const one of list) perform(world, one);
        // By then every table is full, and most code is compiled.
        if (++done === WARM_UP_RUNS) warm = await liveBytes();
      }),
      // Each run follows upon the last: there is nothing to shrink, and only the whole can be replayed.
      { ...limits(60, 0.4), path: '', endOnFailure: true },
    );
    if (done > WARM_UP_RUNS) {
      const grown = (await liveBytes()) - warm;
      assert.ok(grown < GROWTH_BYTES, `${grown} bytes more after ${done} runs than after ${WARM_UP_RUNS}`);
    }
    world.settle();
  });
});

/** A compiler that has seen everything once goes on: the code it makes of 30 runs' worth is megabytes less than of 300's. */
const WARM_UP_RUNS = seconds === 0 ? 30 : 300;
/** Far below what leaking one small object per frame would take: a thousand frames a second come in. */
const GROWTH_BYTES = 3 << 20;
