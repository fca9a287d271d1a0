import { expect } from 'chai';
import { requestHash } from '@kontor/kernel/idempotency';
import { newId } from '@kontor/kernel/ids';
import { testDatabase, type TestDatabase } from '@kontor/testing/database';
import { calendarOf } from '../src/calendar.js';
import { initiating, type BankRules } from '../src/initiating.js';
import { termsOf, type InitiationOutcome, type Order } from '../src/payment.js';
import { paymentRepository } from '../src/repository.js';
import { reviewRepository } from '../src/review-repository.js';
import { authorisation, authorised, type Authorisation } from './fixtures.js';

const CONTEXT = { correlationId: 'test', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
const RULES: BankRules = {
  calendar: calendarOf('Europe/Berlin', 'off'), dailyPayments: 0, dailyAmount: 0, duplicateMinutes: 10,
  fraud: { timeZone: 'Europe/Berlin', freeBelow: 1_000, largeAmount: 10_000, reviewFrom: 75, refuseFrom: 100 },
};

describe('the limits of the bank, and orders for the same thing', () => {
  let stored: TestDatabase;
  before(async () => { stored = await testDatabase(new URL('..', import.meta.url)); });
  after(() => stored.drop());

  const repository = () => paymentRepository(stored.database, 'payment');

  interface Ordered { rules?: Partial<BankRules>; debtorAccountId: string; amount?: string; identification?: string; allowDuplicate?: boolean; clientId?: string; iban?: string }

  /** A payment on a consent of its own. */
  async function pay({ rules = {}, debtorAccountId, amount = '10.00', identification, allowDuplicate, clientId = 'fintech-a', iban = 'DE89370400440532013000' }: Ordered): Promise<InitiationOutcome & { paymentId: string }> {
    const creditor = { name: 'Fictional Books Ltd', iban };
    const given: Authorisation = authorisation({ debtorAccountId, clientId, payment: { amount: { amount, currency: 'EUR' }, creditor } });
    await stored.database.transaction((tx) => repository().authorise(tx, termsOf(authorised(given).data)!));
    const paymentId = newId();
    const order: Order = {
      paymentId, clientId, customerId: given.customerId, consentId: given.consentId, debtorAccountId, amount: { minor: BigInt(amount.replace('.', '')), currency: 'EUR' },
      creditor, endToEndId: 'E2E', uetr: paymentId, createdAt: new Date(),
    };
    const { initiate } = initiating({ payments: repository(), facts: reviewRepository(stored.database, repository()).facts, rules: { ...RULES, ...rules } });
    const key = newId();
    const { store } = await initiate(order, { key, hash: requestHash({ key }), context: CONTEXT, identification, allowDuplicate });
    return { paymentId, ...await store() };
  }
  const live = async (debtorAccountId: string): Promise<{ payments: number; minor: number }> => {
    const [row] = await stored.database.query<{ n: string; minor: string }>(
      "select count(*) as n, coalesce(sum(amount_minor), 0) as minor from payments where debtor_account_id = $1 and status not in ('RJCT', 'CANC')", [debtorAccountId]);
    return { payments: Number(row?.n), minor: Number(row?.minor) };
  };
  const waits = (promise: Promise<unknown>): Promise<unknown> => Promise.race([promise.then(() => 'answered'), new Promise((resolve) => setTimeout(() => resolve('waits'), 200))]);

  it('so many payments a day are made from one account, and the refusal says from when there are more; other accounts go on', async () => {
    const [account, other] = [newId(), newId()];
    const rules = { dailyPayments: 2 };
    for (let n = 0; n < 2; n++) expect((await pay({ rules, debtorAccountId: account })).outcome).to.equal('created');
    const refused = await pay({ rules, debtorAccountId: account });
    expect(refused).to.deep.include({ outcome: 'bank_limit_exceeded' }).and.have.nested.property('broken.limit', 'daily-count');
    expect((refused as Extract<InitiationOutcome, { outcome: 'bank_limit_exceeded' }>).broken.nextAt.getTime()).to.be.within(Date.now(), Date.now() + 25 * 3_600_000);
    expect((await pay({ rules, debtorAccountId: other })).outcome).to.equal('created');
  });

  it('so much a day is paid from one account, to the minor unit; what was refused or cancelled does not count', async () => {
    const account = newId();
    const rules = { dailyAmount: 100 };
    const first = await pay({ rules, debtorAccountId: account, amount: '60.00' });
    const refused = await pay({ rules, debtorAccountId: account, amount: '40.01' });
    expect(refused).to.deep.include({ broken: { limit: 'daily-amount', maximum: { minor: 10_000n, currency: 'EUR' }, left: { minor: 4_000n, currency: 'EUR' }, nextAt: (refused as unknown as { broken: { nextAt: Date } }).broken.nextAt } });
    expect((await pay({ rules, debtorAccountId: account, amount: '40.00' })).outcome).to.equal('created');
    expect((await pay({ rules, debtorAccountId: account, amount: '0.01' })).outcome).to.equal('bank_limit_exceeded');
    await repository().happen(first.paymentId, { kind: 'cancel' }, CONTEXT);
    expect((await pay({ rules, debtorAccountId: account, amount: '60.00' })).outcome).to.equal('created');
    expect(await live(account)).to.deep.equal({ payments: 2, minor: 10_000 });
  });

  it('what was paid yesterday does not count today', async () => {
    const account = newId();
    const { paymentId } = await pay({ rules: { dailyPayments: 1 }, debtorAccountId: account });
    await stored.database.query("update payments set created_at = created_at - interval '1 day' where payment_id = $1", [paymentId]);
    expect((await pay({ rules: { dailyPayments: 1 }, debtorAccountId: account })).outcome).to.equal('created');
  });

  it('thirty payments at once stay within the limit', async () => {
    const account = newId();
    const outcomes = (await Promise.all(Array.from({ length: 30 }, () => pay({ rules: { dailyAmount: 55 }, debtorAccountId: account })))).map(({ outcome }) => outcome);
    expect(outcomes.filter((outcome) => outcome === 'created')).to.have.length(5);
    expect(await live(account)).to.deep.equal({ payments: 5, minor: 5_000 });
  });

  // The guard is the advisory lock in broken_bank_limit (migrations/0004-initiating.sql): without it the second payment does not wait, sees no other and is created.
  it('a payment waits for one from the same account that is not committed yet, and counts it then', async () => {
    const account = newId();
    const rules = { dailyPayments: 1 };
    const first = await pay({ debtorAccountId: newId() });
    let second: ReturnType<typeof pay> | undefined;
    await stored.database.transaction(async (tx) => {
      await stored.database.query('select broken_bank_limit($1, $2)',
        [JSON.stringify({ debtorAccountId: account, currency: 'EUR', amountMinor: '1000' }), JSON.stringify({ timeZone: 'Europe/Berlin', payments: 1 })], tx);
      second = pay({ rules, debtorAccountId: account });
      expect(await waits(second)).to.equal('waits');
      await stored.database.query('update payments set debtor_account_id = $2 where payment_id = $1', [first.paymentId, account], tx);
    });
    expect((await second)?.outcome).to.equal('bank_limit_exceeded');
    expect(await live(account)).to.deep.include({ payments: 1 });
  });

  it('an order for the same thing within minutes is refused and names the other; one who means both says so', async () => {
    const account = newId();
    const first = await pay({ debtorAccountId: account, identification: 'INV-1' });
    const again = await pay({ debtorAccountId: account, identification: 'INV-1' });
    expect(again).to.include({ outcome: 'duplicate', paymentId: first.paymentId });
    expect((await pay({ debtorAccountId: account, identification: 'INV-1', allowDuplicate: true })).outcome).to.equal('created');
    expect(await live(account)).to.deep.include({ payments: 2 });
  });

  it('is not the same thing: another amount, creditor, account, client or identification, none at all, long ago, or one that failed', async () => {
    const account = newId();
    const same = { debtorAccountId: account, identification: 'INV-2' };
    const first = await pay(same);
    for (const other of [{ amount: '10.01' }, { iban: 'NL91ABNA0417164300' }, { debtorAccountId: newId() }, { clientId: 'fintech-b' }, { identification: 'INV-3' }])
      expect((await pay({ ...same, ...other })).outcome, JSON.stringify(other)).to.equal('created');
    for (let n = 0; n < 2; n++) expect((await pay({ debtorAccountId: account })).outcome, 'nothing named').to.equal('created');
    expect((await pay({ ...same, rules: { duplicateMinutes: 0 } })).outcome, 'not looked for').to.equal('created');
    await stored.database.query("update payments set created_at = now() - interval '11 minutes' where fingerprint = (select fingerprint from payments where payment_id = $1)", [first.paymentId]);
    const later = await pay(same);
    expect(later.outcome).to.equal('created');
    await repository().happen(later.paymentId, { kind: 'cancel' }, CONTEXT);
    expect((await pay(same)).outcome).to.equal('created');
  });

  it('of twenty orders for the same thing at once one is made', async () => {
    const account = newId();
    const outcomes = (await Promise.all(Array.from({ length: 20 }, () => pay({ debtorAccountId: account, identification: 'INV-4' })))).map(({ outcome }) => outcome);
    expect(outcomes.filter((outcome) => outcome === 'created')).to.have.length(1);
  });

  // The guard is the advisory lock in duplicate_of (migrations/0004-initiating.sql): without it the second order does not wait, sees nothing and is created.
  it('an order waits for one for the same thing that is not committed yet, and is refused then', async () => {
    const account = newId();
    const first = await pay({ debtorAccountId: account, identification: 'INV-5' });
    const [{ fingerprint } = { fingerprint: '' }] = await stored.database.query<{ fingerprint: string }>("select encode(fingerprint, 'hex') as fingerprint from payments where payment_id = $1", [first.paymentId]);
    await stored.database.query("update payments set status = 'CANC' where payment_id = $1", [first.paymentId]);
    let second: ReturnType<typeof pay> | undefined;
    await stored.database.transaction(async (tx) => {
      await stored.database.query('select duplicate_of($1, 10)', [JSON.stringify({ fingerprint })], tx);
      second = pay({ debtorAccountId: account, identification: 'INV-5' });
      expect(await waits(second)).to.equal('waits');
      await stored.database.query("update payments set status = 'RCVD' where payment_id = $1", [first.paymentId], tx);
    });
    expect(await second).to.include({ outcome: 'duplicate', paymentId: first.paymentId });
  });
});
