import { expect } from 'chai';
import { newId } from '@kontor/kernel/ids';
import { ROLE_MEANINGS } from '../src/portal.js';
import { portalUnderTest, signedUp, type PortalUnderTest, type Visitor } from './portal-under-test.js';

const APP = { name: 'Budget', redirectUri: 'https://app.example/cb' };

describe('the developer portal', function () {
  this.timeout(30_000);
  let portal: PortalUnderTest;
  before(async () => {
    portal = await portalUnderTest();
  });
  after(async () => {
    await portal.stop();
  });
  /** Every test comes from the same address: its failures must not close the door for the next. */
  beforeEach(async () => {
    portal.gateway.interfere = undefined;
    await portal.forgetFailures();
  });

  const register = async (visitor: Visitor): Promise<{ appId: string; clientSecret: string; apiKey: string }> =>
    (await portal.ask(visitor, 'POST', '/apps', APP)).body as { appId: string; clientSecret: string; apiKey: string };
  const stored = async (): Promise<string> =>
    JSON.stringify([await portal.service.database.query('select * from developers'), await portal.service.database.query('select * from apps'), await portal.service.events()]);

  describe('signing up', () => {
    it('answers the developer\'s id, signs in, and keeps an argon2id hash only', async () => {
      const visitor: Visitor = {};
      const email = `${newId()}@fintech.example`;
      const { status, body, headers } = await portal.ask(visitor, 'POST', '/sign-up', { email, password: 'correct horse battery', organisation: 'Fintech' });
      expect(status).equal(201);
      expect(body).have.all.keys('developerId');
      expect(headers['set-cookie']).match(/^portal_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/);
      expect((await portal.ask(visitor, 'GET', '/apps')).body).deep.equal({ data: [] });
      const [row] = await portal.service.database.query<{ password_hash: string }>('select password_hash from developers where email = $1', [email]);
      expect(row?.password_hash).match(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
      expect(await stored()).not.include('correct horse');
    });

    it('refuses field by field, as a problem to programs and as the form to people', async () => {
      const fields = { email: 'no address', password: 'short', organisation: 'Kept <b>' };
      const json = await portal.ask({}, 'POST', '/sign-up', fields);
      expect(json.status).equal(400);
      expect(json.headers['content-type']).include('application/problem+json');
      expect(json.body.code).equal('invalid_request');
      expect(json.body.errors.map(({ path }: { path: string }) => path)).deep.equal(['email', 'password']);
      const html = await portal.submit({}, '/sign-up', fields);
      expect(html.status).equal(400);
      expect(html.body).include('Choose a password of 12').and.include('value="Kept &lt;b&gt;"').and.include('aria-invalid').and.not.include('short');
    });

    it('does not say that an address is taken', async () => {
      const { email } = await signedUp(portal);
      const again = await portal.ask({}, 'POST', '/sign-up', { email: email.toUpperCase(), password: 'another long password', organisation: 'X' + 'Y' });
      expect(again.status).equal(422);
      expect(again.body.detail).equal('No account could be made with these details. If you have one already, sign in.');
      expect(again.headers['set-cookie']).equal(undefined);
    });
  });

  describe('signing in', () => {
    it('takes JSON and forms; the old cookie is worth nothing afterwards', async () => {
      const visitor = await signedUp(portal);
      const before = { cookie: visitor.cookie };
      const { status, body } = await portal.ask(visitor, 'POST', '/sign-in', { email: ` ${visitor.email.toUpperCase()}`, password: visitor.password });
      expect(status).equal(200);
      expect(body).have.all.keys('developerId');
      expect((await portal.ask(before, 'GET', '/apps')).status).equal(401);
      const form = await portal.submit({}, '/sign-in', { email: visitor.email, password: visitor.password, next: '/docs/account' });
      expect([form.status, form.headers['location']]).deep.equal([303, '/docs/account']);
      const astray = await portal.submit({}, '/sign-in', { email: visitor.email, password: visitor.password, next: '//evil.example' });
      expect(astray.headers['location']).equal('/apps');
    });

    it('says the same, after the same work, to a wrong password and an unknown address', async () => {
      const { email } = await signedUp(portal);
      const time = async (address: string): Promise<[number, string]> => {
        const started = performance.now();
        const { status, body } = await portal.ask({}, 'POST', '/sign-in', { email: address, password: 'not the right password' });
        expect(status).equal(401);
        return [performance.now() - started, body.detail as string];
      };
      await time(email);
      const known = [await time(email), await time(email), await time(email)];
      const unknown = [await time('nobody1@fintech.example'), await time('nobody2@fintech.example'), await time('nobody3@fintech.example')];
      expect(new Set([...known, ...unknown].map(([, words]) => words)).size).equal(1);
      const fastest = (times: [number, string][]): number => Math.min(...times.map(([ms]) => ms));
      // Without the decoy hash an unknown address is answered in a tenth of the time.
      expect(fastest(unknown)).greaterThan(fastest(known) / 2);
    });

    it('closes after ten failures for an address, also for the right password, and counts guesses sent at once', async () => {
      const visitor = await signedUp(portal);
      const guesses = await Promise.all(Array.from({ length: 14 }, (_, i) => portal.ask({}, 'POST', '/sign-in', { email: visitor.email, password: `guess number ${i} of many` })));
      expect(guesses.filter(({ status }) => status === 401)).length(10);
      expect(guesses.filter(({ status }) => status === 429)).length(4);
      const right = await portal.ask({}, 'POST', '/sign-in', { email: visitor.email, password: visitor.password });
      expect(right.status).equal(429);
      expect(Number(right.headers['retry-after'])).within(1, 900);
      const keys = await portal.redisKeys();
      expect(keys.filter((key) => key.includes(':failures:email:'))).length(1);
      expect(keys.join()).not.include('fintech.example');
    });

    it('closes a network address after ten failures in all, and not before', async () => {
      const [attacked, other] = [await signedUp(portal), await signedUp(portal)];
      const fail = async (times: number): Promise<void> => {
        for (let i = 0; i < times; i++) await portal.ask({}, 'POST', '/sign-in', { email: attacked.email, password: 'wrong, wrong, wrong' });
      };
      const asked = async ({ email, password }: { email: string; password: string }): Promise<number> => (await portal.ask({}, 'POST', '/sign-in', { email, password })).status;
      await fail(9);
      expect(await asked(attacked), 'nine failures do not close').equal(200);
      expect(await asked(other), 'another developer from the same network').equal(200);
      await fail(1);
      expect(await asked(other), 'ten from one network address close it').equal(429);
      await portal.forgetFailures();
      expect(await asked(attacked)).equal(200);
    });

    it('closes for one e-mail address wherever the guesses come from, and a success clears its count', async () => {
      const [attacked, other] = [await signedUp(portal), await signedUp(portal)];
      const asked = async ({ email, password }: { email: string; password: string }): Promise<number> => {
        await portal.forgetFailures('address');
        return (await portal.ask({}, 'POST', '/sign-in', { email, password })).status;
      };
      const fail = async (times: number): Promise<void> => {
        for (let i = 0; i < times; i++) expect(await asked({ ...attacked, password: 'wrong, wrong, wrong' })).equal(401);
      };
      await fail(9);
      expect(await asked(attacked)).equal(200);
      await fail(10);
      expect(await asked(attacked)).equal(429);
      expect(await asked(other)).equal(200);
    });

    it('ends with signing out', async () => {
      const visitor = await signedUp(portal);
      const kept = { cookie: visitor.cookie };
      expect((await portal.ask(visitor, 'POST', '/sign-out')).status).equal(204);
      expect((await portal.ask(kept, 'GET', '/apps')).status).equal(401);
    });
  });

  describe('an application', () => {
    it('is registered at the gateway, told, and its secrets are kept nowhere here', async () => {
      const visitor = await signedUp(portal);
      const { status, body } = await portal.ask(visitor, 'POST', '/apps', APP);
      expect(status).equal(201);
      expect(body).have.all.keys('appId', 'clientId', 'clientSecret', 'apiKey', 'roles');
      expect(body.clientId).equal(body.appId);
      expect(body.roles).deep.equal(['onboarding', 'aisp', 'pisp', 'cbpii', 'sandbox']);
      expect(portal.gateway.consumers.get(`app-${body.appId}`)).deep.include({ customId: body.appId, keys: [body.apiKey], groups: body.roles, tags: ['portal'] });
      const events = (await portal.service.events()).filter(({ subject }) => subject === body.appId);
      expect(events.map(({ type, data }) => [type, data])).deep.equal([['app.registered', { appId: body.appId, name: 'Budget', roles: body.roles }]]);
      expect(await stored()).not.include(body.clientSecret).and.not.include(body.apiKey);
      const listed = await portal.ask(visitor, 'GET', '/apps');
      expect(listed.body.data.map(({ appId, status: state }: { appId: string; status: string }) => [appId, state])).deep.equal([[body.appId, 'active']]);
    });

    it('is shown to people with its secrets once', async () => {
      const visitor = await signedUp(portal);
      const requestId = newId();
      const page = await portal.submit(visitor, '/apps', { ...APP, requestId });
      expect(page.status).equal(201);
      expect(page.body).match(/kontor_secret_[\w-]{43}/).and.match(/kontor_key_[\w-]{43}/).and.include('https://gateway.example:8443/oauth2/token');
      expect(page.headers['cache-control']).equal('no-store');
      const again = await portal.submit(visitor, '/apps', { ...APP, requestId });
      expect(again.status).equal(409);
      expect(again.body).not.include('kontor_secret_');
      expect((await portal.ask(visitor, 'GET', '/apps')).body.data).length(1);
    });

    it('says on its page what each of its roles is for', async () => {
      const visitor = await signedUp(portal);
      const { appId } = await register(visitor);
      const page = await portal.service.request('GET', `/apps/${appId}`, { headers: { accept: 'text/html', cookie: visitor.cookie ?? '' } });
      for (const role of ['onboarding', 'aisp', 'pisp', 'cbpii', 'sandbox']) expect(page.body).include(`<code>${role}</code> ${ROLE_MEANINGS[role]}`);
    });

    it('is not registered with a bad redirect URI, nor without signing in', async () => {
      const { status, body } = await portal.ask(await signedUp(portal), 'POST', '/apps', { name: 'Budget', redirectUri: 'http://app.example/cb' });
      expect([status, body.errors[0].path]).deep.equal([400, 'redirectUri']);
      expect((await portal.ask({}, 'POST', '/apps', APP)).status).equal(401);
      const page = await portal.service.request('GET', '/apps', { headers: { accept: 'text/html' } });
      expect([page.status, page.headers['location']]).deep.equal([303, '/sign-in?next=%2Fapps']);
    });

    for (const [number, path] of [[1, '/consumers'], [2, '/oauth2'], [3, '/key-auth'], [4, '/acls']] as const) {
      it(`leaves nothing behind when the gateway fails at call ${number}`, async () => {
        const visitor = await signedUp(portal);
        const known = portal.gateway.consumers.size;
        portal.gateway.interfere = (method, at) => (method === 'POST' && at.endsWith(path) ? 500 : undefined);
        const { status, headers } = await portal.ask(visitor, 'POST', '/apps', APP);
        expect(status).equal(503);
        expect(headers['retry-after']).equal('5');
        expect(portal.gateway.consumers.size).equal(known);
        expect((await portal.ask(visitor, 'GET', '/apps')).body.data).deep.equal([]);
      });
    }

    it('whose removal the gateway did not hear of is shown as being removed, and removed on the next try', async () => {
      const visitor = await signedUp(portal);
      const { appId } = await register(visitor);
      portal.gateway.interfere = () => 'hang up';
      expect((await portal.ask(visitor, 'POST', `/apps/${appId}/delete`)).status).equal(503);
      expect((await portal.ask(visitor, 'GET', `/apps/${appId}`)).body.status).equal('removing');
      portal.gateway.interfere = undefined;
      expect((await portal.ask(visitor, 'POST', `/apps/${appId}/delete`)).status).equal(204);
      expect((await portal.ask(visitor, 'GET', `/apps/${appId}`)).status).equal(404);
      expect(portal.gateway.consumers.has(`app-${appId}`)).equal(false);
    });

    it('gets a new secret; the old one is gone, the key stays', async () => {
      const visitor = await signedUp(portal);
      const { appId, clientSecret, apiKey } = await register(visitor);
      const { status, body } = await portal.ask(visitor, 'POST', `/apps/${appId}/rotate-secret`);
      expect(status).equal(200);
      expect(body).have.all.keys('clientSecret');
      expect(body.clientSecret).not.equal(clientSecret);
      const consumer = portal.gateway.consumers.get(`app-${appId}`);
      expect(consumer?.oauth2.map((credential) => credential['client_secret'])).deep.equal([body.clientSecret]);
      expect(consumer?.keys).deep.equal([apiKey]);
      expect((await portal.service.events()).filter(({ subject, type }) => subject === appId && type === 'app.credentials-rotated')).length(1);
    });

    it('keeps its secret when the gateway cannot be told, tells nothing, and can be rotated afterwards', async () => {
      const visitor = await signedUp(portal);
      const { appId, clientSecret } = await register(visitor);
      portal.gateway.interfere = () => 503;
      expect((await portal.ask(visitor, 'POST', `/apps/${appId}/rotate-secret`)).status).equal(503);
      portal.gateway.interfere = undefined;
      expect(portal.gateway.consumers.get(`app-${appId}`)?.oauth2[0]?.['client_secret']).equal(clientSecret);
      expect((await portal.service.events()).filter(({ subject, type }) => subject === appId && type === 'app.credentials-rotated')).length(0);
      expect((await portal.ask(visitor, 'POST', `/apps/${appId}/rotate-secret`)).status).equal(200);
    });

    it('of another developer is not there', async () => {
      const [owner, other] = [await signedUp(portal), await signedUp(portal)];
      const { appId } = await register(owner);
      expect((await portal.ask(other, 'GET', `/apps/${appId}`)).status).equal(404);
      expect((await portal.ask(other, 'POST', `/apps/${appId}/rotate-secret`)).status).equal(404);
      expect((await portal.ask(other, 'POST', `/apps/${appId}/delete`)).status).equal(404);
      expect((await portal.ask(owner, 'POST', '/apps/not-an-id/delete')).status).equal(404);
      expect(portal.gateway.consumers.has(`app-${appId}`)).equal(true);
    });
  });

  describe('forms of other sites', () => {
    it('are refused, by Fetch Metadata and by Origin', async () => {
      const visitor = await signedUp(portal);
      for (const headers of [{ 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site' }, { origin: 'https://evil.example' }] as Record<string, string>[]) {
        expect((await portal.submit(visitor, '/apps', APP, headers)).status).equal(400);
      }
      expect((await portal.ask(visitor, 'GET', '/apps')).body.data).deep.equal([]);
    });
  });

  describe('pages', () => {
    it('load nothing from elsewhere and run no inline script', async () => {
      for (const path of ['/', '/sign-in', '/sign-up', '/docs/account']) {
        const { status, headers, body } = await portal.service.request('GET', path, { headers: { accept: 'text/html' } });
        expect(status).equal(200);
        expect(headers['content-security-policy']).include("default-src 'none'").and.include("script-src 'self';").and.include("frame-ancestors 'none'");
        expect(body).not.match(/<script(?![^>]* src="\/)/).and.not.match(/(src|href)="https?:/);
        expect(body).include('<link rel="icon" href="data:,">');
      }
    });

    it('show the operations with their BIAN place and the state of the gateway', async () => {
      const { body } = await portal.service.request('GET', '/', { headers: { accept: 'text/html' } });
      expect(body).include('/v1/customers').and.include('/v1/payments').and.include('Gateway is up').and.include('consent payments:initiate');
      expect((body as string).replaceAll('<wbr>', '')).include('PaymentOrderInitiation');
      expect(body).include('https://gateway.example:8443/oauth2/token').and.not.include('kontor-ca.pem');
    });

    it('answer 404 as a page to people and as a problem to programs', async () => {
      const page = await portal.service.request('GET', '/nowhere', { headers: { accept: 'text/html' } });
      expect([page.status, page.headers['content-type']]).deep.equal([404, 'text/html; charset=utf-8']);
      expect((await portal.ask({}, 'GET', '/docs/specs/nowhere.json')).body.code).equal('not_found');
    });

    it('give the contracts with the relay as their server', async () => {
      const { status, body } = await portal.ask({}, 'GET', '/docs/specs/customer.json');
      expect(status).equal(200);
      expect(body.servers[0].url).equal('/try');
      expect((await portal.ask({}, 'GET', '/docs/assets/swagger-ui.css')).status).equal(200);
      expect((await portal.ask({}, 'GET', '/docs/assets/package.json')).status).equal(404);
    });
  });
});
