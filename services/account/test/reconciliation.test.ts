import { expect } from 'chai';
import fc from 'fast-check';
import { Problem } from '@kontor/kernel/problem';
import { decideResolution, itemsOf, proposeResolution, type Break, type Proposal, type StatementPart } from '../src/reconciliation.js';
import { likeness, matchStatement, type Booking, type BreakReason, type StatementItem } from '../src/reconciliation-matching.js';

const eur = (minor: number | bigint) => ({ minor: BigInt(minor), currency: 'EUR' });
let numbers = 0;
const item = (parts: Partial<StatementItem> = {}): StatementItem => ({ itemId: String(++numbers), amount: eur(1000), creditDebit: 'DBIT', date: '2026-03-10', ...parts });
const booking = (parts: Partial<Booking> = {}): Booking => (
  { entryId: String(++numbers), transactionId: `t-${numbers}`, paymentId: null, amount: eur(1000), creditDebit: 'DBIT', date: '2026-03-10', railIds: [], ...parts });
const match = (items: StatementItem[], bookings: Booking[], before: string[] = []) => matchStatement(items, bookings, { toleranceDays: 3, matchedBefore: new Set(before) });
const reasonOf = (items: StatementItem[], bookings: Booking[], before: string[] = []): (BreakReason | 'matched')[] => {
  const { matches, unmatched } = match(items, bookings, before);
  return items.map((one) => unmatched.find(({ item: left }) => left === one)?.reason ?? (matches.some(({ item: taken }) => taken === one) ? 'matched' : 'missing-in-ledger'));
};
const ruleOf = (items: StatementItem[], bookings: Booking[]): (string | undefined)[] => items.map((one) => match(items, bookings).matches.find(({ item: taken }) => taken === one)?.rule);

