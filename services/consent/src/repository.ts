/** All SQL on consents, and the order in which a decision becomes visible: D3 in ARCHITECTURE.md. */
import { createHash, randomBytes } from 'node:crypto';
import type { Database, Tx } from '@kontor/kernel/database';
import type { DecisionRecord } from '@kontor/kernel/consent-decision';
import { newEvent, type BulkTerms, type Event, type EventContext, type RecurringTerms } from '@kontor/kernel/events';
import { idempotent, type IdempotentAnswer } from '@kontor/kernel/idempotency';
import { appendEvent } from '@kontor/kernel/outbox';
import { decodeCursor, encodeCursor } from '@kontor/kernel/cursor';
import { problem } from '@kontor/kernel/problem';
import type { AuthorisationRequest } from './authorisation-request.js';
import {
  age, decisionOf, eventOf, isOver, noticeDue,
  type Actor, type Approval, type Change, type Consent, type ConsentedPayment, type ConsentEventType, type Consents, type ConsentStatus, type Outcome,
} from './consent.js';
import type { Decisions } from './decisions.js';

interface ConsentRow {
  id: string; client_id: string; type: Consent['type']; status: ConsentStatus; status_reason: Consent['statusReason'] | null;
  permissions: string[]; accounts: string[]; customer_id: string | null; approvers: string[]; approvals: { customerId: string; at: string }[];
  payment: ConsentedPayment | null; recurring: RecurringTerms | null; bulk: BulkTerms | null; one_off: boolean; frequency_per_day: number | null;
  amendment: { permissions: string[]; expiresAt: string; frequencyPerDay?: number; requestedAt: string } | null;
  redirect_uri: string; valid_from: Date | null; expires_at: Date; notice: number | null; version: number; created_at: Date; updated_at: Date;
  /** The database's clock, read after any lock was had. */
  read_at: Date;
}

const fromRow = (row: ConsentRow): Consent => ({
  id: row.id, clientId: row.client_id, type: row.type, status: row.status, permissions: row.permissions, accounts: row.accounts,
  approvers: row.approvers, approvals: row.approvals.map(({ customerId, at }): Approval => ({ customerId, at: new Date(at) })), oneOff: row.one_off,
  redirectUri: row.redirect_uri, expiresAt: row.expires_at, version: row.version, createdAt: row.created_at, updatedAt: row.updated_at,
  ...(row.status_reason ? { statusReason: row.status_reason } : {}),
  ...(row.customer_id ? { customerId: row.customer_id } : {}),
  ...(row.payment ? { payment: row.payment } : {}),
  ...(row.recurring ? { recurring: row.recurring } : {}),
  ...(row.bulk ? { bulk: row.bulk } : {}),
  ...(row.frequency_per_day === null ? {} : { frequencyPerDay: row.frequency_per_day }),
  ...(row.valid_from ? { validFrom: row.valid_from } : {}),
  ...(row.amendment ? { amendment: { ...row.amendment, expiresAt: new Date(row.amendment.expiresAt), requestedAt: new Date(row.amendment.requestedAt) } } : {}),
});

/** As time has made it, whether the sweep has come by or not. */
const asRead = (row: ConsentRow): Consent => age(fromRow(row), row.read_at).consent;

/** Proof of authentication, stored with the approval it made possible. */
export interface Authentication {
  id: string;
  customerId: string;
  factors: string[];
  linkedHash: Buffer;
}

/** What happens to a consent; `now` is the database's time. */
export type Rule = (consent: Consent, now: Date) => Outcome;

/** One line of the history. `terms` as they stood after it. */
export interface HistoryLine {
  version: number;
  at: Date;
  act: Change['act'];
  status: ConsentStatus;
  actor: Actor;
  reason: Change['reason'];
  note?: string;
  terms: { permissions: string[]; accounts: string[]; expiresAt: string; frequencyPerDay?: number };
}

export interface ConsentFilter { clientId?: string; customerId?: string; status?: string; type?: string; accountId?: string; limit: number; cursor?: string }
export interface ConsentPage { consents: Consent[]; nextCursor: string | null }

interface Write<Body> { key: string; body: unknown; context: EventContext; answer: (consent: Consent) => Body }

