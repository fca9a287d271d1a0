import { expect } from 'chai';
import fc from 'fast-check';
import { accountsOffered, authorise, consume, decisionOf, eventOf, expire, isOver, readAuthorisationRequest, reject, requestConsent, revoke, type Consent, type NewConsent, type OfferedAccount } from '../src/consent.js';

const NOW = new Date('2026-06-01T12:00:00Z');
const later = (ms: number): Date => new Date(NOW.getTime() + ms);
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const BY = { id: '0190a5d0-0000-7000-8000-000000000001', clientId: 'app-1', roles: ['aisp', 'pisp'], now: NOW };
const ACCESS: NewConsent = { type: 'account-access', permissions: ['accounts:read'], validUntil: later(90 * DAY).toISOString(), redirectUri: 'https://fintech.example/callback' };
const PAYMENT: NewConsent = { type: 'payment', payment: { amount: { amount: '12.50', currency: 'EUR' }, creditor: { name: 'Green Grocer', iban: 'DE89370400440532013000' } }, redirectUri: 'https://fintech.example/callback' };
const account = (id: string, currency = 'EUR'): OfferedAccount => ({ id, customerId: 'customer-1', iban: 'DE89370400440532013000', currency, product: 'current' });
const OWNED = [account('a1'), account('a2'), account('usd', 'USD')];
const approve = (consent: Consent, chosen = ['a1'], now = NOW): Consent => authorise(consent, { customerId: 'customer-1', chosen, owned: OWNED, now });
const codeOf = (act: () => unknown): string | undefined => {
  try {
    act();
    return undefined;
  } catch (error) {
    return (error as { code?: string }).code;
  }
};

describe('asking for a consent', () => {
  it('awaits the customer, with no account yet', () => {
    expect(requestConsent(ACCESS, BY)).to.include({ status: 'awaiting_authorisation', version: 1, clientId: 'app-1' }).and.have.deep.property('accounts', []);
  });
  it('takes the role that fits its type', () => {
    expect(codeOf(() => requestConsent(ACCESS, { ...BY, roles: ['pisp'] }))).to.equal('role_required');
    expect(codeOf(() => requestConsent(PAYMENT, { ...BY, roles: ['aisp'] }))).to.equal('role_required');
  });
  const refused: [string, NewConsent, string][] = [
    ['an end in the past', { ...ACCESS, validUntil: later(-1).toISOString() } as NewConsent, 'unprocessable'],
    ['an end more than 180 days ahead', { ...ACCESS, validUntil: later(181 * DAY).toISOString() } as NewConsent, 'unprocessable'],
    ['a redirect URI that is no web address', { ...ACCESS, redirectUri: 'javascript:alert(1)' }, 'unprocessable'],
    ['a redirect URI with a fragment', { ...ACCESS, redirectUri: 'https://fintech.example/#x' }, 'unprocessable'],
    ['an amount of zero', { ...PAYMENT, payment: { ...PAYMENT.payment, amount: { amount: '0.00', currency: 'EUR' } } }, 'invalid_amount'],
    ['an amount with three decimals', { ...PAYMENT, payment: { ...PAYMENT.payment, amount: { amount: '1.005', currency: 'EUR' } } }, 'invalid_amount'],
    ['a creditor IBAN with wrong check digits', { ...PAYMENT, payment: { ...PAYMENT.payment, creditor: { name: 'x', iban: 'DE88370400440532013000' } } }, 'invalid_iban'],
  ];
  for (const [what, input, code] of refused) it(`refuses ${what}`, () => expect(codeOf(() => requestConsent(input, BY))).to.equal(code));
});

describe('the customer\'s decision', () => {
  it('names customer and accounts, and grows the version', () => {
    expect(approve(requestConsent(ACCESS, BY), ['a1', 'a2'])).to.deep.include({ status: 'authorised', customerId: 'customer-1', accounts: ['a1', 'a2'], version: 2 });
  });
  it('refuses an account the customer does not own', () => expect(codeOf(() => approve(requestConsent(ACCESS, BY), ['somebody-elses']))).to.equal('unprocessable'));
  it('refuses no account at all', () => expect(codeOf(() => approve(requestConsent(ACCESS, BY), []))).to.equal('unprocessable'));
  it('refuses two accounts for one payment', () => expect(codeOf(() => approve(requestConsent(PAYMENT, BY), ['a1', 'a2']))).to.equal('unprocessable'));
  it('offers a payment only accounts of its currency, and only the one it names', () => {
    expect(accountsOffered(requestConsent(PAYMENT, BY), OWNED).map(({ id }) => id)).to.deep.equal(['a1', 'a2']);
    const named = requestConsent({ ...PAYMENT, payment: { ...PAYMENT.payment, debtorAccountId: 'a2' } }, BY);
    expect(accountsOffered(named, OWNED).map(({ id }) => id)).to.deep.equal(['a2']);
  });
  it('is taken once', () => {
    const approved = approve(requestConsent(ACCESS, BY));
    expect(codeOf(() => approve(approved))).to.equal('invalid_state');
    expect(codeOf(() => reject(approved, 'by_customer', NOW))).to.equal('invalid_state');
  });
  it('comes too late after an hour', () => expect(codeOf(() => approve(requestConsent(ACCESS, BY), ['a1'], later(60 * MINUTE)))).to.equal('invalid_state'));
});

