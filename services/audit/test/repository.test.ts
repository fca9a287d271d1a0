import { expect } from 'chai';
import { newEvent, type AnyEvent } from '@kontor/kernel/events';
import { newId } from '@kontor/kernel/ids';
import { testDatabase, type TestDatabase } from '@kontor/testing/database';
import { trailRepository, type TrailRepository } from '../src/repository.js';
import { recordOfEvent } from '../src/trail.js';

const MASTER_KEY = Buffer.alloc(32, 9);
const CONTEXT = { correlationId: 'c-1', traceparent: '', clientId: 'app-1' };

function registered(customerId: string, given = 'Ada'): AnyEvent {
  return newEvent('customer.registered', {
    subject: customerId, source: 'customer', context: CONTEXT,
    data: { customerId, clientId: 'app-1', name: { given, family: 'Sandbox' }, birthDate: '1990-12-10', nationality: 'DE', residence: 'DE' },
  }) as AnyEvent;
}

describe('Storage of the trail', () => {
  let store: TestDatabase;
  let trail: TrailRepository;

  beforeEach(async () => {
    store = await testDatabase(new URL('..', import.meta.url));
    trail = trailRepository(store.database, MASTER_KEY);
  });
  afterEach(() => store.drop());

  const append = (...events: AnyEvent[]): Promise<number> =>
    store.database.transaction(async (tx) => (await trail.append(tx, events.map((event) => recordOfEvent(event, new Date())))).length);
  const erase = (customerId: string, now = new Date()): ReturnType<TrailRepository['erase']> =>
    trail.erase(customerId, { eventId: newId(), clientId: 'officer', correlationId: 'c-2', now });

  /** What only somebody with the rights of the database's owner can do. */
  async function tamper(sql: string, params: unknown[] = []): Promise<void> {
    await store.database.query('alter table audit_records disable trigger all');
    await store.database.query(sql, params);
    await store.database.query('alter table audit_records enable trigger all');
  }

  it('appends each event once, whatever is delivered again', async () => {
    const event = registered(newId());
    expect(await append(event)).to.equal(1);
    expect(await append(event, registered(newId()))).to.equal(1);
    expect(await trail.verify()).to.deep.include({ records: 2, headPosition: 2 });
  });

  it('chains what many writers append at once, without gap or fork', async () => {
    await Promise.all(Array.from({ length: 40 }, (_, i) => append(registered(newId(), `Ada${i}`))));
    const proof = await trail.verify();
    expect(proof).to.deep.include({ records: 40, headPosition: 40 });
    expect(proof.firstBreak).to.equal(undefined);
  });

  it('proves a chain longer than a batch, and finds the first break in it', async () => {
    const events = Array.from({ length: 2_100 }, () => newEvent('app.credentials-rotated', { subject: 'a', source: 'portal', context: CONTEXT, data: { appId: 'a' } }) as AnyEvent);
    for (let i = 0; i < events.length; i += 700) await append(...events.slice(i, i + 700));
    expect((await trail.verify()).records).to.equal(2_100);
    await tamper(`update audit_records set client_id = 'somebody' where position in (2050, 2099)`);
    expect((await trail.verify()).firstBreak).to.deep.equal({ position: 2050, reason: 'altered_record' });
  });

  for (const statement of ['update audit_records set client_id = null', 'delete from audit_records', 'truncate audit_records', 'update access_records set at = now()', 'truncate access_records'])
    it(`refuses: ${statement}`, async () => {
      await append(registered(newId()));
      await store.database.query(`insert into access_records values ('r', now(), '{}')`);
      const fault = await store.database.query(statement).then(() => undefined, (error: Error) => error);
      expect(fault?.message).to.match(/append-only/);
    });

  it('leaves its own role no right to change or remove records', async () => {
    const rights = await store.database.query<{ privilege: string }>(
      `select privilege_type as privilege from pg_class, aclexplode(relacl) where relname in ('audit_records', 'access_records')`);
    expect(rights.map(({ privilege }) => privilege)).to.include('INSERT').and.not.include.members(['UPDATE']);
    expect(rights.map(({ privilege }) => privilege)).to.not.include.members(['DELETE']).and.not.include.members(['TRUNCATE']);
  });

  it('keeps personal data sealed: neither table nor key table holds a name', async () => {
    await append(registered(newId(), 'Rumpelstilz'));
    const [dump] = await store.database.query<{ text: string }>(
      `select (select string_agg(r::text, '') from audit_records r) || (select string_agg(k::text, '') from data_keys k) as text`);
    const bytes = await store.database.query<{ ciphertext: Buffer }>('select ciphertext from audit_records');
    expect(dump!.text).to.not.match(/Rumpelstilz|1990-12-10/);
    expect(bytes[0]!.ciphertext.toString('latin1')).to.not.match(/Rumpelstilz/);
  });

  it('opens it for reading', async () => {
    const event = registered(newId());
    await append(event);
    expect((await trail.find(event.id))?.opened).to.deep.equal({
      state: 'readable', fields: { name: { given: 'Ada', family: 'Sandbox' }, birthDate: '1990-12-10', nationality: 'DE', residence: 'DE' },
    });
  });

  it('erases a customer: the data is gone for good, the others\' stays, the chain is whole', async () => {
    const [gone, stays] = [newId(), newId()];
    const events = [registered(gone), registered(stays), registered(gone)];
    await append(...events);
    const before = await trail.verify();
    expect(await erase(gone)).to.be.instanceOf(Date);
    expect((await trail.find(events[0]!.id))?.opened).to.deep.equal({ state: 'erased' });
    expect((await trail.find(events[1]!.id))?.opened.state).to.equal('readable');
    const after = await trail.verify({ position: before.headPosition, hash: before.headHash.toString('hex') });
    expect(after.firstBreak).to.equal(undefined);
    expect((await trail.list({ customerId: gone, limit: 10 })).records.map(({ type }) => type)).to.deep.equal(['customer.registered', 'customer.registered', 'personal-data.erased']);
  });

  it('keeps nothing personal that comes after the erasure', async () => {
    const customerId = newId();
    await append(registered(customerId));
    await erase(customerId);
    const late = registered(customerId, 'Late');
    await append(late);
    expect((await trail.find(late.id))?.opened).to.deep.equal({ state: 'erased' });
    const [row] = await store.database.query<{ ciphertext: Buffer | null }>('select ciphertext from audit_records where event_id = $1', [late.id]);
    expect(row!.ciphertext).to.equal(null);
    expect((await trail.verify()).firstBreak).to.equal(undefined);
  });

  it('never brings an erased key back', async () => {
    const customerId = newId();
    await append(registered(customerId));
    await erase(customerId);
    for (const statement of ['update data_keys set wrapped = decode(\'00\', \'hex\'), erased_at = null', 'delete from data_keys']) {
      const fault = await store.database.query(statement).then(() => undefined, (error: Error) => error);
      expect(fault?.message).to.match(/stays erased/);
    }
  });

  it('erases again without a further record, at the time of the first', async () => {
    const customerId = newId();
    await append(registered(customerId));
    const first = await erase(customerId, new Date('2026-03-01T10:00:00.000Z'));
    expect(await erase(customerId, new Date('2026-03-02T10:00:00.000Z'))).to.deep.equal(first);
    expect((await trail.verify()).records).to.equal(2);
    expect(await erase(newId())).to.equal(undefined);
  });

  it('finds and erases data of events that name no customer, once another event has told whose account it is', async () => {
    const [customerId, accountId] = [newId(), newId()];
    const booked = newEvent('core.account-booked', { subject: accountId, source: 'core-banking', context: CONTEXT, data: { accountId, iban: 'DE02120300000000202051', coreReference: 'C-1' } }) as AnyEvent;
    await append(booked);
    expect((await trail.find(booked.id))?.opened.state).to.equal('readable');
    await append(newEvent('account.requested', { subject: accountId, source: 'account', context: CONTEXT, data: { accountId, customerId, clientId: 'app-1', product: 'current', currency: 'EUR' } }) as AnyEvent);
    expect((await trail.list({ customerId, limit: 10 })).records.map(({ type }) => type)).to.deep.equal(['core.account-booked', 'account.requested']);
    await erase(customerId);
    expect((await trail.find(booked.id))?.opened.state).to.equal('erased');
  });

  it('waits with the erasure for an append under way, so that no key outlives it', async () => {
    const customerId = newId();
    await append(registered(customerId));
    let erasing: Promise<unknown> = Promise.resolve();
    let done = false;
    const late = registered(customerId);
    await store.database.transaction(async (tx) => {
      await trail.append(tx, [recordOfEvent(late, new Date())]);
      erasing = erase(customerId).then(() => { done = true; });
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(done, 'the erasure overtook the append').to.equal(false);
    });
    await erasing;
    expect((await trail.find(late.id))?.opened.state).to.equal('erased');
    expect((await trail.verify()).firstBreak).to.equal(undefined);
  });
});
