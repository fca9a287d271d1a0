import { expect } from 'chai';
import fc from 'fast-check';
import { readAuthorisationRequest } from '../src/authorisation-request.js';
import {
  accountsOffered, age, approve, approveJointly, askAmendment, awaitsApprovalOf, consume, decisionOf, eventOf, expireByBank, isOver, MOVES, noticeDue, reject, revoke, STATUSES, withdraw,
  type Consent, type OfferedAccount, type Outcome,
} from '../src/consent.js';
import { amendedTerms, requestConsent, type NewConsent } from '../src/terms.js';
import { judge } from '../src/validation.js';

const NOW = new Date('2026-06-01T12:00:00Z');
const later = (ms: number): Date => new Date(NOW.getTime() + ms);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const BY = { id: '0190a5d0-0000-7000-8000-000000000001', clientId: 'app-1', roles: ['aisp', 'pisp', 'cbpii'], now: NOW };
const redirectUri = 'https://fintech.example/callback';
const GROCER = { name: 'Green Grocer', iban: 'DE89370400440532013000' };
const euro = (amount: string): { amount: string; currency: string } => ({ amount, currency: 'EUR' });
const ACCESS: NewConsent = { type: 'account-access', permissions: ['accounts:read'], validUntil: later(90 * DAY).toISOString(), redirectUri };
const PAYMENT: NewConsent & { type: 'payment' } = { type: 'payment', payment: { amount: euro('12.50'), creditor: GROCER }, redirectUri };
const RECURRING: NewConsent & { type: 'variable-recurring' } = {
  type: 'variable-recurring', redirectUri,
  recurring: { maximumPerPayment: euro('50.00'), periodicLimits: [{ maximum: euro('200.00'), period: 'month', alignment: 'calendar' }], creditor: GROCER, validUntil: later(365 * DAY).toISOString() },
};
const DIGEST = 'n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg';
const BULK: NewConsent & { type: 'bulk-payment' } = { type: 'bulk-payment', bulk: { transactions: 240, total: euro('98450.00'), digest: DIGEST }, redirectUri };
const FUNDS: NewConsent = { type: 'funds-confirmation', validUntil: later(365 * DAY).toISOString(), redirectUri };
const account = (id: string, more: Partial<OfferedAccount> = {}): OfferedAccount => ({ id, holders: ['anna'], iban: GROCER.iban, currency: 'EUR', product: 'current', ...more });
const OWNED = [account('a1'), account('a2'), account('usd', { currency: 'USD' }), account('joint', { holders: ['anna', 'bert'] })];
const BANK = { actor: { kind: 'bank' as const, id: 'staff' }, reason: 'by_bank' as const };

