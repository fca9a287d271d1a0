/**
 * A visit is one way through the bank's pages: a browser tab with one authorisation request, or a customer's dashboard. Each has
 * a cookie of its own, named by a label that stands in its forms, so that two tabs never mix their requests.
 *
 * Nobody can fixate a visit: with each step of trust it goes on under a new random name, and what is known under the old name
 * stays without trust until it lapses (so a form sent twice finds its page, not an error). Redis holds names only hashed.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { Request, Response } from 'express';
import type { Redis } from 'ioredis';
import type { AuthorisationRequest } from './authorisation-request.js';
import type { Method } from './sca.js';

/** How a visit ended. `backTo`: the address that leads on. */
export interface Ending { kind: 'approved' | 'partially_approved' | 'rejected' | 'cancelled' | 'failed' | 'signed_in'; at: string; backTo: string; application?: string }

export interface Visit {
  /** Must come back with every form (CSRF). */
  token: string;
  /** When it began, in milliseconds since 1970. */
  since: number;
  purpose: 'consent' | 'sign-in' | 'co-approval';
  consentId?: string;
  /** The request the customer came with; absent when no application waits for an answer. */
  request?: AuthorisationRequest;
  customerId?: string;
  /** `password`: one factor proven. `strong`: both, and only then there is a dashboard. */
  proven?: 'password' | 'strong';
  /** What the customer has approved and must still confirm. */
  choice?: { accounts: string[]; version: number };
  challenge?: { id: string; method: Method; check?: string };
  /** Challenges whose tries were all used up. */
  failed?: number;
  ending?: Ending;
}

export interface Current { label: string; visit: Visit }

export interface Visits {
  /** @returns the label */
  begin(request: Request, response: Response, visit: Omit<Visit, 'token' | 'since'>): Promise<string>;
  /** The visit of this label in this browser. */
  read(request: Request, label: string): Promise<Visit | undefined>;
  /** Stores what has changed without a step of trust. */
  save(request: Request, current: Current): Promise<void>;
  /** A step of trust: the visit goes on under a new name. */
  advance(request: Request, response: Response, current: Current): Promise<void>;
  end(request: Request, response: Response, label: string): Promise<void>;
}

/** The label of the dashboard: one in a browser. */
export const HOME = 'home';
const LIFE_S = 15 * 60;
/** RTS on SCA, article 4(3)(d): who has been authenticated and does nothing for five minutes must do so again. */
const HOME_IDLE_S = 5 * 60;
/** Nothing lasts longer, however busy; a consent is given up after as long. */
const LONGEST_S = 60 * 60;
/** More tabs than that are left-overs; their cookies would only make every request longer. */
const MOST_TABS = 10;

/** @param secure https: the cookies' names begin with `__Host-` (RFC 6265bis §4.1.3.2), which a neighbouring host cannot set; that takes the path `/` */
export function visitsIn(redis: Redis, { secure }: { secure: boolean }): Visits {
  const prefix = secure ? '__Host-bank_visit_' : 'bank_visit_';
  const attributes = { httpOnly: true, sameSite: 'lax', secure, path: secure ? '/' : '/bank' } as const;
  const keyOf = (label: string, name: string): string => `bank:visit:${createHash('sha256').update(`${label}.${name}`).digest('base64url')}`;
  const nameOf = (request: Request, label: string): string | undefined => cookieOf(request, prefix + label);
  const store = async (response: Response, label: string, visit: Visit): Promise<void> => {
    const name = randomBytes(32).toString('base64url');
    await redis.set(keyOf(label, name), JSON.stringify(visit), 'EX', label === HOME ? HOME_IDLE_S : LIFE_S);
    response.cookie(prefix + label, name, { ...attributes, maxAge: (label === HOME ? LONGEST_S : LIFE_S) * 1000 });
  };
  return {
    async begin(request, response, visit) {
      const label = visit.proven === 'strong' ? HOME : randomBytes(9).toString('base64url');
      await store(response, label, { ...visit, token: randomBytes(32).toString('base64url'), since: Date.now() });
      for (const old of labelsOf(request, prefix).slice(0, -MOST_TABS)) response.clearCookie(prefix + old, attributes);
      return label;
    },
    async read(request, label) {
      const name = nameOf(request, label);
      if (!name) return undefined;
      const key = keyOf(label, name);
      const text = await (label === HOME ? redis.getex(key, 'EX', HOME_IDLE_S) : redis.get(key));
      const visit = text ? (JSON.parse(text) as Visit) : undefined;
      return visit && visit.since + LONGEST_S * 1000 > Date.now() ? visit : undefined;
    },
    async save(request, { label, visit }) {
      const name = nameOf(request, label);
      if (name) await redis.set(keyOf(label, name), JSON.stringify(visit), 'EX', LIFE_S, 'XX');
    },
    advance: (_request, response, { label, visit }) => store(response, label, visit),
    async end(request, response, label) {
      const name = nameOf(request, label);
      if (name) await redis.del(keyOf(label, name));
      response.clearCookie(prefix + label, attributes);
    },
  };
}

const pairsOf = (request: Request): string[][] => (request.get('cookie') ?? '').split(';').map((pair) => pair.trim().split('=', 2));

const labelsOf = (request: Request, prefix: string): string[] =>
  pairsOf(request).map(([name = '']) => name).filter((name) => name.startsWith(prefix) && name !== prefix + HOME).map((name) => name.slice(prefix.length));

export const cookieOf = (request: Request, name: string): string | undefined => pairsOf(request).find(([key]) => key === name)?.[1];
