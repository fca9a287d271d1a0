import { RateLimiterRes, type RateLimiterAbstract } from 'rate-limiter-flexible';
import { problem } from './problem.js';

/**
 * Counts an attempt to sign in, or to prove who one is.
 * @returns seconds to wait where there have been too many; 0: go on
 * @throws Problem `unavailable` when the counter's store does not answer: nobody signs in uncounted
 */
export async function countAttempt(limiter: RateLimiterAbstract, key: string): Promise<number> {
  try {
    await limiter.consume(key);
    return 0;
  } catch (refusal) {
    if (refusal instanceof RateLimiterRes) return Math.max(1, Math.ceil(refusal.msBeforeNext / 1000));
    throw Object.assign(problem('unavailable', 'Signing in is not possible at the moment. Try again shortly.'), { cause: refusal });
  }
}
