/** Between Kong's plugin development kit and the cores: facts from it, decisions back into it. */
import { failClosed, problemBody } from '../plugin.js';
import type { RawRequest } from '../gateway-identity/core.js';
import type { Decision, Refuse, RequestFacts } from '../plugin.js';

const json = require('cjson.safe') as { encode(this: void, value: unknown): string; array_mt: unknown };
const groups = require('kong.plugins.acl.groups') as {
  get_consumer_groups(this: void, consumer: string): LuaMultiReturn<[groups: string[] | undefined, fault: string | undefined]>;
};

/** nginx's random id of this request, written as a UUID. */
export function uniqueId(): string {
  const id = ngx.variables.request_id;
  return `${id.substring(0, 8)}-${id.substring(8, 12)}-${id.substring(12, 16)}-${id.substring(16, 20)}-${id.substring(20)}`;
}

/** The most the kit hands out; a request with more is refused, since unread headers cannot be stripped. */
const MAX_HEADERS = 1000;

/** The facts of this request, read once and shared by our plugins (`kong.ctx.shared`). */
export function readFacts(): RequestFacts {
  const known = kong.ctx.shared.kontor_facts as RequestFacts | undefined;
  if (known !== undefined) return known;
  const [headers, truncated] = kong.request.get_headers(MAX_HEADERS);
  const consumer = kong.client.get_consumer();
  const credential = kong.client.get_credential();
  // Only oauth2 credentials have a client_id. Only then did the oauth2 plugin write (or clear) these two headers itself.
  const byToken = credential !== undefined && credential.client_id !== undefined;
  const scope = byToken ? kong.request.get_header('X-Authenticated-Scope') : undefined;
  const route = kong.router.get_route();
  const facts: RequestFacts = {
    method: kong.request.get_method(),
    path: kong.request.get_path(),
    route: route !== undefined && route.name !== undefined ? route.name : '',
    pathParameters: kong.request.get_uri_captures().named,
    headers: singleHeaders(headers),
    headersTruncated: truncated !== undefined,
    clientId: consumer !== undefined ? consumer.custom_id : undefined,
    scopes: scope !== undefined && scope.length > 0 ? scope.split(' ') : [],
    roles: consumer !== undefined ? rolesOf(consumer.id) : [],
    consentId: byToken ? kong.request.get_header('X-Authenticated-UserId') : undefined,
    correlationId: correlationId(),
    now: ngx.time(),
  };
  kong.ctx.shared.kontor_facts = facts;
  return facts;
}

/** The request before anything has changed it. */
export function readRaw(): RawRequest {
  const [headers, truncated] = kong.request.get_headers(MAX_HEADERS);
  const single: Record<string, string> = {};
  const repeated: string[] = [];
  let headerCount = 0;
  for (const name of Object.keys(headers)) {
    const value = headers[name];
    if (typeof value === 'object') {
      repeated.push(name);
      headerCount += value.length;
      single[name] = value.join(', ');
    } else {
      headerCount += 1;
      single[name] = tostring(value);
    }
  }
  const [, target] = ngx.variables.request.split(' ');
  return { headers: single, repeated, headerCount, headersTruncated: truncated !== undefined, target: target ?? '' };
}

/** Each header as one text; repeated ones joined by `, `. */
export function singleHeaders(headers: Record<string, string | string[] | boolean>): Record<string, string> {
  const single: Record<string, string> = {};
  for (const name of Object.keys(headers)) {
    const value = headers[name];
    single[name] = typeof value === 'object' ? value.join(', ') : tostring(value);
  }
  return single;
}

/** The correlation id the correlation-id plugin gave this request. */
export function correlationId(): string {
  return kong.request.get_header('X-Correlation-Id') ?? '';
}

function rolesOf(consumerId: string): string[] {
  const [found, fault] = groups.get_consumer_groups(consumerId);
  if (fault !== undefined) throw `reading groups: ${fault}`;
  const roles: string[] = [];
  // The table also has each group under its own name: take the array part only.
  if (found !== undefined) for (const role of found) roles.push(role);
  return roles;
}

/**
 * Runs a decision and carries it out. Whatever our own code throws becomes a 503: an undecided request never passes.
 * @param what names the plugin in the refusal.
 * @returns the decision when the request goes on; after a refusal nothing runs any more.
 */
export function enforce(what: string, decide: (this: void) => Decision): Decision | undefined {
  const [ok, outcome] = pcall(() => {
    const decision = decide();
    if (decision.log !== undefined) writeLog(decision.log);
    if (decision.kind === 'allow') applyToRequest(decision);
    return decision;
  });
  if (!ok) {
    kong.log.err(what, ' failed: ', outcome);
    exitWith(failClosed(what));
    return undefined;
  }
  if (outcome.kind === 'refuse') {
    exitWith(outcome);
    return undefined;
  }
  return outcome;
}

function applyToRequest(decision: Decision): void {
  if (decision.kind !== 'allow') return;
  for (const name of decision.clearRequestHeaders) kong.service.request.clear_header(name);
  for (const name of Object.keys(decision.setRequestHeaders)) {
    kong.service.request.set_header(name, decision.setRequestHeaders[name] as string);
  }
  if (decision.upstream !== undefined) {
    kong.service.request.set_method(decision.upstream.method);
    kong.service.request.set_path(decision.upstream.path);
  }
}

function exitWith(refusal: Refuse): void {
  const headers: Record<string, string> = { 'content-type': 'application/problem+json', 'cache-control': 'no-store' };
  for (const name of Object.keys(refusal.headers)) headers[name] = refusal.headers[name] as string;
  kong.log.set_serialize_value('kontor.code', refusal.code);
  kong.response.exit(refusal.status, json.encode(problemBody(refusal, correlationId())), headers);
}

function writeLog(fields: Record<string, string>): void {
  if (fields.decision !== undefined) kong.ctx.shared.kontor_decided = true;
  for (const name of Object.keys(fields)) kong.log.set_serialize_value(`kontor.${name}`, fields[name]);
}

/** Marks an array so that it is encoded as `[]` when empty, not as `{}`. */
export function jsonArray<T>(values: T[]): T[] {
  return setmetatable(values, json.array_mt);
}
