/**
 * Reads that race the end of their consent, on every node of a gateway, while the broker comes and goes and Redis is killed and
 * started again: what is started after the end was answered must not succeed. A refusal with 503 ended nothing, and is tried again.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { newId } from '@kontor/kernel/ids';
import { Problem } from '@kontor/kernel/problem';
import { testServer } from '@kontor/testing/environment';
import { proxyFor, type Proxy } from '@kontor/testing/proxy';
import { eventually } from '@kontor/testing/wait';
import { Agent } from 'undici';
import { revoke } from '../../services/consent/src/consent.js';
import { KINDS } from '../faults/gateways.js';
import { startRedis, type OwnRedis, type Surroundings } from '../faults/surroundings.js';
import { send } from '../faults/trial.js';
import { Client, type App } from '../gateway/client.js';
import { certificate } from '../gateway/target.js';
import { startUpstream } from '../gateway/upstream.js';
import { startServices, type Services } from './services.js';
import { EVENT, tokensOf, type World } from './world.js';

const WAYS = ['by the customer', 'by staff', 'by withdrawal'] as const;
type Way = (typeof WAYS)[number];

/** What a race saw. */
export interface Raced {
  gateway: string;
  nodes: number;
  trials: number;
  /** Ends that were answered, by their way. */
  ended: Record<Way, number>;
  /** Attempts to end that were refused with 503 or not answered, and repeated. */
  repeated: number;
  /** Reads by when they were started and how they were answered. */
  before: Record<string, number>;
  during: Record<string, number>;
  after: Record<string, number>;
  /** Reads that were started after the end was answered and succeeded. Must be 0. */
  late: number;
  redisKills: number;
  brokerCuts: number;
  seconds: number;
}

interface Course { services: Services; client: Client; agent: Agent; nodes: { httpsUrl: string }[]; app: App; account: string; staff: App; tokenOf: World['tokenOf']; raced: Raced }

/** Readers of each node, and how many reads each makes once the end was answered. */
const READERS = 1;
const READS_AFTER = 2;
/** Between two reads of a reader, at most. */
const PAUSE_MS = 6;
const JOBS = 16;

/** @param which gateway: two nodes of Kong on one database, or the embedded one in a process of its own */
export async function raceOn(which: 'kong' | 'embedded', { trials, tell, signal }: { trials: number; tell(line: string): void; signal?: AbortSignal }): Promise<Raced> {
  const folder = mkdtempSync(join(tmpdir(), 'kontor-race-'));
  const undo: (() => Promise<void>)[] = [() => Promise.resolve(rmSync(folder, { recursive: true, force: true }))];
  try {
    const redis = await startRedis(folder);
    undo.push(() => redis.kill());
    const broker = await proxyFor(testServer('TEST_AMQP_URL'));
    undo.push(() => broker.close());
    const database = await proxyFor(testServer('TEST_DATABASE_URL'));
    undo.push(() => database.close());
    const services = await startServices({ redisUrl: redis.url, amqpUrl: broker.address });
    undo.push(() => services.stop(), async () => broker.mend());
    const upstream = await startUpstream();
    undo.push(() => upstream.stop());
    const kind = KINDS.find(({ kong, has }) => kong === (which === 'kong') && !has.includes('servers'))!;
    tell(`${kind.name} starts`);
    // The trials of the gateway's faults take the consent service away; here it is the real one.
    const around = { redis, database, upstream, consents: { url: services.consent.url } } as Surroundings;
    const gateway = await kind.start(around);
    undo.push(() => gateway.stop());
    const nodes = [gateway, ...(gateway.node ? [await gateway.node.another()].map(({ https }) => ({ httpsUrl: https })) : [])];
    services.connect(gateway);
    const client = new Client({ ...gateway, authority: certificate().cert } as unknown as Client['target'], redis.url);
    client.redis.on('error', () => undefined);
    undo.push(() => client.close());
    const agent = new Agent({ connect: { ca: certificate().cert }, headersTimeout: 20_000 });
    undo.push(() => agent.destroy());
    const course = await prepare({ services, client, agent, nodes, gateway: `${gateway.name}, ${nodes.length} node${nodes.length > 1 ? 's' : ''}` });
    tell(`${course.raced.gateway} and the services are up`);
    return await run(course, { trials, tell, redis, broker, signal });
  } finally {
    for (const step of undo.reverse()) await step();
  }
}

async function prepare(parts: Pick<Course, 'services' | 'client' | 'agent' | 'nodes'> & { gateway: string }): Promise<Course> {
  const { client, nodes } = parts;
  const app = await client.app(['aisp']);
  const staff = await client.app(['bank-staff']);
  const raced: Raced = {
    gateway: parts.gateway, nodes: nodes.length, trials: 0, ended: { 'by the customer': 0, 'by staff': 0, 'by withdrawal': 0 }, repeated: 0, before: {}, during: {}, after: {}, late: 0, redisKills: 0, brokerCuts: 0, seconds: 0,
  };
  return { ...parts, app, staff, account: newId(), tokenOf: tokensOf(client), raced };
}

