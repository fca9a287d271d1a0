import { expect } from 'chai';
import fc from 'fast-check';
import { newId } from '@kontor/kernel/ids';
import { initiate, isFinal, paysUnder, STATUSES, termsOf, transition, type Announcement, type Decision, type Happening, type Order, type Payment, type Status } from '../src/payment.js';
import { authorisation, recurringState, recurringTerms } from './fixtures.js';

const AT = new Date('2026-03-02T09:30:00Z');
const DEBTOR = { name: 'Fictional Payer', iban: 'NL91ABNA0417164300' };

const ORDER: Order = {
    paymentId: '01890a5d-ac96-774b-bcce-b302099a8058', clientId: 'client-a', customerId: '01890a5d-ac96-774b-bcce-b302099a8051',
    consentId: '01890a5d-ac96-774b-bcce-b302099a8059', debtorAccountId: '01890a5d-ac96-774b-bcce-b302099a8057',
    amount: { minor: 1250n, currency: 'EUR' }, creditor: { name: 'Fictional Books Ltd', iban: 'DE89370400440532013000' },
    endToEndId: 'INV-4711', uetr: '7a562c67-ca16-48ba-b074-65581be6f011', createdAt: AT,
};

function received(decision: Decision = {}, more: Partial<Order> = {}): Payment {
  return initiate({ ...ORDER, ...more }, decision).payment;
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

  it('goes from settled to the creditor\'s account, and is told as settled once', () => {
    for (const reports of [[rail('ACSC'), rail('ACCC')], [rail('ACCC'), rail('ACSC')], [rail('ACSP'), rail('ACCC'), rail('ACCC')]]) {
      const { payment, told } = play([RESERVED, ...reports]);
      expect(statuses(payment).slice(-2)).to.deep.equal(['ACSC', 'ACCC']);
      expect(types(told).filter((type) => type === 'payment.settled')).to.have.length(1);
    }
  });

  it('never leaves the bank when the creditor banks with us, and is on the creditor\'s account once it is captured', () => {
    const { payment, told } = play([{ kind: 'funds-reserved', debtor: DEBTOR, onUs: true }]);
    expect(statuses(payment)).to.deep.equal(['RCVD', 'ACTC', 'ACCP', 'ACSP', 'ACSC']);
    expect(types(told)).not.to.include('payment.submitted');
    expect(types(told).filter((type) => type === 'payment.settled')).to.have.length(1);
    expect(statuses(play([{ kind: 'funds-captured' }], payment).payment).at(-1)).to.equal('ACCC');
  });

  it('of a creditor elsewhere is not on his account because it left ours', () => {
    expect(play([RESERVED, rail('ACSC'), { kind: 'funds-captured' }]).payment.status).to.equal('ACSC');
  });

  describe('that is put off', () => {
    const dueAt = new Date(AT.getTime() + 86_400_000);

    it('waits for its day, is told as deferred, and is due then', () => {
      const { payment, events } = initiate(ORDER, { dueAt });
      expect(payment).to.deep.include({ status: 'PDNG', pendingFor: 'execution-date', dueAt });
      expect(statuses(payment)).to.deep.equal(['RCVD', 'PDNG']);
      expect(events[0]).to.have.nested.property('data.deferred', true);
      expect(play([RESERVED], payment).payment, 'no funds before its day').to.equal(payment);
      const { payment: due, told } = play([{ kind: 'due' }], payment);
      expect(types(told)).to.deep.equal(['payment.due']);
      expect(told[0]?.data).not.to.have.property('deferred');
      expect(statuses(play([RESERVED], due).payment)).to.deep.equal(['RCVD', 'PDNG', 'ACTC', 'ACCP']);
    });

    it('is refused with the reason of the account when its day has come, and can be cancelled until funds are held', () => {
      const due = play([{ kind: 'due' }], received({ dueAt })).payment;
      expect(play([{ kind: 'funds-refused', reason: 'AM04' }], due).payment).to.include({ status: 'RJCT', statusReason: 'AM04' });
      for (const before of [due, received({ dueAt }), received({ hold: true })])
        expect(play([{ kind: 'cancel' }], before).payment).to.include({ status: 'CANC', statusReason: 'CUST' });
    });

    it('for a review goes on when the staff release it, and is refused when they refuse it', () => {
      const held = received({ hold: true });
      expect(held).to.include({ status: 'PDNG', pendingFor: 'review' });
      expect(types(play([{ kind: 'released' }], held).told)).to.deep.equal(['payment.due']);
      expect(play([{ kind: 'refused-in-review' }], held).payment).to.include({ status: 'RJCT', statusReason: 'FR01' });
      expect(play([{ kind: 'due' }], held).payment, 'its day does not end a review').to.equal(held);
    });

    it('for a review and to a day waits for the day after its release', () => {
      const released = play([{ kind: 'released' }], received({ hold: true, dueAt }));
      expect(released.payment).to.include({ status: 'PDNG', pendingFor: 'execution-date' });
      expect(released.told).to.deep.equal([]);
    });

    it('is refused at once where the bank decides so; funds are never asked for', () => {
      const { payment, events } = initiate(ORDER, { refuse: 'FR01' });
      expect(payment).to.include({ status: 'RJCT', statusReason: 'FR01' });
      expect(types(events)).to.deep.equal(['payment.initiated', 'payment.status-changed', 'payment.status-changed', 'payment.rejected']);
      expect(events[0]).to.have.nested.property('data.deferred', true);
    });
  });

  describe('that stands too long', () => {
    const overdue: Happening = { kind: 'overdue', most: 2 };

    it('has what should move it told again, then is escalated, once', () => {
      const settled = play([{ kind: 'funds-reserved', debtor: DEBTOR, onUs: true }]).payment;
      const due = play([{ kind: 'due' }], received({ dueAt: AT })).payment;
      for (const [payment, again] of [[received(), 'payment.initiated'], [due, 'payment.due'], [settled, 'payment.settled']] as const)
        expect(types(play([overdue, overdue, overdue, overdue], payment).told)).to.deep.equal([again, again, 'payment.escalated']);
    });

    it('at the rail is sent once more, then asked after; an instant one is only asked after', () => {
      expect(types(play([overdue, overdue, overdue], play([RESERVED]).payment).told)).to.deep.equal(['payment.submitted', 'payment.investigation-requested', 'payment.escalated']);
      const instant = play([RESERVED], received({}, { instant: true })).payment;
      const { payment, told } = play([overdue, overdue, overdue], instant);
      expect(types(told)).to.deep.equal(['payment.investigation-requested', 'payment.investigation-requested', 'payment.escalated']);
      expect(told.map(({ data }) => ('attempt' in data ? data.attempt : 0))).to.deep.equal([1, 2, 0]);
      expect(payment.status, 'nothing is guessed').to.equal('ACCP');
      expect(play([rail('ACSC')], payment).payment.status, 'the answer still counts').to.equal('ACSC');
    });

    it('in a review is escalated at once; one that waits for its day, or has ended, is left', () => {
      expect(types(play([overdue, overdue], received({ hold: true })).told)).to.deep.equal(['payment.escalated']);
      for (const payment of [received({ dueAt: AT }), play([{ kind: 'cancel' }]).payment, play([RESERVED, rail('ACSC')]).payment])
        expect(play([overdue, overdue, overdue], payment)).to.deep.equal({ payment, told: [] });
    });

    it('without a hold any more is refused before it was submitted, and escalated afterwards', () => {
      expect(play([{ kind: 'funds-expired' }]).payment).to.include({ status: 'RJCT', statusReason: 'TM01' });
      for (const before of [[RESERVED], [RESERVED, rail('ACSP')]]) {
        const { payment, told } = play([{ kind: 'funds-expired' }, { kind: 'funds-expired' }], play(before).payment);
        expect(types(told)).to.deep.equal(['payment.escalated']);
        expect(payment.status).to.equal(play(before).payment.status);
      }
    });
  });

  it('is submitted with the moment it was accepted, and as a refund with what it pays back', () => {
    const original = { railReference: 'R1', endToEndId: 'E1', amount: { amount: '12.50', currency: 'EUR' } };
    const { told } = play([{ kind: 'funds-reserved', debtor: DEBTOR, original }], received({}, { instant: true, kind: 'refund', refundOf: ORDER.paymentId }));
    expect(told.find(({ type }) => type === 'payment.submitted')?.data).to.deep.include({ instant: true, acceptedAt: AT.toISOString(), original });
  });

  it('believes no report of the rail about a payment that was not submitted', () => {
    for (const status of ['ACTC', 'ACSP', 'ACSC', 'RJCT'] as const) {
      const before = received();
      expect(transition(before, rail(status), AT).payment).to.equal(before);
    }
  });
});

