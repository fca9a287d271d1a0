/** The run: statements are matched with the ledger, and what is left over becomes or stays a break. Repeating it changes nothing. */
import type { Database, Tx } from '@kontor/kernel/database';
import { newEvent, type EventContext, type EventData, type EventType } from '@kontor/kernel/events';
import { newId } from '@kontor/kernel/ids';
import { formatMoney, type Money } from '@kontor/kernel/money';
import { appendEvent } from '@kontor/kernel/outbox';
import { balanceDifference, type Statement } from '@kontor/kernel/statements';
import { keysOf, matchStatement, type Booking, type BreakReason, type CreditDebit, type Match, type StatementItem, type Unmatched } from './reconciliation-matching.js';

/** What decides who waits: any number; its holder alone changes matches and breaks, on whichever node. */
const RECONCILIATION_LOCK = 7_206_011;
/** Items a transaction. All of one amount stay together, since only equal amounts are matched. */
const BATCH = 1_000;
/** Bookings this many days around an item are looked at: further away nobody takes them for the same movement. */
const CANDIDATE_DAYS = 10;

export interface RunTerms {
  toleranceDays: number;
  /** A booking the rail has not told of after so many days is a break. */
  missingAfterDays: number;
}

export interface RunSummary { matched: number; breaksFound: number; breaksResolved: number; statements: number }

/** Waits until nobody else changes matches or breaks; held until the transaction ends. */
export async function lockReconciliation(database: Database, tx: Tx): Promise<void> {
  await database.query('select pg_advisory_xact_lock($1)', [RECONCILIATION_LOCK], tx);
}

/** Tells an event of the reconciliation in the transaction of its cause. */
export function tellReconciliation<T extends EventType>(database: Database, tx: Tx, type: T, subject: string, data: EventData<T>, context: EventContext): Promise<void> {
  return appendEvent(database, tx, newEvent(type, { subject, data, source: 'account', context }));
}

export type ReconciliationRun = ReturnType<typeof reconciliationRun>;

export function reconciliationRun(database: Database, terms: RunTerms) {
  /** One step of a run: locked, in a transaction of its own, so that a run that is cut off has done whole steps. */
  const step = <T>(effects: (tx: Tx) => Promise<T>): Promise<T> => database.transaction(async (tx) => {
    await lockReconciliation(database, tx);
    return effects(tx);
  });

  return async (context: EventContext): Promise<RunSummary> => {
    const summary: RunSummary = { matched: 0, breaksFound: 0, breaksResolved: 0, statements: 0 };
    const groups = await step((tx) => openGroups(database, tx));
    for (const group of groups)
      for (let above: string | undefined = '-1'; above !== undefined;) {
        const from: string = above;
        const done = await step((tx) => matchBatch(database, tx, { group, above: from, terms, context }));
        above = done.last;
        add(summary, done);
      }
    const accounts = await database.query<{ id: string }>('select ledger_account_id as id from reconciliation_accounts order by 1');
    for (const { id } of accounts)
      for (let more = true; more;) {
        const done = await step((tx) => missingAtRail(database, tx, { account: id, terms, context }));
        more = done.more;
        add(summary, done);
      }
    const statements = await database.query<{ id: string }>(`${UNRECONCILED} order by s.received_at`);
    for (const { id } of statements) add(summary, await step((tx) => finishStatement(database, tx, id, context)));
    return summary;
  };
}

function add(summary: RunSummary, done: Partial<RunSummary>): void {
  for (const name of ['matched', 'breaksFound', 'breaksResolved', 'statements'] as const) summary[name] += done[name] ?? 0;
}

interface Group { account: string | null; currency: string | null; message: string }

