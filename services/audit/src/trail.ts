/** The rules of the trail: what of an event is personal, whose it is, what is hashed, what an access entry may hold. */
import { createHash } from 'node:crypto';
import type { AnyEvent } from '@kontor/kernel/events';
import { derivedId, isId } from '@kontor/kernel/ids';

/** A record before it has its place in the chain. Times are ISO 8601 UTC with milliseconds. */
export interface NewRecord {
  eventId: string;
  kind: 'event' | 'access' | 'erasure';
  type: string;
  at: string;
  recordedAt: string;
  source?: string;
  clientId?: string;
  customerId?: string;
  consentId?: string;
  operation?: string;
  status?: number;
  decision?: string;
  code?: string;
  correlationId?: string;
  /** What is not personal. */
  data: Record<string, unknown>;
  /** What is personal, in the clear; sealed before it is kept. Empty: none. */
  personal: Record<string, unknown>;
  /** Resources the record is about, most telling first: `account:<id>`. */
  resources: string[];
}

/** A record as it is kept and hashed. */
export interface SealedRecord extends Omit<NewRecord, 'data' | 'personal' | 'resources'> {
  subject?: string;
  /** Canonical JSON. */
  data: string;
  personal: 'none' | 'sealed' | 'withheld';
  /** base64 */
  ciphertext?: string;
}

/**
 * Fields of events that are kept in the clear: ids, states, codes. Whatever is not listed counts as personal and is
 * sealed, so a field added to an event tomorrow cannot end in the clear by being forgotten here.
 */
const CLEAR_FIELDS: ReadonlySet<string> = new Set([
  'customerId', 'clientId', 'caseId', 'accountId', 'paymentId', 'consentId', 'debtorAccountId', 'transactionId', 'holdId', 'endpointId',
  'appId', 'railReference', 'coreReference', 'uetr', 'status', 'identity', 'screening', 'consentType', 'permissions', 'accounts',
  'changed', 'roles', 'product', 'currency', 'decidedBy', 'version', 'expiresAt', 'daysLeft',
  // Of the gateway's configuration: names of entities, and the administrator, who is no customer.
  'actor', 'environment', 'release', 'previousRelease', 'digest', 'outcome', 'created', 'updated', 'deleted',
  // Of an operator's decision on a dead letter.
  'queue', 'eventId', 'eventType', 'cause', 'discardReason',
]);

/** Ids by which a resource's customer can be learnt, most telling first. */
const RESOURCE_FIELDS = [
  ['accountId', 'account'], ['debtorAccountId', 'account'], ['paymentId', 'payment'], ['consentId', 'consent'], ['caseId', 'case'],
  ['railReference', 'rail'], ['appId', 'app'], ['endpointId', 'endpoint'], ['release', 'release'],
] as const;

/** The record of an event. `recordedAt` is now. */
export function recordOfEvent(event: AnyEvent, now: Date): NewRecord {
  const fields = event.data as unknown as Record<string, unknown>;
  const entries = Object.entries(fields);
  const customerId = [event.customerid, fields.customerId].find(isId);
  const resources = RESOURCE_FIELDS.flatMap(([field, kind]) => (typeof fields[field] === 'string' ? [`${kind}:${fields[field]}`] : []));
  return {
    eventId: event.id,
    kind: 'event',
    type: event.type,
    at: new Date(event.time).toISOString(),
    recordedAt: now.toISOString(),
    source: event.source,
    ...(event.clientid === undefined ? {} : { clientId: event.clientid }),
    ...(customerId === undefined ? {} : { customerId }),
    ...(isId(fields.consentId) ? { consentId: fields.consentId } : {}),
    correlationId: event.correlationid,
    data: Object.fromEntries(entries.filter(([name]) => CLEAR_FIELDS.has(name))),
    personal: Object.fromEntries(entries.filter(([name]) => !CLEAR_FIELDS.has(name))),
    resources: resources.length > 0 ? resources : [`event:${event.id}`],
  };
}

