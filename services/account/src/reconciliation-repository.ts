/** Statements and breaks as they are stored and read. What is matched: reconciliation-run-repository.ts. */
import { createHash } from 'node:crypto';
import { decodeCursor, encodeCursor } from '@kontor/kernel/cursor';
import type { Database, Tx } from '@kontor/kernel/database';
import type { EventContext } from '@kontor/kernel/events';
import { canonicalJson } from '@kontor/kernel/idempotency';
import { isId, newId } from '@kontor/kernel/ids';
import { problem } from '@kontor/kernel/problem';
import { statementParts, type Statement } from '@kontor/kernel/statements';
import type { Found, Page } from './account.js';
import { itemsOf, minorOf, type Break, type Proposal, type StatementPart, type StatementReport } from './reconciliation.js';
import { keysOf, type BreakReason, type CreditDebit } from './reconciliation-matching.js';
import { keepBreak } from './reconciliation-run-repository.js';

/** What became of a part: stored, known already, or known with other content. */
export interface Stored { statementId: string; outcome: 'stored' | 'repeated' | 'differs'; digest: string }

export interface BreakFilter { reason?: string | undefined; status?: string | undefined; statementId?: string | undefined; minAgeDays?: number | undefined }

export type ReconciliationRepository = ReturnType<typeof reconciliationRepository>;

export function reconciliationRepository(database: Database) {
  /** Stores a part of a statement with its entries and what is matched of them. The same part again changes nothing. */
  const store = async (part: StatementPart, from: string, tx: Tx): Promise<Stored> => {
    const digest = createHash('sha256').update(canonicalJson(part)).digest('hex');
    const statementId = await statementOf(database, part, from, tx);
    const [sameHead] = await database.query(
      `select 1 as same from statements where statement_id = $1 and account = $2 and parts = $3 and currency is not distinct from $4
         and opening is not distinct from $5::jsonb and closing is not distinct from $6::jsonb`, [statementId, ...headOf(part)], tx);
    if (!sameHead) return { statementId, outcome: 'differs', digest };
    const [fresh] = await database.query(
      'insert into statement_parts (statement_id, part, digest) values ($1, $2, $3) on conflict do nothing returning 1 as fresh', [statementId, part.part, digest], tx);
    if (!fresh) {
      const [known] = await database.query<{ digest: string }>('select digest from statement_parts where statement_id = $1 and part = $2', [statementId, part.part], tx);
      return { statementId, outcome: known?.digest === digest ? 'repeated' : 'differs', digest };
    }
    await storeEntries(database, statementId, part, tx);
    await storeItems(database, statementId, part, tx);
    return { statementId, outcome: 'stored', digest };
  };

  return {
    /** Stores a part that was heard. One that says something else than what was heard before under its name is a break. */
    async storeHeard(part: StatementPart, from: string, context: EventContext, tx: Tx): Promise<void> {
      const { statementId, outcome, digest } = await store(part, from, tx);
      if (outcome === 'differs') await keepBreak(database, tx, { subject: `conflict:${statementId}:${digest}`, reason: 'statement-differs', statementId, account: null }, context);
    },

    /** Stores statements with all their parts, all or none. @throws Problem conflict when one is known with other content */
    storeAll: (read: readonly Statement[], source: 'rail' | 'core', from: string): Promise<Stored[]> => database.transaction(async (tx) => {
      const all: Stored[] = [];
      for (const part of read.flatMap((statement) => statementParts(statement, source))) {
        const stored = await store(part, from, tx);
        if (stored.outcome === 'differs') throw problem('conflict', `Statement ${part.statementReference} is known with other content. Nothing was taken; ask its sender which of the two holds.`);
        all.push(stored);
      }
      return all;
    }),

    /** Whether the statements of the core may be taken for this account: one of ours. */
    async isOurs(account: string): Promise<boolean> {
      const [row] = await database.query('select 1 as ours from accounts where iban = $1 or core_reference = $1', [account]);
      return row !== undefined;
    },

    async statements(ids: readonly string[]): Promise<StatementReport[]> {
      return (await database.query<ReportRow>(`${REPORT} where s.statement_id = any ($1::uuid[]) order by s.received_at, s.statement_id`, [ids])).map(toReport);
    },

    async listStatements(page: Page): Promise<Found<StatementReport>> {
      const before = positionOf(page.cursor);
      const rows = await database.query<ReportRow & { at: string }>(
        `${REPORT} where $1::timestamptz is null or (s.received_at, s.statement_id) < ($1, $2::uuid) order by s.received_at desc, s.statement_id desc limit $3`,
        [before?.at ?? null, before?.id ?? null, page.limit + 1]);
      return paged(rows, page.limit, toReport, (row) => ({ at: row.at, id: row.statement_id }));
    },

    async findBreak(breakId: string, tx?: Tx, lock: '' | 'for update of b' = ''): Promise<Break | undefined> {
      const [row] = await database.query<BreakRow>(`${BREAK} where b.break_id = $1 ${lock}`, [breakId], tx);
      return row && toDomain(row);
    },

    /** Oldest first. */
    async listBreaks(filter: BreakFilter, page: Page): Promise<Found<Break>> {
      const after = positionOf(page.cursor);
      const rows = await database.query<BreakRow>(
        `${BREAK} where ($1::text is null or b.reason = $1) and ($2::text is null or b.status = $2) and ($3::uuid is null or b.statement_id = $3)
           and ($4::int is null or b.found_at <= clock_timestamp() - make_interval(days => $4))
           and ($5::timestamptz is null or (b.found_at, b.break_id) > ($5, $6::uuid)) order by b.found_at, b.break_id limit $7`,
        [filter.reason ?? null, filter.status ?? null, filter.statementId ?? null, filter.minAgeDays ?? null, after?.at ?? null, after?.id ?? null, page.limit + 1]);
      return paged(rows, page.limit, toDomain, (row) => ({ at: row.at, id: row.break_id }));
    },

    /** Breaks that are not resolved, by reason, and the age of the oldest in seconds. */
    async unresolved(): Promise<{ byReason: { reason: string; breaks: number }[]; oldestSeconds: number }> {
      const rows = await database.query<{ reason: string; breaks: number; oldest: number }>(
        `select reason, count(*)::int as breaks, extract(epoch from clock_timestamp() - min(found_at))::float8 as oldest
         from reconciliation_breaks where status <> 'resolved' group by reason`);
      return { byReason: rows, oldestSeconds: Math.max(0, ...rows.map(({ oldest }) => oldest)) };
    },
  };
}

