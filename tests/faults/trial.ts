/** One fault on one gateway: requests without a valid consent run against it, and what became of them is counted. */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { DecisionRecord } from '@kontor/kernel/consent-decision';
import { eventually } from '@kontor/testing/wait';
import { Redis } from 'ioredis';
import { Agent, request } from 'undici';
import { decisionsIn } from '../../services/consent/src/decisions.js';
import { Client, type Answer, type App } from '../gateway/client.js';
import { certificate } from '../gateway/target.js';
import type { Expected, Fault } from './faults.js';
import type { Breakable } from './gateways.js';
import type { Surroundings } from './surroundings.js';

/** Without a valid consent, with one, and for a new token. */
export type Asker = 'unconsented' | 'consented' | 'token';

/** What a trial saw. */
export interface Seen {
  gateway: string;
  fault: string;
  requests: number;
  /** Requests without a valid consent that came to a service. Must be 0. */
  reached: number;
  /** Their answers by status; `none` where the connection broke or no answer came in time. */
  statuses: Record<string, number>;
  /** Refusals that were no problem (RFC 9457), as texts. Must be empty. */
  unclear: string[];
  /** Milliseconds until the answer. */
  median: number;
  /** The slowest refusal, by who asked; undefined where nobody was refused. */
  slowest: Partial<Record<Asker, number>>;
  /** Requests on a valid consent meanwhile, by status. */
  consented: Record<string, number>;
  /** Attempts at a new token meanwhile, by status. */
  token: Record<string, number>;
  /** What broke the rules of this fault. Must be empty. */
  faults: string[];
}

/** Nothing the gateway does may take as long: its own time-outs are all below. */
const NO_ANSWER_MS = 20_000;
const CONNECTIONS = 100;
/** At a tenth of a second each; a killed process is back long before. */
const MOST_REPETITIONS = 200;

/** Where a gateway is. */
export type Address = Pick<Breakable, 'proxyUrl' | 'httpsUrl' | 'adminUrl'>;

/** A request of a client. */
export interface Plea { method: 'GET' | 'POST'; path: string; token?: string }

/** Who asks: an application with a good consent, and every way to ask without one. */
export interface Petitioners {
  client: Client;
  app: App;
  /** On a valid consent. */
  consented: Plea;
  /** Without one, in turn. */
  unconsented: Plea[];
  /** Writes the decision records to Redis again, as the consent service does. */
  record(): Promise<void>;
  /** Writes the record of the valid consent in another version. */
  change(to: Pick<DecisionRecord, 'version' | 'status' | 'reason'>): Promise<void>;
  close(): Promise<void>;
}

const balances = (account: string, token?: string): Plea => ({ method: 'GET', path: `/v1/accounts/${account}/balances`, token });

/** Registers applications and makes their consents, so that each kind of refusal is asked for. */
export async function petitioners(gateway: Address, { redis, consents }: Surroundings): Promise<Petitioners> {
  const target = { proxyUrl: gateway.proxyUrl, httpsUrl: gateway.httpsUrl, adminUrl: gateway.adminUrl, authority: certificate().cert };
  const client = new Client(target as Client['target'], redis.url);
  const redisClient = new Redis(redis.url, { retryStrategy: () => 100, maxRetriesPerRequest: 100 });
  redisClient.on('error', () => undefined);
  client.redis.on('error', () => undefined);
  const decisions = decisionsIn(redisClient);
  const [app, other] = [await client.app(), await client.app()];
  const account = randomUUID();
  const records = new Map<string, DecisionRecord>();
  const consent = (change: Partial<DecisionRecord>): string => {
    const id = randomUUID();
    records.set(id, {
      version: 1, status: 'authorised', clientId: app.clientId, customerId: randomUUID(), permissions: ['accounts:read', 'balances:read'], accounts: [account],
      expiresAt: Math.floor(Date.now() / 1000) + 7200, ...change,
    });
    return id;
  };
  const good = consent({});
  const revoked = consent({ version: 2, status: 'denied', reason: 'revoked' });
  const foreign = consent({ clientId: other.clientId });
  const over = consent({ expiresAt: Math.floor(Date.now() / 1000) - 10 });
  for (const [id, record] of records) consents.records.set(id, record);
  const token = (id: string): Promise<string> => client.consentToken(app, id, 'accounts payments');
  const valid = await token(good);
  return {
    client, app,
    consented: balances(account, valid),
    unconsented: [
      balances(account), balances(account, 'nonsense'), balances(account, await client.clientToken(app, 'accounts')), balances(account, await token(revoked)),
      balances(account, await token(foreign)), balances(account, await token(over)), balances(account, await token(randomUUID())), balances(randomUUID(), valid),
      { method: 'GET', path: `/v1/accounts/${account}/transactions`, token: valid }, { method: 'POST', path: '/v1/payments', token: valid },
    ],
    record: async () => void await Promise.all([...records].map(([id, record]) => decisions.write(id, record))),
    change: (to) => decisions.write(good, { ...records.get(good)!, ...to }),
    async close() {
      await client.close();
      redisClient.disconnect();
    },
  };
}

