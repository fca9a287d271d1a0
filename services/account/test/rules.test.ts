import { expect } from 'chai';
import { Problem } from '@kontor/kernel/problem';
import {
  bianServiceDomain, blockAccount, blockForCompliance, bookAtCore, bookingDates, closeAccount, closeAndPayOut, customerFrom, openAccount, positive, refuseAtCore, renameAccount,
  fundsAvailable, requireOwner, toAccount, toBalances, toLedgerTransaction, toOpening, toTransaction, unblockAccount, type Account, type AccountEntry, type Customer,
} from '../src/account.js';

const NOW = new Date('2026-01-05T09:30:00.000Z');
const wish = { accountId: 'a-1', clientId: 'app-1', customerId: 'c-1', product: 'current' as const, currency: 'EUR', now: NOW };

const customer = (change: Partial<Customer> = {}): Customer =>
  ({ customerId: 'c-1', clientId: 'app-1', holderName: 'Ada Example', status: 'active', asOf: NOW, ...change });
const account = (change: Partial<Account> = {}): Account => ({
  accountId: 'a-1', customerId: 'c-1', jointHolderIds: [], clientId: 'app-1', product: 'current', currency: 'EUR', status: 'enabled', holderName: 'Ada Example',
  iban: 'DE78997000010000000017', coreReference: 'CORE-17', nickname: null, refusalReason: null, createdAt: NOW, openedAt: NOW, blockedBy: null, version: 1, ...change,
});
const pending = () => account({ status: 'pending', iban: null, coreReference: null, openedAt: null });
const balance = (bookedMinor: bigint, heldMinor = 0n) => ({ bookedMinor, heldMinor, overdraftMinor: 0n, incomingMinor: 0n, currency: 'EUR', asOf: NOW });

function refusal(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof Problem) return error.code;
    throw error;
  }
  throw new Error('it was allowed');
}

describe('opening an account', () => {
  it('starts pending, in the name of the customer, and asks the core', () => {
    const { account: opened, events } = openAccount([customer()], wish);
    expect(opened).to.include({ status: 'pending', holderName: 'Ada Example', iban: null, clientId: 'app-1' });
    expect(events).to.deep.equal([{
      type: 'account.requested', data: { accountId: 'a-1', customerId: 'c-1', clientId: 'app-1', product: 'current', currency: 'EUR' },
    }]);
  });
  for (const status of ['under_review', 'rejected', 'closed'] as const)
    it(`is refused while the customer is ${status}`, () => expect(refusal(() => openAccount([customer({ status })], wish))).to.equal('customer_not_active'));
  it('is refused for a customer nobody has heard of', () => expect(refusal(() => openAccount([], wish))).to.equal('customer_not_active'));
  it('is refused for the customer of another application', () =>
    expect(refusal(() => openAccount([customer({ clientId: 'app-2' })], wish))).to.equal('not_your_resource'));

  describe('for several holders', () => {
    const second = (change: Partial<Customer> = {}): Customer => customer({ customerId: 'c-2', holderName: 'Ben Example', ...change });
    it('keeps them in the order they were named and tells them when it is opened; a sole holder has none to tell', () => {
      const { account: opened } = openAccount([second(), customer({ customerId: 'c-3' }), customer()], { ...wish, jointHolderIds: ['C-3', 'c-2'] });
      expect(opened).to.deep.include({ holderName: 'Ada Example', jointHolderIds: ['c-3', 'c-2'] });
      expect(bookAtCore(opened, { iban: 'DE78997000010000000017', coreReference: 'CORE-17' }, NOW).events[0]?.data).to.deep.include({ jointHolders: ['c-3', 'c-2'] });
      expect(bookAtCore(pending(), { iban: 'DE78997000010000000017', coreReference: 'CORE-17' }, NOW).events[0]?.data).not.to.have.property('jointHolders');
    });
    for (const [what, known, named, code] of [
      ['one of them is not known', [customer()], ['c-2'], 'customer_not_active'],
      ['one of them is not active', [customer(), second({ status: 'under_review' })], ['c-2'], 'customer_not_active'],
      ['one of them is of another application', [customer(), second({ clientId: 'app-2' })], ['c-2'], 'not_your_resource'],
      ['the customer is named again', [customer()], ['C-1'], 'invalid_request'],
      ['one of them is named twice', [customer(), second()], ['c-2', 'C-2'], 'invalid_request'],
    ] as const)
      it(`is refused: ${what}`, () => expect(refusal(() => openAccount(known, { ...wish, jointHolderIds: named }))).to.equal(code));
    it('shows the opener who they are, and others only that there are some', () => {
      const joint = account({ jointHolderIds: ['c-2'] });
      expect(toOpening(joint)).to.deep.include({ jointHolderIds: ['c-2'] });
      expect(toOpening(account())).not.to.have.property('jointHolderIds');
      expect([toAccount(joint).jointlyHeld, toAccount(account()).jointlyHeld]).to.deep.equal([true, false]);
      expect(JSON.stringify(toAccount(joint))).not.to.include('c-2');
    });
  });
});

