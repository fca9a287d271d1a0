/**
 * `npm run leak:pdk [-- <events>]`: drives a plugin server as Kong does and prints its heap, exact after a collection, every
 * tenth of the way. Half of the events decide, the others are what leaked in kong-pdk: phases that throw, phases Kong
 * forgets in the middle, phases without a PDK call.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileServer } from './build.js';
import { type KongClient, startServer, type ServerStatus } from './kong-client.js';
import type { Dossier } from './dossier.js';

const AT_ONCE = 32;

/** The server's figures after that many events, when every event has had its end. */
export interface LeakRow { events: number; live: number; heapBytes: number; rssBytes: number; seconds: number }

const GIVEN: Dossier = {
  request: 'r', decisions: {},
  facts: { method: 'GET', path: '/v1/payments', route: 'listPayments', pathParameters: {}, headers: { accept: '*/*', 'user-agent': 'x'.repeat(80) }, scopes: ['payments'], roles: ['pisp'], clientId: 'app-1', correlationId: 'c', now: 1_800_000_000 },
};

/** @param options `program`: the compiled probe (server/probe.ts). */
export async function measureLeak(options: { program: string; socket: string; events: number; steps: number; tell: (row: LeakRow) => void }): Promise<LeakRow[]> {
  const { process: child, client } = await startServer(options.program, options.socket, ['--expose-gc']);
  const rows: LeakRow[] = [];
  const started = Date.now();
  try {
    const instances = { allow: await client.start({ does: 'allow' }, 'probe'), throw: await client.start({ does: 'throw' }, 'probe') };
    for (let step = 1; step <= options.steps; step++) {
      const until = Math.round(options.events * step / options.steps);
      let next = Math.round(options.events * (step - 1) / options.steps);
      await Promise.all(Array.from({ length: AT_ONCE }, async () => {
        while (next < until) await oneEvent(client, instances, next++);
      }));
      const row = await settled(client, until, (Date.now() - started) / 1000);
      rows.push(row);
      options.tell(row);
    }
    return rows;
  } finally {
    client.close();
    child.kill('SIGKILL');
  }
}

async function oneEvent(client: KongClient, { allow, throw: thrower }: { allow: number; throw: number }, number: number): Promise<void> {
  const kind = number % 8;
  if (kind === 5) await client.access(thrower, GIVEN);
  // Kong gave the request up in the middle of the phase: the deadline ends it.
  else if (kind === 6) await client.call('HandleEvent', { InstanceId: allow, EventName: 'access' });
  // Refused by a plugin before this one.
  else if (kind === 7) await client.access(allow, { ...GIVEN, decisions: { earlier: { kind: 'refuse', status: 403, code: 'c', title: 't', detail: 'd', headers: {} } } });
  else await client.access(allow, GIVEN);
}

async function settled(client: KongClient, events: number, seconds: number): Promise<LeakRow> {
  for (;;) {
    const status = await client.call<ServerStatus>('GetStatus', null);
    if (status.Events === 0) return { events, live: status.Events, heapBytes: status.HeapBytes, rssBytes: status.RssBytes, seconds };
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function print({ events, live, heapBytes, rssBytes, seconds }: LeakRow): void {
  const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(2).padStart(9);
  process.stdout.write(`${String(events).padStart(10)} ${String(live).padStart(6)} ${megabytes(heapBytes)} ${megabytes(rssBytes)} ${seconds.toFixed(0).padStart(8)}\n`);
}

if (import.meta.url === new URL(process.argv[1] ?? '', 'file:').href) {
  const events = Number(process.argv[2] ?? 1_000_000);
  if (!Number.isSafeInteger(events) || events < 10) {
    process.stderr.write('The number of events must be a whole number of at least 10.\n');
    process.exit(2);
  }
  const folder = await mkdtemp(join(tmpdir(), 'kontor-leak-'));
  try {
    await compileServer(fileURLToPath(new URL('server/probe.ts', import.meta.url)), join(folder, 'probe.cjs'));
    process.stdout.write('    events   live   heap MB    rss MB  seconds\n');
    const rows = await measureLeak({ program: join(folder, 'probe.cjs'), socket: join(folder, 'probe.sock'), events, steps: 10, tell: print });
    const grown = (rows.at(-1)!.heapBytes - rows[0]!.heapBytes) / (events * 0.9);
    process.stdout.write(`${grown.toFixed(2)} bytes of heap an event after the first tenth\n`);
  } finally {
    await rm(folder, { recursive: true });
  }
}
