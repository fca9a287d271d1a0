import { expect } from 'chai';
import fc from 'fast-check';
import { newId } from '@kontor/kernel/ids';
import { initiate, isFinal, paysUnder, STATUSES, termsOf, transition, type Announcement, type Happening, type Payment, type Status } from '../src/payment.js';
import { authorisation, recurringState, recurringTerms } from './fixtures.js';

const AT = new Date('2026-03-02T09:30:00Z');
const DEBTOR = { name: 'Fictional Payer', iban: 'NL91ABNA0417164300' };

function received(): Payment {
  return initiate({
    paymentId: '01890a5d-ac96-774b-bcce-b302099a8058', clientId: 'client-a', customerId: '01890a5d-ac96-774b-bcce-b302099a8051',
    consentId: '01890a5d-ac96-774b-bcce-b302099a8059', debtorAccountId: '01890a5d-ac96-774b-bcce-b302099a8057',
    amount: { minor: 1250n, currency: 'EUR' }, creditor: { name: 'Fictional Books Ltd', iban: 'DE89370400440532013000' },
    endToEndId: 'INV-4711', uetr: '7a562c67-ca16-48ba-b074-65581be6f011', createdAt: AT,
  }).payment;
}

const RESERVED: Happening = { kind: 'funds-reserved', debtor: DEBTOR };
const rail = (status: 'ACTC' | 'ACSP' | 'ACSC' | 'ACCC' | 'RJCT', reason?: string): Happening => ({ kind: 'rail-reported', status, ...(reason ? { reason } : {}) });

/** Lets everything happen in order; gives the last payment and all that was told. */
function play(happenings: readonly Happening[], from = received()): { payment: Payment; told: Announcement[] } {
  return happenings.reduce<{ payment: Payment; told: Announcement[] }>(({ payment, told }, happening) => {
    const next = transition(payment, happening, AT);
    return { payment: next.payment, told: [...told, ...next.events] };
  }, { payment: from, told: [] });
}

const statuses = (payment: Payment): Status[] => payment.history.map(({ status }) => status);
const types = (told: readonly Announcement[]): string[] => told.map(({ type }) => type);

describe('the life of a payment', () => {
  it('begins at RCVD and is told with the whole order', () => {
    const { payment, events } = initiate({ ...received(), remittance: 'Invoice 4711' });
    expect(statuses(payment)).to.deep.equal(['RCVD']);
    expect(types(events)).to.deep.equal(['payment.initiated', 'payment.status-changed']);
    expect(events[0]?.data).to.include({ endToEndId: 'INV-4711', remittance: 'Invoice 4711' }).and.deep.include({ amount: { amount: '12.50', currency: 'EUR' } });
  });

  it('goes to the rail once funds are held, and settles when the rail says ACSC', () => {
    const { payment, told } = play([RESERVED, rail('ACTC'), rail('ACSP'), rail('ACSC')]);
    expect(statuses(payment)).to.deep.equal(['RCVD', 'ACTC', 'ACCP', 'ACSP', 'ACSC']);
    expect(types(told)).to.deep.equal([
      'payment.status-changed', 'payment.status-changed', 'payment.submitted', 'payment.status-changed', 'payment.status-changed', 'payment.settled']);
    expect(told.find(({ type }) => type === 'payment.submitted')?.data).to.deep.include({ debtor: DEBTOR });
  });

  it('settles also when ACSC overtakes ACSP, and ignores the late ACSP', () => {
    const { payment, told } = play([RESERVED, rail('ACSC'), rail('ACSP')]);
    expect(statuses(payment)).to.deep.equal(['RCVD', 'ACTC', 'ACCP', 'ACSC']);
    expect(types(told).filter((type) => type === 'payment.settled')).to.have.length(1);
  });

  it('is refused with the reason of the account, and never goes to the rail', () => {
    const { payment, told } = play([{ kind: 'funds-refused', reason: 'AM04' }, RESERVED]);
    expect(payment).to.include({ status: 'RJCT', statusReason: 'AM04' });
    expect(types(told)).to.deep.equal(['payment.status-changed', 'payment.rejected']);
  });

  it('is refused with the reason of the rail, before or after settlement has begun', () => {
    for (const before of [[RESERVED], [RESERVED, rail('ACSP')]])
      expect(play([...before, rail('RJCT', 'AC04')]).payment).to.include({ status: 'RJCT', statusReason: 'AC04' });
  });

  it('says MS03 when a refusal gives no reason code, or none of ISO form', () => {
    expect(play([RESERVED, rail('RJCT')]).payment.statusReason).to.equal('MS03');
    expect(play([RESERVED, rail('RJCT', 'because')]).payment.statusReason).to.equal('MS03');
  });

  it('can be cancelled only before it was submitted', () => {
    const { payment, told } = play([{ kind: 'cancel' }]);
    expect(payment).to.include({ status: 'CANC', statusReason: 'CUST' });
    expect(types(told)).to.deep.equal(['payment.status-changed', 'payment.cancelled']);
    const submitted = play([RESERVED]).payment;
    expect(transition(submitted, { kind: 'cancel' }, AT)).to.deep.equal({ payment: submitted, events: [] });
  });

  it('believes no report of the rail about a payment that was not submitted', () => {
    for (const status of ['ACTC', 'ACSP', 'ACSC', 'RJCT'] as const) {
      const before = received();
      expect(transition(before, rail(status), AT).payment).to.equal(before);
    }
  });
});