const headOf = ({ account, parts, currency, opening, closing }: StatementPart): unknown[] =>
  [account, parts, currency ?? null, opening ? JSON.stringify(opening) : null, closing ? JSON.stringify(closing) : null];

/** The statement of a part: the one stored, or a new one. A concurrent store of the same statement is waited for. */
async function statementOf(database: Database, part: StatementPart, from: string, tx: Tx): Promise<string> {
  const [made] = await database.query<{ statement_id: string }>(
    `insert into statements (statement_id, source, message, reference, received_from, account, parts, currency, opening, closing)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict (source, message, reference) do nothing returning statement_id`,
    [newId(), part.source, part.message, part.statementReference, from, ...headOf(part)], tx);
  if (made) return made.statement_id;
  const [known] = await database.query<{ statement_id: string }>(
    'select statement_id from statements where source = $1 and message = $2 and reference = $3', [part.source, part.message, part.statementReference], tx);
  if (!known) throw new Error('a statement is neither new nor known');
  return known.statement_id;
}

async function storeEntries(database: Database, statementId: string, part: StatementPart, tx: Tx): Promise<void> {
  const rows = part.entries.map((entry, ordinal) => ({ ...entry, ordinal, minor: minorOf(entry.amount).minor.toString(), currency: entry.amount.currency }));
  await database.query(
    `insert into statement_entries (statement_id, part, ordinal, reference, amount_minor, currency, credit_debit, reversal, status, booking_date, value_date, transaction_code, transactions)
     select $1, $2, r.ordinal, r.reference, r.minor::bigint, r.currency, r."creditDebit", r.reversal, r.status, r."bookingDate", r."valueDate", r."transactionCode", r.transactions
     from jsonb_to_recordset($3::jsonb) as r (ordinal int, reference text, minor text, currency text, "creditDebit" text, reversal boolean, status text,
       "bookingDate" date, "valueDate" date, "transactionCode" text, transactions jsonb)`,
    [statementId, part.part, JSON.stringify(rows)], tx);
}

async function storeItems(database: Database, statementId: string, part: StatementPart, tx: Tx): Promise<void> {
  const rows = itemsOf(part.entries).map(({ amount, ...item }) => (
    { ...item, minor: amount.minor.toString(), currency: amount.currency, keys: keysOf({ ...item, amount, itemId: '', date: '' }) }));
  await database.query(
    `insert into statement_items (statement_id, part, ordinal, message, ledger_account_id, amount_minor, currency, credit_debit, item_date, end_to_end_id, rail_transaction,
       instruction_id, uetr, remittance, keys)
     select s.statement_id, $2, r.ordinal, s.message, reconciled_account(s.source, s.account, coalesce(s.currency, r.currency)), r.minor::bigint, r.currency, r."creditDebit",
       coalesce(r.date, (s.closing ->> 'date')::date, (s.received_at at time zone 'utc')::date), r."endToEndId", r."transactionId", r."instructionId", r.uetr, r.remittance, r.keys
     from statements s, jsonb_to_recordset($3::jsonb) as r (ordinal int, minor text, currency text, "creditDebit" text, date date, "endToEndId" text, "transactionId" text,
       "instructionId" text, uetr text, remittance text, keys text[]) where s.statement_id = $1 order by r.ordinal`,
    [statementId, part.part, JSON.stringify(rows)], tx);
}

