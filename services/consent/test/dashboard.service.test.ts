/** The customer's dashboard, and bad input on every page: a clear message in the person's language, nothing lost, nothing written. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { parse } from 'csv-parse/sync';
import { newEvent } from '@kontor/kernel/events';
import { newId } from '@kontor/kernel/ids';
import { ACCESS, approved, atHome, context, PAYMENT, RECURRING, testBank, upToConfirm, type Browser, type TestBank, type Values } from './bank.js';

let bank: TestBank;
let accountService: Server;
let balancesAnswer: (accountIds: string[]) => { status: number; body: unknown } | 'silence' = () => 'silence';
let known: string[] = [];
before(async () => {
  accountService = createServer((request, response) => {
    const answer = request.headers['x-balances-key'] === 'the-balances-key-of-the-bank' ? balancesAnswer(known) : { status: 401, body: {} };
    if (answer !== 'silence') response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body));
  });
  await new Promise<void>((resolve) => accountService.listen(0, '127.0.0.1', resolve));
  bank = await testBank({
    BALANCE_DISPLAY: 'shown', ACCOUNT_BALANCES_URL: `http://127.0.0.1:${(accountService.address() as AddressInfo).port}`, ACCOUNT_BALANCES_KEY: 'the-balances-key-of-the-bank', LOG_LEVEL: 'error',
  });
  await bank.service.deliver(newEvent('app.registered', { source: '/test', subject: 'app-1', context, data: { appId: 'app-1', name: '=Example "Budget"', roles: ['aisp'] } }));
});
after(async () => {
  await bank.stop();
  accountService.closeAllConnections();
  accountService.close();
});

const statusOf = async (consentId: string): Promise<string> => (await bank.service.database.query<{ status: string }>('SELECT status FROM consents WHERE id = $1', [consentId]))[0]?.status ?? '';

describe('the customer\'s dashboard', () => {
  it('shows who may do what, since when, until when and when it was last used, and nobody else\'s consents', async () => {
    const mine = await approved(bank);
    const theirs = await approved(bank);
    const paid = await approved(bank, PAYMENT, mine);
    await bank.service.deliver(newEvent('access.decided', { source: '/test', subject: mine.consentId, context, data: {
      consentId: mine.consentId, clientId: 'app-1', customerId: mine.customerId, operation: 'getBalances', decision: 'allow', count: 2, firstAt: '2026-11-20T08:00:00Z', lastAt: '2026-11-20T09:15:00Z' } as never }));
    const { html } = (await atHome(bank, mine)).page;
    expect(html).to.contain(mine.consentId).and.contain(paid.consentId).and.not.contain(theirs.consentId);
    expect(html).to.contain('20 Nov 2026').and.contain('never').and.contain('€12.50').and.contain('Balances');
  });
  it('ends a consent after one confirmation, with a reason that the history keeps', async () => {
    const given = await approved(bank);
    const home = await atHome(bank, given);
    await home.open(`/bank/consents/${given.consentId}`);
    await home.open(`/bank/consents/${given.consentId}/revoke`);
    expect(await statusOf(given.consentId), 'asking ends nothing').to.equal('authorised');
    await home.submit(`consents/${given.consentId}/revoke`, { reason: 'I no longer use it' });
    expect(home.page.path).to.equal(`/bank/consents?ended=${given.consentId}`);
    expect(home.page.html).to.contain('has ended');
    expect(await statusOf(given.consentId)).to.equal('revoked');
    expect((await home.open(`/bank/consents/${given.consentId}`)).html).to.contain('I no longer use it').and.contain('Ended at the bank');
    expect((await home.open(`/bank/consents/${given.consentId}/revoke`)).path, 'nothing more to end').to.equal(`/bank/consents/${given.consentId}`);
  });
  it('says who ended a consent, and keeps the words of staff to the bank', async () => {
    const given = await approved(bank);
    const ended = await bank.service.request('POST', `/v1/consent-administration/consents/${given.consentId}/revoke`, {
      op: 'revokeConsentAsStaff', caller: { clientId: 'staff-app', roles: ['bank-staff'], scopes: ['consent-administration'] }, headers: { 'idempotency-key': newId() }, body: { reason: 'fraud_suspected', note: 'suspected by telephone' },
    });
    expect(ended.status, JSON.stringify(ended.body)).to.be.below(300);
    const home = await atHome(bank, given);
    expect(home.page.html).to.contain('ended by the bank').and.not.contain('suspected');
    expect((await home.open(`/bank/consents/${given.consentId}`)).html).to.contain('the bank').and.not.contain('suspected');
    expect((await home.send('GET', '/bank/consents/export.json')).html).to.contain(given.consentId).and.not.contain('suspected');
  });
  it('knows no consent of somebody else, by reading, ending or approving', async () => {
    const [mine, theirs] = [await approved(bank), await approved(bank)];
    const home = await atHome(bank, mine);
    const token = home.hidden('sign-out')['token'] ?? '';
    for (const path of ['', '/revoke']) expect((await home.send('GET', `/bank/consents/${theirs.consentId}${path}`)).status).to.equal(404);
    for (const path of ['/revoke', '/approve']) expect((await home.send('POST', `/bank/consents/${theirs.consentId}${path}`, { token })).status).to.equal(404);
    expect(await statusOf(theirs.consentId)).to.equal('authorised');
  });
  it('gives everything about the consents away as JSON and CSV, to its customer only, and no formula in it', async () => {
    const mine = await approved(bank);
    await approved(bank, RECURRING, mine);
    const theirs = await approved(bank);
    const home = await atHome(bank, mine);
    const json = await home.send('GET', '/bank/consents/export.json');
    expect(json.headers.get('content-disposition')).to.contain('attachment');
    const kept = JSON.parse(json.html) as { consents: { consentId: string; history: unknown[]; accounts: string[] }[] };
    expect(kept.consents.map(({ consentId }) => consentId)).to.have.length(2).and.include(mine.consentId).and.not.include(theirs.consentId);
    expect(kept.consents[0]).to.deep.include({ accounts: ['DE89370400440532013000'] });
    expect(kept.consents[0]?.history).to.have.length(2);
    const csv = await home.send('GET', '/bank/consents/export.csv');
    const rows = parse(csv.html, { columns: true }) as Record<string, string>[];
    expect(rows).to.have.length(2);
    expect(rows[0]!['application'], 'a spreadsheet shows it').to.equal('\'=Example "Budget"');
    expect((await bank.browser().send('GET', '/bank/consents/export.json')).status).to.equal(401);
  });
  it('is over after signing out, also for who goes back', async () => {
    const home = await atHome(bank, await bank.person());
    const cookies = new Map(home.cookies);
    await home.submit('sign-out', {});
    expect(home.page.html).to.contain('You are signed out');
    for (const [name, value] of cookies) home.cookies.set(name, value);
    expect((await home.open('/bank/consents')).status).to.equal(401);
  });
});

describe('balances on the page where accounts are chosen', () => {
  const decision = async (): Promise<string> => {
    const person = await bank.person();
    known = [person.accountId];
    const browser = bank.browser();
    await browser.open(bank.requestFor(await bank.create(ACCESS)));
    return (await browser.signIn(person.banking)).html;
  };
  it('are shown when the bank\'s policy says so', async () => {
    balancesAnswer = (ids) => ({ status: 200, body: { balances: ids.map((accountId) => ({ accountId, available: { amount: '1234.50', currency: 'EUR' } })) } });
    expect(await decision()).to.contain('€1,234.50');
  });
  it('never hold the page up: silence, a fault or garbage reads "not available now"', async () => {
    for (const answer of ['silence', { status: 500, body: {} }, { status: 200, body: { balances: 'many' } }, { status: 200, body: [] }] as const) {
      balancesAnswer = () => answer;
      expect(await decision()).to.contain('not available now').and.contain('name="decision" value="approve"');
    }
  });
});

interface Bad { what: string; form: Values; status: number; en: string; de: string; keeps?: string }

describe('bad input on every page', () => {
  /** What the page says about each fault, in both languages, at its field, in the summary, and in the title. */
  async function refusals(page: (browser: Browser) => Promise<string>, faults: Bad[], field: string): Promise<void> {
    for (const { what, form, status, en, de, keeps } of faults) {
      for (const [language, sentence, prefix] of [['en', en, 'Error:'], ['de', de, 'Fehler:']] as const) {
        const browser = bank.browser({ 'accept-language': language });
        const action = await page(browser);
        const answer = await browser.submit(action, form);
        const where = `${what}, ${language}`;
        expect(answer.status, where).to.equal(status);
        expect(answer.html.replaceAll('&#39;', '\''), where).to.contain(sentence).and.contain(`<title>${prefix}`).and.contain('role="alert"');
        if (field) expect(answer.html, where).to.contain(`href="#${field}"`).and.contain(`id="${field}-error"`).and.match(new RegExp(`aria-describedby="[^"]*${field}-error"`)).and.contain(`id="${field}"`);
        if (keeps) expect(answer.html, where).to.contain(keeps);
        expect(answer.html, where).not.to.match(/\bat \w+.*\.ts:|Error:.*Error:.*Error:|undefined|\[object/);
      }
    }
  }

  it('the sign-in page keeps the name and never the password', async () => {
    await refusals(async (browser) => { await browser.open('/bank/sign-in'); return 'sign-in'; }, [
      { what: 'no name', form: { username: ' ', password: 'x' }, status: 400, en: 'Enter your username.', de: 'Geben Sie Ihren Benutzernamen ein.' },
      { what: 'a name without end', form: { username: 'x'.repeat(65), password: 'x' }, status: 400, en: 'at most 64', de: 'höchstens 64' },
      { what: 'a wrong password', form: { username: 'ada"><b>', password: 'geheim' }, status: 401, en: 'Username or password is not right.', de: 'Benutzername oder Passwort stimmt nicht.', keeps: 'value="ada&quot;&gt;&lt;b&gt;"' },
    ], 'username');
    await refusals(async (browser) => { await browser.open('/bank/sign-in'); return 'sign-in'; }, [
      { what: 'no password', form: { username: 'ada', password: '' }, status: 400, en: 'Enter your password.', de: 'Geben Sie Ihr Passwort ein.', keeps: 'value="ada"' },
      { what: 'a password without end', form: { username: 'ada', password: 'x'.repeat(129) }, status: 400, en: 'at most 128', de: 'höchstens 128', keeps: 'value="ada"' },
    ], 'password');
  });
  it('the decision page keeps what was ticked', async () => {
    const person = await bank.person();
    const second = await bank.account([person.customerId]);
    const stranger = await bank.person();
    const at = (body: object) => async (browser: Browser): Promise<string> => {
      await browser.open(bank.requestFor(await bank.create(body)));
      await browser.signIn(person.banking);
      return 'decision';
    };
    await refusals(at(ACCESS), [
      { what: 'no account', form: { decision: 'approve' }, status: 400, en: 'Choose at least one account.', de: 'Wählen Sie mindestens ein Konto.' },
      { what: 'an account of somebody else', form: { decision: 'approve', account: [second, stranger.accountId] }, status: 422, en: 'Choose from the accounts shown here.', de: 'Wählen Sie aus den hier gezeigten Konten.', keeps: `value="${second}" checked` },
      { what: 'an id that is none', form: { decision: 'approve', account: '\'; DROP TABLE consents' }, status: 422, en: 'Choose from', de: 'Wählen Sie aus' },
    ], 'account');
    await refusals(at(PAYMENT), [{ what: 'two accounts for a payment', form: { decision: 'approve', account: [person.accountId, second] }, status: 400, en: 'Choose one account.', de: 'Wählen Sie ein Konto.', keeps: 'checked' }], 'account');
    await refusals(at(ACCESS), [
      { what: 'no decision', form: { account: second }, status: 400, en: 'Choose “Approve” or “Refuse”.', de: 'Wählen Sie „Freigeben“ oder „Ablehnen“.', keeps: `value="${second}" checked` },
      { what: 'a decision that is none', form: { decision: 'perhaps', account: second }, status: 400, en: 'Choose “Approve”', de: 'Wählen Sie „Freigeben“' },
      { what: 'another version', form: { decision: 'approve', account: second, version: '99' }, status: 409, en: 'The request has changed', de: 'Die Anfrage hat sich geändert', keeps: `value="${second}" checked` },
    ], '');
  });
  it('the confirmation pages say how many tries are left, and cost none for what is no code', async () => {
    const person = await bank.person();
    const toMethods = async (browser: Browser): Promise<string> => {
      await upToConfirm(bank, await bank.create(ACCESS), person, browser);
      return 'confirm/method';
    };
    await refusals(toMethods, [
      { what: 'no method', form: {}, status: 400, en: 'Choose how you would like to confirm.', de: 'Wählen Sie, wie Sie bestätigen möchten.' },
      { what: 'an unknown method', form: { method: 'telepathy' }, status: 400, en: 'Choose how', de: 'Wählen Sie, wie' },
    ], 'method');
    const toCode = async (browser: Browser): Promise<string> => {
      await toMethods(browser);
      await browser.submit('confirm/method', { method: 'message' });
      for (const code of ['', '12345', 'abcdef', '1234567']) await browser.submit('confirm', { code });
      return 'confirm';
    };
    await refusals(toCode, [
      { what: 'no code', form: { code: ' ' }, status: 400, en: 'Enter the six digits', de: 'Geben Sie die sechs Ziffern' },
      { what: 'letters', form: { code: '12345x' }, status: 400, en: 'six digits, nothing else', de: 'sechs Ziffern und sonst nichts' },
    ], 'code');
    const browser = bank.browser();
    await toCode(browser);
    const right = (await bank.messages(person.customerId))[0]!.text.slice(0, 6);
    expect((await browser.submit('confirm', { code: right === '000000' ? '000001' : '000000' })).html).to.contain('2 more tries are left');
    expect((await browser.submit('confirm', { code: ` ${right.slice(0, 3)} ${right.slice(3)} ` })).location, 'blanks are no fault').to.contain('code=the-code');
  });
  it('the page that ends a consent keeps the reason', async () => {
    const given = await approved(bank);
    const long = `because "${'x'.repeat(200)}`;
    await refusals(async (browser) => {
      await atHome(bank, given, browser);
      await browser.open(`/bank/consents/${given.consentId}/revoke`);
      return `consents/${given.consentId}/revoke`;
    }, [{ what: 'a reason without end', form: { reason: long }, status: 400, en: 'at most 200', de: 'höchstens 200', keeps: `value="because &quot;${'x'.repeat(200)}"` }], 'reason');
    expect(await statusOf(given.consentId)).to.equal('authorised');
  });
  it('addresses and forms that are none of ours are answered with a page, in the person\'s language, and nothing is written', async () => {
    const before = (await bank.service.database.query('SELECT 1 FROM consents')).length;
    const cases: [string, string, Values | undefined, number, string][] = [
      ['GET', '/bank/authorise', undefined, 404, 'Diese Anfrage ist nicht bekannt'],
      ['GET', '/bank/authorise?consent_id=42', undefined, 404, 'Diese Anfrage ist nicht bekannt'],
      ['GET', `/bank/authorise?consent_id=${newId()}`, undefined, 404, 'Diese Anfrage ist nicht bekannt'],
      ['GET', '/bank/authorise?request=x', undefined, 410, 'Dieser Link wurde schon benutzt'],
      ['GET', '/bank/authorise?request=a&request=b', undefined, 410, 'Dieser Link wurde schon benutzt'],
      ['GET', '/bank/nothing', undefined, 404, 'Unter dieser Adresse gibt es nichts'],
      ['GET', '/bank/decision?t=a&t=b', undefined, 401, 'Ihre Sitzung ist beendet'],
      ['GET', '/bank/decision?t=__proto__', undefined, 401, 'Ihre Sitzung ist beendet'],
      ['GET', '/bank/confirm', undefined, 401, 'Ihre Sitzung ist beendet'],
      ['GET', '/bank/done?t=home', undefined, 401, 'Ihre Sitzung ist beendet'],
      ['GET', '/bank/consents', undefined, 401, 'Ihre Sitzung ist beendet'],
      ['GET', '/bank/consents/42', undefined, 401, 'Ihre Sitzung ist beendet'],
      ['POST', '/bank/sign-in', { username: 'a', password: 'b' }, 401, 'Ihre Sitzung ist beendet'],
      ['POST', '/bank/decision', { decision: 'approve' }, 401, 'Ihre Sitzung ist beendet'],
      ['POST', '/bank/confirm', { code: '123456', t: ['a', 'b'] }, 401, 'Ihre Sitzung ist beendet'],
      ['POST', '/bank/confirm/method', { method: 'totp' }, 401, 'Ihre Sitzung ist beendet'],
      ['POST', '/bank/cancel', {}, 401, 'Ihre Sitzung ist beendet'],
      ['POST', '/bank/sign-out', {}, 303, ''],
      ['POST', '/bank/sign-in', { username: 'x'.repeat(20_000) }, 413, 'Das war zu viel'],
      ['GET', '/bank/consents/%E0%A4%A', undefined, 404, 'Unter dieser Adresse gibt es nichts'],
    ];
    for (const [method, path, form, status, title] of cases) {
      const page = await bank.browser({ 'accept-language': 'de' }).send(method, path, form);
      expect([page.status, page.location.replace('http://bank.example/bank/signed-out', '')], `${method} ${path}`).to.deep.equal([status, '']);
      expect(page.html, `${method} ${path}`).to.contain(title).and.not.match(/node_modules|\.ts:\d/);
    }
    expect((await bank.service.database.query('SELECT 1 FROM consents')).length).to.equal(before);
  });
});
