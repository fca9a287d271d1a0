/**
 * What a payment needs, as processes of the built bundles on private stores: payment service, account service, rail adapter and the
 * simulated rail. No gateway: requests carry gateway tokens made here.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { connect } from 'amqplib';
import pg from 'pg';
import { testKeys } from '@kontor/testing/gateway-token';
import { freePort } from '../../../scripts/infra/ports.js';
import { postgresql } from '../../../scripts/infra/postgresql.js';
import { rabbitmq } from '../../../scripts/infra/rabbitmq.js';
import { elsewhere } from '../../../scripts/infra/unprivileged.js';
import { ownDatabases } from '../../../scripts/platform/databases.js';
import { missingBundles, programs, type PlatformContext } from '../../../scripts/platform/processes.js';
import { password, Secrets } from '../../../scripts/platform/secrets.js';
import { platformSettings, PORTS } from '../../../scripts/platform/settings.js';
import type { ProcessPlan } from '../../../scripts/platform/supervisor.js';
import { partOf, type Part } from './parts.js';

export const ROOT = resolve(new URL('../../..', import.meta.url).pathname);
export const SERVICES = ['payment', 'account', 'payment-rail', 'payment-rail-simulator'] as const;
export type ServiceName = (typeof SERVICES)[number];

/**
 * Little patience: what is done about a payment that stands too long is done here all the time. No limits of the bank and no fraud check:
 * what is refused at once is no load, and what is held for the staff would never end.
 */
const SETTINGS: Partial<Record<ServiceName, Record<string, string>>> = {
  payment: {
    PAYMENT_CUT_OFF: 'off', PAYMENT_DAILY_COUNT: '0', PAYMENT_DAILY_AMOUNT: '0', PAYMENT_DUPLICATE_MINUTES: '0', FRAUD_FREE_BELOW: '1000000',
    STUCK_RCVD_SECONDS: '2', STUCK_ACCP_SECONDS: '2', STUCK_ACSP_SECONDS: '2', STUCK_ACSC_SECONDS: '2', STUCK_ATTEMPTS: '20',
  },
};
export type DatabaseName = 'payment' | 'account';

export interface SmallPlatform {
  urls: Record<ServiceName, string>;
  amqpUrl: string;
  railSecret: string;
  /** The rail's memory. */
  journal: string;
  logs: string;
  parts: Record<ServiceName | 'broker' | 'database', Part>;
  /** Reads (or kills) in a database; asks again for as long as it recovers. */
  query<T extends object>(name: DatabaseName | 'postgres', sql: string, values?: unknown[]): Promise<T[]>;
  /** Messages in each queue there is, dead-letter queues included. */
  queues(): Promise<Record<string, number>>;
  /** Messages the rail has not delivered yet. */
  undelivered(): Promise<number>;
  /** @param keepLogs leaves the logs where they are */
  stop(keepLogs?: boolean): Promise<void>;
}

/** How the platform differs from the usual. */
export interface Variation {
  /** What a service gets as the URL of its database. */
  databaseUrl?: (name: DatabaseName, url: string) => Promise<string>;
  /** As in production: the usual patience, and a commit waits for the disk. */
  usual?: boolean;
}

/**
 * Starts it in `home`. PostgreSQL runs without fsync (unless `usual`): here its processes die, the operating system and its page cache do not, so what a commit
 * has written is still there when they come back. It does wait for its WAL to be written (synchronous_commit), and that is what is proven.
 */
