/**
 * The rules of strong customer authentication: which second factor fits what, what a challenge is linked to, and how it is
 * judged. Pure: time is passed in. RTS on SCA = Commission Delegated Regulation (EU) 2018/389.
 */
import { createHash } from 'node:crypto';

export type Method = 'totp' | 'message' | 'decoupled';
export type Purpose = 'sign-in' | 'consent';

/** A challenge lives five minutes and takes three codes (RTS on SCA, article 4(3)(b): at most five). */
export const CHALLENGE_LIFE_MS = 5 * 60 * 1000;
export const MOST_TRIES = 3;
/** Who has used up the tries of so many challenges on one visit has not proven who he is. */
export const MOST_CHALLENGES_FAILED = 3;

/** Which kinds of consent move money; those need a code that belongs to the amount and the payee. */
const MOVES_MONEY: readonly string[] = ['payment', 'variable-recurring', 'bulk-payment'];

/**
 * The second factors a customer may choose from. An authenticator's code depends on the time only, so it cannot be linked
 * to an amount and a payee (article 5(1)(b)): where money moves it is not offered.
 */
export const methodsFor = (consentType: string | undefined): readonly Method[] =>
  consentType !== undefined && MOVES_MONEY.includes(consentType) ? ['message', 'decoupled'] : ['totp', 'message', 'decoupled'];

/** Everything that stands on the screen when the customer approves. */
export interface OnTheScreen {
  consentId: string;
  version: number;
  clientId: string;
  type: string;
  permissions: readonly string[];
  /**
   * Amount and payee, or limits; of a bulk its number of payments, their total and, where the file was named, its digest, which says
   * who is paid (article 5(3)(b)); `null` where no money moves.
   */
  terms: unknown;
  expiresAt: Date;
  accounts: readonly string[];
}

/** SHA-256 over what is on the screen; any other amount, payee, account or version is another hash (article 5(1)(d)). */
export const linkedHash = (seen: OnTheScreen): Buffer =>
  digest(['consent', seen.consentId, seen.version, seen.clientId, seen.type, seen.permissions, seen.terms, seen.expiresAt.toISOString(), [...seen.accounts].sort()]);

/** Signing in is linked to who signs in and on which visit. */
export const signInHash = (customerId: string, visit: string): Buffer => digest(['sign-in', customerId, visit]);

const digest = (parts: unknown[]): Buffer => createHash('sha256').update(JSON.stringify(parts)).digest();

export interface Challenge {
  id: string;
  customerId: string;
  purpose: Purpose;
  method: Method;
  linkedHash: Buffer;
  codeHash: Buffer | null;
  decision: 'approve' | 'deny' | null;
  tries: number;
  createdAt: Date;
  expiresAt: Date;
  usedAt: Date | null;
  voidedAt: Date | null;
}

/** `open`: may still be proven. `used`: has proven something. `over`: too late, too many tries, or replaced. */
export type Standing = 'open' | 'approved' | 'denied' | 'used' | 'over';

/** Where a challenge stands. */
export function standingOf(challenge: Challenge, now: Date): Standing {
  if (challenge.usedAt) return 'used';
  if (challenge.voidedAt || challenge.expiresAt <= now) return 'over';
  if (challenge.decision) return challenge.decision === 'approve' ? 'approved' : 'denied';
  return challenge.tries >= MOST_TRIES ? 'over' : 'open';
}
