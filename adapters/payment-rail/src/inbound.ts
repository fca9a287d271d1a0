import express, { type Request, type RequestHandler, type Response } from 'express';
import { newEvent, type Event, type EventContext } from '@kontor/kernel/events';
import { contextOfRequest } from '@kontor/kernel/http';
import { derivedId } from '@kontor/kernel/ids';
import type { Logger } from '@kontor/kernel/logger';
import { Transient } from '@kontor/kernel/messaging';
import { formatMoney, parseMoney } from '@kontor/kernel/money';
import { problem } from '@kontor/kernel/problem';
import { readStatusReports, writeStatusReports } from './pacs002.js';
import { readCreditTransfers } from './pacs008.js';
import {
  EXCHANGED, messageFault, paymentReport, railReference, referenceOf, transferFault, type CreditTransfer, type CreditTransferMessage, type StatusReportMessage,
} from './payment-rail.js';
import type { RailClient } from './rail-client.js';
import { isSignedBy, SIGNATURE_HEADER } from './signature.js';
import { MessageFault, openMessage, type Schemas } from '@kontor/kernel/iso20022';

const SOURCE = 'payment-rail';
const MOST_BYTES = '1mb';

interface Parts {
  secret: string;
  schemas: Schemas;
  rail: Pick<RailClient, 'send'>;
  emit: (event: Event) => Promise<void>;
  logger: Logger;
  now: () => Date;
}

/**
 * POST /inbound: what the rail delivers. 202 only when every consequence is durable (events confirmed by the broker, refusals
 * taken by the rail), so the rail repeats until then; repeats make the same event ids. In order:
 * signature (401) · media type (415) · size (413) · XML, schema, structure (400) · events · 202.
 */
export function inbound(parts: Parts): RequestHandler[] {
  return [
    express.raw({ type: () => true, limit: MOST_BYTES }),
    async (request, response) => {
      const body = authenticated(request, parts);
      const context = contextOfRequest(response);
      const effects = understood(body, parts, context);
      await effects();
      accepted(response);
    },
  ];
}

function authenticated(request: Request, { secret, now }: Parts): Buffer {
  const body: unknown = request.body;
  const bytes = Buffer.isBuffer(body) ? body : Buffer.alloc(0);
  if (!isSignedBy(request.get(SIGNATURE_HEADER), bytes, secret, Math.floor(now().getTime() / 1000)))
    throw problem('unauthenticated', 'Sign the message with the shared secret.').with({ 'WWW-Authenticate': 'RailSignature' });
  if (!request.is(['application/xml', 'text/xml'])) throw problem('unsupported_media_type', 'Send application/xml.');
  return bytes;
}

/** Reads the whole message before anything is told, so that a message with a fault tells nothing. */
function understood(body: Buffer, parts: Parts, context: EventContext): () => Promise<void> {
  try {
    const { message, content } = openMessage(body, parts.schemas, EXCHANGED);
    if (message === 'pacs.002.001.10') return reported(readStatusReports(content), parts, context);
    const transfers = readCreditTransfers(content);
    const fault = messageFault(transfers);
    if (fault) throw new MessageFault(fault);
    return credited(transfers, parts, context);
  } catch (fault) {
    if (fault instanceof MessageFault) throw problem('invalid_request', `${fault.message}.`);
    throw fault;
  }
}

function reported(message: StatusReportMessage, { emit, logger }: Parts, context: EventContext): () => Promise<void> {
  return async () => {
    for (const [i, entry] of message.reports.entries()) {
      const report = paymentReport(entry);
      if (!report) {
        logger.warn('a status report is about none of our payments, or promises nothing', { correlationId: context.correlationId, status: entry.status });
        continue;
      }
      await emit(newEvent('rail.payment-status-reported', {
        subject: report.paymentId, source: SOURCE, context,
        id: derivedId(`rail.payment-status-reported/${message.messageId}/${i}/${report.paymentId}/${report.status}`),
        data: { ...report, railReference: message.messageId },
      }));
    }
  };
}

/** Transactions that can never be booked are refused to the rail; the others become events. */
function credited(message: CreditTransferMessage, parts: Parts, context: EventContext): () => Promise<void> {
  const refused = message.transfers.flatMap((transfer) => {
    const reason = transferFault(transfer);
    return reason ? [{ transfer, reason }] : [];
  });
  return async () => {
    for (const transfer of message.transfers)
      if (!refused.some((entry) => entry.transfer === transfer)) await parts.emit(receivedEvent(message.messageId, transfer, context));
    if (refused.length === 0) return;
    const answer = await parts.rail.send(writeStatusReports({
      messageId: derivedId(`pacs.002/refused/${message.messageId}`).replaceAll('-', ''),
      // Of the original, so that a repeated delivery makes the same answer.
      createdAt: message.createdAt,
      reports: refused.map(({ transfer, reason }) => ({ originalMessageId: message.messageId, reference: referenceOf(transfer), status: 'RJCT', reason })),
    }), context);
    if (answer === 'refused') throw new Transient('the rail does not take our refusal');
  };
}

function receivedEvent(messageId: string, transfer: CreditTransfer, context: EventContext): Event {
  const reference = railReference(messageId, referenceOf(transfer));
  const { amount, creditor, debtor, endToEndId, remittance } = transfer;
  return newEvent('rail.credit-transfer-received', {
    subject: reference, source: SOURCE, context, id: derivedId(`rail.credit-transfer-received/${reference}`),
    data: {
      railReference: reference, messageId, creditorIban: creditor.iban ?? '', debtor: { name: debtor.name, iban: debtor.iban ?? '' },
      amount: formatMoney(parseMoney(amount)), endToEndId, ...(remittance === undefined ? {} : { remittance }),
    },
  });
}

function accepted(response: Response): void {
  response.status(202).end();
}
