/** Between Kong's plugin development kit and the cores: facts from it, decisions back into it. */
import { failClosed, problemBody } from '../plugin.js';
import type { RawRequest } from '../gateway-identity/core.js';
import type { Allow, Answer, ConsentRecord, Decision, Refuse, RequestFacts } from '../plugin.js';

const json = require('cjson.safe') as { encode(this: void, value: unknown): string; array_mt: unknown };
const groups = require('kong.plugins.acl.groups') as {
  get_consumer_groups(this: void, consumer: string): LuaMultiReturn<[groups: string[] | undefined, fault: string | undefined]>;
};

const lru = require('resty.lrucache') as { new: (this: void, size: number) => LuaMultiReturn<[cache: LruCache<string[]> | undefined, fault: string | undefined]> };

/** Scopes by the text of their header; made once a worker. */
const [scopeLists] = lru['new'](1000);

/** Roles by Kong's own list of them, which it keeps as long as they do not change. */
const roleLists = setmetatable(new LuaTable<string[], string[]>(), { __mode: 'k' });
const NO_ROLES: string[] = [];

/** What our plugins keep of a request. */
export interface RequestState {
  facts?: RequestFacts;
  /** The record consent-check decided on. */
  consent?: ConsentRecord;
  /** BIAN headers of the answer. */
  echo?: Readonly<Record<string, string>>;
  /** An answer problem-json writes anew. */
  answered?: Answer;
  /** Fields of the access record. */
  log?: Record<string, string>;
}

/** Kept in Kong's context of the request, not in `kong.ctx.shared`, which is several look-ups away. */
export function requestState(): RequestState {
  const context = ngx.ctx;
  const known = context.kontor as RequestState | undefined;
  if (known !== undefined) return known;
  const fresh: RequestState = {};
  context.kontor = fresh;
  return fresh;
}

/** nginx's random id of this request, written as a UUID. */
export function uniqueId(): string {
  const id = ngx.variables.request_id;
  return `${id.substring(0, 8)}-${id.substring(8, 12)}-${id.substring(12, 16)}-${id.substring(16, 20)}-${id.substring(20)}`;
}

/** The most the kit hands out; a request with more is refused, since unread headers cannot be stripped. */
const MAX_HEADERS = 1000;

/** The facts of this request, read once and shared by our plugins. */
export function readFacts(state = requestState()): RequestFacts {
  if (state.facts !== undefined) return state.facts;
  const [raw, truncated] = kong.request.get_headers(MAX_HEADERS);
  const headers = singleHeaders(raw);
  const consumer = kong.client.get_consumer();
  const credential = kong.client.get_credential();
  // Only oauth2 credentials have a client_id. Only then did the oauth2 plugin write (or clear) these two headers itself.
  const byToken = credential !== undefined && credential.client_id !== undefined;
  const scope = byToken ? headers['x-authenticated-scope'] : undefined;
  const route = kong.router.get_route();
  const facts: RequestFacts = {
    method: kong.request.get_method(),
    path: kong.request.get_path(),
    route: route !== undefined && route.name !== undefined ? route.name : '',
    pathParameters: kong.request.get_uri_captures().named,
    headers,
    headerNames: namesOf(headers),
    headersTruncated: truncated !== undefined,
    clientId: consumer !== undefined ? consumer.custom_id : undefined,
    scopes: scope !== undefined && scope.length > 0 ? scopesOf(scope) : [],
    roles: consumer !== undefined ? rolesOf(consumer.id) : [],
    consentId: byToken ? headers['x-authenticated-userid'] : undefined,
    correlationId: headers['x-correlation-id'] ?? '',
    now: ngx.time(),
  };
  state.facts = facts;
  return facts;
}

/** Splitting is dear in Lua, and the same few lists come again and again. */
function scopesOf(text: string): string[] {
  const known = scopeLists?.get(text);
  if (known !== undefined) return known;
  const scopes = text.split(' ');
  scopeLists?.set(text, scopes, 3600);
  return scopes;
}

/** The request before anything has changed it. */
export function readRaw(): RawRequest {
  const [headers, truncated] = kong.request.get_headers(MAX_HEADERS);
  const repeated: string[] = [];
  let headerCount = 0;
  for (const name in headers) {
    const value = headers[name];
    headerCount += typeof value === 'object' ? value.length : 1;
    if (typeof value === 'object') repeated.push(name);
  }
  return { headers: singleHeaders(headers), repeated, headerCount, headersTruncated: truncated !== undefined, target: targetOf(ngx.variables.request) };
}

