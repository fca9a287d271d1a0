/** The back office's words for the codes of consents, and how it shows times and money. */
import type { ConsentChange, Money } from './office.js';

const WORDS: Record<string, string> = {
  awaiting_authorisation: 'waiting for the customer', partially_authorised: 'waiting for the other holders', authorised: 'in force', rejected: 'rejected', consumed: 'used',
  revoked: 'revoked', withdrawn: 'withdrawn', expired: 'expired',
  'account-access': 'Account access', payment: 'Payment', 'variable-recurring': 'Recurring payments', 'bulk-payment': 'Bulk of payments', 'funds-confirmation': 'Funds confirmation',
  customer_request: 'The customer asked for it', fraud_suspected: 'Fraud is suspected', legal_order: 'A court or an authority ordered it', data_corrected: 'The consent was recorded wrongly', other: 'Another reason',
  'accounts:read': 'account details', 'balances:read': 'balances', 'transactions:read': 'transactions', 'beneficiaries:read': 'payees', 'payments:initiate': 'initiating payments', 'funds:confirm': 'asking whether funds are there',
  by_customer: 'by the customer', by_third_party: 'by the third party', by_bank: 'by the bank', abandoned: 'no decision in time', too_many_attempts: 'too many attempts', end_reached: 'its end was reached',
  payment_initiated: 'its payment was initiated', customer_closed: 'the customer left the bank', requested: 'requested', approved: 'approved', approved_by_one: 'approved by one of the holders',
  amended: 'terms changed', reauthenticated: 'the customer proved again who he is',
  create: 'asked for', approve_in_part: 'approved in part', approve: 'approved', ask_amendment: 'change asked for', drop_amendment: 'change dropped', amend: 'changed', reject: 'rejected', abandon: 'abandoned',
  consume: 'used', revoke: 'revoked', withdraw: 'withdrawn', expire: 'ended',
};

/** The words for a code; the code itself where there are none. */
export const wordsFor = (code: string): string => WORDS[code] ?? code.replaceAll('_', ' ');

/** `2026-11-22 10:00 UTC` */
export const timeInWords = (iso: string): string => `${iso.slice(0, 16).replace('T', ' ')} UTC`;

export const moneyInWords = ({ amount, currency }: Money): string => `${amount} ${currency}`;

/**
 * Who changed a consent. A member of the staff stands in the history as `<client id>/<member's id>`.
 * @param usernames of the staff, by id
 */
export function actorInWords({ actor, actorId = '' }: Pick<ConsentChange, 'actor' | 'actorId'>, usernames: ReadonlyMap<string, string>): string {
  const member = actor === 'bank' ? memberIdOf({ actorId }) : undefined;
  if (member) return `bank, ${usernames.get(member) ?? member}`;
  return { customer: 'customer', third_party: 'application', bank: 'bank', system: 'Kontor' }[actor];
}

export const memberIdOf = ({ actorId }: Pick<ConsentChange, 'actorId'>): string | undefined => actorId?.split('/')[1];
