import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { newEvent, type Event, type EventData, type EventType } from '@kontor/kernel/events';
import { newId } from '@kontor/kernel/ids';
import { testService, type TestCaller, type TestService } from '@kontor/testing/service';
import { startReceiver } from '../simulator/receiver.js';
import { options } from '../src/main.js';
import { feedRepository } from '../src/feed-repository.js';
import { webhookRepository } from '../src/repository.js';
import type { ToldType } from '../src/told.js';

const SECRETS_KEY = Buffer.alloc(32, 9).toString('base64');
const context = { correlationId: 'test', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
const event = <T extends EventType>(type: T, data: EventData<T>): Event<T> => newEvent(type, { subject: newId(), data, context, source: 'test' });
const settled = (clientId: string) => event('payment.settled', { paymentId: newId(), clientId, customerId: newId(), debtorAccountId: newId(), amount: { amount: '66.66', currency: 'EUR' } });

describe('the webhooks adapter', () => {
  let service: TestService;
  let receiver: Awaited<ReturnType<typeof startReceiver>>;
  before(async () => {
    receiver = await startReceiver({ host: '127.0.0.1', port: 0, secrets: [], slowMs: 3000 });
    service = await testService(options, { WEBHOOK_SECRETS_KEY: SECRETS_KEY, WEBHOOK_ALLOW_PRIVATE: 'true', WEBHOOK_TIMEOUT_MS: '500' });
  });
  after(async () => {
    await service.stop();
    await receiver.stop();
  });

  const fintech = (clientId = newId()): TestCaller & { clientId: string } => ({ clientId, scopes: ['webhooks'], roles: ['pisp'] });
  const create = (caller: TestCaller, body: object, key: string = newId()) =>
    service.request('POST', '/v1/webhook-endpoints', { op: 'createWebhookEndpoint', caller, headers: { 'Idempotency-Key': key }, body });
  const register = async (caller: TestCaller, path: string, eventTypes: ToldType[] = ['payment.settled']): Promise<string> => {
    const { body } = await create(caller, { url: receiver.url + path, eventTypes });
    receiver.trust(body.secret as string);
    return body.endpointId as string;
  };
  const deliveries = async (caller: TestCaller, endpointId: string) =>
    (await service.request('GET', `/v1/webhook-endpoints/${endpointId}/deliveries`, { op: 'listWebhookDeliveries', caller })).body.data as Record<string, unknown>[];
  /** Waits until the newest delivery looks as wanted. */
  const until = async (caller: TestCaller, endpointId: string, wanted: (delivery: Record<string, unknown>) => boolean) => {
    for (let tries = 0; tries < 200; tries++) {
      const [newest] = await deliveries(caller, endpointId);
      if (newest && wanted(newest)) return newest;
      await pause(25);
    }
    throw new Error(`the delivery never came to it: ${JSON.stringify(await deliveries(caller, endpointId))}`);
  };
  const makeDue = (endpointId: string) => service.database.query(`update webhook_deliveries set next_attempt_at = now() where endpoint_id = $1 and status = 'waiting'`, [endpointId]);

  describe('endpoints', () => {
    it('are registered with a secret that is shown once and kept sealed', async () => {
      const caller = fintech();
      const created = await create(caller, { url: 'https://fintech.example/hooks', eventTypes: ['account.opened'] });
      expect(created.status).to.equal(201);
      expect(created.body.secret).to.match(/^whsec_[A-Za-z0-9+/]{43}=$/);
      const path = `/v1/webhook-endpoints/${created.body.endpointId as string}`;
      expect(created.headers.location).to.equal(path);
      const read = await service.request('GET', path, { op: 'getWebhookEndpoint', caller });
      expect(read.body).to.include({ status: 'enabled', url: 'https://fintech.example/hooks' }).and.not.have.property('secret');
      const everything = await service.database.query<{ t: string }>(
        `select e::text || coalesce((select string_agg(k::text, '') from idempotency_keys k), '') as t from webhook_endpoints e where endpoint_id = $1`, [created.body.endpointId]);
      expect(everything[0]?.t).to.not.contain((created.body.secret as string).slice(6));
    });
    it('are registered once for a key; the repeat has no secret', async () => {
      const caller = fintech();
      const body = { url: 'https://fintech.example/hooks', eventTypes: ['account.opened'] };
      const first = await create(caller, body, 'once');
      const again = await create(caller, body, 'once');
      expect([again.status, again.body.endpointId, again.headers['idempotency-replayed']]).to.deep.equal([201, first.body.endpointId, 'true']);
      expect(again.body).to.not.have.property('secret');
      expect((await create(caller, { ...body, url: 'https://other.example/' }, 'once')).status).to.equal(422);
    });
    it('are refused for events nobody tells, none, and beyond twenty', async () => {
      const caller = fintech();
      expect((await create(caller, { url: 'https://fintech.example/', eventTypes: ['customer.registered'] })).status).to.equal(400);
      expect((await create(caller, { url: 'https://fintech.example/', eventTypes: [] })).status).to.equal(400);
      for (let n = 0; n < 20; n++) expect((await create(caller, { url: 'https://fintech.example/', eventTypes: ['account.opened'] })).status).to.equal(201);
      expect((await create(caller, { url: 'https://fintech.example/', eventTypes: ['account.opened'] })).body).to.include({ status: 409, code: 'conflict' });
    }).timeout(30_000);
    it('are reached by their application only', async () => {
      const [caller, other] = [fintech(), fintech()];
      const endpointId = await register(caller, '/ok');
      const path = `/v1/webhook-endpoints/${endpointId}`;
      for (const [method, at, op] of [['GET', path, 'getWebhookEndpoint'], ['DELETE', path, 'deleteWebhookEndpoint'], ['GET', `${path}/deliveries`, 'listWebhookDeliveries']] as const) {
        expect((await service.request(method, at, { op, caller: other })).body.code, op).to.equal('not_your_resource');
        expect((await service.request(method, at.replace(endpointId, newId()), { op, caller })).body.code, op).to.equal('webhook_endpoint_not_found');
      }
      expect((await service.request('GET', '/v1/webhook-endpoints', { op: 'listWebhookEndpoints', caller: other })).body.data).to.deep.equal([]);
      expect((await service.request('GET', '/v1/webhook-endpoints', { op: 'listWebhookEndpoints', caller })).body.data).to.have.length(1);
    });
    it('are removed with all that waits for them', async () => {
      const caller = fintech();
      const endpointId = await register(caller, '/fail');
      await service.deliver(settled(caller.clientId));
      await until(caller, endpointId, ({ attempts }) => attempts === 1);
      expect((await service.request('DELETE', `/v1/webhook-endpoints/${endpointId}`, { op: 'deleteWebhookEndpoint', caller })).status).to.equal(204);
      expect(await service.database.query('select 1 from webhook_deliveries where endpoint_id = $1', [endpointId])).to.deep.equal([]);
    });
  });

  describe('deliveries', () => {
    it('are signed and tell ids and status only', async () => {
      const caller = fintech();
      const endpointId = await register(caller, '/ok');
      const told = settled(caller.clientId);
      await service.deliver(told);
      const delivery = await until(caller, endpointId, ({ status }) => status === 'delivered');
      expect(delivery).to.include({ eventType: 'payment.settled', attempts: 1, lastStatus: 204 }).and.not.have.property('nextAttemptAt');
      const received = receiver.received.find(({ webhookId }) => webhookId === delivery.eventId);
      expect(received).to.include({ verified: true, path: '/ok' });
      expect(JSON.parse(received?.body ?? '')).to.deep.equal({
        type: 'payment.settled', timestamp: told.time, data: { paymentId: told.data.paymentId, customerId: told.data.customerId, status: 'settled' } });
    });
    it('go to endpoints of the same application that want the type, once an event', async () => {
      const [caller, other] = [fintech(), fintech()];
      const [wanting, notWanting, stranger] = [await register(caller, '/ok'), await register(caller, '/ok', ['account.opened']), await register(other, '/ok')];
      const told = settled(caller.clientId);
      await service.deliver(told);
      await service.deliver(told);
      await until(caller, wanting, ({ status }) => status === 'delivered');
      expect([await deliveries(caller, wanting), await deliveries(caller, notWanting), await deliveries(other, stranger)].map(({ length }) => length)).to.deep.equal([1, 0, 0]);
    });
    it('are tried again after a failure, under the same webhook-id', async () => {
      const caller = fintech();
      const endpointId = await register(caller, '/fail-once');
      await service.deliver(settled(caller.clientId));
      const failed = await until(caller, endpointId, ({ attempts, lastError }) => attempts === 1 && lastError !== undefined);
      expect(failed).to.include({ status: 'waiting', lastStatus: 500, lastError: 'status' });
      expect(Date.parse(failed.nextAttemptAt as string) - Date.parse(failed.lastAttemptAt as string)).to.be.within(5_000, 6_500);
      await makeDue(endpointId);
      expect(await until(caller, endpointId, ({ status }) => status === 'delivered')).to.include({ deliveryId: failed.deliveryId, attempts: 2, lastStatus: 204 }).and.not.have.property('lastError');
    });
    it('are given up after the ninth attempt', async () => {
      const caller = fintech();
      const endpointId = await register(caller, '/fail');
      await service.deliver(settled(caller.clientId));
      await until(caller, endpointId, ({ attempts, lastError }) => attempts === 1 && lastError !== undefined);
      await service.database.query('update webhook_deliveries set attempts = 8 where endpoint_id = $1', [endpointId]);
      await makeDue(endpointId);
      expect(await until(caller, endpointId, ({ status }) => status === 'failed')).to.include({ attempts: 9, lastStatus: 500 });
    });
    it('end with the endpoint when it answers 410, and the event is told', async () => {
      const caller = fintech();
      const endpointId = await register(caller, '/gone');
      await service.deliver(settled(caller.clientId));
      expect(await until(caller, endpointId, ({ status }) => status === 'failed')).to.include({ lastStatus: 410, lastError: 'endpoint-gone' });
      const read = await service.request('GET', `/v1/webhook-endpoints/${endpointId}`, { op: 'getWebhookEndpoint', caller });
      expect(read.body).to.include({ status: 'disabled', disabledReason: 'gone' });
      const told = (await service.events()).filter(({ type, subject }) => type === 'webhook.endpoint-disabled' && subject === endpointId);
      expect(told.map(({ data }) => data)).to.deep.equal([{ endpointId, clientId: caller.clientId }]);
      await service.deliver(settled(caller.clientId));
      expect(await deliveries(caller, endpointId)).to.have.length(1);
    });
    it('that are not answered in time count as failed, and others do not wait for them', async () => {
      const caller = fintech();
      const [slow, quick] = [await register(caller, '/slow'), await register(caller, '/ok')];
      await service.deliver(settled(caller.clientId));
      await until(caller, quick, ({ status }) => status === 'delivered');
      expect(await until(caller, slow, ({ lastError }) => lastError !== undefined)).to.include({ status: 'waiting', lastError: 'timeout' }).and.not.have.property('lastStatus');
    });
    it('are never sent unsigned: a secret that does not open is a failed attempt', async () => {
      const caller = fintech();
      const endpointId = await register(caller, '/ok');
      await service.database.query('update webhook_endpoints set sealed_secret = set_byte(sealed_secret, 5, 255 - get_byte(sealed_secret, 5)) where endpoint_id = $1', [endpointId]);
      await service.deliver(settled(caller.clientId));
      const failed = await until(caller, endpointId, ({ lastError }) => lastError !== undefined);
      expect(failed).to.include({ status: 'waiting', attempts: 1, lastError: 'internal' });
      expect(receiver.received.some(({ webhookId }) => webhookId === failed.eventId)).to.equal(false);
    });
    it('do not follow redirects', async () => {
      const caller = fintech();
      const endpointId = await register(caller, '/redirect');
      await service.deliver(settled(caller.clientId));
      expect(await until(caller, endpointId, ({ lastError }) => lastError !== undefined)).to.include({ lastError: 'redirect', lastStatus: 302 });
    });
    it('are paged, newest first', async () => {
      const caller = fintech();
      const endpointId = await register(caller, '/ok');
      for (let n = 0; n < 3; n++) await service.deliver(settled(caller.clientId));
      const path = `/v1/webhook-endpoints/${endpointId}/deliveries?limit=2`;
      const first = await service.request('GET', path, { op: 'listWebhookDeliveries', caller });
      const second = await service.request('GET', `${path}&cursor=${first.body.nextCursor as string}`, { op: 'listWebhookDeliveries', caller });
      const ids = [...first.body.data, ...second.body.data].map((row: { deliveryId: string }) => row.deliveryId);
      expect(ids).to.deep.equal([...new Set(ids)].sort().reverse()).and.have.length(3);
      expect(second.body.nextCursor).to.equal(null);
    });
  });

  describe('events', () => {
    const read = (caller: TestCaller, query = '') => service.request('GET', `/v1/events${query}`, { op: 'listEvents', caller });
    const types = (answer: { body: { data: { type: string }[] } }) => answer.body.data.map(({ type }) => type);

    it('are read from a cursor on, under the id and with the words of the webhook', async () => {
      const caller = fintech();
      const endpointId = await register(caller, '/ok');
      const told = settled(caller.clientId);
      await service.deliver(told);
      const delivery = await until(caller, endpointId, ({ status }) => status === 'delivered');
      const first = await read(caller);
      expect(first.body).to.deep.include({ hasMore: false, data: [
        { eventId: told.id, type: 'payment.settled', timestamp: told.time, data: { paymentId: told.data.paymentId, customerId: told.data.customerId, status: 'settled' } }] });
      expect(delivery.eventId).to.equal(told.id);
      const cursor = first.body.nextCursor as string;
      expect((await read(caller, `?after=${cursor}`)).body).to.deep.equal({ data: [], hasMore: false, nextCursor: cursor });
      await service.deliver(event('account.blocked', { accountId: newId(), customerId: newId(), clientId: caller.clientId }));
      expect(types(await read(caller, `?after=${cursor}`))).to.deep.equal(['account.blocked']);
      expect(types(await read(caller, `?after=${cursor}`)), 'again, for one who lost the answer').to.deep.equal(['account.blocked']);
    });
    it('are paged and filtered; a cursor goes past what was filtered out', async () => {
      const caller = fintech();
      const about = { accountId: newId(), customerId: newId(), clientId: caller.clientId };
      for (const type of ['account.blocked', 'account.unblocked', 'account.blocked', 'account.closed'] as const) await service.deliver(event(type, about));
      const first = await read(caller, '?limit=1&types=account.blocked,account.closed');
      expect([types(first), first.body.hasMore]).to.deep.equal([['account.blocked'], true]);
      const second = await read(caller, `?types=account.blocked,account.closed&after=${first.body.nextCursor as string}`);
      expect([types(second), second.body.hasMore]).to.deep.equal([['account.blocked', 'account.closed'], false]);
      const none = await read(caller, '?types=payment.settled');
      expect([types(none), none.body.nextCursor]).to.deep.equal([[], second.body.nextCursor]);
    });
    it('are one application\'s own, and nothing where nothing was told', async () => {
      const [caller, other] = [fintech(), fintech()];
      await service.deliver(settled(caller.clientId));
      expect((await read(other)).body).to.deep.equal({ data: [], nextCursor: null, hasMore: false });
      const { body } = await read(caller);
      await service.deliver(settled(other.clientId));
      expect((await read(other, `?after=${body.nextCursor as string}`)).body).to.include({ status: 400, code: 'invalid_cursor' });
      expect((await read(caller, '?types=customer.registered')).status).to.equal(400);
      expect((await read({ ...caller, scopes: ['payments'] })).status).to.equal(403);
    });
    it('that are kept no longer make a cursor worthless: the answer says so', async () => {
      const caller = fintech();
      for (let n = 0; n < 2; n++) await service.deliver(settled(caller.clientId));
      const { body } = await read(caller, '?limit=1');
      await service.database.query(`update feed_entries set heard_at = now() - interval '31 days' where client_id = $1`, [caller.clientId]);
      await feedRepository(service.database).prune(new Date(Date.now() - 30 * 86_400_000));
      expect((await read(caller, `?after=${body.nextCursor as string}`)).body).to.include({ status: 410, code: 'cursor_expired' });
    });
    it('are sent to an endpoint again, from a time or a cursor on', async () => {
      const caller = fintech();
      const told = settled(caller.clientId);
      await service.deliver(told);
      const endpointId = await register(caller, '/ok');
      const replay = (body: object, by: TestCaller = caller) => service.request('POST', `/v1/webhook-endpoints/${endpointId}/replay`, { op: 'replayWebhookEvents', caller: by, body });
      expect((await replay({ since: new Date(Date.now() - 60_000).toISOString() })).body).to.deep.equal({ queued: 1, nextCursor: null });
      expect(await until(caller, endpointId, ({ status }) => status === 'delivered')).to.include({ eventId: told.id });
      expect((await replay({ after: (await read(caller)).body.nextCursor as string })).body).to.deep.equal({ queued: 0, nextCursor: null });
      for (const body of [{}, { since: new Date().toISOString(), after: 'x' }]) expect((await replay(body)).body).to.include({ status: 400, code: 'invalid_request' });
      expect((await replay({ after: 'nonsense' })).body).to.include({ code: 'invalid_cursor' });
      expect((await replay({ since: new Date().toISOString() }, fintech())).body.code).to.equal('not_your_resource');
      await service.database.query(`update webhook_endpoints set status = 'disabled', disabled_reason = 'gone' where endpoint_id = $1`, [endpointId]);
      expect((await replay({ since: new Date().toISOString() })).body).to.include({ status: 409, code: 'invalid_state' });
    });
    it('given up are sent again when asked, by their application only', async () => {
      const caller = fintech();
      const endpointId = await register(caller, '/ok');
      await service.deliver(settled(caller.clientId));
      const { deliveryId } = await until(caller, endpointId, ({ status }) => status === 'delivered');
      const retry = (by: TestCaller, id = deliveryId as string) => service.request('POST', `/v1/webhook-endpoints/${endpointId}/deliveries/${id}/retry`, { op: 'retryWebhookDelivery', caller: by });
      expect((await retry(caller)).body).to.include({ status: 409, code: 'invalid_state' });
      await service.database.query(`update webhook_deliveries set status = 'failed', last_status = 500 where delivery_id = $1`, [deliveryId]);
      expect((await retry(fintech())).body.code).to.equal('not_your_resource');
      expect((await retry(caller, newId())).body.code).to.equal('webhook_delivery_not_found');
      expect((await retry(caller)).status).to.equal(202);
      await until(caller, endpointId, ({ status }) => status === 'delivered');
    });
  });

  describe('several senders', () => {
    it('never get the same delivery, and get it back when a sender dies; one alone sends at most four to an endpoint', async () => {
      const [webhooks, feed] = [webhookRepository(service.database), feedRepository(service.database)];
      const caller = fintech();
      const endpointId = await register(caller, '/ok');
      // Due in a year, so that the service's own sender does not take part.
      const later = new Date(Date.now() + 365 * 24 * 3600_000);
      for (let n = 0; n < 10; n++)
        await service.database.transaction((tx) => feed.hear({ eventId: newId(), type: 'payment.settled', clientId: caller.clientId, subject: newId(), turn: undefined, body: '{}', now: later }, tx));
      const claims = await Promise.all(Array.from({ length: 6 }, () => webhooks.claim(3, later, 1000)));
      const ids = claims.flat().filter((claim) => claim.endpointId === endpointId).map(({ deliveryId }) => deliveryId);
      expect(new Set(ids).size).to.equal(ids.length);
      expect(ids.length).to.be.at.least(3);
      const afterLease = new Date(later.getTime() + 1001);
      const again = (await webhooks.claim(10, afterLease, 1000)).filter((claim) => claim.endpointId === endpointId);
      expect(again).to.have.length(4);
      // A word of the dead sender that comes late changes nothing.
      const overtaken = again.find(({ deliveryId }) => ids.includes(deliveryId));
      if (overtaken) {
        await webhooks.delivered({ ...overtaken, attempts: overtaken.attempts - 1 }, 204);
        expect((await deliveries(caller, endpointId)).find(({ deliveryId }) => deliveryId === overtaken.deliveryId)?.status).to.equal('waiting');
      }
      await service.database.query('delete from webhook_endpoints where endpoint_id = $1', [endpointId]);
    });
  });
});

describe('the webhooks adapter outside the sandbox', () => {
  let service: TestService;
  before(async () => { service = await testService(options, { WEBHOOK_SECRETS_KEY: SECRETS_KEY }); });
  after(() => service.stop());
  const caller: TestCaller = { clientId: 'app-1', scopes: ['webhooks'], roles: ['pisp'] };
  const create = (url: string) => service.request('POST', '/v1/webhook-endpoints', {
    op: 'createWebhookEndpoint', caller, headers: { 'Idempotency-Key': newId() }, body: { url, eventTypes: ['payment.settled'] } });

  it('refuses plain, private and internal addresses', async () => {
    for (const url of ['http://fintech.example/', 'https://127.0.0.1/', 'https://169.254.169.254/', 'https://localhost/'])
      expect((await create(url)).body, url).to.include({ status: 400, code: 'invalid_request' });
    expect((await create('https://fintech.example/')).status).to.equal(201);
  });
  it('does not send to an address that has become private after it was registered', async () => {
    const { body } = await create('https://rebound.example/');
    await service.database.query(`update webhook_endpoints set url = 'https://127.0.0.1:1/' where endpoint_id = $1`, [body.endpointId]);
    await service.deliver(settled('app-1'));
    for (let tries = 0; tries < 100; tries++) {
      const [row] = await service.database.query<{ last_error: string | null }>('select last_error from webhook_deliveries where endpoint_id = $1', [body.endpointId]);
      if (row?.last_error) return expect(row.last_error).to.equal('address-refused');
      await pause(25);
    }
    throw new Error('nothing was tried');
  });
});
