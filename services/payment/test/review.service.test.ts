import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { newEvent } from '@kontor/kernel/events';
import { newId } from '@kontor/kernel/ids';
import { testService, type TestService } from '@kontor/testing/service';
import { options } from '../src/main.js';
import { authorisation, authorised, initiate, order, reserved, type Authorisation } from './fixtures.js';

const CONTEXT = { correlationId: 'test', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };

/** What the staff of a bank, in the back office, may call. */
function office(service: TestService) {
  const staff = { clientId: 'office', roles: ['bank-staff'], scopes: ['bank-operations'] };
  const decide = (verb: 'release' | 'refuse') => (paymentId: string, body: object, caller: object = staff) =>
    service.request('POST', `/v1/payment-reviews/${paymentId}/${verb}`, { op: `${verb}PaymentReview`, caller, body });
  return {
    release: decide('release'), refuse: decide('refuse'),
    reviews: async (query = '') => (await service.request('GET', `/v1/payment-reviews${query}`, { op: 'listPaymentReviews', caller: staff })).body,
    stuck: async () => (await service.request('GET', '/v1/stuck-payments', { op: 'listStuckPayments', caller: staff })).body.data,
  };
}

async function known(service: TestService, amount: string): Promise<Authorisation> {
  const given = authorisation({ payment: { ...authorisation().payment, amount: { amount, currency: 'EUR' } } });
  await service.deliver(authorised(given));
  return given;
}
const read = async (service: TestService, paymentId: string) =>
  (await service.request('GET', `/v1/payments/${paymentId}`, { op: 'getPayment', caller: { clientId: 'fintech-a', roles: ['pisp'] } })).body;
const told = async (service: TestService, paymentId: string) => (await service.events()).filter(({ subject }) => subject === paymentId).map(({ type }) => type);

describe('payments that look like fraud', () => {
  let service: TestService;
  before(async () => { service = await testService(options); });
  after(() => service.stop());

  /** A large payment to a new creditor from an account opened a moment ago: by the rules 75 or, at night, 85. */
  async function suspicious(): Promise<{ given: Authorisation; paymentId: string; body: Record<string, unknown> }> {
    const given = await known(service, '12000.00');
    const { debtorAccountId: accountId, customerId, clientId } = given;
    await service.deliver(newEvent('account.opened', {
      subject: accountId, source: 'account', context: CONTEXT, data: { accountId, customerId, clientId, iban: 'NL91ABNA0417164300', currency: 'EUR', product: 'current', holderName: 'Fictional Payer' },
    }));
    const { status, body } = await initiate(service, given);
    expect(status, JSON.stringify(body)).to.equal(201);
    return { given, paymentId: body.paymentId, body };
  }

  it('are held: the order is taken, the client sees PDNG and no score, no funds are asked for, the staff see why', async () => {
    const { paymentId, body } = await suspicious();
    expect(body).to.include({ status: 'PDNG', pendingFor: 'review' }).and.not.have.any.keys('score', 'reasons', 'statusReason');
    const { data } = await office(service).reviews();
    const review = data.find((one: { paymentId: string }) => one.paymentId === paymentId);
    expect(review.reasons).to.include.members(['large-amount', 'new-creditor', 'just-opened-account']);
    expect(review.score).to.be.within(75, 85);
    expect(review).to.deep.include({ clientId: 'fintech-a', amount: { amount: '12000.00', currency: 'EUR' } });
    expect(await told(service, paymentId)).to.deep.equal(['payment.initiated', 'payment.status-changed', 'payment.status-changed']);
  });

  it('go on when two members of the staff release them; one alone cannot', async () => {
    const { given, paymentId } = await suspicious();
    const { release } = office(service);
    expect((await release(paymentId, { staffMember: 'anna', note: 'Called back' })).body).to.deep.include({ decision: 'proposed', status: 'PDNG', proposedBy: 'office/anna' });
    expect((await release(paymentId, { staffMember: 'anna' })).body).to.include({ status: 403, code: 'four_eyes_required' });
    expect(await told(service, paymentId)).not.to.include('payment.due');
    expect((await release(paymentId, { staffMember: 'bert' })).body).to.include({ decision: 'released', status: 'PDNG' });
    expect((await told(service, paymentId)).filter((type) => type === 'payment.due')).to.have.length(1);
    expect((await release(paymentId, { staffMember: 'carl' })).body).to.include({ status: 409, code: 'invalid_state' });
    await service.deliver(reserved(paymentId, given.debtorAccountId));
    expect((await read(service, paymentId)).status).to.equal('ACCP');
  });

  // The guards are the lock of the payment's row in `held` (src/review-repository.ts) and the constraint payment_reviews_four_eyes: without both, one who proposes twice at once releases alone.
  it('are not released by one member who asks twice at once', async () => {
    const { paymentId } = await suspicious();
    const answers = await Promise.all([1, 2].map(() => office(service).release(paymentId, { staffMember: 'anna' })));
    expect(answers.map(({ status }) => status).sort()).to.deep.equal([200, 403]);
    expect((await read(service, paymentId)).pendingFor).to.equal('review');
  });

  it('end at RJCT when one member refuses them, with the reason', async () => {
    const { paymentId } = await suspicious();
    expect((await office(service).refuse(paymentId, { staffMember: 'anna', reason: 'FR01' })).body).to.include({ decision: 'refused', status: 'RJCT' });
    expect(await read(service, paymentId)).to.include({ status: 'RJCT', statusReason: 'FR01' });
    expect(await told(service, paymentId)).to.include('payment.rejected');
    expect((await office(service).refuse(paymentId, { staffMember: 'anna', reason: 'FR01' })).body).to.include({ status: 409 });
  });

  it('can still be cancelled by the client, and leave the list then', async () => {
    const { paymentId } = await suspicious();
    expect((await service.request('DELETE', `/v1/payments/${paymentId}`, { op: 'cancelPayment', caller: { clientId: 'fintech-a', roles: ['pisp'] } })).body.status).to.equal('CANC');
    expect((await office(service).reviews('?limit=100')).data.map((one: { paymentId: string }) => one.paymentId)).not.to.include(paymentId);
    expect((await office(service).release(paymentId, { staffMember: 'anna' })).body).to.include({ status: 409 });
  });

  it('are decided by the staff alone: not by a client, not by a compliance officer, and not where nothing is held', async () => {
    const { paymentId } = await suspicious();
    for (const caller of [{ clientId: 'fintech-a', roles: ['pisp'], scopes: ['payments'] }, { clientId: 'office', roles: ['compliance'], scopes: ['bank-operations'] }])
      expect((await office(service).release(paymentId, { staffMember: 'anna' }, caller)).status).to.equal(403);
    expect((await office(service).release(newId(), { staffMember: 'anna' })).body).to.include({ status: 404, code: 'review_not_found' });
    expect((await office(service).release(paymentId, {})).status).to.equal(400);
  });

  it('page by page, longest waiting first', async () => {
    await suspicious();
    const first = await office(service).reviews('?limit=1');
    const second = await office(service).reviews(`?limit=1&cursor=${first.nextCursor}`);
    expect(first.data[0].paymentId < second.data[0].paymentId).to.equal(true);
  });

  it('usual payments are not held', async () => {
    const { body } = await initiate(service, await known(service, '250.00'));
    expect(body.status).to.equal('RCVD');
  });

  it('stand on the list of stuck payments when nobody decides in time', async () => {
    const { paymentId } = await suspicious();
    expect((await office(service).stuck()).map((one: { paymentId: string }) => one.paymentId)).not.to.include(paymentId);
    await service.database.query("update payments set status_at = now() - interval '2 days', due_at = now() - interval '2 days' where payment_id = $1", [paymentId]);
    for (let n = 0; n < 100 && (await office(service).stuck()).length === 0; n++) await new Promise((resolve) => setTimeout(resolve, 50));
    expect((await office(service).stuck())[0]).to.include({ paymentId, status: 'PDNG', pendingFor: 'review', attempts: 0 });
    expect((await told(service, paymentId)).filter((type) => type === 'payment.escalated')).to.have.length(1);
  });
});

