import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { luajit } from '../infra/luajit.js';
import { freePort } from '../infra/ports.js';
import { postgresql } from '../infra/postgresql.js';
import { rabbitmq } from '../infra/rabbitmq.js';
import { redis } from '../infra/redis.js';
import { elsewhere } from '../infra/unprivileged.js';
import { password } from '../platform/secrets.js';
import { Supervisor } from '../platform/supervisor.js';

/** Private stores for one run of the tests, in a temporary directory, quick and not durable. */
export interface TestInfrastructure {
  /** What the tests read from their environment. */
  env: Record<string, string>;
  /** Stops them and deletes their directory. Safe to call twice. */
  stop(): Promise<void>;
}

/** A temporary directory another user may walk through: PostgreSQL runs as `nobody` when we are root. */
export function scratchDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'kontor-test-'));
  chmodSync(directory, 0o711);
  return directory;
}

/** Starts PostgreSQL, RabbitMQ and Redis on free ports. A URL in the environment (TEST_DATABASE_URL …) wins. */
export async function startInfrastructure(options: { directory: string; packages: string; tell: (line: string) => void; env?: NodeJS.ProcessEnv }): Promise<TestInfrastructure> {
  const { directory, packages, tell, env = process.env } = options;
  mkdirSync(directory, { recursive: true });
  const supervisor = new Supervisor(directory, tell);
  const stop = async (): Promise<void> => {
    await supervisor.stop();
    rmSync(directory, { recursive: true, force: true });
    rmSync(elsewhere(directory), { recursive: true, force: true });
  };
  try {
    const secret = password();
    const startPostgres = async (): Promise<string> => {
      if (env.TEST_DATABASE_URL) return env.TEST_DATABASE_URL;
      const own = await postgresql({ directory, port: await freePort(), password: secret, maxConnections: 300, durable: false, tell });
      await supervisor.start(own.plan);
      return own.url;
    };
    const startRabbit = async (): Promise<string> => {
      if (env.TEST_AMQP_URL) return env.TEST_AMQP_URL;
      const own = await rabbitmq({ directory, packages, port: await freePort(), user: 'kontor', password: secret, tell });
      for (const plan of own.plans) await supervisor.start(plan);
      return own.url;
    };
    const startRedis = async (): Promise<string> => {
      if (env.TEST_REDIS_URL) return env.TEST_REDIS_URL;
      const own = await redis({ directory, packages, port: await freePort(), password: secret, durable: false, tell });
      await supervisor.start(own.plan);
      return own.url;
    };
    const settled = await Promise.allSettled([startPostgres(), startRabbit(), startRedis(), luajit({ packages, tell })] as const);
    const failed = settled.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
    const [database, amqp, cache, lua] = settled.map((result) => (result as PromiseFulfilledResult<unknown>).value) as [string, string, string, Awaited<ReturnType<typeof luajit>>];
    return {
      env: {
        TEST_DATABASE_URL: database, TEST_AMQP_URL: amqp, TEST_REDIS_URL: cache,
        LUAJIT: lua.path, LUAJIT_LIBRARY_PATH: lua.env.LD_LIBRARY_PATH ?? '', KONTOR_PACKAGES: packages,
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
