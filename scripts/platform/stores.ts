import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../infra/ports.js';
import { postgresql } from '../infra/postgresql.js';
import { rabbitmq } from '../infra/rabbitmq.js';
import { redis } from '../infra/redis.js';
import { ownDatabases } from './databases.js';
import { DATABASES, type Stores } from './processes.js';
import type { Progress } from './progress.js';
import { password, type Secrets } from './secrets.js';
import type { PlatformSettings } from './settings.js';
import type { Supervisor } from './supervisor.js';

type Ports = Partial<Record<'postgresql' | 'rabbitmq' | 'redis', number>>;

/**
 * Starts the stores no URL was given for, and makes the databases with their roles.
 * @param further names of databases beyond the platform's own
 */
export async function startStores(options: { settings: PlatformSettings; secrets: Secrets; supervisor: Supervisor; progress: Progress; further?: string[] }): Promise<Stores> {
  const { settings, secrets, supervisor, progress } = options;
  const directory = join(settings.home, 'data');
  const tell = progress.say;
  await mkdir(directory, { recursive: true });
  const portsFile = join(directory, 'ports.json');
  const before = JSON.parse(await readFile(portsFile, 'utf8').catch(() => '{}')) as Ports;
  const ports: Ports = {};

  const startPostgres = async (): Promise<string> => {
    if (settings.DATABASE_URL) return settings.DATABASE_URL;
    ports.postgresql = await freePort(before.postgresql);
    const own = await postgresql({ directory, port: ports.postgresql, password: secrets.get('postgresPassword'), tell });
    await supervisor.start(own.plan);
    tell(`PostgreSQL is up on port ${ports.postgresql}`);
    return own.url;
  };
  const startRedis = async (): Promise<string> => {
    if (settings.REDIS_URL) return settings.REDIS_URL;
    ports.redis = await freePort(before.redis);
    const own = await redis({ directory, packages: settings.packages, port: ports.redis, password: secrets.get('redisPassword'), tell });
    await supervisor.start(own.plan);
    tell(`Redis is up on port ${ports.redis}`);
    return own.url;
  };
  const startRabbit = async (): Promise<string> => {
    if (settings.AMQP_URL) return settings.AMQP_URL;
    ports.rabbitmq = await freePort(before.rabbitmq);
    const own = await rabbitmq({ directory, packages: settings.packages, port: ports.rabbitmq, user: 'kontor', password: secrets.get('rabbitPassword'), tell });
    for (const plan of own.plans) await supervisor.start(plan);
    tell(`RabbitMQ is up on port ${ports.rabbitmq}`);
    return own.url;
  };
  const prepared = async (): Promise<Record<string, string>> => {
    const adminUrl = await startPostgres();
    return ownDatabases(adminUrl, [...DATABASES, ...options.further ?? []].map((name) => ({ name, password: secrets.get(`database:${name}`, password) })));
  };
  const settled = await Promise.allSettled([prepared(), startRabbit(), startRedis()] as const);
  const failed = settled.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
  const [databases, amqpUrl, redisUrl] = settled.map((result) => (result as PromiseFulfilledResult<unknown>).value) as [Record<string, string>, string, string];
  await writeFile(portsFile, JSON.stringify({ ...before, ...ports }));
  return { databases, amqpUrl, redisUrl };
}
