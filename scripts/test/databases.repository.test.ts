import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { testServer } from '@kontor/testing/environment';
import pg from 'pg';
import { ownDatabases } from '../platform/databases.js';

const adminUrl = testServer('TEST_DATABASE_URL');

async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows as Record<string, unknown>[];
  } finally {
    await client.end();
  }
}

const refusal = (work: Promise<unknown>): Promise<string> => work.then(() => 'allowed', (error: Error) => error.message);

describe('the databases of the services', () => {
  const suffix = randomBytes(4).toString('hex');
  const [one, two] = [`one_${suffix}`, `two_${suffix}`];
  let urls: Record<string, string>;

  before(async () => {
    urls = await ownDatabases(adminUrl, [{ name: one, password: 'first' }, { name: two, password: 'second' }]);
  });
  after(async () => {
    for (const name of [one, two]) {
      await query(adminUrl, `DROP DATABASE kontor_${name} WITH (FORCE)`);
      await query(adminUrl, `DROP ROLE kontor_${name}`);
    }
  });

  it('let their own role do everything in them', async () => {
    await query(urls[one]!, 'CREATE TABLE t (id int)');
    expect(await query(urls[one]!, 'SELECT current_user::text AS who')).to.deep.equal([{ who: `kontor_${one}` }]);
  });

  it('are closed to the role of another service', async () => {
    const url = new URL(urls[two]!);
    url.pathname = `/kontor_${one}`;
    expect(await refusal(query(url.href, 'SELECT 1'))).to.include('permission denied for database');
  });

  it('have roles that may make no database and no role', async () => {
    expect(await refusal(query(urls[one]!, 'CREATE DATABASE another'))).to.include('permission denied');
    expect(await refusal(query(urls[one]!, 'CREATE ROLE another'))).to.include('permission denied');
  });

  it('are made once: a second start keeps the data and sets the password it knows', async () => {
    urls = await ownDatabases(adminUrl, [{ name: one, password: 'changed' }, { name: two, password: 'second' }]);
    expect(new URL(urls[one]!).password).to.equal('changed');
    expect(await query(urls[one]!, 'SELECT count(*)::int AS n FROM t')).to.deep.equal([{ n: 0 }]);
  });

  it('cannot be made where the administrator is not let in', async () => {
    const wrong = new URL(adminUrl);
    wrong.password = 'wrong';
    const message = await refusal(ownDatabases(wrong.href, []));
    expect(message).to.include('does not let us in').and.to.include('DATABASE_URL').and.not.to.include('wrong@');
  });
});
