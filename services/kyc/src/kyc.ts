/** The rules of know-your-customer cases: what opens one, what the checks mean, what an officer may decide. */
import { newEvent, type Event, type EventContext, type EventData } from '@kontor/kernel/events';
import { problem } from '@kontor/kernel/problem';

export type KycStatus = 'checking' | 'review' | 'approved' | 'rejected' | 'superseded';
export type KycCause = 'registered' | 'identity_changed' | 'requested';
export type KycReason = 'identity_failed' | 'identity_unclear' | 'sanctions_potential_match' | 'officer_decision';

/** The customer a case is about. Dates `YYYY-MM-DD`, countries ISO 3166-1 alpha-2. */
export interface Applicant {
  customerId: string;
  /** The client that registered the customer. */
  clientId: string;
  name: { given: string; family: string };
  birthDate: string;
  nationality: string;
  residence: string;
  /** The customer has left the bank. */
  gone: boolean;
}

/** What the provider and the screening found. */
export type CheckResult = Pick<EventData<'kyc.check-completed'>, 'identity' | 'screening' | 'matches' | 'providerReference'>;

export interface KycCase {
  id: string;
  customerId: string;
  clientId: string;
  status: KycStatus;
  cause: KycCause;
  result?: CheckResult & { checkedAt: Date };
  reasons: KycReason[];
  decision?: { by: string; reason: string };
  openedAt: Date;
  updatedAt: Date;
  decidedAt?: Date;
}

/** What the rules need kept: repository.ts keeps it in PostgreSQL. */
export interface KycCases {
  applicant(customerId: string): Promise<Applicant | undefined>;
  latest(customerId: string): Promise<KycCase | undefined>;
}

export function isOpen(kycCase: KycCase): boolean {
  return kycCase.status === 'checking' || kycCase.status === 'review';
}

/** A new case; its checks are asked for by `eventOf`. */
export function open(applicant: Applicant, cause: KycCause, given: { id: string; now: Date }): KycCase {
  return {
    id: given.id, customerId: applicant.customerId, clientId: applicant.clientId, status: 'checking', cause, reasons: [],
    openedAt: given.now, updatedAt: given.now,
  };
}

/** Whether a client may ask for another check. @throws Problem customer_not_active, conflict */
export function mayRequest(applicant: Applicant, latest: KycCase | undefined): void {
  if (applicant.gone) throw problem('customer_not_active', 'The customer has left the bank.');
  if (latest && isOpen(latest)) throw problem('conflict', `A case is open already; it is in state ${latest.status}.`);
}

/**
 * What the checks mean: a failed identity is rejected whatever the screening says; a potential match or an unclear
 * identity needs a person; only verified and clear is approved. A case no longer in `checking` stays as it is.
 */
export function conclude(kycCase: KycCase, result: CheckResult, now: Date): KycCase {
  if (kycCase.status !== 'checking') return kycCase;
  const reasons: KycReason[] = [];
  if (result.identity === 'failed') reasons.push('identity_failed');
  if (result.identity === 'refer') reasons.push('identity_unclear');
  if (result.screening === 'potential-match') reasons.push('sanctions_potential_match');
  const status: KycStatus = result.identity === 'failed' ? 'rejected' : reasons.length > 0 ? 'review' : 'approved';
  return {
    ...kycCase, status, reasons, result: { ...result, checkedAt: now }, updatedAt: now, ...(status === 'review' ? {} : { decidedAt: now }),
  };
}

/**
 * An officer's decision. Only from review; the same decision again is answered, not made again.
 * @throws Problem invalid_state
 */
export function decide(kycCase: KycCase, decision: { decision: 'approve' | 'reject'; reason: string; by: string }, now: Date): KycCase {
  const status: KycStatus = decision.decision === 'approve' ? 'approved' : 'rejected';
  const reason = decision.reason.trim();
  if (kycCase.status === status && kycCase.decision?.reason === reason && kycCase.decision.by === decision.by) return kycCase;
  if (kycCase.status !== 'review') throw problem('invalid_state', `Only a case in review can be decided; this one is ${kycCase.status}.`);
  const reasons: KycReason[] = status === 'rejected' ? [...kycCase.reasons, 'officer_decision'] : kycCase.reasons;
  return { ...kycCase, status, reasons, decision: { by: decision.by, reason }, updatedAt: now, decidedAt: now };
}

/** Ends an open case without a decision: its customer changed or left. */
export function supersede(kycCase: KycCase, now: Date): KycCase {
  return isOpen(kycCase) ? { ...kycCase, status: 'superseded', updatedAt: now } : kycCase;
}

const SOURCE = 'kyc';

/** The event that tells the state a case has reached; undefined for states nobody else needs to know. */
export function eventOf(kycCase: KycCase, applicant: Applicant, context: EventContext): Event | undefined {
  const { id: caseId, customerId, clientId, reasons } = kycCase;
  const about = { caseId, customerId, clientId };
  const told = { subject: caseId, context, source: SOURCE, now: kycCase.updatedAt };
  const decision = kycCase.decision ? { decidedBy: kycCase.decision.by, decisionReason: kycCase.decision.reason } : {};
  switch (kycCase.status) {
    case 'checking': {
      const { name, birthDate, nationality, residence } = applicant;
      return newEvent('kyc.check-requested', { ...told, data: { ...about, name, birthDate, nationality, residence } });
    }
    case 'review':
      return newEvent('kyc.review-required', { ...told, data: { ...about, reasons } });
    case 'approved':
      return newEvent('kyc.approved', { ...told, data: { ...about, ...decision } });
    case 'rejected':
      return newEvent('kyc.rejected', { ...told, data: { ...about, reasons, ...decision } });
    case 'superseded':
      return undefined;
  }
}
