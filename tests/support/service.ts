import type { Setting } from '@kontor/kernel/config';
import type { Database } from '@kontor/kernel/database';
import type { AnyEvent, Event } from '@kontor/kernel/events';
import type { ConsentClaim } from '@kontor/kernel/gateway-token';
import { startService, type RunningService, type ServiceOptions } from '@kontor/kernel/service';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { testDatabase } from './database.js';
import { gatewayToken, testKeys } from './gateway-token.js';

/** Who calls in a test. Without scopes and roles: all of them. */
export interface TestCaller {
  clientId?: string;
  scopes?: readonly string[];
  roles?: readonly string[];
  consent?: ConsentClaim;
}

/** An answer as a test reads it. */
export interface TestAnswer {
  status: number;
  /** Names in lower case. */
  headers: Record<string, string>;
  /** Parsed when it is JSON, text otherwise, undefined when empty. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- tests read answers of every shape; the contract's validator has checked them
  body: any;
}

/** What a request carries besides method and path. */
export interface TestRequest {
  /** The operation the gateway token is made for; without it no token is sent. */
  op?: string;
  body?: unknown;
  headers?: Record<string, string>;
  caller?: TestCaller;
}

/** A service on a database of its own, without a broker and without a relay: what it tells stays in the outbox. */
export interface TestService {
  url: string;
  /** @throws Error when the service has no database. */
  readonly database: Database;
  running: RunningService;
  request(method: string, path: string, options?: TestRequest): Promise<TestAnswer>;
  /** What it has told so far, oldest first. */
  events(): Promise<AnyEvent[]>;
  /** Runs the subscription as the broker would. */
  deliver(event: Event): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts a service for a test file.
 * @param options of the service's main.ts
 * @param env further settings (secrets, addresses of simulators)
 */
export async function testService<S extends Record<string, Setting<unknown>>>(options: ServiceOptions<S>, env: Record<string, string> = {}): Promise<TestService> {
  const stored = existsSync(fileURLToPath(new URL('migrations/', options.root))) ? await testDatabase(options.root) : undefined;
  const told: Event[] = [];
  const settings = {
    PORT: '0', LOG_LEVEL: 'error', GATEWAY_TOKEN_PUBLIC_KEY: testKeys.publicKey, SANDBOX: 'true',
    ...(stored ? { DATABASE_URL: stored.url } : {}), ...env,
  };
  let running: RunningService;
  try {
    running = await startService(options, settings, { broker: false, relay: false, told: (event) => told.push(event) });
  } catch (fault) {
    await stored?.drop();
    throw fault;
  }
  return {
    url: running.url,
    running,
    get database() {
      if (!running.database) throw new Error('the service has no database');
      return running.database;
    },
    request: (method, path, request) => send(running, method, path, request),
    async events() {
      if (!running.database) return told as AnyEvent[];
      const rows = await running.database.query<{ event: AnyEvent }>('select event from outbox order by position');
      return rows.map(({ event }) => event);
    },
    deliver: (event) => running.deliver(event),
    async stop() {
      await running.stop();
      await stored?.drop();
    },
  };
}

async function send(running: RunningService, method: string, path: string, request: TestRequest = {}): Promise<TestAnswer> {
  const { op, caller = {}, body } = request;
  const token = op === undefined ? undefined : gatewayToken({
    aud: running.name, op,
    ...(caller.clientId === undefined ? {} : { sub: caller.clientId }),
    ...(caller.scopes === undefined ? {} : { scopes: caller.scopes }),
    ...(caller.roles === undefined ? {} : { roles: caller.roles }),
    ...(caller.consent === undefined ? {} : { consent: caller.consent }),
  });
  const answer = await fetch(new URL(path, running.url), {
    method,
    redirect: 'manual',
    headers: {
      ...(token === undefined ? {} : { 'x-gateway-token': token }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...request.headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const content = await answer.text();
  const isJson = /json/.test(answer.headers.get('content-type') ?? '');
  return { status: answer.status, headers: Object.fromEntries(answer.headers), body: content === '' ? undefined : isJson ? JSON.parse(content) : content };
}
