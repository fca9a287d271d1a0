/** One handler per operation of openapi.yaml. */
import { createHash } from 'node:crypto';
import { requireCurrent, unlessCurrent } from '@kontor/kernel/conditional';
import { newId } from '@kontor/kernel/ids';
import { parseMoney } from '@kontor/kernel/money';
import { problem } from '@kontor/kernel/problem';
import type { Routes } from '@kontor/kernel/service';
import { writeStatement } from '@kontor/kernel/statement-writer';
import { MOST_ENTRIES, requireFitting, statementPeriod, toStatement, toStatementCsv, toStatementDocument, type AccountStatement } from './account-statement.js';
import {
  bianServiceDomain, blockAccount, blockForCompliance, closeAccount, closeAndPayOut, entryFilter, etagOf, fundsAvailable, openAccount, renameAccount, requireOwner,
  toAccount, toBalances, toLedgerTransaction, toOpening, toPendingTransaction, toTransaction, unblockAccount, type Account,
} from './account.js';
import type { components, operations } from './openapi.generated.js';
import type { AccountRepository } from './repository.js';

type Schemas = components['schemas'];

type AccountOperation = 'openAccount' | 'getAccountOpening' | 'updateAccount' | 'closeAccount' | 'blockAccount' | 'unblockAccount' | 'listAccounts' | 'getAccount' | 'getBalances'
  | 'confirmFunds' | 'getStatement' | 'listTransactions' | 'getTransaction' | 'listLedgerTransactions' | 'getLedgerTransaction';

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
  const opening = (account: Account) => ({ status: 200, body: toOpening(account), headers: { ...bianHeaders(account), ETag: etagOf(account) } });

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
    async getAccountOpening({ params, caller, headers }) {
      const account = await existing(params.accountId);
      requireOwner(account, caller.clientId);
      return unlessCurrent(opening(account), etagOf(account), headers);
    },
    async updateAccount({ params, body, headers, caller, context }) {
      const { nickname } = body as Schemas['UpdateAccount'];
      return opening(await accounts.change(params.accountId, context, (account) => {
        requireOwner(account, caller.clientId);
        requireCurrent(headers, etagOf(account));
        return renameAccount(account, nickname);
      }));
    },
    async closeAccount({ params, body, caller, context }) {
      const { payoutTo } = body ?? {};
      if (payoutTo !== undefined) {
        return opening(await accounts.closeAndPayOut(params.accountId, payoutTo, { now: now(), context }, (account, balance, target) => {
          requireOwner(account, caller.clientId);
          return closeAndPayOut(account, balance, target);
        }));
      }
      return opening(await accounts.change(params.accountId, context, (account, balance) => {
        requireOwner(account, caller.clientId);
        return closeAccount(account, balance);
      }));
    },
    async blockAccount({ params, caller, context }) {
      return opening(await accounts.change(params.accountId, context, (account) => {
        if (caller.roles.includes('compliance')) return blockForCompliance(account);
        requireOwner(account, caller.clientId);
        return blockAccount(account);
      }));
    },
    async unblockAccount({ params, caller, context }) {
      return opening(await accounts.change(params.accountId, context, (account) => {
        if (caller.roles.includes('compliance')) return unblockAccount(account, 'compliance');
        requireOwner(account, caller.clientId);
        return unblockAccount(account, 'opener');
      }));
    },
    async listAccounts({ query, caller }) {
      const page = await accounts.list(caller.consent?.accounts ?? [], query as { limit: number; cursor?: string });
      return { status: 200, body: { data: page.rows.map(toAccount), nextCursor: page.nextCursor } };
    },
    async getAccount({ params, headers }) {
      const account = await existing(params.accountId);
      return unlessCurrent({ status: 200, body: toAccount(account), headers: bianHeaders(account) }, etagOf(account), headers);
    },
    async getBalances({ params, headers }) {
      const found = await accounts.withBalance(params.accountId);
      if (!found) throw problem('account_not_found');
      const { account } = found;
      const balance = found.balance ?? { bookedMinor: 0n, heldMinor: 0n, overdraftMinor: 0n, incomingMinor: 0n, currency: account.currency, asOf: now() };
      const { bookedMinor, heldMinor, overdraftMinor, incomingMinor } = balance;
      const etag = weakTag(params.accountId, bookedMinor, heldMinor, overdraftMinor, incomingMinor);
      return unlessCurrent({ status: 200, body: toBalances(params.accountId, balance), headers: bianHeaders(account) }, etag, headers);
    },
    async confirmFunds({ params, body }) {
      const found = await accounts.withBalance(params.accountId);
      if (!found) throw problem('account_not_found');
      const { account } = found;
      const wanted = parseMoney((body as Schemas['FundsConfirmationRequest']).amount);
      const confirmed = { fundsAvailable: fundsAvailable(account, found.balance, wanted), confirmedAt: now().toISOString() };
      return { status: 200, body: confirmed, headers: bianHeaders(account) };
    },
    async listTransactions({ params, query }) {
      const wanted = query as { limit: number; cursor?: string; status: 'BOOK' | 'PDNG' } & Parameters<typeof entryFilter>[1];
      const account = await existing(params.accountId);
      const filter = entryFilter(account.currency, wanted);
      if (wanted.status === 'PDNG') {
        const page = await accounts.pending(params.accountId, filter, wanted);
        return { status: 200, body: { data: page.rows.map(toPendingTransaction), nextCursor: page.nextCursor } };
      }
      const page = await accounts.entries(params.accountId, filter, wanted);
      return { status: 200, body: { data: page.rows.map(toTransaction), nextCursor: page.nextCursor } };
    },
    async getTransaction({ params, headers }) {
      const entry = await accounts.entry(params.accountId, params.transactionId);
      if (!entry) throw problem('transaction_not_found');
      return unlessCurrent({ status: 200, body: toTransaction(entry) }, `"${entry.transactionId}"`, headers);
    },
    async getStatement({ params, query, caller, accepted }) {
      const account = await existing(params.accountId);
      const today = now().toISOString().slice(0, 10);
      const period = statementPeriod(query, today);
      const { openingMinor, entries, asOf } = await accounts.statement(params.accountId, period, MOST_ENTRIES + 1);
      requireFitting(entries);
      const closingMinor = entries.reduce((sum, { side, amount }) => (side === 'credit' ? sum + amount.minor : sum - amount.minor), openingMinor);
      const { currency } = account;
      const statement: AccountStatement = { account, period, opening: { minor: openingMinor, currency }, closing: { minor: closingMinor, currency }, entries, asOf };
      const withBalances = caller.consent?.permissions.includes('balances:read') ?? false;
      const file = (type: string, ending: string): Record<string, string> => (
        { 'Content-Type': `${type}; charset=utf-8`, 'Content-Disposition': `attachment; filename="statement-${period.from}-${period.to}.${ending}"` });
      if (accepted === 'text/csv') return { status: 200, body: toStatementCsv(statement), headers: file('text/csv', 'csv') };
      if (accepted === 'application/xml') {
        if (!withBalances) throw problem('consent_permission_missing', 'A camt.053 tells balances. Ask the customer for balances:read, or take JSON or CSV.');
        return { status: 200, body: writeStatement(toStatementDocument(statement)), headers: file('application/xml', 'xml') };
      }
      return { status: 200, body: toStatement(statement, withBalances) };
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

/** Balances that are told again with another time are the same balances. The tag tells nothing of them. */
const weakTag = (accountId: string, ...parts: bigint[]): string =>
  `W/"${createHash('sha256').update([accountId, ...parts].join(' ')).digest('base64url').slice(0, 22)}"`;
