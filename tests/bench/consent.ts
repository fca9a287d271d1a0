/**
 * `npm run bench -- consent`: how many round trips to Redis a consent decision takes (counted by Redis itself), and how many decisions
 * a second a gateway makes, against bare GETs of the same record. All in turn: only ratios within a run say anything on a machine
 * that others use too.
 */
import type { Redis } from 'ioredis';
import { findProgram } from '../../scripts/infra/packages.js';
import { houseChains, pathOf, type Chain } from './gateway-state.js';
import { onGround, ROOT, type Ground, type Node } from './ground.js';
import { chooseLoader, type Loader } from './http-load.js';
import { median } from './load.js';

const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 9);
const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 2);
/** As many as the load on the gateway has, one command under way on each. */
const CONNECTIONS = 32;

const GET = 'bare Redis GET of the record';
/** Not for requests: what connections say when they begin, and this bench's own questions. */
const NOT_ASKED = ['info', 'auth', 'hello', 'select', 'ping', 'client', 'client|setinfo', 'client|setname', 'config|resetstat', 'command', 'command|docs'];

interface Gateway { name: string; node: Node }

/** What one load did: requests a second, and the commands Redis took for each request, by their names. */
interface Measured { rate: number; perRequest: Record<string, number>; over: boolean }

/** Commands Redis has taken so far, by name. */
async function commandsOf(redis: Redis): Promise<Record<string, number>> {
  const lines = (await redis.info('commandstats')).matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm);
  return Object.fromEntries([...lines].map(([, name, calls]) => [name!, Number(calls)] as const).filter(([name]) => !NOT_ASKED.includes(name)));
}

/** The bundled plugins of the route, and the same with consent-check. */
function chainsOf(): { without: Chain; checked: Chain } {
  const { bundled, full } = houseChains(ROOT);
  const names = new Set(bundled.plugins.map(({ name }) => name));
  return { without: { ...bundled, name: 'without' }, checked: { name: 'checked', plugins: full.plugins.filter(({ name }) => names.has(name) || name === 'consent-check') } };
}

async function measured({ ground, load, node, chain }: { ground: Ground; load: Loader; node: Node; chain: Chain }): Promise<Measured> {
  const before = await commandsOf(ground.redis);
  const { rate, requests } = await load({ url: `${node.url}${pathOf(chain.name, ground.account)}`, token: node.token, seconds: SECONDS });
  const after = await commandsOf(ground.redis);
  const calls = Object.fromEntries(Object.entries(after).map(([name, count]) => [name, count - (before[name] ?? 0)] as const).filter(([, count]) => count > 0));
  // A load ends with a request under way on each connection, which Redis has answered and nobody counts.
  return { rate, perRequest: Object.fromEntries(Object.entries(calls).map(([name, count]) => [name, count / requests])), over: sum(calls) > requests + CONNECTIONS };
}

/** GETs on connections of their own, one under way on each. @returns GETs a second */
async function bareGets(redis: Redis, key: string): Promise<number> {
  const connections = Array.from({ length: CONNECTIONS }, () => redis.duplicate());
  const until = performance.now() + SECONDS * 1000;
  let done = 0;
  const started = performance.now();
  await Promise.all(connections.map(async (connection) => {
    while (performance.now() < until) {
      await connection.get(key);
      done++;
    }
  }));
  const seconds = (performance.now() - started) / 1000;
  for (const connection of connections) connection.disconnect();
  return done / seconds;
}

async function gatewaysOf(ground: Ground): Promise<Gateway[]> {
  const { without, checked } = chainsOf();
  const gateways: Gateway[] = [{ name: 'embedded gateway', node: await ground.progress.step('embedded', () => ground.embedded([without, checked]), () => 'the embedded gateway is up') }];
  if (await findProgram('kong')) gateways.push({ name: 'Kong', node: await ground.progress.step('kong', () => ground.kong([without, checked]), () => 'Kong is up') });
  else console.log('There is no `kong` on the PATH: only the embedded gateway is measured.');
  return gateways;
}

type Rounds = Record<string, { without: number[]; checked: number[]; perRequest: Record<string, number>[]; over: boolean }>;

async function rounds(ground: Ground, load: Loader, gateways: Gateway[]): Promise<{ gets: number[]; seen: Rounds }> {
  const { without, checked } = chainsOf();
  const [key] = await ground.redis.keys('consent:decision:*');
  if (!key) throw new Error('there is no decision record');
  const seen: Rounds = Object.fromEntries(gateways.map(({ name }) => [name, { without: [], checked: [], perRequest: [], over: false }]));
  const gets: number[] = [];
  for (const { node } of gateways) for (const chain of [without, checked]) await measured({ ground, load, node, chain }); // warm
  for (let round = 1; round <= ROUNDS; round++) {
    gets.push(await bareGets(ground.redis, key));
    for (const { name, node } of gateways) {
      seen[name]!.without.push((await measured({ ground, load, node, chain: without })).rate);
      const { rate, perRequest, over } = await measured({ ground, load, node, chain: checked });
      seen[name]!.checked.push(rate);
      seen[name]!.perRequest.push(perRequest);
      seen[name]!.over ||= over;
    }
    ground.progress.say(`round ${round} of ${ROUNDS}`);
  }
  return { gets, seen };
}

const span = (values: number[], digits = 0): string => `${median(values).toFixed(digits).padStart(8)}   (${Math.min(...values).toFixed(digits)} to ${Math.max(...values).toFixed(digits)})`;
const sum = (counts: Record<string, number>): number => Object.values(counts).reduce((total, one) => total + one, 0);

/** @returns whether a decision took more than one round trip */
function report({ gets, seen }: { gets: number[]; seen: Rounds }): boolean {
  console.log(`\n${ROUNDS} interleaved rounds of ${SECONDS} s; median (least to most)\n`);
  console.log(`  ${GET.padEnd(58)} ${span(gets)} /s`);
  for (const [name, { without, checked }] of Object.entries(seen)) {
    console.log(`  ${`${name}, oauth2 and acl`.padEnd(58)} ${span(without)} /s`);
    console.log(`  ${`${name}, and consent-check: decisions`.padEnd(58)} ${span(checked)} /s`);
  }
  console.log('\nratios, round by round\n');
  for (const [name, { without, checked }] of Object.entries(seen)) {
    console.log(`  ${`${name}: decisions / bare GETs`.padEnd(58)} ${span(checked.map((rate, round) => rate / gets[round]!), 3)}`);
    console.log(`  ${`${name}: with consent-check / without`.padEnd(58)} ${span(checked.map((rate, round) => rate / without[round]!), 3)}`);
  }
  console.log('\nround trips to Redis a request (INFO commandstats)\n');
  for (const [name, { perRequest }] of Object.entries(seen)) {
    console.log(`  ${name.padEnd(58)} ${span(perRequest.map(sum), 3)}   ${[...new Set(perRequest.flatMap(Object.keys))].join(', ')}`);
  }
  return Object.values(seen).some(({ over }) => over);
}

async function main(): Promise<void> {
  await onGround(async (ground) => {
    const { name, load } = await chooseLoader();
    ground.progress.say(`load by ${name}`);
    if (report(await rounds(ground, load, await gatewaysOf(ground)))) {
      console.error('\nA decision takes more than one round trip to Redis.');
      process.exitCode = 1;
    }
  });
}

await main().catch((error: Error) => {
  console.error(`The consent bench could not run: ${error.message}`);
  process.exitCode = 1;
});
