/** The gateway's access log comes in here (Kong's http-log plugin): `POST /internal/access-records`, header `X-Audit-Key`. */
import express, { type Router } from 'express';
import { childTraceparent, newEvent, type Event } from '@kontor/kernel/events';
import { newId } from '@kontor/kernel/ids';
import type { Logger } from '@kontor/kernel/logger';
import type { Metrics } from '@kontor/kernel/metrics';
import { problem } from '@kontor/kernel/problem';
import { sameKey } from '@kontor/kernel/shared-key';
import type { AccessRecords } from './access-records.js';
import { codeLabel, decidedIn, type Decided } from './decided.js';
import type { TrailRepository } from './repository.js';
import { accessRecordOf, recordOfAccess, type AccessRecord } from './trail.js';

export interface IngestNeeds {
  trail: TrailRepository;
  accessRecords: AccessRecords;
  key: string;
  logger: Logger;
  metrics: Metrics;
  now: () => Date;
}

const MOST_BATCH = 500;

/**
 * Answers 204 when the records are durable. Requests that come while others are being written are written together:
 * the chain takes one writer at a time, so a record a transaction would be its bound.
 */
export function ingest(needs: IngestNeeds): Router {
  const counted = needs.metrics.counter({ name: 'consent_decisions_total', help: 'Decisions of the gateway under consents, each counted once.', labels: ['decision', 'code'] });
  const keep = batched<AccessRecord>(async (records) => {
    for (const { data } of await write(needs, records)) counted.inc({ decision: data.decision, code: codeLabel(data.code) }, data.count);
  });
  const router = express.Router();
  router.post('/access-records', (request, _response, next) => {
    if (!sameKey(request.headers['x-audit-key'], needs.key)) throw problem('unauthenticated', 'Show the key of the gateway in X-Audit-Key.');
    next();
  }, express.json({ limit: '2mb' }), async (request, response) => {
    const entries: unknown[] = Array.isArray(request.body) ? request.body : [request.body];
    const records = entries.map(accessRecordOf).filter((record) => record !== undefined);
    // A gateway that speaks another form must not go unnoticed, and repeating the entry would not help.
    if (records.length < entries.length) needs.logger.error('access entries could not be read', { code: 'access_entry_unreadable' });
    if (records.length > 0) await keep(records);
    response.status(204).end();
  });
  return router;
}

/**
 * Keeps records in the document store, then in the chain, and tells of those the chain did not have yet (access.decided) in the chain's
 * transaction. The chain is the one that says what is new, whichever document store there is: a batch that is delivered again, after an
 * answer was lost or a write failed half-way, is counted as far as it was not counted.
 */
async function write({ trail, accessRecords, now }: IngestNeeds, records: readonly AccessRecord[]): Promise<Decided[]> {
  await accessRecords.put(records);
  const at = now();
  const chained = records.map((record) => recordOfAccess(record, at)).filter((record) => record !== undefined);
  if (chained.length === 0) return [];
  return trail.transaction(async (tx) => {
    const decided = decidedIn(await trail.append(tx, chained));
    if (decided.length > 0) await trail.tell(tx, decided.map((one) => decidedEvent(one, at)));
    return decided;
  });
}

const decidedEvent = ({ data, customerId }: Decided, now: Date): Event => newEvent('access.decided', {
  subject: data.consentId, data, source: 'audit', now, ...(customerId === undefined ? {} : { customerId }),
  context: { correlationId: newId(), traceparent: childTraceparent(), clientId: data.clientId },
});

/** Groups what is given while a write is under way; each giver waits for the write that holds its records. */
export function batched<T>(writeAll: (items: readonly T[]) => Promise<void>): (items: readonly T[]) => Promise<void> {
  let waiting: { items: readonly T[]; done: () => void; failed: (fault: unknown) => void }[] = [];
  let writing = false;

  const run = async (): Promise<void> => {
    writing = true;
    while (waiting.length > 0) {
      let size = 0;
      const group = waiting.filter(({ items }) => (size += items.length) <= MOST_BATCH || size === items.length);
      waiting = waiting.slice(group.length);
      await writeAll(group.flatMap(({ items }) => items)).then(() => group.forEach(({ done }) => done()), (fault: unknown) => group.forEach(({ failed }) => failed(fault)));
    }
    writing = false;
  };

  return (items) => new Promise((done, failed) => {
    waiting.push({ items, done, failed });
    if (!writing) void run();
  });
}
