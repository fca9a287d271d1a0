/** All SQL of the trail: appending, reading, proving, erasing. */
import { decodeCursor, encodeCursor } from '@kontor/kernel/cursor';
import type { Database, Tx } from '@kontor/kernel/database';
import type { Event } from '@kontor/kernel/events';
import { newDataKey, seal, unseal, unwrapDataKey } from './sealing.js';
import {
  canonicalJson, canonicalOf, concludeProof, EMPTY_PROOF, prove, recordOfErasure,
  type ChainedRecord, type NewRecord, type NotedHash, type Proof, type SealedRecord,
} from './trail.js';

/** A record as a compliance officer reads it. */
export interface ReadRecord extends ChainedRecord {
  opened: { state: 'readable' | 'erased' | 'none'; fields?: Record<string, unknown> };
}

export interface TrailFilter {
  customerId?: string;
  type?: string;
  clientId?: string;
  consentId?: string;
  from?: string;
  to?: string;
  limit: number;
  cursor?: string;
}

export interface TrailRepository {
  /** Appends records in order; those already there (by event id) are left out. @returns those that were appended */
  append(tx: Tx, records: readonly NewRecord[]): Promise<NewRecord[]>;
  /** Tells events in the transaction of what they tell: one statement, since the chain's lock is held meanwhile. */
  tell(tx: Tx, events: readonly Event[]): Promise<void>;
  transaction<T>(effects: (tx: Tx) => Promise<T>): Promise<T>;
  /** A page in the order of the chain. */
  list(filter: TrailFilter): Promise<{ records: ReadRecord[]; nextCursor: string | null }>;
  find(eventId: string): Promise<ReadRecord | undefined>;
  /** Recomputes every hash, in batches; `from` carries an earlier proof on. */
  verify(noted?: NotedHash, from?: Proof): Promise<Proof>;
  /** Destroys the keys of a customer and of the resources known as theirs. @returns when it was (first) done; undefined for a customer the trail does not know */
  erase(customerId: string, given: { eventId: string; clientId: string; correlationId: string; now: Date }): Promise<Date | undefined>;
}

interface RecordRow {
  position: string; event_id: string; kind: ChainedRecord['kind']; type: string; at: Date; recorded_at: Date; source: string | null;
  client_id: string | null; customer_id: string | null; subject: string | null; consent_id: string | null; operation: string | null;
  status: number | null; decision: string | null; code: string | null; correlation_id: string | null; data: string;
  personal: ChainedRecord['personal']; ciphertext: Buffer | null; previous_hash: Buffer; hash: Buffer;
}

const PROOF_BATCH = 2_000;

