/** All SQL of the ledger. Money moves only through its functions (migrations/0003-postings.sql, 0005-ledger-rules.sql). */
import { decodeCursor } from '@kontor/kernel/cursor';
import type { Database, Tx } from '@kontor/kernel/database';
import { isId, newId } from '@kontor/kernel/ids';
import { formatMoney, type Money } from '@kontor/kernel/money';
import type {
  AccountEntry, BookingDetails, Captured, Credited, EntryFilter, Found, InvariantBreak, LedgerTransaction, OriginalTransfer, Page, Party, PendingEntry, Released, Reserved, TransactionType,
} from './account.js';
import { paged, strangeCursor } from './paging.js';

interface ReservedRow {
  outcome: Reserved['outcome']; reason: string; hold_id: string; debtor: Party; transaction_id: string; creditor_account_id: string | null;
  original: { railReference: string; endToEndId: string; amountMinor: string; currency: string } | null;
}

const toOriginal = ({ railReference, endToEndId, amountMinor, currency }: NonNullable<ReservedRow['original']>): OriginalTransfer =>
  ({ railReference, endToEndId, amount: formatMoney({ minor: BigInt(amountMinor), currency }) });

/** What a movement of money needs to be booked. */
interface Movement { paymentId: string; accountId: string; amount: Money; now: Date }

