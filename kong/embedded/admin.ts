/**
 * The part of Kong's Admin API the portal and the launcher use, on a loopback listener of its own. Like Kong's it has no
 * authentication: who reaches it administers the gateway. Requests a browser made are refused, so that no web page can.
 */
import http, { type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Database } from '@kontor/kernel/database';
import type { Logger } from '@kontor/kernel/logger';
import type { Registry } from 'prom-client';
import { AdminEntities, type AdminAnswer } from './admin-entities.js';
import { readBody } from './request-body.js';
import type { State } from './state.js';

/** What the Admin API shows and changes. */
export interface Administered {
  state: State;
  database: Database;
  metrics: Registry;
  logger: Logger;
  /** Called after every change of a consumer or credential. */
  changed(): void;
}

const BODY_LIMIT = 256 * 1024;
const METHOD_NOT_ALLOWED: AdminAnswer = { status: 405, body: { message: 'Method not allowed' } };
const NOT_FOUND: AdminAnswer = { status: 404, body: { message: 'Not found' } };

/** Makes the server; the caller binds it. */
export function adminServer(administered: Administered): Server {
  const entities = new AdminEntities(administered.database, administered.changed);
  return http.createServer({ headersTimeout: 10_000, requestTimeout: 30_000 }, (request, response) => {
    void respond(administered, entities, request).then((answer) => reply(administered, answer, response));
  });
}

/** The status listener (Kong's status_listen): probes and metrics, and nothing that changes anything. */
export function statusServer(administered: Administered): Server {
  return http.createServer({ headersTimeout: 10_000, requestTimeout: 30_000 }, (request, response) => {
    const name = (request.url ?? '/').split('?')[0]!.slice(1);
    const wanted = PROBES.has(name) && request.method === 'GET';
    void (wanted ? readOnly(administered, [name]) : Promise.resolve(NOT_FOUND)).catch(() => FAILED).then((answer) => reply(administered, answer, response));
  });
}

const PROBES = new Set(['status', 'metrics', 'livez', 'readyz']);
const FAILED: AdminAnswer = { status: 500, body: { message: 'An unexpected error occurred' } };

function reply({ metrics }: Administered, { status, body }: AdminAnswer, response: ServerResponse): void {
  const text = typeof body === 'string' ? body : body === undefined ? '' : JSON.stringify(body);
  response.writeHead(status, {
    ...(text === '' ? {} : { 'content-type': typeof body === 'string' ? metrics.contentType : 'application/json; charset=utf-8' }),
    'content-length': String(Buffer.byteLength(text)),
    'cache-control': 'no-store',
  });
  response.end(text);
}

async function respond(administered: Administered, entities: AdminEntities, request: IncomingMessage): Promise<AdminAnswer> {
  try {
    if (request.headers.origin !== undefined || !isLocal(request.headers.host)) return { status: 403, body: { message: 'the Admin API is not for browsers' } };
    const url = new URL(request.url ?? '/', 'http://admin');
    const parts = url.pathname.split('/').filter((part) => part !== '').map(decodeURIComponent);
    const method = request.method ?? 'GET';
    if (parts[0] === 'consumers') return await consumers(entities, method, parts.slice(1), url.searchParams, request);
    if (parts[0] === 'oauth2_tokens') {
      if (parts.length === 1) return method === 'GET' ? await entities.listTokens(url.searchParams) : METHOD_NOT_ALLOWED;
      return method === 'DELETE' ? await entities.deleteToken(parts[1]!) : METHOD_NOT_ALLOWED;
    }
    return method === 'GET' ? await readOnly(administered, parts) : parts.length === 0 || SHOWN.has(parts[0]!) ? METHOD_NOT_ALLOWED : NOT_FOUND;
  } catch (error) {
    if (error instanceof SyntaxError) return { status: 400, body: { message: 'Cannot parse JSON body' } };
    if (error instanceof URIError) return NOT_FOUND;
    administered.logger.error('the Admin API failed', { error });
    return FAILED;
  }
}

/** A page on a name that was rebound to 127.0.0.1 still sends its own name. */
function isLocal(host: string | undefined): boolean {
  return /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.test(host ?? '');
}

