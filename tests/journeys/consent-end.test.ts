/** How often a consent is used without the customer, and what its end means for the tokens issued on it, on the running platform; also where the broker is down. */
import { expect } from 'chai';
import { startReceiver, type Receiver } from '../../scripts/demo/receiver.js';
import { bearer, clientToken, newKey, registerApp, type App, type Token } from '../../scripts/demo/fintech.js';
import { journal, send } from '../../scripts/demo/journal.js';
import { consentTo, giveAccess, openAccount, registerCustomers } from '../../scripts/demo/walk.js';
import { eventually } from '@kontor/testing/wait';
import { kill, place, sanctioned } from './platform.js';

describe('a consent and its tokens', function () {
  this.timeout(180_000);
  const quiet = journal(() => undefined);
  let receiver: Receiver;
  let app: App;
  let own: Token;
  let customerId: string;
  let accountId: string;

  before(async () => {
    receiver = await startReceiver();
    const traveller = { journal: quiet, place: place(), receiver, sanctioned: await sanctioned() };
    app = await registerApp(quiet, place(), receiver.callbackUrl);
    own = await clientToken(quiet, place(), app, 'customers accounts payments consents');
    customerId = await registerCustomers(traveller, own);
    accountId = await openAccount(traveller, app, own, customerId);
  });
  after(() => receiver?.close());

  const given = async () => giveAccess({ journal: quiet, place: place(), receiver, sanctioned: await sanctioned() }, app, own, customerId, accountId);
  const read = (token: Token, headers: Record<string, string> = {}) => send({ url: `${place().gatewayUrl}/v1/accounts/${accountId}/balances`, headers: { ...bearer(token), ...headers } });
  const renew = (token: Token) => send({
    method: 'POST', url: `${place().gatewayUrl}/oauth2/token`,
    form: { grant_type: 'refresh_token', refresh_token: token.refresh!, client_id: app.clientId, client_secret: app.clientSecret },
  });

  for (const [when, before] of [['', () => Promise.resolve()], [', though the broker was down', () => kill('rabbitmq')]] as const) {
    it(`tells its revocation at the next request, and then takes the tokens along${when}`, async () => {
      const { customer, consentId, token } = await given();
      expect((await read(token)).status).to.equal(200);
      const back = before();
      await customer.revoke(consentId);
      const refused = await read(token);
      expect([refused.status, refused.body.code]).to.deep.equal([403, 'consent_revoked']);
      await back;
      await eventually('the access token is unknown', async () => (await read(token)).body.code === 'invalid_token', 60_000);
      const renewed = await renew(token);
      expect([renewed.status, renewed.body.error]).to.deep.equal([400, 'invalid_request']);
    });
  }

  it('is used so often a day without the customer, and with the customer as often as they like', async () => {
    const traveller = { journal: quiet, place: place(), receiver, sanctioned: await sanctioned() };
    const { customer } = await given();
    const { token, consentId } = await consentTo(traveller, customer, app, own, 'accounts', {
      type: 'account-access', permissions: ['accounts:read', 'balances:read'], frequencyPerDay: 2,
      validUntil: new Date(Date.now() + 24 * 3600 * 1000).toISOString(), redirectUri: receiver.callbackUrl,
    }, accountId);
    const unattended = [await read(token), await read(token), await read(token)];
    expect(unattended.map(({ status }) => status)).to.deep.equal([200, 200, 429]);
    expect(unattended[2]!.body.code).to.equal('consent_frequency_exceeded');
    expect(Number(unattended[2]!.headers.get('retry-after'))).to.be.within(1, 86_400);
    expect((await read(token, { 'x-fapi-customer-ip-address': '203.0.113.7' })).status).to.equal(200);

    const withdrawn = await send({ method: 'DELETE', url: `${place().gatewayUrl}/v1/consents/${consentId}`, headers: { ...bearer(own), 'idempotency-key': newKey() } });
    expect(withdrawn.status).to.equal(204);
    expect((await read(token)).body.code).to.equal('consent_withdrawn');
    await eventually('the access token is unknown', async () => (await read(token)).body.code === 'invalid_token', 60_000);
  });
});
