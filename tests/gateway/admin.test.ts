import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { request as send } from 'undici';
import { Client } from './client.js';
import { deckVariables, embeddedTarget, houseState, type Target } from './target.js';

describe('The Admin API', () => {
  let target: Target;
  let client: Client;

  before(async () => {
    target = await embeddedTarget(houseState(), deckVariables('http://127.0.0.1:1'));
    client = new Client(target);
  });
  after(async () => {
    await client?.close();
    await target?.stop();
  });

  const admin = (method: string, path: string, body?: object) => client.admin(method, path, body);
  const newConsumer = async () => (await admin('POST', '/consumers', { username: `u-${randomUUID()}`, custom_id: randomUUID(), tags: ['t1', 't2'] })).body;

  it('makes a consumer and finds it by id, username and custom_id', async () => {
    const made = await newConsumer();
    expect(made).to.include.keys('id', 'username', 'custom_id', 'created_at', 'tags');
    expect((await admin('GET', `/consumers/${String(made.id)}`)).body).to.deep.equal(made);
    expect((await admin('GET', `/consumers/${String(made.username)}`)).body).to.deep.equal(made);
    expect((await admin('GET', `/consumers?custom_id=${String(made.custom_id)}`)).body.data).to.deep.equal([made]);
  });

  it('says in Kong\'s words what is wrong', async () => {
    const made = await newConsumer();
    expect(await admin('POST', '/consumers', { username: made.username })).to.deep.include({ status: 409 });
    expect((await admin('POST', '/consumers', { username: made.username })).body).to.deep.include({ code: 5, name: 'unique constraint violation', fields: { username: made.username } });
    expect((await admin('POST', '/consumers', { custom_id: made.custom_id })).body).to.deep.include({ fields: { custom_id: made.custom_id } });
    expect((await admin('POST', '/consumers', {})).body).to.include({ code: 2, name: 'schema violation' });
    expect((await admin('POST', '/consumers', { username: 'x', password: 'y' })).status).to.equal(400);
    expect(await admin('GET', '/consumers/nobody')).to.deep.equal({ status: 404, body: { message: 'Not found' } });
    expect((await admin('POST', '/consumers/nobody/acls', { group: 'a' })).status).to.equal(404);
    expect((await admin('PUT', '/consumers')).status).to.equal(405);
    expect((await admin('GET', '/certificates')).status).to.equal(404);
    expect((await admin('POST', '/routes', {})).status).to.equal(405);
    const broken = await send(`${target.adminUrl}/consumers`, { method: 'POST', body: '{', headers: { 'content-type': 'application/json' } });
    expect(broken.statusCode).to.equal(400);
  });

  it('pages through a long list without loss or repetition, and filters by tags', async () => {
    const tag = `tag-${randomUUID()}`;
    const made = await Promise.all(Array.from({ length: 7 }, (_, i) => admin('POST', '/consumers', { username: `p-${randomUUID()}`, tags: i % 2 ? [tag, 'odd'] : [tag] })));
    const found: unknown[] = [];
    for (let next: string | null = `/consumers?size=3&tags=${tag}`; next;) {
      const { body }: { body: Record<string, unknown> } = await admin('GET', next);
      found.push(...(body.data as { id: string }[]).map(({ id }) => id));
      next = body.next === null ? null : `${String(body.next)}&tags=${tag}`;
    }
    expect(found).to.have.members(made.map(({ body }) => body.id));
    expect((await admin('GET', `/consumers?tags=${tag},odd`)).body.data).to.have.length(3);
  });

  it('puts and patches a consumer', async () => {
    const made = await newConsumer();
    const id = String(made.id);
    expect((await admin('PATCH', `/consumers/${id}`, { tags: ['new'] })).body).to.deep.include({ username: made.username, custom_id: made.custom_id, tags: ['new'] });
    expect((await admin('PUT', `/consumers/${id}`, { username: `renamed-${  id}` })).body).to.deep.include({ username: `renamed-${id}`, custom_id: null });
    expect((await admin('PUT', `/consumers/by-name-${id}`, { custom_id: `c-${  id}` })).body).to.include({ username: `by-name-${id}`, custom_id: `c-${id}` });
  });

  it('hashes a client\'s secret and never shows it', async () => {
    const consumer = await newConsumer();
    const path = `/consumers/${String(consumer.id)}/oauth2`;
    const given = { name: 'app', client_id: randomUUID(), client_secret: 'correct horse battery', hash_secret: true, redirect_uris: ['https://a.test/cb'] };
    const { status, body } = await admin('POST', path, given);
    expect(status).to.equal(201);
    expect(body).to.deep.include({ client_id: given.client_id, redirect_uris: given.redirect_uris, hash_secret: true, consumer: { id: consumer.id } });
    expect(body.client_secret).to.match(/^\$pbkdf2-sha512\$i=10000,l=32\$/);
    expect(JSON.stringify((await admin('GET', path)).body)).to.not.include(given.client_secret);
    expect((await admin('GET', `${path}/${given.client_id}`)).body.id).to.equal(body.id);
    expect((await admin('POST', path, given)).body).to.deep.include({ code: 5, fields: { client_id: given.client_id } });
    expect((await admin('POST', path, { ...given, client_id: randomUUID(), redirect_uris: ['https://a.test/#x'] })).status).to.equal(400);
    expect((await admin('POST', path, { ...given, client_id: randomUUID(), redirect_uris: ['nowhere'] })).status).to.equal(400);
  });

  it('replaces a secret in place: the old one ends, tokens live on', async () => {
    const app = await client.app();
    const access = await client.clientToken(app, 'customers');
    expect((await admin('PATCH', `/consumers/${app.consumerId}/oauth2/${app.clientId}`, { client_secret: 'a new secret', hash_secret: true })).status).to.equal(200);
    const ask = (client_secret: string) => client.form('/oauth2/token', { grant_type: 'client_credentials', client_id: app.clientId, client_secret });
    expect((await ask(app.clientSecret)).body.error).to.equal('invalid_client');
    expect((await ask('a new secret')).status).to.equal(200);
    // The service behind is down: 502 says that the token was good.
    expect((await client.ask('GET', '/v1/customers', { headers: { authorization: `Bearer ${access}` } })).status).to.equal(502);
  });

  it('keeps groups once each and names them by name', async () => {
    const path = `/consumers/${String((await newConsumer()).id)}/acls`;
    expect((await admin('POST', path, { group: 'aisp' })).status).to.equal(201);
    expect((await admin('POST', path, { group: 'aisp' })).status).to.equal(409);
    expect((await admin('GET', `${path}/aisp`)).body.group).to.equal('aisp');
    expect((await admin('DELETE', `${path}/aisp`)).status).to.equal(204);
    expect((await admin('GET', path)).body.data).to.deep.equal([]);
  });

  it('takes a key that is given, makes one that is not, and refuses one that is taken', async () => {
    const path = `/consumers/${String((await newConsumer()).id)}/key-auth`;
    const key = randomUUID();
    expect((await admin('POST', path, { key })).body.key).to.equal(key);
    expect((await admin('POST', path, {})).body.key).to.match(/^[A-Za-z0-9]{32}$/);
    const refused = await admin('POST', path, { key });
    expect(refused.status).to.equal(409);
    expect(JSON.stringify(refused.body)).to.not.include(key);
  });

  it('deletes a consumer with everything it has, once or twice', async () => {
    const app = await client.app();
    await client.clientToken(app, 'customers');
    expect((await admin('DELETE', `/consumers/${app.consumerId}`)).status).to.equal(204);
    expect((await admin('DELETE', `/consumers/${app.consumerId}`)).status).to.equal(204);
    expect((await admin('GET', `/consumers/${app.consumerId}/oauth2`)).status).to.equal(404);
  });

  it('lists tokens by consent without their secrets, and ends one', async () => {
    const app = await client.app();
    const consentId = randomUUID();
    const access = await client.consentToken(app, consentId, 'accounts');
    const { body } = await admin('GET', `/oauth2_tokens?authenticated_userid=${consentId}`);
    const [listed] = body.data as Record<string, unknown>[];
    expect(listed).to.include({ authenticated_userid: consentId, scope: 'accounts', token_type: 'bearer' });
    expect(JSON.stringify(body)).to.not.include(access);
    expect((await admin('DELETE', `/oauth2_tokens/${String(listed!.id)}`)).status).to.equal(204);
    expect((await client.ask('GET', '/v1/accounts', { headers: { authorization: `Bearer ${access}` } })).status).to.equal(401);
  });

  it('shows what the state says, and no configuration of a plugin', async () => {
    expect((await admin('GET', '/status')).body).to.deep.include({ database: { reachable: true } });
    const { body } = await admin('GET', '/routes/getPayment');
    expect(body).to.deep.include({ name: 'getPayment', methods: ['GET'], protocols: ['https'] });
    expect((await admin('GET', '/services/payment')).body).to.include({ name: 'payment', protocol: 'http' });
    expect(JSON.stringify((await admin('GET', '/plugins')).body)).to.not.match(/config|PRIVATE|provision/);
  });

  it('is not for web pages', async () => {
    for (const headers of [{ origin: 'http://evil.test' }, { host: 'evil.test' }, { host: `evil.test:${new URL(target.adminUrl).port}` }]) {
      const answer = await send(`${target.adminUrl}/consumers`, { headers });
      expect(answer.statusCode).to.equal(403);
    }
  });

  it('cannot be injected into', async () => {
    for (const evil of ['\'; drop table consumers; --', '%27%20or%20%271%27%3D%271', '../../status', '%00']) {
      expect((await admin('GET', `/consumers/${encodeURIComponent(evil)}`)).status).to.be.oneOf([404, 500]);
      expect((await admin('GET', `/consumers?custom_id=${encodeURIComponent(evil)}`)).status).to.be.oneOf([200, 500]);
    }
    expect((await admin('GET', '/consumers')).status).to.equal(200);
  });
});
