import { expect } from 'chai';
import { newId } from '@kontor/kernel/ids';
import { gatewayAdmin, GatewayAdminFault, gatewayHealth } from '../src/gateway-admin.js';
import { gatewayStandIn, type GatewayStandIn } from './gateway-stand-in.js';

const NEW_APP = { name: 'Budget', redirectUri: 'https://app.example/cb', roles: ['onboarding', 'aisp'] };

describe('an application at the gateway', () => {
  let gateway: GatewayStandIn;
  beforeEach(async () => {
    gateway = await gatewayStandIn();
  });
  afterEach(() => gateway.stop());

  it('is a consumer with hashed secret, key, redirect URI and groups, tagged so that decK leaves it alone', async () => {
    const id = newId();
    await gatewayAdmin(gateway.adminUrl).addClient({ id, ...NEW_APP }, { clientSecret: 's', apiKey: 'k' });
    const { oauth2: [credential] = [], ...consumer } = gateway.consumers.get(`app-${id}`) ?? {};
    expect(consumer).deep.equal({ username: `app-${id}`, customId: id, tags: ['portal'], keys: ['k'], groups: ['onboarding', 'aisp'] });
    expect(credential).deep.include({ name: 'Budget', client_id: id, client_secret: 's', hash_secret: true, redirect_uris: ['https://app.example/cb'] });
  });

  it('is complete although the connection broke after any one of the calls', async () => {
    for (let broken = 1; broken <= 5; broken++) {
      const id = newId();
      let calls = 0;
      gateway.interfere = () => (++calls === broken ? 'hang up after it' : undefined);
      await gatewayAdmin(gateway.adminUrl).addClient({ id, ...NEW_APP }, { clientSecret: 's', apiKey: id });
      const { oauth2 = [], keys = [], groups = [] } = gateway.consumers.get(`app-${id}`) ?? {};
      expect([oauth2.length, keys.length, groups.length]).deep.equal([1, 1, 2]);
    }
  });

  it('is a fault when the Admin API refuses or stays away, and the fault names no secret', async () => {
    gateway.interfere = (_method, path) => (path.endsWith('/oauth2') ? 500 : undefined);
    const refused = await gatewayAdmin(gateway.adminUrl).addClient({ id: newId(), ...NEW_APP }, { clientSecret: 'my-secret', apiKey: 'k' }).catch((error: unknown) => error);
    expect(refused).instanceOf(GatewayAdminFault).property('message').match(/POST \/consumers\/app-…\/oauth2 .* 500/).and.not.include('my-secret');
    gateway.interfere = () => 'hang up';
    expect(await gatewayAdmin(gateway.adminUrl).removeClient(newId()).catch((error: unknown) => error)).instanceOf(GatewayAdminFault);
  });

  for (const credential of ['there', 'missing'] as const) {
    it(`gets a new secret when its credential is ${credential}`, async () => {
      const id = newId();
      const admin = gatewayAdmin(gateway.adminUrl);
      await admin.addClient({ id, ...NEW_APP }, { clientSecret: 'old', apiKey: 'k' });
      const consumer = gateway.consumers.get(`app-${id}`);
      if (credential === 'missing') consumer?.oauth2.splice(0);
      await admin.replaceSecret({ id, ...NEW_APP }, 'new');
      expect(consumer?.oauth2.map(({ client_id: clientId, client_secret: secret, hash_secret: hashed, redirect_uris: uris }) => [clientId, secret, hashed, uris]))
        .deep.equal([[id, 'new', true, ['https://app.example/cb']]]);
    });
  }

  it('is removed, as often as asked', async () => {
    const id = newId();
    const admin = gatewayAdmin(gateway.adminUrl);
    await admin.addClient({ id, ...NEW_APP }, { clientSecret: 's', apiKey: 'k' });
    await admin.removeClient(id);
    await admin.removeClient(id);
    expect(gateway.consumers.size).equal(0);
  });
});

describe('the health of the gateway', () => {
  it('is up, is asked rarely, and is down when nobody answers', async () => {
    const gateway = await gatewayStandIn();
    let [time, asked] = [0, 0];
    gateway.interfere = (_method, path) => void (path === '/status' && asked++);
    const health = gatewayHealth(gateway.adminUrl, () => time);
    expect(await health()).property('up', true);
    await health();
    expect(asked).equal(1);
    await gateway.stop();
    time = 6_000;
    expect(await health()).deep.equal({ up: false, latencyMs: 0 });
  });
});