export function trailRepository(database: Database, masterKey: Buffer): TrailRepository {
  /** The customers the records belong to: named by them, or learnt earlier for one of their resources. Learns new ones. */
  const customersOf = async (tx: Tx, records: readonly NewRecord[]): Promise<(string | undefined)[]> => {
    const resources = [...new Set(records.flatMap((record) => record.resources))];
    if (resources.length === 0) return records.map((record) => record.customerId);
    const rows = await database.query<{ subject: string; customer_id: string }>(
      'select subject, customer_id from subject_customers where subject = any($1)', [resources], tx);
    const known = new Map(rows.map((row) => [row.subject, row.customer_id]));
    const learnt = new Map(records.flatMap((record) => record.customerId === undefined ? [] : record.resources
      .filter((resource) => !known.has(resource) && !resource.startsWith('event:'))
      .map((resource) => [resource, record.customerId] as const)));
    if (learnt.size > 0)
      await database.query(
        `insert into subject_customers (subject, customer_id) select subject, customer_id::uuid from unnest($1::text[], $2::text[]) as learnt (subject, customer_id)
         order by subject on conflict do nothing`, [[...learnt.keys()], [...learnt.values()]], tx);
    return records.map((record) => record.customerId ?? record.resources.map((resource) => known.get(resource)).find((id) => id !== undefined));
  };

  /** The keys of subjects, made where there are none, locked against erasure until the end of the transaction. Erased: undefined. */
  const keysOf = async (tx: Tx, subjects: readonly string[], now: string): Promise<Map<string, Buffer | undefined>> => {
    const read = (): Promise<{ subject: string; wrapped: Buffer | null }[]> => database.query<{ subject: string; wrapped: Buffer | null }>(
      'select subject, wrapped from data_keys where subject = any($1) order by subject for share', [subjects], tx);
    let rows = subjects.length === 0 ? [] : await read();
    const missing = subjects.filter((subject) => !rows.some((row) => row.subject === subject)).sort();
    if (missing.length > 0) {
      await database.query(
        'insert into data_keys (subject, wrapped, created_at) select subject, wrapped, $3 from unnest($1::text[], $2::bytea[]) as made (subject, wrapped) on conflict do nothing',
        [missing, missing.map((subject) => newDataKey(masterKey, subject)), now], tx);
      rows = await read();
    }
    return new Map(rows.map(({ subject, wrapped }) => [subject, wrapped === null ? undefined : unwrapDataKey(masterKey, wrapped, subject)]));
  };

  const append: TrailRepository['append'] = async (tx, records) => {
    if (records.length === 0) return [];
    const customers = await customersOf(tx, records);
    const subjects = records.map(({ personal, resources }, i) =>
      Object.keys(personal).length === 0 ? undefined : customers[i] === undefined ? resources[0] : `customer:${customers[i]}`);
    // Links, then keys, then the chain's lock: every writer takes its locks in this order.
    const keys = await keysOf(tx, [...new Set(subjects.filter((subject) => subject !== undefined))], records[0]!.recordedAt);
    const rows = records.map((record, i) => sealed(record, customers[i], subjects[i], keys));
    const appended = await database.query<{ event_id: string }>('select append_audit_records($1::jsonb) as event_id', [JSON.stringify(rows.map(toParameter))], tx);
    const byId = new Map(records.map((record) => [record.eventId, record]));
    return appended.map(({ event_id: id }) => byId.get(id)).filter((record) => record !== undefined);
  };

  const opened = async (rows: readonly RecordRow[]): Promise<ReadRecord[]> => {
    const subjects = [...new Set(rows.flatMap((row) => (row.personal === 'sealed' && row.subject !== null ? [row.subject] : [])))];
    const keys = subjects.length === 0 ? [] : await database.query<{ subject: string; wrapped: Buffer | null }>(
      'select subject, wrapped from data_keys where subject = any($1)', [subjects]);
    const wrapped = new Map(keys.map((key) => [key.subject, key.wrapped]));
    return rows.map((row) => ({ ...fromRow(row), opened: open(row, wrapped.get(row.subject ?? '') ?? undefined) }));
  };

  const open = (row: RecordRow, wrapped: Buffer | undefined): ReadRecord['opened'] => {
    if (row.personal === 'none') return { state: 'none' };
    if (row.personal === 'withheld' || wrapped === undefined || row.ciphertext === null) return { state: 'erased' };
    const key = unwrapDataKey(masterKey, wrapped, row.subject!);
    const fields = JSON.parse(unseal(key, row.ciphertext, placeOf(row.event_id)).toString('utf8')) as Record<string, unknown>;
    return { state: 'readable', fields };
  };

  return {
    append,
    async tell(tx, events) {
      await database.query(
        `insert into outbox (id, type, routing_key, event)
         select (e->>'id')::uuid, e->>'type', e->>'type', e from jsonb_array_elements($1::jsonb) with ordinality as told (e, n) order by n`, [JSON.stringify(events)], tx);
    },
    transaction: (effects) => database.transaction(effects),
    async list({ customerId, type, clientId, consentId, from, to, limit, cursor }) {
      const after = cursor === undefined ? 0 : decodeCursor<{ position: number }>(cursor, ['position']).position;
      const theirs = customerId === undefined ? [] : (await database.query<{ subject: string }>(
        'select subject from subject_customers where customer_id = $1', [customerId])).map(({ subject }) => subject);
      const consents = theirs.filter((subject) => subject.startsWith('consent:')).map((subject) => subject.slice('consent:'.length));
      const rows = await database.query<RecordRow>(
        `select * from audit_records
         where position > $1
           and ($2::uuid is null or customer_id = $2 or subject = any($3::text[]) or consent_id = any($4::uuid[]))
           and ($5::text is null or type = $5) and ($6::text is null or client_id = $6) and ($7::uuid is null or consent_id = $7)
           and ($8::timestamptz is null or at >= $8) and ($9::timestamptz is null or at < $9)
         order by position limit $10`,
        [after, customerId ?? null, theirs, consents, type ?? null, clientId ?? null, consentId ?? null, from ?? null, to ?? null, limit + 1]);
      const page = rows.slice(0, limit);
      const last = page.at(-1);
      return { records: await opened(page), nextCursor: rows.length > limit && last ? encodeCursor({ position: Number(last.position) }) : null };
    },
    async find(eventId) {
      const rows = await database.query<RecordRow>('select * from audit_records where event_id = $1', [eventId]);
      return (await opened(rows))[0];
    },
    async verify(noted, from = EMPTY_PROOF) {
      let proof = from;
      for (;;) {
        const rows = await database.query<RecordRow>(
          'select * from audit_records where position > $1 order by position limit $2', [proof.headPosition, PROOF_BATCH]);
        proof = prove(proof, rows.map(fromRow), noted);
        if (proof.firstBreak || rows.length < PROOF_BATCH) return concludeProof(proof, noted);
      }
    },
    erase: (customerId, given) => database.transaction(async (tx) => {
      const subject = `customer:${customerId}`;
      const [known] = await database.query(
        `select 1 as known where exists (select from audit_records where customer_id = $1) or exists (select from data_keys where subject = $2)
           or exists (select from subject_customers where customer_id = $1)`, [customerId, subject], tx);
      if (!known) return undefined;
      // Also a customer without a key gets an erased one: what comes later is withheld.
      await database.query(
        'insert into data_keys (subject, wrapped, created_at, erased_at) values ($1, null, $2, $2) on conflict do nothing', [subject, given.now], tx);
      await database.query(
        `update data_keys set wrapped = null, erased_at = $2 where erased_at is null
           and (subject = $3 or subject in (select subject from subject_customers where customer_id = $1))`, [customerId, given.now, subject], tx);
      const [row] = await database.query<{ erased_at: Date }>('select erased_at from data_keys where subject = $1', [subject], tx);
      if (row!.erased_at.getTime() === given.now.getTime()) await append(tx, [recordOfErasure(customerId, given)]);
      return row!.erased_at;
    }),
  };
}

