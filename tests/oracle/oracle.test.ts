/** A short run of `npm run oracle`, and that its model is nobody's copy. */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { after, asked, verdict, type Consent, type Customer, type Operation, type Question } from './model.js';
import { runOracle } from './oracle.js';
import { operations } from './specification.js';
import { trialsFrom } from './trials.js';
import { onEachWorld } from './worlds.js';

/** `npm run oracle` runs 10,000; another seed each time, told when it fails. */
const TRIALS = 200;

describe('The oracle', () => {
  const getBalances: Operation = { id: 'getBalances', method: 'GET', path: '/v1/accounts/{accountId}/balances', scopes: ['accounts'], roles: ['aisp'], permission: 'balances:read', account: 'path' };
  const ada: Customer = { name: 'ada', accounts: ['first', 'joint'], holders: { first: ['ada'], joint: ['ada', 'bert'] } };
  const approved: Consent = after(asked('fintech', { kind: 'access', permissions: ['balances:read'] }), { act: 'approve', accounts: ['first'] }, ada).consent;
  const question = (consent: Consent, change: Partial<Question> = {}): Question =>
    ({ operation: getBalances, token: { kind: 'consent', application: { id: 'fintech', roles: ['aisp'] }, scopes: ['accounts'], consent }, account: 'first', attended: false, ...change });

  it('has a model that shares no code with the product', () => {
    expect(readFileSync(new URL('./model.ts', import.meta.url), 'utf8')).to.not.match(/^\s*import\b|^export\b.*\bfrom\b|\b(require|import)\(/m);
  });
  it('has a model that allows what the customer approved, and only that', () => {
    expect(verdict(question(approved))).to.deep.equal(['allowed']);
    expect(verdict(question(approved, { account: 'joint' }))).to.deep.equal(['consent_account_not_covered']);
    expect(verdict(question(after(approved, { act: 'withdraw' }, ada).consent))).to.deep.equal(['consent_withdrawn', 'invalid_token']);
    expect(verdict(question({ ...approved, client: 'other' }))).to.deep.equal(['consent_not_active']);
    expect(verdict(question({ ...approved, frequency: 1, uses: { 'getBalances first': 1 } }))).to.deep.equal(['consent_frequency_exceeded']);
  });
  it('makes the same trial of the same seed and number, and another of another', () => {
    const [one, same, other] = [trialsFrom(7, operations()), trialsFrom(7, operations()), trialsFrom(8, operations())];
    for (const number of [1, 2, 900]) {
      expect(one(number)).to.deep.equal(same(number));
      expect(one(number)).to.not.deep.equal(other(number));
    }
    expect(one(1)).to.not.deep.equal(one(2));
  });
});

onEachWorld('The platform agrees with the model of what is allowed', (world) => {
  it(`in ${TRIALS} random trials`, async function () {
    this.timeout(120_000);
    const seed = Math.floor(Math.random() * 2 ** 31);
    const { disagreements, outcomes, trials } = await runOracle(world(), { seed, trials: TRIALS, jobs: 4, tell: () => undefined });
    expect(disagreements.map((one) => ({ replay: `npm run oracle -- --seed=${seed} --only=${one.trial}`, ...one }))).to.deep.equal([]);
    expect(trials).to.equal(TRIALS);
    // A run in which nothing is allowed, or nothing refused, would show nothing.
    expect(outcomes).to.include.keys('allowed', 'consent_not_active', 'consent_account_not_covered');
  });
});

onEachWorld('The oracle finds a platform that is wrong', (world, { embedded }) => {
  // Which gateway stands before it makes no difference to what the services are made to forget.
  if (!embedded) return;
  it('where a customer\'s revocations and rejections are forgotten', async function () {
    this.timeout(60_000);
    const { services } = world();
    const { consents } = services;
    services.consents = {
      ...consents,
      change: (id, rule, ...more) => consents.change(id, (consent, now) => {
        const outcome = rule(consent, now);
        return ['revoked', 'rejected'].includes(outcome.consent.status) ? { consent } : outcome;
      }, ...more),
    };
    try {
      const { disagreements } = await runOracle(world(), { seed: 1, trials: 60, jobs: 4, tell: () => undefined });
      expect(disagreements.map(({ got }) => got)).to.include('allowed');
    } finally {
      services.consents = consents;
    }
  });
});
