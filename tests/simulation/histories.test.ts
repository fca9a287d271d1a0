/** A short run of `npm run test:simulation`, and rules that are wrong, each of which it finds out. */
import { expect } from 'chai';
import { initiate, isFinal, transition, type Happening } from '../../services/payment/src/life.js';
import { playHistory, type Rules } from './history.js';
import { simulate } from './histories.js';

/** `npm run test:simulation` plays 100,000; another seed each time, told when it fails. */
const HISTORIES = 5_000;

describe('Simulated histories of payments', function () {
  this.timeout(60_000);

  it(`keep every invariant, whatever comes late, twice or in another order: ${HISTORIES} histories`, () => {
    expect(simulate({ histories: HISTORIES, seed: Math.floor(Math.random() * 2 ** 31) })).to.equal(undefined);
  });
  it('are the same for the same tape', () => {
    const tape = Array.from({ length: 200 }, (_, i) => (i * 7919) % 65_537);
    expect(playHistory(tape)).to.deep.equal(playHistory(tape));
    expect(playHistory(tape)).to.not.deep.equal(playHistory(tape.map((number) => number + 1)));
  });

  const real: Rules = { initiate, isFinal, transition };
  type Transition = Rules['transition'];
  const wrong = (what: (...given: Parameters<Transition>) => ReturnType<Transition> | undefined): Rules => ({ ...real, transition: (...given) => what(...given) ?? transition(...given) });
  const faults: [string, Rules, RegExp][] = [
    ['cancels what was submitted', wrong((payment, happening, now) => (happening.kind === 'cancel' && payment.status === 'ACCP' ? transition({ ...payment, status: 'RCVD' }, happening, now) : undefined)), /cancelled after it had been submitted/],
    ['goes on without funds', wrong((payment, happening, now) => (happening.kind === 'funds-refused' ? transition(payment, { kind: 'funds-reserved', debtor: { name: 'A', iban: 'B' } }, now) : undefined)), /without funds/],
    ['goes to the rail although the creditor is ours', wrong((payment, happening, now) => (happening.kind === 'funds-reserved' ? transition(payment, { kind: 'funds-reserved', debtor: happening.debtor }, now) : undefined)), /never leaves the bank|at the rail it is/],
    ['settles what was rejected', wrong((payment, happening, now) => (payment.status === 'RJCT' && happening.kind === 'rail-reported' ? transition({ ...payment, status: 'ACSP' }, happening, now) : undefined)), /became|the second time/],
    ['rejects on a guess when the rail is silent', wrong((payment, happening, now) => (happening.kind === 'overdue' && payment.status === 'ACCP' ? transition(payment, { kind: 'rail-reported', status: 'RJCT' }, now) : undefined)), /at the rail it is settled|ended as|stuck|funds are/],
    ['never looks after what is stuck', wrong((payment, happening) => (happening.kind === 'overdue' ? { payment, events: [] } : undefined)), /not at rest/],
    ['leaves the review by itself', wrong((payment, happening, now) => (payment.pendingFor === 'review' && happening.kind === 'overdue' ? transition({ ...payment, pendingFor: undefined }, { kind: 'funds-reserved', debtor: { name: 'A', iban: 'B' } }, now) : undefined)), /waits for review|without funds/],
    ['submits again in other words', wrong((payment, happening, now) => (happening.kind === 'overdue' && payment.status === 'ACCP' ? transition({ ...payment, acceptedAt: now }, happening, now) : undefined)), /with different words/],
    ['tells a settlement and forgets it', wrong((payment, happening: Happening, now) => {
      const next = transition(payment, happening, now);
      return happening.kind === 'rail-reported' && happening.status === 'ACSC' && next.payment !== payment ? { payment: { ...payment, statusReason: undefined, reference: 'x' }, events: next.events } : next;
    }), /the second time|became|does not|told/],
  ];
  for (const [what, rules, breach] of faults) {
    it(`find out a rule that ${what}`, () => {
      expect(simulate({ histories: 3_000, seed: 7, rules })).to.match(breach).and.include('npm run test:simulation -- --seed=7 --path=');
    });
  }
});