function sealed(record: NewRecord, customerId: string | undefined, subject: string | undefined, keys: ReadonlyMap<string, Buffer | undefined>): SealedRecord {
  const { data, personal, resources: _resources, ...kept } = record;
  const whole = { ...kept, ...(customerId === undefined ? {} : { customerId }), data: canonicalJson(data) };
  if (subject === undefined) return { ...whole, personal: 'none' };
  const key = keys.get(subject);
  if (key === undefined) return { ...whole, subject, personal: 'withheld' };
  const ciphertext = seal(key, Buffer.from(canonicalJson(personal), 'utf8'), placeOf(record.eventId)).toString('base64');
  return { ...whole, subject, personal: 'sealed', ciphertext };
}

function placeOf(eventId: string): { table: string; column: string; row: string } {
  return { table: 'audit_records', column: 'ciphertext', row: eventId };
}

function toParameter(r: SealedRecord): Record<string, unknown> {
  return {
    event_id: r.eventId, kind: r.kind, type: r.type, at: r.at, recorded_at: r.recordedAt, source: r.source, client_id: r.clientId,
    customer_id: r.customerId, subject: r.subject, consent_id: r.consentId, operation: r.operation, status: r.status, decision: r.decision,
    code: r.code, correlation_id: r.correlationId, data: r.data, personal: r.personal, ciphertext: r.ciphertext, canonical: canonicalOf(r),
  };
}

function fromRow(row: RecordRow): ChainedRecord {
  return {
    position: Number(row.position), eventId: row.event_id, kind: row.kind, type: row.type, at: row.at.toISOString(),
    recordedAt: row.recorded_at.toISOString(), data: row.data, personal: row.personal, previousHash: row.previous_hash, hash: row.hash,
    ...(row.source === null ? {} : { source: row.source }),
    ...(row.client_id === null ? {} : { clientId: row.client_id }),
    ...(row.customer_id === null ? {} : { customerId: row.customer_id }),
    ...(row.subject === null ? {} : { subject: row.subject }),
    ...(row.consent_id === null ? {} : { consentId: row.consent_id }),
    ...(row.operation === null ? {} : { operation: row.operation }),
    ...(row.status === null ? {} : { status: row.status }),
    ...(row.decision === null ? {} : { decision: row.decision }),
    ...(row.code === null ? {} : { code: row.code }),
    ...(row.correlation_id === null ? {} : { correlationId: row.correlation_id }),
    ...(row.ciphertext === null ? {} : { ciphertext: row.ciphertext.toString('base64') }),
  };
}