/** Accounts with open items. An account that became known since is found here. */
async function openGroups(database: Database, tx: Tx): Promise<Group[]> {
  await database.query(
    `update statement_items i set ledger_account_id = reconciled_account(s.source, s.account, coalesce(s.currency, i.currency)) from statements s
     where s.statement_id = i.statement_id and i.state = 'open' and i.ledger_account_id is null and reconciled_account(s.source, s.account, coalesce(s.currency, i.currency)) is not null`, undefined, tx);
  await database.query(
    `insert into reconciliation_accounts as r (ledger_account_id, since)
     select ledger_account_id, min(item_date) from statement_items where state = 'open' and ledger_account_id is not null group by 1
     on conflict (ledger_account_id) do update set since = excluded.since, checked_through = '-infinity' where excluded.since < r.since`, undefined, tx);
  return database.query<Group & Record<string, unknown>>(
    `select distinct i.ledger_account_id as account, a.currency, i.message from statement_items i left join ledger_accounts a using (ledger_account_id)
     where i.state = 'open' order by 1, 3`, undefined, tx);
}

interface ItemRow {
  item_id: string; statement_id: string; amount_minor: string; currency: string; credit_debit: CreditDebit; day: string; end_to_end_id: string | null;
  rail_transaction: string | null; instruction_id: string | null; uetr: string | null; remittance: string | null;
}
type OpenItem = StatementItem & { statementId: string };

const toItem = (row: ItemRow): OpenItem => ({
  itemId: row.item_id, statementId: row.statement_id, amount: { minor: BigInt(row.amount_minor), currency: row.currency }, creditDebit: row.credit_debit, date: row.day,
  endToEndId: row.end_to_end_id ?? undefined, transactionId: row.rail_transaction ?? undefined, instructionId: row.instruction_id ?? undefined,
  uetr: row.uetr ?? undefined, remittance: row.remittance ?? undefined,
});

interface BatchNeeds { group: Group; above: string; terms: RunTerms; context: EventContext }

async function matchBatch(database: Database, tx: Tx, { group, above, terms, context }: BatchNeeds): Promise<Partial<RunSummary> & { last: string | undefined }> {
  const items = (await database.query<ItemRow>(
    `select *, to_char(item_date, 'YYYY-MM-DD') as day from statement_items
     where state = 'open' and ledger_account_id is not distinct from $1 and message = $2 and amount_minor > $3
     order by amount_minor fetch first ${BATCH} rows with ties`, [group.account, group.message, above], tx)).map(toItem);
  const last = items.at(-1);
  if (!last) return { last: undefined };
  const strange = items.filter(({ amount }) => group.currency !== null && amount.currency !== group.currency);
  const ours = items.filter((item) => !strange.includes(item));
  const bookings = group.account === null ? [] : await openBookings(database, tx, { account: group.account, message: group.message, items: ours });
  const matchedBefore = await keysMatchedBefore(database, tx, group, ours);
  const { matches, unmatched } = matchStatement(ours, bookings, { toleranceDays: terms.toleranceDays, matchedBefore });
  const left = [...unmatched, ...strange.map((item): Unmatched => ({ item, reason: 'currency-differs', candidates: [] }))];
  await keepMatches(database, tx, group.message, matches);
  const subjects = matches.flatMap(({ item, booking }) => [`item:${item.itemId}`, `entry:${booking.entryId}`]);
  const breaksResolved = await resolveMatched(database, tx, subjects, context);
  const known = await knownBreaks(database, tx, left, group.account);
  let breaksFound = 0;
  for (const { item, reason, candidates } of left)
    if (!known.has(breakKey(item.itemId, reason, candidates.map(({ transactionId }) => transactionId)))) breaksFound += Number(await keepBreak(database, tx, {
      subject: `item:${item.itemId}`, reason, statementId: (item as OpenItem).statementId, itemId: item.itemId, account: group.account, amount: item.amount,
      paymentId: candidates.length === 1 ? candidates[0]?.paymentId : null, candidates: candidates.map(({ transactionId }) => transactionId),
    }, context));
  return { last: last.amount.minor.toString(), matched: matches.length, breaksFound, breaksResolved };
}

