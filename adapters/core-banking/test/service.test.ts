import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { newEvent } from '@kontor/kernel/events';
import { newId } from '@kontor/kernel/ids';
import { Transient } from '@kontor/kernel/messaging';
import { testService, type TestService } from '@kontor/testing/service';
import { startLegacyCore } from '../simulator/legacy-core.js';
import { options } from '../src/main.js';

const context = { correlationId: 'test', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', clientId: 'app-1' };
const requested = (currency: string) => {
  const accountId = newId();
  return newEvent('account.requested', { subject: accountId, source: 'account', context, data: { accountId, customerId: newId(), clientId: 'app-1', product: 'current', currency } });
};

describe('the core-banking adapter', () => {
  const directory = mkdtempSync(join(tmpdir(), 'kontor-core-'));
  let core: Awaited<ReturnType<typeof startLegacyCore>>;
  let service: TestService;
  before(async () => {
    core = await startLegacyCore({ host: '127.0.0.1', port: 0, stateFile: join(directory, 'books.jsonl'), seed: 'test', wsdl: new URL('../core.wsdl', import.meta.url), stallMs: 0 });
    service = await testService(options, { CORE_BANKING_URL: core.url });
  });
  after(async () => {
    await service.stop();
    await core.stop();
    rmSync(directory, { recursive: true });
  });
  const toldOf = async (accountId: string) => (await service.events()).filter(({ subject }) => subject === accountId);

  it('tells the IBAN the core gave, and the very same event when the request comes again', async () => {
    const event = requested('EUR');
    await service.deliver(event);
    await service.deliver(event);
    const [first, second] = await toldOf(event.subject);
    expect(first).to.include({ type: 'core.account-booked', correlationid: 'test', clientid: 'app-1' });
    expect(first?.data).to.have.all.keys('accountId', 'iban', 'coreReference');
    expect([second?.id, second?.data]).to.deep.equal([first?.id, first?.data]);
  });
  it('tells a refusal with its reason', async () => {
    const event = requested('HUF');
    await service.deliver(event);
    expect((await toldOf(event.subject)).map(({ type, data }) => [type, data])).to.deep.equal([
      ['core.account-refused', { accountId: event.subject, reason: 'currency-not-supported' }]]);
  });
  it('tells nothing while the core is unavailable, and lets the kernel try again', async () => {
    const event = requested('CZK');
    for (const attempt of [1, 2]) expect(await service.deliver(event).then(() => undefined, (error: unknown) => error), `attempt ${attempt}`).to.be.instanceOf(Transient);
    expect(await toldOf(event.subject)).to.deep.equal([]);
    await service.deliver(event);
    expect((await toldOf(event.subject)).map(({ type }) => type)).to.deep.equal(['core.account-booked']);
  });
});