/** One request that passed or was refused at the gateway. */
export interface AccessRecord {
  requestId: string;
  /** ISO 8601 UTC with milliseconds. */
  at: string;
  method: string;
  status: number;
  route?: string;
  clientId?: string;
  operation?: string;
  audience?: string;
  consentId?: string;
  customerId?: string;
  decision?: string;
  code?: string;
  correlationId?: string;
  latencyMs?: number;
}

/**
 * Reads an entry of Kong's log serializer (http-log) by allow-list: no address line, header or body is taken, since a
 * path or query may hold account numbers and tokens. A customer named in the address (`/customers/{id}`,
 * `?customerId=`) is kept as id. @returns undefined when the entry names no request, time or status
 */
export function accessRecordOf(entry: unknown): AccessRecord | undefined {
  const { request, response, route, consumer, latencies, kontor, started_at: startedAt } = member(entry);
  const { id, method, uri } = member(request);
  const status = member(response).status;
  const facts = member(kontor);
  if (typeof startedAt !== 'number' || !Number.isFinite(startedAt) || startedAt < 0 || startedAt > 8.64e15) return undefined;
  if (typeof status !== 'number' || !Number.isInteger(status) || status < 100 || status > 599) return undefined;
  if (typeof method !== 'string' || !/^[A-Z]{3,10}$/.test(method)) return undefined;
  const latency = member(latencies).request;
  const record: Omit<AccessRecord, 'requestId'> = withoutUndefined({
    at: new Date(startedAt).toISOString(),
    method,
    status,
    route: word(member(route).name),
    clientId: word(member(consumer).custom_id),
    operation: word(facts.operation),
    audience: word(facts.audience),
    consentId: idIn(facts.consentId),
    customerId: idIn(facts.customerId) ?? customerIn(uri),
    decision: word(facts.decision),
    code: word(facts.code),
    correlationId: word(facts.correlationId),
    latencyMs: typeof latency === 'number' && latency >= 0 ? Math.round(latency) : undefined,
  });
  return { requestId: word(id) ?? derivedId(canonicalJson(record)), ...record };
}

/**
 * What makes a request one: its id and the time it began. The id alone is not enough, since a gateway may take it over
 * from the client, and a client that repeats it must not keep its later requests out of the records.
 */
export function keyOf({ requestId, at }: AccessRecord): string {
  return `${requestId}@${at}`;
}

/** The trail's record of an access decision, when it concerns a customer or a consent; else undefined. */
export function recordOfAccess(access: AccessRecord, now: Date): NewRecord | undefined {
  if (access.customerId === undefined && access.consentId === undefined) return undefined;
  const { requestId, at, clientId, customerId, consentId, operation, status, decision, code, correlationId, ...data } = access;
  return {
    eventId: derivedId(`access/${keyOf(access)}`),
    kind: 'access',
    type: ACCESS_TYPE,
    at,
    recordedAt: now.toISOString(),
    source: 'gateway',
    ...withoutUndefined({ clientId, customerId, consentId, operation, status, decision, code, correlationId }),
    data: { requestId, ...data },
    personal: {},
    resources: consentId === undefined ? [] : [`consent:${consentId}`],
  };
}

/** The trail's record of an erasure. */
export function recordOfErasure(customerId: string, given: { eventId: string; clientId: string; correlationId: string; now: Date }): NewRecord {
  return {
    eventId: given.eventId, kind: 'erasure', type: ERASURE_TYPE, at: given.now.toISOString(), recordedAt: given.now.toISOString(),
    source: 'audit', clientId: given.clientId, customerId, correlationId: given.correlationId, data: { customerId }, personal: {}, resources: [],
  };
}

export const ACCESS_TYPE = 'access.decision';
export const ERASURE_TYPE = 'personal-data.erased';