interface BookingRow {
  entry_id: string; transaction_id: string; payment_id: string | null; reference: string; details: { endToEndId?: string; remittance?: string; uetr?: string };
  amount_minor: string; currency: string; credit_debit: CreditDebit; day: string;
}

const toBooking = (row: BookingRow): Booking => ({
  entryId: row.entry_id, transactionId: row.transaction_id, paymentId: row.payment_id, amount: { minor: BigInt(row.amount_minor), currency: row.currency },
  creditDebit: row.credit_debit, date: row.day, endToEndId: row.details.endToEndId, remittance: row.details.remittance,
  railIds: [row.payment_id?.replaceAll('-', ''), railIdIn(row.reference), row.details.uetr?.replaceAll('-', '')].filter((id) => id !== undefined),
});

/** `rail:<MsgId>/<kind>/<id>`: the id the rail gave to what we booked. */
function railIdIn(reference: string): string | undefined {
  const id = /^(?:rail|return):.*\/(?:tx|instr)\/([^/]+)$/.exec(reference)?.[1];
  return id === undefined ? undefined : decodeURIComponent(id);
}

/** Entries without a counterpart that could be one of the items: near in time, and of the same amount or reference. */
async function openBookings(database: Database, tx: Tx, { account, message, items }: { account: string; message: string; items: StatementItem[] }): Promise<Booking[]> {
  const references = [...new Set(items.flatMap(({ endToEndId }) => endToEndId ?? []))];
  const payments = [...new Set(items.flatMap(({ transactionId, instructionId }) => [transactionId, instructionId]).flatMap((id) => (id !== undefined && /^[0-9a-f]{32}$/i.test(id) ? [id] : [])))];
  return (await database.query<BookingRow>(
    `with days as (select distinct day::date + shift as day from unnest($2::text[]) day, generate_series(-${CANDIDATE_DAYS}, ${CANDIDATE_DAYS}) shift)
     select e.entry_id, e.transaction_id, t.payment_id, t.reference, t.details, e.amount_minor, e.currency, statement_side(a.kind, e.side) as credit_debit,
       to_char(e.booking_date, 'YYYY-MM-DD') as day
     from ledger_entries e join ledger_transactions t using (transaction_id) join ledger_accounts a using (ledger_account_id)
     where e.ledger_account_id = $1 and e.booking_date in (select day from days)
       and (e.amount_minor = any ($3::bigint[]) or t.details ->> 'endToEndId' = any ($4::text[]) or t.payment_id = any ($5::uuid[]))
       and not exists (select 1 from reconciliation_matches m where m.entry_id = e.entry_id and m.message = $6)
       and not exists (select 1 from reconciliation_cleared c where c.entry_id = e.entry_id)`,
    [account, [...new Set(items.map(({ date }) => date))], [...new Set(items.map(({ amount }) => amount.minor.toString()))], references, payments, message], tx)).map(toBooking);
}

async function keysMatchedBefore(database: Database, tx: Tx, group: Group, items: StatementItem[]): Promise<Set<string>> {
  const rows = await database.query<{ key: string }>(
    `select distinct key from statement_items i, unnest(i.keys) key where i.state <> 'open' and i.keys && $1::text[] and i.ledger_account_id = $2 and i.message = $3`,
    [items.flatMap(keysOf), group.account, group.message], tx);
  return new Set(rows.map(({ key }) => key));
}

async function keepMatches(database: Database, tx: Tx, message: string, matches: Match[]): Promise<void> {
  if (matches.length === 0) return;
  await database.query(
    `insert into reconciliation_matches (item_id, entry_id, message, rule, score)
     select r.item, r.entry, $1, r.rule, r.score from jsonb_to_recordset($2::jsonb) as r (item bigint, entry bigint, rule text, score numeric)`,
    [message, JSON.stringify(matches.map(({ item, booking, rule, score }) => ({ item: item.itemId, entry: booking.entryId, rule, score: score.toFixed(4) })))], tx);
  await database.query(`update statement_items set state = 'matched' where item_id = any ($1::bigint[])`, [matches.map(({ item }) => item.itemId)], tx);
}

