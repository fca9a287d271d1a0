/** Signing in: nobody learns which names exist, nobody guesses for long, and nobody can lock somebody else out. */
import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { Redis } from 'ioredis';
import { testServer } from '@kontor/testing/environment';
import { atHome, testBank, type Browser, type TestBank } from './bank.js';

describe('signing in at the bank', () => {
  let bank: TestBank;
  before(async () => { bank = await testBank({ CHALLENGES_PER_HOUR: '3' }); });
  after(() => bank.stop());

  let lastAddress = 0;
  /** A browser somewhere else. */
  const somewhere = (): Browser => bank.browser({ 'x-forwarded-for': `198.51.100.${++lastAddress % 250}, 203.0.113.${++lastAddress % 250}` });
  async function attempt(browser: Browser, username: string, password: string): Promise<{ status: number; html: string }> {
    await browser.open('/bank/sign-in');
    return browser.submit('sign-in', { username, password });
  }
  const plain = (html: string): string => html.replace(/value="[^"]*"|t=[\w-]+|t%3D[\w-]+/g, '');

  it('answers an unknown name, a wrong password and a closed customer in the same words', async () => {
    const [person, closed] = [await bank.person(), await bank.person()];
    await bank.service.database.query('UPDATE customers SET active = false WHERE id = $1', [closed.customerId]);
    const answers = [
      await attempt(somewhere(), person.banking.username, 'wrong'), await attempt(somewhere(), 'c-nobody', 'wrong'), await attempt(somewhere(), closed.banking.username, closed.banking.password)];
    for (const answer of answers) expect([answer.status, plain(answer.html)]).to.deep.equal([401, plain(answers[0]!.html)]);
  });
  it('asks for a pause after five failures from one place, for a name that exists and for one that does not', async () => {
    const person = await bank.person();
    for (const name of [person.banking.username, 'c-nobody-else']) {
      const browser = somewhere();
      for (let count = 0; count < 5; count++) expect((await attempt(browser, name, 'wrong')).status).to.equal(401);
      const answer = await attempt(browser, name, person.banking.password);
      expect([answer.status, answer.html.includes('Too many attempts')]).to.deep.equal([429, true]);
      expect(answer.html).to.contain(`value="${name}"`);
    }
  });
  it('counts guesses sent at the same moment', async () => {
    const person = await bank.person();
    const browser = somewhere();
    await browser.open('/bank/sign-in');
    const form = { ...browser.hidden('sign-in'), username: person.banking.username, password: 'wrong' };
    const statuses = (await Promise.all(Array.from({ length: 12 }, () => browser.send('POST', '/bank/sign-in', form)))).map(({ status }) => status);
    expect(statuses.filter((status) => status === 401)).to.have.length(5);
  });
  it('does not let failures elsewhere lock out who signs in from a place of his own', async () => {
    const person = await bank.person();
    const attacker = somewhere();
    for (let count = 0; count < 6; count++) await attempt(attacker, person.banking.username, 'wrong');
    expect((await attempt(somewhere(), person.banking.username, person.banking.password)).status).to.equal(200);
  });
  it('does not let failures from everywhere lock out who uses a browser he has proven to be his', async () => {
    const person = await bank.person();
    const own = await atHome(bank, person, somewhere());
    for (let count = 0; count < 15; count++) await attempt(somewhere(), person.banking.username, 'wrong');
    expect((await attempt(somewhere(), person.banking.username, person.banking.password)).status, 'an unknown browser waits').to.equal(429);
    expect((await attempt(own, person.banking.username, person.banking.password)).html).to.contain('name="method"');
  });
  it('does not take a browser for known because of a cookie somebody else has', async () => {
    const [person, stranger] = [await bank.person(), await bank.person()];
    const other = await atHome(bank, stranger, somewhere());
    for (let count = 0; count < 15; count++) await attempt(somewhere(), person.banking.username, 'wrong');
    expect((await attempt(other, person.banking.username, person.banking.password)).status).to.equal(429);
  });
  it('bounds the codes a customer can be sent in an hour', async () => {
    const person = await bank.person();
    const browser = somewhere();
    await attempt(browser, person.banking.username, person.banking.password);
    for (let count = 0; count < 3; count++) expect((await browser.submit('confirm/method', { method: 'message' })).status).to.equal(200);
    const over = await browser.submit('confirm/method', { method: 'message' });
    expect([over.status, over.html.includes('too many codes')]).to.deep.equal([429, true]);
    expect(await bank.messages(person.customerId)).to.have.length(3);
  });
  it('is over when nothing happens, and after an hour whatever happens', async () => {
    const redis = new Redis(testServer('TEST_REDIS_URL'));
    const home = await atHome(bank, await bank.person(), somewhere());
    const name = [...home.cookies].find(([key]) => key.endsWith('_home'))?.[1] ?? '';
    const key = `bank:visit:${createHash('sha256').update(`home.${name}`).digest('base64url')}`;
    const visit = JSON.parse((await redis.get(key)) ?? '{}') as { since: number };
    expect(await redis.ttl(key)).to.be.within(1, 5 * 60);
    await redis.set(key, JSON.stringify({ ...visit, since: visit.since - 60 * 60 * 1000 }), 'EX', 300);
    expect((await home.open('/bank/consents')).status).to.equal(401);
    await redis.set(key, JSON.stringify(visit), 'EX', 300);
    expect((await home.open('/bank/consents')).status).to.equal(200);
    await redis.del(key);
    expect((await home.open('/bank/consents')).html).to.contain('Your session has ended');
    await redis.quit();
  });
  it('sets cookies no script reads and no other site sends, and host-bound ones over https', async () => {
    const plainCookie = (await bank.browser().send('GET', '/bank/sign-in')).headers.getSetCookie()[0];
    expect(plainCookie).to.match(/^bank_visit_[\w-]+=[\w-]{43};/).and.contain('HttpOnly').and.contain('SameSite=Lax').and.contain('Path=/bank');
    const secured = await testBank({ BANK_PAGES_URL: 'https://bank.example/bank' });
    const cookie = (await secured.browser().send('GET', '/bank/sign-in')).headers.getSetCookie()[0];
    await secured.stop();
    expect(cookie).to.match(/^__Host-bank_visit_[\w-]+=/).and.contain('Secure').and.contain('HttpOnly').and.contain('Path=/;').and.not.contain('Domain');
  });
});
