/** The document store of access records: one port, PostgreSQL JSONB or MongoDB behind it. */
import { MongoClient, type Collection, type Filter } from 'mongodb';
import { decodeCursor, encodeCursor } from '@kontor/kernel/cursor';
import type { Database } from '@kontor/kernel/database';
import { keyOf, type AccessRecord } from './trail.js';

export interface AccessFilter {
  customerId?: string;
  clientId?: string;
  consentId?: string;
  operation?: string;
  /** ISO 8601; not before. */
  from?: string;
  /** ISO 8601; before. */
  to?: string;
  limit: number;
  cursor?: string;
}

export interface AccessRecords {
  /** Keeps records; one that is already there (by request id and time) stays as it is. */
  put(records: readonly AccessRecord[]): Promise<void>;
  /** A page in the order of time, then request id. */
  list(filter: AccessFilter): Promise<{ records: AccessRecord[]; nextCursor: string | null }>;
  close(): Promise<void>;
}

type Position = { at: string; id: string };

function pageOf(found: AccessRecord[], limit: number): { records: AccessRecord[]; nextCursor: string | null } {
  const records = found.slice(0, limit);
  const last = records.at(-1);
  return { records, nextCursor: found.length > limit && last ? encodeCursor({ at: last.at, id: last.requestId }) : null };
}

function positionIn(cursor: string | undefined): Position | undefined {
  return cursor === undefined ? undefined : decodeCursor<Position>(cursor, ['at', 'id']);
}

/** Access records in the service's own PostgreSQL. */
export function postgresAccessRecords(database: Database): AccessRecords {
  return {
    async put(records) {
      await database.query(
        `insert into access_records (request_id, at, document)
         select document ->> 'requestId', (document ->> 'at')::timestamptz, document from jsonb_array_elements($1::jsonb) document
         order by 1, 2 on conflict do nothing`, [JSON.stringify(records)]);
    },
    async list({ customerId, clientId, consentId, operation, from, to, limit, cursor }) {
      const after = positionIn(cursor);
      const rows = await database.query<{ document: AccessRecord }>(
        `select document from access_records
         where ($1::text is null or document ->> 'customerId' = $1) and ($2::text is null or document ->> 'clientId' = $2)
           and ($3::text is null or document ->> 'consentId' = $3) and ($4::text is null or document ->> 'operation' = $4)
           and ($5::timestamptz is null or at >= $5) and ($6::timestamptz is null or at < $6)
           and ($7::timestamptz is null or (at, request_id) > ($7, $8))
         order by at, request_id limit $9`,
        [customerId ?? null, clientId ?? null, consentId ?? null, operation ?? null, from ?? null, to ?? null, after?.at ?? null, after?.id ?? null, limit + 1]);
      return pageOf(rows.map(({ document }) => document), limit);
    },
    close: async () => undefined,
  };
}

type AccessDocument = Omit<AccessRecord, 'at'> & { _id: string; at: Date };

const DUPLICATE_KEY = 11_000;

/** Access records in MongoDB, database as named by the URL (else `audit`), collection `access_records`. */
export async function mongoAccessRecords(url: string): Promise<AccessRecords> {
  const client = new MongoClient(url, { serverSelectionTimeoutMS: 3_000, appName: 'kontor-audit' });
  await client.connect();
  const named = new URL(url.replace(/^mongodb(\+srv)?:/, 'http:')).pathname.slice(1);
  const collection: Collection<AccessDocument> = client.db(named === '' ? 'audit' : named).collection('access_records');
  await collection.createIndexes([
    { key: { at: 1, requestId: 1 } },
    ...(['customerId', 'consentId', 'clientId'] as const).map((field) => ({ key: { [field]: 1 as const, at: 1 as const, requestId: 1 as const } })),
  ]);
  return {
    async put(records) {
      if (records.length === 0) return;
      const documents = records.map((record) => ({ ...record, _id: keyOf(record), at: new Date(record.at) }));
      await collection.insertMany(documents, { ordered: false, writeConcern: { w: 'majority' } }).catch((fault: unknown) => {
        if (!onlyDuplicates(fault)) throw fault;
      });
    },
    async list({ from, to, limit, cursor, ...fields }) {
      const after = positionIn(cursor);
      const wanted: Filter<AccessDocument>[] = Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [{ [name]: value }]));
      if (from !== undefined) wanted.push({ at: { $gte: new Date(from) } });
      if (to !== undefined) wanted.push({ at: { $lt: new Date(to) } });
      if (after) wanted.push({ $or: [{ at: { $gt: new Date(after.at) } }, { at: new Date(after.at), requestId: { $gt: after.id } }] });
      const found = await collection.find(wanted.length === 0 ? {} : { $and: wanted }).sort({ at: 1, requestId: 1 }).limit(limit + 1).toArray();
      return pageOf(found.map(({ _id, at, ...rest }) => ({ ...rest, at: at.toISOString() })), limit);
    },
    close: () => client.close(),
  };
}

function onlyDuplicates(fault: unknown): boolean {
  const { writeErrors, code } = fault as { writeErrors?: { code?: number }[] | { code?: number }; code?: number };
  const errors = writeErrors === undefined ? [] : Array.isArray(writeErrors) ? writeErrors : [writeErrors];
  return errors.length > 0 ? errors.every((error) => error.code === DUPLICATE_KEY) : code === DUPLICATE_KEY;
}