const ask = (input: NewConsent): Consent => requestConsent(input, BY);
const approved = (consent: Consent, chosen = ['a1'], now = NOW): Consent => approve(consent, { customerId: 'anna', chosen, owned: OWNED, now }).consent;
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
    expect(ask(ACCESS)).to.include({ status: 'awaiting_authorisation', version: 1, clientId: 'app-1' }).and.have.deep.property('accounts', []);
  });
  const roles: [NewConsent, string][] = [[ACCESS, 'aisp'], [PAYMENT, 'pisp'], [RECURRING, 'pisp'], [BULK, 'pisp'], [FUNDS, 'cbpii']];
  for (const [input, role] of roles) {
    it(`of type ${input.type} takes the role ${role} and no other`, () => {
      for (const other of BY.roles) expect(codeOf(() => requestConsent(input, { ...BY, roles: [other] })), other).to.equal(other === role ? undefined : 'role_required');
    });
  }
  it('of a payment or a bulk lasts a day, or to the end of the day it is to be made on', () => {
    for (const input of [PAYMENT, BULK]) expect(ask(input).expiresAt, input.type).to.deep.equal(later(DAY));
    expect(ask({ ...BULK, bulk: { ...BULK.bulk, requestedExecutionDate: '2026-07-15' } }).expiresAt).to.deep.equal(new Date('2026-07-16T00:00:00Z'));
    expect(ask({ ...PAYMENT, payment: { ...PAYMENT.payment, requestedExecutionDate: '2026-07-15' } }).expiresAt).to.deep.equal(new Date('2026-07-16T00:00:00Z'));
  });
  const recurring = (change: Partial<typeof RECURRING.recurring>): NewConsent => ({ ...RECURRING, recurring: { ...RECURRING.recurring, ...change } });
  const refused: [string, NewConsent, string][] = [
    ['an end in the past', { ...ACCESS, validUntil: later(-1).toISOString() } as NewConsent, 'unprocessable'],
    ['an end more than 180 days ahead', { ...ACCESS, validUntil: later(181 * DAY).toISOString() } as NewConsent, 'unprocessable'],
    ['a frequency for one-off access', { ...ACCESS, recurring: false, frequencyPerDay: 4 } as NewConsent, 'unprocessable'],
    ['a redirect URI that is no web address', { ...ACCESS, redirectUri: 'javascript:alert(1)' }, 'unprocessable'],
    ['a redirect URI with a fragment', { ...ACCESS, redirectUri: 'https://fintech.example/#x' }, 'unprocessable'],
    ['a redirect URI with a user in it', { ...ACCESS, redirectUri: 'https://bank.example@evil.example/' }, 'unprocessable'],
    ['an amount of zero', { ...PAYMENT, payment: { ...PAYMENT.payment, amount: euro('0.00') } }, 'invalid_amount'],
    ['an amount with three decimals', { ...PAYMENT, payment: { ...PAYMENT.payment, amount: euro('1.005') } }, 'invalid_amount'],
    ['a creditor IBAN with wrong check digits', { ...PAYMENT, payment: { ...PAYMENT.payment, creditor: { name: 'x', iban: 'DE88370400440532013000' } } }, 'invalid_iban'],
    ['an execution date that does not exist', { ...PAYMENT, payment: { ...PAYMENT.payment, requestedExecutionDate: '2026-06-31' } }, 'unprocessable'],
    ['an execution date in the past', { ...PAYMENT, payment: { ...PAYMENT.payment, requestedExecutionDate: '2026-05-31' } }, 'unprocessable'],
    ['a bulk of nothing', { ...BULK, bulk: { ...BULK.bulk, total: euro('0') } }, 'invalid_amount'],
    ['a bulk that is to be made in the past', { ...BULK, bulk: { ...BULK.bulk, requestedExecutionDate: '2026-05-31' } }, 'unprocessable'],
    ['a period that allows less than one payment', recurring({ periodicLimits: [{ maximum: euro('49.99'), period: 'day', alignment: 'consent' }] }), 'unprocessable'],
    ['a period in another currency', recurring({ periodicLimits: [{ maximum: { amount: '900', currency: 'JPY' }, period: 'day', alignment: 'consent' }] }), 'unprocessable'],
    ['the same period twice', recurring({ periodicLimits: [{ maximum: euro('60'), period: 'day', alignment: 'consent' }, { maximum: euro('70'), period: 'day', alignment: 'consent' }] }), 'unprocessable'],
    ['a series that ends before it begins', recurring({ validFrom: later(2 * DAY).toISOString(), validUntil: later(DAY).toISOString() }), 'unprocessable'],
    ['funds confirmation without end', { ...FUNDS, validUntil: later(1096 * DAY).toISOString() } as NewConsent, 'unprocessable'],
  ];
  for (const [what, input, code] of refused) it(`refuses ${what}`, () => expect(codeOf(() => ask(input))).to.equal(code));
});

describe('the customer\'s decision', () => {
  it('names customer and accounts, and grows the version', () => {
    expect(approved(ask(ACCESS), ['a1', 'a2'])).to.deep.include({ status: 'authorised', customerId: 'anna', accounts: ['a1', 'a2'], version: 2, approvals: [{ customerId: 'anna', at: NOW }] });
  });
  it('refuses an account the customer does not own', () => expect(codeOf(() => approved(ask(ACCESS), ['a1', 'somebody-elses']))).to.equal('unprocessable'));
  it('refuses no account at all', () => expect(codeOf(() => approved(ask(ACCESS), []))).to.equal('unprocessable'));
  for (const input of [PAYMENT, RECURRING, FUNDS]) it(`refuses two accounts for ${input.type}`, () => expect(codeOf(() => approved(ask(input), ['a1', 'a2']))).to.equal('unprocessable'));
  it('takes several accounts for a bulk, of its currency, unless it names one', () => {
    expect(approved(ask(BULK), ['a1', 'a2'])).to.deep.include({ status: 'authorised', accounts: ['a1', 'a2'] });
    const named = ask({ ...BULK, bulk: { ...BULK.bulk, debtorAccountId: 'a2' } });
    expect(accountsOffered(ask(BULK), OWNED).map(({ id }) => id)).to.deep.equal(['a1', 'a2', 'joint']);
    expect(accountsOffered(named, OWNED).map(({ id }) => id)).to.deep.equal(['a2']);
    expect(codeOf(() => approved(named, ['a1']))).to.equal('unprocessable');
  });
  it('offers a payment only accounts of its currency, and only the one it names', () => {
    expect(accountsOffered(ask(PAYMENT), OWNED).map(({ id }) => id)).to.deep.equal(['a1', 'a2', 'joint']);
    expect(accountsOffered(ask({ ...PAYMENT, payment: { ...PAYMENT.payment, debtorAccountId: 'a2' } }), OWNED).map(({ id }) => id)).to.deep.equal(['a2']);
  });
  it('is taken once', () => {
    const consent = approved(ask(ACCESS));
    expect(codeOf(() => approved(consent))).to.equal('invalid_state');
    expect(codeOf(() => reject(consent, 'by_customer', NOW))).to.equal('invalid_state');
  });
  it('ends one-off access an hour later', () => expect(approved(ask({ ...ACCESS, recurring: false } as NewConsent)).expiresAt).to.deep.equal(later(HOUR)));
});

