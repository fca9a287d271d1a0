/** All SQL of accounts and of what is known of customers; the ledger's is in ledger-repository.ts. */
import { decodeCursor } from '@kontor/kernel/cursor';
import type { Database, Tx } from '@kontor/kernel/database';
import type { EventContext } from '@kontor/kernel/events';
import { idempotent, type IdempotentAnswer } from '@kontor/kernel/idempotency';
import { isId, newId } from '@kontor/kernel/ids';
import { formatMoney, type Money } from '@kontor/kernel/money';
import { appendEvent } from '@kontor/kernel/outbox';
import { problem } from '@kontor/kernel/problem';
import { accountEvent, payoutDetails, type Account, type Balance, type Change, type Customer, type Found, type Page, type Told } from './account.js';
import { ledgerRepository } from './ledger-repository.js';
import { paged, strangeCursor } from './paging.js';

interface AccountRow {
  account_id: string; customer_id: string; joint_holder_ids: string[]; client_id: string; product: Account['product']; currency: string; status: Account['status'];
  holder_name: string; iban: string | null; core_reference: string | null; nickname: string | null; refusal_reason: string | null;
  created_at: Date; opened_at: Date | null; blocked_by: Account['blockedBy']; version: string;
}

const toDomain = (row: AccountRow): Account => ({
  accountId: row.account_id, customerId: row.customer_id, jointHolderIds: row.joint_holder_ids, clientId: row.client_id, product: row.product, currency: row.currency,
  status: row.status, holderName: row.holder_name, iban: row.iban, coreReference: row.core_reference, nickname: row.nickname,
  refusalReason: row.refusal_reason, createdAt: row.created_at, openedAt: row.opened_at, blockedBy: row.blocked_by, version: Number(row.version),
});

interface BalanceRow { booked: string; held: string; overdraft: string; incoming: string; currency: string; as_of: Date }
const BALANCE = `b.booked_minor as booked, b.held_minor as held, b.overdraft_minor as overdraft, clock_timestamp() as as_of,
    (select coalesce(sum(h.amount_minor), 0)::bigint from holds h where h.creditor_account_id = b.ledger_account_id and h.state = 'reserved') as incoming
  from accounts a join ledger_balances b on b.ledger_account_id = a.account_id and b.shard = 0`;
const toBalance = (row: BalanceRow): Balance => ({
  bookedMinor: BigInt(row.booked), heldMinor: BigInt(row.held), overdraftMinor: BigInt(row.overdraft), incomingMinor: BigInt(row.incoming),
  currency: row.currency, asOf: row.as_of,
});

export type AccountRepository = ReturnType<typeof accountRepository>;

/**
 * Accounts, customers and the ledger in one PostgreSQL database.
 * @param options.holdHours how long funds are held for a payment that does not end (default a week)
 */