export interface ConsentRepository extends Consents {
  create<Body>(consent: Consent, request: Write<Body>): Promise<IdempotentAnswer<Body>>;
  /** Newest first. */
  search(filter: ConsentFilter): Promise<ConsentPage>;
  history(consentId: string): Promise<HistoryLine[]>;
  /** Reads the consent under a lock, applies the rule and makes the outcome visible in the safe order. @throws Problem `consent_not_found` */
  change(consentId: string, rule: Rule, context: EventContext, authentication?: Authentication): Promise<Consent>;
  /** As `change`, within a transaction that is already open (a subscription's). */
  changeIn(tx: Tx, consentId: string, rule: Rule, context: EventContext): Promise<Consent | undefined>;
  /** As `change` for a rule that leaves what is allowed as it is, once for each Idempotency-Key. */
  changeOnce<Body>(consent: Consent, operation: string, rule: Rule, request: Write<Body>): Promise<IdempotentAnswer<Body>>;
  /** Lets time do its work on what is due, a batch at a time: expiry, abandonment, notices. @returns how many consents changed or were told of */
  sweep(context: () => EventContext): Promise<number>;
  /** Writes the decision record again after it had gone from Redis. */
  remember(consent: Consent): Promise<void>;
  /** Counts one access without the customer, unless the day's are used up; exact among any number of requests. */
  countUse(consentId: string, use: { operation: string; account: string; limit: number }): Promise<{ allowed: boolean; used: number; retryAfter: number }>;
  /** Keeps an authorisation request for ten minutes, once for each Idempotency-Key. @param answer what the application is answered, given the reference and its end */
  leaveRequest<Body>(request: AuthorisationRequest, by: { key: string; body: unknown; answer: (reference: string, expiresAt: Date) => Body }): Promise<IdempotentAnswer<Body>>;
  /** Hands a request out, to the first who asks. */
  takeRequest(reference: string): Promise<AuthorisationRequest | undefined>;
}

const READ = 'SELECT c.*, clock_timestamp() AS read_at FROM consents c';
/** As `age` says, for those whose end has come since the last sweep. */
const STATUS_NOW = "CASE WHEN status IN ('awaiting_authorisation', 'partially_authorised', 'authorised') AND expires_at <= clock_timestamp() THEN 'expired' ELSE status END";

