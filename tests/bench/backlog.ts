/**
 * `npm run bench -- backlog`: how long the relay takes for 10,000 events that were written while the broker was away, until the
 * broker has confirmed and two consumers have heard every one, in order for each subject. More than 60 s is a failure.
 */
import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { newEvent, type AnyEvent } from '@kontor/kernel/events';
import { newId } from '@kontor/kernel/ids';
import { startRelay } from '@kontor/kernel/outbox';
import { testBroker } from '@kontor/testing/broker';
import { testDatabase } from '@kontor/testing/database';
import { proxyFor } from '@kontor/testing/proxy';
import { eventually } from '@kontor/testing/wait';
import { Progress } from '../../scripts/platform/progress.js';
import { scratchDirectory, startInfrastructure } from '../../scripts/testing/infrastructure.js';

const ROWS = 10_000;
const MOST_S = 60;

interface Drained { confirmedS: number; heardS: number; faults: string[] }

/** @param subjects over how many resources the events spread; the fewer, the longer the chains that must be published in turn */
async function drain(subjects: number): Promise<Drained> {
  const [stored, corner] = [await testDatabase(), await testBroker()];
  const { database } = stored;
  const proxy = await proxyFor(corner.url);
  const publisher = await corner.connect('publisher', proxy.address);
  const listener = await corner.connect('listener');
  const heard = ['one', 'two'].map(() => new Map<string, number[]>());
  for (const [at, name] of ['one', 'two'].entries())
    await listener.subscribe({ queue: corner.queue(name), types: ['account.closed'], handler: async ({ subject, correlationid }: AnyEvent) => {
      const of = heard[at]!;
      of.set(subject, [...of.get(subject) ?? [], Number(correlationid)]);
    } });
  const relay = startRelay(database, publisher, { name: 'backlog' });
  try {
    proxy.cut({ refuse: true });
    await eventually('the broker is away', () => !publisher.ready());
    const events = Array.from({ length: ROWS }, (_, n) => {
      const subject = `s-${n % subjects}`;
      return newEvent('account.closed', { subject, source: 'bench', context: { correlationId: String(n), traceparent: `00-${'1'.repeat(32)}-${'1'.repeat(16)}-01` }, data: { accountId: subject, customerId: newId(), clientId: 'app' } });
    });
    await database.query(`insert into outbox (id, type, routing_key, event) select (e->>'id')::uuid, e->>'type', e->>'type', e from jsonb_array_elements($1::jsonb) with ordinality as t (e, n) order by n`, [JSON.stringify(events)]);
    proxy.mend();
    const began = Date.now();
    const since = (): number => (Date.now() - began) / 1_000;
    const count = (of: Map<string, number[]>): number => [...of.values()].reduce((sum, { length }) => sum + length, 0);
    await eventually('all are confirmed', async () => (await database.query('select 1 from outbox where published_at is null limit 1')).length === 0, 300_000);
    const confirmedS = since();
    await eventually('all are heard', () => heard.every((of) => count(of) >= ROWS), 300_000);
    const heardS = since();
    const faults = heard.flatMap((of, at) => [...of].filter(([, order]) => order.some((n, i) => i > 0 && n <= order[i - 1]!)).map(([subject]) => `consumer ${at + 1} heard ${subject} out of order`));
    if (heardS > MOST_S) faults.push(`it took longer than ${MOST_S} s`);
    return { confirmedS, heardS, faults };
  } finally {
    await relay.stop();
    await corner.drop();
    await stored.drop();
    await proxy.close();
  }
}

const progress = new Progress({ started: Date.now() });
const scratch = scratchDirectory();
const stores = await startInfrastructure({ directory: join(scratch, 'infra'), packages: resolve(process.env.KONTOR_PACKAGES ?? '.kontor/packages'), tell: progress.say });
Object.assign(process.env, stores.env);
let failed = false;
try {
  for (const subjects of [2_500, 1]) {
    const { confirmedS, heardS, faults } = await drain(subjects);
    console.log(`${ROWS} events of ${subjects} subject${subjects === 1 ? '' : 's'}: confirmed after ${confirmedS.toFixed(1)} s (${Math.round(ROWS / confirmedS)}/s), heard by two consumers after ${heardS.toFixed(1)} s (${Math.round(ROWS / heardS)}/s)`);
    for (const fault of faults.slice(0, 5)) console.log(`  FAILED ${fault}`);
    failed ||= faults.length > 0;
  }
} finally {
  progress.end();
  await stores.stop();
  rmSync(scratch, { recursive: true, force: true });
}
process.exit(failed ? 1 : 0);
