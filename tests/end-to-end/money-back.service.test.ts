import { expect } from 'chai';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { newEvent, type AnyEvent, type Event, type EventData, type EventType } from '@kontor/kernel/events';
import { newId } from '@kontor/kernel/ids';
import { testService, type TestCaller, type TestService } from '@kontor/testing/service';
import { options as rail } from '../../adapters/payment-rail/src/main.js';
import { startRailSimulator, type RailSimulator } from '../../adapters/payment-rail/simulator/simulator.js';
import { options as account } from '../../services/account/src/main.js';
import { options as payment } from '../../services/payment/src/main.js';

const CONTEXT = { correlationId: 'test', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
const SECRET = 'a secret only for tests 0123456789';
const BIC = 'KONTDEFFXXX';
const OURS = 'DE89370400440532013000';
const SHOP = { name: 'Fictional Books Ltd', iban: 'NL91ABNA0417164300' };
const EMPLOYER = { name: 'Fictional Employer GmbH', iban: 'NL02ABNA0123456789' };
const eur = (amount: string) => ({ amount, currency: 'EUR' });
const staff: TestCaller = { clientId: 'back-office', scopes: ['bank-operations'], roles: ['bank-staff'] };

/** Payment and account service, the adapter and the simulated rail; what one tells, the others hear, twice. */
describe('money that comes and goes back, from end to end', () => {
  const folder = mkdtempSync(join(tmpdir(), 'money-back-'));
  let services: { account: TestService; payment: TestService; rail: TestService };
  let simulator: RailSimulator;
  let relay: Server;
  let accountId: string;
  let customerId: string;

  before(async () => {
    relay = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => {
        void fetch(new URL('/inbound', services.rail.url), { method: 'POST', body: Buffer.concat(chunks), headers: request.headers as Record<string, string> })
          .then((answer) => response.writeHead(answer.status).end(), () => response.writeHead(502).end());
      });
    });
    await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
    const inboundUrl = `http://127.0.0.1:${(relay.address() as AddressInfo).port}/inbound`;
    simulator = await startRailSimulator({ host: '127.0.0.1', port: 0, file: join(folder, 'rail.jsonl'), seed: 'test', secret: SECRET, bankBic: BIC, inboundUrl });
    services = {
      account: await testService(account, { ACCOUNT_BALANCES_KEY: 'shared-with-the-consent-service' }),
      payment: await testService(payment),
      rail: await testService(rail, { RAIL_URL: simulator.url, RAIL_SHARED_SECRET: SECRET, BANK_BIC: BIC }),
    };
    customerId = newId();
    await tell('customer.activated', { customerId, clientId: 'app-1', name: { given: 'Ada', family: 'Example' } });
    const { body } = await services.account.request('POST', '/v1/accounts', {
      op: 'openAccount', caller: { clientId: 'app-1', scopes: ['accounts'], roles: ['onboarding'] }, headers: { 'Idempotency-Key': newId() },
      body: { customerId, product: 'current', currency: 'EUR' },
    });
    accountId = body.accountId as string;
    await tell('core.account-booked', { accountId, iban: OURS, coreReference: 'C-1' });
  });
  after(async () => {
    for (const service of Object.values(services)) await service.stop();
    await simulator.stop();
    relay.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const tell = async <T extends EventType>(type: T, data: EventData<T>): Promise<void> => {
    const event = newEvent(type, { subject: newId(), data, context: CONTEXT, source: 'test' }) as Event;
    for (const service of Object.values(services)) await service.deliver(event);
  };
  const told = { account: 0, payment: 0, rail: 0 };
  /** Brings what was told since to the others until `wanted` is found, or nothing more is to be expected. */
  const flow = async <T>(wanted: () => Promise<T | undefined>): Promise<T> => {
    for (const deadline = Date.now() + 10_000; Date.now() < deadline; await pause(20)) {
      for (const name of ['payment', 'account', 'rail'] as const) {
        const fresh = (await services[name].events()).slice(told[name]);
        told[name] += fresh.length;
        for (const event of fresh) for (const hearer of Object.values(services)) {
          await hearer.deliver(event as Event);
          await hearer.deliver({ ...(event as Event) });
        }
      }
      const found = await wanted();
      if (found !== undefined) return found;
    }
    throw new Error('what was wanted did not happen');
  };
  const first = async <T extends EventType>(from: keyof typeof told, type: T, about: string): Promise<Extract<AnyEvent, { type: T }> | undefined> =>
    (await services[from].events()).find((event): event is Extract<AnyEvent, { type: T }> => event.type === type && JSON.stringify(event).includes(about));
  const booked = async (): Promise<string> => {
    const caller = { clientId: 'tpp', scopes: ['accounts'], roles: ['aisp'], consent: { id: newId(), version: 1, permissions: ['balances:read'], accounts: [accountId], customerId } };
    const { body } = await services.account.request('GET', `/v1/accounts/${accountId}/balances`, { op: 'getBalances', caller });
    return (body.balances as { amount: { amount: string } }[])[0]?.amount.amount ?? '';
  };
  /** Somebody pays in; gives the transaction and the rail's message. */
  const received = async (amount: string) => {
    const { body } = await services.rail.request('POST', '/sandbox/incoming-payments', {
      op: 'simulateIncomingPayment', caller: { clientId: 'app-1' }, headers: { 'idempotency-key': newId() }, body: { creditorIban: OURS, amount: eur(amount), debtor: EMPLOYER },
    });
    const { messageId } = body as { messageId: string };
    const credited = await flow(() => first('account', 'account.credited', messageId));
    return { messageId, transactionId: credited.data.transactionId };
  };
  /** The customer agrees, the application pays. */
  const pay = async (amount: string, creditor: { name: string; iban: string }, more: object = {}): Promise<string> => {
    const consentId = newId();
    await tell('consent.authorised', {
      consentId, clientId: 'app-1', customerId, consentType: 'payment', permissions: ['payments:initiate'], accounts: [accountId],
      payment: { amount: eur(amount), creditor, debtorAccountId: accountId },
    });
    const { body, status } = await services.payment.request('POST', '/v1/payments', {
      op: 'initiatePayment', headers: { 'idempotency-key': newId() }, body: { debtorAccountId: accountId, amount: eur(amount), creditor, endToEndId: newId().slice(0, 32), ...more },
      caller: { clientId: 'app-1', consent: { id: consentId, version: 1, permissions: ['payments:initiate'], accounts: [accountId], customerId } },
    });
    expect(status, JSON.stringify(body)).to.equal(201);
    return body.paymentId as string;
  };
  const read = async (paymentId: string) => (await services.payment.request('GET', `/v1/payments/${paymentId}`, { op: 'getPayment', caller: { clientId: 'app-1', roles: ['pisp'] } })).body;
  const ended = (paymentId: string, ...statuses: string[]) => flow(async () => {
    const found = await read(paymentId);
    return statuses.includes(found.status as string) ? found : undefined;
  });

  it('a salary comes in, a payment goes out, and the creditor\'s bank sends it back', async () => {
    await received('1000.00');
    const paymentId = await pay('40.00', SHOP, { remittance: 'RAIL RETURN AC04' });
    const found = await flow(async () => {
      const it = await read(paymentId);
      return it.returns ? it : undefined;
    });
    expect(found).to.include({ status: 'ACSC' });
    expect(found.returns[0]).to.deep.include({ amount: eur('40.00'), reason: 'AC04' });
    expect(await booked()).to.equal('1000.00');
    expect((await first('payment', 'payment.returned', paymentId))?.data).to.deep.include({ clientId: 'app-1', amount: eur('40.00') });
  });

  it('an application recalls a payment: the rail accepts and the money is back', async () => {
    const paymentId = await pay('60.00', SHOP);
    await ended(paymentId, 'ACSC');
    await flow(async () => (await booked() === '940.00' ? true : undefined));
    const { status } = await services.payment.request('POST', `/v1/payments/${paymentId}/recall`, {
      op: 'recallPayment', caller: { clientId: 'app-1', scopes: ['payments'], roles: ['pisp'] }, headers: { 'idempotency-key': newId() }, body: { reason: 'DUPL' },
    });
    expect(status).to.equal(201);
    const found = await flow(async () => {
      const it = await read(paymentId);
      return it.recall?.status === 'accepted' && it.returns ? it : undefined;
    });
    expect(found.returns[0]).to.deep.include({ amount: eur('60.00'), reason: 'FOCR' });
    expect(await booked()).to.equal('1000.00');
  });

  it('a customer refunds a part of what was received; more than that in sum is refused before it leaves', async () => {
    const { transactionId } = await received('80.00');
    const refund = await pay('30.00', EMPLOYER, { refundOf: transactionId });
    await ended(refund, 'ACSC');
    await flow(async () => (await booked() === '1050.00' ? true : undefined));
    const tooMuch = await pay('50.01', EMPLOYER, { refundOf: transactionId });
    expect(await ended(tooMuch, 'RJCT')).to.include({ statusReason: 'AM09' });
    expect(await booked()).to.equal('1050.00');
  });

  it('the rail recalls what was received: the staff accept, the account is debited, the rail has its money and its answer', async () => {
    const { messageId } = await received('20.00');
    await services.rail.request('POST', '/sandbox/recalls', { op: 'simulateRecall', caller: { clientId: 'app-1' }, headers: { 'idempotency-key': 'recall-it' }, body: { messageId, reason: 'DUPL' } });
    const asked = await flow(() => first('account', 'account.recall-received', accountId));
    expect(asked.data).to.deep.include({ amount: eur('20.00'), reason: 'DUPL', clientId: 'app-1' });
    const accepted = await services.account.request('POST', `/v1/recalls/${asked.data.recallId}/accept`, { op: 'acceptRecall', caller: staff, body: { staffMember: 'staff-17' } });
    expect(accepted.body).to.include({ status: 'accepted' });
    expect(await booked()).to.equal('1050.00');
    await flow(async () => {
      const recalled = (await first('rail', 'rail.recall-received', messageId))?.data.railReference.split('/')[0] ?? '';
      const { status } = await (await fetch(new URL(`/simulate/recalls/${recalled}`, simulator.url))).json() as { status: string };
      return status === 'accepted' ? true : undefined;
    });
  });

  it('an instant payment whose answer was lost is asked after, and ends with what really happened', async () => {
    const paymentId = await pay('10.00', SHOP, { instant: true, remittance: 'RAIL LOST' });
    await ended(paymentId, 'ACCP');
    const submitted = await flow(() => first('payment', 'payment.submitted', paymentId));
    const { clientId, endToEndId, uetr } = submitted.data;
    await pause(150);
    await tell('payment.investigation-requested', { paymentId, clientId, customerId, endToEndId, uetr, attempt: 1 });
    await ended(paymentId, 'ACSC');
    await flow(async () => (await booked() === '1040.00' ? true : undefined));
  });

  it('and the books are sound', async () => {
    const { body } = await services.account.request('POST', '/v1/ledger/verification', { op: 'verifyLedger', caller: staff });
    expect(body).to.include({ sound: true });
  });
});
