import { newEvent, type Event, type EventData, type RecurringTerms } from '@kontor/kernel/events';
import { newId } from '@kontor/kernel/ids';
import type { TestService } from '@kontor/testing/service';

const CONTEXT = { correlationId: 'test', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', clientId: 'fintech-a' };

/** What a customer is asked for in the tests. */
export interface Authorisation {
  consentId: string;
  clientId: string;
  customerId: string;
  debtorAccountId: string;
  payment: { amount: { amount: string; currency: string }; creditor: { name: string; iban: string }; remittance?: string; requestedExecutionDate?: string };
  expiresAt?: string;
}

export function authorisation(named: Partial<Authorisation> = {}): Authorisation {
  return {
    consentId: newId(), clientId: 'fintech-a', customerId: newId(), debtorAccountId: newId(),
    payment: { amount: { amount: '12.50', currency: 'EUR' }, creditor: { name: 'Fictional Books Ltd', iban: 'DE89370400440532013000' } },
    ...named,
  };
}

export function consentState({ consentId, clientId, customerId, debtorAccountId, payment, expiresAt }: Authorisation): EventData<'consent.authorised'> {
  return { consentId, clientId, customerId, consentType: 'payment', permissions: ['payments:initiate'], accounts: [debtorAccountId], payment: { ...payment, debtorAccountId }, ...(expiresAt === undefined ? {} : { expiresAt }) };
}

/** Terms of a variable recurring consent in the tests: 100.00 EUR a payment, 250.00 EUR a calendar month, for a hundred years. */
export const recurringTerms = (named: Partial<RecurringTerms> = {}): RecurringTerms => ({
  maximumPerPayment: { amount: '100.00', currency: 'EUR' }, creditor: { name: 'Fictional Savings Ltd', iban: 'DE89370400440532013000' },
  periodicLimits: [{ maximum: { amount: '250.00', currency: 'EUR' }, period: 'month', alignment: 'calendar' }],
  validFrom: '2021-01-31T00:00:00.000Z', validUntil: '2121-01-31T00:00:00.000Z', ...named,
});

/** A variable recurring consent of the same parties. */
export const recurringState = ({ consentId, clientId, customerId, debtorAccountId }: Authorisation, named: Partial<EventData<'consent.authorised'>> = {}): EventData<'consent.authorised'> => ({
  consentId, clientId, customerId, consentType: 'variable-recurring', permissions: ['payments:initiate'], accounts: [debtorAccountId], version: 2, recurring: recurringTerms(), ...named,
});

/** News about a consent, as the consent service tells it. */
export const consentNews = <T extends 'consent.authorised' | 'consent.amended' | 'consent.withdrawn' | 'consent.revoked'>(type: T, data: EventData<T>): Event<T> =>
  newEvent(type, { subject: data.consentId, data, context: CONTEXT, source: 'consent' });

export const authorised = (given: Authorisation): Event<'consent.authorised'> =>
  newEvent('consent.authorised', { subject: given.consentId, data: consentState(given), context: CONTEXT, source: 'consent' });

export const ended = (given: Authorisation, how: 'revoked' | 'withdrawn' | 'expired'): Event =>
  newEvent(`consent.${how}`, { subject: given.consentId, data: consentState(given), context: CONTEXT, source: 'consent' });

export const reserved = (paymentId: string, accountId: string): Event<'funds.reserved'> =>
  newEvent('funds.reserved', {
    subject: paymentId, source: 'account', context: CONTEXT,
    data: { paymentId, accountId, holdId: newId(), debtor: { name: 'Fictional Payer', iban: 'NL91ABNA0417164300' } },
  });

export const refused = (paymentId: string, accountId: string, reason: string): Event<'funds.refused'> =>
  newEvent('funds.refused', { subject: paymentId, source: 'account', context: CONTEXT, data: { paymentId, accountId, reason } });

export const reported = (paymentId: string, status: 'ACTC' | 'ACSP' | 'ACSC' | 'ACCC' | 'RJCT', reason?: string): Event<'rail.payment-status-reported'> =>
  newEvent('rail.payment-status-reported', {
    subject: paymentId, source: 'payment-rail', context: CONTEXT,
    data: { paymentId, status, railReference: newId(), ...(reason === undefined ? {} : { reason }) },
  });

/** The gateway's word about the consent, for the token of a call. */
export function caller(given: Authorisation) {
  return {
    clientId: given.clientId,
    consent: { id: given.consentId, version: 2, permissions: ['payments:initiate'], accounts: [given.debtorAccountId], customerId: given.customerId },
  };
}

/** The body that orders what was authorised. */
export function order(given: Authorisation): Record<string, unknown> {
  return { debtorAccountId: given.debtorAccountId, ...given.payment };
}

/** Orders over HTTP. */
export function initiate(service: TestService, given: Authorisation, options: { key?: string; body?: unknown } = {}) {
  return service.request('POST', '/v1/payments', {
    op: 'initiatePayment', caller: caller(given), headers: { 'idempotency-key': options.key ?? newId() }, body: options.body ?? order(given),
  });
}