describe('the answer of the core', () => {
  const booked = { iban: 'DE78997000010000000017', coreReference: 'CORE-17' };
  it('enables the account and tells that it is opened', () => {
    const change = bookAtCore(pending(), booked, NOW);
    expect(change.account).to.include({ status: 'enabled', ...booked });
    expect(change.events.map(({ type }) => type)).to.deep.equal(['account.opened']);
  });
  it('changes nothing when it comes again, even after the account was blocked', () => {
    for (const status of ['enabled', 'blocked', 'closed'] as const) {
      const known = account({ status });
      expect(bookAtCore(known, booked, NOW)).to.deep.equal({ account: known, events: [] });
    }
  });
  it('is a fault when it names another IBAN than before', () =>
    expect(() => bookAtCore(account(), { ...booked, iban: 'NL02ABNA0123456789' }, NOW)).to.throw(/already/));
  it('closes the account when the core refuses, once', () => {
    const { account: refused, events } = refuseAtCore(pending(), 'currency-not-supported');
    expect(refused).to.include({ status: 'closed', refusalReason: 'currency-not-supported' });
    expect(events[0]?.type).to.equal('account.opening-failed');
    expect(refuseAtCore(refused, 'currency-not-supported').events).to.deep.equal([]);
    expect(toOpening(refused)).to.include({ status: 'closed', refusalReason: 'currency-not-supported', openedAt: null });
  });
  it('is a fault when the core refuses what it has booked', () => expect(() => refuseAtCore(account(), 'x')).to.throw(/already/));
});

