/** The rules of strong authentication, and the store that makes each step happen once. */
import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { newId } from '@kontor/kernel/ids';
import { testDatabase, type TestDatabase } from '@kontor/testing/database';
import { challenges, type Challenges, type NewChallenge, type Proof } from '../src/sca-challenges.js';
import { linkedHash, methodsFor, standingOf, type Challenge, type OnTheScreen } from '../src/sca.js';
import { seal, unseal } from '@kontor/kernel/sealing';

const NOW = new Date('2026-11-22T10:00:00Z');
const later = (minutes: number): Date => new Date(NOW.getTime() + minutes * 60_000);
const SEEN: OnTheScreen = {
  consentId: 'c', version: 3, clientId: 'app', type: 'payment', permissions: ['payments:initiate'], expiresAt: NOW, accounts: ['a', 'b'],
  terms: { amount: { amount: '12.50', currency: 'EUR' }, creditor: { name: 'Green Grocer', iban: 'DE89370400440532013000' } },
};

describe('strong authentication: rules', () => {
  it('offer an authenticator only where no money moves', () => {
    for (const type of ['payment', 'variable-recurring', 'bulk-payment']) expect(methodsFor(type)).to.deep.equal(['message', 'decoupled']);
    for (const type of ['account-access', 'funds-confirmation', undefined]) expect(methodsFor(type)).to.deep.equal(['totp', 'message', 'decoupled']);
  });
  const changes: [string, Partial<OnTheScreen>][] = [
    ['the consent', { consentId: 'd' }], ['its version', { version: 4 }], ['the application', { clientId: 'other' }], ['what is allowed', { permissions: [] }],
    ['the end', { expiresAt: later(1) }], ['the accounts', { accounts: ['a'] }],
    ['the amount', { terms: { ...(SEEN.terms as object), amount: { amount: '125.0', currency: 'EUR' } } }],
    ['the payee', { terms: { ...(SEEN.terms as object), creditor: { name: 'Green Grocer', iban: 'NL91ABNA0417164300' } } }],
  ];
  for (const [what, change] of changes) {
    it(`link a challenge to ${what}`, () => expect(linkedHash({ ...SEEN, ...change }).equals(linkedHash(SEEN))).to.equal(false));
  }
  it('do not care in which order accounts were ticked', () => expect(linkedHash({ ...SEEN, accounts: ['b', 'a'] }).equals(linkedHash(SEEN))).to.equal(true));
  it('end a challenge by use, time, tries and replacement', () => {
    const fresh: Challenge = { id: 'x', customerId: 'y', purpose: 'consent', method: 'message', linkedHash: Buffer.alloc(32), codeHash: Buffer.alloc(32), decision: null, tries: 0, createdAt: NOW, expiresAt: later(5), usedAt: null, voidedAt: null };
    const standing = (change: Partial<Challenge>, at = NOW): string => standingOf({ ...fresh, ...change }, at);
    expect([standing({}), standing({ tries: 2 }), standing({}, later(4.99))]).to.deep.equal(['open', 'open', 'open']);
    expect([standing({ tries: 3 }), standing({}, later(5)), standing({ voidedAt: NOW })]).to.deep.equal(['over', 'over', 'over']);
    expect([standing({ usedAt: NOW }, later(9)), standing({ decision: 'approve' }), standing({ decision: 'deny' }), standing({ decision: 'approve' }, later(5))]).to.deep.equal(['used', 'approved', 'denied', 'over']);
  });
  it('seal a text for one place with one key', () => {
    const key = randomBytes(32);
    const sealed = seal(key, 'messages|text_sealed|1', Buffer.from('493027 is your code'));
    expect(unseal(key, 'messages|text_sealed|1', sealed).toString()).to.equal('493027 is your code');
    expect(() => unseal(key, 'messages|text_sealed|2', sealed)).to.throw();
    expect(() => unseal(randomBytes(32), 'messages|text_sealed|1', sealed)).to.throw();
  });
});

