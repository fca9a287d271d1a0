/**
 * Client of the gateway's Admin API (Kong 3.9 and the embedded gateway alike). Every write may be repeated: what is there
 * already (409) counts as written, what is gone already (404) as removed. Consumers carry the tag `portal`, not decK's.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { request } from 'undici';
import type { App, ClientCredentials, GatewayAdmin } from './portal.js';

const TIMEOUT_MS = 5_000;

/** The Admin API did not answer, or not as agreed. Its message names method, resource kind and status, never a secret. */
export class GatewayAdminFault extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'GatewayAdminFault';
  }
}

interface Call {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  path: string;
  body?: Record<string, unknown>;
  /** Statuses that are an answer and no fault. */
  expected: readonly number[];
}

interface Answer {
  status: number;
  json: unknown;
}

/** @param adminUrl base address of the Admin API, e.g. http://127.0.0.1:8001 */
export function gatewayAdmin(adminUrl: string): GatewayAdmin {
  const base = adminUrl.replace(/\/$/, '');
  const call = (details: Call): Promise<Answer> => send(base, details);
  const consumer = (appId: string): string => `/consumers/app-${appId}`;
  const credentialOf = (app: Pick<App, 'id' | 'name' | 'redirectUri'>, clientSecret: string): Record<string, unknown> => ({
    name: app.name, client_id: app.id, client_secret: clientSecret, hash_secret: true, redirect_uris: [app.redirectUri],
  });
  const ensure = (path: string, body: Record<string, unknown>): Promise<Answer> => call({ method: 'POST', path, body, expected: [201, 409] });

  return {
    async addClient(app, { clientSecret, apiKey }: ClientCredentials) {
      await ensure('/consumers', { username: `app-${app.id}`, custom_id: app.id, tags: ['portal'] });
      await ensure(`${consumer(app.id)}/oauth2`, credentialOf(app, clientSecret));
      await ensure(`${consumer(app.id)}/key-auth`, { key: apiKey });
      for (const group of app.roles) await ensure(`${consumer(app.id)}/acls`, { group });
    },
    /**
     * The secret is replaced inside the credential, so that access and refresh tokens, and with them customers' consents,
     * live on. A credential that is missing (removed by hand) is made again.
     */
    async replaceSecret(app, clientSecret) {
      // Kong takes a UUID in a path for its own key, never for a client id, and ours are UUIDs: the key must be looked up.
      const { json } = await call({ method: 'GET', path: `${consumer(app.id)}/oauth2`, expected: [200] });
      const known = (json as { data: { id: string; client_id: string }[] }).data.find(({ client_id: clientId }) => clientId === app.id);
      const path = `${consumer(app.id)}/oauth2${known ? `/${known.id}` : ''}`;
      if (known) await call({ method: 'PATCH', path, body: { client_secret: clientSecret, hash_secret: true }, expected: [200] });
      else await call({ method: 'POST', path, body: credentialOf(app, clientSecret), expected: [201] });
    },
    /** With the consumer go its credentials and their tokens. */
    async removeClient(appId) {
      await call({ method: 'DELETE', path: consumer(appId), expected: [204, 404] });
    },
  };
}

/** One call, repeated once when the connection broke; that is safe since every call may be repeated. */
async function send(base: string, details: Call): Promise<Answer> {
  const what = `${details.method} ${details.path.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '…')}`;
  for (let attempt = 1; ; attempt++) {
    try {
      const { statusCode, body } = await request(`${base}${details.path}`, {
        method: details.method, headersTimeout: TIMEOUT_MS, bodyTimeout: TIMEOUT_MS,
        ...(details.body ? { body: JSON.stringify(details.body), headers: { 'content-type': 'application/json' } } : {}),
      });
      const text = await body.text();
      if (details.expected.includes(statusCode)) return { status: statusCode, json: text === '' ? undefined : JSON.parse(text) };
      throw new GatewayAdminFault(`${what} at the gateway's Admin API answered ${statusCode}`);
    } catch (fault) {
      if (fault instanceof GatewayAdminFault) throw fault;
      if (attempt === 2) throw new GatewayAdminFault(`${what}: the gateway's Admin API is out of reach`, fault);
      await pause(200);
    }
  }
}

export interface GatewayHealth {
  up: boolean;
  latencyMs: number;
}

const HEALTH_AGE_MS = 5_000;
const HEALTH_TIMEOUT_MS = 800;

/** Answers whether the gateway lives (Admin API `/status`); asked at most every 5 s, however often the page is seen. */
export function gatewayHealth(adminUrl: string, now: () => number = Date.now): () => Promise<GatewayHealth> {
  let asked = { at: -Infinity, answer: Promise.resolve<GatewayHealth>({ up: false, latencyMs: 0 }) };
  return () => {
    if (now() - asked.at > HEALTH_AGE_MS) asked = { at: now(), answer: askHealth(`${adminUrl.replace(/\/$/, '')}/status`) };
    return asked.answer;
  };
}

async function askHealth(url: string): Promise<GatewayHealth> {
  const started = performance.now();
  try {
    const { statusCode, body } = await request(url, { headersTimeout: HEALTH_TIMEOUT_MS, bodyTimeout: HEALTH_TIMEOUT_MS, signal: AbortSignal.timeout(HEALTH_TIMEOUT_MS) });
    await body.dump();
    return { up: statusCode === 200, latencyMs: Math.max(1, Math.round(performance.now() - started)) };
  } catch {
    return { up: false, latencyMs: 0 };
  }
}
