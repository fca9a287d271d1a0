/** Two nodes of Kong on one database and one Redis: what counts once, what holds on both, and what the death of one costs. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { eventually } from '@kontor/testing/wait';
import type { KongNode, PrivateKong } from '@kontor/testing/kong';
import { Agent } from 'undici';
import { certificate, houseState } from '../gateway/target.js';
import { counts } from './table.js';
import { send, type Petitioners } from './trial.js';

/** What was to be shown, what was seen, and whether it held. */
export interface Shown { title: string; saw: string; held: boolean }

const CONNECTIONS = 20;
const LIMIT = 50;

interface Pair { kong: PrivateKong; nodes: [KongNode, KongNode]; agent: Agent; asking: Petitioners; state: string[]; folder: string }

/**
 * Gives a node a second one and shows what holds of both; the second one does not survive.
 * @param trials of the revocation; ten times as many requests run while a node is killed, 10,000 at most
 */
export async function multiNode({ kong, asking, trials, tell }: { kong: PrivateKong; asking: Petitioners; trials: number; tell: (line: string) => void }): Promise<Shown[]> {
  const folder = mkdtempSync(join(tmpdir(), 'kontor-nodes-'));
  const agent = new Agent({ connections: CONNECTIONS, connect: { ca: certificate().cert } });
  try {
    const pair: Pair = { kong, nodes: [kong, await kong.another()], agent, asking, state: houseState(), folder };
    await asking.record();
    for (const node of pair.nodes) await eventually('both nodes serve', () => statusAt(pair, node).then((status) => status === 200, () => false), 20_000);
    const shown: Shown[] = [];
    for (const show of [() => revocation(pair, trials), () => sync(pair), () => limit(pair), () => death(pair, Math.min(10_000, trials * 10))]) {
      shown.push(await show());
      tell(`two nodes: ${shown.at(-1)!.title}: ${shown.at(-1)!.saw}`);
    }
    return shown;
  } finally {
    await agent.destroy();
    rmSync(folder, { recursive: true, force: true });
  }
}

const statusAt = async ({ agent, asking }: Pair, node: KongNode): Promise<number> => (await send(agent, { httpsUrl: node.https }, asking.consented, 'pair')).status;

/** Approves and revokes in turn; after each revocation the very next request on each node is looked at. */
async function revocation(pair: Pair, trials: number): Promise<Shown> {
  const late: Record<string, number> = {};
  let refused = 0;
  let served = 0;
  for (let i = 1; i <= trials; i++) {
    await pair.asking.change({ version: 10 + i * 2, status: 'authorised' });
    for (const status of await Promise.all(pair.nodes.map((node) => statusAt(pair, node)))) served += Number(status === 200);
    await pair.asking.change({ version: 11 + i * 2, status: 'denied', reason: 'revoked' });
    for (const status of await Promise.all(pair.nodes.map((node) => statusAt(pair, node)))) {
      if (status === 403) refused++;
      else late[status] = (late[status] ?? 0) + 1;
    }
  }
  await pair.asking.change({ version: 12 + trials * 2, status: 'authorised' });
  return {
    title: 'a revocation holds on both at the next request',
    saw: `${trials} revocations, ${refused} of ${trials * 2} next requests refused, late ${counts(late)}; ${served} of ${trials * 2} served before`,
    held: refused === trials * 2 && served === trials * 2,
  };
}

/** Adds a route by decK, and takes it away again. */
async function sync(pair: Pair): Promise<Shown> {
  const more = join(pair.folder, 'more.yaml');
  writeFileSync(more, [
    '_format_version: "3.0"', '_info: { select_tags: [kontor] }', 'services:', '  - name: of-the-trial', '    url: http://127.0.0.1:9', '    routes:',
    '      - { name: of-the-trial, protocols: [https], paths: [/of-the-trial], plugins: [{ name: request-termination, config: { status_code: 403 } }] }', '',
  ].join('\n'));
  const reaches = async (status: number): Promise<number> => {
    const started = performance.now();
    await Promise.all(pair.nodes.map((node, index) => eventually(`node ${index + 1} answers ${status}`,
      async () => (await send(pair.agent, { httpsUrl: node.https }, { method: 'GET', path: '/of-the-trial' }, 'pair')).status === status, 20_000)));
    return performance.now() - started;
  };
  await reaches(404);
  await pair.kong.sync([...pair.state, more]);
  const added = await reaches(403);
  await pair.kong.sync(pair.state);
  const taken = await reaches(404);
  return { title: 'a decK sync reaches both', saw: `added after ${added.toFixed(0)} ms, taken away after ${taken.toFixed(0)} ms`, held: true };
}