async function run(course: Course, { trials, tell, redis, broker, signal }: { trials: number; tell(line: string): void; redis: OwnRedis; broker: Proxy; signal?: AbortSignal }): Promise<Raced> {
  const { raced } = course;
  const started = performance.now();
  let running = true;
  const chaos = Promise.all([
    (async () => {
      while (running) {
        await pause(1_500 + Math.random() * 1_500);
        if (!running) return;
        await redis.kill();
        raced.redisKills++;
        await pause(100 + Math.random() * 300);
        await redis.start();
      }
    })(),
    (async () => {
      while (running) {
        await pause(1_000 + Math.random() * 2_000);
        if (!running) return;
        broker.cut({ refuse: true });
        raced.brokerCuts++;
        await pause(500 + Math.random() * 2_000);
        broker.mend();
      }
    })(),
  ]);
  let next = 0;
  await Promise.all(Array.from({ length: JOBS }, async () => {
    // A short race goes on until both have been away.
    while ((next < trials || raced.redisKills === 0 || raced.brokerCuts === 0) && !signal?.aborted) {
      const number = next++;
      await oneRace(course, WAYS[number % WAYS.length]!);
      raced.trials++;
      if (raced.trials % Math.max(50, Math.round(trials / 10)) === 0) tell(`${raced.trials} of ${trials} ends, ${raced.repeated} attempts repeated, ${raced.late} late`);
    }
  })).finally(() => { running = false; });
  await chaos;
  raced.seconds = (performance.now() - started) / 1000;
  return raced;
}

/** While Redis is away no token is issued and nothing ends: the client comes again. */
async function patiently<T>(work: () => Promise<T>, again: () => void = () => undefined): Promise<T> {
  for (const deadline = Date.now() + 60_000; ;) {
    try {
      return await work();
    } catch (fault) {
      if (Date.now() > deadline) throw fault;
      again();
      await pause(30);
    }
  }
}

/** A consent in force, as creation and approval leave it; the ways to there are not what is raced. */
async function consentInForce({ services, app, account }: Course): Promise<string> {
  const id = newId();
  await services.consent.database.query(
    `INSERT INTO consents (id, client_id, type, status, permissions, accounts, customer_id, approvers, one_off, redirect_uri, expires_at, version, created_at, updated_at)
     VALUES ($1, $2, 'account-access', 'authorised', '{balances:read}', ARRAY[$3::uuid], $4, ARRAY[$4::uuid], false, 'https://fintech.test/callback', clock_timestamp() + interval '1 day', 2, clock_timestamp(), clock_timestamp())`,
    [id, app.clientId, account, newId()]);
  return id;
}

async function oneRace(course: Course, way: Way): Promise<void> {
  const { client, app, agent, nodes, account, raced } = course;
  const consentId = await consentInForce(course);
  const token = await patiently(() => client.consentToken(app, consentId, 'accounts'));
  let begun = Infinity;
  let answered = Infinity;
  const read = async (node: { httpsUrl: string }): Promise<number> => {
    const started = performance.now();
    const status = await send(agent, node, { method: 'GET', path: `/v1/accounts/${account}/balances`, token }, 'race').then((answer) => answer.status, () => 0);
    const when = started > answered ? raced.after : performance.now() < begun ? raced.before : raced.during;
    when[status === 0 ? 'none' : status] = (when[status === 0 ? 'none' : status] ?? 0) + 1;
    if (started > answered && status === 200) raced.late++;
    return started;
  };
  let passed = 0;
  let failed = false;
  const readers = nodes.flatMap((node) => Array.from({ length: READERS }, async () => {
    for (let after = 0; after < READS_AFTER && !failed;) {
      if (await read(node) > answered) after++;
      else passed++;
      await pause(Math.random() * PAUSE_MS);
    }
  }));
  try {
    await eventually('reads run', () => passed > 0, 30_000);
    await pause(Math.random() * 15);
    begun = performance.now();
    await patiently(() => end(course, consentId, way), () => { raced.repeated++; });
    answered = performance.now();
    raced.ended[way]++;
  } catch (fault) {
    failed = true;
    throw fault;
  } finally {
    await Promise.all(readers);
  }
}

/** @throws Error when it was refused because Redis is away, or not answered */
async function end({ services, client, app, staff, tokenOf }: Course, consentId: string, way: Way): Promise<void> {
  if (way === 'by the customer') {
    const actor = { kind: 'customer', id: newId() } as const;
    await services.consents.change(consentId, (consent, now) => revoke(consent, { actor, reason: 'by_customer' }, now), EVENT);
    return;
  }
  const answer = way === 'by staff'
    ? await client.ask('POST', `/v1/consent-administration/consents/${consentId}/revoke`, { headers: { authorization: `Bearer ${await tokenOf(staff, 'consent-administration')}` }, body: { reason: 'other' } })
    : await client.ask('DELETE', `/v1/consents/${consentId}`, { headers: { authorization: `Bearer ${await tokenOf(app, 'consents')}` } });
  if (answer.status >= 300) throw new Problem('unavailable', answer.text);
}

/** Prints a race. @returns whether it failed */
export function printRace({ gateway, trials, ended, repeated, before, during, after, late, redisKills, brokerCuts, seconds }: Raced): boolean {
  const counts = (of: Record<string, number>): string => Object.entries(of).map(([name, count]) => `${count} ${name}`).join(', ') || 'none';
  console.log(`\n${gateway}: ${trials} consents ended in ${seconds.toFixed(0)} s (${counts(ended)}), Redis killed and restarted ${redisKills} times, the broker cut off ${brokerCuts} times\n`);
  console.log(`  attempts to end refused or unanswered meanwhile, and repeated: ${repeated}`);
  console.log(`  reads answered before the end began, by status:   ${counts(before)}`);
  console.log(`  reads while it was under way, by status:          ${counts(during)}`);
  console.log(`  reads started after it was answered, by status:   ${counts(after)}`);
  console.log(`\n${late} reads started after the answer succeeded`);
  return late > 0 || trials === 0 || !(before['200']! > 0) || Object.values(after).reduce((sum, count) => sum + count, 0) === 0;
}
