/** All SQL of the account service. Money moves only through the functions of migrations/0003-postings.sql. */
import { decodeCursor, encodeCursor } from '@kontor/kernel/cursor';
import type { Database, Tx } from '@kontor/kernel/database';
import type { EventContext } from '@kontor/kernel/events';
import { idempotent, type IdempotentAnswer } from '@kontor/kernel/idempotency';
import { isId, newId } from '@kontor/kernel/ids';
import type { Money } from '@kontor/kernel/money';
import { appendEvent } from '@kontor/kernel/outbox';
import { problem } from '@kontor/kernel/problem';
import {
  accountEvent, type Account, type AccountEntry, type Balance, type BookingDetails, type Captured, type Change, type Credited, type Customer,
  type Found, type InvariantBreak, type LedgerTransaction, type Page, type Party, type Released, type Reserved, type Told, type TransactionType,
} from './account.js';

interface AccountRow {
  account_id: string; customer_id: string; joint_holder_ids: string[]; client_id: string; product: Account['product']; currency: string; status: Account['status'];
  holder_name: string; iban: string | null; core_reference: string | null; nickname: string | null; refusal_reason: string | null;
  created_at: Date; opened_at: Date | null;
}

const toDomain = (row: AccountRow): Account => ({
  accountId: row.account_id, customerId: row.customer_id, jointHolderIds: row.joint_holder_ids, clientId: row.client_id, product: row.product, currency: row.currency,
  status: row.status, holderName: row.holder_name, iban: row.iban, coreReference: row.core_reference, nickname: row.nickname,
  refusalReason: row.refusal_reason, createdAt: row.created_at, openedAt: row.opened_at,
});

export type AccountRepository = ReturnType<typeof accountRepository>;

/** Accounts, customers and the ledger in one PostgreSQL database. */
export function accountRepository(database: Database) {
  const one = async (accountId: string, lock: '' | 'for update', tx?: Tx): Promise<Account | undefined> => {
    const [row] = await database.query<AccountRow>(`select * from accounts where account_id = $1 ${lock}`, [accountId], tx);
    return row && toDomain(row);
  };

  const balance = async (accountId: string, tx?: Tx): Promise<Balance | undefined> => {
    const [row] = await database.query<{ booked: string; held: string; currency: string; as_of: Date }>(
      `select b.booked_minor as booked, b.held_minor as held, a.currency, clock_timestamp() as as_of
       from ledger_balances b join ledger_accounts a using (ledger_account_id) where b.ledger_account_id = $1 and b.shard = 0`, [accountId], tx);
    return row && { bookedMinor: BigInt(row.booked), heldMinor: BigInt(row.held), currency: row.currency, asOf: row.as_of };
  };

  const save = async (account: Account, tx: Tx): Promise<void> => {
    await database.query(
      `update accounts set status = $2, iban = $3, core_reference = $4, nickname = $5, refusal_reason = $6, opened_at = $7 where account_id = $1`,
      [account.accountId, account.status, account.iban, account.coreReference, account.nickname, account.refusalReason, account.openedAt], tx);
    if (account.status === 'enabled')
      await database.query(`select open_ledger_account($1, $2, 'customer', $3)`, [account.accountId, `customer:${account.accountId}`, account.currency], tx);
  };

  /** Reads the account under a lock, applies the rule, writes what changed. @throws Problem account_not_found */
  const changeIn = async (
    tx: Tx, accountId: string, rule: (account: Account, balance: Balance | undefined) => Change, tell: (told: Told, account: Account) => Promise<void>,
  ): Promise<Account> => {
    const account = await one(accountId, 'for update', tx);
    if (!account) throw problem('account_not_found');
    const change = rule(account, await balance(accountId, tx));
    if (change.account !== account) await save(change.account, tx);
    for (const told of change.events) await tell(told, change.account);
    return change.account;
  };

  return {
    ...ledger(database),
    balance,
    changeIn,
    find: (accountId: string, tx?: Tx) => one(accountId, '', tx),

    /** As `changeIn`, in a transaction of its own; events go to the outbox. */
    change: (accountId: string, context: EventContext, rule: (account: Account, balance: Balance | undefined) => Change): Promise<Account> =>
      database.transaction((tx) => changeIn(tx, accountId, rule, (told, account) => appendEvent(database, tx, accountEvent(told, account, context)))),

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

    /** Keeps what a customer event says, unless a newer one was heard; `closed` is final. */
    async heardOfCustomer(customer: Customer, tx: Tx): Promise<void> {
      await database.query(
        `insert into customers as c (customer_id, client_id, holder_name, status, as_of) values ($1, $2, $3, $4, $5)
         on conflict (customer_id) do update set
           holder_name = case when excluded.as_of >= c.as_of then coalesce(excluded.holder_name, c.holder_name) else coalesce(c.holder_name, excluded.holder_name) end,
           status = case when c.status = 'closed' then c.status when excluded.status = 'closed' or excluded.as_of >= c.as_of then excluded.status else c.status end,
           as_of = greatest(c.as_of, excluded.as_of)`,
        [customer.customerId, customer.clientId, customer.holderName, customer.status, customer.asOf], tx);
    },
  };
}

