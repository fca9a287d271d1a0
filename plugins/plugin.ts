/**
 * What a gateway plugin is, for every host: request facts and configuration in, a decision out.
 *
 * These files run in three places: LuaJIT inside Kong (typescript-to-lua), Node (embedded gateway) and the tests, so
 * they keep to the part of TypeScript that means the same in Lua. The ban-list with its reasons is in
 * `test/lua-safe.test.ts`.
 */

import { PROBLEMS } from './problems.js';
import type { ProblemCode } from './problems.js';

/** One request as the gateway sees it after its bundled plugins (oauth2 or key-auth, acl) have let it through. */
export interface RequestFacts {
  /** Upper-case method. */
  method: string;
  /** Normalised path without the query. */
  path: string;
  /** Name of the matched route; empty where none matched. */
  route: string;
  /** Named captures of the route's path. */
  pathParameters: Record<string, string>;
  /** Lower-case names; a header sent several times is its values joined by `, `. */
  headers: Record<string, string>;
  /** Names of `headers`, where the host has them at hand. */
  headerNames?: string[];
  /** More headers than the host can read: what it did not read it cannot strip. */
  headersTruncated?: boolean;
  /** `custom_id` of the authenticated consumer; absent where nobody is authenticated. */
  clientId?: string;
  /** Scopes of the access token; empty for API keys. Never taken from a header a client can send. */
  scopes: string[];
  /** ACL groups of the consumer. */
  roles: string[];
  /** `authenticated_userid` of the access token: the consent it was issued on. */
  consentId?: string;
  correlationId: string;
  /** Unix seconds. */
  now: number;
}

/** The consent service's decision record, as it stands in Redis and behind its internal endpoint. */
export interface ConsentRecord {
  version: number;
  /** `authorised` or `denied`. */
  status: string;
  /** Why it is denied: revoked, withdrawn, expired, consumed, rejected or not_authorised. */
  reason?: string;
  clientId: string;
  customerId: string;
  permissions: string[];
  accounts: string[];
  /** Unix seconds. */
  expiresAt: number;
  /** Unix seconds; before it nothing is allowed. Absent: from the approval on. */
  validFrom?: number;
  /** How often a day (UTC) each operation may be asked for each account without the customer. Absent: without limit. */
  frequencyPerDay?: number;
}

/**
 * What the consent service answered with 200 when it was asked to count one use (`POST /internal/consents/{id}/uses`). From outside:
 * the core looks at each field. `retryAfter`: seconds to UTC midnight, where not allowed.
 */
export interface ConsentUse { allowed?: unknown; limit?: unknown; retryAfter?: unknown }

/** What looking for the decision record gave; `unavailable` when neither Redis nor the consent service answered. */
export type ConsentLookup =
  | { kind: 'found'; record: ConsentRecord }
  | { kind: 'missing' }
  | { kind: 'unavailable' };

/** The consent inside a gateway token. */
export interface ConsentClaims {
  id: string;
  version: number;
  permissions: string[];
  accounts: string[];
  customerId: string;
  /** Unix seconds; the service refuses from then on, as the gateway does. */
  expiresAt: number;
}

/** Claims of the gateway token a service verifies (kernel/gateway-token). Times in unix seconds. */
export interface GatewayClaims {
  iss: string;
  aud: string;
  /** Client id: the consumer's `custom_id`. */
  sub: string;
  op: string;
  scopes: string[];
  roles: string[];
  consent?: ConsentClaims;
  iat: number;
  exp: number;
}

/** The token the host must sign (ES256) and send upstream as `X-Gateway-Token`; gateway-identity's `claims` says what it states. */
export interface TokenOrder {
  /** Equal keys ask for equal tokens: the host may reuse a signed one for `reuseSeconds`. */
  cacheKey: string;
  reuseSeconds: number;
}

export interface Allow {
  kind: 'allow';
  /** Names in lower case. Applied after `clearRequestHeaders`. */
  setRequestHeaders: Readonly<Record<string, string>>;
  /** Names in lower case. */
  clearRequestHeaders: readonly string[];
  /** Set on the answer whoever makes it. */
  setResponseHeaders: Readonly<Record<string, string>>;
  /** Rewrites the upstream request; the route stays the one that matched. */
  upstream?: { method: string; path: string };
  /** Fields for the access record. */
  log?: Record<string, string>;
  /** gateway-identity only. */
  token?: TokenOrder;
}

export interface Refuse {
  kind: 'refuse';
  status: number;
  /** One of kernel/problem's codes. */
  code: string;
  title: string;
  detail: string;
  headers: Record<string, string>;
  log?: Record<string, string>;
}

/** What a plugin makes of a request. The host applies an `allow` whole, or ends the request with the refusal. */
export type Decision = Allow | Refuse;