describe('a joint account', () => {
  const half = approved(ask(ACCESS), ['a1', 'joint']);
  it('takes the approval of each holder, in any order, each once', () => {
    expect(half).to.deep.include({ status: 'partially_authorised', approvers: ['anna', 'bert'] });
    expect([awaitsApprovalOf(half, 'anna'), awaitsApprovalOf(half, 'bert'), awaitsApprovalOf(half, 'eve')]).to.deep.equal([false, true, false]);
    const whole = approveJointly(half, { customerId: 'bert', now: later(DAY) }).consent;
    expect(whole).to.include({ status: 'authorised', version: 3 });
    expect(codeOf(() => approveJointly(whole, { customerId: 'bert', now: later(DAY) }))).to.equal('invalid_state');
  });
  it('is approved by nobody else, nor twice by one', () => {
    for (const customerId of ['anna', 'eve']) expect(codeOf(() => approveJointly(half, { customerId, now: NOW })), customerId).to.equal('invalid_state');
  });
  it('is allowed nothing until all have approved', () => expect(decisionOf(half)).to.include({ status: 'denied', reason: 'not_authorised' }));
  it('is rejected by one of its holders, by no stranger', () => {
    expect(reject(half, 'by_customer', NOW, 'bert').consent).to.include({ status: 'rejected', customerId: 'anna' });
    expect(codeOf(() => reject(half, 'by_customer', NOW, 'eve'))).to.equal('invalid_state');
  });
  it('is given up when the others have not answered for three days', () => {
    expect(age(half, later(3 * DAY - 1)).consent).to.equal(half);
    expect(age(half, later(3 * DAY)).consent).to.include({ status: 'rejected', statusReason: 'abandoned' });
  });
});

describe('an amendment', () => {
  const granted = approved(ask({ ...ACCESS, frequencyPerDay: 4 } as NewConsent));
  const asked = askAmendment(granted, amendedTerms(granted, { permissions: ['accounts:read', 'balances:read'], frequencyPerDay: 8 }, NOW), NOW).consent;
  it('changes nothing until the customer approves', () => {
    const { version: _asked, ...decision } = decisionOf(asked);
    const { version: _granted, ...before } = decisionOf(granted);
    expect(decision).to.deep.equal(before);
  });
  it('then replaces the terms', () => {
    const { consent, change } = approve(asked, { customerId: 'anna', chosen: ['a2'], owned: OWNED, now: later(MINUTE) });
    expect(consent).to.deep.include({ status: 'authorised', permissions: ['accounts:read', 'balances:read'], accounts: ['a2'], frequencyPerDay: 8, version: 4 }).and.not.have.property('amendment');
    expect([change!.reason, eventOf(consent, change!)]).to.deep.equal(['amended', 'consent.amended']);
  });
  it('of the same terms is a new proof of who the customer is', () => {
    const again = askAmendment(granted, amendedTerms(granted, {}, NOW), NOW).consent;
    expect(approve(again, { customerId: 'anna', chosen: ['a1'], owned: OWNED, now: NOW }).change!.reason).to.equal('reauthenticated');
  });
  it('is approved by the same customer only', () => expect(codeOf(() => approve(asked, { customerId: 'bert', chosen: ['a1'], owned: OWNED, now: NOW }))).to.equal('invalid_state'));
  it('takes no joint account', () => expect(codeOf(() => approve(asked, { customerId: 'anna', chosen: ['joint'], owned: OWNED, now: NOW }))).to.equal('unprocessable'));
  it('that is denied, or left alone for an hour, leaves the consent as it was', () => {
    const left = [reject(asked, 'by_customer', NOW, 'anna').consent, age(asked, later(HOUR)).consent];
    for (const consent of left) expect(consent).to.deep.include({ status: 'authorised', permissions: ['accounts:read'], frequencyPerDay: 4 }).and.not.have.property('amendment');
  });
  it('is for recurring account access in force, of one customer', () => {
    for (const input of [PAYMENT, RECURRING, BULK, FUNDS, { ...ACCESS, recurring: false } as NewConsent]) expect(codeOf(() => amendedTerms(approved(ask(input)), {}, NOW)), input.type).to.equal('unprocessable');
    expect(codeOf(() => askAmendment(ask(ACCESS), amendedTerms(ask(ACCESS), {}, NOW), NOW))).to.equal('invalid_state');
    const joint = approveJointly(approved(ask(ACCESS), ['joint']), { customerId: 'bert', now: NOW }).consent;
    expect(codeOf(() => askAmendment(joint, amendedTerms(joint, {}, NOW), NOW))).to.equal('unprocessable');
  });
});

