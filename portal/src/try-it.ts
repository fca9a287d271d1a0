/**
 * The relay behind "try it": a signed-in developer's request goes on to the gateway and nowhere else. The portal's cookies
 * stay here, the gateway's stay there; answers cannot act as pages of the portal.
 */
import { Transform, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Router, type NextFunction, type Request, type Response } from 'express';
import { Pool } from 'undici';
import type { Logger } from '@kontor/kernel/logger';
import { problem, type Problem } from '@kontor/kernel/problem';
import { refuseForeignForms } from '@kontor/kernel/sessions';

/** As the gateway bounds it, so that one answer is given for one size. */
const MOST_REQUEST_BYTES = 256 * 1024;
const MOST_ANSWER_BYTES = 8 * 1024 * 1024;
const TIMEOUT_MS = 20_000;

const REQUEST_HEADERS = ['authorization', 'apikey', 'content-type', 'accept', 'idempotency-key', 'if-match', 'if-none-match', 'x-correlation-id'] as const;
/** RFC 9110 §7.6.1, what frames this connection's own message, and what would act on the portal's origin. */
const DROPPED_ANSWER_HEADERS = new Set([
  'connection', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade',
  'set-cookie', 'www-authenticate', 'clear-site-data', 'strict-transport-security', 'alt-svc', 'refresh', 'link',
  'content-security-policy', 'content-security-policy-report-only', 'service-worker-allowed',
]);
/** What the gateway serves to applications; the bank's pages and the authorize endpoint are not for this relay. */
const RELAYED_PATHS = /^\/(?:(?:v1|bian|sandbox)\/|oauth2\/token$)/;

export interface TryItNeeds {
  /** Origin of the gateway; the only place requests go to. */
  gatewayUrl: string;
  /** As a browser sees the portal. */
  portalOrigin: string;
  signedIn: (request: Request) => Promise<boolean>;
  logger: Logger;
}

/** The router for `/try`, and how to end its connections. It reads bodies itself: mount it before any body parser. */
export function tryIt({ gatewayUrl, portalOrigin, signedIn, logger }: TryItNeeds): { router: Router; close: () => Promise<void> } {
  const pool = new Pool(new URL(gatewayUrl).origin, { connections: 20, headersTimeout: TIMEOUT_MS, bodyTimeout: TIMEOUT_MS, connectTimeout: 3_000 });
  const router = Router();
  router.use(refuseForeignPages, refuseForeignForms(portalOrigin));
  router.use(async (request, response) => {
    if (!(await signedIn(request))) throw problem('unauthenticated', 'Sign in to the developer portal to try operations.');
    const path = relayedPath(request);
    const body = await readBody(request);
    const headers = Object.fromEntries(REQUEST_HEADERS.flatMap((name) => (request.get(name) === undefined ? [] : [[name, request.get(name)]])));
    const abort = new AbortController();
    response.on('close', () => abort.abort());
    const answer = await pool.request({ method: request.method as 'GET', path, headers, body, signal: abort.signal }).catch((cause: unknown) => {
      if (abort.signal.aborted) return undefined;
      logger.warn('the gateway did not answer a tried operation', { error: cause });
      throw gatewayAway(cause);
    });
    if (!answer) return;
    response.status(answer.statusCode);
    for (const [name, value] of Object.entries(answer.headers)) if (value !== undefined && !DROPPED_ANSWER_HEADERS.has(name)) response.set(name, value);
    response.set({ 'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'; sandbox", 'X-Content-Type-Options': 'nosniff', 'Cache-Control': 'no-store' });
    await stream(answer.body, response, logger);
  });
  return { router, close: () => pool.destroy() };
}

/** Reading is refused, too: another site must not make a signed-in developer's browser fetch anything here. */
function refuseForeignPages(request: Request, _response: Response, next: NextFunction): void {
  const site = request.get('sec-fetch-site');
  next(site === undefined || site === 'same-origin' ? undefined : problem('invalid_request', 'Operations are tried from the portal\'s own pages.'));
}

/** Path and query for the gateway, dots resolved. @throws Problem `not_found` when it is none of the gateway's operations */
function relayedPath(request: Request): string {
  const { pathname, search } = new URL(`http://gateway${request.url}`);
  if (!RELAYED_PATHS.test(pathname) || /%2e|%2f|%5c|\\/i.test(pathname)) throw problem('not_found', 'The gateway has no operation at this address.');
  return pathname + search;
}

async function readBody(request: Request): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MOST_REQUEST_BYTES) throw problem('payload_too_large', `A request may have ${MOST_REQUEST_BYTES} bytes.`).with({ Connection: 'close' });
    chunks.push(chunk);
  }
  return bytes === 0 ? null : Buffer.concat(chunks);
}

/** The head is sent already: what goes wrong here ends the connection, which the browser sees as a broken answer. */
async function stream(from: Readable, response: Response, logger: Logger): Promise<void> {
  let bytes = 0;
  const bound = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      done(bytes > MOST_ANSWER_BYTES ? new Error('the answer is larger than the relay passes on') : null, chunk);
    },
  });
  await pipeline(from, bound, response).catch((error: unknown) => {
    if (!response.destroyed) response.destroy();
    logger.info('an answer of the gateway ended early', { error });
  });
}

const gatewayAway = (cause: unknown): Problem => Object.assign(problem('bad_gateway', 'The gateway did not answer. Look at its health on the home page, and try again.'), { cause });