export function consentRepository(database: Database, decisions: Decisions, known: Pick<Consents, 'accountsOf' | 'applicationName'>): ConsentRepository {
  const find = async (consentId: string): Promise<Consent | undefined> => {
    const [row] = await database.query<ConsentRow>(`${READ} WHERE id = $1`, [consentId]);
    return row && asRead(row);
  };

  const locked = async (tx: Tx, consentId: string): Promise<ConsentRow | undefined> => {
    const [row] = await database.query<ConsentRow>(
      'WITH locked AS MATERIALIZED (SELECT * FROM consents WHERE id = $1 FOR UPDATE) SELECT *, clock_timestamp() AS read_at FROM locked', [consentId], tx);
    return row;
  };

  const write = async (tx: Tx, { consent, change }: { consent: Consent; change: Change }, at: Date, context: EventContext): Promise<void> => {
    await database.query(
      `UPDATE consents SET status = $2, status_reason = $3, permissions = $4, accounts = $5, customer_id = $6, approvers = $7, approvals = $8::jsonb, frequency_per_day = $9,
         amendment = $10::jsonb, expires_at = $11, notice = CASE WHEN expires_at = $11 THEN notice END, version = $12, updated_at = $13 WHERE id = $1`,
      [consent.id, consent.status, consent.statusReason ?? null, consent.permissions, consent.accounts, consent.customerId ?? null, consent.approvers,
        JSON.stringify(consent.approvals), consent.frequencyPerDay ?? null, consent.amendment ? JSON.stringify(consent.amendment) : null, consent.expiresAt, consent.version, consent.updatedAt], tx);
    await tell(tx, consent, change, at, context);
  };

  const tell = async (tx: Tx, consent: Consent, change: Change, at: Date, context: EventContext): Promise<void> => {
    const { permissions, accounts, expiresAt, frequencyPerDay } = consent;
    await database.query(
      `INSERT INTO consent_history (consent_id, version, at, act, status, actor_kind, actor_id, reason, note, terms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::jsonb)`,
      [consent.id, consent.version, at, change.act, consent.status, change.actor.kind, change.actor.id ?? null, change.reason, change.note ?? null,
        JSON.stringify({ permissions, accounts, expiresAt, ...(frequencyPerDay === undefined ? {} : { frequencyPerDay }) })], tx);
    const type = eventOf(consent, change);
    if (type) await appendEvent(database, tx, consentEvent(type, consent, context, { reason: consent.statusReason ?? change.reason }));
  };

  /**
   * The one way a consent changes. What is taken away is gone from Redis before the transaction can commit, so no request passes
   * after somebody was told "revoked"; what is given is written by `announce`, after the commit.
   */
  const step = async (tx: Tx, before: Consent, outcome: Outcome, at: Date, context: EventContext): Promise<Consent> => {
    const { consent: after, change } = outcome;
    if (!change) return before;
    await write(tx, { consent: after, change }, at, context);
    if (after.status !== 'authorised') await decisions.write(after.id, decisionOf(after));
    else if (change.act === 'amend') await decisions.write(after.id, allowedByBoth(decisionOf(before), decisionOf(after)), UNTIL_COMMITTED_S);
    return after;
  };

  const changeIn: ConsentRepository['changeIn'] = async (tx, consentId, rule, context) => {
    const row = await locked(tx, consentId);
    if (!row) return undefined;
    const before = fromRow(row);
    const aged = await step(tx, before, age(before, row.read_at), row.read_at, context);
    return step(tx, aged, rule(aged, row.read_at), row.read_at, context);
  };

  const change: ConsentRepository['change'] = async (consentId, rule, context, authentication) => {
    let recorded: Consent | undefined;
    try {
      const after = await database.transaction(async (tx) => {
        const changed = await changeIn(tx, consentId, rule, context);
        if (!changed) throw problem('consent_not_found', 'There is no consent with this id.');
        recorded = changed;
        if (authentication) await recordAuthentication(tx, changed, authentication);
        return changed;
      });
      recorded = undefined;
      if (after.status === 'authorised') await announce(after);
      return after;
    } finally {
      if (recorded) await decisions.takeBack(recorded.id, recorded.version);
    }
  };

  /**
   * Writes the record of the consent as it stands now. It is held against change until the record is written: what was read before
   * a revocation and written after Redis had lost the denial (a restart) would allow again what somebody was told is over.
   */
  const record = (consentId: string, lock: 'FOR SHARE' | 'FOR SHARE SKIP LOCKED'): Promise<void> => database.transaction(async (tx) => {
    const [row] = await database.query<ConsentRow>(
      `WITH held AS MATERIALIZED (SELECT * FROM consents WHERE id = $1 ${lock}) SELECT *, clock_timestamp() AS read_at FROM held`, [consentId], tx);
    if (row) await decisions.write(consentId, decisionOf(asRead(row)));
  });

  /** What is given is durable; a Redis that is away only makes the gateway ask the service. */
  const announce = (consent: Consent): Promise<void> => record(consent.id, 'FOR SHARE').catch(() => undefined);

  let remembering = 0;
  /** Best effort, and never so many that a Redis that hangs keeps all connections to the database; who is changing a consent writes its record himself. */
  const remember = async (consent: Consent): Promise<void> => {
    if (remembering >= REMEMBERED_AT_ONCE) return;
    remembering++;
    await record(consent.id, 'FOR SHARE SKIP LOCKED').catch(() => undefined).finally(() => { remembering--; });
  };

  const recordAuthentication = async (tx: Tx, consent: Consent, proof: Authentication): Promise<void> => {
    await database.query(
      'INSERT INTO authentications (id, consent_id, customer_id, factors, linked_hash, at) VALUES ($1, $2, $3, $4, $5, $6)',
      [proof.id, consent.id, proof.customerId, proof.factors, proof.linkedHash, consent.updatedAt], tx);
  };

  const notify = (consentId: string, context: EventContext): Promise<void> => database.transaction(async (tx) => {
    const row = await locked(tx, consentId);
    const daysLeft = row && noticeDue(fromRow(row), row.read_at, row.notice ?? undefined);
    if (!daysLeft) return;
    await database.query('UPDATE consents SET notice = $2 WHERE id = $1', [consentId, daysLeft], tx);
    await appendEvent(database, tx, consentEvent('consent.expiring', fromRow(row), context, { daysLeft }));
  });

  return {
    ...known,
    find, change, changeIn,
    create: (consent, { key, body, context, answer }) =>
      idempotent(database, { key, clientId: consent.clientId, operation: 'createConsent', body }, async (tx) => {
        await database.query(
          `INSERT INTO consents (id, client_id, type, status, permissions, payment, recurring, bulk, one_off, frequency_per_day, redirect_uri, valid_from, expires_at, version, created_at, updated_at)
           VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7::jsonb, $8::jsonb, $9, $10, $11, $12, $13, $14, $15, $15)`,
          [consent.id, consent.clientId, consent.type, consent.status, consent.permissions, json(consent.payment), json(consent.recurring), json(consent.bulk), consent.oneOff,
            consent.frequencyPerDay ?? null, consent.redirectUri, consent.validFrom ?? null, consent.expiresAt, consent.version, consent.createdAt], tx);
        await tell(tx, consent, { act: 'create', actor: { kind: 'third_party', id: consent.clientId }, reason: 'requested' }, consent.createdAt, context);
        return { status: 201, body: answer(consent), headers: { Location: `/v1/consents/${consent.id}` } };
      }),
    changeOnce: (consent, operation, rule, { key, body, context, answer }) =>
      idempotent(database, { key, clientId: consent.clientId, operation, body, params: { consentId: consent.id } }, async (tx) => {
        const after = await changeIn(tx, consent.id, rule, context);
        if (!after) throw problem('consent_not_found', 'There is no consent with this id.');
        return { status: 200, body: answer(after) };
      }),
    async search({ clientId, customerId, status, type, accountId, limit, cursor }) {
      const after = cursor ? decodeCursor<{ createdAt: string; id: string }>(cursor) : undefined;
      const rows = await database.query<ConsentRow>(
        `${READ} WHERE ($1::text IS NULL OR client_id = $1) AND ($2::uuid IS NULL OR customer_id = $2 OR approvers @> ARRAY[$2::uuid]) AND ($3::text IS NULL OR ${STATUS_NOW} = $3)
           AND ($4::text IS NULL OR type = $4) AND ($5::uuid IS NULL OR accounts @> ARRAY[$5::uuid]) AND ($6::timestamptz IS NULL OR (created_at, id) < ($6, $7::uuid))
         ORDER BY created_at DESC, id DESC LIMIT $8`,
        [clientId ?? null, customerId ?? null, status ?? null, type ?? null, accountId ?? null, after?.createdAt ?? null, after?.id ?? null, limit + 1]);
      const consents = rows.slice(0, limit).map(asRead);
      const last = consents.at(-1);
      return { consents, nextCursor: rows.length > limit && last ? encodeCursor({ createdAt: last.createdAt.toISOString(), id: last.id }) : null };
    },
    async listOfCustomer(customerId) {
      const rows = await database.query<ConsentRow>(`${READ} WHERE customer_id = $1 OR approvers @> ARRAY[$1::uuid] ORDER BY created_at DESC LIMIT 200`, [customerId]);
      return rows.map(asRead);
    },
    async history(consentId) {
      const rows = await database.query<Omit<HistoryLine, 'actor' | 'note'> & { actor_kind: Actor['kind']; actor_id: string | null; note: string | null }>(
        'SELECT version, at, act, status, actor_kind, actor_id, reason, note, terms FROM consent_history WHERE consent_id = $1 ORDER BY version', [consentId]);
      return rows.map(({ actor_kind, actor_id, note, ...line }) => ({ ...line, actor: { kind: actor_kind, ...(actor_id ? { id: actor_id } : {}) }, ...(note ? { note } : {}) }));
    },
    async sweep(context) {
      const due = await database.query<{ id: string }>(
        `SELECT id FROM consents WHERE status IN ('awaiting_authorisation', 'partially_authorised', 'authorised') AND expires_at <= clock_timestamp()
         UNION SELECT id FROM consents WHERE status = 'awaiting_authorisation' AND created_at <= clock_timestamp() - interval '1 hour'
         UNION SELECT id FROM consents WHERE status = 'partially_authorised' AND (approvals -> 0 ->> 'at')::timestamptz <= clock_timestamp() - interval '3 days'
         UNION SELECT id FROM consents WHERE (amendment ->> 'requestedAt')::timestamptz <= clock_timestamp() - interval '1 hour' LIMIT 100`);
      for (const { id } of due) await change(id, (consent) => ({ consent }), context());
      const ending = await database.query<{ id: string }>(
        `SELECT id FROM consents WHERE status = 'authorised' AND type NOT IN ('payment', 'bulk-payment') AND (notice IS NULL AND expires_at <= clock_timestamp() + interval '7 days'
           OR notice IS DISTINCT FROM 1 AND expires_at <= clock_timestamp() + interval '1 day') ORDER BY expires_at LIMIT 100`);
      for (const { id } of ending) await notify(id, context());
      await database.query(`DELETE FROM consent_uses WHERE day < (clock_timestamp() AT TIME ZONE 'UTC')::date - 2`);
      await database.query('DELETE FROM authorisation_references WHERE expires_at < clock_timestamp() - interval \'1 day\'');
      return due.length + ending.length;
    },
    remember,
    async countUse(consentId, { operation, account, limit }) {
      const [row] = await database.query<{ used: number | null; left: number }>(
        `WITH today AS (SELECT (clock_timestamp() AT TIME ZONE 'UTC')::date AS day), counted AS (
           INSERT INTO consent_uses AS u (consent_id, day, operation, account, used) SELECT $1, day, $2, $3, 1 FROM today
           ON CONFLICT (consent_id, day, operation, account) DO UPDATE SET used = u.used + 1 WHERE u.used < $4 RETURNING used)
         SELECT (SELECT used FROM counted), ceil(extract(epoch FROM ((day + 1)::timestamp AT TIME ZONE 'UTC') - clock_timestamp()))::integer AS left FROM today`,
        [consentId, operation, account, limit]);
      return { allowed: row?.used !== null && row !== undefined, used: row?.used ?? limit, retryAfter: Math.max(1, row?.left ?? 1) };
    },
    leaveRequest: (request, { key, body, answer }) =>
      idempotent(database, { key, clientId: request.clientId, operation: 'authoriseConsent', body, params: { consentId: request.consentId } }, async (tx) => {
        const reference = randomBytes(32).toString('base64url');
        const [row] = await database.query<{ expires_at: Date }>(
          `INSERT INTO authorisation_references (reference_hash, consent_id, request, expires_at) VALUES ($1, $2, $3::jsonb, clock_timestamp() + interval '10 minutes') RETURNING expires_at`,
          [hashOf(reference), request.consentId, JSON.stringify(request)], tx);
        return { status: 201, body: answer(reference, row!.expires_at) };
      }),
    async takeRequest(reference) {
      const [row] = await database.query<{ request: AuthorisationRequest }>(
        'UPDATE authorisation_references SET taken_at = clock_timestamp() WHERE reference_hash = $1 AND taken_at IS NULL AND expires_at > clock_timestamp() RETURNING request', [hashOf(reference)]);
      return row?.request;
    },
  };
}

