import { expect } from 'chai';
import { newId } from '@kontor/kernel/ids';
import { Problem } from '@kontor/kernel/problem';
import { change, close, eventOf, expectVersion, register, takeIn, type Customer, type KycOutcome } from '../src/customer.js';

const NOW = new Date('2026-03-01T10:00:00.000Z');
const LATER = new Date('2026-03-02T10:00:00.000Z');
const CONTEXT = { correlationId: 'c-1', traceparent: '', clientId: 'app-1' };

const WANTED = {
  name: { given: 'Ada', family: 'Sandbox' }, birthDate: '1990-12-10', nationality: 'DE', residence: 'AT', contact: { email: 'ada@sandbox.example' },
};

function aCustomer(part: Partial<Customer> = {}): Customer {
  return { ...register(WANTED, { id: newId(), clientId: 'app-1', now: NOW }), ...part };
}

function refusal(call: () => unknown): Problem {
  try {
    call();
  } catch (fault) {
    if (fault instanceof Problem) return fault;
    throw fault;
  }
  throw new Error('it was not refused');
}

describe('Rules of customers', () => {
  describe('registration', () => {
    it('makes a pending customer of version 1', () => {
      expect(aCustomer()).to.include({ status: 'pending', version: 1, clientId: 'app-1' });
    });

    it('takes a customer on the day of the sixteenth birthday, and refuses the day before', () => {
      expect(register({ ...WANTED, birthDate: '2010-03-01' }, { id: newId(), clientId: 'a', now: NOW }).birthDate).to.equal('2010-03-01');
      expect(refusal(() => register({ ...WANTED, birthDate: '2010-03-02' }, { id: newId(), clientId: 'a', now: NOW })).code).to.equal('invalid_request');
    });

    for (const [birthDate, why] of [['2027-01-01', 'in the future'], ['1890-01-01', 'too long ago'], ['1990-02-30', 'not in the calendar'], ['1990-13-01', 'without such a month']])
      it(`refuses a birth date ${why}`, () => {
        const refused = refusal(() => register({ ...WANTED, birthDate: birthDate! }, { id: newId(), clientId: 'a', now: NOW }));
        expect(refused.extensions.errors).to.have.nested.property('[0].path', '/body/birthDate');
      });

    for (const country of ['ZZ', 'EU', 'DEU', 'de'])
      it(`refuses ${country}, which is no ISO 3166-1 alpha-2 code`, () => {
        expect(refusal(() => register({ ...WANTED, nationality: country }, { id: newId(), clientId: 'a', now: NOW })).code).to.equal('invalid_request');
      });

    for (const [what, family] of [['blanks', '   '], ['digits', '1234'], ['markup', '<b>Ada</b>'], ['a direction override', 'Ada\u202e'], ['a line break', 'Ada\u0000']])
      it(`refuses ${what} as a name`, () => {
        expect(refusal(() => register({ ...WANTED, name: { given: 'Ada', family: family! } }, { id: newId(), clientId: 'a', now: NOW })).code).to.equal('invalid_request');
      });

    it('keeps names of any script, composed and without doubled blanks', () => {
      const { name } = register({ ...WANTED, name: { given: ' Zoe\u0308  Anne ', family: '김' } }, { id: newId(), clientId: 'a', now: NOW });
      expect(name).to.deep.equal({ given: 'Zo\u00eb Anne', family: '김' });
    });
  });

  describe('changes', () => {
    it('name what changed, and tell the identity when it changed', () => {
      const before = aCustomer();
      const after = change(before, { residence: 'FR' }, LATER);
      expect(after).to.include({ version: 2, residence: 'FR' });
      expect(eventOf(before, after, CONTEXT)?.data).to.deep.include({ changed: ['residence'], residence: 'FR', birthDate: '1990-12-10' });
    });

    it('tell no personal data when only the contact changed', () => {
      const before = aCustomer();
      const data = eventOf(before, change(before, { contact: { email: 'new@sandbox.example' } }, LATER), CONTEXT)?.data;
      expect(data).to.deep.equal({ customerId: before.id, clientId: 'app-1', changed: ['contact'] });
    });

    it('that change nothing leave the version', () => {
      const customer = aCustomer();
      expect(change(customer, { contact: { email: 'ada@sandbox.example' } }, LATER)).to.equal(customer);
    });

    for (const status of ['closed', 'rejected'] as const)
      it(`are refused when the customer is ${status}`, () => {
        expect(refusal(() => change(aCustomer({ status }), { residence: 'FR' }, LATER)).code).to.equal('invalid_state');
      });

    it('are refused on a stale version', () => {
      const customer = aCustomer({ version: 3 });
      expect(() => expectVersion(customer, '"3"')).not.to.throw();
      expect(() => expectVersion(customer, undefined)).not.to.throw();
      expect(refusal(() => expectVersion(customer, '"2"')).code).to.equal('precondition_failed');
    });
  });

  describe('closing', () => {
    it('ends an active relationship', () => {
      const before = aCustomer({ status: 'active' });
      const after = close(before, LATER);
      expect(after.status).to.equal('closed');
      expect(eventOf(before, after, CONTEXT)?.type).to.equal('customer.closed');
    });

    for (const status of ['pending', 'under_review', 'rejected', 'closed'] as const)
      it(`is refused while the customer is ${status}`, () => {
        expect(refusal(() => close(aCustomer({ status }), LATER)).code).to.equal('invalid_state');
      });
  });

  describe('know-your-customer outcomes', () => {
    const older = '019abc00-0000-7000-8000-000000000001';
    const newer = '019abc00-0000-7000-8000-000000000002';

    for (const [outcome, status, event] of [
      ['approved', 'active', 'customer.activated'], ['review', 'under_review', 'customer.placed-under-review'], ['rejected', 'rejected', 'customer.rejected'],
    ] as const)
      it(`${outcome} makes the customer ${status} and tells ${event}`, () => {
        const before = aCustomer();
        const after = takeIn(before, older, outcome, LATER);
        expect(after.status).to.equal(status);
        expect(eventOf(before, after, CONTEXT)?.type).to.equal(event);
      });

    it('arrive in any order and as often as they like: the newest case and its decision stand', () => {
      const told: [string, KycOutcome][] = [[older, 'review'], [older, 'approved'], [newer, 'review'], [newer, 'rejected']];
      for (const order of permutations([...told, ...told.slice(0, 2)])) {
        const end = order.reduce((customer, [caseId, outcome]) => takeIn(customer, caseId, outcome, LATER), aCustomer());
        expect(end.status, JSON.stringify(order)).to.equal('rejected');
      }
    });

    it('do not bring a closed customer back', () => {
      const closed = aCustomer({ status: 'closed' });
      expect(takeIn(closed, newer, 'approved', LATER)).to.equal(closed);
    });

    it('of a renewed approval raise the version but tell nothing twice', () => {
      const active = takeIn(aCustomer(), older, 'approved', LATER);
      expect(eventOf(active, takeIn(active, newer, 'approved', LATER), CONTEXT)).to.equal(undefined);
    });
  });
});

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((item, i) => permutations([...items.slice(0, i), ...items.slice(i + 1)]).map((rest) => [item, ...rest]));
}
