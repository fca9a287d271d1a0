import { expect } from 'chai';
import { parseMoney } from '@kontor/kernel/money';
import { Problem } from '@kontor/kernel/problem';
import { assess, combined, isAssessed, releaseBy, verdictOn, type Facts, type FraudRules } from '../src/review.js';

const RULES: FraudRules = { timeZone: 'Europe/Berlin', largeAmount: 10_000, freeBelow: 30, reviewFrom: 75, refuseFrom: 100 };
const NOON = new Date('2026-03-04T11:00:00Z');
const NIGHT = new Date('2026-03-04T01:30:00Z');
const USUAL: Facts = { knownCreditor: true, settled: 20, largestMinor: 50_000n, creditorsInHour: 1, accountOpenedAt: new Date('2020-01-01T00:00:00Z') };

const order = (amount: string, createdAt = NOON, currency = 'EUR') => ({ amount: parseMoney({ amount, currency }), createdAt });
const verdict = (amount: string, facts: Partial<Facts>, at = NOON): string => verdictOn(assess(order(amount, at), { ...USUAL, ...facts }, RULES), RULES);

describe('the fraud check by rules', () => {
  it('lets usual payments pass: known creditors, new creditors, at night, from young accounts', () => {
    expect(assess(order('120.00'), USUAL, RULES)).to.deep.equal({ score: 0, reasons: [] });
    const young = { knownCreditor: false, settled: 0, creditorsInHour: 12, accountOpenedAt: NIGHT };
    expect(verdict('500.00', young, NIGHT), 'without unusual money no suspicion is enough').to.equal('pass');
    expect(verdict('12000.00', { largestMinor: 900_000n }), 'nor is the money alone').to.equal('pass');
  });

  it('holds unusual money that goes an unusual way', () => {
    expect(verdict('12000.00', { knownCreditor: false, settled: 0, accountOpenedAt: new Date(NOON.getTime() - 1) })).to.equal('hold');
    expect(verdict('2500.01', { knownCreditor: false, creditorsInHour: 10 })).to.equal('hold');
    expect(verdict('12000.00', {}, NIGHT), 'large, and far over the usual').to.equal('hold');
  });

  it('refuses where nearly everything speaks against it', () => {
    expect(verdict('12000.00', { knownCreditor: false }, NIGHT)).to.equal('refuse');
  });

  it('says by which rules, and never more than 100', () => {
    const { score, reasons } = assess(order('99000.00', NIGHT), { ...USUAL, knownCreditor: false, creditorsInHour: 50, accountOpenedAt: NIGHT }, RULES);
    expect(score).to.equal(100);
    expect(reasons).to.deep.equal(['large-amount', 'far-over-the-usual', 'many-creditors-in-an-hour', 'new-creditor', 'just-opened-account', 'night']);
  });

  it('knows no usual amount before three payments have settled', () => {
    expect(assess(order('9000.00'), { ...USUAL, settled: 2, largestMinor: 100n }, RULES).score).to.equal(0);
  });

  it('assesses from the smallest amount worth it, in the decimals of each currency', () => {
    for (const [amount, currency, is] of [['29.99', 'EUR', false], ['30.00', 'EUR', true], ['29', 'JPY', false], ['30', 'JPY', true], ['29.999', 'BHD', false]] as const)
      expect(isAssessed(order(amount, NOON, currency), RULES), `${amount} ${currency}`).to.equal(is);
  });

  it('goes by the heavier of two opinions and keeps the reasons of both', () => {
    expect(combined({ score: 20, reasons: ['new-creditor'] }, { score: 80, reasons: ['known-mule', 'new-creditor'] })).to.deep.equal({ score: 80, reasons: ['new-creditor', 'known-mule'] });
  });

  it('takes two members of the staff to release', () => {
    expect(releaseBy({}, 'office/anna')).to.equal('propose');
    expect(releaseBy({ proposedBy: 'office/anna' }, 'office/bert')).to.equal('release');
    expect(() => releaseBy({ proposedBy: 'office/anna' }, 'office/anna')).to.throw(Problem).with.property('code', 'four_eyes_required');
  });
});