describe('matching a statement with the ledger', () => {
  it('an entry is matched by the rail\'s id, else by the end-to-end id, a few days apart as well', () => {
    expect(ruleOf([item({ transactionId: 'abc', date: '2026-03-12' })], [booking({ railIds: ['abc'], endToEndId: 'other' })])).to.deep.equal(['reference']);
    expect(ruleOf([item({ uetr: '6f1c2a34-9d0e-4b7a-8c35-1e2f3a4b5c6d' })], [booking({ railIds: ['6f1c2a349d0e4b7a8c351e2f3a4b5c6d'] })])).to.deep.equal(['reference']);
    expect(ruleOf([item({ endToEndId: 'E-1' })], [booking({ endToEndId: 'E-1' })])).to.deep.equal(['reference']);
  });

  it('amounts are equal to the last cent, and sides too, or there is no match', () => {
    expect(reasonOf([item({ endToEndId: 'E-1', amount: eur(1001) })], [booking({ endToEndId: 'E-1' })])).to.deep.equal(['amount-differs']);
    expect(reasonOf([item({ endToEndId: 'E-1', creditDebit: 'CRDT' })], [booking({ endToEndId: 'E-1' })])).to.deep.equal(['missing-in-ledger']);
  });

  it('the same reference and amount too many days apart is a difference in the date', () => {
    expect(reasonOf([item({ endToEndId: 'E-1', date: '2026-03-14' })], [booking({ endToEndId: 'E-1' })])).to.deep.equal(['date-differs']);
  });

  it('an entry told twice is a duplicate, in the same statement and in a later one', () => {
    const twice = [item({ endToEndId: 'E-1' }), item({ endToEndId: 'E-1' })];
    expect(reasonOf(twice, [booking({ endToEndId: 'E-1' })])).to.deep.equal(['matched', 'duplicate']);
    expect(reasonOf([item({ endToEndId: 'E-1' })], [], ['e2e:E-1 DBIT 1000 EUR'])).to.deep.equal(['duplicate']);
  });

  it('without references the only entry and the only booking of a day and amount belong together; two of them are not guessed', () => {
    expect(ruleOf([item()], [booking()])).to.deep.equal(['amount-and-date']);
    expect(reasonOf([item()], [booking(), booking()])).to.deep.equal(['ambiguous']);
    expect(reasonOf([item(), item()], [booking()])).to.deep.equal(['ambiguous', 'ambiguous']);
    expect(reasonOf([item({ endToEndId: 'A-1' })], [booking({ endToEndId: 'B-2' })])).to.deep.equal(['missing-in-ledger']);
  });

  it('of two alike the one whose text says so is taken; the other is clear then', () => {
    const items = [item({ remittance: 'Rent for March, flat 7' }), item({ remittance: 'paid' })];
    const bookings = [booking({ remittance: 'RENT FOR MARCH FLAT 7' }), booking({ remittance: 'Gift' })];
    expect(ruleOf(items, bookings)).to.deep.equal(['similar-text', 'amount-and-date']);
  });

  it('a reference within a text counts, another number does not, an accent does not matter', () => {
    expect(likeness(item({ remittance: 'Payment of INV-1001, thanks' }), booking({ endToEndId: 'INV-1001' }))).to.be.greaterThan(0.9);
    expect(likeness(item({ remittance: 'INV-1002' }), booking({ endToEndId: 'INV-1001' }))).to.equal(0);
    expect(likeness(item({ remittance: 'INV-10010' }), booking({ endToEndId: 'INV-1001' }))).to.equal(0);
    expect(likeness(item({ remittance: 'Café Münster Rechnung' }), booking({ remittance: 'Cafe Munster Rechnun' }))).to.be.greaterThan(0.9);
  });

  it('what is equally alike to two is not guessed', () => {
    const bookings = [booking({ remittance: 'Rent March flat' }), booking({ remittance: 'Rent March flat' })];
    expect(reasonOf([item({ remittance: 'Rent March flats' })], bookings)).to.deep.equal(['ambiguous']);
    expect(match([item({ remittance: 'Rent March flats' })], bookings).unmatched[0]?.candidates).to.have.length(2);
  });

  const word = fc.constantFrom(undefined, 'E-1', 'E-2', 'INV-7');
  const text = fc.constantFrom(undefined, 'Rent March', 'Rent Marc', 'Gift', 'E-1 thanks');
  const facts = { amount: fc.constantFrom(eur(100), eur(101), eur(2500)), creditDebit: fc.constantFrom('CRDT' as const, 'DBIT' as const), date: fc.constantFrom('2026-03-10', '2026-03-11', '2026-03-20') };
  const items = fc.array(fc.record({ ...facts, endToEndId: word, transactionId: word, remittance: text }), { maxLength: 14 }).map((all) => all.map((parts, i): StatementItem => ({ ...parts, itemId: String(i + 1) })));
  const bookings = fc.array(fc.record({ ...facts, endToEndId: word, remittance: text, railIds: fc.constantFrom<readonly string[]>([], ['E-1'], ['E-2']) }), { maxLength: 14 })
    .map((all) => all.map((parts, i): Booking => ({ ...parts, entryId: String(i + 1), transactionId: `t-${i + 1}`, paymentId: null })));
  const pairs = (found: ReturnType<typeof match>): string[] => found.matches.map(({ item: a, booking: b }) => `${a.itemId}=${b.entryId}`).sort();
  const reasons = (found: ReturnType<typeof match>): string[] => found.unmatched.map(({ item: a, reason }) => `${a.itemId} ${reason}`).sort();

  it('is one to one, leaves nothing out, and what is matched sums up to what it is matched with', () => {
    fc.assert(fc.property(items, bookings, (these, those) => {
      const found = match(these, those);
      expect(new Set(found.matches.map(({ item: a }) => a)).size).to.equal(found.matches.length);
      expect(new Set(found.matches.map(({ booking: b }) => b)).size).to.equal(found.matches.length);
      expect(found.matches.length + found.unmatched.length).to.equal(these.length);
      for (const { item: a, booking: b } of found.matches) expect([a.amount, a.creditDebit]).to.deep.equal([b.amount, b.creditDebit]);
    }), { numRuns: 500 });
  });

  it('does not depend on the order of what it is given', () => {
    fc.assert(fc.property(items.chain((these) => fc.tuple(fc.constant(these), fc.shuffledSubarray(these, { minLength: these.length }))),
      bookings.chain((those) => fc.tuple(fc.constant(those), fc.shuffledSubarray(those, { minLength: those.length }))), ([these, mixed], [those, shuffled]) => {
        const [one, other] = [match(these, those), match(mixed, shuffled)];
        expect([pairs(one), reasons(one)]).to.deep.equal([pairs(other), reasons(other)]);
      }), { numRuns: 500 });
  });

  it('run again over what is left gives nothing more, and the same reasons', () => {
    fc.assert(fc.property(items, bookings, (these, those) => {
      const first = match(these, those);
      const taken = new Set(first.matches.map(({ booking: b }) => b));
      const before = first.matches.flatMap(({ item: a }) => [`e2e:${a.endToEndId}`, `rail:${a.transactionId}`].map((key) => `${key} ${a.creditDebit} ${a.amount.minor} EUR`));
      const again = match(first.unmatched.map(({ item: a }) => a), those.filter((b) => !taken.has(b)), before);
      expect([pairs(again), reasons(again)]).to.deep.equal([[], reasons(first)]);
    }), { numRuns: 500 });
  });
});

