import { expect } from 'chai';
import { checkAnswer, judgeFault } from '../src/core-banking.js';

const order = { requestId: 'r-1', customerReference: 'c-1', product: 'current' as const, currency: 'EUR' };
const answer = { RequestId: 'r-1', Iban: 'DE78997000010000000017', CoreReference: 'CORE-17' };

describe('judging a fault of the core', () => {
  it('a fault of the request is a refusal with its code as the reason', () =>
    expect(judgeFault({ side: 'Client', code: 'CURRENCY_NOT_SUPPORTED', retryable: false })).to.deep.equal({ verdict: 'refuse', reason: 'currency-not-supported' }));
  it('what the core calls passing is tried again, whoever is to blame', () => {
    expect(judgeFault({ side: 'Server', code: 'BUSY', retryable: true }).verdict).to.equal('retry');
    expect(judgeFault({ side: 'Client', code: 'LOCKED', retryable: true }).verdict).to.equal('retry');
  });
  it('a fault of the core that does not say it passes needs a person', () =>
    expect(judgeFault({ side: 'Server', code: 'INTERNAL_ERROR', retryable: false }).verdict).to.equal('escalate'));
  it('a refusal without a usable code is not taken for one', () => {
    expect(judgeFault({ side: 'Client' }).verdict).to.equal('escalate');
    expect(judgeFault({ side: 'Client', code: '<script>' }).verdict).to.equal('escalate');
  });
});

describe('checking an answer of the core', () => {
  it('an answer to this request with a valid IBAN is booked', () => {
    const valid = { ...answer, Iban: 'NL02ABNA0123456789' };
    expect(checkAnswer(order, valid)).to.deep.equal({ iban: 'NL02ABNA0123456789', coreReference: 'CORE-17' });
  });
  const spoiled: [string, object | null][] = [
    ['an answer to another request', { ...answer, RequestId: 'r-2' }], ['an IBAN with wrong check digits', { ...answer, Iban: 'NL03ABNA0123456789' }],
    ['an answer without an IBAN', { ...answer, Iban: undefined }], ['an answer without a reference', { ...answer, Iban: 'NL02ABNA0123456789', CoreReference: '' }], ['no answer', null],
  ];
  for (const [what, given] of spoiled) it(`${what} is not used`, () => expect(() => checkAnswer(order, given)).to.throw(/the core answered/));
});