/** The text of a record that goes into its hash: every kept field, absent ones as null. */
export function canonicalOf(record: SealedRecord): string {
  const { eventId, kind, type, at, recordedAt, source, clientId, customerId, subject, consentId, operation, status, decision, code, correlationId, data, personal, ciphertext } = record;
  const fields = { eventId, kind, type, at, recordedAt, source, clientId, customerId, subject, consentId, operation, status, decision, code, correlationId, data, personal, ciphertext };
  return canonicalJson(Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, value ?? null])));
}

/** sha256(previous hash, position, canonical text): the same as the SQL function append_audit_records computes. */
export function hashOf(record: SealedRecord, position: number, previousHash: Buffer): Buffer {
  return createHash('sha256').update(previousHash).update(`${position} ${canonicalOf(record)}`, 'utf8').digest();
}

export const FIRST_PREVIOUS_HASH = Buffer.alloc(32);

/** A record as it stands in the chain. */
export interface ChainedRecord extends SealedRecord {
  position: number;
  previousHash: Buffer;
  hash: Buffer;
}

export type BreakReason = 'missing_record' | 'wrong_previous_hash' | 'altered_record' | 'unexpected_hash';

/** How far a chain is proven, and where it breaks first. */
export interface Proof {
  records: number;
  headPosition: number;
  headHash: Buffer;
  firstBreak?: { position: number; reason: BreakReason };
}

export const EMPTY_PROOF: Proof = { records: 0, headPosition: 0, headHash: FIRST_PREVIOUS_HASH };

/** A hash noted at an earlier proof: it shows an end that was cut off or written anew. */
export interface NotedHash {
  position: number;
  hash: string;
}

/** Carries a proof on over the records that follow, in order of position. */
export function prove(proof: Proof, records: readonly ChainedRecord[], noted?: NotedHash): Proof {
  let proven = proof;
  for (const record of records) {
    if (proven.firstBreak) return proven;
    const reason = breakOf(proven, record, noted);
    if (reason) return { ...proven, firstBreak: { position: reason === 'missing_record' ? proven.headPosition + 1 : record.position, reason } };
    proven = { records: proven.records + 1, headPosition: record.position, headHash: record.hash };
  }
  return proven;
}

/** Ends a proof: a noted position beyond the end means that the end was cut off. */
export function concludeProof(proof: Proof, noted?: NotedHash): Proof {
  if (proof.firstBreak || !noted || noted.position <= proof.headPosition) return proof;
  return { ...proof, firstBreak: { position: proof.headPosition + 1, reason: 'missing_record' } };
}

function breakOf(proven: Proof, record: ChainedRecord, noted: NotedHash | undefined): BreakReason | undefined {
  if (record.position !== proven.headPosition + 1) return 'missing_record';
  if (!record.previousHash.equals(proven.headHash)) return 'wrong_previous_hash';
  if (!record.hash.equals(hashOf(record, record.position, record.previousHash))) return 'altered_record';
  if (noted?.position === record.position && noted.hash !== record.hash.toString('hex')) return 'unexpected_hash';
  return undefined;
}

/** JSON with the members of every object sorted by name (as RFC 8785 §3.2.3). */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_name, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : inner);
}

function member(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

/** A name, code or id: letters, digits and a few signs; anything else is not taken. */
function word(value: unknown): string | undefined {
  return typeof value === 'string' && /^[A-Za-z0-9._:~-]{1,128}$/.test(value) ? value : undefined;
}

function idIn(value: unknown): string | undefined {
  return isId(value) ? value.toLowerCase() : undefined;
}

function customerIn(uri: unknown): string | undefined {
  if (typeof uri !== 'string') return undefined;
  const found = /(?:\/customers\/|[?&]customerId=)([0-9a-fA-F-]{36})(?=[/?&#]|$)/.exec(uri)?.[1];
  return idIn(found);
}

function withoutUndefined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== undefined)) as T;
}