/** The ledger: every function of migrations/0003 and later that moves or holds money, and what is read of the books. */
export function ledgerRepository(database: Database, { holdHours = 168 }: { holdHours?: number } = {}) {
  return {
    async reserve(order: Movement & { details: BookingDetails; refundOf?: string | undefined }, tx: Tx): Promise<Reserved> {
      const [row] = await database.query<ReservedRow>(
        'select * from reserve_funds($1, $2, $3, $4, $5, $6, $7, $8, make_interval(hours => $9), $10)',
        [order.paymentId, newId(), order.accountId, order.amount.minor.toString(), order.amount.currency, JSON.stringify(order.details), newId(), order.now,
          holdHours, order.refundOf ?? null], tx);
      if (!row) throw new Error('reserve_funds answered nothing');
      const held = { holdId: row.hold_id, debtor: row.debtor, ...(row.original ? { original: toOriginal(row.original) } : {}) };
      switch (row.outcome) {
        case 'reserved': return { outcome: 'reserved', ...held, onUs: row.creditor_account_id !== null };
        case 'refused': return { outcome: 'refused', reason: row.reason };
        case 'captured': return { outcome: 'captured', ...held, onUs: row.creditor_account_id !== null, transactionId: row.transaction_id, onUsAccountId: row.creditor_account_id };
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

    /** The account of ours a payment is on its way to; undefined when it leaves the bank or is not known. */
    async creditorOf(paymentId: string): Promise<string | undefined> {
      const [row] = await database.query<{ creditor_account_id: string | null }>('select creditor_account_id from holds where payment_id = $1', [paymentId]);
      return row?.creditor_account_id ?? undefined;
    },

    /** Takes the locks of a batch: payments that end, accounts debited, IBANs credited. */
    async prepareBatch(batch: { payments: string[]; accounts: string[]; ibans: string[] }, tx: Tx): Promise<void> {
      await database.query('select prepare_batch($1, $2, $3)', [batch.payments, batch.accounts, batch.ibans], tx);
    },

    /** Entries of an account, newest first. What is booked after the first page was read is not on the following ones. */
    async entries(accountId: string, filter: EntryFilter, page: Page): Promise<Found<AccountEntry>> {
      const before = page.cursor === undefined ? null : position(page.cursor);
      const rows = await database.query<EntryRow>(
        `${ENTRY} where e.ledger_account_id = $1 and ($2::bigint is null or e.entry_id < $2)
           and ($3::date is null or e.booking_date >= $3) and ($4::date is null or e.booking_date <= $4)
           and ($6::bigint is null or e.amount_minor >= $6) and ($7::bigint is null or e.amount_minor <= $7) and ($8::text is null or e.side = $8)
           and ($9::text is null or concat_ws(chr(10), t.details ->> 'remittance', t.details ->> 'endToEndId',
             t.details -> (case e.side when 'debit' then 'creditor' else 'debtor' end) ->> 'name',
             t.details -> (case e.side when 'debit' then 'creditor' else 'debtor' end) ->> 'iban') ilike $9)
         order by e.entry_id desc limit $5`, [accountId, before, filter.from, filter.to, page.limit + 1, ...restOf(filter)]);
      const found = paged(rows, page.limit, (last) => ({ entry: last.entry_id }));
      return { rows: found.rows.map(toEntry), nextCursor: found.nextCursor };
    },

    /** Funds held on an account for payments under way, newest first (ids are in the order of time). Booking dates do not apply. */
    async pending(accountId: string, filter: EntryFilter, page: Page): Promise<Found<PendingEntry>> {
      const before = page.cursor === undefined ? null : decodeCursor<{ hold: string }>(page.cursor, ['hold']).hold;
      if (before !== null && !isId(before)) throw strangeCursor();
      const rows = await database.query<{ hold_id: string; account_id: string; amount_minor: string; currency: string; payment_id: string; details: BookingDetails }>(
        `select hold_id, account_id, amount_minor, currency, payment_id, details from holds
         where account_id = $1 and state = 'reserved' and ($2::uuid is null or hold_id < $2)
           and ($4::bigint is null or amount_minor >= $4) and ($5::bigint is null or amount_minor <= $5) and ($6::text is null or $6 = 'debit')
           and ($7::text is null or concat_ws(chr(10), details ->> 'remittance', details ->> 'endToEndId', details -> 'creditor' ->> 'name', details -> 'creditor' ->> 'iban') ilike $7)
         order by hold_id desc limit $3`, [accountId, before, page.limit + 1, ...restOf(filter)]);
      const found = paged(rows, page.limit, (last) => ({ hold: last.hold_id }));
      return {
        rows: found.rows.map((row) => ({
          holdId: row.hold_id, accountId: row.account_id, amount: { minor: BigInt(row.amount_minor), currency: row.currency }, paymentId: row.payment_id, details: row.details })),
        nextCursor: found.nextCursor,
      };
    },

    /** Entries of a period, oldest first and at most `most`, and what was booked before it; both of one moment. */
    statement: (accountId: string, period: { from: string; to: string }, most: number): Promise<{ openingMinor: bigint; entries: AccountEntry[]; asOf: Date }> =>
      database.transaction(async (tx) => {
        const rows = await database.query<EntryRow>(
          `${ENTRY} where e.ledger_account_id = $1 and e.booking_date between $2 and $3 order by e.booking_date, e.entry_id limit $4`,
          [accountId, period.from, period.to, most], tx);
        const [before] = await database.query<{ minor: string; as_of: Date }>(
          `select coalesce(sum(case side when 'credit' then amount_minor else -amount_minor end), 0)::bigint as minor, clock_timestamp() as as_of
           from ledger_entries where ledger_account_id = $1 and booking_date < $2`, [accountId, period.from], tx);
        if (!before) throw new Error('a sum answered nothing');
        return { openingMinor: BigInt(before.minor), entries: rows.map(toEntry), asOf: before.as_of };
      }, { isolation: 'REPEATABLE READ' }),

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
  entry_id: string; sequence: string; transaction_id: string; ledger_account_id: string; type: TransactionType; side: 'debit' | 'credit'; amount_minor: string;
  currency: string; booking_date: string; value_date: string; booked_at: Date; payment_id: string | null; details: BookingDetails;
}
const ENTRY = `select e.entry_id, e.sequence, e.transaction_id, e.ledger_account_id, t.type, e.side, e.amount_minor, e.currency,
    to_char(e.booking_date, 'YYYY-MM-DD') as booking_date, to_char(e.value_date, 'YYYY-MM-DD') as value_date, t.booked_at, t.payment_id, t.details
  from ledger_entries e join ledger_transactions t using (transaction_id)`;

const toEntry = (row: EntryRow): AccountEntry => ({
  sequence: BigInt(row.sequence), transactionId: row.transaction_id, accountId: row.ledger_account_id, type: row.type, side: row.side,
  amount: { minor: BigInt(row.amount_minor), currency: row.currency }, bookingDate: row.booking_date, valueDate: row.value_date, bookedAt: row.booked_at,
  paymentId: row.payment_id, details: row.details,
});

interface BookingRow {
  transaction_id: string; reference: string; type: TransactionType; payment_id: string | null; reverses: string | null; reason: string | null; by: string | null; booked_at: Date;
  entries: { code: string; account: string | null; side: 'debit' | 'credit'; amount: string; currency: string }[];
}
const BOOKING = `select t.transaction_id, t.reference, t.type, t.payment_id, t.reverses, t.details ->> 'reason' as reason, t.details ->> 'by' as by, t.booked_at,
    (select jsonb_agg(jsonb_build_object('code', a.code, 'account', case a.kind when 'customer' then a.ledger_account_id end,
       'side', e.side, 'amount', e.amount_minor::text, 'currency', e.currency) order by e.entry_id)
     from ledger_entries e join ledger_accounts a using (ledger_account_id) where e.transaction_id = t.transaction_id) as entries
  from ledger_transactions t`;

const toBooking = (row: BookingRow): LedgerTransaction => ({
  transactionId: row.transaction_id, reference: row.reference, type: row.type, paymentId: row.payment_id, bookedAt: row.booked_at,
  reverses: row.reverses, reason: row.reason, by: row.by,
  entries: row.entries.map((e) => ({ code: e.code, accountId: e.account, side: e.side, amount: { minor: BigInt(e.amount), currency: e.currency } })),
});

/** What a filter asks beside dates, as parameters; in a pattern %, _ and \\ stand for themselves. */
function restOf({ minMinor, maxMinor, side, text }: EntryFilter): (string | null)[] {
  return [minMinor?.toString() ?? null, maxMinor?.toString() ?? null, side ?? null, text ? `%${text.replaceAll(/[\\%_]/g, '\\$&')}%` : null];
}

function position(cursor: string): string {
  const { entry } = decodeCursor<{ entry: string }>(cursor, ['entry']);
  if (!/^[0-9]{1,18}$/.test(entry)) throw strangeCursor();
  return entry;
}

