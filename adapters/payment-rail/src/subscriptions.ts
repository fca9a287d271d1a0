/** What the adapter tells the rail: payments that may go out, and what became of transfers that came in. */
import { contextOf, newEvent, type Event } from '@kontor/kernel/events';
import { derivedId } from '@kontor/kernel/ids';
import type { Logger } from '@kontor/kernel/logger';
import type { Effects, Subscriptions } from '@kontor/kernel/service';
import { writeStatusReports } from './pacs002.js';
import { writeCreditTransfers } from './pacs008.js';
import { EXCHANGED, railIdOf, readRailReference } from './payment-rail.js';
import type { RailClient } from './rail-client.js';
import { MessageFault, openMessage, type Schemas } from '@kontor/kernel/iso20022';

/** FF01: invalid file format (ExternalStatusReason1Code). The rail will never take this message. */
const UNSENDABLE = 'FF01';

interface Parts {
  rail: Pick<RailClient, 'send'>;
  schemas: Schemas;
  bankBic: string;
  logger: Logger;
}

export function subscriptions(parts: Parts): Subscriptions {
  return {
    'payment.submitted': (event, effects) => submit(event, effects, parts),
    'account.credited': (event) => answer(event, event.data.railReference, 'ACSC', undefined, parts),
    'account.credit-refused': (event) => answer(event, event.data.railReference, 'RJCT', event.data.reason, parts),
  };
}

/** One payment, one pacs.008. MsgId and TxId are the payment's id and the times are the event's, so a repeat is the same message. */
async function submit(event: Event<'payment.submitted'>, { emit }: Effects, { rail, schemas, bankBic, logger }: Parts): Promise<void> {
  const { paymentId, amount, creditor, debtor, endToEndId, uetr, remittance } = event.data;
  const railId = railIdOf(paymentId);
  const xml = writeCreditTransfers({
    messageId: railId, createdAt: event.time,
    transfers: [{
      instructionId: railId, transactionId: railId, endToEndId, uetr, amount, debtor, creditor,
      ...(remittance === undefined ? {} : { remittance }),
    }],
  }, { debtorAgent: bankBic });
  const outcome = isSound(xml, schemas) ? await rail.send(xml, contextOf(event)) : 'refused';
  if (outcome === 'accepted') return;
  logger.error('the rail does not take a payment; it is rejected', { correlationId: event.correlationid, resourceId: paymentId, code: UNSENDABLE });
  await emit(newEvent('rail.payment-status-reported', {
    subject: paymentId, source: 'payment-rail', context: contextOf(event),
    id: derivedId(`rail.payment-status-reported/unsendable/${paymentId}`),
    data: { paymentId, status: 'RJCT', reason: UNSENDABLE, railReference: railId },
  }));
}

function isSound(xml: string, schemas: Schemas): boolean {
  try {
    openMessage(Buffer.from(xml), schemas, EXCHANGED);
    return true;
  } catch (fault) {
    if (fault instanceof MessageFault) return false;
    throw fault;
  }
}

async function answer(event: Event, reference: string, status: 'ACSC' | 'RJCT', reason: string | undefined, { rail, logger }: Parts): Promise<void> {
  const original = readRailReference(reference);
  // Money that did not come over this rail is no matter of this rail.
  if (!original) return;
  const xml = writeStatusReports({
    messageId: railIdOf(derivedId(`pacs.002/${status}/${reference}`)), createdAt: event.time,
    reports: [{ originalMessageId: original.messageId, reference: original.reference, status, ...(reason === undefined ? {} : { reason }) }],
  });
  if (await rail.send(xml, contextOf(event)) === 'refused')
    logger.error('the rail does not take the answer to a transfer', { correlationId: event.correlationid, event: event.type, eventId: event.id });
}
