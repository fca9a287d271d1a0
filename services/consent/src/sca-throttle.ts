/**
 * Guessing is bounded without anybody being able to lock somebody else out. Failures count for the pair of name and browser
 * (or, for a browser the bank does not know, name and network address), for the address, and, for unknown browsers only, for
 * the name: then two minutes' wait is asked. A browser the customer has proven to be his is judged by its own failures alone.
 * Names that do not exist are counted like names that do.
 */
import { createHmac } from 'node:crypto';
import type { Redis } from 'ioredis';
import { RateLimiterRedis } from 'rate-limiter-flexible';
import { countAttempt } from '@kontor/kernel/attempts';

export interface Attempt {
  username: string;
  /** Network address as the gateway saw it. */
  address: string;
  /** The cookie of a browser the customer of this name has proven to be his. */
  knownDevice?: string;
}

export interface Throttle {
  /** Counts an attempt before the password is looked at. @returns seconds to wait; 0: go on */
  attempt(attempt: Attempt): Promise<number>;
  /** The password was right: the attempt is given back. */
  succeeded(attempt: Attempt): Promise<void>;
  /** Counts a challenge. @returns seconds to wait; 0: go on */
  challenge(customerId: string): Promise<number>;
}

/** @param options.challengesPerHour of one customer */
export function throttle(redis: Redis, options: { key: Buffer; challengesPerHour: number }): Throttle {
  const limiter = (kind: string, points: number, duration: number, blockDuration?: number): RateLimiterRedis =>
    new RateLimiterRedis({ storeClient: redis, keyPrefix: `bank:throttle:${kind}`, points, duration, ...(blockDuration ? { blockDuration } : {}) });
  const byPair = limiter('pair', 5, 15 * 60);
  const byAddress = limiter('address', 60, 5 * 60);
  const byName = limiter('name', 10, 15 * 60, 2 * 60);
  const challenges = limiter('challenges', options.challengesPerHour, 60 * 60);
  const keyed = (...parts: string[]): string => createHmac('sha256', options.key).update(JSON.stringify(['throttle', ...parts])).digest('base64url');
  const pairOf = ({ username, address, knownDevice }: Attempt): string => knownDevice ? keyed('device', username, knownDevice) : keyed('address', username, address);

  return {
    async attempt(attempt) {
      const waits = [await countAttempt(byPair, pairOf(attempt))];
      if (!attempt.knownDevice) waits.push(await countAttempt(byAddress, keyed(attempt.address)), await countAttempt(byName, keyed(attempt.username)));
      return Math.max(...waits);
    },
    async succeeded(attempt) {
      await byPair.delete(pairOf(attempt));
      if (!attempt.knownDevice) await Promise.all([byAddress.reward(keyed(attempt.address)), byName.reward(keyed(attempt.username))]);
    },
    challenge: (customerId) => countAttempt(challenges, keyed('challenges', customerId)),
  };
}
