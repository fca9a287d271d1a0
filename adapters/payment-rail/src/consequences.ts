import { newEvent, type Event, type EventContext } from '@kontor/kernel/events';
import { requestHash } from '@kontor/kernel/idempotency';
import { derivedId } from '@kontor/kernel/ids';
import { formatMoney, parseMoney, type WireMoney } from '@kontor/kernel/money';
import { MessageFault, type Node } from '@kontor/kernel/iso20022';
import { accountFault, readStatements, STATEMENT_MESSAGES, statementParts, type Statement } from '@kontor/kernel/statements';
import { readRecallAnswers } from './camt029.js';
import { readRecalls } from './camt056.js';
import { readStatusReports } from './pacs002.js';
import { readPaymentReturns } from './pacs004.js';
import { readCreditTransfers } from './pacs008.js';
import {
  amountFault, messageFault, PAYMENT_MESSAGES, paymentIdOf, paymentNamedBy, paymentReport, railReference, recallReference, referenceOf, returnReference, returnsFault,
  transferFault, type CreditTransfer, type CreditTransferMessage, type PaymentReturnMessage, type RecallAnswerMessage, type RecallMessage, type StatusReport,
  type StatusReportMessage,
} from './payment-rail.js';

const SOURCE = 'payment-rail';

/** What the bank takes from the rail. */
export const TAKEN = [...PAYMENT_MESSAGES, ...STATEMENT_MESSAGES] as const;

/** What a message of the rail is to lead to. Event ids and answers follow from the message, so a repetition leads to the same. */
export interface Consequences {
  events: Event[];
  /** What is refused of it, to be told to the rail. */
  refusals?: StatusReportMessage;
  /** Statuses of entries that concern nobody here, or promise nothing. */
  ignored: string[];
}

/**
 * Reads an opened message whole before anything is told, so that one with a fault tells nothing. Pure.
 * @throws MessageFault
 */
export function consequencesOf(message: (typeof TAKEN)[number], content: Node, context: EventContext): Consequences {
  switch (message) {
    case 'pacs.002.001.10': return reported(readStatusReports(content), context);
    case 'pacs.008.001.08': return received(readCreditTransfers(content), context);
    case 'pacs.004.001.09': return returned(readPaymentReturns(content), context);
    case 'camt.056.001.08': return recalled(readRecalls(content), context);
    case 'camt.029.001.09': return answered(readRecallAnswers(content), context);
    default: return stated(readStatements(message, content), context);
  }
}

function reported(message: StatusReportMessage, context: EventContext): Consequences {
  const ignored: string[] = [];
  const events = message.reports.flatMap((entry, i) => {
    const report = paymentReport(entry);
    if (!report) {
      ignored.push(entry.status);
      return [];
    }
    return [newEvent('rail.payment-status-reported', {
      subject: report.paymentId, source: SOURCE, context,
      id: derivedId(`rail.payment-status-reported/${message.messageId}/${i}/${report.paymentId}/${report.status}`),
      data: { ...report, railReference: message.messageId },
    })];
  });
  return { events, ignored };
}

/** Transactions that can never be booked are refused to the rail; the others become events. */
function received(message: CreditTransferMessage, context: EventContext): Consequences {
  refuseWhole(messageFault(message));
  const refusals = message.transfers.flatMap((transfer) => {
    const reason = transferFault(transfer);
    return reason ? [{ transfer, reason }] : [];
  });
  const events = message.transfers.filter((transfer) => !refusals.some((entry) => entry.transfer === transfer))
    .map((transfer) => receivedEvent(message.messageId, transfer, context));
  return { events, ignored: [], ...refused(message, refusals.map(({ transfer, reason }) => ({ reference: referenceOf(transfer), reason }))) };
}

function receivedEvent(messageId: string, transfer: CreditTransfer, context: EventContext): Event {
  const reference = railReference(messageId, referenceOf(transfer));
  const { amount, creditor, debtor, endToEndId, remittance } = transfer;
  return newEvent('rail.credit-transfer-received', {
    subject: reference, source: SOURCE, context, id: derivedId(`rail.credit-transfer-received/${reference}`),
    data: {
      railReference: reference, messageId, creditorIban: creditor.iban ?? '', debtor: { name: debtor.name, iban: debtor.iban ?? '' },
      amount: moneyOf(amount), endToEndId, ...(remittance === undefined ? {} : { remittance }),
    },
  });
}

