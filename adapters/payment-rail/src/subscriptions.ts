/** What the adapter tells the rail: payments that may go out, questions and recalls about them, and what became of what came in. */
import { contextOf, newEvent, type Event } from '@kontor/kernel/events';
import { derivedId } from '@kontor/kernel/ids';
import type { Logger } from '@kontor/kernel/logger';
import type { Effects, Subscriptions } from '@kontor/kernel/service';
import { writeRecallAnswer } from './camt029.js';
import { writeRecalls } from './camt056.js';
import { writeStatusReports } from './pacs002.js';
import { writePaymentReturns } from './pacs004.js';
import { writeCreditTransfers } from './pacs008.js';
import { writeStatusRequest } from './pacs028.js';
import { railIdOf, readRailReference, readRecallReference, returnIdOf, SENT, type OriginalTransaction } from './payment-rail.js';
import type { RailClient } from './rail-client.js';
import { MessageFault, openMessage, type Schemas } from '@kontor/kernel/iso20022';

const SOURCE = 'payment-rail';
/** FF01: invalid file format (ExternalStatusReason1Code). The rail will never take this message. */
const UNSENDABLE = 'FF01';
/** AGNT: an agent refuses to cancel (ExternalPaymentCancellationRejection1Code); here the rail, which does not take the recall. */
const NOT_RECALLABLE = 'AGNT';

interface Parts {
  rail: Pick<RailClient, 'send'>;
  schemas: Schemas;
  bankBic: string;
  logger: Logger;
}

/** Each message follows from its event (ids and times too), so a repeat is the same message and the rail takes it once. */
export function subscriptions(parts: Parts): Subscriptions {
  return {
    'payment.submitted': (event, effects) => submit(event, effects, parts),
    'payment.investigation-requested': (event) => ask(event, parts),
    'payment.recall-requested': (event, effects) => recall(event, effects, parts),
    'account.credited': (event) => answer(event, event.data.railReference, 'ACSC', undefined, parts),
    'account.credit-refused': (event) => answer(event, event.data.railReference, 'RJCT', event.data.reason, parts),
    'account.credit-returned': (event) => giveBack(event, parts),
    'account.recall-answered': (event) => answerRecall(event, parts),
  };
}

/**
 * One payment, one pacs.008; a refund goes back as a pacs.004. MsgId and TxId, or RtrId, are the payment's id. It is rejected only when the rail
 * cannot have taken it: where the rail has another message under this id, it is asked what became of the payment.
 */
async function submit(event: Event<'payment.submitted'>, { emit }: Effects, parts: Parts): Promise<void> {
  const { paymentId } = event.data;
  const outcome = await send(submission(event, parts.bankBic), event, parts);
  if (outcome === 'accepted') return;
  if (outcome === 'differs') {
    parts.logger.error('the rail has taken another message for a payment; it is asked what became of it', { correlationId: event.correlationid, resourceId: paymentId });
    return ask(event, parts);
  }
  parts.logger.error('the rail does not take a payment; it is rejected', { correlationId: event.correlationid, resourceId: paymentId, code: UNSENDABLE });
  await emit(newEvent('rail.payment-status-reported', {
    subject: paymentId, source: SOURCE, context: contextOf(event),
    id: derivedId(`rail.payment-status-reported/unsendable/${paymentId}`),
    data: { paymentId, status: 'RJCT', reason: UNSENDABLE, railReference: railIdOf(paymentId) },
  }));
}

function submission(event: Event<'payment.submitted'>, bankBic: string): string {
  const { paymentId, amount, creditor, debtor, endToEndId, uetr, remittance, instant, acceptedAt, original } = event.data;
  const railId = railIdOf(paymentId);
  // Of the acceptance, not of the event: a payment that is submitted again is the same message.
  const message = { messageId: railId, createdAt: acceptedAt ?? event.time };
  if (original) {
    const received = originalOf(original.railReference, original.endToEndId);
    return writePaymentReturns({ ...message, returns: [{ returnId: railId, original: received, amount, originalAmount: original.amount, reason: original.reason ?? 'CUST' }] });
  }
  return writeCreditTransfers({
    ...message,
    transfers: [{
      instructionId: railId, transactionId: railId, endToEndId, uetr, amount, debtor, creditor, ...(remittance === undefined ? {} : { remittance }),
      ...(instant ? { instant } : {}), ...(acceptedAt === undefined ? {} : { acceptedAt }),
    }],
  }, { debtorAgent: bankBic });
}

/** How a transfer we received is named to the rail: as it named it. */
function originalOf(reference: string, endToEndId: string): OriginalTransaction {
  return { ...readRailReference(reference), endToEndId };
}

