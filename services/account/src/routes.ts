/** One handler per operation of openapi.yaml. */
import { newId } from '@kontor/kernel/ids';
import { parseMoney } from '@kontor/kernel/money';
import { problem } from '@kontor/kernel/problem';
import type { Routes } from '@kontor/kernel/service';
import {
  bianServiceDomain, blockAccount, bookingDates, closeAccount, fundsAvailable, openAccount, renameAccount, requireOwner, toAccount, toBalances,
  toLedgerTransaction, toOpening, toTransaction, type Account,
} from './account.js';
import type { components, operations } from './openapi.generated.js';
import type { AccountRepository } from './repository.js';

type Schemas = components['schemas'];

type AccountOperation = 'openAccount' | 'getAccountOpening' | 'updateAccount' | 'closeAccount' | 'blockAccount' | 'listAccounts' | 'getAccount' | 'getBalances'
  | 'confirmFunds' | 'listTransactions' | 'getTransaction' | 'listLedgerTransactions' | 'getLedgerTransaction';

export interface RouteNeeds {
  accounts: AccountRepository;
  now: () => Date;
}

export function routes({ accounts, now }: RouteNeeds): Pick<Routes<operations>, AccountOperation> {
  const existing = async (accountId: string): Promise<Account> => {
    const account = await accounts.find(accountId);
    if (!account) throw problem('account_not_found');
    return account;
  };
  const opening = (account: Account) => ({ status: 200, body: toOpening(account), headers: bianHeaders(account) });

  return {
    async openAccount({ body, headers, caller, context }) {
      const wish = body as Schemas['OpenAccount'];
      return accounts.open(
        { key: headers['idempotency-key'] as string, clientId: caller.clientId, body: wish, context },
        (customers) => openAccount(customers, { ...wish, accountId: newId(), clientId: caller.clientId, now: now() }),
        (account) => ({
          status: 201, body: toOpening(account), headers: { Location: `/v1/accounts/${account.accountId}/opening`, ...bianHeaders(account) },
        }));
    },
    async getAccountOpening({ params, caller }) {
      const account = await existing(params.accountId);
      requireOwner(account, caller.clientId);
      return opening(account);
    },
    async updateAccount({ params, body, caller, context }) {
      const { nickname } = body as Schemas['UpdateAccount'];
      return opening(await accounts.change(params.accountId, context, (account) => {
        requireOwner(account, caller.clientId);
        return renameAccount(account, nickname);
      }));
    },
    async closeAccount({ params, caller, context }) {
      return opening(await accounts.change(params.accountId, context, (account, balance) => {
        requireOwner(account, caller.clientId);
        return closeAccount(account, balance);
      }));
    },
    async blockAccount({ params, caller, context }) {
      return opening(await accounts.change(params.accountId, context, (account) => {
        if (!caller.roles.includes('compliance')) requireOwner(account, caller.clientId);
        return blockAccount(account);
      }));
    },
    async listAccounts({ query, caller }) {
      const page = await accounts.list(caller.consent?.accounts ?? [], query as { limit: number; cursor?: string });
      return { status: 200, body: { data: page.rows.map(toAccount), nextCursor: page.nextCursor } };
    },
    async getAccount({ params }) {
      const account = await existing(params.accountId);
      return { status: 200, body: toAccount(account), headers: bianHeaders(account) };
    },
    async getBalances({ params }) {
      const account = await existing(params.accountId);
      const balance = await accounts.balance(params.accountId)
        ?? { bookedMinor: 0n, heldMinor: 0n, overdraftMinor: 0n, incomingMinor: 0n, currency: account.currency, asOf: now() };
      return { status: 200, body: toBalances(params.accountId, balance), headers: bianHeaders(account) };
    },
    async confirmFunds({ params, body }) {
      const account = await existing(params.accountId);
      const wanted = parseMoney((body as Schemas['FundsConfirmationRequest']).amount);
      const confirmed = { fundsAvailable: fundsAvailable(account, await accounts.balance(params.accountId), wanted), confirmedAt: now().toISOString() };
      return { status: 200, body: confirmed, headers: bianHeaders(account) };
    },
    async listTransactions({ params, query }) {
      const wanted = query as { limit: number; cursor?: string; fromBookingDate?: string; toBookingDate?: string };
      const dates = bookingDates(wanted.fromBookingDate, wanted.toBookingDate);
      await existing(params.accountId);
      const page = await accounts.entries(params.accountId, dates, wanted);
      return { status: 200, body: { data: page.rows.map(toTransaction), nextCursor: page.nextCursor } };
    },
    async getTransaction({ params }) {
      const entry = await accounts.entry(params.accountId, params.transactionId);
      if (!entry) throw problem('transaction_not_found');
      return { status: 200, body: toTransaction(entry) };
    },
    async listLedgerTransactions({ query }) {
      const wanted = query as { limit: number; cursor?: string; paymentId?: string; accountId?: string };
      const page = await accounts.bookings(wanted, wanted);
      return { status: 200, body: { data: page.rows.map(toLedgerTransaction), nextCursor: page.nextCursor } };
    },
    async getLedgerTransaction({ params }) {
      const booking = await accounts.booking(params.transactionId);
      if (!booking) throw problem('transaction_not_found');
      return { status: 200, body: toLedgerTransaction(booking) };
    },
  };
}

const bianHeaders = (account: Account): Record<string, string> => ({ 'X-BIAN-Service-Domain': bianServiceDomain(account) });
