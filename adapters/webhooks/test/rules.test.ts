import { expect } from 'chai';
import fc from 'fast-check';
import type { AnyEvent } from '@kontor/kernel/events';
import { Problem } from '@kontor/kernel/problem';
import { isPrivateAddress } from '../src/addresses.js';
import { newSecret, seal, unseal } from '../src/secrets.js';
import { bodyOf, TOLD_TYPES, turnOf } from '../src/told.js';
import { checkUrl, judge, nextAttempt } from '../src/webhooks.js';

const event = (type: string, data: Record<string, unknown>) => ({ type, time: '2026-01-05T09:30:00.000Z', data }) as unknown as AnyEvent;

describe('what a webhook tells', () => {
  it('is type, timestamp, ids and a status', () =>
    expect(JSON.parse(bodyOf(event('account.opened', { accountId: 'a-1', customerId: 'c-1', clientId: 'app-1', iban: 'DE78997000010000000017', currency: 'EUR', product: 'current', holderName: 'Ada Example' })))).to.deep.equal({
      type: 'account.opened', timestamp: '2026-01-05T09:30:00.000Z', data: { accountId: 'a-1', customerId: 'c-1', status: 'enabled' } }));
  for (const type of TOLD_TYPES) it(`${type} tells no name, account number, amount or remittance`, () => {
    const canaries = { name: { given: 'Canary', family: 'Canary' }, holderName: 'Canary', iban: 'CANARY', amount: { amount: '66.66', currency: 'EUR' }, remittance: 'Canary', endToEndId: 'Canary',
      payment: { creditor: { name: 'Canary', iban: 'CANARY' } }, permissions: ['Canary'], accounts: ['Canary'], reason: 'Canary of 12 Example Street' };
    const body = bodyOf(event(type, { customerId: 'c-1', clientId: 'app-1', paymentId: 'p-1', consentId: 'k-1', accountId: 'a-1', transactionId: 't-1', endpointId: 'e-1', status: 'ACSP', ...canaries }));
    expect(body.toLowerCase()).to.not.contain('canary').and.not.contain('66.66');
    expect(JSON.parse(body).data).to.include(type === 'webhook.endpoint-disabled' ? { endpointId: 'e-1' } : { customerId: 'c-1' });
  });
  it('is the status and reason of a payment', () =>
    expect(JSON.parse(bodyOf(event('payment.status-changed', { paymentId: 'p-1', customerId: 'c-1', clientId: 'app-1', status: 'RJCT', reason: 'AM04' }))).data).to.deep.equal({
      paymentId: 'p-1', customerId: 'c-1', status: 'RJCT', reason: 'AM04' }));
  it('counts where it counts: the numbers of a bulk, the number of a status change', () => {
    expect(JSON.parse(bodyOf(event('bulk-payment.completed', { bulkPaymentId: 'b-1', customerId: 'c-1', clientId: 'app-1', status: 'PART', settled: 3, refused: 1 }))).data).to.deep.equal({
      bulkPaymentId: 'b-1', customerId: 'c-1', status: 'PART', settled: 3, refused: 1 });
    expect(JSON.parse(bodyOf(event('payment.status-changed', { paymentId: 'p-1', customerId: 'c-1', clientId: 'app-1', status: 'ACSC', sequence: 5 }))).data).to.include({ sequence: 5 });
  });
});

describe('whose turn it is', () => {
  it('a status change follows the one before it', () => expect(turnOf(event('payment.status-changed', { sequence: 3 }))).to.deep.equal({ sequence: 3, follows: 2 }));
  it('what is told together with a status change follows that', () => expect(turnOf(event('payment.settled', { sequence: 5 }))).to.deep.equal({ sequence: 5, follows: 5 }));
  for (const sequence of [undefined, 0, -1, 1.5, '2', null]) it(`is told as heard when its number is ${JSON.stringify(sequence)}`, () => expect(turnOf(event('payment.status-changed', { sequence }))).to.equal(undefined));
});

