/**
 * problem-json: every answer the gateway itself makes is an RFC 9457 problem with a correlation id.
 *
 * Kong's plugins refuse in shapes of their own (`{message}`, `{error, error_description}`, HTML). What a service
 * answered passes untouched, and so does a refusal that already is a problem.
 */
import { problemBody } from '../plugin.js';
import { PROBLEMS } from '../problems.js';
import type { ProblemCode } from '../problems.js';
import type { Answer, AnswerChange, ProblemBody, RequestFacts } from '../plugin.js';

/** Nothing to configure: the name of the correlation header is fixed by the contracts. */
export interface ProblemJsonConfig {
  enabled?: boolean;
}

interface Known { code: ProblemCode; detail: string }

/** What the answer becomes; no change for the service's own answers, successes and problems. */
export function answer(facts: RequestFacts, _config: ProblemJsonConfig, answered: Answer): AnswerChange {
  const change: AnswerChange = { setHeaders: {}, clearHeaders: [] };
  if (answered.source === 'service' || answered.status < 400) return change;
  const contentType = answered.headers['content-type'];
  if (contentType !== undefined && contentType.startsWith('application/problem+json')) return change;
  const known = recognise(answered);
  const status = PLAINER[`s${answered.status}`] ?? answered.status;
  if (status !== answered.status) change.status = status;
  const body = problemBody({ status, code: known.code, title: PROBLEMS[known.code].title, detail: known.detail }, facts.correlationId);
  change.setHeaders['content-type'] = 'application/problem+json';
  if (isOAuthEndpoint(facts.path) && (answered.status === 400 || answered.status === 401)) {
    // RFC 6749 §5.2: OAuth clients read `error` from application/json; the problem's members stand beside it.
    change.setHeaders['content-type'] = 'application/json';
    keepOAuthMembers(body, answered.fields);
  }
  change.setHeaders['cache-control'] = 'no-store';
  change.body = body;
  return change;
}

function isOAuthEndpoint(path: string): boolean {
  return path === '/oauth2/token' || path === '/oauth2/authorize';
}

function keepOAuthMembers(body: ProblemBody, fields: Record<string, string>): void {
  if (fields.error !== undefined) body.error = fields.error;
  if (fields.error_description !== undefined) body.error_description = fields.error_description;
  if (fields.redirect_uri !== undefined) body.redirect_uri = fields.redirect_uri;
}

function recognise(answered: Answer): Known {
  const error = answered.fields.error;
  if (error !== undefined) {
    const detail = answered.fields.error_description;
    const told = detail !== undefined && detail.length > 0 ? detail : `The authorization server answered ${error}.`;
    if (answered.status === 401 && (error === 'invalid_token' || error === 'invalid_request')) {
      // invalid_request at 401 is Kong's "access token is missing".
      if (error === 'invalid_request') return unauthenticated();
      return { code: 'invalid_token', detail: told };
    }
    if (answered.status === 401) return { code: 'unauthenticated', detail: told };
    if (answered.status === 400) return { code: 'invalid_request', detail: told };
  }
  return byStatus(answered.status);
}

function unauthenticated(): Known {
  return { code: 'unauthenticated', detail: 'Send a valid access token or API key.' };
}

/**
 * Statuses of the gateway's own that mean what another says: 417 is request-size-limiting's word for a body that is announced
 * too large, 501 and 505 nginx's for a transfer encoding and a protocol it does not speak.
 */
const PLAINER: Record<string, number | undefined> = { 's417': 413, 's501': 400, 's505': 400 };

const BY_STATUS: Record<string, Known> = {
  's401': { code: 'unauthenticated', detail: 'Send a valid access token or API key.' },
  's403': { code: 'role_required', detail: 'This application is not registered for this operation.' },
  's404': { code: 'not_found', detail: 'There is no operation at this path with this method.' },
  's405': { code: 'method_not_allowed', detail: 'This path does not take this method.' },
  's406': { code: 'not_acceptable', detail: 'The answer cannot be given in the requested form.' },
  's413': { code: 'payload_too_large', detail: 'The request body is larger than the gateway accepts.' },
  's415': { code: 'unsupported_media_type', detail: 'The request body is of a type this operation does not take.' },
  's414': { code: 'invalid_request', detail: 'The request line is longer than the gateway reads.' },
  's417': { code: 'payload_too_large', detail: 'The announced request body is larger than the gateway accepts.' },
  's426': { code: 'invalid_request', detail: 'Use HTTPS.' },
  's429': { code: 'rate_limited', detail: 'The rate limit is used up. Wait as long as Retry-After says.' },
  's500': { code: 'internal', detail: 'The gateway failed. Quote the correlation id when you report it.' },
  's501': { code: 'invalid_request', detail: 'The gateway does not speak what this request asks for.' },
  's502': { code: 'bad_gateway', detail: 'The service answered in a way the gateway could not read.' },
  's503': { code: 'unavailable', detail: 'The service is not available right now. Try again shortly.' },
  's504': { code: 'timeout', detail: 'The service did not answer in time.' },
  's505': { code: 'invalid_request', detail: 'The gateway does not speak this protocol.' },
};

function byStatus(status: number): Known {
  const known = BY_STATUS[`s${status}`];
  if (known !== undefined) return known;
  if (status >= 500) return { code: 'internal', detail: 'The gateway failed. Quote the correlation id when you report it.' };
  return { code: 'invalid_request', detail: 'The gateway could not accept this request.' };
}
