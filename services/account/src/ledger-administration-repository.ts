/** SQL of what the staff and the clock do with the ledger: limits, reversals, closed periods, the end of holds, verification. */
import { createHash } from 'node:crypto';
import { constraintOf, type Database, type Tx } from '@kontor/kernel/database';
import { newEvent, type EventContext } from '@kontor/kernel/events';
import { newId } from '@kontor/kernel/ids';
import type { Money } from '@kontor/kernel/money';
import { appendEvent } from '@kontor/kernel/outbox';
import { problem } from '@kontor/kernel/problem';
import { accountEvent, type Account, type Change, type InvariantBreak } from './account.js';
import { toldOf, type Reversal, type Verification } from './ledger-administration.js';
import type { AccountRepository } from './repository.js';

export type LedgerAdministration = ReturnType<typeof ledgerAdministration>;

/** Any number: one node checks the ledger at a time. */
const CHECK_LOCK = 7_206_011;
const EXPIRED_AT_ONCE = 100;

export function ledgerAdministration(database: Database, accounts: Pick<AccountRepository, 'changeIn'>) {
  /** A full check may read long; nothing else may wait so long for the database. */
  const breaksIn = async (tx: Tx, full: boolean): Promise<InvariantBreak[]> => {
    await database.query(`set local statement_timeout = '5min'`, undefined, tx);
    return database.query<InvariantBreak & Record<string, unknown>>(`select * from ${full ? 'ledger_invariant_breaks()' : 'ledger_recent_breaks()'}`, [], tx);
  };

  return {
    /** Sets an overdraft limit under the locks of the account and its balance. @throws Problem account_not_found, invalid_state (more is in use), of the rule */
    setOverdraft: (accountId: string, limit: Money, context: EventContext, rule: (account: Account) => Change): Promise<Account> =>
      database.transaction(async (tx) => {
        const changed = await accounts.changeIn(tx, accountId, rule, (told, account) => appendEvent(database, tx, accountEvent(told, account, context)));
        await database.query('select set_overdraft($1, $2)', [accountId, limit.minor.toString()], tx);
        return changed;
      }).catch((fault: unknown) => {
        throw constraintOf(fault) === 'funds_cover' ? problem('invalid_state', 'The account is overdrawn further than that. Name a limit that covers what is in use.') : fault;
      }),

    /** Reverses a booking once and tells it; a repeat answers the reversal there is. */
    reverse: (order: { transactionId: string; reason: string; by: string; now: Date; context: EventContext }): Promise<Reversal> =>
      database.transaction(async (tx) => {
        const [row] = await database.query<{ outcome: Reversal['outcome']; transaction_id: string }>(
          'select * from reverse_transaction($1, $2, $3, $4)', [order.transactionId, newId(), JSON.stringify({ reason: order.reason, by: order.by }), order.now], tx);
        if (!row) throw new Error('reverse_transaction answered nothing');
        const { outcome, transaction_id: transactionId } = row;
        if (outcome === 'reversed') {
          const data = { transactionId, reversedTransactionId: order.transactionId, reason: order.reason, by: order.by };
          await appendEvent(database, tx, newEvent('ledger.reversed', { subject: order.transactionId, data, source: 'account', context: order.context }));
        }
        return { outcome, transactionId };
      }).catch((fault: unknown): Reversal => {
        if (constraintOf(fault) === 'funds_cover') return { outcome: 'not_covered', transactionId: order.transactionId };
        if (constraintOf(fault) === 'reversal_of_returned') return { outcome: 'sent_back', transactionId: order.transactionId };
        throw fault;
      }),

    /** Closes the days up to one, once; a day before the last closed one changes nothing. Answers the last closed day. */
    async closePeriod(closedThrough: string, by: string): Promise<string> {
      const [row] = await database.query<{ closed_through: string }>(
        `with closed as (
           insert into ledger_closings (closed_through, closed_by)
             select $1::date, $2 where not exists (select 1 from ledger_closings where closed_through >= $1::date)
             on conflict do nothing returning closed_through)
         select to_char(greatest(max(closed_through), (select closed_through from closed)), 'YYYY-MM-DD') as closed_through from ledger_closings`, [closedThrough, by]);
      if (!row) throw new Error('no period is closed');
      return row.closed_through;
    },

    /** Gives back what is held too long, a hundred holds at a time, and tells it. Answers how many. */
    async expireHolds(context: () => EventContext): Promise<number> {
      for (let expired = 0; ;) {
        const count = await database.transaction(async (tx) => {
          const rows = await database.query<{ payment_id: string; account_id: string }>('select * from expire_holds($1)', [EXPIRED_AT_ONCE], tx);
          for (const { payment_id: paymentId, account_id: accountId } of rows)
            await appendEvent(database, tx, newEvent('funds.expired', { subject: paymentId, data: { paymentId, accountId }, source: 'account', context: context() }));
          return rows.length;
        });
        expired += count;
        if (count < EXPIRED_AT_ONCE) return expired;
      }
    },

    /** Verifies the whole ledger; counts and breaches are of one snapshot. */
    verify: (): Promise<Verification> => database.transaction(async (tx) => {
      const breaks = await breaksIn(tx, true);
      const [size] = await database.query<{ transactions: string; entries: string; accounts: string; holds: string; at: Date }>(
        'select *, clock_timestamp() as at from ledger_size()', [], tx);
      if (!size) throw new Error('ledger_size answered nothing');
      const checked = { transactions: BigInt(size.transactions), entries: BigInt(size.entries), accounts: BigInt(size.accounts), holds: BigInt(size.holds) };
      return { verifiedAt: size.at, checked, breaks };
    }, { isolation: 'REPEATABLE READ' }),

    /**
     * The scheduled check, of what was booked since the last one that found nothing; of everything when the last such check is `fullEveryHours`
     * ago, and while something is broken. Breaches of an invariant are told once, and again when they change; what has healed is forgotten.
     * @returns the breaches, or undefined while another node checks
     */
    checkAndTell: (context: EventContext, fullEveryHours = 24): Promise<InvariantBreak[] | undefined> => database.transaction(async (tx) => {
      const [lock] = await database.query<{ held: boolean }>('select pg_try_advisory_xact_lock($1) as held', [CHECK_LOCK], tx);
      if (!lock?.held) return undefined;
      const [due] = await database.query<{ full: boolean }>('select full_check_due(make_interval(hours => $1)) as full', [fullEveryHours], tx);
      const full = due?.full ?? true;
      const breaks = await breaksIn(tx, full);
      if (breaks.length === 0) await database.query('select keep_checkpoints($1)', [full], tx);
      const told = toldOf(breaks);
      await database.query('delete from ledger_breaches_told where invariant <> all ($1::text[])', [told.map(({ invariant }) => invariant)], tx);
      for (const data of told) {
        const digest = createHash('sha256').update(JSON.stringify(breaks.filter(({ invariant }) => invariant === data.invariant))).digest('hex');
        const changed = await database.query(
          `insert into ledger_breaches_told as t (invariant, digest) values ($1, $2)
           on conflict (invariant) do update set digest = excluded.digest, told_at = clock_timestamp() where t.digest <> excluded.digest returning 1 as changed`,
          [data.invariant, digest], tx);
        if (changed.length > 0) await appendEvent(database, tx, newEvent('ledger.invariant-broken', { subject: newId(), data, source: 'account', context }));
      }
      return breaks;
    }, { isolation: 'REPEATABLE READ' }),
  };
}
