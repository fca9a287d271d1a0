import { expect } from 'chai';
import { newId } from '@kontor/kernel/ids';
import { testDatabase } from '@kontor/testing/database';
import { mongoAccessRecords, postgresAccessRecords, type AccessRecords } from '../src/access-records.js';
import type { AccessRecord } from '../src/trail.js';

/** One suite for both document stores. */
function documentStore(name: string, open: () => Promise<{ store: AccessRecords; close: () => Promise<void> } | string>): void {
  describe(`Access records in ${name}`, () => {
    let store: AccessRecords;
    let close: () => Promise<void> = async () => undefined;

    before(async function () {
      const opened = await open();
      if (typeof opened === 'string') {
        console.log(`      skipped: ${opened}`);
        return this.skip();
      }
      ({ store, close } = opened);
    });
    after(() => close());

    const aRecord = (part: Partial<AccessRecord> = {}): AccessRecord =>
      ({ requestId: newId(), at: '2026-03-01T10:00:00.000Z', method: 'GET', status: 200, operation: 'getBalances', clientId: 'app-1', ...part });

    it('gives records back as they were kept', async () => {
      const record = aRecord({ customerId: newId(), consentId: newId(), route: 'getBalances', audience: 'account', decision: 'allow', code: 'none', latencyMs: 3 });
      await store.put([record]);
      expect((await store.list({ customerId: record.customerId!, limit: 5 })).records).to.deep.equal([record]);
    });

    it('keep a request once, as it was first told', async () => {
      const record = aRecord({ clientId: newId() });
      await store.put([record, aRecord({ clientId: record.clientId! })]);
      await store.put([{ ...record, status: 500 }, aRecord({ clientId: record.clientId! })]);
      const { records } = await store.list({ clientId: record.clientId!, limit: 5 });
      expect(records).to.have.length(3);
      expect(records.find(({ requestId }) => requestId === record.requestId)?.status).to.equal(200);
    });

    it('keep two requests that bear one id, which a client may have chosen, apart by their time', async () => {
      const record = aRecord({ clientId: newId() });
      const later = { ...record, at: '2026-03-01T10:00:00.001Z', status: 403 };
      await store.put([record, later]);
      expect((await store.list({ clientId: record.clientId!, limit: 5 })).records).to.deep.equal([record, later]);
    });

    it('takes no records at all', async () => {
      await store.put([]);
    });

    it('filters by client, consent, customer, operation and time', async () => {
      const [clientId, consentId, customerId] = [newId(), newId(), newId()];
      const mine = aRecord({ clientId, consentId, customerId, operation: 'getAccount', at: '2026-03-02T00:00:00.000Z' });
      await store.put([mine, aRecord({ clientId, at: '2026-03-03T00:00:00.000Z' }), aRecord()]);
      for (const filter of [{ consentId }, { customerId }, { clientId, operation: 'getAccount' }, { clientId, to: '2026-03-03T00:00:00.000Z' }])
        expect((await store.list({ ...filter, limit: 5 })).records, JSON.stringify(filter)).to.deep.equal([mine]);
      expect((await store.list({ clientId, from: '2026-03-02T00:00:00.001Z', limit: 5 })).records).to.have.length(1);
    });

    it('pages by time and request id, also within one millisecond, without gap or repeat', async () => {
      const clientId = newId();
      const records = Array.from({ length: 7 }, (_, i) => aRecord({ clientId, at: `2026-03-01T10:00:00.00${Math.floor(i / 3)}Z` }));
      await store.put([...records].reverse());
      const seen: string[] = [];
      for (let cursor: string | undefined = undefined, first = true; first || cursor !== undefined; first = false) {
        const page: Awaited<ReturnType<AccessRecords['list']>> = await store.list({ clientId, limit: 2, ...(cursor === undefined ? {} : { cursor }) });
        seen.push(...page.records.map(({ requestId }) => requestId));
        cursor = page.nextCursor ?? undefined;
      }
      expect(seen).to.deep.equal([...records].sort((a, b) => a.at.localeCompare(b.at) || (a.requestId < b.requestId ? -1 : 1)).map(({ requestId }) => requestId));
    });
  });
}

documentStore('PostgreSQL', async () => {
  const { database, drop } = await testDatabase(new URL('..', import.meta.url));
  return { store: postgresAccessRecords(database), close: drop };
});

documentStore('MongoDB', async () => {
  const url = process.env.MONGODB_URL;
  if (!url) return 'no MONGODB_URL is given';
  const own = new URL(url);
  own.pathname = `/test_${newId().replaceAll('-', '')}`;
  const store = await mongoAccessRecords(own.href);
  return { store, close: () => store.close() };
});
