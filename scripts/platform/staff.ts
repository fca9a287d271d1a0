import pg from 'pg';
import { staffRepository, type StaffRepository } from '../../portal/src/staff-repository.js';
import { staffWith, type Staff } from '../../portal/src/staff.js';

/**
 * Lends the back office's staff, over one connection of its own to the portal's database, which the portal has migrated.
 * @param options.key of OFFICE_CREDENTIALS_KEY, 32 bytes
 */
export async function withStaff<T>(options: { databaseUrl: string; key: Buffer }, work: (lent: { staff: Staff; repository: StaffRepository }) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: options.databaseUrl, connectionTimeoutMillis: 10_000 });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const repository = staffRepository({
      query: async <Row extends object>(sql: string, params?: readonly unknown[]) => (await client.query<Row & pg.QueryResultRow>(sql, params as unknown[])).rows as Row[],
    });
    return await work({ repository, staff: staffWith(repository, options.key) });
  } finally {
    await client.end();
  }
}
