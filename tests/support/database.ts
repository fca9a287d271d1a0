import { createHash } from 'node:crypto';
import pg from 'pg';
import { connectDatabase, migrate, type Database } from '@kontor/kernel/database';
import { newId } from '@kontor/kernel/ids';
import { readMigrations } from '@kontor/kernel/migrate';
import { testServer } from './environment.js';

/** A database of its own, migrated. */
export interface TestDatabase {
  database: Database;
  url: string;
  /** Closes the pool and drops the database, whoever is still connected. */
  drop(): Promise<void>;
}

/** Any number: copies of templates are made one after the other, also by several mocha processes. */
const TEMPLATE_LOCK = 7_206_003;

/**
 * A database for one test file: a copy of a template that is migrated once for each state of the migrations.
 * @param serviceRoot the workspace whose migrations/ to run; without it only the kernel's tables
 */
export async function testDatabase(serviceRoot?: URL): Promise<TestDatabase> {
  const server = testServer('TEST_DATABASE_URL');
  const folder = serviceRoot && new URL('migrations/', serviceRoot);
  const state = createHash('sha256').update(JSON.stringify(await readMigrations(folder))).digest('hex').slice(0, 16);
  const template = `template_${state}`;
  const name = `test_${newId().replaceAll('-', '')}`;
  const admin = new pg.Client({ connectionString: server });
  await admin.connect();
  try {
    await admin.query('select pg_advisory_lock($1)', [TEMPLATE_LOCK]);
    const { rowCount } = await admin.query('select 1 from pg_database where datname = $1', [template]);
    if (rowCount === 0) await makeTemplate(admin, server, template, folder);
    await admin.query(`create database ${name} template ${template}`);
  } finally {
    await admin.end();
  }
  const url = addressOf(server, name);
  const database = connectDatabase(url);
  return {
    database,
    url,
    async drop() {
      await database.close().catch(() => undefined);
      await asAdmin(server, `drop database if exists ${name} with (force)`);
    },
  };
}

async function makeTemplate(admin: pg.Client, server: string, template: string, folder: URL | undefined): Promise<void> {
  const raw = `making_${newId().replaceAll('-', '')}`;
  await admin.query(`create database ${raw}`);
  const database = connectDatabase(addressOf(server, raw), { poolMax: 1 });
  try {
    await migrate(database, folder);
  } catch (fault) {
    await database.close();
    await admin.query(`drop database ${raw} with (force)`);
    throw fault;
  }
  await database.close();
  await admin.query(`alter database ${raw} rename to ${template}`);
}

async function asAdmin(server: string, statement: string): Promise<void> {
  const admin = new pg.Client({ connectionString: server });
  await admin.connect();
  try {
    await admin.query(statement);
  } finally {
    await admin.end();
  }
}

function addressOf(server: string, name: string): string {
  const address = new URL(server);
  address.pathname = `/${name}`;
  return address.href;
}
