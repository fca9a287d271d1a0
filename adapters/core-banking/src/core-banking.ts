/** Rules of the core-banking adapter: what the platform asks of the legacy core, and what its answers mean. */
import { newEvent, contextOf, type Event } from '@kontor/kernel/events';
import { derivedId } from '@kontor/kernel/ids';
import { isValidIBAN } from 'ibantools';

/** The port: opens an account at the core, once for an account id. @throws CoreRefusal, Transient, or Error for an answer nobody can use */
export interface Core {
  openAccount(order: AccountOrder, correlationId: string): Promise<BookedAccount>;
}

export interface AccountOrder {
  /** The account id; the core answers a repeat of it with the same account. */
  requestId: string;
  customerReference: string;
  product: 'current' | 'savings';
  currency: string;
}

export interface BookedAccount {
  iban: string;
  coreReference: string;
}

/** The core has decided against the request; asking again changes nothing. `reason` is kebab-case. */
export class CoreRefusal extends Error {
  constructor(readonly reason: string) {
    super(`the core refused: ${reason}`);
    this.name = 'CoreRefusal';
  }
}

/** What the core calls our products. */
export const PRODUCT_CODES: Record<AccountOrder['product'], string> = { current: 'CURR', savings: 'SAVE' };

/** A fault the core has answered with. */
export interface CoreFault {
  /** SOAP 1.1 §4.4.1: `Client` is a fault of the request, `Server` one of the core. */
  side: 'Client' | 'Server' | 'other';
  code?: string | undefined;
  retryable?: boolean | undefined;
}

/**
 * What to do about a fault: `refuse` (permanent: the request is at fault), `retry` (the core says it passes), or
 * `escalate` (a fault of the core that it does not call passing: bounded attempts, then a person looks).
 */
export function judgeFault(fault: CoreFault): { verdict: 'refuse'; reason: string } | { verdict: 'retry' | 'escalate' } {
  if (fault.retryable) return { verdict: 'retry' };
  if (fault.side === 'Client' && fault.code !== undefined && /^[A-Z][A-Z_]{2,60}$/.test(fault.code))
    return { verdict: 'refuse', reason: fault.code.toLowerCase().replaceAll('_', '-') };
  return { verdict: 'escalate' };
}

/** Checks an answer before anyone relies on it. @throws Error when it is for another request, or the IBAN is none (ISO 13616 check digits) */
export function checkAnswer(order: AccountOrder, answer: { RequestId?: unknown; Iban?: unknown; CoreReference?: unknown } | null | undefined): BookedAccount {
  if (!answer || answer.RequestId !== order.requestId) throw new Error('the core answered another request');
  if (typeof answer.Iban !== 'string' || !isValidIBAN(answer.Iban)) throw new Error('the core answered an IBAN that is not valid');
  if (typeof answer.CoreReference !== 'string' || !/^[A-Za-z0-9-]{1,64}$/.test(answer.CoreReference))
    throw new Error('the core answered without a usable reference');
  return { iban: answer.Iban, coreReference: answer.CoreReference };
}

/** Tells that the account is booked; the same id whenever the request is repeated. */
export function bookedEvent(cause: Event<'account.requested'>, booked: BookedAccount): Event {
  const { accountId, customerId } = cause.data;
  return newEvent('core.account-booked', {
    subject: accountId, source: 'core-banking', context: contextOf(cause), customerId,
    id: derivedId(`core.account-booked/${accountId}`), data: { accountId, ...booked },
  });
}

/** Tells that the core will not open the account. */
export function refusedEvent(cause: Event<'account.requested'>, reason: string): Event {
  const { accountId, customerId } = cause.data;
  return newEvent('core.account-refused', {
    subject: accountId, source: 'core-banking', context: contextOf(cause), customerId,
    id: derivedId(`core.account-refused/${accountId}`), data: { accountId, reason },
  });
}