/** The second word of a request line. */
function targetOf(line: string): string {
  const space = line.indexOf(' ');
  if (space < 0) return '';
  const rest = line.substring(space + 1);
  const end = rest.indexOf(' ');
  return end < 0 ? rest : rest.substring(0, end);
}

/**
 * Each header as one text; repeated ones joined by `, `. The table itself is made plain: what OpenResty puts behind it looks
 * a missing name up under other spellings, slowly.
 */
export function singleHeaders(headers: Record<string, string | string[] | boolean>): Record<string, string> {
  const plain = setmetatable(headers, undefined);
  for (const name in plain) {
    const value = plain[name];
    if (typeof value !== 'string') plain[name] = typeof value === 'object' ? value.join(', ') : tostring(value);
  }
  return plain as Record<string, string>;
}

function namesOf(headers: Record<string, string>): string[] {
  const names: string[] = [];
  for (const name in headers) names.push(name);
  return names;
}

/** The correlation id the correlation-id plugin gave this request. */
export function correlationId(): string {
  return kong.request.get_header('X-Correlation-Id') ?? '';
}

function rolesOf(consumerId: string): string[] {
  const [found, fault] = groups.get_consumer_groups(consumerId);
  if (fault !== undefined) throw `reading groups: ${fault}`;
  if (found === undefined) return NO_ROLES;
  const known = roleLists.get(found);
  if (known !== undefined) return known;
  const roles: string[] = [];
  // The table also has each group under its own name: take the array part only.
  for (const role of found) roles.push(role);
  roleLists.set(found, roles);
  return roles;
}

/** What a plugin decides by its configuration and what is kept of the request. */
export type Decide<C> = (this: void, config: C, state: RequestState) => Decision;

/**
 * Runs a decision and carries it out. Whatever our own code throws becomes a 503: an undecided request never passes.
 * @param what names the plugin in the refusal.
 * @param decide a function of the module: see `pcall`.
 * @returns the decision when the request goes on; after a refusal nothing runs any more.
 */
export function enforce<C>(what: string, decide: Decide<C>, config: C): Decision | undefined {
  const [ok, outcome] = pcall(decideAndApply, decide, config);
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

function decideAndApply<C>(this: void, decide: Decide<C>, config: C): Decision {
  const state = requestState();
  const decision = decide(config, state);
  if (decision.log !== undefined) addToLog(state, decision.log);
  if (decision.kind === 'allow') applyToRequest(decision, state.facts);
  return decision;
}

/**
 * Headers go past the kit, which does the same after checks of names that are ours anyway. Once the facts are read, only what
 * the request has is cleared: they hold every header of it, or say that they do not and gateway-identity refuses.
 */
function applyToRequest(decision: Allow, facts: RequestFacts | undefined): void {
  for (const name of decision.clearRequestHeaders) if (facts === undefined || facts.headers[name] !== undefined) ngx.req.clear_header(name);
  for (const name in decision.setRequestHeaders) ngx.req.set_header(name, decision.setRequestHeaders[name] as string);
  if (decision.upstream !== undefined) {
    kong.service.request.set_method(decision.upstream.method);
    kong.service.request.set_path(decision.upstream.path);
  }
}

function exitWith(refusal: Refuse): void {
  const headers: Record<string, string> = { 'content-type': 'application/problem+json', 'cache-control': 'no-store' };
  for (const name of Object.keys(refusal.headers)) headers[name] = refusal.headers[name] as string;
  // Also where an earlier plugin of ours had allowed it: the record says what became of the request.
  addToLog(requestState(), { decision: 'refuse', code: refusal.code });
  kong.response.exit(refusal.status, json.encode(problemBody(refusal, correlationId())), headers);
}

/** Adds fields to the access record; the first ones become its table. */
export function addToLog(state: RequestState, fields: Record<string, string>): void {
  const { log } = state;
  if (log === undefined) {
    state.log = fields;
    return;
  }
  for (const name in fields) log[name] = fields[name] as string;
}

/** Marks an array so that it is encoded as `[]` when empty, not as `{}`. */
export function jsonArray<T>(values: T[]): T[] {
  return setmetatable(values, json.array_mt);
}
