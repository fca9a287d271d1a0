import { expect } from 'chai';
import { Problem } from '@kontor/kernel/problem';
import {
  bianServiceDomain, blockAccount, bookAtCore, bookingDates, closeAccount, customerFrom, openAccount, positive, refuseAtCore, renameAccount,
  requireOwner, toBalances, toLedgerTransaction, toOpening, toTransaction, type Account, type AccountEntry, type Customer,
} from '../src/account.js';

const NOW = new Date('2026-01-05T09:30:00.000Z');
const wish = { accountId: 'a-1', clientId: 'app-1', customerId: 'c-1', product: 'current' as const, currency: 'EUR', now: NOW };

const customer = (change: Partial<Customer> = {}): Customer =>
  ({ customerId: 'c-1', clientId: 'app-1', holderName: 'Ada Example', status: 'active', asOf: NOW, ...change });
const account = (change: Partial<Account> = {}): Account => ({
  accountId: 'a-1', customerId: 'c-1', clientId: 'app-1', product: 'current', currency: 'EUR', status: 'enabled', holderName: 'Ada Example',
  iban: 'DE78997000010000000017', coreReference: 'CORE-17', nickname: null, refusalReason: null, createdAt: NOW, openedAt: NOW, ...change,
});
const pending = () => account({ status: 'pending', iban: null, coreReference: null, openedAt: null });
const balance = (bookedMinor: bigint, heldMinor = 0n) => ({ bookedMinor, heldMinor, currency: 'EUR', asOf: NOW });

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
    const { account: opened, events } = openAccount(customer(), wish);
    expect(opened).to.include({ status: 'pending', holderName: 'Ada Example', iban: null, clientId: 'app-1' });
    expect(events).to.deep.equal([{
      type: 'account.requested', data: { accountId: 'a-1', customerId: 'c-1', clientId: 'app-1', product: 'current', currency: 'EUR' },
    }]);
  });
  for (const status of ['under_review', 'rejected', 'closed'] as const)
    it(`is refused while the customer is ${status}`, () => expect(refusal(() => openAccount(customer({ status }), wish))).to.equal('customer_not_active'));
  it('is refused for a customer nobody has heard of', () => expect(refusal(() => openAccount(undefined, wish))).to.equal('customer_not_active'));
  it('is refused for the customer of another application', () =>
    expect(refusal(() => openAccount(customer({ clientId: 'app-2' }), wish))).to.equal('not_your_resource'));
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
  it('is the booked balance and the available one, which is less the held funds', () => {
    expect(toBalances('a-1', balance(12_050n, 50n)).balances).to.deep.equal([
      { balanceType: 'interimBooked', amount: { amount: '120.50', currency: 'EUR' }, creditDebitIndicator: 'CRDT', asOf: NOW.toISOString() },
      { balanceType: 'interimAvailable', amount: { amount: '120.00', currency: 'EUR' }, creditDebitIndicator: 'CRDT', asOf: NOW.toISOString() },
    ]);
  });
  it('is a positive amount with DBIT when a balance is below zero', () =>
    expect(toBalances('a-1', balance(-5n)).balances[0]).to.deep.include({ amount: { amount: '0.05', currency: 'EUR' }, creditDebitIndicator: 'DBIT' }));

  const entry = (side: 'debit' | 'credit'): AccountEntry => ({
    transactionId: 't-1', accountId: 'a-1', type: 'payment', side, amount: { minor: 5000n, currency: 'EUR' }, bookingDate: '2026-01-05', bookedAt: NOW,
    paymentId: 'p-1', details: { endToEndId: 'E2E', debtor: { name: 'Payer', iban: 'NL02ABNA0123456789' }, creditor: { name: 'Payee', iban: 'DE78997000010000000017' } },
  });
  it('is the other party: the creditor of a debit, the debtor of a credit', () => {
    expect(toTransaction(entry('debit'))).to.deep.include({ creditDebitIndicator: 'DBIT', counterparty: { name: 'Payee', iban: 'DE78997000010000000017' } });
    expect(toTransaction(entry('credit'))).to.deep.include({ creditDebitIndicator: 'CRDT', counterparty: { name: 'Payer', iban: 'NL02ABNA0123456789' } });
  });
  it('is both sides and no names for compliance', () => {
    const shown = toLedgerTransaction({
      transactionId: 't-1', reference: 'payment:p-1', type: 'payment', paymentId: 'p-1', bookedAt: NOW,
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
  it('a customer event says what the customer is', () =>
    expect(customerFrom('customer.activated', { customerId: 'c-1', clientId: 'app-1', name: { given: 'Ada', family: 'Example' } }, NOW)).to.deep.equal(customer()));
});
