import { expect } from 'chai';
import { connectDatabase, type Database } from '@kontor/kernel/database';
import { newId } from '@kontor/kernel/ids';
import { testDatabase } from '@kontor/testing/database';
import { MOST_APPS, type PortalRepository } from '../src/portal.js';
import { portalRepository } from '../src/repository.js';
import { problemOf } from './problems.js';

const CONTEXT = { correlationId: 'test', traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` };

describe('the portal on PostgreSQL', () => {
  let database: Database;
  let drop: () => Promise<void>;
  let repository: PortalRepository;
  before(async () => {
    const made = await testDatabase(new URL('../', import.meta.url));
    ({ database } = made);
    drop = () => made.drop();
    repository = portalRepository(database);
  });
  after(() => drop());

  const developer = async (email = `${newId()}@fintech.example`): Promise<string> => {
    const id = newId();
    await repository.addDeveloper({ id, email, organisation: 'Fictional Fintech', passwordHash: 'hash' });
    return id;
  };
  const app = async (developerId: string, given: { id?: string; requestId?: string } = {}): Promise<string> => {
    const id = given.id ?? newId();
    await repository.startRegistration({ id, developerId, requestId: given.requestId ?? newId(), name: 'Budget', redirectUri: 'https://app.example/cb', roles: ['aisp'] });
    return id;
  };
  const told = async (type: string): Promise<Record<string, unknown>[]> =>
    (await database.query<{ event: Record<string, unknown> }>('select event from outbox where type = $1 order by position', [type])).map(({ event }) => event);

  it('takes an e-mail address once', async () => {
    expect(await repository.addDeveloper({ id: newId(), email: 'once@fintech.example', organisation: 'A', passwordHash: 'h' })).equal(true);
    expect(await repository.addDeveloper({ id: newId(), email: 'once@fintech.example', organisation: 'B', passwordHash: 'i' })).equal(false);
    expect((await repository.passwordOf('once@fintech.example'))?.passwordHash).equal('h');
    expect(await repository.passwordOf('never@fintech.example')).equal(undefined);
  });

  it('tells app.registered when, and only when, the application becomes active', async () => {
    const owner = await developer();
    const id = await app(owner);
    expect(await told('app.registered')).length(0);
    expect(await repository.activate(id, CONTEXT)).equal(true);
    expect(await repository.activate(id, CONTEXT)).equal(false);
    const events = (await told('app.registered')).filter(({ subject }) => subject === id);
    expect(events).length(1);
    expect(events[0]).deep.include({ clientid: id, source: 'portal', data: { appId: id, name: 'Budget', roles: ['aisp'] } });
  });

  it('registers a form that was sent twice once', async () => {
    const owner = await developer();
    const requestId = newId();
    await app(owner, { requestId });
    expect((await problemOf(app(owner, { requestId }))).code).equal('conflict');
    await app(await developer(), { requestId });
  });

  it('bounds the applications of one developer, also when two are registered at once', async () => {
    const owner = await developer();
    for (let made = 1; made < MOST_APPS; made++) await app(owner);
    // The developer's row is held, so that both have begun before either can count.
    const holder = connectDatabase(database.url, { poolMax: 1 });
    let racing: Promise<PromiseSettledResult<string>[]> | undefined;
    await holder.transaction(async (tx) => {
      await holder.query('select 1 from developers where id = $1 for update', [owner], tx);
      racing = Promise.allSettled([app(owner), app(owner)]);
      await new Promise((resolve) => setTimeout(resolve, 150));
    });
    expect((await racing)?.map(({ status }) => status).sort()).deep.equal(['fulfilled', 'rejected']);
    await holder.close();
    expect(await repository.apps(owner)).length(MOST_APPS);
  });

  it('shows and removes nothing of another developer', async () => {
    const [owner, other] = [await developer(), await developer()];
    const id = await app(owner);
    await repository.activate(id, CONTEXT);
    expect(await repository.app(other, id)).equal(undefined);
    expect(await repository.apps(other)).deep.equal([]);
    expect(await repository.startRemoval(other, id)).equal(false);
    expect(await repository.claimRotation(other, id, 10)).equal(undefined);
    expect((await repository.app(owner, id))?.status).equal('active');
  });

  it('lets one rotation run at a time, and tells it when it is done', async () => {
    const owner = await developer();
    const id = await app(owner);
    expect(await repository.claimRotation(owner, id, 10), 'not before it is active').equal(undefined);
    await repository.activate(id, CONTEXT);
    expect((await repository.claimRotation(owner, id, 10))?.id).equal(id);
    expect((await problemOf(repository.claimRotation(owner, id, 10))).code).equal('conflict');
    await repository.finishRotation(id, CONTEXT);
    expect((await told('app.credentials-rotated')).filter(({ subject }) => subject === id)).length(1);
    expect((await repository.claimRotation(owner, id, -1))?.rotatedAt).instanceOf(Date);
    expect((await repository.claimRotation(owner, id, 10))?.id, 'a claim runs out').equal(id);
  });

  it('gives up registrations that died, never a young or an active one', async () => {
    const owner = await developer();
    const [old, young, active] = [await app(owner), await app(owner), await app(owner)];
    await database.query(`update apps set status_since = now() - interval '3 minutes' where id = any($1)`, [[old, active]]);
    await repository.activate(active, CONTEXT);
    await database.query(`update apps set status_since = now() - interval '3 minutes' where id = $1`, [active]);
    expect(await repository.unfinished({ abandonedAfterS: 120, retryAfterS: 20, atMost: 20 })).deep.equal([old]);
    expect(await repository.activate(old, CONTEXT), 'the slow request comes too late').equal(false);
    await repository.finishRemoval(old);
    await repository.finishRemoval(young);
    expect((await repository.apps(owner)).map(({ id }) => id).sort()).deep.equal([young, active].sort());
  });
});
