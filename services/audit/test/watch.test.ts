import { expect } from 'chai';
import { newEvent, type AnyEvent } from '@kontor/kernel/events';
import { newId } from '@kontor/kernel/ids';
import { createMetrics } from '@kontor/kernel/metrics';
import { testDatabase, type TestDatabase } from '@kontor/testing/database';
import { trailRepository, type TrailRepository } from '../src/repository.js';
import { recordOfEvent } from '../src/trail.js';
import { watchChain, type ChainWatch } from '../src/watch.js';

describe('Watch over the chain', () => {
  let store: TestDatabase;
  let trail: TrailRepository;
  let watch: ChainWatch;
  const told: string[] = [];
  const metrics = createMetrics('audit');
  let now = new Date('2026-03-01T10:00:00.000Z');

  before(async () => {
    store = await testDatabase(new URL('..', import.meta.url));
    trail = trailRepository(store.database, Buffer.alloc(32, 1));
    const silent = { info: () => undefined, debug: () => undefined, warn: () => undefined, error: (message: string) => void told.push(message) };
    watch = watchChain({ trail, logger: silent, metrics, now: () => now });
  });
  after(async () => {
    await watch.stop();
    await store.drop();
  });

  const append = (): Promise<unknown> => store.database.transaction((tx) => trail.append(tx, [
    recordOfEvent(newEvent('app.credentials-rotated', { subject: newId(), source: 'portal', context: { correlationId: 'c', traceparent: '' }, data: { appId: newId() } }) as AnyEvent, now)]));
  const shown = async (name: string): Promise<number | undefined> => (await metrics.registry.getSingleMetric(name)?.get())?.values[0]?.value;

  it('shows a whole chain and how far it is proven', async () => {
    await append();
    await append();
    expect(await watch.look()).to.equal(true);
    expect([await shown('audit_chain_valid'), await shown('audit_chain_proven_records')]).to.deep.equal([1, 2]);
    expect(told).to.deep.equal([]);
  });

  it('raises an error when a new record is broken, and again at the next look', async () => {
    await append();
    await store.database.query('alter table audit_records disable trigger all');
    await store.database.query(`update audit_records set source = 'forged' where position = 3`);
    expect(await watch.look()).to.equal(false);
    expect(await watch.look()).to.equal(false);
    expect(await shown('audit_chain_valid')).to.equal(0);
    expect(told).to.deep.equal(Array.from({ length: 2 }, () => 'the audit chain is broken at position 3'));
  });

  it('finds an old record altered at the daily look over the whole chain', async () => {
    await store.database.query(`update audit_records set source = 'portal' where position = 3`);
    expect(await watch.look()).to.equal(true);
    await store.database.query(`update audit_records set source = 'forged' where position = 1`);
    expect(await watch.look()).to.equal(true);
    now = new Date('2026-03-02T10:00:01.000Z');
    expect(await watch.look()).to.equal(false);
  });
});
