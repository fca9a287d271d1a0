import pg from 'pg';
import { Fault } from './fault.js';

/** A database and the role that owns it; no other role of ours may connect to it. */
export interface OwnDatabase { name: string; password: string }

/**
 * Makes a database and a login role for each, and gives the role nothing else: no superuser, no other database.
 * Running it again changes only the passwords.
 * @param adminUrl URL of a superuser
 * @returns the URL of each database for its own role
 */
export async function ownDatabases(adminUrl: string, databases: OwnDatabase[]): Promise<Record<string, string>> {
  const client = new pg.Client({ connectionString: adminUrl, connectionTimeoutMillis: 10_000 });
  client.on('error', () => undefined);
  await client.connect().catch((error: Error) => {
    throw new Fault(`PostgreSQL at ${withoutPassword(adminUrl)} does not let us in (${error.message}): check DATABASE_URL.`);
  });
  try {
    const urls: Record<string, string> = {};
    for (const { name, password } of databases) {
      const own = `kontor_${name}`;
      await makeRole(client, own, password);
      const there = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [own]);
      if (there.rowCount === 0) await client.query(`CREATE DATABASE ${client.escapeIdentifier(own)} OWNER ${client.escapeIdentifier(own)}`);
      await client.query(`REVOKE ALL ON DATABASE ${client.escapeIdentifier(own)} FROM PUBLIC`);
      const url = new URL(adminUrl);
      url.username = own;
      url.password = password;
      url.pathname = `/${own}`;
      urls[name] = url.href;
    }
    return urls;
  } finally {
    await client.end();
  }
}

async function makeRole(client: pg.Client, role: string, password: string): Promise<void> {
  const there = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [role]);
  const verb = there.rowCount === 0 ? 'CREATE' : 'ALTER';
  await client.query(`${verb} ROLE ${client.escapeIdentifier(role)} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD ${client.escapeLiteral(password)}`);
}

function withoutPassword(text: string): string {
  const url = new URL(text);
  url.password = '';
  return url.href;
}
