/** What is killed, in which order: all of it follows from the seed. */
import { dice } from '@kontor/testing/dice';

/** What a step kills with SIGKILL, and how often out of a hundred. A relay and a consumer are parts of their service: it is killed while they work. */
const TARGETS = {
  'payment service': 13, 'account service': 13, 'payment relay': 10, 'account relay': 9, 'payment consumer': 11, 'account consumer': 11,
  'rail adapter': 13, 'rail simulator': 10, 'database backend': 8, broker: 2,
} as const;
export type Target = keyof typeof TARGETS;

export interface Step {
  /** From 1 on. */
  number: number;
  target: Target;
  /** How long after the kill before. */
  afterMs: number;
  /** Whether it is killed even while it is still starting after an earlier kill. */
  whileStarting: boolean;
}

/** The steps of a seed, one after the other; the first thousand are the same whether a hundred more are asked for or not. */
export function* scheduleOf(seed: number): Generator<Step, never> {
  const drawn = dice(seed);
  for (let number = 1; ; number++) {
    yield { number, target: drawn.weighted(TARGETS), afterMs: 200 + drawn.below(700), whileStarting: drawn.next() < 0.15 };
  }
}