describe('what is matched of a statement', () => {
  const entry = (parts: Partial<StatementPart['entries'][number]> = {}): StatementPart['entries'][number] => (
    { reference: '1', amount: { amount: '10.00', currency: 'EUR' }, creditDebit: 'DBIT', reversal: false, status: 'BOOK', bookingDate: '2026-03-10', transactions: [], ...parts });
  const payment = (amount: string, endToEndId: string) => ({ amount: { amount, currency: 'EUR' }, endToEndId });

  it('a batch booking is matched payment by payment when they sum up to it, else as a whole', () => {
    expect(itemsOf([entry({ transactions: [payment('4.00', 'A'), payment('6.00', 'B')] })]).map(({ amount, endToEndId }) => [amount.minor, endToEndId])).to.deep.equal([[400n, 'A'], [600n, 'B']]);
    expect(itemsOf([entry({ transactions: [payment('4.00', 'A'), payment('6.01', 'B')] })]).map(({ amount, endToEndId }) => [amount.minor, endToEndId])).to.deep.equal([[1000n, undefined]]);
  });

  it('pending and informative entries are not matched', () => {
    expect(itemsOf(['PDNG', 'INFO', 'FUTR'].map((status) => entry({ status })))).to.deep.equal([]);
  });
});

describe('four eyes on a break', () => {
  const found = (parts: Partial<Break> = {}): Break => ({
    breakId: 'b', reason: 'missing-in-ledger', status: 'open', statementId: 's', itemId: '1', entryId: null, accountKind: 'settlement', amount: eur(1000), creditDebit: 'DBIT', paymentId: null,
    candidates: [], proposal: null, resolution: null, resolvedBy: null, foundAt: new Date(0), resolvedAt: null, ageDays: 0, ...parts,
  });
  const proposal = (parts: Partial<Proposal> = {}): Proposal => ({ proposalId: 'p', resolution: 'write-off', reason: 'because', by: 'office/anna', at: '2026-03-10T00:00:00.000Z', ...parts });
  const codeOf = (run: () => unknown): string => {
    try {
      run();
    } catch (fault) {
      if (fault instanceof Problem) return fault.code;
      throw fault;
    }
    return 'allowed';
  };

  it('what one proposes another decides, on what was read', () => {
    const proposed = found({ status: 'proposed', proposal: proposal() });
    expect(codeOf(() => decideResolution(proposed, { proposalId: 'p', by: 'office/ben' }))).to.equal('allowed');
    expect(codeOf(() => decideResolution(proposed, { proposalId: 'p', by: 'office/anna' }))).to.equal('four_eyes_required');
    expect(codeOf(() => decideResolution(proposed, { proposalId: 'q', by: 'office/ben' }))).to.equal('invalid_state');
    expect(codeOf(() => decideResolution(found(), { proposalId: 'p', by: 'office/ben' }))).to.equal('invalid_state');
    expect(codeOf(() => decideResolution(found({ status: 'resolved', proposal: proposal() }), { proposalId: 'p', by: 'office/ben' }))).to.equal('invalid_state');
  });

  it('a resolution must fit the break', () => {
    const cases: [Partial<Break>, Partial<Proposal>, string][] = [
      [{}, {}, 'allowed'], [{ status: 'proposed' }, {}, 'invalid_state'], [{ status: 'resolved' }, {}, 'invalid_state'],
      [{ accountKind: 'customer' }, {}, 'unprocessable'], [{ accountKind: null }, {}, 'unprocessable'], [{ reason: 'currency-differs' }, {}, 'unprocessable'],
      [{ itemId: null }, {}, 'unprocessable'], [{ itemId: null, entryId: '7' }, {}, 'allowed'], [{ itemId: null }, { resolution: 'ignore' }, 'allowed'],
      [{}, { resolution: 'match-to' }, 'invalid_request'], [{}, { resolution: 'match-to', transactionId: 't' }, 'allowed'],
      [{ itemId: null, entryId: '7' }, { resolution: 'match-to', transactionId: 't' }, 'unprocessable'], [{}, { transactionId: 't' }, 'invalid_request'],
    ];
    for (const [about, wish, expected] of cases) expect(codeOf(() => proposeResolution(found(about), proposal(wish))), JSON.stringify([about.reason, about.itemId, wish])).to.equal(expected);
  });
});
