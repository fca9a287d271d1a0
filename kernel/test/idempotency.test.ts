import { expect } from 'chai';
import type { Database } from '@kontor/kernel/database';
import { canonicalJson, idempotent, requestHash, type IdempotentAnswer } from '@kontor/kernel/idempotency';
import { Problem } from '@kontor/kernel/problem';
import { testDatabase, type TestDatabase } from '@kontor/testing/database';
import { eventually } from '@kontor/testing/wait';

describe('an idempotent write', () => {
  let stored: TestDatabase;
  let database: Database;
  let effects = 0;

  before(async () => {
    stored = await testDatabase();
    ({ database } = stored);
    await database.query('create table note (id int generated always as identity, word text)');
  });
  after(() => stored.drop());

  const write = (key: string | undefined, body: unknown, more: { clientId?: string; operation?: string; params?: Record<string, string>; during?: () => Promise<void> } = {}): Promise<IdempotentAnswer> =>
    idempotent(database, { key, clientId: more.clientId ?? 'app', operation: more.operation ?? 'writeNote', body, ...(more.params ? { params: more.params } : {}) }, async (tx) => {
      const [row] = await database.query<{ id: number }>("insert into note (word) values ('w') returning id", [], tx);
      await more.during?.();
      effects++;
      return { status: 201, body: { id: row?.id }, headers: { Location: `/notes/${row?.id}` } };
    });
  const refusal = (run: Promise<unknown>): Promise<string> => run.then(() => 'accepted', (fault: unknown) => (fault instanceof Problem ? fault.code : String(fault)));

  beforeEach(() => { effects = 0; });

  it('takes effect once and is answered alike, marked as replayed', async () => {
    const first = await write('k1', { a: 1, b: [2, { c: 3, d: 4 }] });
    const again = await write('k1', { b: [2, { d: 4, c: 3 }], a: 1 });
    expect(again).to.deep.equal({ ...first, headers: { ...first.headers, 'Idempotency-Replayed': 'true' } });
    expect(effects).to.equal(1);
  });

  it('is refused when the key comes with another body or another path', async () => {
    await write('k2', { a: 1 }, { params: { id: '1' } });
    expect(await refusal(write('k2', { a: 2 }, { params: { id: '1' } }))).to.equal('idempotency_mismatch');
    expect(await refusal(write('k2', { a: 1 }, { params: { id: '2' } }))).to.equal('idempotency_mismatch');
  });

  it('belongs to its client and its operation', async () => {
    await write('k3', {});
    await write('k3', {}, { clientId: 'other' });
    await write('k3', {}, { operation: 'otherOperation' });
    expect(effects).to.equal(3);
  });

  it('can be tried again with the same key after it failed', async () => {
    expect(await refusal(write('k4', {}, { during: async () => { throw new Error('down'); } }))).to.include('down');
    expect((await write('k4', {})).status).to.equal(201);
    expect(await database.query("select count(*)::int as n from idempotency_keys where key = 'k4'")).to.deep.equal([{ n: 1 }]);
  });

  it('is refused at once while the first is still at work, and replayed afterwards', async () => {
    let finish: () => void = () => undefined;
    let working = false;
    const first = write('k5', {}, { during: () => new Promise((resolve) => { working = true; finish = resolve; }) });
    await eventually('the first holds its key', () => working);
    const began = Date.now();
    expect(await refusal(write('k5', {}))).to.equal('idempotency_in_flight');
    expect(await refusal(write('k5', { other: true }))).to.equal('idempotency_in_flight');
    expect(Date.now() - began).to.be.below(1_500);
    finish();
    const answer = await first;
    expect((await write('k5', {})).body).to.deep.equal(answer.body);
    expect(effects).to.equal(1);
  });

  it('waits a moment for the first, and gives its answer', async () => {
    let finish: () => void = () => undefined;
    let working = false;
    const first = write('k6', {}, { during: () => new Promise((resolve) => { working = true; finish = resolve; }) });
    await eventually('the first holds its key', () => working);
    const second = write('k6', {});
    await eventually('the second waits for the row', async () => (await database.query("select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'")).length > 0, 240);
    finish();
    expect((await second).body).to.deep.equal((await first).body);
    expect(effects).to.equal(1);
  });

  it('may use a key anew after 24 hours', async () => {
    await write('k7', { a: 1 });
    await database.query("update idempotency_keys set created_at = now() - interval '25 hours' where key = 'k7'");
    expect((await write('k7', { a: 2 })).headers).to.not.have.property('Idempotency-Replayed');
    expect(effects).to.equal(2);
  });

  for (const key of [undefined, '', 'a'.repeat(41), 'with blank', 'ünïcode']) {
    it(`needs a sound key, not ${JSON.stringify(key)}`, async () => expect(await refusal(write(key, {}))).to.equal('idempotency_key_required'));
  }

  it('hashes what JSON means, not how it is written', () => {
    expect(canonicalJson({ b: 1, a: { d: [{ z: 1, y: 2 }], c: null } })).to.equal('{"a":{"c":null,"d":[{"y":2,"z":1}]},"b":1}');
    expect(requestHash({ a: '1' }).equals(requestHash({ a: 1 }))).to.equal(false);
    expect(requestHash(undefined).equals(requestHash(null))).to.equal(true);
  });
});