describe('a series of payments', () => {
  const decisionFrom = (validFrom?: Date) => decisionOf(approved(ask({ ...RECURRING, recurring: { ...RECURRING.recurring, ...(validFrom ? { validFrom: validFrom.toISOString() } : {}) } } as NewConsent)));
  it('that is valid at once is so at once, not from the next full second on', () => expect(decisionFrom()).to.not.have.property('validFrom'));
  it('that begins later does not begin early', () => expect(decisionFrom(later(DAY + 1)).validFrom).to.equal(Math.ceil(later(DAY + 1).getTime() / 1000)));
});

describe('the end of a consent', () => {
  it('is a revocation at the bank or the third party giving it up, once; a second end changes nothing', () => {
    const revoked = revoke(approved(ask(ACCESS)), { actor: { kind: 'customer', id: 'anna' }, reason: 'by_customer' }, NOW).consent;
    expect(revoked).to.include({ status: 'revoked', statusReason: 'by_customer', version: 3 });
    expect(withdraw(revoked, 'app-1', NOW)).to.deep.equal({ consent: revoked });
    expect(withdraw(approved(ask(ACCESS)), 'app-1', NOW).consent).to.include({ status: 'withdrawn', statusReason: 'by_third_party' });
    expect(expireByBank(approved(ask(ACCESS)), BANK, NOW).consent).to.include({ status: 'expired', statusReason: 'by_bank' });
  });
  it('is its expiry, not a moment before', () => {
    const consent = approved(ask(ACCESS));
    expect(age(consent, later(90 * DAY - 1)).consent).to.equal(consent);
    expect(age(consent, later(90 * DAY)).consent).to.include({ status: 'expired', statusReason: 'end_reached' });
  });
  it('is to be abandoned for an hour', () => {
    expect(age(ask(ACCESS), later(HOUR - 1)).change).to.equal(undefined);
    expect(age(ask(ACCESS), later(HOUR)).consent).to.include({ status: 'rejected', statusReason: 'abandoned' });
  });
  it('is whatever came first, whoever reads it when', () => {
    const short = { ...ask(ACCESS), expiresAt: later(2 * HOUR) };
    expect(age(short, later(3 * HOUR)).consent).to.include({ status: 'rejected', statusReason: 'abandoned' });
    expect(age({ ...short, expiresAt: later(MINUTE) }, later(3 * HOUR)).consent).to.include({ status: 'expired', statusReason: 'end_reached' });
  });
  it('is to be used up, for payments only', () => {
    const uses = ['payment', 'bulk-payment'] as const;
    for (const use of uses) for (const input of [ACCESS, PAYMENT, RECURRING, BULK, FUNDS].filter(({ type }) => type !== use)) {
      expect(consume(use)(approved(ask(input)), NOW).change, `${input.type} by ${use}`).to.equal(undefined);
    }
    for (const input of [PAYMENT, BULK]) expect(consume(input.type as typeof uses[number])(approved(ask(input)), NOW).consent).to.include({ status: 'consumed', statusReason: 'payment_initiated' });
  });
  it('is told of a week and a day before, once each, unless the consent is shorter', () => {
    const consent = approved(ask(ACCESS));
    const told: [number, number | undefined, 7 | 1 | undefined][] = [
      [82, undefined, undefined], [83, undefined, 7], [84, 7, undefined], [88.9, 7, undefined], [89, 7, 1], [89.5, 1, undefined], [89.5, undefined, 1],
    ];
    for (const [day, before, due] of told) expect(noticeDue(consent, later(day * DAY), before), `day ${day} after ${before}`).to.equal(due);
    const short = approved(ask({ ...ACCESS, validUntil: later(2 * DAY).toISOString() } as NewConsent));
    expect([noticeDue(short, NOW, undefined), noticeDue(short, later(DAY), undefined)]).to.deep.equal([undefined, 1]);
    for (const input of [PAYMENT, BULK]) expect(noticeDue(approved(ask(input)), later(DAY - 1), undefined), input.type).to.equal(undefined);
  });
});