/** Gives every client LIMIT requests a day and asks more often, at both in turn. */
async function limit(pair: Pair): Promise<Shown> {
  const { asking, nodes, agent } = pair;
  const client = await asking.client.app();
  const plea = { method: 'GET' as const, path: '/v1/payments', token: await asking.client.clientToken(client, 'payments') };
  const limited = pair.state.map((file) => {
    const target = join(pair.folder, basename(file));
    writeFileSync(target, readFileSync(file, 'utf8').replace(/^\s+second: \d+\n/gm, '').replace(/^(\s+)minute: \d+$/gm, `$1day: ${LIMIT}`));
    return target;
  });
  await pair.kong.sync(limited);
  for (const node of nodes) {
    await eventually('both nodes know the limit', async () => {
      const { headers } = await send(agent, { httpsUrl: node.https }, asking.consented, 'pair');
      return headers['x-ratelimit-limit-day'] === String(LIMIT);
    }, 20_000);
  }
  const served = [0, 0];
  for (let i = 0; i < LIMIT * 3; i++) {
    const at = i % 2;
    const { status } = await send(agent, { httpsUrl: nodes[at]!.https }, plea, 'pair');
    if (status === 200) served[at]!++;
    else if (status !== 429) throw new Error(`a limited request was answered ${status}`);
    await pause(20);
  }
  await pair.kong.sync(pair.state);
  for (const node of nodes) {
    await eventually('both nodes have forgotten the limit', async () => (await send(agent, { httpsUrl: node.https }, plea, 'pair')).headers['x-ratelimit-limit-day'] === undefined, 20_000);
  }
  const all = served[0]! + served[1]!;
  return {
    title: 'a limit counts once',
    saw: `limit ${LIMIT}, ${LIMIT * 3} requests at both in turn: ${served[0]} + ${served[1]} served`,
    // Counters are shared a moment after the request; counted apart, both nodes would serve 2 × LIMIT.
    held: all >= LIMIT && all < LIMIT * 1.5,
  };
}

/** Spreads requests over both as a load balancer does, kills one in the middle, and counts what was lost. */
async function death(pair: Pair, requests: number): Promise<Shown> {
  const [, victim] = pair.nodes;
  const statuses: Record<string, number> = {};
  let alive = [...pair.nodes];
  let sent = 0;
  let inFlight = 0;
  let inFlightAtDeath = 0;
  let lost = 0;
  let killing: Promise<void> | undefined;
  await Promise.all(Array.from({ length: CONNECTIONS }, async () => {
    while (sent < requests) {
      const number = sent++;
      if (number === Math.floor(requests / 2)) {
        inFlightAtDeath = inFlight;
        killing = victim.kill();
      }
      for (let asked = false; !asked;) {
        const node = alive[number % alive.length]!;
        if (node === victim) inFlight++;
        try {
          const status = await statusAt(pair, node);
          statuses[status] = (statuses[status] ?? 0) + 1;
          asked = true;
        } catch (fault) {
          // A refused connection carried no request: a balancer takes the other node. Anything else is a request lost.
          asked = (fault as NodeJS.ErrnoException).code !== 'ECONNREFUSED';
          if (asked) lost++;
          alive = alive.filter((one) => one !== victim);
        } finally {
          if (node === victim) inFlight--;
        }
      }
    }
  }));
  await killing;
  return {
    title: 'a node killed under load loses only its in-flight requests',
    saw: `${requests} requests, ${counts(statuses)}, ${lost} lost (${inFlightAtDeath} in flight at the kill, ${CONNECTIONS} connections)`,
    // A connection carries one request at a time, so no more can be lost than there are connections to the one killed.
    held: (statuses['200'] ?? 0) + lost === requests && lost <= CONNECTIONS && alive.length === 1,
  };
}