export function accountRepository(database: Database, options: { holdHours?: number } = {}) {
  const one = async (accountId: string, lock: '' | 'for update', tx?: Tx): Promise<Account | undefined> => {
    const [row] = await database.query<AccountRow>(`select * from accounts where account_id = $1 ${lock}`, [accountId], tx);
    return row && toDomain(row);
  };

  const balance = async (accountId: string, tx?: Tx): Promise<Balance | undefined> => {
    const [row] = await database.query<BalanceRow>(`select a.currency, ${BALANCE} where b.ledger_account_id = $1`, [accountId], tx);
    return row && toBalance(row);
  };

  const save = async (account: Account, tx: Tx): Promise<Account> => {
    const [row] = await database.query<AccountRow>(
      `update accounts set status = $2, iban = $3, core_reference = $4, nickname = $5, refusal_reason = $6, opened_at = $7, blocked_by = $8, version = version + 1
       where account_id = $1 returning *`,
      [account.accountId, account.status, account.iban, account.coreReference, account.nickname, account.refusalReason, account.openedAt, account.blockedBy], tx);
    if (!row) throw new Error(`account ${account.accountId} is gone`);
    if (account.status === 'enabled')
      await database.query(`select open_ledger_account($1, $2, 'customer', $3)`, [account.accountId, `customer:${account.accountId}`, account.currency], tx);
    return toDomain(row);
  };

  /** Reads the account under a lock, applies the rule, writes what changed. @throws Problem account_not_found */
  const changeIn = async (
    tx: Tx, accountId: string, rule: (account: Account, balance: Balance | undefined) => Change, tell: (told: Told, account: Account) => Promise<void>,
  ): Promise<Account> => {
    const account = await one(accountId, 'for update', tx);
    if (!account) throw problem('account_not_found');
    const change = rule(account, await balance(accountId, tx));
    const saved = change.account === account ? account : await save(change.account, tx);
    for (const told of change.events) await tell(told, saved);
    return saved;
  };

  return {
    ...ledgerRepository(database, options),
    balance,

    /** An account with its balance in one read; the balance is undefined while the account is being opened. */
    async withBalance(accountId: string): Promise<{ account: Account; balance: Balance | undefined } | undefined> {
      const [row] = await database.query<AccountRow & BalanceRow>(`select a.*, ${BALANCE.replace('join ledger_balances', 'left join ledger_balances')} where a.account_id = $1`, [accountId]);
      return row && { account: toDomain(row), balance: (row.booked as string | null) === null ? undefined : toBalance(row) };
    },

    changeIn,
    find: (accountId: string, tx?: Tx) => one(accountId, '', tx),

    /** As `changeIn`, in a transaction of its own; events go to the outbox. */
    change: (accountId: string, context: EventContext, rule: (account: Account, balance: Balance | undefined) => Change): Promise<Account> =>
      database.transaction((tx) => changeIn(tx, accountId, rule, (told, account) => appendEvent(database, tx, accountEvent(told, account, context)))),

    /**
     * Closes an account in the transaction in which its remainder is paid to the account `payoutTo` names. Both are locked in the order of their ids.
     * @throws Problem account_not_found, of the rule
     */
    closeAndPayOut: (
      accountId: string, payoutTo: string, at: { now: Date; context: EventContext },
      rule: (account: Account, balance: Balance | undefined, target: Account | undefined) => Change & { payoutMinor: bigint },
    ): Promise<Account> => database.transaction(async (tx) => {
      const rows = await database.query<AccountRow>('select * from accounts where account_id = $1 or iban = $2 order by account_id for update', [accountId, payoutTo], tx);
      const known = rows.map(toDomain);
      const account = known.find((one) => one.accountId === accountId);
      if (!account) throw problem('account_not_found');
      const target = known.find(({ iban }) => iban === payoutTo);
      const change = rule(account, await balance(accountId, tx), target);
      const tell = (told: Told, about: Account): Promise<void> => appendEvent(database, tx, accountEvent(told, about, at.context));
      if (change.payoutMinor > 0n && target) {
        const details = payoutDetails(account, target);
        const transactionId = newId();
        await database.query('select pay_out($1, $2, $3, $4, $5, $6)',
          [accountId, target.accountId, change.payoutMinor.toString(), transactionId, JSON.stringify(details), at.now], tx);
        const { customerId, clientId } = target;
        await tell({ type: 'account.credited', data: {
          accountId: target.accountId, customerId, clientId, transactionId, amount: formatMoney({ minor: change.payoutMinor, currency: account.currency }),
          endToEndId: details.endToEndId, railReference: `closing:${accountId}` } }, target);
      }
      const saved = change.account === account ? account : await save(change.account, tx);
      for (const told of change.events) await tell(told, saved);
      return saved;
    }),

    /** Opens an account once for an Idempotency-Key; its holders are read under share locks, so none can close meanwhile. */
    async open<Body>(
      request: { key: string; clientId: string; body: { customerId: string; jointHolderIds?: readonly string[] | undefined }; context: EventContext },
      rule: (customers: readonly Customer[]) => Change, answer: (account: Account) => IdempotentAnswer<Body>,
    ): Promise<IdempotentAnswer<Body>> {
      return idempotent(database, { key: request.key, clientId: request.clientId, operation: 'openAccount', body: request.body }, async (tx) => {
        const known = await database.query<{ customer_id: string; client_id: string; holder_name: string | null; status: Customer['status']; as_of: Date }>(
          'select * from customers where customer_id = any ($1::uuid[]) order by customer_id for share', [[request.body.customerId, ...request.body.jointHolderIds ?? []]], tx);
        const { account, events } = rule(known.map((row) => (
          { customerId: row.customer_id, clientId: row.client_id, holderName: row.holder_name, status: row.status, asOf: row.as_of })));
        await database.query(
          `insert into accounts (account_id, customer_id, joint_holder_ids, client_id, product, currency, status, holder_name, nickname, created_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
          [account.accountId, account.customerId, account.jointHolderIds, account.clientId, account.product, account.currency, account.status, account.holderName,
            account.nickname, account.createdAt], tx);
        for (const told of events) await appendEvent(database, tx, accountEvent(told, account, request.context));
        return answer(account);
      });
    },

    /** The accounts among `accountIds`, in the order of their ids (which is the order they were opened in). */
    async list(accountIds: readonly string[], page: Page): Promise<Found<Account>> {
      const after = page.cursor === undefined ? null : decodeCursor<{ id: string }>(page.cursor, ['id']).id;
      if (after !== null && !isId(after)) throw strangeCursor();
      const rows = await database.query<AccountRow>(
        'select * from accounts where account_id = any ($1::uuid[]) and ($2::uuid is null or account_id > $2) order by account_id limit $3',
        [accountIds, after, page.limit + 1]);
      return paged(rows.map(toDomain), page.limit, (last) => ({ id: last.accountId }));
    },

    /** The usable accounts (enabled or blocked) a customer holds alone or jointly, with what is available on them; oldest first. */
    async heldBy(customerId: string): Promise<{ accountId: string; available: Money }[]> {
      const rows = await database.query<{ account_id: string; currency: string; available: string }>(
        `select a.account_id, a.currency, b.booked_minor - b.held_minor as available
         from accounts a join ledger_balances b on b.ledger_account_id = a.account_id and b.shard = 0
         where a.status in ('enabled', 'blocked')
           and (a.customer_id = $1 or (a.joint_holder_ids <> '{}' and a.joint_holder_ids @> array[$1::uuid]))
         order by a.account_id`, [customerId]);
      return rows.map((row) => ({ accountId: row.account_id, available: { minor: BigInt(row.available), currency: row.currency } }));
    },

    /** Keeps what a customer event says, unless a newer one was heard that says it too; `closed` is final. */
    async heardOfCustomer(customer: Customer, tx: Tx): Promise<void> {
      await database.query(
        `insert into customers as c (customer_id, client_id, holder_name, status, as_of, name_as_of)
         values ($1, $2, $3, $4, $5, case when $3::text is not null then $5::timestamptz end)
         on conflict (customer_id) do update set
           holder_name = case when excluded.name_as_of < c.name_as_of then c.holder_name else coalesce(excluded.holder_name, c.holder_name) end,
           name_as_of = greatest(c.name_as_of, excluded.name_as_of),
           status = case when c.status = 'closed' then c.status when excluded.status = 'closed' or excluded.as_of >= c.as_of then excluded.status else c.status end,
           as_of = greatest(c.as_of, excluded.as_of)`,
        [customer.customerId, customer.clientId, customer.holderName, customer.status, customer.asOf], tx);
    },
  };
}
