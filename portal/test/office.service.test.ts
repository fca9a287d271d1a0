import { expect } from 'chai';
import { newId } from '@kontor/kernel/ids';
import { consentAdministration } from '../src/office-gateway.js';
import { consent, STAFF_CLIENT } from './consent-stand-in.js';
import { officeUnderTest, visitor, type Member, type OfficeUnderTest, type OfficeVisitor } from './office-under-test.js';
import { signedUp } from './portal-under-test.js';
import { problemOf } from './problems.js';

describe('the back office', function () {
  this.timeout(60_000);
  let office: OfficeUnderTest;
  let members: { officer: Member; compliance: Member };
  let officer: OfficeVisitor;
  let compliance: OfficeVisitor;
  before(async () => {
    office = await officeUnderTest();
    members = { officer: await office.member('consent-officer'), compliance: await office.member('compliance-officer') };
    officer = await office.signedIn(members.officer);
    compliance = await office.signedIn(members.compliance);
  });
  after(async () => { await office.stop(); });
  beforeEach(() => {
    Object.assign(office.consents, { consents: [], asked: [], interfere: undefined });
  });
  const known = (changes = {}): ReturnType<typeof consent> => {
    const one = consent(changes);
    office.consents.consents.push(one);
    return one;
  };
  const decide = (who: OfficeVisitor, id: string, fields: Record<string, string>, ending = 'revoke') => office.post(who, `/office/consents/${id}/${ending}`, fields);
  const writes = () => office.consents.asked.filter(({ method }) => method === 'POST');

  it('shows nothing to who is not signed in, and changes nothing for him', async () => {
    const { consentId } = known();
    for (const path of ['', '/consents', `/consents/${consentId}`, `/consents/${consentId}/revoke`, '/report', '/report.csv', '/nowhere']) {
      const { status, headers } = await office.get(visitor(), `/office${path}`);
      expect([status, headers.get('location')?.split('?')[0]], path).deep.equal([303, '/office/sign-in']);
    }
    const posted = await decide(visitor(), consentId, { reason: 'other' });
    expect(posted.status).equal(401);
    expect(posted.body).include('Your session is over, so nothing was changed').and.include(`value="/office/consents/${consentId}/revoke"`);
    expect(office.consents.asked).deep.equal([]);
  });

  describe('searching', () => {
    it('asks by customer, application, account, state and kind, with a token of its own', async () => {
      const one = known();
      known({ type: 'payment', status: 'consumed' });
      const query = new URLSearchParams({ customerId: one.customerId!.toUpperCase(), clientId: one.clientId, accountId: one.accounts[0]!, status: 'authorised', type: 'account-access' });
      const { status, body } = await office.get(officer, `/office/consents?${query.toString()}`);
      expect(status).equal(200);
      expect(body).include(`href="/office/consents/${one.consentId}"`).and.include('in force').and.include(one.customerId!);
      const [asked] = office.consents.asked;
      expect(Object.fromEntries(new URL(asked!.path, 'http://gateway').searchParams)).deep.equal({
        customerId: one.customerId, clientId: one.clientId, accountId: one.accounts[0], status: 'authorised', type: 'account-access', limit: '25',
      });
      expect(asked!.headers.cookie, 'the member\'s cookies stay here').equal(undefined);
    });

    it('turns its pages by cursor, under the same question', async () => {
      for (let i = 0; i < 30; i++) known({ clientId: 'app-of-many' });
      known({ clientId: 'another' });
      const first = await office.get(compliance, '/office/consents?clientId=app-of-many');
      const next = /href="([^"]+)" rel="next"/.exec(first.body)?.[1]?.replaceAll('&amp;', '&');
      expect(next).equal('/office/consents?clientId=app-of-many&cursor=25');
      const second = await office.get(compliance, next!);
      const shown = (body: string): string[] => [...body.matchAll(/href="\/office\/consents\/([0-9a-f-]{36})"/g)].map(([, id]) => id!);
      expect([shown(first.body).length, shown(second.body).length]).deep.equal([25, 5]);
      expect(new Set([...shown(first.body), ...shown(second.body)]).size).equal(30);
      expect(second.body).include('href="/office/consents?clientId=app-of-many">First page').and.not.include('rel="next"');
    });

    it('goes straight to a consent by its id', async () => {
      const { consentId } = known();
      expect((await office.get(officer, `/office/consents?consentId=${consentId}&status=revoked`)).headers.get('location')).equal(`/office/consents/${consentId}`);
    });

    it('says what is wrong next to each field, keeps what was typed, and asks nobody', async () => {
      const typed = { customerId: 'Ada <b>', clientId: 'two words', accountId: '42', consentId: 'x', status: 'gone', type: 'loan', cursor: 'c'.repeat(600) };
      const { status, body } = await office.get(officer, `/office/consents?${new URLSearchParams(typed).toString()}`);
      expect(status).equal(400);
      for (const name of ['customerId', 'clientId', 'accountId', 'consentId', 'status', 'type']) expect(body, name).include(`id="${name}-error"`);
      expect(body).include('value="Ada &lt;b&gt;"').and.include('value="two words"').and.include('value="42"').and.not.include('<b>');
      expect(office.consents.asked).deep.equal([]);
      const doubled = await office.get(officer, '/office/consents?customerId=a&customerId=b');
      expect(doubled.status, 'a name given twice is no text').equal(200);
    });

    it('keeps the question when nobody answers it', async () => {
      office.consents.interfere = () => 503;
      const { status, body } = await office.get(officer, '/office/consents?clientId=app-7&status=revoked');
      expect(status).equal(503);
      expect(body).include('did not answer').and.include('value="app-7"').and.match(/value="revoked" selected/);
    });
  });

  describe('one consent', () => {
    it('is shown with terms, approvals, last use and history; staff by their usernames', async () => {
      const one = known({ approvals: { required: 2, given: 1 }, status: 'partially_authorised' });
      one.history!.push({ version: 3, at: '2026-11-21T10:00:00Z', act: 'revoke', status: 'revoked', actor: 'bank', actorId: `${STAFF_CLIENT}/${members.officer.id}`, reason: 'by_bank', note: 'fraud_suspected: called <us> : twice' });
      const { body } = await office.get(compliance, `/office/consents/${one.consentId}`);
      for (const text of ['account details, balances', one.accounts[0]!, '4 times a day', '1 of 2', '2026-11-22 08:15 UTC', '2027-01-31 00:00 UTC', `bank, ${members.officer.username}`, 'Fraud is suspected', 'called &lt;us&gt; : twice'])
        expect(body).include(text);
    });

    it('shows a payment and a series of payments with amount, payee and limits', async () => {
      const creditor = { name: 'Green Grocer', iban: 'DE89370400440532013000' };
      const payment = known({ type: 'payment', permissions: ['payments:initiate'], recurring: false, payment: { amount: { amount: '12.50', currency: 'EUR' }, creditor, remittance: 'Invoice 17' } });
      const series = known({ type: 'variable-recurring', recurringTerms: { maximumPerPayment: { amount: '50.00', currency: 'EUR' }, periodicLimits: [{ maximum: { amount: '200.00', currency: 'EUR' }, period: 'month', alignment: 'calendar' }], creditor } });
      const [one, other] = [await office.get(officer, `/office/consents/${payment.consentId}`), await office.get(officer, `/office/consents/${series.consentId}`)];
      for (const text of ['12.50 EUR', 'Green Grocer', 'Invoice 17', 'once']) expect(one.body).include(text);
      for (const text of ['50.00 EUR a payment', '200.00 EUR a month (by the calendar)']) expect(other.body).include(text);
    });

    it('shows a bulk of payments with number, total and file', async () => {
      const digest = 'n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg';
      const { consentId } = known({ type: 'bulk-payment', permissions: ['payments:initiate'], recurring: false, bulk: { transactions: 240, total: { amount: '98450.00', currency: 'EUR' }, digest } });
      const { body } = await office.get(officer, `/office/consents/${consentId}`);
      for (const text of ['Bulk of payments', '240, 98450.00 EUR altogether', digest, '<dd>once']) expect(body).include(text);
    });

    it('names the application where it registered here', async () => {
      const { body } = await office.portal.ask(await signedUp(office.portal), 'POST', '/apps', { name: 'Budget & Co', redirectUri: 'https://app.example/cb' });
      const { consentId } = known({ clientId: (body as { appId: string }).appId });
      expect((await office.get(officer, `/office/consents/${consentId}`)).body).include('Budget &amp; Co');
      expect((await office.get(officer, '/office/consents')).body).include('Budget &amp; Co');
    });

    it('is not there, or no id at all: 404 on a page', async () => {
      for (const id of [newId(), 'x', '..%2freport']) expect((await office.get(officer, `/office/consents/${id}`)).status, id).equal(404);
      expect((await office.get(officer, `/office/consents/${newId()}/delete`)).status).equal(404);
    });
  });

  describe('ending a consent', () => {
    it('asks once, with the terms in sight, then revokes in the name of the member', async () => {
      const { consentId } = known();
      const page = await office.get(officer, `/office/consents/${consentId}`);
      expect(page.body).include(`/office/consents/${consentId}/revoke`).and.include(`/office/consents/${consentId}/expire`);
      const asked = await office.get(officer, `/office/consents/${consentId}/revoke`);
      expect(asked.body).include('Revoke this consent').and.include('account details, balances').and.include('name="reason" value="fraud_suspected"');
      const done = await decide(officer, consentId, { reason: 'fraud_suspected', note: ' told by telephone ' });
      expect([done.status, done.headers.get('location')]).deep.equal([303, `/office/consents/${consentId}?outcome=ended`]);
      expect(JSON.parse(writes()[0]!.body)).deep.equal({ reason: 'fraud_suspected', note: 'told by telephone', staffMember: members.officer.id });
      const after = await office.get(officer, done.headers.get('location')!);
      expect(after.body).include('Done: the consent is revoked').and.include(`bank, ${members.officer.username}`).and.not.include(`${consentId}/revoke"`);
    });

    it('ends early without a note', async () => {
      const { consentId } = known();
      expect((await decide(officer, consentId, { reason: 'data_corrected', note: '' }, 'expire')).headers.get('location')).include('outcome=ended');
      expect(writes()[0]!.path).equal(`/v1/consent-administration/consents/${consentId}/expire`);
      expect(JSON.parse(writes()[0]!.body)).deep.equal({ reason: 'data_corrected', staffMember: members.officer.id });
      expect((await office.get(officer, `/office/consents/${consentId}?outcome=ended`)).body).include('Done: the consent is expired');
    });

    it('twice is once: the second time it is done already, and what another ended before is said so', async () => {
      const { consentId } = known();
      const twice = await Promise.all([1, 2].map(() => decide(officer, consentId, { reason: 'other' })));
      for (const { headers } of twice) expect(headers.get('location')).include('outcome=ended');
      expect(office.consents.consents[0]!.history!.filter(({ act }) => act === 'revoke')).length(1);
      const colleague = await office.signedIn(await office.member('consent-officer'));
      const late = await decide(colleague, consentId, { reason: 'legal_order' });
      expect((await office.get(colleague, late.headers.get('location')!)).body).include('was over before your decision');
      expect((await office.get(colleague, `/office/consents/${consentId}/revoke`)).body).include('over already').and.not.include('<fieldset');
    });

    it('is not told of where it did not happen', async () => {
      const { consentId } = known();
      expect((await office.get(officer, `/office/consents/${consentId}?outcome=ended`)).body).not.include('Done');
    });

    it('takes a reason and a note that fits; otherwise says so next to the field, keeps what was typed, and writes nothing', async () => {
      const { consentId } = known();
      const cases: [Record<string, string>, string, string][] = [
        [{ note: 'a <b>note</b>' }, 'reason-error', 'a &lt;b&gt;note&lt;/b&gt;'],
        [{ reason: 'because', note: 'kept' }, 'reason-error', 'kept'],
        [{ reason: 'other', note: 'ü'.repeat(281) }, 'note-error', 'ü'.repeat(281)],
        [{ reason: 'other', note: 'nul \0 byte' }, 'note-error', 'nul'],
      ];
      for (const [fields, error, kept] of cases) {
        const { status, body } = await decide(officer, consentId, fields);
        expect(status).equal(400);
        expect(body).include(`id="${error}"`).and.include(kept);
        if (fields['reason'] === 'other') expect(body).match(/value="other" required checked/);
      }
      expect(writes()).deep.equal([]);
      expect((await decide(officer, consentId, { reason: 'other', note: 'ü'.repeat(280) })).status).equal(303);
    });

    it('is for consent officers only: others see no button, and are refused with 403 when they post all the same', async () => {
      const { consentId } = known();
      expect((await office.get(compliance, `/office/consents/${consentId}`)).body).not.include('/revoke').and.not.include('/expire');
      for (const ending of ['revoke', 'expire']) {
        expect((await office.get(compliance, `/office/consents/${consentId}/${ending}`)).status).equal(403);
        const posted = await decide(compliance, consentId, { reason: 'other' }, ending);
        expect(posted.status).equal(403);
        expect(posted.body).include('Only consent officers');
      }
      expect(writes()).deep.equal([]);
    });

    it('is not done by a form of another site', async () => {
      const { consentId } = known();
      for (const foreign of [{ 'sec-fetch-site': 'cross-site' }, { origin: 'https://evil.example' }] as Record<string, string>[])
        expect((await office.post(officer, `/office/consents/${consentId}/revoke`, { reason: 'other' }, foreign)).status).equal(400);
      expect(office.consents.asked).deep.equal([]);
    });

    it('says that the outcome is not known when no answer comes, and keeps the decision for another try', async () => {
      const { consentId } = known();
      office.consents.interfere = ({ method }) => (method === 'POST' ? 504 : undefined);
      const { status, body } = await decide(officer, consentId, { reason: 'legal_order', note: 'file 17' });
      expect(status).equal(503);
      expect(body).include('is not known').and.include('file 17').and.match(/value="legal_order" required checked/);
    });
  });

  describe('the report', () => {
    before(() => {
      Object.assign(office.consents.report, {
        byState: [{ type: 'account-access', status: 'authorised', consents: 12 }, { type: 'payment', status: 'consumed', consents: 7 }, { type: 'payment', status: 'authorised', consents: 1 }],
        byAge: [{ type: 'payment', age: '0-7 days', consents: 1 }, { type: 'account-access', age: '8-30 days', consents: 12 }],
        byClient: [{ clientId: 'app-1', application: 'Demo <i>', inForce: 13, all: 20 }],
        refusals: [{ code: 'consent_revoked', clientId: 'app-1', refusals: 3 }, { code: 'consent_expired', clientId: 'app-1', refusals: 41 }],
      });
    });

    it('shows figures as charts with the same numbers in tables', async () => {
      const { status, body } = await office.get(compliance, '/office/report?from=2026-11-01&to=2026-11-22');
      expect(status).equal(200);
      expect(body).include('Consents by state: in force 13, used 7').and.include('Refusals by reason: consent expired 41, consent revoked 3').and.include('Demo &lt;i&gt;');
      expect(body).match(/<th scope="row">in force<\/th><td>12<\/td><td>1<\/td><td>0<\/td><td>0<\/td><td>0<\/td><td><strong>13<\/strong>/);
      expect(body).include('value="2026-11-01"').and.include('/office/report.csv?from=2026-11-01&amp;to=2026-11-22');
      expect(body).not.match(/<script|style=/);
    });

    it('comes as CSV to save', async () => {
      const { headers, body } = await office.get(compliance, '/office/report.csv?from=2026-11-01&to=2026-11-22');
      expect(headers.get('content-type')).include('text/csv');
      expect(headers.get('content-disposition')).equal('attachment; filename=consents-2026-11-01-2026-11-22.csv');
      expect(body).include('figure,type_or_client');
    });

    it('takes days in order and a year at most; otherwise says so next to the field and asks nobody', async () => {
      for (const [from, to, error] of [['2026-02-30', '', 'from'], ['', 'yesterday', 'to'], ['2026-11-22', '2026-11-01', 'to'], ['2025-01-01', '2026-11-22', 'from']] as const) {
        const { status, body } = await office.get(compliance, `/office/report?from=${from}&to=${to}`);
        expect(status, `${from} ${to}`).equal(400);
        expect(body).include(`id="${error}-error"`).and.include(`value="${from || to}"`);
        expect((await office.get(compliance, `/office/report.csv?from=${from}&to=${to}`)).status).equal(400);
      }
      expect(office.consents.asked).deep.equal([]);
    });
  });

  describe('the gateway', () => {
    const tokensAsked = () => office.portal.gateway.relayed.filter(({ path }) => path === '/oauth2/token');

    it('is asked for one token by many requests, and for a new one when it is refused', async () => {
      office.consents.tokens.clear();
      office.portal.gateway.relayed.length = 0;
      const answers = await Promise.all(Array.from({ length: 6 }, () => office.get(officer, '/office/consents')));
      expect(answers.map(({ status }) => status)).deep.equal([200, 200, 200, 200, 200, 200]);
      expect(tokensAsked()).length(1);
      const [{ headers, body }] = tokensAsked() as [(typeof office.portal.gateway.relayed)[number]];
      expect(Buffer.from(headers.authorization!.slice(6), 'base64').toString()).equal(`${STAFF_CLIENT}:only-for-tests-of-the-office`);
      expect(Object.fromEntries(new URLSearchParams(body))).deep.equal({ grant_type: 'client_credentials', scope: 'consent-administration' });
      expect((await office.get(officer, '/office/consents')).status).equal(200);
      expect(tokensAsked(), 'kept').length(1);
    });

    it('that refuses, breaks off, says nonsense or says nothing gives a page that says so', async () => {
      const { consentId } = known();
      for (const ordered of [401, 403, 500, 502, '<html>', '']) {
        office.consents.interfere = ({ path }) => (path === '/oauth2/token' ? undefined : ordered);
        const { status, body } = await office.get(officer, `/office/consents/${consentId}`);
        expect(status, String(ordered)).equal(503);
        expect(body).include('did not answer').and.include('</html>').and.not.include('as ordered');
      }
      office.consents.interfere = () => 401;
      office.consents.tokens.clear();
      expect((await office.get(officer, '/office/report')).status, 'no token').equal(503);
      office.consents.interfere = () => 429;
      expect((await office.get(officer, `/office/consents/${consentId}`)).status).equal(503);
      office.consents.interfere = undefined;
      expect((await office.get(officer, `/office/consents/${consentId}`)).status, 'afterwards').equal(200);
    });

    it('is not waited for without end', async () => {
      office.consents.interfere = () => 'never';
      const logger = { error() {}, warn() {}, info() {}, debug() {} };
      const administration = consentAdministration({ gatewayUrl: office.portal.gateway.proxyUrl, clientId: STAFF_CLIENT, clientSecret: 'x', logger, timeoutMs: 150 });
      const fault = await problemOf(administration.report({}, { correlationId: 'c-1' }));
      expect(fault.code).equal('unavailable');
      const written = await problemOf(administration.end(newId(), 'revoke', { reason: 'other', staffMember: 'm-1' }, { correlationId: 'c-1' }));
      expect(written.detail).include('is not known');
      await administration.close();
    });
  });

  it('sends pages that load nothing from elsewhere, run nothing, and lie in no frame', async () => {
    const { consentId } = known();
    for (const path of ['/office/sign-in', '/office/consents', `/office/consents/${consentId}`, `/office/consents/${consentId}/revoke`, '/office/report', '/office/nowhere']) {
      const { headers, body } = await office.get(officer, path);
      expect(headers.get('content-security-policy'), path).include("default-src 'none'; style-src 'self'").and.include("frame-ancestors 'none'").and.not.include('script-src');
      expect(headers.get('cache-control')).equal('no-store');
      expect(body).not.match(/<script|\son\w+=|style=|(src|href)="(https?:)?\/\//);
    }
  });
});