describe('the end of a consent', () => {
  it('is a revocation by either side, once; a second one changes nothing', () => {
    const revoked = revoke(approve(requestConsent(ACCESS, BY)), 'by_customer', NOW);
    expect(revoked).to.include({ status: 'revoked', statusReason: 'by_customer', version: 3 });
    expect(revoke(revoked, 'by_third_party', NOW)).to.equal(revoked);
  });
  it('is its expiry, not a moment before', () => {
    const approved = approve(requestConsent(ACCESS, BY));
    expect(expire(approved, later(90 * DAY - 1))).to.equal(approved);
    expect(expire(approved, later(90 * DAY))).to.include({ status: 'expired' });
  });
  it('is to be abandoned for an hour', () => expect(expire(requestConsent(ACCESS, BY), later(60 * MINUTE))).to.include({ status: 'expired', statusReason: 'abandoned' }));
  it('is to be used up, for payments only', () => {
    const access = approve(requestConsent(ACCESS, BY));
    expect(consume(access, NOW)).to.equal(access);
    expect(consume(approve(requestConsent(PAYMENT, BY)), NOW)).to.include({ status: 'consumed' });
  });
});

describe('the decision the gateway reads', () => {
  it('allows an authorised consent and nothing else, whatever is done to it in whatever order', () => {
    const acts: ((consent: Consent) => Consent)[] = [
      (c) => approve(c), (c) => reject(c, 'by_customer', NOW), (c) => revoke(c, 'by_customer', NOW), (c) => expire(c, later(200 * DAY)), (c) => consume(c, NOW),
    ];
    fc.assert(fc.property(fc.constantFrom(ACCESS, PAYMENT), fc.array(fc.nat(acts.length - 1), { maxLength: 12 }), (input, order) => {
      let consent = requestConsent(input, BY);
      for (const index of order) {
        const before = consent;
        try {
          consent = acts[index]!(consent);
        } catch (error) {
          expect((error as { code?: string }).code).to.equal('invalid_state');
        }
        expect(consent.version - before.version).to.be.oneOf([0, 1]);
        if (isOver(before)) expect(consent).to.equal(before);
        const decision = decisionOf(consent);
        expect(decision.status === 'authorised').to.equal(consent.status === 'authorised');
        expect(decision.status === 'denied').to.equal(decision.reason !== undefined);
        expect(eventOf(consent)).to.equal(consent.status === 'awaiting_authorisation' ? 'consent.created' : `consent.${consent.status}`);
      }
    }), { numRuns: 500 });
  });
});

describe('an authorisation request', () => {
  const consent = requestConsent(ACCESS, BY);
  const query = { response_type: 'code', client_id: 'app-1', redirect_uri: 'https://fintech.example/callback', code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256', state: 'xyz' };
  it('carries the scope of its consent where it names none', () => expect(readAuthorisationRequest(query, consent)).to.include({ scope: 'accounts', state: 'xyz' }));
  const wrong: [string, Record<string, string>][] = [
    ['another response type', { response_type: 'token' }], ['another client', { client_id: 'app-2' }], ['another redirect URI', { redirect_uri: 'https://evil.example/' }],
    ['no PKCE', { code_challenge: '' }], ['plain PKCE', { code_challenge_method: 'plain' }], ['a scope the consent does not carry', { scope: 'payments' }], ['a state without end', { state: 'x'.repeat(513) }],
  ];
  for (const [what, change] of wrong) it(`with ${what} is refused`, () => expect(codeOf(() => readAuthorisationRequest({ ...query, ...change }, consent))).to.equal('unprocessable'));
  it('twice in the query is refused', () => expect(codeOf(() => readAuthorisationRequest({ ...query, client_id: ['app-1', 'app-2'] }, consent))).to.equal('unprocessable'));
  it('for a consent already decided is refused', () => expect(codeOf(() => readAuthorisationRequest(query, approve(consent)))).to.equal('invalid_state'));
});