/** One row more than the page was asked for: there is a next page. */
function paged<T>(rows: T[], limit: number, position: (last: T) => Record<string, string | number>): Found<T> {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return { rows: page, nextCursor: rows.length > limit && last ? encodeCursor(position(last)) : null };
}

/** What a movement of money needs to be booked. */
interface Movement { paymentId: string; accountId: string; amount: Money; now: Date }

function ledger(database: Database) {
  return {
    async reserve(order: Movement & { details: BookingDetails }, tx: Tx): Promise<Reserved> {
      const [row] = await database.query<{ outcome: Reserved['outcome']; reason: string; hold_id: string; debtor: Party; transaction_id: string; creditor_account_id: string | null }>(
        'select * from reserve_funds($1, $2, $3, $4, $5, $6, $7, $8)',
        [order.paymentId, newId(), order.accountId, order.amount.minor.toString(), order.amount.currency, JSON.stringify(order.details), newId(), order.now], tx);
      if (!row) throw new Error('reserve_funds answered nothing');
      switch (row.outcome) {
        case 'reserved': return { outcome: 'reserved', holdId: row.hold_id, debtor: row.debtor };
        case 'refused': return { outcome: 'refused', reason: row.reason };
        case 'captured': return { outcome: 'captured', holdId: row.hold_id, debtor: row.debtor, transactionId: row.transaction_id, onUsAccountId: row.creditor_account_id };
        default: return { outcome: row.outcome };
      }
    },

    async capture(settled: Movement, tx: Tx): Promise<Captured> {
      const [row] = await database.query<{ outcome: Captured['outcome']; transaction_id: string; creditor_account_id: string | null }>(
        'select * from capture_funds($1, $2, $3, $4, $5, $6, $7)',
        [settled.paymentId, settled.accountId, settled.amount.minor.toString(), settled.amount.currency, newId(), newId(), settled.now], tx);
      if (!row) throw new Error('capture_funds answered nothing');
      return row.outcome === 'captured'
        ? { outcome: 'captured', transactionId: row.transaction_id, onUsAccountId: row.creditor_account_id } : { outcome: row.outcome };
    },

    async release(ended: { paymentId: string; accountId: string; now: Date }, tx: Tx): Promise<Released> {
      const [row] = await database.query<Released>('select outcome from release_funds($1, $2, $3, $4)', [ended.paymentId, ended.accountId, newId(), ended.now], tx);
      if (!row) throw new Error('release_funds answered nothing');
      return row;
    },

    async credit(incoming: { railReference: string; iban: string; amount: Money; details: BookingDetails; now: Date }, tx: Tx): Promise<Credited> {
      const [row] = await database.query<{ outcome: Credited['outcome']; reason: string; transaction_id: string; account_id: string }>(
        'select * from book_incoming_credit($1, $2, $3, $4, $5, $6, $7)',
        [incoming.railReference, incoming.iban, incoming.amount.minor.toString(), incoming.amount.currency, JSON.stringify(incoming.details), newId(), incoming.now], tx);
      if (!row) throw new Error('book_incoming_credit answered nothing');
      switch (row.outcome) {
        case 'credited': return { outcome: 'credited', transactionId: row.transaction_id, accountId: row.account_id };
        case 'refused': return { outcome: 'refused', reason: row.reason };
        default: return { outcome: 'repeated' };
      }
    },

    /** Entries of an account, newest first. */
    async entries(accountId: string, dates: { from: string | null; to: string | null }, page: Page): Promise<Found<AccountEntry>> {
      const before = page.cursor === undefined ? null : position(page.cursor);
      const rows = await database.query<EntryRow>(
        `${ENTRY} where e.ledger_account_id = $1 and ($2::bigint is null or e.entry_id < $2)
           and ($3::date is null or e.booking_date >= $3) and ($4::date is null or e.booking_date <= $4)
         order by e.entry_id desc limit $5`, [accountId, before, dates.from, dates.to, page.limit + 1]);
      const found = paged(rows, page.limit, (last) => ({ entry: last.entry_id }));
      return { rows: found.rows.map(toEntry), nextCursor: found.nextCursor };
    },

    /** The entry of a transaction on an account; of a transfer to itself, the debit. */
    async entry(accountId: string, transactionId: string, tx?: Tx): Promise<AccountEntry | undefined> {
      const [row] = await database.query<EntryRow>(
        `${ENTRY} where e.ledger_account_id = $1 and e.transaction_id = $2 order by e.entry_id limit 1`, [accountId, transactionId], tx);
      return row && toEntry(row);
    },

    /** Bookings with both sides, newest first; of a payment, with an entry on an account, or all. */
    async bookings(filter: { paymentId?: string | undefined; accountId?: string | undefined }, page: Page): Promise<Found<LedgerTransaction>> {
      const before = page.cursor === undefined ? null : decodeCursor<{ at: string; id: string }>(page.cursor, ['at', 'id']);
      if (before && (!isId(before.id) || Number.isNaN(Date.parse(before.at)))) throw strangeCursor();
      const rows = await database.query<BookingRow>(
        `${BOOKING} where ($1::uuid is null or t.payment_id = $1)
           and ($2::uuid is null or t.transaction_id in (select x.transaction_id from ledger_entries x where x.ledger_account_id = $2))
           and ($3::timestamptz is null or (t.booked_at, t.transaction_id) < ($3, $4::uuid))
         order by t.booked_at desc, t.transaction_id desc limit $5`,
        [filter.paymentId ?? null, filter.accountId ?? null, before?.at ?? null, before?.id ?? null, page.limit + 1]);
      const found = paged(rows, page.limit, (last) => ({ at: last.booked_at.toISOString(), id: last.transaction_id }));
      return { rows: found.rows.map(toBooking), nextCursor: found.nextCursor };
    },

    async booking(transactionId: string): Promise<LedgerTransaction | undefined> {
      const [row] = await database.query<BookingRow>(`${BOOKING} where t.transaction_id = $1`, [transactionId]);
      return row && toBooking(row);
    },

    /** Breaches of the books; none in health. Reads the whole ledger. */
    invariantBreaks: (): Promise<InvariantBreak[]> => database.query<InvariantBreak & Record<string, unknown>>('select * from ledger_invariant_breaks()'),
  };
}

