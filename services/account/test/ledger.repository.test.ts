import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { constraintOf, stateOf } from '@kontor/kernel/database';
import { newId } from '@kontor/kernel/ids';
import { testDatabase, type TestDatabase } from '@kontor/testing/database';
import { heldRow } from '@kontor/testing/held-row';
import { closeAccount, type Account } from '../src/account.js';
import { changeOverdraft } from '../src/ledger-administration.js';
import { context, eur, ledgerFixture, NOW } from './ledger-fixture.js';

const root = new URL('..', import.meta.url);
const PAYER = 'NL02ABNA0123456789';

describe('the rules of the ledger', () => {
  let stored: TestDatabase;
  let ledger: ReturnType<typeof ledgerFixture>;
  before(async () => {
    stored = await testDatabase(root);
    ledger = ledgerFixture(stored.database);
  });
  after(() => stored.drop());
  afterEach('the books are sound', async () => expect(await ledger.accounts.invariantBreaks()).to.deep.equal([]));

  const funded = async (minor: number): Promise<{ accountId: string; iban: string }> => {
    const account = await ledger.open();
    await ledger.credit(account.iban, eur(minor));
    return account;
  };
  const received = async (iban: string, minor: number): Promise<string> => {
    const credited = await ledger.credit(iban, eur(minor));
    if (credited.outcome !== 'credited') throw new Error(credited.outcome);
    return credited.transactionId;
  };
  const faultOf = (running: Promise<unknown>): Promise<unknown> => running.then(() => undefined, (fault: unknown) => fault);
  const overdraft = (accountId: string, minor: number) => ledger.administration.setOverdraft(accountId, eur(minor), context, (account) => changeOverdraft(account, eur(minor)));
  const told = async (type: string, about: string) =>
    (await stored.database.query<{ data: Record<string, unknown> }>(`select event -> 'data' as data from outbox where type = $1 and event::text like $2 order by position`, [type, `%${about}%`])).map(({ data }) => data);
  const post = (entries: object[], change: { valueDate?: string; at?: Date; reference?: string } = {}) => stored.database.query<{ transaction_id: string; booked: boolean }>(
    `select * from post_transaction($1, $2, 'correction', null, '{}', $3, $4, $5)`,
    [newId(), change.reference ?? newId(), change.at ?? NOW, JSON.stringify(entries), change.valueDate ?? null]);
  const pair = (debit: string, credit: string, minor: number) => [{ account: debit, side: 'debit', amount: String(minor) }, { account: credit, side: 'credit', amount: String(minor) }];

  it('no table refers to one whose rows the service may not lock: every insert would be refused to its role', async () => {
    const refused = await stored.database.query<{ table: string; refers_to: string }>(
      `select conrelid::regclass::text as table, t.relname as refers_to from pg_constraint join pg_class t on t.oid = confrelid
        where contype = 'f' and t.relacl is not null
          and not exists (select from aclexplode(t.relacl) where grantee = t.relowner and privilege_type = 'UPDATE')`);
    expect(refused).to.deep.equal([]);
  });

  describe('the sequence of an account', () => {
    it('counts its entries from one without a gap, refused postings drawing no number', async () => {
      const [from, to] = [await funded(100), await ledger.open()];
      await post(pair(from.accountId, to.accountId, 10));
      expect(constraintOf(await faultOf(post(pair(from.accountId, to.accountId, 1_000))))).to.equal('funds_cover');
      await post(pair(from.accountId, to.accountId, 20));
      const rows = await stored.database.query<{ sequence: string }>('select sequence from ledger_entries where ledger_account_id = $1 order by entry_id', [from.accountId]);
      expect(rows.map(({ sequence }) => sequence)).to.deep.equal(['1', '2', '3']);
    });
    it('numbers every entry of a posting that touches the account twice', async () => {
      const { accountId } = await funded(50);
      await post(pair(accountId, accountId, 50));
      const rows = await stored.database.query<{ sequence: string; side: string }>('select sequence, side from ledger_entries where ledger_account_id = $1 order by sequence', [accountId]);
      expect(rows.map(({ sequence, side }) => `${sequence} ${side}`)).to.deep.equal(['1 credit', '2 debit', '3 credit']);
    });
  });

  describe('currencies', () => {
    it('balance each by itself in one posting; none is converted', async () => {
      const [euro, dollar] = [await funded(100), await ledger.open({ currency: 'USD' })];
      const [otherEuro, otherDollar] = [await ledger.open(), await ledger.open({ currency: 'USD' })];
      await ledger.credit(dollar.iban, { minor: 100n, currency: 'USD' });
      await post([...pair(euro.accountId, otherEuro.accountId, 30), ...pair(dollar.accountId, otherDollar.accountId, 40)]);
      expect([await ledger.balanceOf(otherEuro.accountId), await ledger.balanceOf(otherDollar.accountId)]).to.deep.equal([[30n, 0n], [40n, 0n]]);
      const crossed = [{ account: euro.accountId, side: 'debit', amount: '5' }, { account: dollar.accountId, side: 'credit', amount: '5' }];
      expect(constraintOf(await faultOf(post(crossed)))).to.equal('ledger_entries_balanced');
    });
  });

  describe('a value date', () => {
    const day = (offset: number): string => new Date(Date.parse('2026-03-31T12:00:00Z') + offset * 86_400_000).toISOString().slice(0, 10);
    const at = new Date('2026-03-31T12:00:00Z');
    it('is the booking date unless given, and may lie up to 30 days from it', async () => {
      const [from, to] = [await funded(100), await ledger.open()];
      await post(pair(from.accountId, to.accountId, 1), { at });
      await post(pair(from.accountId, to.accountId, 1), { at, valueDate: day(-30) });
      const { rows } = await ledger.accounts.entries(to.accountId, { from: null, to: null }, { limit: 10 });
      expect(rows.map(({ bookingDate, valueDate }) => [bookingDate, valueDate])).to.deep.equal([['2026-03-31', '2026-03-01'], ['2026-03-31', '2026-03-31']]);
      for (const offset of [-31, 31]) expect(constraintOf(await faultOf(post(pair(from.accountId, to.accountId, 1), { at, valueDate: day(offset) })))).to.equal('value_date_near');
    });
    it('is never before the account was opened', async () => {
      const [from, to] = [await funded(100), await ledger.open()];
      const fault = await faultOf(post(pair(from.accountId, to.accountId, 1), { valueDate: '2026-01-04' }));
      expect([stateOf(fault), constraintOf(fault)]).to.deep.equal(['KL005', 'value_date_after_opening']);
    });
    it('is never in a closed period, and what comes late is booked on the first open day', async () => {
      const [from, to] = [await funded(100), await ledger.open()];
      const outcome = await stored.database.transaction(async (tx) => {
        await stored.database.query(`insert into ledger_closings (closed_through, closed_by) values ('2026-02-15', 'back-office/staff-1')`, [], tx);
        const book = (valueDate: string | null, booked: string) => stored.database.query<{ transaction_id: string }>(
          `select * from post_transaction($1, $2, 'correction', null, '{}', $3, $4, $5)`, [newId(), newId(), booked, JSON.stringify(pair(from.accountId, to.accountId, 1)), valueDate], tx);
        await book('2026-02-16', '2026-02-20T00:00:00Z');
        await book(null, '2026-02-10T00:00:00Z');
        const entries = await stored.database.query<{ day: string }>(
          `select booking_date::text as day from ledger_entries where ledger_account_id = $1 order by sequence`, [to.accountId], tx);
        await stored.database.query('savepoint before_refusal', undefined, tx);
        const refusal = await faultOf(book('2026-02-15', '2026-02-20T00:00:00Z'));
        throw Object.assign(new Error('roll back'), { days: entries.map(({ day: booked }) => booked), refusal });
      }).catch((fault: { days?: string[]; refusal?: unknown }) => fault);
      expect(outcome.days).to.deep.equal(['2026-02-20', '2026-02-16']);
      expect(constraintOf(outcome.refusal)).to.equal('value_date_open');
    });
  });

  describe('an overdraft limit', () => {
    it('lets payments go below zero to the limit and not beyond, and is told', async () => {
      const { accountId } = await funded(100);
      await overdraft(accountId, 50);
      expect((await ledger.reserve(newId(), accountId, eur(151))).outcome).to.equal('refused');
      const payment = newId();
      expect((await ledger.reserve(payment, accountId, eur(150))).outcome).to.equal('reserved');
      expect((await ledger.capture(payment, accountId, eur(150))).outcome).to.equal('captured');
      expect(await ledger.balanceOf(accountId)).to.deep.equal([-50n, 0n]);
      expect((await told('account.overdraft-changed', accountId))[0]).to.deep.include({ accountId, limit: { amount: '0.50', currency: 'EUR' } });
    });
    it('is not lowered below what is in use, held funds counted', async () => {
      const { accountId } = await funded(100);
      await overdraft(accountId, 50);
      await ledger.reserve(newId(), accountId, eur(130));
      expect(await faultOf(overdraft(accountId, 29))).to.include({ code: 'invalid_state' });
      await overdraft(accountId, 30);
      expect((await ledger.accounts.balance(accountId))?.overdraftMinor).to.equal(30n);
    });
    it('is in the currency of the account, and not for one that is closed', async () => {
      const { accountId } = await ledger.open();
      const dollars = { minor: 1n, currency: 'USD' };
      expect(await faultOf(ledger.administration.setOverdraft(accountId, dollars, context, (account) => changeOverdraft(account, dollars)))).to.include({ code: 'unprocessable' });
      await ledger.accounts.change(accountId, context, closeAccount);
      expect(await faultOf(overdraft(accountId, 1))).to.include({ code: 'invalid_state' });
      expect(await faultOf(overdraft(newId(), 1))).to.include({ code: 'account_not_found' });
    });
  });

  describe('a hold', () => {
    const late = async (paymentId: string) => stored.database.query(`update holds set expires_at = clock_timestamp() - interval '1 second' where payment_id = $1`, [paymentId]);
    it('ends when its time is over: the funds are available again, and it is told once', async () => {
      const { accountId } = await funded(100);
      const [over, standing] = [newId(), newId()];
      await ledger.reserve(over, accountId, eur(60));
      await ledger.reserve(standing, accountId, eur(10));
      await late(over);
      expect(await ledger.administration.expireHolds(() => context)).to.equal(1);
      expect(await ledger.administration.expireHolds(() => context)).to.equal(0);
      expect(await ledger.balanceOf(accountId)).to.deep.equal([100n, 10n]);
      expect(await told('funds.expired', over)).to.deep.equal([{ paymentId: over, accountId }]);
    });
    it('that has ended is neither released nor reserved again, and its late settlement is booked once, against suspense', async () => {
      const { accountId } = await funded(100);
      const payment = newId();
      await ledger.reserve(payment, accountId, eur(60));
      await late(payment);
      await ledger.administration.expireHolds(() => context);
      expect((await ledger.reserve(payment, accountId, eur(60))).outcome).to.equal('repeated');
      expect((await ledger.release(payment, accountId)).outcome).to.equal('repeated');
      const before = await ledger.internal('suspense:EUR');
      expect((await ledger.capture(payment, accountId, eur(60))).outcome).to.equal('captured');
      expect((await ledger.capture(payment, accountId, eur(60))).outcome).to.equal('repeated');
      expect(await ledger.balanceOf(accountId)).to.deep.equal([100n, 0n]);
      expect(await ledger.internal('suspense:EUR') - before).to.equal(-60n);
      const { rows } = await ledger.accounts.bookings({ paymentId: payment }, { limit: 5 });
      expect(rows.map(({ reference, entries }) => [reference, entries[0]?.code])).to.deep.equal([[`payment:${payment}`, 'suspense:EUR']]);
    });
    it('lasts as long as the bank says', async () => {
      const { accountId } = await funded(10);
      await ledger.reserve(newId(), accountId, eur(10));
      const [row] = await stored.database.query<{ hours: number }>(
        `select extract(epoch from expires_at - clock_timestamp())::int / 3600 as hours from holds where account_id = $1`, [accountId]);
      expect(row?.hours).to.be.within(167, 168);
    });
    it('says whether the payment stays in the bank, and a credit on its way is expected', async () => {
      const [from, to] = [await funded(100), await ledger.open()];
      expect(await ledger.reserve(newId(), from.accountId, eur(30), to.iban)).to.include({ outcome: 'reserved', onUs: true });
      expect(await ledger.reserve(newId(), from.accountId, eur(30))).to.include({ outcome: 'reserved', onUs: false });
      expect((await ledger.accounts.balance(to.accountId))?.incomingMinor).to.equal(30n);
    });
    it('is refused for an account of ours that is closed (AC07) or kept in another currency (AM03)', async () => {
      const [from, closed, dollars] = [await funded(100), await ledger.open(), await ledger.open({ currency: 'USD' })];
      await ledger.accounts.change(closed.accountId, context, closeAccount);
      expect(await ledger.reserve(newId(), from.accountId, eur(1), closed.iban)).to.deep.equal({ outcome: 'refused', reason: 'AC07' });
      expect(await ledger.reserve(newId(), from.accountId, eur(1), dollars.iban)).to.deep.equal({ outcome: 'refused', reason: 'AM03' });
    });
    it('that was not on-us does not become so: an account opened meanwhile under that IBAN is not credited twice', async () => {
      const from = await funded(100);
      const payment = newId();
      await ledger.reserve(payment, from.accountId, eur(30), 'LATERIBAN');
      const later = await ledger.open();
      await stored.database.query(`update accounts set iban = 'LATERIBAN' where account_id = $1`, [later.accountId]);
      expect(await ledger.capture(payment, from.accountId, eur(30))).to.include({ outcome: 'captured', onUsAccountId: null });
      expect(await ledger.balanceOf(later.accountId)).to.deep.equal([0n, 0n]);
    });
  });

  describe('a refund', () => {
    it('names the transfer it returns, and goes to who had paid', async () => {
      const { accountId, iban } = await ledger.open();
      await ledger.credit(iban, eur(100), 'to-refund');
      const [{ transaction_id: original }] = await stored.database.query<{ transaction_id: string }>(
        `select transaction_id from ledger_transactions where reference = 'rail:to-refund'`) as [{ transaction_id: string }];
      expect(await ledger.reserve(newId(), accountId, eur(40), PAYER, original)).to.deep.include({
        outcome: 'reserved', original: { railReference: 'to-refund', endToEndId: 'E2E', amount: { amount: '1.00', currency: 'EUR' } } });
      expect(await ledger.reserve(newId(), accountId, eur(10), 'DE78997000010000000017', original)).to.deep.equal({ outcome: 'refused', reason: 'AC03' });
    });
    it('is refused beyond what was received, all refunds under way counted (AM09); a released one counts no more', async () => {
      const { accountId, iban } = await ledger.open();
      await ledger.credit(iban, eur(500));
      const original = await received(iban, 100);
      const first = newId();
      expect((await ledger.reserve(first, accountId, eur(60), PAYER, original)).outcome).to.equal('reserved');
      expect(await ledger.reserve(newId(), accountId, eur(41), PAYER, original)).to.deep.equal({ outcome: 'refused', reason: 'AM09' });
      await ledger.release(first, accountId);
      expect((await ledger.reserve(newId(), accountId, eur(100), PAYER, original)).outcome).to.equal('reserved');
    });
    it('is refused for a transfer that was not received on the account, or was reversed (NOOR)', async () => {
      const [mine, other] = [await funded(100), await ledger.open()];
      const original = await received(other.iban, 50);
      expect(await ledger.reserve(newId(), mine.accountId, eur(10), PAYER, original)).to.deep.equal({ outcome: 'refused', reason: 'NOOR' });
      expect(await ledger.reserve(newId(), mine.accountId, eur(10), PAYER, newId())).to.deep.equal({ outcome: 'refused', reason: 'NOOR' });
      await ledger.administration.reverse({ transactionId: original, reason: 'wrong', by: 'x/y', now: NOW, context });
      await ledger.credit(other.iban, eur(50));
      expect(await ledger.reserve(newId(), other.accountId, eur(10), PAYER, original)).to.deep.equal({ outcome: 'refused', reason: 'NOOR' });
    });
  });

  describe('a reversal', () => {
    const reverse = (transactionId: string) => ledger.administration.reverse({ transactionId, reason: 'Booked twice', by: 'back-office/staff-1', now: NOW, context });
    it('books the entries the other way round, once, and is told with who ordered it and why', async () => {
      const { accountId, iban } = await ledger.open();
      const transactionId = await received(iban, 70);
      const first = await reverse(transactionId);
      expect(first.outcome).to.equal('reversed');
      expect(await reverse(transactionId)).to.deep.equal({ outcome: 'repeated', transactionId: first.transactionId });
      expect(await ledger.balanceOf(accountId)).to.deep.equal([0n, 0n]);
      const booking = await ledger.accounts.booking(first.transactionId);
      expect(booking).to.include({ type: 'reversal', reference: `reversal:${transactionId}`, reverses: transactionId, reason: 'Booked twice', by: 'back-office/staff-1' });
      expect(booking?.entries.map(({ code, side }) => `${side} ${code}`)).to.deep.equal(['credit settlement:EUR', `debit customer:${accountId}`]);
      expect(await told('ledger.reversed', transactionId)).to.deep.equal([
        { transactionId: first.transactionId, reversedTransactionId: transactionId, reason: 'Booked twice', by: 'back-office/staff-1' }]);
    });
    it('is refused for a reversal, for what is not there, when the money is gone, and on a closed account', async () => {
      const { accountId, iban } = await ledger.open();
      const transactionId = await received(iban, 70);
      await ledger.reserve(newId(), accountId, eur(70));
      expect((await reverse(transactionId)).outcome).to.equal('not_covered');
      expect((await reverse(newId())).outcome).to.equal('unknown');
      const other = await ledger.open();
      const reversed = await reverse(await received(other.iban, 5));
      expect((await reverse(reversed.transactionId)).outcome).to.equal('is_reversal');
      const emptied = await ledger.open();
      const gone = await received(emptied.iban, 5);
      await post(pair(emptied.accountId, other.accountId, 5));
      await ledger.accounts.change(emptied.accountId, context, closeAccount);
      expect((await reverse(gone)).outcome).to.equal('closed');
    });
  });

  describe('the check of the books', () => {
    /** Corrupts as a superuser with the triggers off, looks, and takes it back. */
    const corrupted = async (statements: [string, unknown[]][], check = 'ledger_invariant_breaks'): Promise<string[]> => {
      const seen = await stored.database.transaction(async (tx) => {
        await stored.database.query('set local session_replication_role = replica', undefined, tx);
        for (const [sql, params] of statements) await stored.database.query(sql, params, tx);
        const found = await stored.database.query<{ invariant: string }>(`select * from ${check}()`, [], tx);
        throw Object.assign(new Error('roll back'), { found: [...new Set(found.map(({ invariant }) => invariant))] });
      }).catch((fault: unknown) => fault) as { found?: string[] };
      if (!seen.found) throw seen;
      return seen.found;
    };
    let accountId: string;
    before(async () => { ({ accountId } = await funded(100)); });
    const entryOf = 'ledger_account_id = $1 and sequence = 1';
    const crimes: [title: string, statements: () => [string, unknown[]][], found: string[]][] = [
      ['an entry whose amount was changed', () => [[`update ledger_entries set amount_minor = 101 where ${entryOf}`, [accountId]]], ['debits equal credits', 'balance equals its entries']],
      ['both sides changed alike', () => [[`update ledger_entries set amount_minor = 101 where transaction_id = (select transaction_id from ledger_entries where ${entryOf})`, [accountId]]], ['balance equals its entries']],
      ['a transaction without entries', () => [[`insert into ledger_transactions (transaction_id, reference, type, details, entries_digest, booked_at) values ($1::uuid, $1::text, 'correction', '{}', '', now())`, [newId()]]], ['a transaction has two sides']],
      ['an entry in another currency than its account', () => [[`update ledger_accounts set currency = 'USD' where ledger_account_id = $1`, [accountId]]], ['an entry is in the currency of its account']],
      ['a balance that was changed', () => [['update ledger_balances set booked_minor = booked_minor + 1 where ledger_account_id = $1', [accountId]]], ['balance equals its entries']],
      ['a number that is missing in a sequence', () => [[`update ledger_entries set sequence = 7 where ${entryOf}`, [accountId]]], ['the sequence has no gap']],
      ['a sequence that was set back', () => [['update ledger_balances set sequence = 0 where ledger_account_id = $1', [accountId]]], ['the sequence has no gap']],
      ['an entry that was deleted', () => [[`delete from ledger_entries where ${entryOf}`, [accountId]]], ['debits equal credits', 'a transaction has two sides', 'balance equals its entries', 'the sequence has no gap']],
      ['held funds without a hold', () => [['update ledger_balances set held_minor = 1 where ledger_account_id = $1', [accountId]]], ['held equals its holds']],
      ['an account below its overdraft limit', () => [['alter table ledger_balances drop constraint funds_cover', []], ['update ledger_balances set overdraft_minor = 0, booked_minor = -1 where ledger_account_id = $1', [accountId]]], ['balance equals its entries', 'nobody is beyond the overdraft limit']],
    ];
    for (const [title, statements, found] of crimes) it(`finds ${title}`, async () => expect(await corrupted(statements())).to.have.members(found));
    it('finds the same in what is new, but for a transaction that has no entries at all', async () => {
      for (const [title, statements, found] of crimes.filter(([name]) => name !== 'a transaction without entries'))
        expect(await corrupted([['delete from ledger_checkpoints', []], ...statements()], 'ledger_recent_breaks'), title).to.have.members(found);
    });

    it('says how much it looked at', async () => {
      const { checked, breaks } = await ledger.administration.verify();
      const [count] = await stored.database.query<{ n: string }>('select count(*) as n from ledger_entries');
      expect([checked.entries, breaks]).to.deep.equal([BigInt(count!.n), []]);
      expect(checked.transactions * 2n <= checked.entries).to.equal(true);
    });
    it('reads only what is new once all was found sound, and everything again while something is broken or when a day is over', async () => {
      const { accountId: fresh, iban } = await funded(10);
      const checked = () => ledger.administration.checkAndTell(context);
      expect(await checked()).to.deep.equal([]);
      await ledger.credit(iban, eur(5));
      const tamper = async (sql: string) => stored.database.transaction(async (tx) => {
        await stored.database.query('set local session_replication_role = replica', undefined, tx);
        await stored.database.query(sql, [fresh], tx);
      });
      // An old entry is not read again before the full check; a new one is.
      await tamper('update ledger_entries set amount_minor = amount_minor + 1 where ledger_account_id = $1 and sequence = 1');
      expect(await checked()).to.deep.equal([]);
      await stored.database.query(`update ledger_full_checks set checked_at = checked_at - interval '25 hours'`);
      expect((await checked())?.map(({ invariant }) => invariant)).to.have.members(['debits equal credits', 'balance equals its entries']);
      expect((await checked())?.length).to.equal(2);
      await tamper('update ledger_entries set amount_minor = amount_minor - 1 where ledger_account_id = $1 and sequence = 1');
      expect(await checked()).to.deep.equal([]);
      await ledger.credit(iban, eur(7));
      await tamper('update ledger_entries set sequence = 9 where ledger_account_id = $1 and sequence = 3');
      expect((await checked())?.map(({ invariant }) => invariant)).to.deep.equal(['the sequence has no gap']);
      await tamper('update ledger_entries set sequence = 3 where ledger_account_id = $1 and sequence = 9');
      expect(await checked()).to.deep.equal([]);
    });
    it('tells a breach once, again when it changes, and once more when it comes back', async () => {
      const set = (minor: number) => stored.database.query('update ledger_balances set held_minor = $2 where ledger_account_id = $1', [accountId, minor]);
      const check = async (): Promise<number> => {
        await ledger.administration.checkAndTell(context);
        return (await told('ledger.invariant-broken', accountId)).length;
      };
      const counts: number[] = [];
      for (const minor of [1, 1, 2, 0, 1]) {
        await set(minor);
        counts.push(await check());
      }
      await set(0);
      await check();
      expect(counts).to.deep.equal([1, 1, 2, 2, 3]);
      expect((await told('ledger.invariant-broken', accountId))[0]).to.deep.equal({ invariant: 'held equals its holds', count: 1, subjects: [accountId] });
    });
    it('is made by one node at a time', async () => {
      await stored.database.transaction(async (tx) => {
        await stored.database.query('select pg_advisory_xact_lock(7206011)', [], tx);
        expect(await ledger.administration.checkAndTell(context)).to.equal(undefined);
      });
      expect(await ledger.administration.checkAndTell(context)).to.deep.equal([]);
    });
  });

  describe('when two come at once', () => {
    const held = heldRow(() => stored.url);
    const BALANCE = 'select 1 from ledger_balances where ledger_account_id = $1 for update';
    const outcomes = (settled: PromiseSettledResult<unknown>[]): unknown[] =>
      settled.map((s) => (s.status === 'fulfilled' ? (s.value as { outcome?: string; accountId?: string }).outcome ?? 'done' : (s.reason as { code?: string }).code));

    // Guard: post_transaction changes the balance under its row lock. With lock_balances left out and the old balance read beside it, 112 becomes 107.
    it('no posting is lost: both change the balance (lost update)', async () => {
      const { accountId, iban } = await funded(100);
      const settled = await held(BALANCE, [accountId], [() => ledger.credit(iban, eur(5)), () => ledger.credit(iban, eur(7))]);
      expect(outcomes(settled)).to.deep.equal(['credited', 'credited']);
      expect(await ledger.balanceOf(accountId)).to.deep.equal([112n, 0n]);
    });
    // Guard: the constraint funds_cover on the row both change. Without it the limit is lowered under a hold.
    it('a limit is not lowered under a payment that uses it (write skew)', async () => {
      const { accountId } = await ledger.open();
      await overdraft(accountId, 100);
      const first = await held(BALANCE, [accountId], [() => ledger.reserve(newId(), accountId, eur(80)), () => overdraft(accountId, 50)]);
      expect(outcomes(first)).to.deep.equal(['reserved', 'invalid_state']);
      const other = await ledger.open();
      await overdraft(other.accountId, 100);
      const second = await held(BALANCE, [other.accountId], [() => overdraft(other.accountId, 50), () => ledger.reserve(newId(), other.accountId, eur(80))]);
      expect(outcomes(second)).to.deep.equal(['done', 'refused']);
    });
    // Guard: `for share` on the account in book_incoming_credit against `for update` in changeIn. Without it money lands on a closed account.
    it('no money arrives on an account that closes (write skew)', async () => {
      const { accountId, iban } = await ledger.open();
      const settled = await held('select 1 from accounts where account_id = $1 for update', [accountId], [
        () => ledger.accounts.change(accountId, context, (account: Account, balance) => closeAccount(account, balance)), () => ledger.credit(iban, eur(5))]);
      expect(outcomes(settled)).to.deep.equal(['done', 'refused']);
      expect(await ledger.balanceOf(accountId)).to.deep.equal([0n, 0n]);
    });
    // Guard: the condition on available funds in the update that holds them. As a select beforehand, both find enough, and only funds_cover stops the second.
    it('two payments do not hold the same funds (phantom hold)', async () => {
      const { accountId } = await funded(100);
      const settled = await held(BALANCE, [accountId], [1, 2].map(() => () => ledger.reserve(newId(), accountId, eur(60))));
      expect(outcomes(settled)).to.have.members(['reserved', 'refused']);
      expect(await ledger.balanceOf(accountId)).to.deep.equal([100n, 60n]);
    });
    // Guard: `for update` on the hold in capture_funds. Without it both find it reserved, and only the reference `payment:…` stops the second (KL003).
    it('a payment settled twice at once is captured once (double capture)', async () => {
      const { accountId } = await funded(100);
      const payment = newId();
      await ledger.reserve(payment, accountId, eur(60));
      await ledger.reserve(newId(), accountId, eur(40));
      const settled = await held(BALANCE, [accountId], [1, 2].map(() => () => ledger.capture(payment, accountId, eur(60))));
      expect(outcomes(settled)).to.have.members(['captured', 'repeated']);
      expect(await ledger.balanceOf(accountId)).to.deep.equal([40n, 40n]);
    });
    // Guard: lock_balances before check_refund. Without it both count the refunds before the other has held.
    it('two refunds do not pay back more than was received', async () => {
      const { accountId, iban } = await funded(500);
      const original = await received(iban, 100);
      const settled = await held(BALANCE, [accountId], [1, 2].map(() => () => ledger.reserve(newId(), accountId, eur(60), PAYER, original)));
      expect(outcomes(settled)).to.have.members(['reserved', 'refused']);
    });
    // Guard: `for update skip locked` in expire_holds: without it the sweep finds the hold reserved, waits for the balance and gives back what is gone.
    it('a hold that is being captured does not end at the same moment', async () => {
      const { accountId } = await funded(100);
      const payment = newId();
      await ledger.reserve(payment, accountId, eur(60));
      await stored.database.query(`update holds set expires_at = clock_timestamp() where payment_id = $1`, [payment]);
      const settled = await held(BALANCE, [accountId], [() => ledger.capture(payment, accountId, eur(60)), async () => {
        const sweep = ledger.administration.expireHolds(() => context);
        sweep.catch(() => undefined);
        await Promise.race([sweep, pause(200)]);
        await ledger.reserve(newId(), accountId, eur(1));
        return { outcome: await sweep };
      }]);
      expect(outcomes(settled)).to.deep.equal(['captured', 0]);
      expect(await ledger.balanceOf(accountId)).to.deep.equal([40n, 1n]);
    });
  });
});
