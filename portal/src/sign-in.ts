/**
 * Developers' accounts: sign-up and sign-in. Neither tells, by words or by time, whether an e-mail address is known: the
 * password is hashed in every case. Ten failures in 15 minutes, per address of the e-mail and of the network, close the door.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { hash, verify } from '@node-rs/argon2';
import type { Redis } from 'ioredis';
import { RateLimiterRedis } from 'rate-limiter-flexible';
import { countAttempt } from '@kontor/kernel/attempts';
import { newId } from '@kontor/kernel/ids';
import { problem } from '@kontor/kernel/problem';
import { normaliseEmail, PASSWORD_LENGTH, type PortalRepository, type SignUp } from './portal.js';

export interface Accounts {
  /** Answers the new developer's id. @throws Problem `unprocessable` (generic), `rate_limited` */
  signUp(details: SignUp, address: string): Promise<string>;
  /** Answers the developer's id. @throws Problem `unauthenticated` (generic), `rate_limited` */
  signIn(email: string, password: string, address: string): Promise<string>;
}

/** OWASP Password Storage Cheat Sheet: argon2id (the library's default), 19 MiB, 2 passes, 1 lane. */
const ARGON2ID = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
const FAILURES = 10;
const WINDOW_S = 15 * 60;

/**
 * @param options.keySecret keys the e-mail addresses in Redis, so that it holds none
 * @param options.prefix of the counters in Redis
 */
export function accounts(repository: PortalRepository, redis: Redis, options: { keySecret: string; prefix?: string }): Accounts {
  const decoy = hash(randomBytes(16).toString('hex'), ARGON2ID);
  const limiter = (kind: string): RateLimiterRedis =>
    new RateLimiterRedis({ storeClient: redis, keyPrefix: `${options.prefix ?? 'portal'}:failures:${kind}`, points: FAILURES, duration: WINDOW_S });
  const [byEmail, byAddress] = [limiter('email'), limiter('address')];
  const keyOf = (email: string): string => createHmac('sha256', options.keySecret).update(email).digest('base64url');

  return {
    async signUp({ email, password, organisation }, address) {
      await spend(byAddress, address);
      const id = newId();
      const added = await repository.addDeveloper({ id, email, organisation, passwordHash: await hash(password, ARGON2ID) });
      if (!added) throw problem('unprocessable', 'No account could be made with these details. If you have one already, sign in.');
      await byAddress.reward(address);
      return id;
    },
    async signIn(emailText, password, address) {
      const email = normaliseEmail(emailText).slice(0, 254);
      // Spent before the check and given back after a success: guesses sent at the same moment count, too.
      await spend(byAddress, address);
      await spend(byEmail, keyOf(email));
      const known = await repository.passwordOf(email);
      const matches = await verify(known?.passwordHash ?? (await decoy), password.slice(0, PASSWORD_LENGTH.most * 2));
      if (!known || !matches) throw problem('unauthenticated', 'E-mail address or password is not right.');
      await Promise.all([byAddress.reward(address), byEmail.delete(keyOf(email))]);
      return known.developerId;
    },
  };
}

/** @throws Problem `rate_limited`, `unavailable` */
export async function spend(limiter: RateLimiterRedis, key: string): Promise<void> {
  const waitS = await countAttempt(limiter, key);
  if (waitS > 0) throw problem('rate_limited', 'Too many attempts. Wait 15 minutes, then try again.').with({ 'Retry-After': String(waitS) });
}
