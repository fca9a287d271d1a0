/**
 * Signing in to the back office. Guessing is bounded without anybody being able to lock a member of the staff out: a browser in
 * which he has signed in before (it keeps a signed cookie) is judged by its own failures alone; all others share five failures
 * in 15 minutes for each name and address, 30 an address, and 20 a name.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Redis } from 'ioredis';
import { RateLimiterRedis } from 'rate-limiter-flexible';
import { problem } from '@kontor/kernel/problem';
import { spend } from './sign-in.js';
import { normaliseUsername, type Staff, type StaffMember } from './staff.js';

export interface StaffAttempt {
  username: string;
  password: string;
  code: string;
  /** Network address. */
  address: string;
  /** What `signIn` gave this browser once. */
  browser?: string;
}

export interface StaffSignIn {
  /** `browser`: for a cookie that makes the browser a known one. @throws Problem `unauthenticated` (one sentence for all causes), `rate_limited`, `unavailable` */
  signIn(attempt: StaffAttempt): Promise<{ member: StaffMember; browser: string }>;
}

const WINDOW_S = 15 * 60;
const FAILURES = { pair: 5, address: 30, name: 20 } as const;

/** @param options.keySecret signs the cookies of known browsers, and keys names and addresses in Redis, so that it holds none */
export function staffSignIn(staff: Pick<Staff, 'check'>, redis: Redis, options: { keySecret: string; now?: () => Date }): StaffSignIn {
  const limiter = (kind: keyof typeof FAILURES): RateLimiterRedis =>
    new RateLimiterRedis({ storeClient: redis, keyPrefix: `office:failures:${kind}`, points: FAILURES[kind], duration: WINDOW_S });
  const [byPair, byAddress, byName] = [limiter('pair'), limiter('address'), limiter('name')];
  const keyed = (...parts: string[]): string => createHmac('sha256', options.keySecret).update(JSON.stringify(['office', ...parts])).digest('base64url');
  const isKnown = (username: string, browser: string): boolean => {
    const [nonce = '', signature = ''] = browser.split('.');
    const [given, expected] = [Buffer.from(signature), Buffer.from(keyed('browser', username, nonce))];
    return given.length === expected.length && timingSafeEqual(given, expected);
  };

  return {
    async signIn({ password, code, address, browser = '', ...attempt }) {
      const username = normaliseUsername(attempt.username).slice(0, 64);
      const known = isKnown(username, browser);
      const pair = known ? keyed('browser', browser) : keyed('pair', username, address);
      // Spent before the check and given back after a success: guesses sent at the same moment count, too.
      await spend(byPair, pair);
      if (!known) {
        await spend(byAddress, keyed('address', address));
        await spend(byName, keyed('name', username));
      }
      const member = await staff.check({ username, password, code: code.replace(/\s/g, ''), now: options.now?.() ?? new Date() });
      if (!member) throw problem('unauthenticated', 'Username, password or code is not right. A code counts once: wait for the next one.');
      await byPair.delete(pair);
      if (!known) await Promise.all([byAddress.reward(keyed('address', address)), byName.reward(keyed('name', username))]);
      const nonce = randomBytes(16).toString('base64url');
      return { member, browser: known ? browser : `${nonce}.${keyed('browser', username, nonce)}` };
    },
  };
}