/** Money that came back is told even when nobody knows which payment it is of: the ledger keeps it where somebody looks. */
function returned(message: PaymentReturnMessage, context: EventContext): Consequences {
  refuseWhole(returnsFault(message));
  const refusals = message.returns.flatMap((one) => {
    const reason = amountFault(one.amount);
    return reason ? [{ one, reason }] : [];
  });
  const events = message.returns.filter((one) => !refusals.some((entry) => entry.one === one)).map((one) => {
    const reference = returnReference(message.messageId, one);
    const paymentId = paymentNamedBy(one.original);
    const { endToEndId } = one.original;
    return newEvent('rail.payment-returned', {
      subject: paymentId ?? reference, source: SOURCE, context, id: derivedId(`rail.payment-returned/${reference}`),
      data: {
        amount: moneyOf(one.amount), railReference: reference,
        ...(paymentId === undefined ? {} : { paymentId }), ...(one.reason === undefined ? {} : { reason: one.reason }), ...(endToEndId === undefined ? {} : { endToEndId }),
      },
    });
  });
  const entries = refusals.map(({ one, reason }) => ({
    reason, ...(one.returnId === undefined ? one.original.reference ? { reference: one.original.reference } : {} : { reference: { kind: 'tx' as const, id: one.returnId } }),
  }));
  return { events, ignored: [], ...refused(message, entries, 'pacs.004.001.09') };
}

function recalled(message: RecallMessage, context: EventContext): Consequences {
  const references = message.recalls.map((recall) => recallReference(message.messageId, recall));
  if (new Set(references).size !== references.length) throw new MessageFault('two transactions of the message have the same identification');
  const events = message.recalls.map((recall) => {
    const reference = recallReference(message.messageId, recall);
    const { original, reason } = recall;
    const fault = amountFault(recall.amount);
    if (fault) throw new MessageFault('OrgnlIntrBkSttlmAmt is no amount of its currency');
    if (original.messageId === undefined || original.reference === undefined) throw new MessageFault('OrgnlMsgId and OrgnlTxId must name the transfer');
    return newEvent('rail.recall-received', {
      subject: reference, source: SOURCE, context, id: derivedId(`rail.recall-received/${reference}`),
      data: {
        railReference: reference, originalReference: railReference(original.messageId, original.reference), endToEndId: original.endToEndId ?? 'NOTPROVIDED',
        amount: moneyOf(recall.amount), reason: reason ?? 'NARR',
      },
    });
  });
  return { events, ignored: [] };
}

function answered(message: RecallAnswerMessage, context: EventContext): Consequences {
  const ignored: string[] = [];
  const events = message.answers.flatMap((answer, i) => {
    const recallId = answer.recallId === undefined ? undefined : paymentIdOf(answer.recallId);
    const paymentId = paymentNamedBy(answer.original);
    const subject = recallId ?? paymentId;
    if (answer.outcome === 'pending' || subject === undefined) {
      ignored.push(answer.outcome);
      return [];
    }
    const reference = `${message.messageId}/${i}`;
    return [newEvent('rail.recall-answered', {
      subject, source: SOURCE, context, id: derivedId(`rail.recall-answered/${reference}/${subject}/${answer.outcome}`),
      data: {
        outcome: answer.outcome, railReference: reference, ...(recallId === undefined ? {} : { recallId }), ...(paymentId === undefined ? {} : { paymentId }),
        ...(answer.reason === undefined ? {} : { reason: answer.reason }),
      },
    })];
  });
  return { events, ignored };
}

/** A statement is told in parts; each says how many there are, so that nothing is missed. */
function stated(statements: Statement[], context: EventContext): Consequences {
  const events = statements.flatMap((statement) => {
    const fault = accountFault(statement);
    if (fault) throw new MessageFault(fault);
    return statementParts(statement, 'rail').map((part) => newEvent('rail.statement-received', {
      subject: part.statementReference, source: SOURCE, context, data: part,
      // With the content: another statement under the same reference must be heard, to be found out.
      id: derivedId(`rail.statement-received/${part.message}/${part.account}/${part.statementReference}/${part.part}/${requestHash(part).toString('hex')}`),
    }));
  });
  return { events, ignored: [] };
}

function refuseWhole(fault: string | undefined): void {
  if (fault) throw new MessageFault(fault);
}

/** The refusal of some transactions of a message; its time is the original's, so that a repeated delivery makes the same answer. */
function refused(message: { messageId: string; createdAt: string }, entries: Pick<StatusReport, 'reference' | 'reason'>[], originalMessage?: string): Pick<Consequences, 'refusals'> {
  if (entries.length === 0) return {};
  return {
    refusals: {
      messageId: derivedId(`pacs.002/refused/${message.messageId}`).replaceAll('-', ''), createdAt: message.createdAt,
      reports: entries.map((entry) => ({ originalMessageId: message.messageId, ...(originalMessage === undefined ? {} : { originalMessage }), ...entry, status: 'RJCT' })),
    },
  };
}

const moneyOf = (amount: WireMoney): WireMoney => formatMoney(parseMoney(amount));