export async function startSmallPlatform(home: string, { databaseUrl = (_name, url) => Promise.resolve(url), usual = false }: Variation = {}): Promise<SmallPlatform> {
  const logs = join(home, 'logs');
  const data = join(home, 'data');
  mkdirSync(logs, { recursive: true });
  mkdirSync(data, { recursive: true, mode: 0o755 });
  const started: Part[] = [];
  const pools = new Map<string, pg.Pool>();
  const stop = async (keepLogs = false): Promise<void> => {
    for (const pool of pools.values()) await pool.end().catch(() => undefined);
    for (const part of started.splice(0).reverse()) await part.stop();
    rmSync(elsewhere(data), { recursive: true, force: true });
    rmSync(keepLogs ? data : home, { recursive: true, force: true });
  };
  const begin = async (part: Part): Promise<Part> => {
    started.push(part);
    await part.start();
    return part;
  };
  try {
    const ports: Record<string, string> = {};
    for (const name of Object.keys(PORTS)) ports[`${name}_PORT`] = String(await freePort());
    // Stores, rail and reference data of the developer's own environment are not to be broken.
    const settings = platformSettings(ROOT, { ...process.env, ...ports, KONTOR_HOME: home, DATABASE_URL: '', AMQP_URL: '', REDIS_URL: '', RAIL_URL: '', REFERENCE_DIR: home, ISO20022_XSD_DIR: '', LOG_LEVEL: 'warn' });
    const secrets = new Secrets(home);
    const postgres = await postgresql({ directory: data, port: await freePort(), password: password(), durable: usual || 'kill' });
    const rabbit = await rabbitmq({ directory: data, packages: settings.packages, port: await freePort(), user: 'kontor', password: password() });
    const [database, broker] = await Promise.all([
      begin(partOf(postgres.plan, logs)),
      (async () => {
        const [epmd, server] = rabbit.plans;
        await begin(partOf(epmd!, logs));
        return begin(partOf(server!, logs));
      })(),
    ]);
    const databases = await ownDatabases(postgres.url, (['payment', 'account'] as const).map((name) => ({ name, password: password() })));
    const urls = Object.fromEntries(await Promise.all((['payment', 'account'] as const).map(async (name) => [name, await databaseUrl(name, databases[name]!)] as const)));
    const context: PlatformContext = {
      settings, secrets, stores: { databases: urls, amqpUrl: rabbit.url, redisUrl: 'redis://127.0.0.1:1' }, tls: { authority: '', certificate: '', key: '' },
    };
    const known = programs(context);
    const plans = [...known.services, ...known.adapters].filter(({ name }) => (SERVICES as readonly string[]).includes(name)).map((plan): ProcessPlan => ({
      ...plan, env: { ...plan.env, GATEWAY_TOKEN_PUBLIC_KEY: testKeys.publicKey, NODE_EXTRA_CA_CERTS: '', ...(usual ? {} : SETTINGS[plan.name as ServiceName]) },
    }));
    const missing = missingBundles(plans);
    if (missing.length > 0) throw new Error(`run \`npm run build\` first: there is no bundle of ${missing.join(', ')}`);
    const running = Object.fromEntries(await Promise.all(plans.map(async (plan) => [plan.name, await begin(partOf(plan, logs))] as const))) as Record<ServiceName, Part>;
    const poolOf = (name: string): pg.Pool => {
      const there = pools.get(name);
      if (there) return there;
      const pool = new pg.Pool({ connectionString: name === 'postgres' ? postgres.url : databases[name], max: 4, application_name: 'faults' });
      pool.on('error', () => undefined);
      pools.set(name, pool);
      return pool;
    };
    const simulator = plans.find(({ name }) => name === 'payment-rail-simulator')!;
    return {
      urls: Object.fromEntries(plans.map(({ name, port }) => [name, `http://127.0.0.1:${port}`])) as Record<ServiceName, string>,
      amqpUrl: rabbit.url, railSecret: simulator.env['RAIL_SHARED_SECRET']!, journal: simulator.env['STATE_FILE']!, logs,
      parts: { ...running, broker, database },
      async query<T extends object>(name: string, sql: string, values: unknown[] = []): Promise<T[]> {
        for (let tries = 1; ; tries++) {
          try {
            return (await poolOf(name).query<T>(sql, values)).rows;
          } catch (fault) {
            // A statement that is wrong has an SQLSTATE other than "connection" (08), "intervention" (57) or "out of resources" (53).
            const code = (fault as { code?: string }).code;
            if (tries > 300 || (/^[0-9A-Z]{5}$/.test(code ?? '') && !/^(08|57|53)/.test(code ?? ''))) throw fault;
            await pause(100);
          }
        }
      },
      async queues() {
        const model = await connect(rabbit.url);
        model.on('error', () => undefined);
        try {
          const counts: Record<string, number> = {};
          for (const name of ['payment', 'account', 'payment-rail', 'witness'].flatMap((queue) => [queue, `${queue}.outside`]).flatMap((queue) => [queue, `${queue}.dead`])) {
            const channel = await model.createChannel();
            channel.on('error', () => undefined); // a queue that is not there closes the channel
            await channel.checkQueue(name).then(({ messageCount }) => { counts[name] = messageCount; }, () => undefined);
            await channel.close().catch(() => undefined);
          }
          return counts;
        } finally {
          await model.close().catch(() => undefined);
        }
      },
      async undelivered() {
        const answer = await fetch(`http://127.0.0.1:${simulator.port}/metrics`, { signal: AbortSignal.timeout(2_000) });
        return Number(/^rail_simulator_pending_deliveries (\d+)/m.exec(await answer.text())?.[1] ?? NaN);
      },
      stop,
    };
  } catch (fault) {
    await stop(true);
    throw fault;
  }
}