/** What may be told again to move a payment that stands too long. */
const RETOLD = ['payment.submitted', 'payment.settled', 'payment.investigation-requested'];
/** Settled stays settled: that the creditor has the money (ACCC) is news, no other outcome. */
const outcomeOf = ({ status }: Payment): Status => (status === 'ACCC' ? 'ACSC' : status);

/** How far a status is; a payment only ever goes up. */
const RANK: Record<Status, number> = { RCVD: -1, PDNG: 0, ACTC: 1, ACCP: 2, ACSP: 3, ACSC: 4, ACCC: 5, RJCT: 4, CANC: 4 };

const ON_US: Happening = { kind: 'funds-reserved', debtor: DEBTOR, onUs: true };
const LATER = new Date(AT.getTime() + 86_400_000);

/** Payments as they begin: at once, instant, put off, held, held and put off. */
const beginnings: fc.Arbitrary<Payment> = fc.constantFrom<[Partial<Order>, Decision]>(
  [{}, {}], [{ instant: true }, {}], [{}, { dueAt: LATER }], [{}, { hold: true }], [{ instant: true }, { hold: true, dueAt: LATER }],
).map(([more, decision]) => initiate({ ...ORDER, ...more }, decision).payment);

const anything: fc.Arbitrary<Happening> = fc.oneof(
  fc.constantFrom<Happening>(RESERVED, ON_US, { kind: 'funds-captured' }, { kind: 'funds-expired' }),
  fc.constantFrom<Happening>({ kind: 'due' }, { kind: 'released' }, { kind: 'refused-in-review' }, { kind: 'overdue', most: 2 }),
  fc.constantFrom(rail('ACTC'), rail('ACSP'), rail('ACSC'), rail('ACCC'), rail('RJCT', 'AC01')),
  fc.constant<Happening>({ kind: 'funds-refused', reason: 'AM04' }), fc.constant<Happening>({ kind: 'cancel' }));

