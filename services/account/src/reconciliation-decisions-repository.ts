/** What the staff decides on breaks. Locks: the reconciliation, then the break, then what the ledger's functions lock. */
import type { Database, Tx } from '@kontor/kernel/database';
import type { EventContext } from '@kontor/kernel/events';
import { newId } from '@kontor/kernel/ids';
import { problem } from '@kontor/kernel/problem';
import { decideResolution, type Break, type Decision, type Proposal } from './reconciliation.js';
import type { CreditDebit } from './reconciliation-matching.js';
import type { ReconciliationRepository } from './reconciliation-repository.js';
import { lockReconciliation, resolveMatched, tellReconciliation } from './reconciliation-run-repository.js';

export type ReconciliationDecisions = ReturnType<typeof reconciliationDecisions>;

export function reconciliationDecisions(database: Database, breaks: Pick<ReconciliationRepository, 'findBreak'>) {
  const existing = async (breakId: string, tx?: Tx): Promise<Break> => {
    const found = await breaks.findBreak(breakId, tx, tx ? 'for update of b' : '');
    if (!found) throw problem('break_not_found');
    return found;
  };
  const noted = (breakId: string, act: 'proposed' | 'approved' | 'refused', by: string, proposal: Proposal, reason: string | undefined, tx: Tx): Promise<unknown> =>
    database.query('insert into reconciliation_decisions (break_id, act, by_member, proposal, reason) values ($1, $2, $3, $4, $5)',
      [breakId, act, by, JSON.stringify(proposal), reason ?? null], tx);
  const decide = async (breakId: string, effects: (found: Break, tx: Tx) => Promise<void>): Promise<Break> => {
    await database.transaction(async (tx) => {
      await lockReconciliation(database, tx);
      await effects(await existing(breakId, tx), tx);
    });
    return existing(breakId);
  };

  return {
    propose: (breakId: string, rule: (found: Break) => Proposal): Promise<Break> => decide(breakId, async (found, tx) => {
      const proposal = rule(found);
      await database.query(`update reconciliation_breaks set status = 'proposed', proposal = $2 where break_id = $1`, [breakId, JSON.stringify(proposal)], tx);
      await noted(breakId, 'proposed', proposal.by, proposal, proposal.reason, tx);
    }),

    /** Carries out what was proposed, with what the ledger says now. */
    approve: (breakId: string, decision: Decision, now: Date, context: EventContext): Promise<Break> => decide(breakId, async (found, tx) => {
      const proposal = decideResolution(found, decision);
      if (proposal.resolution === 'match-to') await matchTo(database, tx, { found, proposal, context });
      if (proposal.resolution === 'ignore') await ignore(database, tx, found);
      if (proposal.resolution === 'write-off') await writeOff(database, tx, { found, proposal, now, context });
      await database.query(
        `update reconciliation_breaks set status = 'resolved', resolution = $2, resolved_by = $3, resolved_at = clock_timestamp() where break_id = $1`,
        [breakId, proposal.resolution, decision.by], tx);
      await noted(breakId, 'approved', decision.by, proposal, undefined, tx);
      await tellReconciliation(database, tx, 'reconciliation.break-resolved', breakId,
        { breakId, resolution: proposal.resolution, proposedBy: proposal.by, approvedBy: decision.by }, context);
    }),

    refuse: (breakId: string, decision: Decision & { reason: string }): Promise<Break> => decide(breakId, async (found, tx) => {
      const proposal = decideResolution(found, decision);
      await database.query(`update reconciliation_breaks set status = 'open', proposal = null where break_id = $1`, [breakId], tx);
      await noted(breakId, 'refused', decision.by, proposal, decision.reason, tx);
    }),
  };
}

interface Counterpart { entryId: string; minor: bigint; creditDebit: CreditDebit }

interface ItemRow { message: string; account: string | null; minor: string; credit_debit: CreditDebit; end_to_end_id: string | null; remittance: string | null }

async function itemOf(database: Database, tx: Tx, itemId: string): Promise<ItemRow> {
  const [row] = await database.query<ItemRow & Record<string, unknown>>(
    `select message, ledger_account_id as account, amount_minor as minor, credit_debit, end_to_end_id, remittance from statement_items where item_id = $1 and state = 'open'`, [itemId], tx);
  if (!row) throw problem('invalid_state', 'The entry of the statement has its counterpart by now. Read the break again.');
  return row;
}

/** The entries of a ledger transaction on the statement's account that have no counterpart yet. */
async function counterparts(database: Database, tx: Tx, item: ItemRow, transactionId: string): Promise<Counterpart[]> {
  const rows = await database.query<{ entry_id: string; minor: string; credit_debit: CreditDebit }>(
    `select e.entry_id, e.amount_minor as minor, statement_side(a.kind, e.side) as credit_debit from ledger_entries e join ledger_accounts a using (ledger_account_id)
     where e.transaction_id = $1 and e.ledger_account_id = $2
       and not exists (select 1 from reconciliation_matches m where m.entry_id = e.entry_id and m.message = $3)
       and not exists (select 1 from reconciliation_cleared c where c.entry_id = e.entry_id) order by e.entry_id`, [transactionId, item.account, item.message], tx);
  return rows.map((row) => ({ entryId: row.entry_id, minor: BigInt(row.minor), creditDebit: row.credit_debit }));
}

