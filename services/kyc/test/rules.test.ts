import { expect } from 'chai';
import { newId } from '@kontor/kernel/ids';
import { Problem } from '@kontor/kernel/problem';
import { conclude, decide, eventOf, mayRequest, open, supersede, type Applicant, type CheckResult, type KycCase, type KycStatus } from '../src/kyc.js';

const NOW = new Date('2026-03-01T10:00:00.000Z');
const LATER = new Date('2026-03-01T10:00:05.000Z');
const CONTEXT = { correlationId: 'c-1', traceparent: '', clientId: 'app-1' };
const APPLICANT: Applicant = {
  customerId: newId(), clientId: 'app-1', name: { given: 'Ada', family: 'Sandbox' }, birthDate: '1990-12-10', nationality: 'DE', residence: 'DE', gone: false,
};
const STATES: readonly KycStatus[] = ['checking', 'review', 'approved', 'rejected', 'superseded'];

function aCase(part: Partial<KycCase> = {}): KycCase {
  return { ...open(APPLICANT, 'registered', { id: newId(), now: NOW }), ...part };
}

function result(identity: CheckResult['identity'], screening: CheckResult['screening']): CheckResult {
  return { identity, screening, matches: screening === 'clear' ? [] : [{ list: 'l', entryId: '1', score: 0.9 }], providerReference: 'SIM-1' };
}

function refusal(call: () => unknown): string {
  try {
    call();
  } catch (fault) {
    if (fault instanceof Problem) return fault.code;
    throw fault;
  }
  return 'not refused';
}

describe('Rules of know-your-customer cases', () => {
  for (const [identity, screening, status, reasons] of [
    ['verified', 'clear', 'approved', []],
    ['verified', 'potential-match', 'review', ['sanctions_potential_match']],
    ['refer', 'clear', 'review', ['identity_unclear']],
    ['refer', 'potential-match', 'review', ['identity_unclear', 'sanctions_potential_match']],
    ['failed', 'clear', 'rejected', ['identity_failed']],
    ['failed', 'potential-match', 'rejected', ['identity_failed', 'sanctions_potential_match']],
  ] as const)
    it(`identity ${identity} and screening ${screening}: ${status}`, () => {
      const concluded = conclude(aCase(), result(identity, screening), LATER);
      expect(concluded).to.deep.include({ status, reasons });
      expect(concluded.decidedAt).to.equal(status === 'review' ? undefined : LATER);
    });

  for (const status of STATES.filter((state) => state !== 'checking'))
    it(`checks that come back for a case that is ${status} change nothing`, () => {
      const found = aCase({ status });
      expect(conclude(found, result('failed', 'clear'), LATER)).to.equal(found);
    });

  for (const status of STATES.filter((state) => state !== 'review'))
    it(`an officer cannot decide a case that is ${status}`, () => {
      expect(refusal(() => decide(aCase({ status }), { decision: 'approve', reason: 'seen', by: 'officer' }, LATER))).to.equal('invalid_state');
    });

  it('an officer approves or rejects from review, and the event says who and why', () => {
    const review = aCase({ status: 'review', reasons: ['identity_unclear'] });
    const approved = decide(review, { decision: 'approve', reason: ' seen the passport ', by: 'officer' }, LATER);
    expect(approved).to.deep.include({ status: 'approved', decision: { by: 'officer', reason: 'seen the passport' } });
    expect(eventOf(approved, APPLICANT, CONTEXT)).to.deep.include({ type: 'kyc.approved' });
    expect(eventOf(approved, APPLICANT, CONTEXT)?.data).to.deep.include({ decidedBy: 'officer', decisionReason: 'seen the passport' });
    const rejected = decide(review, { decision: 'reject', reason: 'same person', by: 'officer' }, LATER);
    expect(rejected.reasons).to.deep.equal(['identity_unclear', 'officer_decision']);
  });

  it('the same decision by the same officer is answered again, another one refused', () => {
    const decided = decide(aCase({ status: 'review' }), { decision: 'approve', reason: 'seen', by: 'officer' }, LATER);
    expect(decide(decided, { decision: 'approve', reason: 'seen', by: 'officer' }, LATER)).to.equal(decided);
    expect(refusal(() => decide(decided, { decision: 'reject', reason: 'seen', by: 'officer' }, LATER))).to.equal('invalid_state');
    expect(refusal(() => decide(decided, { decision: 'approve', reason: 'seen', by: 'another' }, LATER))).to.equal('invalid_state');
  });

  it('a new check is refused while one is open and for a customer who left', () => {
    expect(refusal(() => mayRequest(APPLICANT, aCase({ status: 'checking' })))).to.equal('conflict');
    expect(refusal(() => mayRequest(APPLICANT, aCase({ status: 'review' })))).to.equal('conflict');
    expect(refusal(() => mayRequest({ ...APPLICANT, gone: true }, undefined))).to.equal('customer_not_active');
    expect(refusal(() => mayRequest(APPLICANT, aCase({ status: 'rejected' })))).to.equal('not refused');
  });

  it('only an open case is superseded, and nobody is told', () => {
    const decided = aCase({ status: 'approved' });
    expect(supersede(decided, LATER)).to.equal(decided);
    const superseded = supersede(aCase({ status: 'review' }), LATER);
    expect(superseded.status).to.equal('superseded');
    expect(eventOf(superseded, APPLICANT, CONTEXT)).to.equal(undefined);
  });
});