describe('10,000 shuffled, repeated and contradictory histories (seeded)', () => {
  const runs = { seed: 20022, numRuns: 5_000 };

  it('never move a payment back, never move a final one, and tell each end once', () => {
    const reached = new Set<Status>();
    fc.assert(fc.property(beginnings, fc.array(anything, { maxLength: 16 }), (began, happenings) => {
      let payment = began;
      const told: Announcement[] = [];
      for (const happening of happenings) {
        const next = transition(payment, happening, AT);
        if (isFinal(payment.status)) expect(outcomeOf(next.payment), 'the outcome is certain').to.equal(outcomeOf(payment));
        if (next.events.length > 0) expect(next.payment).not.to.equal(payment);
        if (happening.kind !== 'overdue') expect(transition(next.payment, happening, AT).events, 'a repetition changes nothing').to.deep.equal([]);
        told.push(...next.events);
        payment = next.payment;
      }
      reached.add(payment.status);
      const ranks = statuses(payment).map((status) => RANK[status]);
      expect(ranks.every((rank, i) => i === 0 || rank > (ranks[i - 1] ?? 0)), statuses(payment).join()).to.equal(true);
      expect(payment.history.at(-1)?.status).to.equal(payment.status);
      // What is told again because a payment stands too long follows a status it has; all else is told once.
      const first = told.filter(({ type }, i) => !RETOLD.includes(type) || types(told).indexOf(type) === i);
      const ends = types(first).filter((type) => ['payment.settled', 'payment.rejected', 'payment.cancelled'].includes(type));
      expect(ends).to.have.length(isFinal(payment.status) ? 1 : 0);
      expect(types(told).includes('payment.submitted')).to.equal(statuses(payment).includes('ACCP') && !payment.onUs);
      if (payment.status === 'ACSC' && !payment.onUs) expect(types(told).indexOf('payment.submitted')).to.be.lessThan(types(told).indexOf('payment.settled'));
      expect(types(told).filter((type) => type === 'payment.status-changed')).to.have.length(payment.history.length - began.history.length);
      // Numbered without gaps: whoever hears them out of order knows it.
      expect(told.flatMap(({ type, data }) => (type === 'payment.status-changed' ? [(data as { sequence?: number }).sequence] : [])))
        .to.deep.equal(Array.from({ length: payment.history.length - began.history.length }, (_, n) => began.history.length + n + 1));
      expect(payment.pendingFor === undefined || payment.status === 'PDNG').to.equal(true);
    }), runs);
    expect([...reached].sort(), 'the histories reach every resting place').to.deep.equal(STATUSES.filter((status) => status !== 'ACTC').sort());
  });

  it('never let funds be reserved for a payment that waits, nor release what the rail has without its answer', () => {
    fc.assert(fc.property(beginnings, fc.array(anything, { maxLength: 16 }), (began, happenings) => {
      let payment = began;
      for (const happening of happenings) {
        const before = payment;
        payment = transition(payment, happening, AT).payment;
        if (before.pendingFor && payment !== before) expect(['due', 'released', 'refused-in-review', 'cancel', 'overdue']).to.include(happening.kind);
        if ((before.status === 'ACCP' || before.status === 'ACSP') && payment.status === 'RJCT') expect(happening).to.include({ kind: 'rail-reported', status: 'RJCT' });
      }
    }), runs);
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

  it('of a bulk: number, total, file and accounts, and nobody whom a single payment could go to', () => {
    const bulk = { transactions: 240, total: { amount: '98450.00', currency: 'EUR' }, digest: 'n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg' };
    const { recurring: _none, ...state } = recurringState(given);
    expect(termsOf({ ...state, consentType: 'bulk-payment', bulk })).to.deep.equal({
      kind: 'bulk-payment', consentId: given.consentId, version: 2, clientId: given.clientId, customerId: given.customerId, debtorAccountIds: [given.debtorAccountId],
      amount: { minor: 9_845_000n, currency: 'EUR' }, creditor: { name: '', iban: '' }, transactions: 240, digest: bulk.digest,
    });
    expect(paysUnder('bulk-payment')).to.equal(true);
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