const breakKey = (itemId: string, reason: string, candidates: readonly string[]): string => [`item:${itemId}`, reason, ...[...candidates].sort()].join(' ');

/** Breaks that say already what this run would say: most of a run that changes nothing. */
async function knownBreaks(database: Database, tx: Tx, left: readonly Unmatched[], account: string | null): Promise<Set<string>> {
  const rows = await database.query<{ item_id: string; reason: string; candidates: string[] }>(
    `select item_id, reason, candidates from reconciliation_breaks
     where subject = any ($1::text[]) and status <> 'resolved' and ledger_account_id is not distinct from $2`, [left.map(({ item }) => `item:${item.itemId}`), account], tx);
  return new Set(rows.map((row) => breakKey(row.item_id, row.reason, row.candidates)));
}

/** Ends breaks whose subject has found its counterpart; what was proposed for them is void. */
export async function resolveMatched(database: Database, tx: Tx, subjects: string[], context: EventContext): Promise<number> {
  const rows = await database.query<{ break_id: string }>(
    `update reconciliation_breaks set status = 'resolved', resolution = 'matched', proposal = null, resolved_at = clock_timestamp()
     where subject = any ($1::text[]) and status <> 'resolved' returning break_id`, [subjects], tx);
  for (const { break_id: breakId } of rows) await tellReconciliation(database, tx, 'reconciliation.break-resolved', breakId, { breakId, resolution: 'matched' }, context);
  return rows.length;
}

/** A break as it is found. */
export interface FoundBreak {
  subject: string;
  reason: BreakReason;
  statementId?: string | null | undefined;
  itemId?: string;
  entryId?: string;
  account: string | null;
  amount?: Money;
  paymentId?: string | null | undefined;
  candidates?: string[];
}

/** Keeps a break, once for what it is about; known ones learn a new reason unless a resolution is proposed. @returns whether it is new */
export async function keepBreak(database: Database, tx: Tx, found: FoundBreak, context: EventContext): Promise<boolean> {
  const { subject, reason, statementId, itemId, entryId, account, amount, paymentId, candidates = [] } = found;
  const [made] = await database.query<{ break_id: string }>(
    `insert into reconciliation_breaks (break_id, subject, reason, statement_id, item_id, entry_id, ledger_account_id, amount_minor, currency, payment_id, candidates)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict (subject) where status <> 'resolved' do nothing returning break_id`,
    [newId(), subject, reason, statementId ?? null, itemId ?? null, entryId ?? null, account, amount?.minor.toString() ?? null, amount?.currency ?? null, paymentId ?? null, candidates], tx);
  if (!made) {
    await database.query(
      `update reconciliation_breaks set reason = $2, candidates = $3, payment_id = $4, ledger_account_id = $5 where subject = $1 and status = 'open'
         and (reason, candidates, payment_id, ledger_account_id) is distinct from ($2::text, $3::uuid[], $4::uuid, $5::uuid)`, [subject, reason, candidates, paymentId ?? null, account], tx);
    return false;
  }
  await tellReconciliation(database, tx, 'reconciliation.break-found', made.break_id, {
    breakId: made.break_id, reason, ...(statementId ? { statementId } : {}), ...(amount ? { amount: formatMoney(amount) } : {}), ...(paymentId ? { paymentId } : {}),
  }, context);
  return true;
}

