import { expect } from 'chai';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { newEvent, type Event } from '@kontor/kernel/events';
import { newId } from '@kontor/kernel/ids';
import { testService, type TestService } from '@kontor/testing/service';
import { options } from '../src/main.js';
import { requireRecallable, type Recallable } from '../src/recalls.js';
import { authorisation, authorised, initiate, reported, reserved } from './fixtures.js';

const CONTEXT = { correlationId: 'test', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };

describe('which payments can be recalled', () => {
  const payment = (named: Partial<Recallable> = {}): Recallable => ({
    paymentId: newId(), clientId: 'fintech-a', customerId: newId(), status: 'ACSC', kind: 'single', onUs: false, amount: { minor: 12_50n, currency: 'EUR' }, returnedMinor: 0n,
    creditor: { name: 'Fictional Books Ltd', iban: 'DE89370400440532013000' }, debtor: { name: 'Fictional Payer', iban: 'NL91ABNA0417164300' }, endToEndId: 'E', uetr: newId(),
    hasOpenRecall: false, ...named,
  });
  it('those that are under way or settled, also when a part has come back', () => {
    for (const status of ['ACCP', 'ACSP', 'ACSC', 'ACCC'] as const) expect(requireRecallable(payment({ status }), 'fintech-a').name, status).to.equal('Fictional Payer');
    expect(requireRecallable(payment({ returnedMinor: 12_49n }), 'fintech-a')).to.be.an('object');
  });
  it('not those that never went to the rail, are rejected or cancelled, wait for an answer, came back whole, or are refunds', () => {
    const refused: Partial<Recallable>[] = [
      ...(['RCVD', 'PDNG', 'ACTC', 'RJCT', 'CANC'] as const).map((status) => ({ status })), { onUs: true }, { hasOpenRecall: true }, { returnedMinor: 12_50n }, { kind: 'refund' }];
    for (const named of refused) expect(() => requireRecallable(payment(named), 'fintech-a'), JSON.stringify(named, (_n, v: unknown) => (typeof v === 'bigint' ? String(v) : v))).to.throw().with.property('code', 'invalid_state');
    expect(() => requireRecallable(payment(), 'fintech-b')).to.throw().with.property('code', 'not_your_resource');
  });
});

