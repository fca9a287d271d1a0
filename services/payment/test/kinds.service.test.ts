import { expect } from 'chai';
import { newId } from '@kontor/kernel/ids';
import { testService, type TestService } from '@kontor/testing/service';
import { eventually } from '@kontor/testing/wait';
import { options } from '../src/main.js';
import { authorisation, authorised, consentNews, initiate, order, recurringState, recurringTerms, refused, reported, reserved, type Authorisation } from './fixtures.js';

const dayIn = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);

describe('payments of every kind', () => {
  let service: TestService;
  before(async () => { service = await testService(options); });
  after(() => service.stop());

  async function known(): Promise<Authorisation> {
    const given = authorisation();
    await service.deliver(authorised(given));
    return given;
  }
  const read = async (paymentId: string) => (await service.request('GET', `/v1/payments/${paymentId}`, { op: 'getPayment', caller: { clientId: 'fintech-a', roles: ['pisp'] } })).body;
  const cancel = (paymentId: string) => service.request('DELETE', `/v1/payments/${paymentId}`, { op: 'cancelPayment', caller: { clientId: 'fintech-a', roles: ['pisp'] } });
  const told = async (paymentId: string) => (await service.events()).filter(({ subject }) => subject === paymentId);

  describe('scheduled', () => {
    const schedule = async (days = 3) => {
      const given = await known();
      const answer = await initiate(service, given, { body: { ...order(given), requestedExecutionDate: dayIn(days) } });
      return { given, answer, paymentId: answer.body.paymentId as string };
    };

    it('stands at PDNG until its day; then its funds are reserved and it goes on as any other', async () => {
      const { given, answer, paymentId } = await schedule();
      expect(answer.status, JSON.stringify(answer.body)).to.equal(201);
      expect(answer.body).to.include({ status: 'PDNG', kind: 'scheduled', pendingFor: 'execution-date' }).and.have.property('dueAt');
      expect((await told(paymentId)).map(({ type }) => type)).to.deep.equal(['payment.initiated', 'payment.status-changed', 'payment.status-changed']);
      expect((await told(paymentId))[0]?.data).to.include({ deferred: true, requestedExecutionDate: dayIn(3) });
      await service.database.query("update payments set due_at = now() - interval '1 second' where payment_id = $1", [paymentId]);
      await eventually('the day of the payment has come', async () => (await told(paymentId)).some(({ type }) => type === 'payment.due'));
      await service.deliver(reserved(paymentId, given.debtorAccountId));
      await service.deliver(reported(paymentId, 'ACSC'));
      expect((await read(paymentId)).statusHistory.map(({ status }: { status: string }) => status)).to.deep.equal(['RCVD', 'PDNG', 'ACTC', 'ACCP', 'ACSC']);
    });

    it('is refused when there are no funds on its day', async () => {
      const { given, paymentId } = await schedule();
      await service.database.query("update payments set due_at = now() - interval '1 second' where payment_id = $1", [paymentId]);
      await eventually('the day of the payment has come', async () => (await told(paymentId)).some(({ type }) => type === 'payment.due'));
      await service.deliver(refused(paymentId, given.debtorAccountId, 'AM04'));
      expect(await read(paymentId)).to.include({ status: 'RJCT', statusReason: 'AM04' });
    });

    it('can be cancelled until then, and never becomes due', async () => {
      const { paymentId } = await schedule();
      expect((await cancel(paymentId)).body).to.include({ status: 'CANC', statusReason: 'CUST' }).and.not.have.property('pendingFor');
      expect((await told(paymentId)).map(({ type }) => type)).to.include('payment.cancelled');
    });

    it('may be at most a year ahead, and not beyond the end of a recurring consent; nothing is written', async () => {
      const { answer } = await schedule(366);
      expect(answer.body).to.include({ status: 422, detail: 'requestedExecutionDate may be at most a year ahead.' });
      const given = authorisation();
      const validUntil = new Date(Date.now() + 86_400_000).toISOString();
      await service.deliver(consentNews('consent.authorised', recurringState(given, { recurring: recurringTerms({ validUntil }) })));
      const beyond = await initiate(service, given, { body: { debtorAccountId: given.debtorAccountId, amount: { amount: '1.00', currency: 'EUR' }, creditor: recurringTerms().creditor, requestedExecutionDate: dayIn(3) } });
      expect(beyond.body).to.include({ status: 422 });
      expect(beyond.body.detail).to.match(/^requestedExecutionDate lies beyond/);
      expect(await service.database.query('select 1 from payments where consent_id = $1', [given.consentId])).to.have.length(0);
    });
  });

  it('on-us: settled without the rail, and on the creditor\'s account once booked', async () => {
    const given = await known();
    const { body: { paymentId } } = await initiate(service, given);
    const funds = reserved(paymentId, given.debtorAccountId);
    await service.deliver({ ...funds, data: { ...funds.data, onUs: true } });
    expect(await read(paymentId)).to.include({ status: 'ACSC' });
    expect((await told(paymentId)).map(({ type }) => type)).to.include('payment.settled').and.not.include('payment.submitted');
    await service.deliver({ ...funds, id: newId(), type: 'funds.captured', data: { paymentId, accountId: given.debtorAccountId, transactionId: newId(), amount: given.payment.amount } });
    expect(await read(paymentId)).to.include({ status: 'ACCC' });
  });

  it('instant: submitted with the moment it was accepted, which the payment shows', async () => {
    const given = await known();
    const { body: { paymentId, instant } } = await initiate(service, given, { body: { ...order(given), instant: true } });
    expect(instant).to.equal(true);
    await service.deliver(reserved(paymentId, given.debtorAccountId));
    const submitted = (await told(paymentId)).find(({ type }) => type === 'payment.submitted');
    const { acceptedAt } = await read(paymentId);
    expect(submitted?.data).to.deep.include({ instant: true, acceptedAt });
  });

  it('refunds: name what they pay back, and are neither instant nor put off', async () => {
    const given = await known();
    const refundOf = newId();
    for (const more of [{ instant: true }, { requestedExecutionDate: dayIn(2) }]) {
      const wrong = await initiate(service, given, { body: { ...order(given), refundOf, ...more } });
      expect(wrong.body).to.include({ status: 422, code: 'unprocessable' });
      expect(wrong.body.detail).to.match(/^refundOf/);
    }
    const answer = await initiate(service, given, { body: { ...order(given), refundOf } });
    expect(answer.body).to.include({ kind: 'refund', refundOf });
    expect((await told(answer.body.paymentId))[0]?.data).to.include({ refundOf });
  });

  describe('each failure on the way', () => {
    /** A payment that went as far as named, and what must free its funds. */
    const failures: [string, (given: Authorisation, paymentId: string) => Promise<void>, string][] = [
      ['funds are refused', (given, paymentId) => service.deliver(refused(paymentId, given.debtorAccountId, 'AM04')), 'AM04'],
      ['the hold expires before the payment is submitted', (given, paymentId) => {
        const funds = reserved(paymentId, given.debtorAccountId);
        return service.deliver({ ...funds, type: 'funds.expired', data: { paymentId, accountId: given.debtorAccountId } });
      }, 'TM01'],
      ['the rail refuses', async (given, paymentId) => {
        await service.deliver(reserved(paymentId, given.debtorAccountId));
        await service.deliver(reported(paymentId, 'RJCT', 'AC04'));
      }, 'AC04'],
      ['the rail refuses after it began to settle', async (given, paymentId) => {
        await service.deliver(reserved(paymentId, given.debtorAccountId));
        await service.deliver(reported(paymentId, 'ACSP'));
        await service.deliver(reported(paymentId, 'RJCT', 'AB05'));
      }, 'AB05'],
    ];
    for (const [what, fail, reason] of failures)
      it(`ends at RJCT and is told once, so that the hold is released: ${what}`, async () => {
        const given = await known();
        const { body: { paymentId } } = await initiate(service, given);
        await fail(given, paymentId);
        expect(await read(paymentId)).to.include({ status: 'RJCT', statusReason: reason });
        await service.deliver(reserved(paymentId, given.debtorAccountId));
        await service.deliver(reported(paymentId, 'ACSC'));
        const events = await told(paymentId);
        const sequence = events.filter(({ type }) => type === 'payment.status-changed').length;
        expect(events.filter(({ type }) => type === 'payment.rejected').map(({ data }) => data)).to.deep.equal(
          [{ paymentId, clientId: given.clientId, customerId: given.customerId, debtorAccountId: given.debtorAccountId, reason, sequence }]);
        expect(events.map(({ type }) => type)).not.to.include('payment.settled');
      });
  });

  describe('what is wrong in an order is named by its field, and nothing is written', () => {
    const cases: [string, object, number, RegExp][] = [
      ['a negative amount', { amount: { amount: '-1.00', currency: 'EUR' } }, 400, /amount/],
      ['an amount of zero', { amount: { amount: '0.00', currency: 'EUR' } }, 400, /^amount: .* more than zero/],
      ['too many decimals', { amount: { amount: '1.001', currency: 'EUR' } }, 400, /^amount: EUR has 2 decimal places/],
      ['an unknown currency', { amount: { amount: '1.00', currency: 'QQQ' } }, 400, /^amount: The currency/],
      ['wrong check digits', { creditor: { name: 'Fictional Books Ltd', iban: 'DE88370400440532013000' } }, 400, /^creditor\.iban/],
      ['a day that is over', { requestedExecutionDate: dayIn(-1) }, 422, /^requestedExecutionDate is over/],
      ['a day more than a year ahead', { requestedExecutionDate: dayIn(366) }, 422, /^requestedExecutionDate may be at most a year ahead/],
      ['a day that does not exist', { requestedExecutionDate: '2027-02-29' }, 400, /requestedExecutionDate/],
      ['a kind of yes that is none', { instant: 'yes' }, 400, /instant/],
    ];
    for (const [what, wrong, status, words] of cases)
      it(what, async () => {
        const given = await known();
        const before = (await service.events()).length;
        const { body } = await initiate(service, given, { key: `wrong-${newId().slice(0, 8)}`, body: { ...order(given), ...wrong } });
        expect(body.status, JSON.stringify(body)).to.equal(status);
        expect(body.errors === undefined ? body.detail : JSON.stringify(body.errors)).to.match(words);
        for (const table of ['payments', 'authorised_consents']) {
          const rows = await service.database.query(`select 1 from ${table} where consent_id = $1`, [given.consentId]);
          expect(rows, table).to.have.length(table === 'payments' ? 0 : 1);
        }
        expect(await service.database.query("select 1 from idempotency_keys where key like 'wrong-%'")).to.have.length(0);
        expect(await service.events()).to.have.length(before);
      });
  });

  it('are listed by kind and by day; pages stay as they are while new payments come', async () => {
    const list = async (query: string) => (await service.request('GET', `/v1/payments?${query}`, { op: 'listPayments', caller: { clientId: 'fintech-list', roles: ['pisp'] } })).body;
    const pay = async (more: object = {}): Promise<string> => {
      const given = { ...authorisation(), clientId: 'fintech-list' };
      await service.deliver(authorised(given));
      return (await initiate(service, given, { body: { ...order(given), ...more } })).body.paymentId;
    };
    const [single, scheduled, another] = [await pay(), await pay({ requestedExecutionDate: dayIn(3) }), await pay()];
    const ids = (page: { data: { paymentId: string }[] }) => page.data.map(({ paymentId }) => paymentId);
    expect(ids(await list('kind=scheduled'))).to.deep.equal([scheduled]);
    expect(ids(await list(`from=${dayIn(0)}&to=${dayIn(0)}`))).to.deep.equal([another, scheduled, single]);
    expect(ids(await list(`to=${dayIn(-1)}`))).to.deep.equal([]);
    const first = await list('limit=2');
    await pay();
    expect(ids(await list(`limit=2&cursor=${first.nextCursor}`))).to.deep.equal([single]);
  });
});
