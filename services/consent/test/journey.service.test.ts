/** The authorisation journey on the bank's pages: what it leads to, and every way in which it must not be led astray. */
import { expect } from 'chai';
import { newEvent } from '@kontor/kernel/events';
import { newId } from '@kontor/kernel/ids';
import { ACCESS, approved, atHome, CALLBACK, codeIn, codeNow, confirmByMessage, context, FUNDS, PAGES, PAYMENT, RECURRING, testBank, upToConfirm, type TestBank } from './bank.js';

describe('the authorisation journey', () => {
  let bank: TestBank;
  before(async () => {
    bank = await testBank();
    await bank.service.deliver(newEvent('app.registered', { source: '/test', subject: 'app-1', context, data: { appId: 'app-1', name: 'Example Budget', roles: ['aisp'] } }));
  });
  after(() => bank.stop());

  const statusOf = async (consentId: string): Promise<string> =>
    (await bank.service.database.query<{ status: string }>('SELECT status FROM consents WHERE id = $1', [consentId]))[0]?.status ?? '';
  const proofOf = (consentId: string): Promise<{ factors: string[] }[]> => bank.service.database.query('SELECT factors FROM authentications WHERE consent_id = $1', [consentId]);

  describe('leads', () => {
    for (const [name, body, scope] of [['account access', ACCESS, 'accounts'], ['a payment', PAYMENT, 'payments'], ['recurring payments', RECURRING, 'payments'], ['a funds confirmation', FUNDS, 'funds']] as const) {
      it(`${name} from the request through password, decision and second factor back to the application`, async () => {
        const { consentId, page } = await approved(bank, body);
        expect(page.location).to.equal(`${CALLBACK}?code=the-code&state=xyz`);
        expect(['authenticated_userid', 'scope', 'code_challenge_method'].map((name) => bank.asked.at(-1)?.get(name))).to.deep.equal([consentId, scope, 'S256']);
        expect(await statusOf(consentId)).to.equal('authorised');
        expect(await proofOf(consentId)).to.deep.equal([{ factors: ['password', 'message'] }]);
      });
    }
    it('account access with an authenticator, each code once', async () => {
      const person = await bank.person();
      const [first, second] = [await bank.create(ACCESS), await bank.create(ACCESS)];
      const code = codeNow(person.banking.totpSecret);
      const one = await upToConfirm(bank, first, person);
      await one.submit('confirm/method', { method: 'totp' });
      expect((await one.submit('confirm', { code })).location).to.contain('code=the-code');
      const other = await upToConfirm(bank, second, person);
      await other.submit('confirm/method', { method: 'totp' });
      expect((await other.submit('confirm', { code })).status).to.equal(401);
      expect([await statusOf(first), await statusOf(second)]).to.deep.equal(['authorised', 'awaiting_authorisation']);
    });
    it('a payment with an approval on another device, which shows amount, payee and the same number', async () => {
      const person = await bank.person();
      const consentId = await bank.create(PAYMENT);
      const browser = await upToConfirm(bank, consentId, person);
      const waiting = await browser.submit('confirm/method', { method: 'decoupled' });
      expect(waiting.headers.get('refresh')).to.equal('3');
      const number = /<strong>(\d\d)<\/strong>/.exec(waiting.html)?.[1];
      const [approval] = await bank.approvals(person.customerId);
      expect(approval?.text).to.match(new RegExp(`^Number ${number}\\.`)).and.contain('€12.50').and.contain('Green Grocer').and.contain('DE89');
      expect(await bank.messages(person.customerId), 'pushed to the inbox').to.have.length(1);
      expect((await browser.open(waiting.path)).status, 'still waiting').to.equal(200);
      expect(await statusOf(consentId)).to.equal('awaiting_authorisation');
      expect((await bank.answer(person.customerId, approval!.approvalId, 'approve')).body.status).to.equal('approved');
      expect((await browser.open(waiting.path)).location).to.contain('code=the-code');
      expect(await proofOf(consentId)).to.deep.equal([{ factors: ['password', 'decoupled'] }]);
    });
    it('a joint account to both holders: the second approves from the dashboard with a second factor of her own', async () => {
      const [anna, bert] = [await bank.person(), await bank.person()];
      const joint = await bank.account([anna.customerId, bert.customerId]);
      const consentId = await bank.create(PAYMENT);
      const browser = await upToConfirm(bank, consentId, { ...anna, accountId: joint });
      expect((await confirmByMessage(bank, browser, anna.customerId)).location).to.contain('code=the-code');
      expect(await statusOf(consentId)).to.equal('partially_authorised');
      const home = await atHome(bank, bert);
      expect(home.page.html).to.contain('Waiting for you').and.contain(consentId);
      await home.submit(`consents/${consentId}/approve`, {});
      await home.submit('decision', { decision: 'approve' });
      expect((await confirmByMessage(bank, home, bert.customerId)).path).to.equal('/bank/consents');
      expect(await statusOf(consentId)).to.equal('authorised');
    });
    it('other terms to the customer who gave the consent, and to nobody else', async () => {
      const given = await approved(bank);
      const asked = await bank.service.request('POST', `/v1/consents/${given.consentId}/amend`, { op: 'amendConsent', caller: { clientId: 'app-1' }, headers: { 'idempotency-key': newId() }, body: { permissions: ['accounts:read', 'balances:read', 'transactions:read'] } });
      expect(asked.status, JSON.stringify(asked.body)).to.equal(200);
      const stranger = await bank.person();
      const other = bank.browser();
      await other.open(bank.requestFor(given.consentId));
      expect((await other.signIn(stranger.banking)).status).to.equal(404);
      const browser = await upToConfirm(bank, given.consentId, given);
      expect(browser.page.html).to.contain('Transactions');
      expect((await confirmByMessage(bank, browser, given.customerId)).location).to.contain('code=the-code');
      const [row] = await bank.service.database.query<{ permissions: string[] }>('SELECT permissions FROM consents WHERE id = $1', [given.consentId]);
      expect(row?.permissions).to.contain('transactions:read');
    });
    it('a refusal, and a customer who turns round, back with access_denied', async () => {
      const person = await bank.person();
      const [refused, left] = [await bank.create(ACCESS), await bank.create(ACCESS)];
      const browser = bank.browser();
      await browser.open(bank.requestFor(refused));
      await browser.signIn(person.banking);
      const back = new URL((await browser.submit('decision', { decision: 'refuse' })).location);
      expect([back.origin + back.pathname, back.searchParams.get('error'), back.searchParams.get('state')]).to.deep.equal([CALLBACK, 'access_denied', 'xyz']);
      expect(await statusOf(refused)).to.equal('rejected');
      await browser.open(bank.requestFor(left));
      expect((await browser.submit('cancel', {})).location).to.contain('error=access_denied');
      expect(await statusOf(left), 'who is not known decides nothing').to.equal('awaiting_authorisation');
    });
    it('back with temporarily_unavailable when the gateway does not answer, and nothing is approved', async () => {
      const person = await bank.person();
      const consentId = await bank.create(ACCESS);
      const browser = await upToConfirm(bank, consentId, person);
      bank.gateway.down = true;
      const back = await confirmByMessage(bank, browser, person.customerId);
      bank.gateway.down = false;
      expect(back.location).to.contain('error=temporarily_unavailable').and.contain('state=xyz');
      expect(await statusOf(consentId)).to.equal('awaiting_authorisation');
    });
    it('to a page, not to an address, when the gateway does not know the application\'s address', async () => {
      const person = await bank.person();
      const consentId = await bank.create(ACCESS, 'unregistered');
      const browser = bank.browser();
      await browser.open(bank.requestFor(consentId, { client_id: 'unregistered' }));
      await browser.signIn(person.banking);
      await browser.submit('decision', { decision: 'approve', account: person.accountId });
      const page = await confirmByMessage(bank, browser, person.customerId);
      expect([page.status, page.location]).to.deep.equal([422, '']);
      expect(await statusOf(consentId)).to.equal('awaiting_authorisation');
    });
  });

  describe('shows', () => {
    it('only what the account is known by, and no balance unless the policy says so', async () => {
      const person = await bank.person();
      const browser = bank.browser();
      await browser.open(bank.requestFor(await bank.create(ACCESS)));
      expect(browser.page.html, 'before the password only who asks').to.contain('Example Budget').and.not.contain('Balances');
      const { html } = await browser.signIn(person.banking);
      expect(html).to.contain('DE •••• 3000').and.contain('•••• EUR').and.contain('Balances').and.not.contain('DE89370400440532013000');
    });
    it('no payment to who has no more than the link', async () => {
      const { html } = await bank.browser().open(bank.requestFor(await bank.create(PAYMENT)));
      expect(html).not.to.contain('Green Grocer').and.not.to.contain('12.50');
    });
    it('what an application calls itself as text', async () => {
      await bank.service.deliver(newEvent('app.registered', { source: '/test', subject: 'app-evil', context, data: { appId: 'app-evil', name: '<script>alert(1)</script>', roles: ['aisp'] } }));
      const consentId = await bank.create(ACCESS, 'app-evil');
      const { html } = await bank.browser().open(bank.requestFor(consentId, { client_id: 'app-evil' }));
      expect(html).to.contain('&lt;script&gt;').and.not.contain('<script');
    });
    it('the language of the request, of the browser, or the one chosen', async () => {
      const consentId = await bank.create(ACCESS);
      expect((await bank.browser().open(bank.requestFor(consentId, { ui_locales: 'fr de-AT' }))).html).to.contain('<html lang="de">').and.contain('Benutzername');
      const browser = bank.browser({ 'accept-language': 'fr, de;q=0.9, en;q=0.8' });
      const { html } = await browser.open('/bank/sign-in');
      expect(html).to.contain('Benutzername');
      const to = /class="switch" href="([^"]+)"/.exec(html)![1]!.replaceAll('&amp;', '&');
      expect((await browser.open(to)).html).to.contain('Username');
      expect((await browser.open('/bank/nothing-here')).html).to.contain('There is nothing at this address');
    });
  });

  describe('is not led astray by', () => {
    it('an open redirect: another address, another client, an address in the language switch', async () => {
      const consentId = await bank.create(ACCESS);
      for (const change of [{ redirect_uri: 'https://evil.example/' } as Record<string, string>, { redirect_uri: `${CALLBACK}/../x` }, { client_id: 'app-2' }]) {
        const page = await bank.browser().open(bank.requestFor(consentId, change));
        expect([page.status, page.location], JSON.stringify(change)).to.deep.equal([400, '']);
      }
      for (const back of ['https://evil.example/bank/x', '//evil.example/bank/x', '/\\evil.example', 'javascript:alert(1)', '/bank/../evil', '/bank//evil.example']) {
        const { location } = await bank.browser().send('GET', `/bank/language?${new URLSearchParams({ to: 'de', back }).toString()}`);
        expect(new URL(location).host, back).to.equal('bank.example');
        expect(new URL(location).pathname, back).to.match(/^\/bank\/[a-z]/);
      }
    });
    it('a request with a fault: the application is told which, by redirect and with its state', async () => {
      const consentId = await bank.create(ACCESS);
      for (const [change, error] of [
        [{ response_type: 'token' }, 'unsupported_response_type'], [{ scope: 'payments' }, 'invalid_scope'], [{ code_challenge_method: 'plain' }, 'invalid_request'], [{ code_challenge: 'short' }, 'invalid_request'],
      ] as const) {
        const back = new URL((await bank.browser().open(bank.requestFor(consentId, change))).location);
        expect([back.origin + back.pathname, back.searchParams.get('error'), back.searchParams.get('state')]).to.deep.equal([CALLBACK, error, 'xyz']);
      }
    });
    it('a replayed link: a one-time reference works once, a decided request leads back', async () => {
      const person = await bank.person();
      const consentId = await bank.create(ACCESS);
      const left = await bank.service.request('POST', `/v1/consents/${consentId}/authorise`, {
        op: 'authoriseConsent', caller: { clientId: 'app-1' }, headers: { 'idempotency-key': newId() }, body: { codeChallenge: 'x'.repeat(43), codeChallengeMethod: 'S256', state: 'abc' },
      });
      expect(left.status, JSON.stringify(left.body)).to.equal(201);
      const link = new URL(left.body.authoriseUrl as string);
      const path = `/bank/authorise${link.search}`;
      const browser = bank.browser();
      expect((await browser.open(path)).html).to.contain('name="username"');
      const again = await bank.browser().open(path);
      expect([again.status, again.location]).to.deep.equal([410, '']);
      expect(again.html).to.contain('This link has been used');
      await browser.signIn(person.banking);
      await browser.submit('decision', { decision: 'approve', account: person.accountId });
      expect((await confirmByMessage(bank, browser, person.customerId)).location).to.equal(`${CALLBACK}?code=the-code&state=abc`);
      expect((await bank.browser().open(bank.requestFor(consentId))).location).to.contain('error=access_denied');
    });
    it('a stolen link: another browser gets nothing of the first one\'s session', async () => {
      const person = await bank.person();
      const browser = await upToConfirm(bank, await bank.create(ACCESS), person);
      const thief = bank.browser();
      for (const path of [browser.page.path, browser.page.path.replace('confirm', 'decision')]) expect((await thief.open(path)).status, path).to.equal(401);
      expect((await thief.send('POST', '/bank/confirm/method', { ...browser.hidden('confirm/method'), method: 'message' })).status).to.equal(401);
    });
    it('a forged form (CSRF): from another site, or without the visit\'s token', async () => {
      const person = await bank.person();
      const browser = bank.browser();
      await browser.open(bank.requestFor(await bank.create(ACCESS)));
      const { username, password } = person.banking;
      const form = { ...browser.hidden('sign-in'), username, password };
      expect((await browser.send('POST', '/bank/sign-in', form, { origin: 'https://evil.example' })).status).to.equal(400);
      expect((await browser.send('POST', '/bank/sign-in', form, { 'sec-fetch-site': 'cross-site' })).status).to.equal(400);
      expect((await browser.send('POST', '/bank/sign-in', { ...form, token: 'x'.repeat(43) })).status).to.equal(400);
      const home = await atHome(bank, person);
      const given = await approved(bank, ACCESS, person);
      for (const token of ['', 'x'.repeat(43)]) expect((await home.send('POST', `/bank/consents/${given.consentId}/revoke`, { token })).status).to.equal(400);
      expect(await statusOf(given.consentId)).to.equal('authorised');
    });
    it('a frame (clickjacking), a script or a form to elsewhere: the policy of every page forbids them', async () => {
      const person = await bank.person();
      const browser = bank.browser();
      const pages = [await browser.open(bank.requestFor(await bank.create(ACCESS))), await browser.signIn(person.banking), await bank.browser().open('/bank/nothing'), await bank.browser().open('/bank/sign-in')];
      for (const { headers, path } of pages) {
        const policy = headers.get('content-security-policy') ?? '';
        expect(policy, path).to.contain("frame-ancestors 'none'").and.contain("default-src 'none'").and.not.contain('unsafe');
        expect([headers.get('x-frame-options'), headers.get('cache-control'), headers.get('referrer-policy')], path).to.deep.equal(['DENY', 'no-store', 'same-origin']);
      }
      expect(pages[1]!.headers.get('content-security-policy')).to.contain("form-action 'self' https://fintech.example");
      expect(pages[3]!.headers.get('content-security-policy')).not.to.contain('fintech.example');
    });
    it('a session planted before (fixation): trust has another name with each step', async () => {
      const person = await bank.person();
      const victim = bank.browser();
      await victim.open(bank.requestFor(await bank.create(ACCESS)));
      const planted = new Map(victim.cookies);
      await victim.signIn(person.banking);
      expect(victim.page.html).to.contain('name="decision"');
      const attacker = bank.browser();
      for (const [name, value] of planted) attacker.cookies.set(name, value);
      expect((await attacker.open(victim.page.path)).status).to.equal(401);
      const before = new Map(victim.cookies);
      const home = await atHome(bank, person, victim);
      for (const [name, value] of before) attacker.cookies.set(name, value);
      expect(home.page.status).to.equal(200);
      expect((await attacker.open('/bank/consents')).status).to.equal(401);
    });
    it('a password alone', async () => {
      const person = await bank.person();
      const consentId = await bank.create(ACCESS);
      const browser = bank.browser();
      await browser.open(bank.requestFor(consentId));
      await browser.signIn(person.banking);
      for (const path of ['/bank/consents', '/bank/consents/export.json', `/bank/consents/${consentId}`]) expect((await browser.send('GET', path)).status, path).to.equal(401);
      expect((await browser.send('POST', '/bank/confirm', { ...browser.hidden('decision'), code: '123456' })).location, 'nothing chosen yet').to.contain('/decision');
      expect(await statusOf(consentId)).to.equal('awaiting_authorisation');
    });
    it('an account of somebody else', async () => {
      const [person, stranger] = [await bank.person(), await bank.person()];
      const browser = bank.browser();
      await browser.open(bank.requestFor(await bank.create(ACCESS)));
      const { html } = await browser.signIn(person.banking);
      expect(html).not.to.contain(stranger.accountId);
      expect((await browser.submit('decision', { decision: 'approve', account: stranger.accountId })).status).to.equal(422);
    });
    it('an authenticator\'s code for a payment: it cannot be linked to amount and payee', async () => {
      for (const body of [PAYMENT, RECURRING]) {
        const browser = await upToConfirm(bank, await bank.create(body), await bank.person());
        expect(browser.page.html).to.contain('value="message"').and.contain('value="decoupled"').and.not.contain('value="totp"');
        expect((await browser.submit('confirm/method', { method: 'totp' })).status).to.equal(400);
      }
    });
    it('a code used before (replay), guessed codes, and the code of another challenge', async () => {
      const person = await bank.person();
      const [one, other] = [await upToConfirm(bank, await bank.create(PAYMENT), person), await upToConfirm(bank, await bank.create(PAYMENT), person)];
      await one.submit('confirm/method', { method: 'message' });
      const codeOfOne = codeIn((await bank.messages(person.customerId))[0]!.text);
      await other.submit('confirm/method', { method: 'message' });
      const codeOfOther = codeIn((await bank.messages(person.customerId))[0]!.text);
      if (codeOfOne !== codeOfOther) expect((await other.submit('confirm', { code: codeOfOne })).status, 'of another challenge').to.equal(401);
      const wrong = codeOfOther === '000000' ? '000001' : '000000';
      expect((await other.submit('confirm', { code: wrong })).html).to.contain('One more try');
      await other.submit('confirm', { code: wrong });
      expect(other.page.html, 'after three').to.contain('can no longer be used');
      expect((await other.send('POST', '/bank/confirm', { ...other.hidden('confirm/method'), code: codeOfOther })).status, 'also the right one').to.equal(400);
      const form = { ...one.hidden('confirm'), code: codeOfOne };
      expect((await one.send('POST', '/bank/confirm', form)).location).to.contain('code=the-code');
      const asked = bank.asked.length;
      expect((await one.send('POST', '/bank/confirm', form)).location, 'used: shows how it ended').to.contain('/done');
      expect(bank.asked.length, 'no second code at the gateway').to.equal(asked);
    });
    it('guessing on: after the tries of three challenges the consent is rejected', async () => {
      const person = await bank.person();
      const consentId = await bank.create(PAYMENT);
      const browser = await upToConfirm(bank, consentId, person);
      for (let challenge = 0; challenge < 3; challenge++) {
        expect(await statusOf(consentId)).to.equal('awaiting_authorisation');
        await browser.submit('confirm/method', { method: 'message' });
        const wrong = codeIn((await bank.messages(person.customerId))[0]!.text) === '000000' ? '000001' : '000000';
        for (let count = 0; count < 3; count++) await browser.submit('confirm', { code: wrong });
      }
      expect(browser.page.html).to.contain('Too many wrong codes').and.contain('error=access_denied');
      const [row] = await bank.service.database.query<{ status: string; status_reason: string }>('SELECT status, status_reason FROM consents WHERE id = $1', [consentId]);
      expect(row).to.deep.equal({ status: 'rejected', status_reason: 'too_many_attempts' });
    });
    it('a code given after the terms have changed', async () => {
      const given = await approved(bank);
      const ask = (permissions: string[]) => bank.service.request('POST', `/v1/consents/${given.consentId}/amend`, { op: 'amendConsent', caller: { clientId: 'app-1' }, headers: { 'idempotency-key': newId() }, body: { permissions } });
      await ask(['accounts:read']);
      const browser = await upToConfirm(bank, given.consentId, given);
      await browser.submit('confirm/method', { method: 'message' });
      const code = codeIn((await bank.messages(given.customerId))[0]!.text);
      await ask(['accounts:read', 'balances:read', 'transactions:read']);
      const page = await browser.submit('confirm', { code });
      expect(page.html).to.contain('The request has changed').and.contain('name="decision"').and.contain('Transactions');
      expect((await browser.submit('decision', { decision: 'approve', account: given.accountId })).html).to.contain('name="method"');
      expect((await browser.submit('confirm', { code }).catch(() => undefined)), 'the page asks for a new challenge first').to.equal(undefined);
      const [row] = await bank.service.database.query<{ permissions: string[] }>('SELECT permissions FROM consents WHERE id = $1', [given.consentId]);
      expect(row?.permissions).to.deep.equal(ACCESS.permissions);
    });
    it('a decision on terms that were not on the page', async () => {
      const given = await approved(bank);
      const ask = (permissions: string[]) => bank.service.request('POST', `/v1/consents/${given.consentId}/amend`, { op: 'amendConsent', caller: { clientId: 'app-1' }, headers: { 'idempotency-key': newId() }, body: { permissions } });
      await ask(['accounts:read']);
      const browser = bank.browser();
      await browser.open(bank.requestFor(given.consentId));
      await browser.signIn(given.banking);
      await ask(['accounts:read', 'transactions:read']);
      const page = await browser.submit('decision', { decision: 'approve', account: given.accountId });
      expect([page.status, page.html.includes('The request has changed')]).to.deep.equal([409, true]);
    });
    it('a second tab: each decides its own request', async () => {
      const person = await bank.person();
      const [first, second] = [await bank.create(ACCESS), await bank.create(PAYMENT)];
      const browser = bank.browser();
      await browser.open(bank.requestFor(first));
      const tabOne = browser.page;
      await browser.open(bank.requestFor(second));
      const tabTwo = browser.page;
      browser.page = tabOne;
      await browser.signIn(person.banking);
      const decisionOne = browser.page;
      browser.page = tabTwo;
      await browser.signIn(person.banking);
      expect(browser.page.html).to.contain('€12.50');
      browser.page = decisionOne;
      await browser.submit('decision', { decision: 'refuse' });
      expect([await statusOf(first), await statusOf(second)]).to.deep.equal(['rejected', 'awaiting_authorisation']);
    });
    it('a form sent twice at once: one approval, and both sendings end there', async () => {
      const person = await bank.person();
      const consentId = await bank.create(PAYMENT);
      const browser = await upToConfirm(bank, consentId, person);
      await browser.submit('confirm/method', { method: 'message' });
      const form: Record<string, string> = { ...browser.hidden('confirm'), code: codeIn((await bank.messages(person.customerId))[0]!.text) };
      const sent = await Promise.all([1, 2, 3].map(() => browser.send('POST', '/bank/confirm', form)));
      expect(sent.filter(({ location }) => location.includes('code=the-code'))).to.have.length(1);
      for (const { location } of sent.filter((page) => !page.location.includes('code='))) expect(location).to.match(/^http:\/\/bank\.example\/bank\/done\?t=/);
      expect(await proofOf(consentId)).to.have.length(1);
      const done = await browser.send('GET', `/bank/done?t=${form['t']}`);
      expect(done.html).to.contain('You have approved this').and.contain('Go back to Example Budget');
      expect((await browser.send('POST', '/bank/decision', { ...form, decision: 'refuse' })).location, 'the back button shows what was decided').to.contain('/done');
      expect(await statusOf(consentId)).to.equal('authorised');
    });
    it('a denial on the device: nothing is approved', async () => {
      const person = await bank.person();
      const consentId = await bank.create(PAYMENT);
      const browser = await upToConfirm(bank, consentId, person);
      const waiting = await browser.submit('confirm/method', { method: 'decoupled' });
      const [approval] = await bank.approvals(person.customerId);
      await bank.answer(person.customerId, approval!.approvalId, 'deny');
      expect((await bank.answer(person.customerId, approval!.approvalId, 'approve')).status, 'decided is decided').to.equal(409);
      expect((await bank.answer(person.customerId, approval!.approvalId, 'deny')).status).to.equal(200);
      expect((await browser.open(waiting.path)).html).to.contain('You declined on your other device');
      expect((await bank.answer((await bank.person()).customerId, approval!.approvalId, 'approve')).status, 'nobody else\'s').to.equal(404);
      expect(await statusOf(consentId)).to.equal('awaiting_authorisation');
    });
  });

  describe('is found', () => {
    it('by its metadata (RFC 8414), and through /authorize', async () => {
      const metadata = (await bank.service.request('GET', '/.well-known/oauth-authorization-server')).body;
      expect(metadata).to.deep.include({ response_types_supported: ['code'], code_challenge_methods_supported: ['S256'], authorization_response_iss_parameter_supported: false, ui_locales_supported: ['en', 'de'] });
      expect(metadata.authorization_endpoint).to.equal('http://bank.example/authorize');
      expect(metadata).not.to.have.any.keys('introspection_endpoint', 'registration_endpoint');
      const page = await bank.browser().send('GET', '/authorize?consent_id=x&state=%26a');
      expect([page.status, page.location]).to.deep.equal([303, `${PAGES}/authorise?consent_id=x&state=%26a`]);
    });
  });
});