describe('recalls and returns at the payment service', () => {
  let service: TestService;
  before(async () => { service = await testService(options); });
  after(() => service.stop());

  const settled = async (status?: 'ACSC'): Promise<string> => {
    const given = authorisation();
    await service.deliver(authorised(given));
    const { body } = await initiate(service, given);
    await service.deliver(reserved(body.paymentId, given.debtorAccountId));
    if (status) await service.deliver(reported(body.paymentId, status));
    return body.paymentId as string;
  };
  const recall = (paymentId: string, named: { key?: string; reason?: string; clientId?: string; roles?: string[] } = {}) => service.request('POST', `/v1/payments/${paymentId}/recall`, {
    op: 'recallPayment', caller: { clientId: named.clientId ?? 'fintech-a', scopes: ['payments'], roles: named.roles ?? ['pisp'] }, headers: { 'idempotency-key': named.key ?? newId() },
    body: { reason: named.reason ?? 'DUPL' },
  });
  const read = async (paymentId: string) => (await service.request('GET', `/v1/payments/${paymentId}`, { op: 'getPayment', caller: { clientId: 'fintech-a', roles: ['pisp'] } })).body;
  const told = async (type: string, paymentId: string) => (await service.events()).filter((event) => event.type === type && event.subject === paymentId).map(({ data }) => data as Record<string, unknown>);
  const answer = (named: { recallId?: string; paymentId?: string }, outcome: 'accepted' | 'refused', reason?: string): Event =>
    newEvent('rail.recall-answered', { subject: newId(), source: 'payment-rail', context: CONTEXT, data: { ...named, outcome, railReference: newId(), ...(reason === undefined ? {} : { reason }) } }) as Event;
  const back = (paymentId: string, amount: string, railReference = newId()): Event => newEvent('funds.returned', {
    subject: paymentId, source: 'account', context: CONTEXT, data: { paymentId, accountId: newId(), transactionId: newId(), amount: { amount, currency: 'EUR' }, railReference, reason: 'AC04' },
  }) as Event;

  it('a recall is asked for once for its key, shown on the payment, and told with all the rail needs', async () => {
    const paymentId = await settled('ACSC');
    const [first, again] = [await recall(paymentId, { key: 'recall-1' }), await recall(paymentId, { key: 'recall-1' })];
    expect([first.status, again.status, again.headers['idempotency-replayed']]).to.deep.equal([201, 201, 'true']);
    expect(again.body).to.deep.equal(first.body);
    expect((await recall(paymentId, { key: 'recall-1', reason: 'FRAD' })).body.code).to.equal('idempotency_mismatch');
    const [asked, ...more] = await told('payment.recall-requested', paymentId);
    expect(more).to.deep.equal([]);
    expect(asked).to.deep.include({ recallId: first.body.recallId, amount: { amount: '12.50', currency: 'EUR' }, debtor: { name: 'Fictional Payer', iban: 'NL91ABNA0417164300' }, reason: 'DUPL' });
    expect((await read(paymentId)).recall).to.deep.equal(first.body);
  });

  it('is refused while one is open, before the payment is with the rail, to other applications, and with a reason nobody knows', async () => {
    const paymentId = await settled();
    expect((await recall(paymentId)).status, 'ACCP').to.equal(201);
    expect((await recall(paymentId)).body.code).to.equal('invalid_state');
    const given = authorisation();
    await service.deliver(authorised(given));
    const { body } = await initiate(service, given);
    expect((await recall(body.paymentId as string)).body).to.include({ code: 'invalid_state', status: 409 });
    const other = await settled('ACSC');
    expect((await recall(other, { clientId: 'fintech-b' })).body.code).to.equal('not_your_resource');
    expect((await recall(other, { roles: ['aisp'] })).body.code).to.equal('role_required');
    expect((await recall(other, { reason: 'NOPE' })).status).to.equal(400);
    expect((await recall(newId())).body.code).to.equal('payment_not_found');
    expect(await told('payment.recall-requested', other)).to.deep.equal([]);
  });

  it('the answer is told once; a refused recall can be asked for again', async () => {
    const paymentId = await settled('ACSC');
    const { body: { recallId } } = await recall(paymentId);
    const refusal = answer({ recallId: recallId as string, paymentId }, 'refused', 'CUST');
    await service.deliver(refusal);
    await service.deliver({ ...refusal, id: newId() });
    await service.deliver(answer({ recallId: recallId as string }, 'accepted'));
    expect(await told('payment.recall-answered', paymentId)).to.have.length(1);
    expect((await told('payment.recall-answered', paymentId))[0]).to.include({ recallId, outcome: 'refused', reason: 'CUST', clientId: 'fintech-a' });
    expect((await read(paymentId)).recall).to.include({ status: 'refused', answerReason: 'CUST' });
    expect((await recall(paymentId, { reason: 'FRAD' })).status).to.equal(201);
  });

  it('an answer that names only the payment is to the recall that is open; one to nothing changes nothing', async () => {
    const paymentId = await settled('ACSC');
    await service.deliver(answer({ paymentId }, 'accepted'));
    expect((await read(paymentId)).recall).to.equal(undefined);
    await recall(paymentId);
    await service.deliver(answer({ paymentId }, 'accepted'));
    expect((await read(paymentId)).recall).to.include({ status: 'accepted' });
  });

  it('money that came back is shown on the payment and told, each return once; the payment stays settled', async () => {
    const paymentId = await settled('ACSC');
    const first = back(paymentId, '4.00', 'r-1');
    await service.deliver(first);
    await service.deliver({ ...first, id: newId() });
    await service.deliver(back(paymentId, '8.50', 'r-2'));
    const { status, returns } = await read(paymentId);
    expect(status).to.equal('ACSC');
    expect((returns as { amount: { amount: string }; reason: string }[]).map(({ amount, reason }) => [amount.amount, reason])).to.deep.equal([['4.00', 'AC04'], ['8.50', 'AC04']]);
    expect(await told('payment.returned', paymentId)).to.have.length(2);
    expect((await told('payment.returned', paymentId))[0]).to.deep.include({ clientId: 'fintech-a', amount: { amount: '4.00', currency: 'EUR' }, reason: 'AC04' });
    expect((await recall(paymentId)).body.code, 'nothing is left to recall').to.equal('invalid_state');
    await service.deliver(back(newId(), '1.00'));
  });

  // The guard is `for update` on the payment in recallsRepository.locked (and the index payment_recalls_one_open behind it): without the lock nobody waits here.
  it('two recalls of one payment at once: one is taken, the other refused', async () => {
    const paymentId = await settled('ACSC');
    const holder = new pg.Client({ connectionString: service.database.url });
    await holder.connect();
    await holder.query('begin');
    await holder.query('select 1 from payments where payment_id = $1 for update', [paymentId]);
    const both = [recall(paymentId), recall(paymentId)];
    for (let waiting = 0, tries = 0; waiting < 2; tries++) {
      if (tries > 200) throw new Error('nobody waits for the lock: the test proves nothing');
      await pause(10);
      const { rows } = await holder.query<{ n: number }>(`select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`);
      waiting = rows[0]?.n ?? 0;
    }
    await holder.query('commit');
    await holder.end();
    expect((await Promise.all(both)).map(({ status }) => status).sort()).to.deep.equal([201, 409]);
    expect(await told('payment.recall-requested', paymentId)).to.have.length(1);
  });
});