describe('looking after an account', () => {
  it('is for the application that opened it', () => {
    requireOwner(account(), 'app-1');
    expect(refusal(() => requireOwner(account(), 'app-2'))).to.equal('not_your_resource');
  });
  it('closes at a zero balance with nothing held', () => {
    const { account: closed, events } = closeAccount(account(), balance(0n));
    expect(closed.status).to.equal('closed');
    expect(events[0]?.type).to.equal('account.closed');
  });
  it('does not close with money on it', () => expect(refusal(() => closeAccount(account(), balance(1n)))).to.equal('invalid_state'));
  it('does not close with funds held', () => expect(refusal(() => closeAccount(account(), balance(0n, 1n)))).to.equal('invalid_state'));
  it('does not close while it is being opened', () => expect(refusal(() => closeAccount(pending(), undefined))).to.equal('invalid_state'));
  it('closes once', () => expect(closeAccount(account({ status: 'closed' }), balance(0n)).events).to.deep.equal([]));
  it('blocks an enabled account, once', () => {
    const { account: blocked, events } = blockAccount(account());
    expect([blocked.status, events[0]?.type]).to.deep.equal(['blocked', 'account.blocked']);
    expect(blockAccount(blocked).events).to.deep.equal([]);
  });
  it('unblocks what the opener blocked, for him and for compliance; what compliance blocked only for compliance', () => {
    const byOpener = blockAccount(account()).account;
    const byBank = blockForCompliance(byOpener).account;
    expect(unblockAccount(byOpener, 'opener')).to.deep.include({ account: account() });
    expect(unblockAccount(byBank, 'compliance').events[0]?.type).to.equal('account.unblocked');
    expect(refusal(() => unblockAccount(byBank, 'opener'))).to.equal('invalid_state');
    expect(blockAccount(byBank).account.blockedBy).to.equal('compliance');
    expect(unblockAccount(account(), 'opener').events).to.deep.equal([]);
    expect(refusal(() => unblockAccount(pending(), 'opener'))).to.equal('invalid_state');
  });
  it('leaves what is on it to another open account of the same customer in the same currency, and to no other', () => {
    const target = account({ accountId: 'a-2' });
    const { payoutMinor, account: closed } = closeAndPayOut(account(), balance(70n), target);
    expect([payoutMinor, closed.status]).to.deep.equal([70n, 'closed']);
    const others = [undefined, account(), account({ accountId: 'a-2', customerId: 'c-2' }), account({ accountId: 'a-2', clientId: 'app-2' }),
      account({ accountId: 'a-2', currency: 'USD' }), account({ accountId: 'a-2', status: 'closed' }), account({ accountId: 'a-2', status: 'pending' })];
    for (const other of others) expect(refusal(() => closeAndPayOut(account(), balance(70n), other))).to.equal('unprocessable');
    expect(refusal(() => closeAndPayOut(account({ status: 'blocked' }), balance(70n), target))).to.equal('invalid_state');
    expect(refusal(() => closeAndPayOut(account(), balance(70n, 1n), target))).to.equal('invalid_state');
  });
  it('does not close while it is overdrawn', () => expect(refusal(() => closeAccount(account(), balance(-1n)))).to.equal('invalid_state'));
  it('blocks neither a pending nor a closed account', () => {
    expect(refusal(() => blockAccount(pending()))).to.equal('invalid_state');
    expect(refusal(() => blockAccount(account({ status: 'closed' })))).to.equal('invalid_state');
  });
  it('names an account and takes the name away, but not of a closed one', () => {
    expect(renameAccount(account(), 'Household').account.nickname).to.equal('Household');
    expect(renameAccount(account({ nickname: 'Household' }), null).account.nickname).to.equal(null);
    expect(refusal(() => renameAccount(account({ status: 'closed' }), 'x'))).to.equal('invalid_state');
  });
});

describe('what is shown of money', () => {
  it('is the booked balance, the available one, which is less the held funds, and the expected one, which counts what is on its way', () => {
    expect(toBalances('a-1', { ...balance(12_050n, 50n), incomingMinor: 7n }).balances).to.deep.equal([
      { balanceType: 'interimBooked', amount: { amount: '120.50', currency: 'EUR' }, creditDebitIndicator: 'CRDT', asOf: NOW.toISOString() },
      { balanceType: 'interimAvailable', amount: { amount: '120.00', currency: 'EUR' }, creditDebitIndicator: 'CRDT', asOf: NOW.toISOString() },
      { balanceType: 'expected', amount: { amount: '120.07', currency: 'EUR' }, creditDebitIndicator: 'CRDT', asOf: NOW.toISOString() },
    ]);
  });
  it('is the credit line beside the balances, never in them; none where the account may not be overdrawn', () => {
    const shown = toBalances('a-1', { ...balance(0n), overdraftMinor: 5_000n });
    expect(shown.creditLine).to.deep.equal({ included: false, limit: { amount: '50.00', currency: 'EUR' } });
    expect(shown.balances[1]?.amount.amount).to.equal('0.00');
    expect(toBalances('a-1', balance(0n))).to.not.have.property('creditLine');
  });
  it('is a positive amount with DBIT when a balance is below zero', () =>
    expect(toBalances('a-1', balance(-5n)).balances[0]).to.deep.include({ amount: { amount: '0.05', currency: 'EUR' }, creditDebitIndicator: 'DBIT' }));

  const entry = (side: 'debit' | 'credit'): AccountEntry => ({
    sequence: 1n, transactionId: 't-1', accountId: 'a-1', type: 'payment', side, amount: { minor: 5000n, currency: 'EUR' }, bookingDate: '2026-01-05', valueDate: '2026-01-05', bookedAt: NOW,
    paymentId: 'p-1', details: { endToEndId: 'E2E', debtor: { name: 'Payer', iban: 'NL02ABNA0123456789' }, creditor: { name: 'Payee', iban: 'DE78997000010000000017' } },
  });
  it('is the other party: the creditor of a debit, the debtor of a credit', () => {
    expect(toTransaction(entry('debit'))).to.deep.include({ creditDebitIndicator: 'DBIT', counterparty: { name: 'Payee', iban: 'DE78997000010000000017' } });
    expect(toTransaction(entry('credit'))).to.deep.include({ creditDebitIndicator: 'CRDT', counterparty: { name: 'Payer', iban: 'NL02ABNA0123456789' } });
  });
  it('is both sides and no names for compliance', () => {
    const shown = toLedgerTransaction({
      transactionId: 't-1', reference: 'payment:p-1', type: 'payment', paymentId: 'p-1', bookedAt: NOW, reverses: null, reason: null, by: null,
      entries: [
        { code: 'customer:a-1', accountId: 'a-1', side: 'debit', amount: { minor: 100n, currency: 'JPY' } },
        { code: 'settlement:JPY', accountId: null, side: 'credit', amount: { minor: 100n, currency: 'JPY' } },
      ],
    });
    expect(shown.entries).to.deep.equal([
      { ledgerAccount: 'customer:a-1', accountId: 'a-1', side: 'debit', amount: { amount: '100', currency: 'JPY' } },
      { ledgerAccount: 'settlement:JPY', side: 'credit', amount: { amount: '100', currency: 'JPY' } },
    ]);
  });
});