describe('a fraud check elsewhere', () => {
  let service: TestService;
  let hook: Server;
  let answer: (body: Record<string, unknown>) => { status: number; text: string } | undefined;
  const asked: Record<string, unknown>[] = [];
  before(async () => {
    hook = createServer((request, response) => {
      let text = '';
      request.on('data', (chunk: Buffer) => { text += chunk.toString(); });
      request.on('end', () => {
        asked.push(JSON.parse(text) as Record<string, unknown>);
        const reply = answer(asked.at(-1)!);
        // No answer at all: the service's time-out decides.
        if (reply) response.writeHead(reply.status, { 'content-type': 'application/json' }).end(reply.text);
      });
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => hook.once('listening', resolve));
    service = await testService(options, { FRAUD_CHECK_URL: `http://127.0.0.1:${(hook.address() as AddressInfo).port}/assess`, FRAUD_CHECK_TIMEOUT_MS: '300' });
  });
  after(async () => {
    await service.stop();
    hook.closeAllConnections();
    hook.close();
  });

  const says = (status: number, body: unknown) => { answer = () => ({ status, text: typeof body === 'string' ? body : JSON.stringify(body) }); };

  it('is asked with the order, and its word counts: pass, hold, refuse', async () => {
    for (const [score, status] of [[10, 'RCVD'], [80, 'PDNG'], [100, 'RJCT']] as const) {
      says(200, { score, reasons: score > 50 ? ['known-mule'] : [] });
      const given = await known(service, '250.00');
      const { body } = await initiate(service, given);
      expect(body.status, `score ${score}`).to.equal(status);
      expect(asked.at(-1)).to.deep.include({ paymentId: body.paymentId, amount: { amount: '250.00', currency: 'EUR' }, creditor: given.payment.creditor });
      if (status === 'RJCT') expect(body.statusReason).to.equal('FR01');
    }
  });

  it('is not asked about small amounts', async () => {
    const before = asked.length;
    expect((await initiate(service, await known(service, '12.50'))).body.status).to.equal('RCVD');
    expect(asked).to.have.length(before);
  });

  it('is asked once, however long the payment waits for the news of its consent', async () => {
    says(200, { score: 0, reasons: [] });
    const given = { ...authorisation(), payment: { ...authorisation().payment, amount: { amount: '250.00', currency: 'EUR' } } };
    const before = asked.length;
    const waiting = initiate(service, given, { body: order(given) });
    setTimeout(() => void service.deliver(authorised(given)), 300);
    expect((await waiting).status).to.equal(201);
    expect(asked).to.have.length(before + 1);
  });

  it('that fails, answers what nobody can read, or does not answer in time leaves the payment to the staff', async () => {
    const replies: (() => void)[] = [
      () => says(500, {}), () => says(200, 'fine'), () => says(200, { score: 'low', reasons: [] }), () => says(200, { score: 5, reasons: ['<b>'] }), () => { answer = () => undefined; },
    ];
    for (const reply of replies) {
      reply();
      const { body } = await initiate(service, await known(service, '250.00'));
      expect(body).to.include({ status: 'PDNG', pendingFor: 'review' });
    }
    const { data } = await office(service).reviews('?limit=100');
    expect(data.at(-1).reasons).to.include('fraud-check-unavailable');
  });
});