const ourPayment = ({ paymentId, endToEndId, uetr }: { paymentId: string; endToEndId: string; uetr: string }): OriginalTransaction =>
  ({ messageId: railIdOf(paymentId), reference: { kind: 'tx', id: railIdOf(paymentId) }, endToEndId, uetr });

/** Asks what became of a payment, in a message of its own for each event. The answer is a pacs.002 like any other. */
async function ask(event: Event<'payment.investigation-requested' | 'payment.submitted'>, parts: Parts): Promise<void> {
  const messageId = `Q-${railIdOf(derivedId(`pacs.028/${event.id}`))}`;
  const outcome = await send(writeStatusRequest({ messageId, createdAt: event.time, originals: [ourPayment(event.data)] }), event, parts);
  if (outcome !== 'accepted')
    parts.logger.error('the rail does not take the question about a payment', { correlationId: event.correlationid, resourceId: event.data.paymentId });
}

/** Recall, case and message have one id, so an answer to any of them finds the recall. One the rail never takes is refused. */
async function recall(event: Event<'payment.recall-requested'>, { emit }: Effects, parts: Parts): Promise<void> {
  const { recallId, paymentId, amount, debtor, creditor, reason } = event.data;
  const id = railIdOf(recallId);
  const xml = writeRecalls({
    messageId: id, createdAt: event.time, recalls: [{ recallId: id, original: ourPayment(event.data), amount, debtor, creditor, reason }],
  }, { assigner: parts.bankBic });
  if (await send(xml, event, parts) === 'accepted') return;
  parts.logger.error('the rail does not take a recall; it counts as refused', { correlationId: event.correlationid, resourceId: recallId, code: NOT_RECALLABLE });
  await emit(newEvent('rail.recall-answered', {
    subject: recallId, source: SOURCE, context: contextOf(event), id: derivedId(`rail.recall-answered/unsendable/${recallId}`),
    data: { recallId, paymentId, outcome: 'refused', reason: NOT_RECALLABLE, railReference: id },
  }));
}

async function answer(event: Event, reference: string, status: 'ACSC' | 'RJCT', reason: string | undefined, parts: Parts): Promise<void> {
  const original = readRailReference(reference);
  // Money that did not come over this rail is no matter of this rail.
  if (!original) return;
  const xml = writeStatusReports({
    messageId: railIdOf(derivedId(`pacs.002/${status}/${reference}`)), createdAt: event.time,
    reports: [{ originalMessageId: original.messageId, reference: original.reference, status, ...(reason === undefined ? {} : { reason }) }],
  });
  if (await send(xml, event, parts) !== 'accepted') unanswered('the rail does not take the answer to a transfer', event, parts);
}

/** A received credit goes back: the account is debited already, so a rail that refuses needs somebody (reconciliation shows it too). */
async function giveBack(event: Event<'account.credit-returned'>, parts: Parts): Promise<void> {
  const { transactionId, railReference, amount, endToEndId, reason } = event.data;
  const id = returnIdOf(transactionId);
  const xml = writePaymentReturns({ messageId: id, createdAt: event.time, returns: [{ returnId: id, original: originalOf(railReference, endToEndId), amount, reason }] });
  if (await send(xml, event, parts) !== 'accepted') unanswered('the rail does not take a return', event, parts);
}

async function answerRecall(event: Event<'account.recall-answered'>, parts: Parts): Promise<void> {
  const { recallId, recallReference, outcome, reason } = event.data;
  const asked = readRecallReference(recallReference);
  if (!asked) return;
  const xml = writeRecallAnswer({
    messageId: railIdOf(derivedId(`camt.029/${recallId}`)), createdAt: event.time, answers: [{ ...asked, outcome, ...(reason === undefined ? {} : { reason }) }],
  }, { assigner: parts.bankBic });
  if (await send(xml, event, parts) !== 'accepted') unanswered('the rail does not take the answer to a recall', event, parts);
}

/** Hands a message over; one that breaks its schema is 'refused' without asking. @throws Transient */
async function send(xml: string, event: Event, { rail, schemas }: Parts): ReturnType<RailClient['send']> {
  return isSound(xml, schemas) ? rail.send(xml, contextOf(event)) : 'refused';
}

function isSound(xml: string, schemas: Schemas): boolean {
  try {
    openMessage(Buffer.from(xml), schemas, SENT);
    return true;
  } catch (fault) {
    if (fault instanceof MessageFault) return false;
    throw fault;
  }
}

function unanswered(what: string, event: Event, { logger }: Parts): void {
  logger.error(what, { correlationId: event.correlationid, event: event.type, eventId: event.id });
}
