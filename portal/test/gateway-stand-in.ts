/**
 * For tests: a small Admin API with the rules of Kong's that the portal leans on (unique names, keys and groups, cascading
 * removal), and an upstream that tells what reached it. Faults can be ordered.
 */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isId, newId } from '@kontor/kernel/ids';

export interface Consumer {
  username: string;
  customId: string;
  tags: string[];
  oauth2: Record<string, unknown>[];
  keys: string[];
  groups: string[];
}

export interface Relayed {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface GatewayStandIn {
  adminUrl: string;
  proxyUrl: string;
  consumers: Map<string, Consumer>;
  relayed: Relayed[];
  /** Answers instead of the Admin API; undefined lets the call through. */
  interfere: ((method: string, path: string) => number | 'hang up' | 'hang up after it' | undefined) | undefined;
  /** What the upstream answers. */
  answer: (relayed: Relayed, response: ServerResponse) => void;
  stop(): Promise<void>;
}

export async function gatewayStandIn(): Promise<GatewayStandIn> {
  const standIn: GatewayStandIn = {
    adminUrl: '', proxyUrl: '', consumers: new Map(), relayed: [], interfere: undefined,
    answer: ({ method, path }, response) => {
      const token = path === '/oauth2/token';
      response.writeHead(method === 'POST' && !token ? 201 : 200, { 'content-type': 'application/json', 'x-correlation-id': 'from-the-gateway', 'set-cookie': 'upstream=1' });
      response.end(JSON.stringify(token ? { access_token: 'token-of-the-stand-in', token_type: 'bearer', expires_in: 900 } : { method, path }));
    },
    stop: async () => {
      for (const server of [admin, proxy]) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    },
  };
  const admin = await serve((request, body, response) => {
    const [method, path] = [request.method ?? '', request.url ?? ''];
    const ordered = standIn.interfere?.(method, path);
    if (ordered === 'hang up') return void request.socket.destroy();
    if (typeof ordered === 'number') return void response.writeHead(ordered).end('{}');
    const { status, json } = administer(standIn, method, path, body === '' ? {} : (JSON.parse(body) as Record<string, unknown>));
    if (ordered === 'hang up after it') return void request.socket.destroy();
    response.writeHead(status, { 'content-type': 'application/json' }).end(json === undefined ? undefined : JSON.stringify(json));
  });
  const proxy = await serve((request, body, response) => {
    const relayed = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, body };
    standIn.relayed.push(relayed);
    standIn.answer(relayed, response);
  });
  standIn.adminUrl = `http://127.0.0.1:${(admin.address() as AddressInfo).port}`;
  standIn.proxyUrl = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  return standIn;
}

interface Outcome { status: number; json?: unknown }

function administer({ consumers }: GatewayStandIn, method: string, path: string, body: Record<string, unknown>): Outcome {
  const [, collection, name = '', kind, id] = path.split('/');
  if (collection === 'status') return { status: 200, json: {} };
  if (collection !== 'consumers') return { status: 404 };
  if (name === '') return addConsumer(consumers, body);
  const consumer = consumers.get(name);
  if (kind === undefined) {
    if (method === 'DELETE') return { status: consumers.delete(name) ? 204 : 404 };
    return consumer ? { status: 200, json: { username: consumer.username, custom_id: consumer.customId, tags: consumer.tags } } : { status: 404 };
  }
  if (!consumer) return { status: 404 };
  if (id === undefined && method === 'GET') return { status: 200, json: { data: consumer.oauth2, next: null } };
  if (id === undefined) return addCredential([...consumers.values()], consumer, kind, body);
  // As Kong does it: a UUID is the credential's own key, never its client id.
  const credential = consumer.oauth2.find((entry) => entry[isId(id) ? 'id' : 'client_id'] === id);
  if (!credential) return { status: 404 };
  if (method === 'PATCH') Object.assign(credential, body);
  else consumer.oauth2 = consumer.oauth2.filter((entry) => entry !== credential);
  return { status: method === 'PATCH' ? 200 : 204, json: method === 'PATCH' ? credential : undefined };
}

function addConsumer(consumers: Map<string, Consumer>, body: Record<string, unknown>): Outcome {
  const username = String(body['username']);
  if (consumers.has(username)) return { status: 409 };
  consumers.set(username, { username, customId: String(body['custom_id']), tags: body['tags'] as string[], oauth2: [], keys: [], groups: [] });
  return { status: 201, json: body };
}

function addCredential(all: Consumer[], consumer: Consumer, kind: string, body: Record<string, unknown>): Outcome {
  if (kind === 'oauth2') {
    if (all.some(({ oauth2 }) => oauth2.some((entry) => entry['client_id'] === body['client_id']))) return { status: 409 };
    consumer.oauth2.push({ id: newId(), ...body });
  } else if (kind === 'key-auth') {
    if (all.some(({ keys }) => keys.includes(String(body['key'])))) return { status: 409 };
    consumer.keys.push(String(body['key']));
  } else if (kind === 'acls') {
    if (consumer.groups.includes(String(body['group']))) return { status: 409 };
    consumer.groups.push(String(body['group']));
  } else return { status: 404 };
  return { status: 201, json: body };
}

async function serve(answer: (request: IncomingMessage, body: string, response: ServerResponse) => void): Promise<Server> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => answer(request, Buffer.concat(chunks).toString(), response));
    request.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}
