import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import fc from 'fast-check';
import { constraintOf, stateOf } from '@kontor/kernel/database';
import { newId } from '@kontor/kernel/ids';
import { testDatabase, type TestDatabase } from '@kontor/testing/database';
import { heldRow } from '@kontor/testing/held-row';
import { blockAccount, closeAccount, customerFrom } from '../src/account.js';
import { context, eur, ledgerFixture, NOW } from './ledger-fixture.js';

const root = new URL('..', import.meta.url);
interface Funded { accountId: string; iban: string }

describe('the account repository', () => {
  let stored: TestDatabase;
  let ledger: ReturnType<typeof ledgerFixture>;
  before(async () => {
    stored = await testDatabase(root);
    ledger = ledgerFixture(stored.database);
  });
  after(() => stored.drop());
  afterEach('the books balance', async () => expect(await ledger.accounts.invariantBreaks()).to.deep.equal([]));

  const funded = async (minor: number): Promise<Funded> => {
    const account = await ledger.open();
    await ledger.credit(account.iban, eur(minor));
    return account;
  };

  describe('money', () => {
    it('comes in against settlement, once for its rail reference', async () => {
      const { accountId, iban } = await ledger.open();
      const before = await ledger.internal('settlement:EUR');
      expect((await ledger.credit(iban, eur(1000), 'ref-1')).outcome).to.equal('credited');
      expect((await ledger.credit(iban, eur(1000), 'ref-1')).outcome).to.equal('repeated');
      expect(await ledger.balanceOf(accountId)).to.deep.equal([1000n, 0n]);
      expect(await ledger.internal('settlement:EUR') - before).to.equal(-1000n);
    });
    it('for an unknown account is refused with AC01, and stays refused when the account exists later', async () => {
      expect(await ledger.credit('NOBODY', eur(1), 'ref-2')).to.deep.equal({ outcome: 'refused', reason: 'AC01' });
      const { iban } = await ledger.open();
      expect((await ledger.credit(iban, eur(1), 'ref-2')).outcome).to.equal('repeated');
    });
    it('for a closed account is refused with AC04, in another currency with AM03', async () => {
      const { accountId, iban } = await ledger.open();
      expect(await ledger.credit(iban, { minor: 1n, currency: 'USD' })).to.deep.equal({ outcome: 'refused', reason: 'AM03' });
      await ledger.accounts.change(accountId, context, closeAccount);
      expect(await ledger.credit(iban, eur(1))).to.deep.equal({ outcome: 'refused', reason: 'AC04' });
    });
    it('still comes in on a blocked account', async () => {
      const { accountId, iban } = await ledger.open();
      await ledger.accounts.change(accountId, context, blockAccount);
      expect((await ledger.credit(iban, eur(1))).outcome).to.equal('credited');
    });
  });

  describe('funds for a payment', () => {
    it('are held, then captured against settlement', async () => {
      const { accountId } = await funded(1000);
      const payment = newId();
      const before = await ledger.internal('settlement:EUR');
      expect(await ledger.reserve(payment, accountId, eur(400))).to.include({ outcome: 'reserved' }).and.deep.include({ debtor: { name: 'Ada Example', iban: (await ledger.accounts.find(accountId))!.iban } });
      expect(await ledger.balanceOf(accountId)).to.deep.equal([1000n, 400n]);
      expect((await ledger.capture(payment, accountId, eur(400))).outcome).to.equal('captured');
      expect((await ledger.capture(payment, accountId, eur(400))).outcome).to.equal('repeated');
      expect(await ledger.balanceOf(accountId)).to.deep.equal([600n, 0n]);
      expect(await ledger.internal('settlement:EUR') - before).to.equal(400n);
    });
    it('are refused with AM04 beyond what is available, held funds counted', async () => {
      const { accountId } = await funded(1000);
      expect((await ledger.reserve(newId(), accountId, eur(600))).outcome).to.equal('reserved');
      expect(await ledger.reserve(newId(), accountId, eur(401))).to.deep.equal({ outcome: 'refused', reason: 'AM04' });
      expect((await ledger.reserve(newId(), accountId, eur(400))).outcome).to.equal('reserved');
    });
    it('are refused with AC01 for an unknown account, AC06 for a blocked one, AC04 for a closed one, AM03 in another currency', async () => {
      expect(await ledger.reserve(newId(), newId(), eur(1))).to.deep.equal({ outcome: 'refused', reason: 'AC01' });
      const { accountId } = await funded(5);
      expect(await ledger.reserve(newId(), accountId, { minor: 1n, currency: 'USD' })).to.deep.equal({ outcome: 'refused', reason: 'AM03' });
      await ledger.accounts.change(accountId, context, blockAccount);
      expect(await ledger.reserve(newId(), accountId, eur(1))).to.deep.equal({ outcome: 'refused', reason: 'AC06' });
      const { accountId: closed } = await ledger.open();
      await ledger.accounts.change(closed, context, closeAccount);
      expect(await ledger.reserve(newId(), closed, eur(1))).to.deep.equal({ outcome: 'refused', reason: 'AC04' });
    });
    it('are captured although the account was blocked meanwhile: the rail has settled', async () => {
      const { accountId } = await funded(10);
      const payment = newId();
      await ledger.reserve(payment, accountId, eur(10));
      await ledger.accounts.change(accountId, context, blockAccount);
      expect((await ledger.capture(payment, accountId, eur(10))).outcome).to.equal('captured');
    });
    it('are given back when the payment ends', async () => {
      const { accountId } = await funded(10);
      const payment = newId();
      await ledger.reserve(payment, accountId, eur(10));
      expect(await ledger.release(payment, accountId)).to.deep.equal({ outcome: 'released' });
      expect(await ledger.release(payment, accountId)).to.deep.equal({ outcome: 'repeated' });
      expect(await ledger.balanceOf(accountId)).to.deep.equal([10n, 0n]);
    });
    it('are not held when the end was heard before the beginning', async () => {
      const { accountId } = await funded(10);
      const payment = newId();
      expect(await ledger.release(payment, accountId)).to.deep.equal({ outcome: 'released' });
      expect(await ledger.reserve(payment, accountId, eur(10))).to.deep.equal({ outcome: 'released' });
      expect(await ledger.balanceOf(accountId)).to.deep.equal([10n, 0n]);
    });
    it('are captured at once when the settlement was heard before the order', async () => {
      const { accountId } = await funded(10);
      const payment = newId();
      expect(await ledger.capture(payment, accountId, eur(10))).to.deep.equal({ outcome: 'deferred' });
      expect((await ledger.reserve(payment, accountId, eur(10))).outcome).to.equal('captured');
      expect(await ledger.balanceOf(accountId)).to.deep.equal([0n, 0n]);
    });
    it('go to an account of ours without passing settlement', async () => {
      const [from, to] = [await funded(100), await ledger.open()];
      const payment = newId();
      const before = await ledger.internal('settlement:EUR');
      await ledger.reserve(payment, from.accountId, eur(30), to.iban);
      expect(await ledger.capture(payment, from.accountId, eur(30))).to.include({ outcome: 'captured', onUsAccountId: to.accountId });
      expect([await ledger.balanceOf(from.accountId), await ledger.balanceOf(to.accountId)]).to.deep.equal([[70n, 0n], [30n, 0n]]);
      expect(await ledger.internal('settlement:EUR')).to.equal(before);
    });
    it('go to suspense when the creditor account of ours has closed meanwhile', async () => {
      const [from, to] = [await funded(100), await ledger.open()];
      const payment = newId();
      const before = await ledger.internal('suspense:EUR');
      await ledger.reserve(payment, from.accountId, eur(30), to.iban);
      await ledger.accounts.change(to.accountId, context, closeAccount);
      expect(await ledger.capture(payment, from.accountId, eur(30))).to.include({ outcome: 'captured', onUsAccountId: null });
      expect(await ledger.internal('suspense:EUR') - before).to.equal(30n);
    });
    it('that settle after they were given back are booked against suspense, never against the customer', async () => {
      const { accountId } = await funded(10);
      const payment = newId();
      await ledger.reserve(payment, accountId, eur(10));
      await ledger.release(payment, accountId);
      const before = await ledger.internal('suspense:EUR');
      expect((await ledger.capture(payment, accountId, eur(10))).outcome).to.equal('captured');
      expect(await ledger.balanceOf(accountId)).to.deep.equal([10n, 0n]);
      expect(await ledger.internal('suspense:EUR') - before).to.equal(-10n);
    });
    it('are not captured for another amount than was held', async () => {
      const { accountId } = await funded(10);
      const payment = newId();
      await ledger.reserve(payment, accountId, eur(10));
      const fault: unknown = await ledger.capture(payment, accountId, eur(9)).catch((error: unknown) => error);
      expect(stateOf(fault)).to.equal('KL003');
    });
    it('may go from an account to itself', async () => {
      const { accountId, iban } = await funded(10);
      const payment = newId();
      await ledger.reserve(payment, accountId, eur(10), iban);
      await ledger.capture(payment, accountId, eur(10));
      expect(await ledger.balanceOf(accountId)).to.deep.equal([10n, 0n]);
    });
  });

  describe('the ledger itself', () => {
    const faultOf = async (sql: string, params: unknown[] = []): Promise<unknown> => stored.database.query(sql, params).then(() => undefined, (error: unknown) => error);
    const post = (reference: string, debit: string, credit: string, minor: string) =>
      faultOf(`select * from post_transaction($1, $2, 'correction', null, '{}', now(), two_entries($3, $4, $5))`, [newId(), reference, debit, credit, minor]);

    for (const table of ['ledger_entries', 'ledger_transactions']) {
      it(`${table} cannot be changed, deleted or emptied`, async () => {
        await funded(1);
        const column = table === 'ledger_entries' ? 'amount_minor = 2' : `reference = 'x'`;
        for (const sql of [`update ${table} set ${column}`, `delete from ${table}`, `truncate ${table} cascade`])
          expect(stateOf(await faultOf(sql)), sql).to.equal('KL001');
      });
    }
    it('takes no entries that do not balance', async () => {
      const { accountId } = await funded(1);
      const [{ transaction_id }] = await stored.database.query<{ transaction_id: string }>(
        'select transaction_id from ledger_entries where ledger_account_id = $1', [accountId]) as [{ transaction_id: string }];
      const fault = await faultOf(
        `insert into ledger_entries (transaction_id, ledger_account_id, shard, side, amount_minor, currency, booking_date, value_date, sequence)
         values ($1, $2, 0, 'credit', 5, 'EUR', now(), now(), 2)`,
        [transaction_id, accountId]);
      expect(constraintOf(fault)).to.equal('ledger_entries_balanced');
      const lopsided = await faultOf(`select * from post_transaction($1, $2, 'correction', null, '{}', now(), $3)`,
        [newId(), newId(), JSON.stringify([{ account: accountId, side: 'credit', amount: '5' }])]);
      expect(constraintOf(lopsided)).to.equal('ledger_entries_balanced');
    });
    it('takes no entries in two currencies, even when the numbers are equal', async () => {
      const [euro, dollar] = [await funded(10), await ledger.open({ currency: 'USD' })];
      expect(constraintOf(await post(newId(), euro.accountId, dollar.accountId, '5'))).to.equal('ledger_entries_balanced');
    });
    it('takes no entry on an account there is not', async () => {
      const { accountId } = await funded(10);
      expect(await post(newId(), accountId, newId(), '5')).to.be.instanceOf(Error);
    });
    it('never lets a customer account fall below what is held', async () => {
      const { accountId } = await funded(10);
      await ledger.reserve(newId(), accountId, eur(4));
      const { accountId: other } = await ledger.open();
      expect(constraintOf(await post(newId(), accountId, other, '7'))).to.equal('funds_cover');
      expect(await post(newId(), accountId, other, '6')).to.equal(undefined);
    });
    it('books a reference once, and refuses it for other entries', async () => {
      const [from, to] = [await funded(10), await ledger.open()];
      expect(await post('once', from.accountId, to.accountId, '3')).to.equal(undefined);
      expect(await post('once', from.accountId, to.accountId, '3')).to.equal(undefined);
      expect(await ledger.balanceOf(to.accountId)).to.deep.equal([3n, 0n]);
      expect(stateOf(await post('once', from.accountId, to.accountId, '4'))).to.equal('KL003');
    });
  });

  describe('what is read', () => {
    it('is paged newest first, with a cursor that skips and repeats nothing', async () => {
      const { accountId, iban } = await ledger.open();
      for (let n = 1; n <= 5; n++) await ledger.credit(iban, eur(n));
      const seen: bigint[] = [];
      let cursor: string | undefined;
      do {
        const page = await ledger.accounts.entries(accountId, { from: null, to: null }, { limit: 2, cursor });
        seen.push(...page.rows.map(({ amount }) => amount.minor));
        cursor = page.nextCursor ?? undefined;
      } while (cursor !== undefined);
      expect(seen).to.deep.equal([5n, 4n, 3n, 2n, 1n]);
    });
    it('is limited to booking dates, both included', async () => {
      const { accountId, iban } = await ledger.open();
      for (const day of ['01', '02', '03']) await ledger.credit(iban, eur(Number(day)), newId(), new Date(`2026-02-${day}T23:59:59.999Z`));
      const { rows } = await ledger.accounts.entries(accountId, { from: '2026-02-02', to: '2026-02-03' }, { limit: 10 });
      expect(rows.map(({ bookingDate }) => bookingDate)).to.deep.equal(['2026-02-03', '2026-02-02']);
    });
    it('is a payment with both sides', async () => {
      const { accountId } = await funded(10);
      const paymentId = newId();
      await ledger.reserve(paymentId, accountId, eur(10));
      await ledger.capture(paymentId, accountId, eur(10));
      const { rows } = await ledger.accounts.bookings({ paymentId }, { limit: 10 });
      expect(rows.map(({ reference, entries }) => [reference, entries.map(({ code, side }) => `${side} ${code}`)])).to.deep.equal([
        [`payment:${paymentId}`, [`debit customer:${accountId}`, 'credit settlement:EUR']]]);
      expect((await ledger.accounts.bookings({ accountId }, { limit: 1 })).nextCursor).to.be.a('string');
    });
    for (const cursor of ['x', Buffer.from('{"entry":"1; drop"}').toString('base64url'), Buffer.from('{"at":"never","id":"x"}').toString('base64url')])
      it(`no cursor but ours is taken: ${cursor.slice(0, 8)}`, async () => {
        for (const list of [
          () => ledger.accounts.entries(newId(), { from: null, to: null }, { limit: 1, cursor }), () => ledger.accounts.bookings({}, { limit: 1, cursor }),
          () => ledger.accounts.list([newId()], { limit: 1, cursor })])
          expect(await list().then(() => undefined, (error: unknown) => error)).to.include({ code: 'invalid_cursor' });
      });
  });

  describe('customers', () => {
    it('end in one state, whatever order their events arrive in', async () => {
      const kinds = ['customer.activated', 'customer.placed-under-review', 'customer.rejected', 'customer.closed'] as const;
      await fc.assert(fc.asyncProperty(
        fc.array(fc.constantFrom(...kinds), { minLength: 1, maxLength: 5 }).chain((story) =>
          fc.tuple(fc.constant(story), fc.shuffledSubarray([...story.keys(), ...story.keys()], { minLength: story.length * 2 }))),
        async ([story, order]) => {
          const customerId = newId();
          const told = story.map((type, index) => customerFrom(type, {
            customerId, clientId: 'app-1', ...(type === 'customer.activated' ? { name: { given: 'Ada', family: `Example ${index}` } } : {}),
          }, new Date(NOW.getTime() + index * 1000)));
          for (const index of order) await ledger.inTx((tx) => ledger.accounts.heardOfCustomer(told[index]!, tx));
          const [row] = await stored.database.query('select status, holder_name from customers where customer_id = $1', [customerId]);
          expect(row).to.deep.equal({
            status: story.includes('customer.closed') ? 'closed' : told.at(-1)!.status,
            holder_name: told.findLast(({ holderName }) => holderName !== null)?.holderName ?? null,
          });
        }), { numRuns: 25 });
    });
    it('keep a new name that is heard after the end, which came later and gave none', async () => {
      const customerId = newId();
      const told = (type: 'customer.activated' | 'customer.closed', seconds: number, family?: string) => ledger.inTx((tx) => ledger.accounts.heardOfCustomer(
        customerFrom(type, { customerId, clientId: 'app-1', ...(family === undefined ? {} : { name: { given: 'Ada', family } }) }, new Date(NOW.getTime() + seconds * 1000)), tx));
      await told('customer.activated', 0, 'Example');
      await told('customer.closed', 2);
      await told('customer.activated', 1, 'Sample');
      await told('customer.activated', 0, 'Example');
      expect(await stored.database.query('select status, holder_name from customers where customer_id = $1', [customerId])).to.deep.equal([{ status: 'closed', holder_name: 'Ada Sample' }]);
    });
  });

  describe('under random histories', () => {
    it('reserves exactly what is available, and the books always balance', async () => {
      const payments = 6;
      const step = fc.record({
        kind: fc.constantFrom('credit', 'reserve', 'reserve', 'capture', 'release'), account: fc.nat(1), payment: fc.nat(payments - 1),
        minor: fc.integer({ min: 1, max: 500 }), onUs: fc.boolean(),
      });
      await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const ours = [await ledger.open(), await ledger.open()];
        const booked = [0n, 0n];
        const held = [0n, 0n];
        const orders = new Map<number, { state: string; account: number; minor: bigint; onUs: boolean }>();
        const paymentIds = Array.from({ length: payments }, () => newId());
        for (const { kind, account, payment, minor, onUs } of steps) {
          const known = orders.get(payment);
          const amount = BigInt(minor);
          if (kind === 'credit') {
            await ledger.credit(ours[account]!.iban, eur(amount));
            booked[account]! += amount;
          } else if (kind === 'reserve') {
            const { outcome } = await ledger.reserve(paymentIds[payment]!, ours[account]!.accountId, eur(amount), onUs ? ours[1 - account]!.iban : undefined);
            const expected = known ? 'repeated' : booked[account]! - held[account]! >= amount ? 'reserved' : 'refused';
            expect(outcome).to.equal(expected);
            if (known) continue;
            orders.set(payment, { state: outcome, account, minor: amount, onUs });
            if (outcome === 'reserved') held[account]! += amount;
          } else if (known && kind === 'release') {
            await ledger.release(paymentIds[payment]!, ours[known.account]!.accountId);
            if (known.state === 'reserved') held[known.account]! -= known.minor;
            if (known.state === 'reserved') known.state = 'released';
          } else if (known?.state === 'reserved' && kind === 'capture') {
            await ledger.capture(paymentIds[payment]!, ours[known.account]!.accountId, eur(known.minor));
            held[known.account]! -= known.minor;
            booked[known.account]! -= known.minor;
            if (known.onUs) booked[1 - known.account]! += known.minor;
            known.state = 'captured';
          }
        }
        for (const index of [0, 1]) expect(await ledger.balanceOf(ours[index]!.accountId)).to.deep.equal([booked[index], held[index]]);
        expect(await ledger.accounts.invariantBreaks()).to.deep.equal([]);
      }), { numRuns: 25 });
    }).timeout(60_000);

    it('ends in one state when the events of payments are shuffled and tripled', async () => {
      const story = fc.array(fc.record({ minor: fc.integer({ min: 1, max: 100 }), end: fc.constantFrom('settled', 'ended') }), { minLength: 1, maxLength: 4 });
      const shuffled = story.chain((payments) => {
        const events = payments.flatMap((_, index) => [[index, 'order'], [index, 'end']] as [number, string][]);
        return fc.tuple(fc.constant(payments), fc.shuffledSubarray([...events, ...events, ...events], { minLength: events.length * 3 }));
      });
      await fc.assert(fc.asyncProperty(shuffled, async ([payments, deliveries]) => {
        const { accountId } = await funded(400);
        const ids = payments.map(() => newId());
        for (const [index, event] of deliveries) {
          const { minor, end } = payments[index]!;
          if (event === 'order') await ledger.reserve(ids[index]!, accountId, eur(minor));
          else if (end === 'settled') await ledger.capture(ids[index]!, accountId, eur(minor));
          else await ledger.release(ids[index]!, accountId);
        }
        const spent = payments.filter(({ end }) => end === 'settled').reduce((sum, { minor }) => sum + BigInt(minor), 0n);
        expect(await ledger.balanceOf(accountId)).to.deep.equal([400n - spent, 0n]);
      }), { numRuns: 40 });
    }).timeout(60_000);
  });

  describe('when two come at once', () => {
    const held = heldRow(() => stored.url);
    const outcomes = (settled: PromiseSettledResult<unknown>[]): unknown[] => settled.map((s) => (s.status === 'fulfilled' ? (s.value as { outcome?: string }).outcome : s.reason));
    const BALANCE = 'select 1 from ledger_balances where ledger_account_id = $1 for update';

    it('two payments cannot both spend the same money', async () => {
      const { accountId } = await funded(100);
      const settled = await held(BALANCE, [accountId], [1, 2].map(() => () => ledger.reserve(newId(), accountId, eur(60))));
      expect(outcomes(settled)).to.have.members(['reserved', 'refused']);
    });
    it('one payment delivered twice is held once', async () => {
      const { accountId } = await funded(100);
      const payment = newId();
      const settled = await held(BALANCE, [accountId], [1, 2].map(() => () => ledger.reserve(payment, accountId, eur(60))));
      expect(outcomes(settled)).to.have.members(['reserved', 'repeated']);
      expect(await ledger.balanceOf(accountId)).to.deep.equal([100n, 60n]);
    });
    it('a transfer delivered twice is booked once', async () => {
      const { accountId, iban } = await ledger.open();
      const settled = await held(BALANCE, [accountId], [1, 2].map(() => () => ledger.credit(iban, eur(7), 'twice')));
      expect(outcomes(settled)).to.have.members(['credited', 'repeated']);
      expect(await ledger.balanceOf(accountId)).to.deep.equal([7n, 0n]);
    });
    it('two accounts that pay each other do not deadlock', async () => {
      const [lower, higher] = [await funded(100), await funded(100)].sort((a, b) => (a.accountId < b.accountId ? -1 : 1)) as [Funded, Funded];
      const [up, down] = [newId(), newId()];
      await ledger.reserve(up, lower.accountId, eur(10), higher.iban);
      await ledger.reserve(down, higher.accountId, eur(20), lower.iban);
      const deadlocks = async () => Number((await stored.database.query<{ n: string }>('select deadlocks as n from pg_stat_database where datname = current_database()'))[0]?.n);
      const before = await deadlocks();
      // Were the debtor locked first, "down" would be first in the queue for the higher row and then want the lower one, which "up" has.
      const settled = await held(BALANCE, [higher.accountId], [
        () => ledger.capture(down, higher.accountId, eur(20)), () => ledger.capture(up, lower.accountId, eur(10))]);
      expect(outcomes(settled)).to.deep.equal(['captured', 'captured']);
      expect([await ledger.balanceOf(lower.accountId), await ledger.balanceOf(higher.accountId)]).to.deep.equal([[110n, 0n], [90n, 0n]]);
      await pause(1100);
      expect(await deadlocks()).to.equal(before);
    });
    it('an account does not close while money arrives', async () => {
      const { accountId, iban } = await ledger.open();
      const settled = await held('select 1 from accounts where account_id = $1 for update', [accountId], [
        () => ledger.accounts.change(accountId, context, closeAccount), () => ledger.credit(iban, eur(5))]);
      const account = await ledger.accounts.find(accountId);
      const [booked] = await ledger.balanceOf(accountId);
      if (account?.status === 'closed') expect([booked, outcomes(settled)[1]]).to.deep.equal([0n, 'refused']);
      else expect([booked, (settled[0] as PromiseRejectedResult).reason]).to.deep.include(5n).and.have.nested.property('[1].code', 'invalid_state');
    });
  });
});