describe('the life of a consent', () => {
  const acts: Record<string, (consent: Consent, now: Date) => Outcome> = {
    approve: (c, now) => approve(c, { customerId: 'anna', chosen: ['a1'], owned: OWNED, now }),
    'approve jointly held': (c, now) => approve(c, { customerId: 'anna', chosen: ['joint'], owned: OWNED, now }),
    'second holder approves': (c, now) => approveJointly(c, { customerId: 'bert', now }),
    reject: (c, now) => reject(c, 'by_customer', now, 'anna'),
    revoke: (c, now) => revoke(c, BANK, now),
    withdraw: (c, now) => withdraw(c, 'app-1', now),
    'bank expires': (c, now) => expireByBank(c, BANK, now),
    'ask to amend': (c, now) => askAmendment(c, amendedTerms(c, { permissions: ['balances:read'] }, now), now),
    'consume by a payment': consume('payment'),
    'consume by a bulk': consume('bulk-payment'),
    age: (c, now) => age(c, now),
  };
  it('follows the table, whatever is done to it in whatever order and however late; only an authorised consent is allowed anything', () => {
    fc.assert(fc.property(fc.constantFrom(ACCESS, PAYMENT, RECURRING, BULK, FUNDS), fc.array(fc.tuple(fc.constantFrom(...Object.keys(acts)), fc.nat(40 * 24)), { maxLength: 14 }), (input, order) => {
      let consent = ask(input);
      let now = NOW;
      for (const [name, hours] of order) {
        now = new Date(now.getTime() + hours * HOUR / 10);
        const before = consent;
        try {
          const { consent: after, change } = acts[name]!(consent, now);
          expect(after.version - before.version).to.equal(change ? 1 : 0);
          if (change && after.status !== before.status) expect(Object.values(MOVES[before.status])).to.include(after.status);
          if (change && isOver(after)) expect(after).to.have.property('statusReason');
          consent = after;
        } catch (error) {
          expect((error as { code?: string }).code).to.be.oneOf(['invalid_state', 'unprocessable']);
        }
        if (isOver(before)) expect(consent).to.equal(before);
        const decision = decisionOf(consent);
        expect(decision.status === 'authorised').to.equal(consent.status === 'authorised');
        expect(decision.status === 'denied').to.equal(decision.reason !== undefined);
      }
    }), { numRuns: 2000 });
  });
  it('has an end in every state', () => {
    for (const status of STATUSES) expect(Object.keys(MOVES[status]).length === 0 || Object.values(MOVES[status]).some((to) => Object.keys(MOVES[to]).length === 0), status).to.equal(true);
  });
});