/** Records written again side by side, of the connections a service has (10). */
const REMEMBERED_AT_ONCE = 3;

/** While a change of terms is being committed only what the old and the new ones allow is allowed. Short-lived: should the announcement fail, the service is asked. */
const UNTIL_COMMITTED_S = 5;

function allowedByBoth(before: DecisionRecord, after: DecisionRecord): DecisionRecord {
  const limits = [before.frequencyPerDay, after.frequencyPerDay].filter((limit) => limit !== undefined);
  const { frequencyPerDay: _new, ...rest } = after;
  return {
    ...rest,
    permissions: after.permissions.filter((permission) => before.permissions.includes(permission)),
    accounts: after.accounts.filter((account) => before.accounts.includes(account)),
    expiresAt: Math.min(before.expiresAt, after.expiresAt),
    ...(limits.length > 0 ? { frequencyPerDay: Math.min(...limits) } : {}),
  };
}

const json = (value: unknown): string | null => (value === undefined ? null : JSON.stringify(value));
const hashOf = (reference: string): Buffer => createHash('sha256').update(reference).digest();

function consentEvent(type: ConsentEventType, consent: Consent, context: EventContext, told: { reason?: string; daysLeft?: number }): Event<ConsentEventType> {
  return newEvent(type, {
    source: '/kontor/consent', subject: consent.id, customerId: consent.customerId, context: { ...context, clientId: consent.clientId },
    data: {
      consentId: consent.id, clientId: consent.clientId, consentType: consent.type, permissions: consent.permissions, accounts: consent.accounts,
      expiresAt: consent.expiresAt.toISOString(), version: consent.version,
      ...(consent.customerId ? { customerId: consent.customerId } : {}),
      ...(consent.payment ? { payment: consent.payment } : {}),
      ...(consent.recurring ? { recurring: consent.recurring } : {}),
      ...(consent.bulk ? { bulk: consent.bulk } : {}),
      ...(isOver(consent) && told.reason ? { reason: told.reason } : {}),
      ...(told.daysLeft ? { daysLeft: told.daysLeft } : {}),
    },
  });
}
