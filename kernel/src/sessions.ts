/**
 * Sessions of people on the portal's pages, and the guard for the forms there and on the bank's (whose visits, one a tab, are in
 * services/consent/src/pages-visit.ts).
 * A session lives in Redis under a hash of the cookie's value, so that who reads Redis cannot take a session over.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import type { Redis } from 'ioredis';
import { problem } from './problem.js';

export interface SessionOptions {
  /** Cookie name, and prefix of the keys in Redis. */
  name: string;
  /** Path the cookie is sent to. */
  path: string;
  /** Seconds without a renewal after which the session is over. */
  lifeS: number;
  /** True: the cookie goes over https only. */
  secure: boolean;
}

export interface Sessions<S extends object> {
  /** The session of this request; `{}` where there is none. */
  read(request: Request): Promise<Partial<S>>;
  /** Stores the session under a new name (a name known before sign-in is worth nothing after it) and sets the cookie. */
  renew(request: Request, response: Response, session: Partial<S>): Promise<void>;
  end(request: Request, response: Response): Promise<void>;
}

export function sessionsIn<S extends object>(redis: Redis, { name, path, lifeS, secure }: SessionOptions): Sessions<S> {
  const keyOf = (cookie: string): string => `${name}:${createHash('sha256').update(cookie).digest('base64url')}`;
  const forget = async (request: Request): Promise<void> => {
    const old = cookieOf(request, name);
    if (old) await redis.del(keyOf(old));
  };
  return {
    async read(request) {
      const cookie = cookieOf(request, name);
      const text = cookie ? await redis.get(keyOf(cookie)) : null;
      return text ? (JSON.parse(text) as Partial<S>) : {};
    },
    async renew(request, response, session) {
      const value = randomBytes(32).toString('base64url');
      await redis.set(keyOf(value), JSON.stringify(session), 'EX', lifeS);
      await forget(request);
      response.cookie(name, value, { httpOnly: true, sameSite: 'lax', secure, path });
    },
    async end(request, response) {
      await forget(request);
      response.clearCookie(name, { path });
    },
  };
}

function cookieOf(request: Request, name: string): string | undefined {
  const pairs = (request.get('cookie') ?? '').split(';').map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);
}

/**
 * Refuses a form that another site sent (CSRF). The browser says where it came from: Fetch Metadata, else Origin. A client
 * that is no browser sends neither and has no cookie to steal.
 * @param ownOrigin as a browser sees our pages, e.g. `http://localhost:8080`
 */
export const refuseForeignForms = (ownOrigin: string): RequestHandler => (request: Request, _response: Response, next: NextFunction) => {
  if (['GET', 'HEAD', 'OPTIONS'].includes(request.method)) return next();
  const site = request.get('sec-fetch-site');
  const origin = request.get('origin');
  const foreign = site ? site !== 'same-origin' : origin !== undefined && origin !== ownOrigin;
  next(foreign ? problem('invalid_request', 'This form did not come from our own page.') : undefined);
};
