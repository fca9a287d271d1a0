/** Many histories from one seed; a failing one is made as small as it can be, and played again by seed and path. */
import fc from 'fast-check';
import { playHistory, type Rules } from './history.js';

/** Long enough that a few payments live their whole lives in disorder. */
const TAPE = fc.array(fc.nat(2 ** 16), { maxLength: 240, size: 'max' });

/** @returns nothing when all hold; else what broke, in the smallest history that shows it, and how to see it again */
export function simulate(options: { histories: number; seed: number; path?: string; rules?: Rules; tell?: (played: number) => void }): string | undefined {
  const { histories, seed, path, rules, tell } = options;
  let played = 0;
  const outcome = fc.check(fc.property(TAPE, (tape) => {
    playHistory(tape, rules);
    if (++played % 10_000 === 0) tell?.(played);
  }), { numRuns: histories, seed, ...(path === undefined ? {} : { path }) });
  if (!outcome.failed) return undefined;
  const fault = outcome.errorInstance instanceof Error ? outcome.errorInstance.message : String(outcome.errorInstance);
  return `${fault}\nagain: npm run test:simulation -- --seed=${outcome.seed} --path=${outcome.counterexamplePath}`;
}