describe('asking beforehand', () => {
  const read = { permission: 'accounts:read' };
  const pay = (amount: string, more = {}): Parameters<typeof judge>[1] => ({ permission: 'payments:initiate', accountId: 'a1', payment: { amount: euro(amount), creditor: GROCER, ...more } });
  const bulk = (change: object): Parameters<typeof judge>[1] => ({ permission: 'payments:initiate', bulk: { transactions: 240, total: euro('98450.00'), digest: DIGEST, ...change } });
  const cases: [string, Consent, Parameters<typeof judge>[1], string | undefined][] = [
    ['what was granted', approved(ask(ACCESS)), { ...read, accountId: 'a1' }, undefined],
    ['another permission', approved(ask(ACCESS)), { permission: 'balances:read' }, 'consent_permission_missing'],
    ['another account', approved(ask(ACCESS)), { ...read, accountId: 'a2' }, 'consent_account_not_covered'],
    ['before the customer decided', ask(ACCESS), read, 'consent_not_active'],
    ['after the revocation', revoke(approved(ask(ACCESS)), BANK, NOW).consent, read, 'consent_revoked'],
    ['after giving it up', withdraw(approved(ask(ACCESS)), 'app-1', NOW).consent, read, 'consent_withdrawn'],
    ['the payment itself', approved(ask(PAYMENT)), pay('12.50'), undefined],
    ['a cent less', approved(ask(PAYMENT)), pay('12.49'), 'consent_permission_missing'],
    ['another payee', approved(ask(PAYMENT)), pay('12.50', { creditor: { ...GROCER, name: 'Other' } }), 'consent_permission_missing'],
    ['a payment used up', consume('payment')(approved(ask(PAYMENT)), NOW).consent, pay('12.50'), 'consent_consumed'],
    ['the bulk itself', approved(ask(BULK)), bulk({}), undefined],
    ['a bulk of one payment more', approved(ask(BULK)), bulk({ transactions: 241 }), 'consent_permission_missing'],
    ['a bulk of a cent less', approved(ask(BULK)), bulk({ total: euro('98449.99') }), 'consent_permission_missing'],
    ['a bulk of the same figures from another file', approved(ask(BULK)), bulk({ digest: DIGEST.replace('n', 'N') }), 'consent_permission_missing'],
    ['a single payment on a consent to a bulk', approved(ask(BULK)), pay('12.50'), 'consent_permission_missing'],
    ['a bulk on a consent to a payment', approved(ask(PAYMENT)), bulk({}), 'consent_permission_missing'],
    ['one of a series', approved(ask(RECURRING)), pay('50.00'), undefined],
    ['too much of a series', approved(ask(RECURRING)), pay('50.01'), 'consent_limit_exceeded'],
    ['a series not begun', approved(ask({ ...RECURRING, recurring: { ...RECURRING.recurring, validFrom: later(DAY).toISOString() } })), pay('1.00'), 'consent_not_active'],
  ];
  for (const [what, consent, question, code] of cases) {
    it(`${what} is ${code === undefined ? 'allowed' : `refused: ${code}`}`, () => {
      const verdict = judge(consent, question, NOW);
      expect(verdict.allowed ? undefined : verdict.code).to.equal(code);
    });
  }
});

describe('an authorisation request', () => {
  const consent = ask(ACCESS);
  const query = { response_type: 'code', client_id: 'app-1', redirect_uri: redirectUri, code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256', state: 'xyz' };
  const refusalOf = (change: Record<string, unknown>, on = consent): { error: string; redirectTo?: string } => {
    const read = readAuthorisationRequest({ ...query, ...change }, on);
    if (!('refusal' in read)) throw new Error('it was accepted');
    return read.refusal;
  };
  it('carries the scope of its consent where it names none', () => expect(readAuthorisationRequest(query, consent)).to.have.property('request').that.includes({ scope: 'accounts', state: 'xyz' }));
  const nowhere: [string, Record<string, unknown>][] = [
    ['another client', { client_id: 'app-2' }], ['another redirect URI', { redirect_uri: 'https://evil.example/' }], ['two clients', { client_id: ['app-1', 'app-2'] }],
    ['two redirect URIs', { redirect_uri: [redirectUri, 'https://evil.example/'] }], ['a redirect URI that only begins alike', { redirect_uri: `${redirectUri}/../evil` }],
  ];
  for (const [what, change] of nowhere) it(`with ${what} sends the browser nowhere`, () => expect(refusalOf(change)).to.not.have.property('redirectTo'));
  const back: [string, Record<string, unknown>, string][] = [
    ['another response type', { response_type: 'token' }, 'unsupported_response_type'], ['no PKCE', { code_challenge: '' }, 'invalid_request'], ['plain PKCE', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['a scope the consent does not carry', { scope: 'payments' }, 'invalid_scope'], ['a parameter twice', { scope: ['accounts', 'payments'] }, 'invalid_request'],
  ];
  for (const [what, change, error] of back) {
    it(`with ${what} goes back with ${error} and the state`, () => {
      const address = new URL(refusalOf(change).redirectTo!);
      expect([address.origin + address.pathname, address.searchParams.get('error'), address.searchParams.get('state')]).to.deep.equal([redirectUri, error, 'xyz']);
    });
  }
  it('with a state without end goes back without it', () => expect(new URL(refusalOf({ state: 'x'.repeat(513) }).redirectTo!).searchParams.has('state')).to.equal(false));
  it('for a consent already decided goes back', () => expect(refusalOf({}, approved(consent)).error).to.equal('access_denied'));
});