/** Ledger entries that no statement has told of for too long. Only days that are over are looked at, each entry once. */
async function missingAtRail(database: Database, tx: Tx, { account, terms, context }: { account: string; terms: RunTerms; context: EventContext }): Promise<Partial<RunSummary> & { more: boolean }> {
  const rows = await database.query<{ entry_id: string; amount_minor: string; currency: string; payment_id: string | null }>(
    `select e.entry_id, e.amount_minor, e.currency, t.payment_id from ledger_entries e join ledger_transactions t using (transaction_id)
       join reconciliation_accounts r using (ledger_account_id)
     where e.ledger_account_id = $1 and e.booking_date >= r.since and e.booking_date > r.checked_through and e.booking_date < (clock_timestamp() at time zone 'utc')::date - $2::int
       and not exists (select 1 from reconciliation_matches m where m.entry_id = e.entry_id)
       and not exists (select 1 from reconciliation_cleared c where c.entry_id = e.entry_id)
       and not exists (select 1 from reconciliation_breaks b where b.entry_id = e.entry_id and b.status <> 'resolved')
     order by e.booking_date, e.entry_id limit ${BATCH}`, [account, terms.missingAfterDays], tx);
  let breaksFound = 0;
  for (const row of rows)
    breaksFound += Number(await keepBreak(database, tx, {
      subject: `entry:${row.entry_id}`, reason: 'missing-at-rail', entryId: row.entry_id, account, amount: { minor: BigInt(row.amount_minor), currency: row.currency }, paymentId: row.payment_id,
    }, context));
  const more = rows.length === BATCH;
  if (!more)
    await database.query(`update reconciliation_accounts set checked_through = (clock_timestamp() at time zone 'utc')::date - $2::int - 1 where ledger_account_id = $1`,
      [account, terms.missingAfterDays], tx);
  return { breaksFound, more };
}

/** Complete statements of which every item is matched or a break, and that have not been reported yet. */
const UNRECONCILED = `select s.statement_id as id from statements s where s.reconciled_at is null
  and (select count(*) from statement_parts p where p.statement_id = s.statement_id) = s.parts
  and not exists (select 1 from statement_items i where i.statement_id = s.statement_id and i.state = 'open'
    and not exists (select 1 from reconciliation_breaks b where b.item_id = i.item_id and b.status <> 'resolved'))`;

async function finishStatement(database: Database, tx: Tx, statementId: string, context: EventContext): Promise<Partial<RunSummary>> {
  const [statement] = await database.query<{ source: 'rail' | 'core'; opening: Statement['opening'] | null; closing: Statement['closing'] | null; account: string | null }>(
    `update statements s set reconciled_at = clock_timestamp() where statement_id = $1 and reconciled_at is null
     returning source, opening, closing, reconciled_account(source, account, currency) as account`, [statementId], tx);
  if (!statement) return {};
  const entries = await database.query<{ minor: string; currency: string; side: CreditDebit; status: string }>(
    'select amount_minor as minor, currency, credit_debit as side, status from statement_entries where statement_id = $1', [statementId], tx);
  const difference = balanceDifference({
    ...(statement.opening ? { opening: statement.opening } : {}), ...(statement.closing ? { closing: statement.closing } : {}),
    entries: entries.map(({ minor, currency, side, status }) => (
      { reference: '', reversal: false, transactions: [], status, creditDebit: side, amount: formatMoney({ minor: BigInt(minor), currency }) })),
  });
  const currency = statement.closing?.amount.currency;
  const doesNotAddUp = difference !== undefined && difference !== 0n;
  const breaksFound = doesNotAddUp ? Number(await keepBreak(database, tx, {
    subject: `statement:${statementId}`, reason: 'statement-does-not-add-up', statementId, account: statement.account,
    ...(typeof difference === 'bigint' && currency !== undefined ? { amount: { minor: difference < 0n ? -difference : difference, currency } } : {}),
  }, context)) : 0;
  const [counts] = await database.query<{ matched: number; breaks: number }>(
    `select (select count(*)::int from statement_items where statement_id = $1 and state = 'matched') as matched,
       (select count(*)::int from reconciliation_breaks where statement_id = $1 and status <> 'resolved') as breaks`, [statementId], tx);
  await tellReconciliation(database, tx, 'reconciliation.statement-received', statementId,
    { statementId, source: statement.source, entries: entries.length, matched: counts?.matched ?? 0, breaks: counts?.breaks ?? 0 }, context);
  return { breaksFound, statements: 1 };
}