interface ReportRow {
  statement_id: string; source: StatementReport['source']; message: StatementReport['message']; reference: string; account: string; currency: string | null; at: string;
  received_at: Date; reconciled_at: Date | null; complete: boolean; entries: number; items: number; matched: Record<string, number> | null; ignored: number; open: number; open_breaks: number;
  opening: StatementReport['opening']; closing: StatementReport['closing'];
}
const REPORT = `select s.statement_id, s.source, s.message, s.reference, s.account, s.currency, s.received_at, s.received_at::text as at, s.reconciled_at, s.opening, s.closing,
    (select count(*) from statement_parts p where p.statement_id = s.statement_id) = s.parts as complete,
    (select count(*)::int from statement_entries e where e.statement_id = s.statement_id) as entries, i.items, i.ignored, i.open,
    (select jsonb_object_agg(m.rule, m.items) from (select m.rule, count(distinct m.item_id)::int as items from reconciliation_matches m join statement_items x using (item_id)
      where x.statement_id = s.statement_id group by m.rule) m) as matched,
    (select count(*)::int from reconciliation_breaks b where b.statement_id = s.statement_id and b.status <> 'resolved') as open_breaks
  from statements s cross join lateral (select count(*)::int as items, count(*) filter (where state = 'ignored')::int as ignored, count(*) filter (where state = 'open')::int as open
    from statement_items x where x.statement_id = s.statement_id) i`;

const toReport = (row: ReportRow): StatementReport => ({
  statementId: row.statement_id, source: row.source, message: row.message, reference: row.reference, account: row.account, currency: row.currency,
  receivedAt: row.received_at, reconciledAt: row.reconciled_at, complete: row.complete, entries: row.entries, items: row.items, matched: row.matched ?? {},
  ignored: row.ignored, open: row.open, openBreaks: row.open_breaks, opening: row.opening, closing: row.closing,
});

interface BreakRow {
  break_id: string; reason: BreakReason; status: Break['status']; statement_id: string | null; item_id: string | null; entry_id: string | null; kind: string | null;
  amount_minor: string | null; currency: string | null; credit_debit: CreditDebit | null; payment_id: string | null; candidates: string[]; proposal: Proposal | null;
  resolution: string | null; resolved_by: string | null; found_at: Date; at: string; resolved_at: Date | null; age_days: number;
}
const BREAK = `select b.*, b.found_at::text as at, floor(extract(epoch from coalesce(b.resolved_at, clock_timestamp()) - b.found_at) / 86400)::int as age_days, a.kind,
    coalesce(i.credit_debit, statement_side(case a.kind when 'settlement' then a.kind else 'customer' end, e.side)) as credit_debit
  from reconciliation_breaks b left join statement_items i using (item_id) left join ledger_entries e on e.entry_id = b.entry_id
  left join ledger_accounts a on a.ledger_account_id = b.ledger_account_id`;

const toDomain = (row: BreakRow): Break => ({
  breakId: row.break_id, reason: row.reason, status: row.status, statementId: row.statement_id, itemId: row.item_id, entryId: row.entry_id, accountKind: row.kind,
  amount: row.amount_minor === null || row.currency === null ? null : { minor: BigInt(row.amount_minor), currency: row.currency },
  creditDebit: row.credit_debit, paymentId: row.payment_id, candidates: row.candidates, proposal: row.proposal, resolution: row.resolution, resolvedBy: row.resolved_by,
  foundAt: row.found_at, resolvedAt: row.resolved_at, ageDays: row.age_days,
});

/** Positions are kept to the microsecond, as the database has them. */
function positionOf(cursor: string | undefined): { at: string; id: string } | undefined {
  if (cursor === undefined) return undefined;
  const position = decodeCursor<{ at: string; id: string }>(cursor, ['at', 'id']);
  if (!isId(position.id) || Number.isNaN(Date.parse(position.at))) throw problem('invalid_cursor', 'Use the cursor exactly as nextCursor gave it.');
  return position;
}

function paged<Row, T>(rows: Row[], limit: number, map: (row: Row) => T, position: (last: Row) => { at: string; id: string }): Found<T> {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return { rows: page.map(map), nextCursor: rows.length > limit && last ? encodeCursor(position(last)) : null };
}