/** Requests on a valid consent that a trial has at least. */
const FEWEST = 4;

/** Breaks the gateway, asks, mends it, and waits until it serves again. */
export async function trial(gateway: Breakable, around: Surroundings, asking: Petitioners, fault: Fault, requests: number): Promise<Seen> {
  const agent = new Agent({ connections: CONNECTIONS, connect: { ca: certificate().cert }, headersTimeout: NO_ANSWER_MS, bodyTimeout: NO_ANSWER_MS });
  const ask = (plea: Plea, mark: string): Promise<Answer> => send(agent, gateway, plea, mark);
  const serves = (): Promise<boolean> => ask(asking.consented, 'before').then((answer) => answer.status === 200, () => false);
  const seen: Seen = { gateway: gateway.name, fault: fault.name, requests, reached: 0, statuses: {}, unclear: [], median: 0, slowest: {}, consented: {}, token: {}, faults: [] };
  const times: number[] = [];
  /** Asks and takes down what came of it. @returns the answer; undefined where there was none */
  const asked = async (asker: Asker, question: () => Promise<Answer>): Promise<Answer | undefined> => {
    const started = performance.now();
    const answer = await question().catch(() => undefined);
    const took = performance.now() - started;
    if (asker === 'unconsented') times.push(took);
    const into = asker === 'unconsented' ? seen.statuses : seen[asker];
    const status = answer ? String(answer.status) : 'none';
    into[status] = (into[status] ?? 0) + 1;
    if (!answer || answer.status < 400) return answer;
    seen.slowest[asker] = Math.max(seen.slowest[asker] ?? 0, took);
    if (!isProblem(answer)) seen.unclear.push(`${answer.status} ${answer.headers['content-type']} ${answer.text.slice(0, 120)}`);
    return answer;
  };
  try {
    await asking.record();
    await eventually(`${gateway.name} serves before "${fault.name}"`, serves, 30_000);
    await Promise.all(Array.from({ length: 20 }, serves)); // every worker has seen the token
    around.upstream.reset();
    await fault.inflict(gateway, around);
    let running = true;
    let repetitions = 0;
    const beside = Promise.all([
      repeat(() => running, 200, () => asked('consented', () => ask(asking.consented, 'consented'))),
      repeat(() => running, 400, () => asked('token', () => newToken(agent, gateway, asking.app))),
      repeat(() => running && fault.again !== undefined && repetitions++ < 2, 2000, async () => fault.again?.(gateway)),
    ]);
    let next = 0;
    await Promise.all(Array.from({ length: CONNECTIONS }, async () => {
      while (next < requests) {
        const plea = asking.unconsented[next++ % asking.unconsented.length]!;
        let answer = await asked('unconsented', () => ask(plea, 'unconsented'));
        // Where connections break, a client asks again until it is answered.
        for (let again = 0; fault.breaksConnections && !answer && again < MOST_REPETITIONS; again++) {
          await pause(100);
          answer = await asked('unconsented', () => ask(plea, 'unconsented'));
        }
      }
    }));
    // A fast gateway is through before the others have asked twice; one look-up that ran into its time-out would then be all there is.
    await eventually('enough was asked on a consent', async () => Object.values(seen.consented).reduce((sum, count) => sum + count, 0) >= FEWEST, 30_000);
    running = false;
    await beside;
    seen.reached = around.upstream.arrived.filter((one) => one.headers['x-trial'] === 'unconsented').length;
  } finally {
    await fault.mend(gateway, around);
    await asking.record();
    await eventually(`${gateway.name} serves again after "${fault.name}"`, serves, 30_000).catch((again: Error) => seen.faults.push(again.message));
    await agent.destroy();
  }
  times.sort((a, b) => a - b);
  seen.median = times[times.length >> 1]!;
  judge(seen, fault);
  return seen;
}

