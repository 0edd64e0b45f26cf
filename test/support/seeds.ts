/** Seeds of simulations: many by default, one given by the environment to replay a failure. */
const VARIABLE = 'RIFTNET_SEED';

/** 1 … count, or only the seed that RIFTNET_SEED names. */
export function seeds(count: number): number[] {
  const given = process.env[VARIABLE];
  return given ? [Number(given)] : Array.from({ length: count }, (_, i) => i + 1);
}

/** Runs `body` for one seed; a failure says how to run just that seed again. */
export function withSeed(seed: number, body: () => void): void {
  try {
    body();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`Seed ${seed}: ${message}\nRun it again with: ${VARIABLE}=${seed}`, { cause: error });
  }
}
