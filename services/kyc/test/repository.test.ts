import { expect } from 'chai';
import { newId } from '@kontor/kernel/ids';
import { testDatabase, type TestDatabase } from '@kontor/testing/database';
import { open, type Applicant } from '../src/kyc.js';
import { kycRepository, type KycRepository } from '../src/repository.js';

const CONTEXT = { correlationId: 'c-1', traceparent: '' };

describe('Storage of know-your-customer cases', () => {
  let store: TestDatabase;
  let cases: KycRepository;

  before(async () => {
    store = await testDatabase(new URL('..', import.meta.url));
    cases = kycRepository(store.database);
  });
  after(() => store.drop());

  async function anApplicant(): Promise<Applicant> {
    const applicant: Applicant = {
      customerId: newId(), clientId: 'app-1', name: { given: 'Ada', family: 'Sandbox' }, birthDate: '1990-12-10', nationality: 'DE', residence: 'DE', gone: false,
    };
    await store.database.transaction((tx) => cases.putApplicant(tx, applicant, '2026-01-01T00:00:00.000Z'));
    return applicant;
  }

  it('has one open case a customer, however many are opened at once: each supersedes the one before', async () => {
    const { customerId } = await anApplicant();
    await Promise.all([1, 2, 3, 4, 5].map(() => store.database.transaction((tx) => cases.openIn(
      tx, customerId, (applicant) => open(applicant, 'identity_changed', { id: newId(), now: new Date() }), CONTEXT, async () => undefined))));
    const { cases: found } = await cases.list({ customerId, limit: 10 });
    expect(found.map(({ status }) => status).sort()).to.deep.equal(['checking', 'superseded', 'superseded', 'superseded', 'superseded']);
  });

  it('refuses a second open case even to SQL that forgets the rule', async () => {
    const { customerId } = await anApplicant();
    const insert = (): Promise<unknown> => store.database.query(
      `insert into kyc_cases (id, customer_id, client_id, status, cause, opened_at, updated_at) values ($1, $2, 'app-1', 'review', 'requested', now(), now())`, [newId(), customerId]);
    await insert();
    const fault = await insert().then(() => undefined, (error: Error) => error);
    expect(fault?.message).to.match(/one_open_case_per_customer/);
  });

  it('opens nothing for a customer it does not know', async () => {
    const opened = await store.database.transaction((tx) => cases.openIn(
      tx, newId(), (applicant) => open(applicant, 'registered', { id: newId(), now: new Date() }), CONTEXT, async () => undefined));
    expect(opened).to.equal(undefined);
  });
});