/** Holds what was seen against what must hold. */
function judge(seen: Seen, fault: Fault): void {
  const say = (text: string): void => void seen.faults.push(text);
  if (seen.reached > 0) say(`${seen.reached} requests without consent came to a service`);
  if (seen.unclear.length > 0) say(`${seen.unclear.length} refusals are no problem, such as ${seen.unclear[0]}`);
  for (const status of Object.keys(seen.statuses)) {
    if (status === 'none' ? !fault.breaksConnections : !['401', '403', '503'].includes(status)) say(`${seen.statuses[status]} requests without consent were answered ${status}`);
  }
  const hold = (what: string, expected: Expected, statuses: Record<string, number>): void => {
    const all = Object.values(statuses).reduce((sum, count) => sum + count, 0);
    const served = statuses['200'] ?? 0;
    if (all === 0) say(`${what}: none was tried`);
    // On a machine that is out of breath a look-up may run into its time-out, and is refused: that is the safe side.
    if (expected === 'served' && served * 2 < all) say(`${what}: only ${served} of ${all} were served`);
    if (expected === 'refused' && served > 0) say(`${what}: ${served} were served`);
    for (const status of Object.keys(statuses)) {
      if (status !== '200' && status !== '503' && !(status === 'none' && fault.breaksConnections)) say(`${what}: ${statuses[status]} answered ${status}`);
    }
  };
  if (!Object.keys(seen.statuses).some((status) => status !== 'none')) say('no request was answered');
  hold('on a valid consent', fault.consented, seen.consented);
  hold('a new token', fault.token, seen.token);
}

async function repeat(goesOn: () => boolean, everyMs: number, work: () => Promise<unknown>): Promise<void> {
  while (goesOn()) {
    await work();
    await pause(everyMs);
  }
}

/** @param mark arrives at the service as `X-Trial` */
export async function send(agent: Agent, gateway: Pick<Address, 'httpsUrl'>, { method, path, token }: Plea, mark: string): Promise<Answer> {
  const answer = await request(gateway.httpsUrl + path, {
    method, dispatcher: agent, headers: { 'x-trial': mark, ...(token ? { authorization: `Bearer ${token}` } : {}), ...(method === 'POST' ? { 'content-type': 'application/json' } : {}) },
    ...(method === 'POST' ? { body: '{}' } : {}),
  });
  return answerOf(answer);
}

async function newToken(agent: Agent, gateway: Breakable, app: App): Promise<Answer> {
  return answerOf(await request(`${gateway.httpsUrl}/oauth2/token`, {
    method: 'POST', dispatcher: agent, headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ grant_type: 'client_credentials', client_id: app.clientId, client_secret: app.clientSecret, scope: 'accounts' }).toString(),
  }));
}

async function answerOf({ statusCode, headers, body }: Awaited<ReturnType<typeof request>>): Promise<Answer> {
  const text = await body.text();
  return { status: statusCode, headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)])), text, body: undefined };
}

function isProblem({ status, headers, text }: Answer): boolean {
  if (!headers['content-type']?.startsWith('application/problem+json')) return false;
  try {
    const body = JSON.parse(text) as Record<string, unknown>;
    return body.status === status && typeof body.code === 'string' && typeof body.correlationId === 'string' && body.correlationId !== '';
  } catch {
    return false;
  }
}