describe('the address of an endpoint', () => {
  const strict = { allowPrivate: false, isPrivate: isPrivateAddress };
  const refused = (url: string, options = strict) => {
    try {
      checkUrl(url, options);
      return 'taken';
    } catch (error) {
      return error instanceof Problem ? error.code : 'fault';
    }
  };
  it('is public https', () => {
    for (const url of ['https://fintech.example/hooks', 'https://fintech.example:8443/hooks?x=1', 'https://8.8.8.8/', 'https://[2606:4700::1]/']) expect(refused(url), url).to.equal('taken');
  });
  for (const url of [
    'http://fintech.example/', 'ftp://fintech.example/', 'https://user:secret@fintech.example/', 'https://fintech.example/#x', 'https://', 'https://localhost/', 'https://LOCALHOST./',
    'https://db/', 'https://x.localhost/', 'https://vault.internal/', 'https://printer.local/', 'https://127.0.0.1/', 'https://2130706433/', 'https://0x7f.1/', 'https://0177.0.0.1/', 'https://10.1.2.3/',
    'https://172.16.0.1/', 'https://192.168.1.1/', 'https://169.254.169.254/latest/meta-data', 'https://100.64.0.1/', 'https://0.0.0.0/', 'https://[::1]/', 'https://[::]/', 'https://[::ffff:127.0.0.1]/',
    'https://[::ffff:7f00:1]/', 'https://[fd00::1]/', 'https://[fe80::1]/', 'https://[64:ff9b::7f00:1]/', 'https://[2002:7f00:1::]/',
  ]) it(`is not ${url}`, () => expect(refused(url)).to.equal('invalid_request'));
  it('may be private and plain in the sandbox, but still without credentials', () => {
    const sandbox = { ...strict, allowPrivate: true };
    expect(refused('http://127.0.0.1:4204/ok', sandbox)).to.equal('taken');
    expect(refused('http://a:b@127.0.0.1:4204/ok', sandbox)).to.equal('invalid_request');
  });
  it('is not private when it is a public one', () => {
    for (const address of ['1.1.1.1', '9.9.9.9', '172.15.255.255', '172.32.0.1', '2606:4700::1', 'fintech.example']) expect(isPrivateAddress(address), address).to.equal(false);
  });
});

describe('attempts', () => {
  const now = new Date('2026-01-05T09:30:00.000Z');
  const waits = (random: number) => Array.from({ length: 9 }, (_, n) => nextAttempt(n + 1, now, random)).map((at) => at && (at.getTime() - now.getTime()) / 1000);
  it('come again after the pauses the contract promises, and end after the ninth', () =>
    expect(waits(0)).to.deep.equal([5, 30, 120, 600, 3600, 10_800, 28_800, 86_400, undefined]));
  it('come at most a fifth later', () => fc.assert(fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (random) => {
    waits(random).forEach((wait, n) => { if (wait !== undefined) expect(wait).to.be.within(waits(0)[n]!, waits(0)[n]! * 1.2); });
  })));
  it('count when they are answered with 2xx only', () => {
    for (const status of [200, 204, 299]) expect(judge({ status })).to.deep.equal({ outcome: 'delivered' });
    for (const status of [400, 404, 429, 500, 503]) expect(judge({ status })).to.deep.equal({ outcome: 'retry', error: 'status' });
    expect(judge({ status: 302 })).to.deep.equal({ outcome: 'retry', error: 'redirect' });
    expect(judge({ status: 410 })).to.deep.equal({ outcome: 'gone' });
    expect(judge({ error: 'timeout' })).to.deep.equal({ outcome: 'retry', error: 'timeout' });
  });
});

describe('a sealed secret', () => {
  const key = Buffer.alloc(32, 7);
  const secret = newSecret();
  it('opens for its endpoint and its key', () => expect(unseal(seal(secret, 'e-1', key), 'e-1', key)).to.equal(secret));
  it('is sealed differently each time and does not show the secret', () => {
    const [one, two] = [seal(secret, 'e-1', key), seal(secret, 'e-1', key)];
    expect(one.equals(two)).to.equal(false);
    expect(one.toString('latin1')).to.not.contain(secret.slice(6, 20));
  });
  it('does not open for another endpoint, another key, or with one bit changed', () => {
    const sealed = seal(secret, 'e-1', key);
    expect(() => unseal(sealed, 'e-2', key)).to.throw();
    expect(() => unseal(sealed, 'e-1', Buffer.alloc(32, 8))).to.throw();
    for (const at of [0, 5, 20, sealed.length - 1]) {
      const changed = Buffer.from(sealed);
      changed[at]! ^= 1;
      expect(() => unseal(changed, 'e-1', key), `byte ${at}`).to.throw();
    }
  });
});
