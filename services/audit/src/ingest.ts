/** The gateway's access log comes in here (Kong's http-log plugin): `POST /internal/access-records`, header `X-Audit-Key`. */
import { createHash, timingSafeEqual } from 'node:crypto';
import express, { type Router } from 'express';
import type { Logger } from '@kontor/kernel/logger';
import { problem } from '@kontor/kernel/problem';
import type { AccessRecords } from './access-records.js';
import type { TrailRepository } from './repository.js';
import { accessRecordOf, recordOfAccess, type AccessRecord } from './trail.js';

export interface IngestNeeds {
  trail: TrailRepository;
  accessRecords: AccessRecords;
  key: string;
  logger: Logger;
  now: () => Date;
}

const MOST_BATCH = 500;

/**
 * Answers 204 when the records are durable. Requests that come while others are being written are written together:
 * the chain takes one writer at a time, so a record a transaction would be its bound.
 */
export function ingest(needs: IngestNeeds): Router {
  const keep = batched<AccessRecord>((records) => write(needs, records));
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

async function write({ trail, accessRecords, now }: IngestNeeds, records: readonly AccessRecord[]): Promise<void> {
  await accessRecords.put(records);
  const at = now();
  const chained = records.map((record) => recordOfAccess(record, at)).filter((record) => record !== undefined);
  if (chained.length > 0) await trail.transaction((tx) => trail.append(tx, chained));
}

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

/** Compared by hash, so that neither length nor content shows in the time it takes. */
function sameKey(sent: string | string[] | undefined, expected: string): boolean {
  const hash = (text: string): Buffer => createHash('sha256').update(text).digest();
  return typeof sent === 'string' && timingSafeEqual(hash(sent), hash(expected));
}
