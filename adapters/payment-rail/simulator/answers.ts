import { createHash } from 'node:crypto';
import { parseMoney } from '@kontor/kernel/money';
import { writeRecallAnswer } from '../src/camt029.js';
import { writeRecalls } from '../src/camt056.js';
import { writeStatusReports } from '../src/pacs002.js';
import { writePaymentReturns } from '../src/pacs004.js';
import { writeCreditTransfers } from '../src/pacs008.js';
import {
  railReference, referenceOf, type CreditTransferMessage, type OriginalTransaction, type PaymentReturnMessage, type Recall, type RecallAnswerMessage,
  type RecallMessage, type StatusReport, type StatusReportMessage, type StatusRequestMessage, type TransactionReference,
} from '../src/payment-rail.js';
import type { SimulatedRecall, SimulatedTransfer } from '../src/rail-client.js';
import { scriptFor, type Plan, type Script } from './behaviour.js';
import { moneyLike, type Books, type Movement, type Outcome } from './books.js';

/** Correlation that came with a message and goes back with what is sent about it. */
export interface Trace {
  correlationId: string;
  traceparent: string;
}

/** A message the rail will deliver to the bank, sooner or later. `dueAt` is in Unix milliseconds. */
export interface Delivery {
  id: string;
  dueAt: number;
  xml: string;
  trace: Trace;
}

/** All that follows from a message or an order; written to the journal as one line, so it follows whole or not at all. */
export interface Effects {
  deliveries: Delivery[];
  movements?: Movement[];
  outcomes?: (Outcome & { key: string })[];
  /** Deliveries that are not made any more. */
  withdrawn?: string[];
  /** What the bank answered to transfers and recalls of the rail, by their message. */
  answered?: { messageId: string; status: string; reason?: string }[];
}

/** AG09: original payment never received. CUST: at the request of the customer. */
const NEVER_RECEIVED = 'AG09';
const RECALLED = 'CUST';
/** NOOR: original never received. ARDT: already returned. (ExternalPaymentCancellationRejection1Code) */
const NO_ORIGINAL = 'NOOR';
const RETURNED_BEFORE = 'ARDT';
/** FOCR: return following a cancellation request (ExternalReturnReason1Code). */
const FOLLOWING_RECALL = 'FOCR';
const SOON_MS = 20;