async function consumers(entities: AdminEntities, method: string, path: string[], query: URLSearchParams, request: IncomingMessage): Promise<AdminAnswer> {
  const [consumer, kind, name] = path;
  if (consumer === undefined) {
    if (method === 'GET') return entities.listConsumers(query);
    return method === 'POST' ? entities.createConsumer(await bodyOf(request)) : METHOD_NOT_ALLOWED;
  }
  if (kind === undefined) {
    if (method === 'GET') return entities.readConsumer(consumer);
    if (method === 'DELETE') return entities.deleteConsumer(consumer);
    return method === 'PUT' || method === 'PATCH' ? entities.changeConsumer(consumer, await bodyOf(request), method === 'PUT') : METHOD_NOT_ALLOWED;
  }
  if (!entities.kinds().includes(kind) || path.length > 3) return NOT_FOUND;
  if (name === undefined) {
    if (method === 'GET') return entities.listCredentials(consumer, kind, query);
    return method === 'POST' ? entities.createCredential(consumer, kind, await bodyOf(request)) : METHOD_NOT_ALLOWED;
  }
  if (method === 'GET') return entities.readCredential(consumer, kind, name);
  if (method === 'PATCH') return entities.changeCredential(consumer, kind, name, await bodyOf(request));
  return method === 'DELETE' ? entities.deleteCredential(consumer, kind, name) : METHOD_NOT_ALLOWED;
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const text = (await readBody(request, BODY_LIMIT)).toString('utf8');
  if (!(request.headers['content-type'] ?? '').startsWith('application/x-www-form-urlencoded')) return text === '' ? {} : JSON.parse(text);
  const body: Record<string, unknown> = {};
  for (const [name, value] of new URLSearchParams(text)) {
    const plain = value === 'true' ? true : value === 'false' ? false : value;
    const listed = /^(.*)\[\d*\]$/.exec(name)?.[1];
    if (listed === undefined) body[name] = name === 'tags' || name === 'redirect_uris' ? [plain] : plain;
    else body[listed] = [...((body[listed] ?? []) as unknown[]), plain];
  }
  return body;
}

const SHOWN = new Set(['status', 'services', 'routes', 'plugins', 'metrics', 'livez', 'readyz']);

async function readOnly({ state, database, metrics }: Administered, [name, id]: string[]): Promise<AdminAnswer> {
  switch (name) {
    case undefined:
      return { status: 200, body: { tagline: 'Kontor embedded gateway: a stand-in for Kong', version: '3.9-embedded', configuration: { database: 'postgres' } } };
    case 'status':
      return { status: 200, body: { database: { reachable: await database.answers(1000) }, server: {}, memory: {} } };
    case 'livez':
      return { status: 200, body: { status: 'ok' } };
    case 'readyz':
      return await database.answers(1000) ? { status: 200, body: { status: 'ready' } } : { status: 503, body: { status: 'not ready', database: false } };
    case 'metrics':
      return { status: 200, body: await metrics.metrics() };
    case 'services':
      return show(state.services.map((service) => ({
        id: service.id, name: service.name, protocol: service.protocol, host: service.host, port: service.port, path: service.path || null,
        retries: service.retries, connect_timeout: service.connectTimeoutMs, read_timeout: service.readTimeoutMs, tags: service.tags,
      })), id);
    case 'routes':
      return show(state.routes.map((route) => ({
        id: route.id, name: route.name, protocols: route.protocols, methods: route.methods ?? null, paths: route.paths, strip_path: route.stripPath,
        preserve_host: route.preserveHost, regex_priority: route.regexPriority, service: route.service ? { id: route.service.id } : null, tags: route.tags,
      })), id);
    case 'plugins':
      // Configurations hold keys and provision keys: Kong shows them, this listener does not.
      return show(state.plugins.map((plugin) => ({
        id: plugin.id, name: plugin.name, enabled: true, protocols: plugin.protocols, tags: plugin.tags,
        service: plugin.service ? { id: plugin.service.id } : null, route: plugin.route ? { id: plugin.route.id } : null, consumer: null,
      })), id);
    default:
      return NOT_FOUND;
  }
}

function show(all: { id: string; name: string }[], wanted: string | undefined): AdminAnswer {
  if (wanted === undefined) return { status: 200, body: { data: all, next: null } };
  const found = all.find(({ id, name }) => id === wanted || name === wanted);
  return found ? { status: 200, body: found } : NOT_FOUND;
}
