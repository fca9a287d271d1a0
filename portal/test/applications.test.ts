import { expect } from 'chai';
import type { Database } from '@kontor/kernel/database';
import { newId } from '@kontor/kernel/ids';
import { createLogger } from '@kontor/kernel/logger';
import { testDatabase } from '@kontor/testing/database';
import { applications, type Applications } from '../src/applications.js';
import { gatewayAdmin } from '../src/gateway-admin.js';
import type { PortalRepository } from '../src/portal.js';
import { portalRepository } from '../src/repository.js';
import { gatewayStandIn, type GatewayStandIn } from './gateway-stand-in.js';
import { problemOf } from './problems.js';

const CONTEXT = { correlationId: 'test', traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` };
const WANTED = { name: 'Budget', redirectUri: 'https://app.example/cb', requestId: undefined };

describe('a registration that dies on its way', () => {
  let database: Database;
  let drop: () => Promise<void>;
  let gateway: GatewayStandIn;
  let repository: PortalRepository;
  let apps: Applications;
  let owner: string;
  beforeEach(async () => {
    const made = await testDatabase(new URL('../', import.meta.url));
    ({ database } = made);
    drop = () => made.drop();
    gateway = await gatewayStandIn();
    repository = portalRepository(database);
    apps = using(repository);
    owner = newId();
    await repository.addDeveloper({ id: owner, email: `${owner}@fintech.example`, organisation: 'Fictional Fintech', passwordHash: 'hash' });
  });
  afterEach(async () => {
    await gateway.stop();
    await drop();
  });

  const using = (kept: PortalRepository): Applications =>
    applications({ repository: kept, gateway: gatewayAdmin(gateway.adminUrl), roles: ['aisp'], logger: createLogger('portal', 'error') });
  const grownOld = (): Promise<unknown> => database.query(`update apps set status_since = now() - interval '3 minutes'`);
  const died = new Error('the process died here');

  it('before the gateway knew is removed', async () => {
    await repository.startRegistration({ id: newId(), developerId: owner, requestId: newId(), name: 'Budget', redirectUri: 'https://app.example/cb', roles: ['aisp'] });
    expect(await apps.reconcile(), 'it may still be under way').equal(0);
    await grownOld();
    expect(await apps.reconcile()).equal(1);
    expect(await repository.apps(owner)).deep.equal([]);
  });

  it('after the gateway knew is removed there, too', async () => {
    const dead = using({ ...repository, activate: () => Promise.reject(died), giveUp: () => Promise.reject(died) });
    expect(await dead.register(owner, WANTED, CONTEXT).catch((error: unknown) => error)).equal(died);
    expect(gateway.consumers.size).equal(1);
    await grownOld();
    expect(await apps.reconcile()).equal(1);
    expect(gateway.consumers.size).equal(0);
    expect(await repository.apps(owner)).deep.equal([]);
  });

  it('while the database answered nothing to the last step leaves no application nobody has the secret of', async () => {
    const lost = using({ ...repository, activate: async (id, context) => { await repository.activate(id, context); throw died; } });
    expect((await problemOf(lost.register(owner, WANTED, CONTEXT))).code).equal('unavailable');
    expect(gateway.consumers.size).equal(0);
    expect(await repository.apps(owner)).deep.equal([]);
  });

  it('and is only slow is refused when it was given up meanwhile, and leaves nothing', async () => {
    const slow = using({ ...repository, activate: async (id, context) => {
      await grownOld();
      await apps.reconcile();
      return repository.activate(id, context);
    } });
    expect((await problemOf(slow.register(owner, WANTED, CONTEXT))).code).equal('unavailable');
    expect(gateway.consumers.size).equal(0);
    expect(await repository.apps(owner)).deep.equal([]);
  });

  it('is tried again while the gateway is away, and never an active application with it', async () => {
    const { app } = await apps.register(owner, WANTED, CONTEXT);
    const dead = using({ ...repository, activate: () => Promise.reject(died), giveUp: () => Promise.reject(died) });
    await dead.register(owner, { ...WANTED, requestId: newId() }, CONTEXT).catch(() => undefined);
    await grownOld();
    gateway.interfere = () => 500;
    expect(await apps.reconcile()).equal(0);
    gateway.interfere = undefined;
    await grownOld();
    expect(await apps.reconcile()).equal(1);
    expect((await repository.apps(owner)).map(({ id, status }) => [id, status])).deep.equal([[app.id, 'active']]);
    expect([...gateway.consumers.keys()]).deep.equal([`app-${app.id}`]);
  });
});