/** How the rail answers what the bank sends, and what it sends when it is told to; from its books to what follows, nothing else. */
export function answersTo({ books, seed, bankBic, now }: { books: Books; seed: string; bankBic: string; now: () => number }) {
  const idOf = (name: string): string => createHash('sha256').update(name).digest('hex').slice(0, 32);
  const at = (ms: number): string => new Date(ms).toISOString();

  const statusReport = (id: string, dueAt: number, trace: Trace, report: StatusReport): Delivery =>
    ({ id, dueAt, trace, xml: writeStatusReports({ messageId: idOf(id), createdAt: at(dueAt), reports: [report] }) });

  /** A planned report as deliveries; copies carry the same MsgId, as a rail's repetition does. */
  const planned = (plan: Plan, given: { prefix: string; accepted: number; trace: Trace; report: Omit<StatusReport, 'status'> }): Delivery[] => {
    const dueAt = given.accepted + plan.afterMs;
    if (plan.kind === 'garbage') return [{ id: given.prefix, dueAt, trace: given.trace, xml: '<Document><FIToFIPmtStsRpt>' }];
    const { xml } = statusReport(given.prefix, given.accepted, given.trace, { ...given.report, status: plan.status, ...(plan.reason === undefined ? {} : { reason: plan.reason }) });
    return Array.from({ length: plan.copies ?? 1 }, (_copy, n) => ({ id: `${given.prefix}.${n}`, dueAt, trace: given.trace, xml }));
  };

  /** A payment or return of the bank with its script: what is reported, and what stands in the books. */
  const played = (movement: Omit<Movement, 'outcome' | 'answersQuestions' | 'recall' | 'direction'>, script: Script, given: { prefix: string; trace: Trace; report: Omit<StatusReport, 'status'> }): Effects => {
    const accepted = now();
    const { status, afterMs, reason } = script.outcome;
    const entered: Movement = {
      ...movement, direction: 'from-bank', answersQuestions: script.answersQuestions, recall: script.recall,
      outcome: { status, at: accepted + afterMs, ...(reason === undefined ? {} : { reason }) },
    };
    const reports = script.reports.flatMap((plan, i) => planned(plan, { ...given, prefix: `${given.prefix}.${i}`, accepted }));
    if (!script.returned) return { deliveries: reports, movements: [entered] };
    const back = giveBack(entered, { messageId: idOf(`${given.prefix}.return`), reason: script.returned.reason, dueAt: accepted + script.returned.afterMs, trace: given.trace });
    return { deliveries: [...reports, ...back.deliveries], movements: [entered, ...back.movements ?? []] };
  };

  /** Whoever asked about a payment before it came was told that it never came: so it is refused. */
  const saidNeverReceived = (key: string): Script | undefined => {
    const before = books.get(key)?.outcome;
    return before?.status === 'RJCT'
      ? { reports: [{ kind: 'report', afterMs: 5, status: 'RJCT', reason: NEVER_RECEIVED }], outcome: { status: 'RJCT', afterMs: 0, reason: NEVER_RECEIVED }, answersQuestions: true, recall: { kind: 'accept' } }
      : undefined;
  };

  const original = ({ messageId, reference, endToEndId, uetr }: Movement): OriginalTransaction =>
    ({ messageId, reference, endToEndId, ...(uetr === undefined ? {} : { uetr }) });

  /** Gives a payment of the bank back, whole or in part. */
  function giveBack(payment: Movement, order: { messageId: string; amount?: { amount: string; currency: string }; reason?: string; dueAt: number; trace: Trace }): Effects {
    const { messageId, reason = 'MS03', dueAt, trace } = order;
    const amount = order.amount ?? payment.amount;
    const reference: TransactionReference = { kind: 'tx', id: messageId };
    const movement: Movement = {
      key: railReference(messageId, reference), messageId, reference, direction: 'to-bank', kind: 'return', endToEndId: payment.endToEndId, amount,
      returns: payment.key, reason, outcome: { status: 'ACSC', at: dueAt }, answersQuestions: true, recall: { kind: 'silence' },
    };
    const xml = writePaymentReturns({ messageId, createdAt: at(dueAt), returns: [{ returnId: messageId, original: original(payment), amount, originalAmount: payment.amount, reason }] });
    return { deliveries: [{ id: `${messageId}.return`, dueAt, trace, xml }], movements: [movement] };
  }

  function recalled(recall: Recall, messageId: string, n: number, pending: Delivery[], trace: Trace): Effects {
    const payment = books.named(recall.original);
    const answer = (outcome: 'accepted' | 'refused', reason?: string): Delivery => {
      const id = `${messageId}.${n}.answer`;
      const dueAt = now() + SOON_MS;
      return {
        id, dueAt, trace,
        xml: writeRecallAnswer({
          messageId: idOf(id), createdAt: at(dueAt),
          answers: [{ ...(recall.recallId === undefined ? {} : { recallId: recall.recallId }), original: recall.original, outcome, ...(reason === undefined ? {} : { reason }) }],
        }, { assignee: bankBic }),
      };
    };
    if (payment?.direction !== 'from-bank' || payment.outcome?.status === 'RJCT') return { deliveries: [answer('refused', NO_ORIGINAL)] };
    const { recall: behaviour } = payment;
    if (behaviour.kind === 'silence') return { deliveries: [] };
    if (behaviour.kind === 'refuse') return { deliveries: [answer('refused', behaviour.reason)] };
    if ((payment.outcome?.at ?? Infinity) > now()) {
      const rejection = statusReport(`${messageId}.${n}.rejection`, now(), trace, { originalMessageId: payment.messageId, reference: payment.reference, status: 'RJCT', reason: RECALLED });
      return {
        deliveries: [rejection, answer('accepted')], outcomes: [{ key: payment.key, status: 'RJCT', at: now(), reason: RECALLED }],
        withdrawn: pending.filter(({ id }) => id.startsWith(`${payment.messageId}.`)).map(({ id }) => id),
      };
    }
    const left = books.left(payment);
    if (left <= 0n) return { deliveries: [answer('refused', RETURNED_BEFORE)] };
    const asked = parseMoney(recall.amount).minor;
    const back = giveBack(payment, {
      messageId: idOf(`${messageId}.${n}.back`), amount: moneyLike(payment, asked < left ? asked : left), reason: FOLLOWING_RECALL, dueAt: now() + 2 * SOON_MS, trace,
    });
    return { ...back, deliveries: [answer('accepted'), ...back.deliveries] };
  }

  return {
    giveBack,

    /** pacs.008 of the bank. */
    payments: ({ messageId, transfers }: CreditTransferMessage, trace: Trace): Effects => together(transfers.map((transfer, n) => {
      const reference = referenceOf(transfer);
      const key = railReference(messageId, reference);
      const { amount, endToEndId, uetr, remittance, instant, acceptedAt } = transfer;
      const instantSince = instant ? Date.parse(acceptedAt ?? at(now())) : undefined;
      const script = saidNeverReceived(key) ?? scriptFor({ seed, transactionId: reference.id, amount: amount.amount, remittance, instantSince, now: now() });
      return played({ key, messageId, reference, kind: 'transfer', endToEndId, ...(uetr === undefined ? {} : { uetr }), amount }, script,
        { prefix: `${messageId}.${n}`, trace, report: { originalMessageId: messageId, reference } });
    })),

    /** pacs.004 of the bank: it gives a transfer back. What is more than was transferred is refused (AM09). */
    returns: ({ messageId, returns }: PaymentReturnMessage, trace: Trace): Effects => together(returns.map((one, n) => {
      const reference: TransactionReference = { kind: 'tx', id: one.returnId ?? `${messageId}-${n}`.slice(0, 35) };
      const key = railReference(messageId, reference);
      const given = books.named(one.original);
      const tooMuch = given !== undefined && (given.amount.currency !== one.amount.currency || parseMoney(one.amount).minor > books.left(given));
      const script = saidNeverReceived(key) ?? scriptFor({ seed, transactionId: reference.id, amount: one.amount.amount, remittance: tooMuch ? 'RAIL RJCT AM09' : undefined, now: now() });
      return played({
        key, messageId, reference, kind: 'return', endToEndId: one.original.endToEndId ?? 'NOTPROVIDED', amount: one.amount,
        ...(given ? { returns: given.key } : {}), ...(one.reason === undefined ? {} : { reason: one.reason }),
      }, script, { prefix: `${messageId}.${n}`, trace, report: { originalMessageId: messageId, originalMessage: 'pacs.004.001.09', reference } });
    })),

    /** pacs.002 of the bank: what it did with transfers to it. */
    learn: ({ reports }: StatusReportMessage): Effects => together(reports.map(({ originalMessageId, reference, status, reason }) => {
      if (originalMessageId === undefined || (status !== 'ACSC' && status !== 'RJCT')) return { deliveries: [] };
      const movement = books.named({ messageId: originalMessageId, ...(reference ? { reference } : {}) });
      const why = reason === undefined ? {} : { reason };
      return {
        deliveries: [], answered: [{ messageId: originalMessageId, status, ...why }],
        outcomes: movement?.direction === 'to-bank' && !movement.outcome ? [{ key: movement.key, status, at: now(), ...why }] : [],
      };
    })),

    /** pacs.028 of the bank: what really happened. Of what never came it is said, and kept to, that it never came. */
    questions: ({ messageId, originals }: StatusRequestMessage, trace: Trace): Effects => together(originals.map((asked, n) => {
      const movement = books.named(asked);
      const report = { ...(asked.messageId === undefined ? {} : { originalMessageId: asked.messageId }), ...(asked.reference ? { reference: asked.reference } : {}) };
      const answer = (status: string, reason?: string): Delivery[] => [statusReport(`${messageId}.${n}`, now(), trace, { ...report, status, ...(reason === undefined ? {} : { reason }) })];
      if (!movement) {
        if (asked.messageId === undefined || asked.reference === undefined) return { deliveries: [] };
        const { messageId: of, reference } = asked;
        const unheard: Movement = {
          key: railReference(of, reference), messageId: of, reference, direction: 'from-bank', kind: 'transfer', endToEndId: asked.endToEndId ?? 'NOTPROVIDED',
          amount: { amount: '0', currency: 'EUR' }, outcome: { status: 'RJCT', at: now(), reason: NEVER_RECEIVED }, answersQuestions: true, recall: { kind: 'accept' },
        };
        return { deliveries: answer('RJCT', NEVER_RECEIVED), movements: [unheard] };
      }
      if (!movement.answersQuestions) return { deliveries: [] };
      const { outcome } = movement;
      return { deliveries: outcome && outcome.at <= now() ? answer(outcome.status, outcome.reason) : answer('ACSP') };
    })),

    /** camt.056 of the bank. */
    recalls: ({ messageId, recalls }: RecallMessage, pending: Delivery[], trace: Trace): Effects =>
      together(recalls.map((recall, n) => recalled(recall, messageId, n, pending, trace))),

    /** camt.029 of the bank. */
    resolved: ({ answers }: RecallAnswerMessage): Effects => ({
      deliveries: [],
      answered: answers.flatMap(({ recallId, outcome, reason }) => (recallId === undefined ? [] : [{ messageId: recallId, status: outcome, ...(reason === undefined ? {} : { reason }) }])),
    }),

    /** An order: somebody pays into the bank. */
    transfer({ messageId, endToEndId, amount, debtor, creditor, remittance }: SimulatedTransfer, trace: Trace): Effects {
      const reference: TransactionReference = { kind: 'tx', id: messageId };
      const xml = writeCreditTransfers({
        messageId, createdAt: at(now()),
        transfers: [{
          transactionId: messageId, endToEndId, amount, debtor, creditor: { name: 'NOTPROVIDED', iban: creditor.iban },
          ...(remittance === undefined ? {} : { remittance }),
        }],
      }, { creditorAgent: bankBic });
      return {
        deliveries: [{ id: `${messageId}.transfer`, dueAt: now(), trace, xml }],
        movements: [{ key: railReference(messageId, reference), messageId, reference, direction: 'to-bank', kind: 'transfer', endToEndId, amount, answersQuestions: true, recall: { kind: 'accept' } }],
      };
    },

    /** An order: whoever paid into the bank wants it back. */
    askBack(transfer: Movement, { messageId, reason = 'DUPL' }: SimulatedRecall, trace: Trace): Effects {
      const xml = writeRecalls({ messageId, createdAt: at(now()), recalls: [{ recallId: messageId, original: original(transfer), amount: transfer.amount, reason }] }, { assignee: bankBic });
      return { deliveries: [{ id: `${messageId}.recall`, dueAt: now(), trace, xml }], answered: [{ messageId, status: 'pending' }] };
    },
  };
}

function together(effects: Effects[]): Effects {
  return {
    deliveries: effects.flatMap(({ deliveries }) => deliveries),
    movements: effects.flatMap(({ movements }) => movements ?? []),
    outcomes: effects.flatMap(({ outcomes }) => outcomes ?? []),
    withdrawn: effects.flatMap(({ withdrawn }) => withdrawn ?? []),
    answered: effects.flatMap(({ answered }) => answered ?? []),
  };
}
