import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { Umzug } from 'umzug';
import type { Database } from './database.js';

/** One SQL file. `name` is unique in the database: the kernel's begin with `kernel/`. */
export interface Migration {
  name: string;
  sql: string;
  checksum: string;
}

/** The folder of the kernel's own migrations: beside src/, or beside any folder above a bundled main.js. */
function kernelMigrations(): URL {
  for (let up = new URL('./', import.meta.url); ; up = new URL('../', up)) {
    const folder = new URL('kernel/migrations/', up);
    if (existsSync(folder)) return folder;
    if (up.pathname === '/' || new URL('../', up).href === up.href) throw new Error('the folder kernel/migrations is missing');
  }
}

/** Reads the kernel's migrations and those of `folder`, in order of their names. */
export async function readMigrations(folder?: URL): Promise<Migration[]> {
  const read = async (from: URL, prefix: string): Promise<Migration[]> => {
    const names = (await readdir(from)).filter((name) => name.endsWith('.sql')).sort();
    return Promise.all(names.map(async (name) => {
      const sql = await readFile(new URL(name, from), 'utf8');
      return { name: prefix + name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    }));
  };
  const own = folder && existsSync(fileURLToPath(folder)) ? await read(new URL(folder.href.replace(/\/?$/, '/')), '') : [];
  return [...await read(kernelMigrations(), 'kernel/'), ...own];
}

/** Any number: the advisory lock under which replicas of a service migrate one after the other. */
const MIGRATION_LOCK = 7_206_001;

/**
 * Brings a database up to date: the kernel's tables (outbox, inbox, idempotency_keys), then the SQL files of `folder` in
 * order of their names, each in a transaction together with its record in `schema_migrations`.
 * @throws Error when a file that was applied has been edited since: add a new one instead.
 */
export async function migrate(database: Database, folder?: URL): Promise<void> {
  const migrations = await readMigrations(folder);
  const guard = new pg.Client({ connectionString: database.url, connectionTimeoutMillis: 3_000 });
  guard.on('error', () => undefined);
  await guard.connect();
  try {
    await guard.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await guard.query('create table if not exists schema_migrations (name text primary key, checksum text not null, applied_at timestamptz not null default now())');
    const applied = (await guard.query<{ name: string; checksum: string }>('select name, checksum from schema_migrations')).rows;
    const checksums = new Map(migrations.map(({ name, checksum }) => [name, checksum]));
    for (const { name, checksum } of applied)
      if (checksums.has(name) && checksums.get(name) !== checksum)
        throw new Error(`the migration ${name} was edited after it was applied: add a new file instead`);
    await migrator(database, migrations, applied.map(({ name }) => name)).up();
  } finally {
    await guard.end().catch(() => undefined);
  }
}

function migrator(database: Database, migrations: Migration[], applied: string[]): Umzug {
  return new Umzug({
    logger: undefined,
    // The record is written in the transaction of the migration itself, so there is nothing to log afterwards.
    storage: { executed: async () => applied, logMigration: async () => undefined, unlogMigration: async () => undefined },
    migrations: migrations.map(({ name, sql, checksum }) => ({
      name,
      up: () => database.transaction(async (tx) => {
        await database.query('set local statement_timeout = 0', undefined, tx);
        await database.query(sql, undefined, tx);
        await database.query('insert into schema_migrations (name, checksum) values ($1, $2)', [name, checksum], tx);
      }),
    })),
  });
}
