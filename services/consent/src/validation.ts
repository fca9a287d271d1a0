/** "Would this be allowed?", asked by the third party beforehand: the rules of consent-check and of the payment service on one consent. Pure. */
import { compareMoney, parseMoney } from '@kontor/kernel/money';
import type { ProblemCode } from '@kontor/kernel/problem';
import type { BulkTerms } from '@kontor/kernel/events';
import type { Consent, ConsentedPayment } from './consent.js';

export interface Question {
  permission: string;
  accountId?: string;
  /** What the payment would be; only with payments:initiate. */
  payment?: Required<Pick<ConsentedPayment, 'amount' | 'creditor'>> & Pick<ConsentedPayment, 'remittance' | 'requestedExecutionDate'>;
  /** What the bulk would be; only with payments:initiate. */
  bulk?: Pick<BulkTerms, 'transactions' | 'total' | 'digest' | 'requestedExecutionDate'>;
}

export type Verdict = { allowed: true } | { allowed: false; code: ProblemCode; detail: string };

const ENDED: Partial<Record<Consent['status'], ProblemCode>> = {
  revoked: 'consent_revoked', withdrawn: 'consent_withdrawn', expired: 'consent_expired', consumed: 'consent_consumed',
};

/** Answers for `now`; how often a day, and what is left of a periodic limit, only the request itself decides. */
export function judge(consent: Consent, question: Question, now: Date): Verdict {
  const refuse = (code: ProblemCode, detail: string): Verdict => ({ allowed: false, code, detail });
  if (consent.status !== 'authorised') return refuse(ENDED[consent.status] ?? 'consent_not_active', `The consent is ${consent.status.replaceAll('_', ' ')}.`);
  if (consent.validFrom && consent.validFrom > now) return refuse('consent_not_active', `The consent is valid from ${consent.validFrom.toISOString()}.`);
  if (!consent.permissions.includes(question.permission)) return refuse('consent_permission_missing', `The customer did not grant ${question.permission}.`);
  if (question.accountId !== undefined && !consent.accounts.includes(question.accountId)) return refuse('consent_account_not_covered', 'The consent does not cover this account.');
  if (question.payment) return judgePayment(consent, question.payment);
  return question.bulk ? judgeBulk(consent, question.bulk) : { allowed: true };
}

const differs = (name: string): Verdict => ({ allowed: false, code: 'consent_permission_missing', detail: `${name} differs from what the customer authorised.` });

function judgeBulk({ bulk }: Consent, wanted: NonNullable<Question['bulk']>): Verdict {
  if (!bulk) return { allowed: false, code: 'consent_permission_missing', detail: 'This consent allows no bulk of payments.' };
  if (wanted.transactions !== bulk.transactions) return differs('transactions');
  const [total, agreed] = [parseMoney(wanted.total), parseMoney(bulk.total)];
  if (total.currency !== agreed.currency || compareMoney(total, agreed) !== 0) return differs('total');
  if (bulk.digest !== undefined && wanted.digest !== bulk.digest) return differs('digest');
  if (bulk.requestedExecutionDate !== undefined && wanted.requestedExecutionDate !== bulk.requestedExecutionDate) return differs('requestedExecutionDate');
  return { allowed: true };
}

function judgePayment({ payment, recurring }: Consent, wanted: NonNullable<Question['payment']>): Verdict {
  const terms = payment ?? recurring;
  if (!terms) return { allowed: false, code: 'consent_permission_missing', detail: 'This consent allows no single payment.' };
  const amount = parseMoney(wanted.amount);
  const most = parseMoney(payment?.amount ?? recurring!.maximumPerPayment);
  if (amount.currency !== most.currency || (payment && compareMoney(amount, most) !== 0)) return differs('amount');
  if (compareMoney(amount, most) > 0) return { allowed: false, code: 'consent_limit_exceeded', detail: 'amount is over maximumPerPayment.' };
  if (wanted.creditor.iban !== terms.creditor.iban || wanted.creditor.name !== terms.creditor.name) return differs('creditor');
  if (terms.remittance !== undefined && wanted.remittance !== terms.remittance) return differs('remittance');
  if (payment?.requestedExecutionDate !== undefined && wanted.requestedExecutionDate !== payment.requestedExecutionDate) return differs('requestedExecutionDate');
  return { allowed: true };
}
