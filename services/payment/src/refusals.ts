/** Every way an order can be refused, as the caller reads it. */
import { formatMoney } from '@kontor/kernel/money';
import { problem, type Problem } from '@kontor/kernel/problem';
import { limitSentence, type BrokenBankLimit, type BrokenLimit, type InitiationOutcome, type Refusal } from './payment.js';

/** A new outcome does not compile until it has its problem. */
const REFUSALS: Record<Refusal | 'mismatch' | 'in_flight', () => Problem> = {
  mismatch: () => problem('idempotency_mismatch', 'Use a new Idempotency-Key for a new payment.'),
  in_flight: () => problem('idempotency_in_flight', 'Repeat the request unchanged in a moment.').with({ 'Retry-After': '1' }),
  consent_unknown: () => problem('unavailable', 'The news of this authorisation is still on its way. Repeat the request unchanged.').with({ 'Retry-After': '1' }),
  consent_revoked: () => problem('consent_revoked'),
  consent_withdrawn: () => problem('consent_withdrawn'),
  consent_expired: () => problem('consent_expired'),
  consent_not_begun: () => problem('consent_not_active', 'The time the customer gave the consent for has not begun.'),
  consent_consumed: () => problem('consent_consumed', 'A payment consent is good for one payment. Ask the customer for a new one.'),
  consent_of_another: () => problem('consent_not_active', 'The consent was given to another application.'),
  account_differs: () => problem('consent_account_not_covered', 'debtorAccountId is not the account the customer chose.'),
  amount_differs: () => problem('consent_permission_missing', 'amount differs from what the customer authorised.'),
  currency_differs: () => problem('consent_permission_missing', 'The currency differs from what the customer authorised.'),
  creditor_differs: () => problem('consent_permission_missing', 'creditor differs from what the customer authorised.'),
  remittance_differs: () => problem('consent_permission_missing', 'remittance differs from what the customer authorised.'),
  date_differs: () => problem('consent_permission_missing', 'requestedExecutionDate differs from what the customer authorised.'),
  date_past: () => problem('unprocessable', 'requestedExecutionDate is over (dates are UTC).'),
  date_ahead: () => problem('unprocessable', 'requestedExecutionDate may be at most a year ahead.'),
  not_recurring: () => problem('consent_permission_missing', 'Standing orders need a variable recurring consent; this one is for one payment.'),
  date_beyond_consent: () => problem('unprocessable', 'requestedExecutionDate lies beyond the end of the consent.'),
};

/** 403 with the limit in words and, for programs, in members of the problem. */
function limitExceeded(broken: BrokenLimit): Problem {
  const { limit, maximum, left, nextPeriodAt } = broken;
  return problem('consent_limit_exceeded', limitSentence(broken), {
    limit, maximum: formatMoney(maximum), left: formatMoney(left), ...(nextPeriodAt ? { nextPeriodAt: nextPeriodAt.toISOString() } : {}),
  });
}

/** 403 with what is left of the day. */
function bankLimitExceeded({ limit, maximum, left, nextAt }: BrokenBankLimit): Problem {
  const then = { limit, nextAt: nextAt.toISOString() };
  if (typeof maximum === 'number' || typeof left === 'number')
    return problem('payment_limit_exceeded', `At most ${maximum} payments a day are made from one account; the next day begins at ${then.nextAt}.`, { ...then, maximumPayments: maximum, paymentsLeft: left });
  const [most, rest] = [formatMoney(maximum), formatMoney(left)];
  return problem('payment_limit_exceeded', `At most ${most.amount} ${most.currency} a day are paid from one account; ${rest.amount} ${rest.currency} is left, and the next day begins at ${then.nextAt}.`,
    { ...then, maximum: most, left: rest });
}

function duplicate(paymentId: string): Problem {
  return problem('duplicate_payment', `Payment ${paymentId} ordered the same a moment ago. Mean both? Say allowDuplicate: true.`, { paymentId });
}

/** The problem of an outcome that is none of success. */
export function refusal(answer: Exclude<InitiationOutcome, { outcome: 'created' | 'replay' }>): Problem {
  switch (answer.outcome) {
    case 'limit_exceeded': return limitExceeded(answer.broken);
    case 'bank_limit_exceeded': return bankLimitExceeded(answer.broken);
    case 'duplicate': return duplicate(answer.paymentId);
    default: return REFUSALS[answer.outcome]();
  }
}
