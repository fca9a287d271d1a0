import { expect } from 'chai';
import { requestHash } from '@kontor/kernel/idempotency';
import { constraintOf } from '@kontor/kernel/database';
import { newId } from '@kontor/kernel/ids';
import { testDatabase, type TestDatabase } from '@kontor/testing/database';
import { initiate, termsOf, type Payment } from '../src/payment.js';
import { paymentRepository } from '../src/repository.js';
import { authorisation, authorised, type Authorisation } from './fixtures.js';

const CONTEXT = { correlationId: 'test', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };

describe('payments in PostgreSQL', () => {
  let stored: TestDatabase;
  before(async () => { stored = await testDatabase(new URL('..', import.meta.url)); });
  after(() => stored.drop());

  const repository = () => paymentRepository(stored.database, 'payment');

  async function known(): Promise<Authorisation> {
    const given = authorisation();
    await stored.database.transaction((tx) => repository().authorise(tx, termsOf(authorised(given).data)!));
    return given;
  }

  function started(given: Authorisation): ReturnType<typeof initiate> {
    const paymentId = newId();
    return initiate({
      paymentId, clientId: given.clientId, customerId: given.customerId, consentId: given.consentId, debtorAccountId: given.debtorAccountId,
      amount: { minor: 1250n, currency: 'EUR' }, creditor: given.payment.creditor, endToEndId: paymentId.replaceAll('-', ''), uetr: '7a562c67-ca16-48ba-b074-65581be6f011', createdAt: new Date(),
    });
  }

  const store = (given: Authorisation, order = started(given), key = newId()) =>
    repository().initiate(order, { key, hash: requestHash({ key }), context: CONTEXT }).then((answer) => ({ answer, payment: order.payment, key }));

  const count = async (table: string, where: string, id: string): Promise<number> =>
    Number((await stored.database.query<{ n: string }>(`select count(*) as n from ${table} where ${where} = $1`, [id]))[0]?.n);

  it('keeps a payment exactly as it was ordered', async () => {
    const { payment } = await store(await known());
    expect(await repository().find(payment.paymentId)).to.deep.equal(payment);
  });

  it('writes key, payment, history and events together, and nothing of a refused order', async () => {
    const given = await known();
    const { answer, payment, key } = await store(given);
    expect(answer.outcome).to.equal('created');
    expect(await count('idempotency_keys', 'key', key)).to.equal(1);
    expect(await count('payment_statuses', 'payment_id', payment.paymentId)).to.equal(1);
    expect(await count('outbox', "event->>'subject'", payment.paymentId)).to.equal(2);
    const second = await store(given);
    expect(second.answer.outcome).to.equal('consent_consumed');
    for (const [table, where, id] of [['idempotency_keys', 'key', second.key], ['payments', 'payment_id', second.payment.paymentId], ['outbox', "event->>'subject'", second.payment.paymentId]] as const)
      expect(await count(table, where, id), table).to.equal(0);
  });

  it('writes nothing at all when an event cannot be written', async () => {
    const given = await known();
    const order = started(given);
    const broken = { ...order, events: [...order.events, { type: null as never, data: order.events[0]!.data as never }] };
    const failed = await store(given, broken, 'broken-1').catch((fault: Error) => fault);
    expect(failed).to.be.instanceOf(Error);
    expect(await count('payments', 'payment_id', order.payment.paymentId)).to.equal(0);
    expect(await count('idempotency_keys', 'key', 'broken-1')).to.equal(0);
    expect((await store(given)).answer.outcome, 'the consent is still good').to.equal('created');
  });

  it('makes exactly one payment of fifty that are ordered at once on one payment consent', async () => {
    const given = await known();
    const answers = await Promise.all(Array.from({ length: 50 }, () => store(given)));
    const outcomes = answers.map(({ answer }) => answer.outcome).sort();
    expect(outcomes).to.deep.equal([...Array.from({ length: 49 }, () => 'consent_consumed'), 'created']);
    expect(await count('payments', 'consent_id', given.consentId)).to.equal(1);
  });

  it('cannot hold a second payment of a payment consent, whoever writes it', async () => {
    const given = await known();
    await store(given);
    const fault = await stored.database.transaction((tx) => insertRaw(started(given).payment, tx)).catch((error: unknown) => error);
    expect(constraintOf(fault)).to.equal('payments_consent_used_once');
  });

  // The guard is the unique index payments_consent_used_once: without it the second order does not wait and is created (double initiate).
  it('makes the second of two orders wait for the first that holds the consent, and refuses it then', async () => {
    const given = await known();
    const first = started(given).payment;
    let second: Promise<{ answer: { outcome: string } }> | undefined;
    await stored.database.transaction(async (tx) => {
      await insertRaw(first, tx);
      second = store(given);
      const outcome = await Promise.race([second.then(() => 'answered'), new Promise((resolve) => setTimeout(() => resolve('waits'), 200))]);
      expect(outcome).to.equal('waits');
    });
    expect((await second)?.answer.outcome).to.equal('consent_consumed');
  });

  it('lets one of two simultaneous happenings go first, so that each sees what the other did', async () => {
    const { payment } = await store(await known());
    const debtor = { name: 'Fictional Payer', iban: 'NL91ABNA0417164300' };
    const results = await Promise.all([
      repository().happen(payment.paymentId, { kind: 'funds-reserved', debtor }, CONTEXT),
      repository().happen(payment.paymentId, { kind: 'cancel' }, CONTEXT),
      repository().happen(payment.paymentId, { kind: 'funds-reserved', debtor }, CONTEXT),
    ]);
    const now = await repository().find(payment.paymentId);
    expect(now?.status).to.be.oneOf(['ACCP', 'CANC']);
    expect(results.filter((result) => result?.status !== now?.status)).to.deep.equal([]);
    expect(await count('outbox', "event->>'type' = 'payment.submitted' and event->>'subject'", payment.paymentId)).to.equal(now?.status === 'ACCP' ? 1 : 0);
  });

  it('knows the age of the payment that waits longest', async () => {
    expect(await repository().oldestUnsettledSeconds()).to.be.greaterThan(0);
  });

  it('cannot hold a refused payment without a reason, an amount of zero, or an unknown status', async () => {
    const { payment } = await store(await known());
    for (const broken of ["status = 'RJCT'", 'amount_minor = 0', "status = 'DONE'"]) {
      const fault = await stored.database.query(`update payments set ${broken} where payment_id = $1`, [payment.paymentId]).catch((error: Error) => error);
      expect(fault, broken).to.be.instanceOf(Error);
    }
  });

  /** The row of a payment, as a transaction that has not committed yet. */
  const insertRaw = (payment: Payment, tx: Parameters<Parameters<typeof stored.database.transaction>[0]>[0]) => stored.database.query(
    `insert into payments (payment_id, client_id, customer_id, consent_id, debtor_account_id, amount_minor, currency, creditor_name, creditor_iban, end_to_end_id, uetr, status, status_at, created_at)
     values ($1, $2, $3, $4, $5, 1250, 'EUR', 'A', 'B', 'C', $6, 'RCVD', now(), now())`,
    [payment.paymentId, payment.clientId, payment.customerId, payment.consentId, payment.debtorAccountId, payment.uetr], tx);
});