describe('small rules', () => {
  it('current and savings accounts are in two BIAN service domains', () => {
    expect(bianServiceDomain(account())).to.equal('CurrentAccount');
    expect(bianServiceDomain(account({ product: 'savings' }))).to.equal('SavingsAccount');
  });
  it('a search for booking dates must not run backwards', () => {
    expect(bookingDates('2026-01-01', '2026-01-01')).to.deep.equal({ from: '2026-01-01', to: '2026-01-01' });
    expect(refusal(() => bookingDates('2026-01-02', '2026-01-01'))).to.equal('invalid_request');
  });
  it('nothing, or less, is no amount', () => {
    expect(positive({ minor: 1n, currency: 'EUR' }).minor).to.equal(1n);
    expect(refusal(() => positive({ minor: 0n, currency: 'EUR' }))).to.equal('invalid_amount');
  });
  it('a business holds accounts in its legal name', () =>
    expect(customerFrom('customer.activated', { customerId: 'c-1', clientId: 'app-1', name: { given: 'Ada', family: 'Example' }, legalName: 'Example Ltd' }, NOW).holderName).to.equal('Example Ltd'));
  it('a customer event says what the customer is', () =>
    expect(customerFrom('customer.activated', { customerId: 'c-1', clientId: 'app-1', name: { given: 'Ada', family: 'Example' } }, NOW)).to.deep.equal(customer()));
});

describe('a confirmation of funds', () => {
  const eur = (minor: bigint) => ({ minor, currency: 'EUR' });
  it('is yes to the last minor unit that is not held, and no beyond it', () => {
    expect(fundsAvailable(account(), balance(10_000n, 2_500n), eur(7_500n))).to.equal(true);
    expect(fundsAvailable(account(), balance(10_000n, 2_500n), eur(7_501n))).to.equal(false);
    const line = { ...balance(0n), overdraftMinor: 100n };
    expect([fundsAvailable(account(), line, eur(100n)), fundsAvailable(account(), line, eur(101n))]).to.deep.equal([true, false]);
  });
  it('is no for an account that may not be debited, whatever is on it', () => {
    for (const status of ['pending', 'blocked', 'closed'] as const) expect(fundsAvailable(account({ status }), balance(10_000n), eur(1n)), status).to.equal(false);
    expect(fundsAvailable(pending(), undefined, eur(1n))).to.equal(false);
  });
  it('is not given for another currency, nor for nothing', () => {
    expect(refusal(() => fundsAvailable(account(), balance(10_000n), { minor: 1n, currency: 'USD' }))).to.equal('unprocessable');
    expect(refusal(() => fundsAvailable(account(), balance(10_000n), eur(0n)))).to.equal('invalid_amount');
  });
});
