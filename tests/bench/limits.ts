/**
 * `npm run bench -- limits`: what each way of counting rate limits costs on a real Kong, and how many requests more than the limit
 * pass in a burst, on one node and on two. `deck/policies.yaml` has what was chosen; docs/rate-limits.md says why.
 */
import { Agent, request } from 'undici';
import { findProgram } from '../../scripts/infra/packages.js';
import { houseChains, pathOf, type Chain, type PluginState } from './gateway-state.js';
import { onGround, ROOT, type Ground, type Node } from './ground.js';
import { chooseLoader } from './http-load.js';
import { median } from './load.js';

const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 9);
const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 1);
const BURSTS = Number(process.env['BENCH_BURSTS'] ?? 5);
/** Requests of a burst, sent by so many connections as fast as they go. */
const BURST = 1_000;
const BURST_CONNECTIONS = 32;
const PER_MINUTE = 300;

const REDIS = { host: '${{ env "DECK_REDIS_HOST" }}', port: '${{ env "DECK_REDIS_PORT" }}', password: '${{ env "DECK_REDIS_PASSWORD" }}' };

/** The ways to count, by name. */
const WAYS: Record<string, Record<string, unknown>> = {
  'local': { policy: 'local' },
  'redis, every request': { policy: 'redis', sync_rate: -1 },
  'redis, every 0.1 s': { policy: 'redis', sync_rate: 0.1 },
  'redis, every 0.25 s': { policy: 'redis', sync_rate: 0.25 },
  'redis, every 1 s': { policy: 'redis', sync_rate: 1 },
};

function limiter(config: Record<string, unknown>): PluginState {
  // Longer than the sync rate, and one late answer would end the sharing (docs/rate-limits.md).
  const timeout = Number(config.sync_rate) > 0 ? Number(config.sync_rate) * 800 : 2000;
  const redis = config.policy === 'redis' ? { redis: { ...REDIS, timeout } } : {};
  return { name: 'rate-limiting', config: { limit_by: 'consumer', fault_tolerant: false, hide_client_headers: false, ...config, ...redis } };
}

const slug = (name: string): string => name.replaceAll(/[^a-z0-9]+/g, '-');

/** Chains that do not reach their limit (for the cost), and chains that do (for the over-run). */
function chains(full: Chain): { without: Chain; costs: Record<string, Chain>; bursts: Record<string, Chain> } {
  const costs: Record<string, Chain> = {};
  const bursts: Record<string, Chain> = {};
  for (const [name, config] of Object.entries(WAYS)) {
    for (const [periods, limits] of [['minute', { minute: 60_000_000 }], ['second and minute', { second: 1_000_000, minute: 60_000_000 }]] as const)
      costs[`${name}, ${periods}`] = { name: slug(`cost ${name} ${periods}`), plugins: [...full.plugins, limiter({ ...config, ...limits })] };
    bursts[name] = { name: slug(`burst ${name}`), plugins: [...full.plugins, limiter({ ...config, minute: PER_MINUTE })] };
  }
  return { without: full, costs, bursts };
}

/** Sends a burst in turn to the nodes. @returns how many passed */
async function burst(urls: string[], token: string, agent: Agent): Promise<number> {
  let sent = 0;
  let passed = 0;
  await Promise.all(Array.from({ length: BURST_CONNECTIONS }, async () => {
    while (sent < BURST) {
      const { statusCode, body } = await request(urls[sent++ % urls.length]!, { headers: { authorization: `Bearer ${token}` }, dispatcher: agent });
      await body.dump();
      if (statusCode === 200) passed += 1;
      else if (statusCode !== 429) throw new Error(`a burst was answered with ${statusCode}`);
    }
  }));
  return passed;
}

/** Counters of earlier bursts away: in Redis, and in the nodes by waiting until they have written theirs. */
async function forget(ground: Ground): Promise<void> {
  const left = 60_000 - (Date.now() % 60_000);
  // A burst must lie in one minute; a new minute is a new counter.
  await new Promise((done) => setTimeout(done, left + 50));
  const keys = await ground.redis.keys('ratelimit:*');
  if (keys.length > 0) await ground.redis.del(keys);
}

