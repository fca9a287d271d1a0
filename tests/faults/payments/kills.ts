/** Carries out the steps of a schedule: SIGKILL, under load, and started again at once. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Part } from './parts.js';
import type { SmallPlatform } from './platform.js';
import type { Troublemaker } from './run.js';
import { scheduleOf, type Target } from './schedule.js';

/** How long a kill waits for the moment it is meant for. */
const MOMENT_MS = 400;

/** How long a kill waits for a payment that is answered after the kill before: without any, nothing would be at stake. */
const PROGRESS_MS = 4_000;

/**
 * Kills step by step. A part that is still starting is waited for, unless the step says otherwise; the others start meanwhile.
 * @param answered how many payments were answered so far
 */
export function killer(platform: SmallPlatform, seed: number, answered: () => number): Troublemaker {
  const steps = scheduleOf(seed);
  let before = 0;
  return {
    async next() {
      const { target, afterMs, whileStarting } = steps.next().value;
      await pause(afterMs);
      for (const giveUpAt = Date.now() + PROGRESS_MS; answered() === before && Date.now() < giveUpAt; await pause(20));
      before = answered();
      if (target === 'database backend') return `${target} (${await killBackend(platform)})`;
      const part = partFor(platform, target);
      if (!whileStarting) await part.ready();
      const moment = await momentFor(platform, target);
      await part.kill();
      return `${target}${moment}`;
    },
  };
}

function partFor({ parts }: SmallPlatform, target: Exclude<Target, 'database backend'>): Part {
  switch (target) {
    case 'payment service': case 'payment relay': case 'payment consumer': return parts.payment;
    case 'account service': case 'account relay': case 'account consumer': return parts.account;
    case 'rail adapter': return parts['payment-rail'];
    case 'rail simulator': return parts['payment-rail-simulator'];
    case 'broker': return parts.broker;
  }
}

/** A relay is killed while it has events in hand, a consumer while it has a transaction open, if such a moment comes. */
async function momentFor(platform: SmallPlatform, target: Target): Promise<string> {
  const [service, role] = target.split(' ') as ['payment' | 'account', string];
  if (role !== 'relay' && role !== 'consumer') return '';
  const question = role === 'relay'
    ? 'select exists (select 1 from outbox where published_at is null) as now'
    : `select exists (select 1 from pg_stat_activity where datname = current_database() and application_name = 'kontor' and xact_start is not null and state <> 'idle') as now`;
  for (const giveUpAt = Date.now() + MOMENT_MS; Date.now() < giveUpAt; await pause(2)) {
    const [row] = await platform.query<{ now: boolean }>(service, question);
    if (row?.now) return ' at work';
  }
  return ' at rest';
}

/** One of the server processes that serve our services, by its process id: PostgreSQL then ends all the others and recovers from its log. */
async function killBackend(platform: SmallPlatform): Promise<string> {
  for (const giveUpAt = Date.now() + 10_000; Date.now() < giveUpAt; await pause(20)) {
    const backends = await platform.query<{ pid: number; whose: string }>('postgres',
      `select pid, datname || ' ' || application_name as whose from pg_stat_activity
       where backend_type = 'client backend' and datname like 'kontor\\_%' and application_name like 'kontor%' order by (state <> 'idle') desc, random() limit 1`);
    const [backend] = backends;
    if (!backend) continue;
    try {
      process.kill(backend.pid, 'SIGKILL');
      return backend.whose;
    } catch {
      // It has just ended by itself.
    }
  }
  throw new Error('no service had a connection to the database for 10 s');
}