describe('strong authentication: challenges', () => {
  let stored: TestDatabase;
  let store: Challenges;
  const link = randomBytes(32);
  before(async () => {
    stored = await testDatabase(new URL('..', import.meta.url));
    store = challenges(stored.database, randomBytes(32));
  });
  after(() => stored.drop());

  async function open(change: Partial<NewChallenge> = {}): Promise<{ id: string; customerId: string; code: string; prove: (code: string, more?: object) => Promise<Proof> }> {
    const customerId = change.customerId ?? newId();
    let code = '';
    const { id } = await store.open({ customerId, purpose: 'sign-in', method: 'message', linkedHash: link, now: NOW, text: (sent) => { code = sent; return `${sent} is your code`; }, ...change });
    return { id, customerId, code, prove: (given, more = {}) => store.prove({ id, customerId, linkedHash: link, code: given, now: NOW, checkTotp: async () => given === 'totp', ...more }) };
  }
  const not = (code: string): string => (code === '000000' ? '000001' : '000000');

  it('keep the code nowhere but in the sealed message', async () => {
    const { id, customerId, code } = await open();
    const rows = await stored.database.query<{ text_sealed: Buffer }>('SELECT c.*, m.text_sealed FROM challenges c JOIN messages m ON m.challenge_id = c.id WHERE c.id = $1', [id]);
    expect(JSON.stringify(rows)).not.to.contain(code);
    expect(rows[0]!.text_sealed.toString('latin1')).not.to.contain(code);
    expect((await store.messages(customerId))[0]!.text).to.equal(`${code} is your code`);
  });
  it('are proven once, however many send the code at the same moment', async () => {
    const { code, prove } = await open();
    const kinds = (await Promise.all([1, 2, 3].map(() => prove(code)))).map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === 'passed')).to.have.length(1);
    expect((await prove(code)).kind).to.equal('used');
  });
  it('take three tries in all, also from ten guesses at once, and then not the right code either', async () => {
    const { code, prove } = await open();
    const kinds = (await Promise.all(Array.from({ length: 10 }, () => prove(not(code))))).map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === 'wrong')).to.have.length(3);
    expect((await prove(code)).kind).to.equal('over');
  });
  it('are over after five minutes', async () => {
    const { code, prove } = await open();
    expect((await prove(code, { now: later(5) })).kind).to.equal('over');
  });
  it('are void for good once the screen has shown something else', async () => {
    const { code, prove } = await open();
    expect((await prove(code, { linkedHash: randomBytes(32) })).kind).to.equal('changed');
    expect((await prove(code)).kind).to.equal('over');
  });
  it('belong to one customer, and to no other challenge\'s code', async () => {
    const mine = await open();
    const other = await open({ customerId: mine.customerId });
    expect((await mine.prove(mine.code, { customerId: newId() })).kind).to.equal('over');
    if (mine.code !== other.code) expect((await mine.prove(other.code)).kind).to.equal('wrong');
  });
  it('give way to the one that takes their place', async () => {
    const first = await open();
    const second = await open({ customerId: first.customerId, replaces: first.id });
    expect((await first.prove(first.code)).kind).to.equal('over');
    expect((await second.prove(second.code)).kind).to.equal('passed');
  });
  it('wait for the device, and take its first answer', async () => {
    const { id, customerId, prove } = await open({ method: 'decoupled' });
    expect((await prove('')).kind).to.equal('pending');
    expect((await store.approvals(customerId, NOW))[0]).to.include({ approvalId: id, status: 'pending' });
    await store.decide(id, customerId, 'approve', NOW);
    expect((await store.decide(id, customerId, 'approve', NOW)).status).to.equal('approved');
    const fault = await store.decide(id, customerId, 'deny', NOW).catch((error: { code: string }) => error.code);
    expect(fault).to.equal('invalid_state');
    expect(await prove('')).to.deep.equal({ kind: 'passed', method: 'decoupled' });
    expect((await prove('')).kind).to.equal('used');
  });
  it('do not wait for ever: a device that answers late is refused', async () => {
    const { id, customerId, prove } = await open({ method: 'decoupled' });
    expect(await store.decide(id, customerId, 'approve', later(5)).catch((error: { code: string }) => error.code)).to.equal('invalid_state');
    expect((await store.approvals(customerId, later(5)))[0]!.status).to.equal('expired');
    expect((await prove('', { now: later(5) })).kind).to.equal('over');
  });
  it('are forgotten after thirty days, with their messages', async () => {
    const { customerId } = await open();
    await store.forgetOld(later(31 * 24 * 60));
    expect(await store.messages(customerId)).to.deep.equal([]);
  });
});