async function measureCosts(ground: Ground, node: Node, { without, costs }: ReturnType<typeof chains>): Promise<void> {
  const { load } = await chooseLoader();
  const run = async (chain: Chain): Promise<number> => (await load({ url: `${node.url}${pathOf(chain.name, ground.account)}`, token: node.token, seconds: SECONDS })).rate;
  const ratios: Record<string, number[]> = Object.fromEntries(Object.keys(costs).map((name) => [name, []]));
  await run(without); // warm
  for (let round = 1; round <= ROUNDS; round++) {
    for (const [name, chain] of Object.entries(costs)) {
      const [plain, limited] = [await run(without), await run(chain)];
      ratios[name]!.push(limited / plain);
    }
    ground.progress.say(`costs: round ${round} of ${ROUNDS}`);
  }
  console.log(`\nrate with the limiter / without, full chain, ${ROUNDS} interleaved pairs of ${SECONDS} s; median (least to most)\n`);
  for (const [name, values] of Object.entries(ratios)) console.log(`  ${name.padEnd(40)} ${median(values).toFixed(3)}   (${Math.min(...values).toFixed(3)} to ${Math.max(...values).toFixed(3)})`);
}

async function measureBursts(ground: Ground, nodes: Node[], { bursts }: ReturnType<typeof chains>): Promise<void> {
  const agent = new Agent({ connections: BURST_CONNECTIONS });
  const passed: Record<string, { one: number[]; two: number[] }> = Object.fromEntries(Object.keys(bursts).map((name) => [name, { one: [], two: [] }]));
  for (let turn = 1; turn <= BURSTS; turn++) {
    for (const [kind, used] of [['one', nodes.slice(0, 1)], ['two', nodes]] as const) {
      await forget(ground);
      for (const [name, chain] of Object.entries(bursts))
        passed[name]![kind].push(await burst(used.map(({ url }) => `${url}${pathOf(chain.name, ground.account)}`), nodes[0]!.token, agent));
    }
    ground.progress.say(`bursts: turn ${turn} of ${BURSTS}`);
  }
  await agent.close();
  console.log(`\npassed of a burst of ${BURST} over ${BURST_CONNECTIONS} connections at a limit of ${PER_MINUTE} a minute; ${BURSTS} bursts\n`);
  for (const [name, { one, two }] of Object.entries(passed)) console.log(`  ${name.padEnd(24)} one node: ${one.join(' ')}   two nodes: ${two.join(' ')}`);
  const endless = await withoutEnd(ground);
  console.log(`\ncounters in Redis that live longer than a day: ${endless}`);
}

/** Counters Kong has written back after their window had expired get a time of expiry far away. */
async function withoutEnd({ redis }: Ground): Promise<number> {
  const lives = await Promise.all((await redis.keys('ratelimit:*')).map((key) => redis.ttl(key)));
  return lives.filter((seconds) => seconds < 0 || seconds > 86_400).length;
}

/** Measures and prints. */
export async function benchLimits(): Promise<void> {
  if (!await findProgram('kong')) {
    console.log('There is no `kong` on the PATH: there is nothing to measure.');
    return;
  }
  await onGround(async (ground) => {
    const plan = chains(houseChains(ROOT).full);
    const all = [plan.without, ...Object.values(plan.costs), ...Object.values(plan.bursts)];
    const first = await ground.progress.step('kong', () => ground.kong(all), () => 'a Kong node is up');
    const second = await ground.progress.step('kong', () => ground.kong(all), () => 'a second Kong node is up');
    await measureBursts(ground, [first, second], plan);
    await measureCosts(ground, first, plan);
  });
}

await benchLimits().catch((error: Error) => {
  console.error(`The bench of rate limits could not run: ${error.message}`);
  process.exitCode = 1;
});