/** An answer on its way to the client. */
export interface Answer {
  status: number;
  /** Who made it: the upstream service, a plugin's exit, or the gateway's core (Kong's `get_source`). */
  source: 'service' | 'exit' | 'error';
  /** Lower-case names. */
  headers: Record<string, string>;
  /** The flat string fields of a JSON body, where the gateway itself made the answer. */
  fields: Record<string, string>;
}

/** What a plugin changes on an answer; absent parts stay as they are. */
export interface AnswerChange {
  status?: number;
  setHeaders: Record<string, string>;
  clearHeaders: string[];
  /** Replaces the body; the host encodes it as JSON. */
  body?: ProblemBody;
}

/** RFC 9457 problem as Kontor writes it; `error`, `error_description` and `redirect_uri` only on OAuth endpoints. */
export interface ProblemBody {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: string;
  correlationId: string;
  error?: string;
  error_description?: string;
  redirect_uri?: string;
}

/** One field of a plugin's configuration, in Kong's schema language. */
export type SchemaField = Record<string, FieldSpec>;

export interface FieldSpec {
  type: 'string' | 'integer' | 'boolean' | 'array' | 'record';
  description?: string;
  required?: boolean;
  default?: string | number | boolean;
  one_of?: string[];
  between?: number[];
  len_min?: number;
  elements?: FieldSpec;
  fields?: SchemaField[];
  referenceable?: boolean;
  encrypted?: boolean;
}

/** A whole Kong plugin schema: `{ name, fields: [{ protocols }, { config }] }`. */
export interface PluginSchema {
  name: string;
  fields: Record<string, unknown>[];
}

/** Wraps the fields of `config` into a whole schema. Only HTTP routes can carry our plugins. */
export function pluginSchema(name: string, fields: SchemaField[]): PluginSchema {
  const protocols = ['http', 'https'];
  return {
    name,
    fields: [
      { protocols: { type: 'set', required: true, default: protocols, elements: { type: 'string', one_of: protocols } } },
      { config: { type: 'record', fields } },
    ],
  };
}

/** Ends the request with a problem. `detail` says what the caller can do. */
export function refuse(code: ProblemCode, detail: string, headers: Record<string, string> = {}): Refuse {
  const { status, title } = PROBLEMS[code];
  return { kind: 'refuse', status, code, title, detail, headers };
}

/** What an unchanged request has: shared by all decisions, since what a request leaves behind costs the gateway time. */
const NOTHING: Readonly<Record<string, string>> = {};
const NO_NAMES: readonly string[] = [];

/** Lets the request pass unchanged; callers put lists of their own where they change something, and never write into these. */
export function allow(): Allow {
  return { kind: 'allow', setRequestHeaders: NOTHING, clearRequestHeaders: NO_NAMES, setResponseHeaders: NOTHING };
}

/** The body of a refusal (RFC 9457 §3.1; `code` and `correlationId` are our extension members). */
export function problemBody(
  refusal: { status: number; code: string; title: string; detail: string }, correlationId: string,
): ProblemBody {
  return {
    type: 'urn:kontor:problem:' + refusal.code,
    title: refusal.title,
    status: refusal.status,
    detail: refusal.detail,
    code: refusal.code,
    correlationId,
  };
}

/** The refusal of every plugin whose own code failed or whose parts contradict each other: never let through. */
export function failClosed(what: string): Refuse {
  return refuse('unavailable', `${what} could not decide this request. Try again shortly.`, { 'retry-after': '1' });
}

/** Whether the text is an opaque id: 1 to 128 characters of `[A-Za-z0-9._~-]`. */
export function isOpaqueId(text: string | undefined): boolean {
  if (text === undefined || text.length < 1 || text.length > 128) return false;
  for (let i = 0; i < text.length; i++) {
    if (!isOpaqueIdCode(text.charCodeAt(i))) return false;
  }
  return true;
}

/** What was found lately, by a text that clients choose: emptied when full, so that it stays small. */
export interface Lately<T> { known: Record<string, T | undefined>; count: number }

/** Keeps a value that was not known. @returns the value */
export function keepLately<T>(lately: Lately<T>, text: string, value: T, most: number): T {
  if (lately.count >= most) {
    lately.known = {};
    lately.count = 0;
  }
  lately.known[text] = value;
  lately.count += 1;
  return value;
}

/** The same for ids of resources, which are asked about again and again. */
export function isResourceId(text: string | undefined): boolean {
  if (text === undefined) return false;
  if (sound.known[text] === true) return true;
  return isOpaqueId(text) && keepLately(sound, text, true, MOST_KNOWN);
}

/** Ids found sound. */
const sound: Lately<boolean> = { known: {}, count: 0 };
const MOST_KNOWN = 2000;

/** Letters, digits, `-`, `.`, `_` and `~` (RFC 3986 §2.3, unreserved). */
function isOpaqueIdCode(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 48 && code <= 57) || (code >= 65 && code <= 90)
    || code === 45 || code === 46 || code === 95 || code === 126;
}
