/** What the bank makes sure of before a payment begins: its time, its looks, its limits. The consent is checked where the payment is written. */
import { createHash } from 'node:crypto';
import type { EventContext } from '@kontor/kernel/events';
import { parseMoney } from '@kontor/kernel/money';
import { goesAt, type Calendar } from './calendar.js';
import { initiate, type Checked, type Checks, type Decision, type InitiationOutcome, type Order, type Payment, type Payments, type Started } from './payment.js';
import { assess, combined, isAssessed, verdictOn, type Assessment, type Facts, type FraudRules } from './review.js';

/** The rules of the bank for payments it begins. 0 is no limit, and no search for duplicates. */
export interface BankRules {
  calendar: Calendar;
  fraud: FraudRules;
  /** From one account: payments a day, and whole units of one currency a day. */
  dailyPayments: number;
  dailyAmount: number;
  duplicateMinutes: number;
}

/** A fraud check elsewhere. @throws when it does not answer in time, or with what nobody can read */
export type OutsideCheck = (order: Order) => Promise<Assessment>;

export interface Request {
  key: string;
  hash: Buffer;
  context: EventContext;
  /** What the client named to tell this payment from others of the same amount to the same creditor: its end-to-end id, else its remittance. */
  identification?: string | undefined;
  allowDuplicate?: boolean | undefined;
}

/** Decides about an order once; `store` writes it, or says why not, and may be called again. `payment` is as it begins: of a replay look at the outcome. */
export type Initiating = (order: Order, request: Request) => Promise<{ payment: Payment; store: () => Promise<InitiationOutcome> }>;

/** As `Initiating`, for an order of the bank's own doing: no key, written in the transaction of the caller. */
export type Deciding = (order: Order) => Promise<{ started: Started; checked: Omit<Checked, 'context'> }>;

export function initiating({ payments, facts, outside, rules }: {
  payments: Pick<Payments, 'initiate'>; facts: (order: Order) => Promise<Facts>; outside?: OutsideCheck | undefined; rules: BankRules;
}): { initiate: Initiating; decideOn: Deciding } {
  const limited = rules.dailyPayments > 0 || rules.dailyAmount > 0;

  const assessed = async (order: Order): Promise<Assessment> => {
    const asked = outside?.(order).catch((): Assessment => ({ score: rules.fraud.reviewFrom, reasons: ['fraud-check-unavailable'] }));
    const own = assess(order, await facts(order), rules.fraud);
    return asked ? combined(own, await asked) : own;
  };

  const decide = async (order: Order): Promise<{ decision: Decision; review?: Assessment }> => {
    const dueAt = goesAt(rules.calendar, order.createdAt, order);
    const later = dueAt ? { dueAt } : {};
    if (!isAssessed(order, rules.fraud)) return { decision: later };
    const review = await assessed(order);
    switch (verdictOn(review, rules.fraud)) {
      case 'pass': return { decision: later };
      case 'hold': return { decision: { ...later, hold: true }, review };
      case 'refuse': return { decision: { refuse: 'FR01' }, review };
    }
  };

  const checksOf = ({ amount: { currency } }: Order, { allowDuplicate }: Pick<Request, 'allowDuplicate'>): Checks => ({
    ...(limited ? {
      limits: {
        timeZone: rules.calendar.timeZone, ...(rules.dailyPayments > 0 ? { payments: rules.dailyPayments } : {}),
        ...(rules.dailyAmount > 0 ? { amount: parseMoney({ amount: String(rules.dailyAmount), currency }) } : {}),
      },
    } : {}),
    ...(rules.duplicateMinutes > 0 && !allowDuplicate ? { duplicateMinutes: rules.duplicateMinutes } : {}),
  });

  const decideOn = async (order: Order, request: Pick<Request, 'identification' | 'allowDuplicate'> = {}): Promise<{ started: Started; checked: Omit<Checked, 'context'> }> => {
    const { decision, review } = await decide(order);
    const { identification } = request;
    return {
      started: initiate(order, decision),
      checked: { checks: checksOf(order, request), ...(identification === undefined ? {} : { fingerprint: fingerprintOf(order, identification) }), ...(review ? { review } : {}) },
    };
  };

  return {
    decideOn: (order) => decideOn(order),
    async initiate(order, { key, hash, context, ...named }) {
      const { started, checked } = await decideOn(order, named);
      return { payment: started.payment, store: () => payments.initiate(started, { ...checked, key, hash, context }) };
    },
  };
}

/** What two orders for the same thing have in common. */
function fingerprintOf({ clientId, debtorAccountId, amount, creditor }: Order, identification: string): Buffer {
  return createHash('sha256').update(JSON.stringify([clientId, debtorAccountId, amount.minor.toString(), amount.currency, creditor.iban, identification])).digest();
}