/** How far a status is; a payment only ever goes up. */
const RANK: Record<Status, number> = { RCVD: 0, PDNG: 0, ACTC: 1, ACCP: 2, ACSP: 3, ACSC: 4, ACCC: 5, RJCT: 4, CANC: 4 };

const anything: fc.Arbitrary<Happening> = fc.oneof(
  fc.constant(RESERVED), fc.constantFrom(rail('ACTC'), rail('ACSP'), rail('ACSC'), rail('ACCC'), rail('RJCT', 'AC01')),
  fc.constant<Happening>({ kind: 'funds-refused', reason: 'AM04' }), fc.constant<Happening>({ kind: 'cancel' }));

describe('10,000 shuffled, repeated and contradictory histories (seeded)', () => {
  const runs = { seed: 20022, numRuns: 5_000 };

  it('never move a payment back, never move a final one, and tell each end once', () => {
    const reached = new Set<Status>();
    fc.assert(fc.property(fc.array(anything, { maxLength: 12 }), (happenings) => {
      let payment = received();
      const told: Announcement[] = [];
      for (const happening of happenings) {
        const next = transition(payment, happening, AT);
        if (isFinal(payment.status)) expect(next).to.deep.equal({ payment, events: [] });
        expect(next.payment === payment).to.equal(next.events.length === 0);
        expect(transition(next.payment, happening, AT).events, 'a repetition changes nothing').to.deep.equal([]);
        told.push(...next.events);
        payment = next.payment;
      }
      reached.add(payment.status);
      const ranks = statuses(payment).map((status) => RANK[status]);
      expect(ranks.every((rank, i) => i === 0 || rank > (ranks[i - 1] ?? 0)), statuses(payment).join()).to.equal(true);
      expect(payment.history.at(-1)?.status).to.equal(payment.status);
      const ends = types(told).filter((type) => ['payment.settled', 'payment.rejected', 'payment.cancelled'].includes(type));
      expect(ends).to.have.length(isFinal(payment.status) ? 1 : 0);
      const submissions = types(told).filter((type) => type === 'payment.submitted');
      expect(submissions).to.have.length(statuses(payment).includes('ACCP') ? 1 : 0);
      if (payment.status === 'ACSC') expect(types(told).indexOf('payment.submitted')).to.be.lessThan(types(told).indexOf('payment.settled'));
      expect(types(told).filter((type) => type === 'payment.status-changed')).to.have.length(payment.history.length - 1);
    }), runs);
    expect([...reached].sort(), 'the histories reach every resting place').to.deep.equal(STATUSES.filter((status) => status !== 'ACTC' && status !== 'PDNG').sort());
  });

  it('end in one state however the true reports are shuffled and tripled', () => {
    const truths: [Happening[], Status][] = [[[rail('ACTC'), rail('ACSP'), rail('ACSC')], 'ACSC'], [[rail('ACTC'), rail('ACSP'), rail('RJCT', 'AC04')], 'RJCT']];
    for (const [reports, end] of truths)
      fc.assert(fc.property(fc.shuffledSubarray([...reports, ...reports, ...reports, RESERVED, RESERVED], { minLength: 11, maxLength: 11 }), (shuffled) => {
        expect(play([RESERVED, ...shuffled]).payment.status).to.equal(end);
      }), { ...runs, numRuns: 2_500 });
  });
});

describe('the terms of a consent', () => {
  const given = authorisation();
  const terms = recurringTerms({ periodicLimits: [{ maximum: { amount: '250.00', currency: 'EUR' }, period: 'week', alignment: 'consent' }] });

  it('of a recurring one: its accounts, its limits in minor units, its time', () => {
    expect(termsOf(recurringState(given, { recurring: terms, expiresAt: '2027-01-01T00:00:00.000Z' }))).to.deep.equal({
      kind: 'variable-recurring', consentId: given.consentId, version: 2, clientId: given.clientId, customerId: given.customerId, debtorAccountIds: [given.debtorAccountId],
      amount: { minor: 10_000n, currency: 'EUR' }, creditor: terms.creditor, validFrom: terms.validFrom, validUntil: terms.validUntil, expiresAt: '2027-01-01T00:00:00.000Z',
      periodicLimits: [{ maximum: { minor: 25_000n, currency: 'EUR' }, period: 'week', alignment: 'consent' }],
    });
  });

  it('name the one account a recurring consent is bound to', () => {
    const debtorAccountId = newId();
    expect(termsOf(recurringState(given, { recurring: { ...terms, debtorAccountId } }))?.debtorAccountIds).to.deep.equal([debtorAccountId]);
  });

  it('are none for consents under which nothing is paid', () => {
    for (const consentType of ['account-access', 'funds-confirmation'] as const) {
      expect(termsOf({ ...recurringState(given), consentType })).to.equal(undefined);
      expect(paysUnder(consentType)).to.equal(false);
    }
  });

  it('are not taken with limits in another currency, or from nobody', () => {
    const mixed = { ...terms, periodicLimits: [{ ...terms.periodicLimits[0]!, maximum: { amount: '1.00', currency: 'USD' } }] };
    expect(() => termsOf(recurringState(given, { recurring: mixed }))).to.throw(/several currencies/);
    const { customerId: _nobody, ...state } = recurringState(given);
    expect(() => termsOf(state)).to.throw(/by nobody/);
  });
});