interface EntryRow {
  entry_id: string; transaction_id: string; ledger_account_id: string; type: TransactionType; side: 'debit' | 'credit'; amount_minor: string;
  currency: string; booking_date: string; booked_at: Date; payment_id: string | null; details: BookingDetails;
}
const ENTRY = `select e.entry_id, e.transaction_id, e.ledger_account_id, t.type, e.side, e.amount_minor, e.currency,
    to_char(e.booking_date, 'YYYY-MM-DD') as booking_date, t.booked_at, t.payment_id, t.details
  from ledger_entries e join ledger_transactions t using (transaction_id)`;

const toEntry = (row: EntryRow): AccountEntry => ({
  transactionId: row.transaction_id, accountId: row.ledger_account_id, type: row.type, side: row.side,
  amount: { minor: BigInt(row.amount_minor), currency: row.currency }, bookingDate: row.booking_date, bookedAt: row.booked_at,
  paymentId: row.payment_id, details: row.details,
});

interface BookingRow {
  transaction_id: string; reference: string; type: TransactionType; payment_id: string | null; booked_at: Date;
  entries: { code: string; account: string | null; side: 'debit' | 'credit'; amount: string; currency: string }[];
}
const BOOKING = `select t.transaction_id, t.reference, t.type, t.payment_id, t.booked_at,
    (select jsonb_agg(jsonb_build_object('code', a.code, 'account', case a.kind when 'customer' then a.ledger_account_id end,
       'side', e.side, 'amount', e.amount_minor::text, 'currency', e.currency) order by e.entry_id)
     from ledger_entries e join ledger_accounts a using (ledger_account_id) where e.transaction_id = t.transaction_id) as entries
  from ledger_transactions t`;

const toBooking = (row: BookingRow): LedgerTransaction => ({
  transactionId: row.transaction_id, reference: row.reference, type: row.type, paymentId: row.payment_id, bookedAt: row.booked_at,
  entries: row.entries.map((e) => ({ code: e.code, accountId: e.account, side: e.side, amount: { minor: BigInt(e.amount), currency: e.currency } })),
});

function position(cursor: string): string {
  const { entry } = decodeCursor<{ entry: string }>(cursor, ['entry']);
  if (!/^[0-9]{1,18}$/.test(entry)) throw strangeCursor();
  return entry;
}

const strangeCursor = () => problem('invalid_cursor', 'Use the cursor exactly as nextCursor gave it.');