async function keepMatch(database: Database, tx: Tx, match: { itemId: string; entryId: string; message: string; rule: 'staff' | 'write-off' }): Promise<void> {
  await database.query('insert into reconciliation_matches (item_id, entry_id, message, rule, score) values ($1, $2, $3, $4, 1)', [match.itemId, match.entryId, match.message, match.rule], tx);
}

const setItem = (database: Database, tx: Tx, itemId: string, state: 'matched' | 'ignored') => database.query('update statement_items set state = $2 where item_id = $1', [itemId, state], tx);

async function clearEntry(database: Database, tx: Tx, entryId: string, breakId: string): Promise<void> {
  await database.query('insert into reconciliation_cleared (entry_id, break_id) values ($1, $2)', [entryId, breakId], tx);
}

async function matchTo(database: Database, tx: Tx, { found, proposal, context }: { found: Break; proposal: Proposal; context: EventContext }): Promise<void> {
  const itemId = found.itemId as string;
  const item = await itemOf(database, tx, itemId);
  const fitting = (await counterparts(database, tx, item, proposal.transactionId as string))
    .find(({ minor, creditDebit }) => minor === BigInt(item.minor) && creditDebit === item.credit_debit);
  if (!fitting) throw problem('unprocessable', 'The ledger transaction has no entry on this account with the same side and amount that is free. A difference in amount is written off.');
  await keepMatch(database, tx, { itemId, entryId: fitting.entryId, message: item.message, rule: 'staff' });
  await setItem(database, tx, itemId, 'matched');
  await resolveMatched(database, tx, [`entry:${fitting.entryId}`], context);
}

async function ignore(database: Database, tx: Tx, found: Break): Promise<void> {
  if (found.itemId !== null) {
    await itemOf(database, tx, found.itemId);
    await setItem(database, tx, found.itemId, 'ignored');
  } else if (found.entryId !== null) await clearEntry(database, tx, found.entryId, found.breakId);
}

interface WriteOff { found: Break; proposal: Proposal; now: Date; context: EventContext }

/** Books the difference against suspense. A booking of another amount is completed by it; else it is the counterpart itself. */
async function writeOff(database: Database, tx: Tx, needs: WriteOff): Promise<void> {
  const { found, context } = needs;
  if (found.itemId === null) return writeOffEntry(database, tx, needs);
  const item = await itemOf(database, tx, found.itemId);
  const [transactionId, ...others] = found.reason === 'amount-differs' ? found.candidates : [];
  const [booking] = transactionId !== undefined && others.length === 0 ? await counterparts(database, tx, item, transactionId) : [];
  if (found.reason === 'amount-differs' && booking?.creditDebit !== item.credit_debit) throw problem('invalid_state', 'The booking it differs from has its counterpart by now. Run the reconciliation and read the break again.');
  const difference = BigInt(item.minor) - (booking?.minor ?? 0n);
  const entryId = await post(database, tx, needs, { account: item.account, creditDebit: item.credit_debit, adds: difference > 0n, minor: difference < 0n ? -difference : difference,
    details: { endToEndId: item.end_to_end_id ?? undefined, remittance: item.remittance ?? undefined } });
  if (booking) await keepMatch(database, tx, { itemId: found.itemId, entryId: booking.entryId, message: item.message, rule: 'staff' });
  await keepMatch(database, tx, { itemId: found.itemId, entryId, message: item.message, rule: 'write-off' });
  await setItem(database, tx, found.itemId, 'matched');
  if (booking) await resolveMatched(database, tx, [`entry:${booking.entryId}`], context);
}

async function writeOffEntry(database: Database, tx: Tx, needs: WriteOff): Promise<void> {
  const { found } = needs;
  const [entry] = await database.query<{ account: string; minor: string; credit_debit: CreditDebit }>(
    `select e.ledger_account_id as account, e.amount_minor as minor, statement_side(a.kind, e.side) as credit_debit
     from ledger_entries e join ledger_accounts a using (ledger_account_id) where e.entry_id = $1`, [found.entryId], tx);
  if (!entry || found.entryId === null) throw new Error(`break ${found.breakId} is about no entry`);
  const written = await post(database, tx, needs, { account: entry.account, creditDebit: entry.credit_debit, adds: false, minor: BigInt(entry.minor), details: {} });
  await clearEntry(database, tx, found.entryId, found.breakId);
  await clearEntry(database, tx, written, found.breakId);
}

interface Posting { account: string | null; creditDebit: CreditDebit; adds: boolean; minor: bigint; details: Record<string, string | undefined> }

async function post(database: Database, tx: Tx, { found, now }: WriteOff, { account, creditDebit, adds, minor, details }: Posting): Promise<string> {
  const [row] = await database.query<{ entry_id: string }>(
    'select entry_id from write_off_break($1, $2, $3, $4, $5, $6, $7, $8)', [found.breakId, newId(), account, creditDebit, adds, minor.toString(), JSON.stringify(details), now], tx);
  if (!row) throw new Error('write_off_break answered nothing');
  return row.entry_id;
}
