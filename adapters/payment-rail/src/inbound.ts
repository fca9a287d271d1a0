import express, { type Request, type RequestHandler } from 'express';
import type { Event, EventContext } from '@kontor/kernel/events';
import { contextOfRequest } from '@kontor/kernel/http';
import type { Logger } from '@kontor/kernel/logger';
import { Transient } from '@kontor/kernel/messaging';
import { problem } from '@kontor/kernel/problem';
import { consequencesOf, TAKEN, type Consequences } from './consequences.js';
import { writeStatusReports } from './pacs002.js';
import type { RailClient } from './rail-client.js';
import { isSignedBy, SIGNATURE_HEADER } from './signature.js';
import { MessageFault, openMessage, type Schemas } from '@kontor/kernel/iso20022';

const MOST_BYTES = '8mb';

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
 * signature (401) · media type (415) · size (413) · XML, schema, structure (400) · events · refusals · 202.
 */
export function inbound(parts: Parts): RequestHandler[] {
  return [
    express.raw({ type: () => true, limit: MOST_BYTES }),
    async (request, response) => {
      const body = authenticated(request, parts);
      const context = contextOfRequest(response);
      await effect(understood(body, parts.schemas, context), parts, context);
      response.status(202).end();
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

function understood(body: Buffer, schemas: Schemas, context: EventContext): Consequences {
  try {
    const { message, content } = openMessage(body, schemas, TAKEN);
    return consequencesOf(message, content, context);
  } catch (fault) {
    if (fault instanceof MessageFault) throw problem('invalid_message', `${fault.message}.`);
    throw fault;
  }
}

async function effect({ events, refusals, ignored }: Consequences, { emit, rail, logger }: Parts, context: EventContext): Promise<void> {
  for (const status of ignored)
    logger.warn('a message of the rail is about nothing of ours, or promises nothing', { correlationId: context.correlationId, status });
  for (const event of events) await emit(event);
  if (refusals && await rail.send(writeStatusReports(refusals), context) !== 'accepted') throw new Transient('the rail does not take our refusal');
}
