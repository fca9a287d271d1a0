import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { request as send } from 'undici';
import { Client, expectProblem } from './client.js';
import { deckVariables, embeddedTarget, houseState } from './target.js';
import { startUpstream } from './upstream.js';

describe('A gateway whose database goes away', () => {
  it('refuses within two seconds whom it does not know, issues nothing, and says that it is not ready', async () => {
    const upstream = await startUpstream();
    const target = await embeddedTarget(houseState(), deckVariables(upstream.url));
    const client = new Client(target);
    try {
      const app = await client.app();
      const access = await client.clientToken(app, 'customers');
      const ready = async () => (await send(`${target.adminUrl}/readyz`)).statusCode;
      expect(await ready()).to.equal(200);
      await target.loseDatabase();
      const started = performance.now();
      for (const headers of [{ authorization: `Bearer ${access}` }, { authorization: `Bearer ${'A'.repeat(32)}` }]) {
        expectProblem(await client.ask('GET', '/v1/customers', { headers }), 503, 'unavailable');
      }
      expectProblem(await client.ask('POST', '/sandbox/incoming-payments', { headers: { apikey: app.apiKey }, body: {} }), 503, 'unavailable');
      expect(performance.now() - started).to.be.lessThan(6_000);
      const token = await client.form('/oauth2/token', { grant_type: 'client_credentials', client_id: app.clientId, client_secret: app.clientSecret });
      expect(token.status).to.equal(503);
      const code = await client.authorise(app, randomUUID(), 'accounts');
      expect(code.status).to.equal(503);
      expect(upstream.arrived).to.be.empty;
      expect(await ready()).to.equal(503);
      expect(target.logged()).to.not.include(access);
    } finally {
      await client.close();
      await target.stop();
      await upstream.stop();
    }
  });

  it('goes on serving whom it knows while their tokens live, but no API key', async () => {
    const upstream = await startUpstream();
    let ahead = 0;
    const target = await embeddedTarget(houseState(), deckVariables(upstream.url), { now: () => Date.now() + ahead });
    const client = new Client(target);
    try {
      const app = await client.app();
      const headers = { authorization: `Bearer ${await client.clientToken(app, 'customers')}` };
      const incoming = () => client.ask('POST', '/sandbox/incoming-payments', { headers: { apikey: app.apiKey }, body: {} });
      expect((await client.ask('GET', '/v1/customers', { headers })).status).to.equal(200);
      expect((await incoming()).status).to.equal(200);
      await target.loseDatabase();
      for (ahead of [6_000, 60_000, 800_000]) expect((await client.ask('GET', '/v1/customers', { headers })).status, `${ahead} ms later`).to.equal(200);
      expectProblem(await incoming(), 503, 'unavailable');
      ahead = 901_000;
      expect((await client.ask('GET', '/v1/customers', { headers })).status).to.be.oneOf([401, 503]);
    } finally {
      await client.close();
      await target.stop();
      await upstream.stop();
    }
  });
});
