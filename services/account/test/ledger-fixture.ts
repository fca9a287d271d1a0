import type { Database, Tx } from '@kontor/kernel/database';
import { newId } from '@kontor/kernel/ids';
import type { Money } from '@kontor/kernel/money';
import { bookAtCore, openAccount, type Customer } from '../src/account.js';
import { ledgerAdministration } from '../src/ledger-administration-repository.js';
import { accountRepository } from '../src/repository.js';

export const NOW = new Date('2026-01-05T09:30:00.000Z');
export const eur = (minor: bigint | number): Money => ({ minor: BigInt(minor), currency: 'EUR' });
export const context = { correlationId: 'test', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };

/** The repository with shorthands, each in a transaction of its own as a subscription has it. */
export function ledgerFixture(database: Database) {
  const accounts = accountRepository(database);
  let ibans = 0;
  const inTx = <T>(effects: (tx: Tx) => Promise<T>): Promise<T> => database.transaction(effects);

  /** An enabled account, opened through the rules. */
  const open = async ({ currency = 'EUR', clientId = 'app-1' } = {}): Promise<{ accountId: string; iban: string }> => {
    const customer: Customer = { customerId: newId(), clientId, holderName: 'Ada Example', status: 'active', asOf: NOW };
    await inTx((tx) => accounts.heardOfCustomer(customer, tx));
    const accountId = newId();
    const wish = { accountId, clientId, customerId: customer.customerId, product: 'current' as const, currency, now: NOW };
    await accounts.open({ key: accountId.slice(0, 36), clientId, body: wish, context }, (known) => openAccount(known, wish), () => ({ status: 201, body: {} }));
    const iban = `TEST${accountId.slice(-12)}${ibans++}`;
    await accounts.change(accountId, context, (account) => bookAtCore(account, { iban, coreReference: `C-${iban}` }, NOW));
    return { accountId, iban };
  };

  return {
    accounts, inTx, open,
    administration: ledgerAdministration(database, accounts),
    credit: (iban: string, amount: Money, railReference: string = newId(), now = NOW) =>
      inTx((tx) => accounts.credit({ railReference, iban, amount, details: { endToEndId: 'E2E', debtor: { name: 'Payer', iban: 'NL02ABNA0123456789' } }, now }, tx)),
    reserve: (paymentId: string, accountId: string, amount: Money, creditorIban = 'NL02ABNA0123456789', refundOf?: string) =>
      inTx((tx) => accounts.reserve({ paymentId, accountId, amount, details: { endToEndId: 'E2E', creditor: { name: 'Payee', iban: creditorIban } }, refundOf, now: NOW }, tx)),
    capture: (paymentId: string, accountId: string, amount: Money) => inTx((tx) => accounts.capture({ paymentId, accountId, amount, now: NOW }, tx)),
    release: (paymentId: string, accountId: string) => inTx((tx) => accounts.release({ paymentId, accountId, now: NOW }, tx)),
    /** Booked and held minor units. */
    async balanceOf(accountId: string): Promise<[bigint, bigint]> {
      const balance = await accounts.balance(accountId);
      return [balance?.bookedMinor ?? 0n, balance?.heldMinor ?? 0n];
    },
    /** Credit minus debit on an internal account, over its shards. */
    async internal(code: string): Promise<bigint> {
      const [row] = await database.query<{ total: string | null }>(
        'select sum(booked_minor)::text as total from ledger_balances b join ledger_accounts a using (ledger_account_id) where a.code = $1', [code]);
      return BigInt(row?.total ?? 0);
    },
  };
}
