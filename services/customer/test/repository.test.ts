import { expect } from 'chai';
import { newId } from '@kontor/kernel/ids';
import { testDatabase, type TestDatabase } from '@kontor/testing/database';
import { change, register, type Customer } from '../src/customer.js';
import { customerRepository, type CustomerRepository } from '../src/repository.js';

const NOW = new Date('2026-03-01T10:00:00.000Z');
const CONTEXT = { correlationId: 'c-1', traceparent: '', clientId: 'app-1' };

describe('Storage of customers', () => {
  let store: TestDatabase;
  let customers: CustomerRepository;

  before(async () => {
    store = await testDatabase(new URL('..', import.meta.url));
    customers = customerRepository(store.database);
  });
  after(() => store.drop());

  async function kept(part: { clientId?: string; now?: Date } = {}): Promise<Customer> {
    const wanted = { name: { given: 'Ada', family: 'Sandbox' }, birthDate: '1990-12-10', nationality: 'DE', residence: 'AT', contact: { email: 'ada@sandbox.example', phone: '+491700000000' } };
    const customer = register(wanted, { id: newId(), clientId: part.clientId ?? 'app-1', now: part.now ?? NOW });
    await customers.register(customer, { key: newId(), body: wanted, context: CONTEXT, answer: () => ({ status: 201, body: {} }) });
    return customer;
  }

  it('gives a customer back as it was kept', async () => {
    const customer = await kept();
    expect(await customers.find(customer.id)).to.deep.equal(customer);
  });

  it('knows nothing of a customer never registered', async () => {
    expect(await customers.find(newId())).to.equal(undefined);
  });

  it('lets two changes at once follow each other: none is lost', async () => {
    const customer = await kept();
    const holding = await holdRow(store, customer.id);
    const first = customers.change(customer.id, (found) => change(found, { residence: 'FR' }, NOW), CONTEXT);
    const second = customers.change(customer.id, (found) => change(found, { contact: { email: 'new@sandbox.example' } }, NOW), CONTEXT);
    await waitForLocks(store, 2);
    await holding.letGo();
    await Promise.all([first, second]);
    const found = await customers.find(customer.id);
    expect(found).to.deep.include({ version: 3, residence: 'FR', contact: { email: 'new@sandbox.example' } });
  });

  it('tells nothing and changes nothing when the rule refuses', async () => {
    const customer = await kept();
    const told = await countOfEvents(store);
    await customers.change(customer.id, () => { throw new Error('refused'); }, CONTEXT).catch(() => undefined);
    expect(await customers.find(customer.id)).to.deep.equal(customer);
    expect(await countOfEvents(store)).to.equal(told);
  });

  it('pages in order of creation, also through customers of one millisecond, without gap or repeat', async () => {
    const clientId = `pager-${newId()}`;
    const made: Customer[] = [];
    for (let i = 0; i < 7; i++) made.push(await kept({ clientId, now: new Date(NOW.getTime() + Math.floor(i / 3)) }));
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await customers.list({ clientId, limit: 2, ...(cursor ? { cursor } : {}) });
      seen.push(...page.customers.map(({ id }) => id));
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    expect(seen).to.deep.equal(made.map(({ id }) => id));
  });
});

async function countOfEvents(store: TestDatabase): Promise<number> {
  const [row] = await store.database.query<{ count: number }>('select count(*)::int as count from outbox');
  return row!.count;
}

/** Takes the lock on a customer's row by hand and keeps it until told. */
async function holdRow(store: TestDatabase, id: string): Promise<{ letGo: () => Promise<void> }> {
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => { release = resolve; });
  let locked: () => void = () => undefined;
  const isLocked = new Promise<void>((resolve) => { locked = resolve; });
  const held = store.database.transaction(async (tx) => {
    await store.database.query('select 1 from customers where id = $1 for update', [id], tx);
    locked();
    await released;
  });
  await isLocked;
  return { letGo: async () => { release(); await held; } };
}

async function waitForLocks(store: TestDatabase, wanted: number): Promise<void> {
  for (const until = Date.now() + 5_000; Date.now() < until;) {
    const [row] = await store.database.query<{ count: number }>(
      `select count(*)::int as count from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`);
    if (row!.count >= wanted) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`${wanted} changes never waited for the row: is it locked at all?`);
}
