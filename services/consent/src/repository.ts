/** All SQL of the consent service, and the order in which a decision becomes visible: D3 in ARCHITECTURE.md. */
import type { Database, Tx } from '@kontor/kernel/database';
import { newEvent, type Event, type EventContext } from '@kontor/kernel/events';
import { idempotent, type IdempotentAnswer } from '@kontor/kernel/idempotency';
import { appendEvent } from '@kontor/kernel/outbox';
import { decodeCursor, encodeCursor } from '@kontor/kernel/cursor';
import { problem } from '@kontor/kernel/problem';
import { decisionOf, eventOf, expire, type Consent, type ConsentedPayment, type ConsentEventType, type Consents, type ConsentStatus, type OfferedAccount } from './consent.js';
import type { Decisions } from './decisions.js';

interface ConsentRow {
  id: string; client_id: string; type: Consent['type']; status: ConsentStatus; status_reason: Consent['statusReason'] | null;
  permissions: string[]; accounts: string[]; customer_id: string | null; payment: ConsentedPayment | null; redirect_uri: string;
  expires_at: Date; version: number; created_at: Date; updated_at: Date;
}

const fromRow = (row: ConsentRow): Consent => ({
  id: row.id, clientId: row.client_id, type: row.type, status: row.status, permissions: row.permissions, accounts: row.accounts,
  redirectUri: row.redirect_uri, expiresAt: row.expires_at, version: row.version, createdAt: row.created_at, updatedAt: row.updated_at,
  ...(row.status_reason ? { statusReason: row.status_reason } : {}),
  ...(row.customer_id ? { customerId: row.customer_id } : {}),
  ...(row.payment ? { payment: row.payment } : {}),
});

/** Proof of authentication, stored with the approval it made possible. */
export interface Authentication {
  id: string;
  factors: string[];
  linkedHash: Buffer;
}

export interface ConsentRepository extends Consents {
  create<Body>(consent: Consent, request: { key: string; body: unknown; context: EventContext; answer: (c: Consent) => Body }): Promise<IdempotentAnswer<Body>>;
  list(clientId: string, page: { status?: string; limit: number; cursor?: string }): Promise<{ consents: Consent[]; nextCursor: string | null }>;
  /** Reads the consent under a lock, applies the rule and makes the outcome visible in the safe order. Unchanged version: nothing is written. */
  change(consentId: string, rule: (consent: Consent) => Consent, context: EventContext, authentication?: Authentication): Promise<Consent>;
  /** As `change`, within a transaction that is already open (a subscription's). */
  changeIn(tx: Tx, consentId: string, rule: (consent: Consent) => Consent, context: EventContext): Promise<Consent | undefined>;
  /** Expires what is due, a batch at a time. @returns how many */
  expireDue(now: Date, context: () => EventContext): Promise<number>;
  /** Writes the decision record again after it had gone from Redis. */
  remember(consent: Consent): Promise<void>;
  putCustomer(tx: Tx, customer: { id: string; givenName: string; active: boolean }): Promise<void>;
  deactivateCustomer(tx: Tx, customerId: string): Promise<void>;
  putAccount(tx: Tx, account: OfferedAccount): Promise<void>;
  closeAccount(tx: Tx, accountId: string): Promise<void>;
  putApplication(tx: Tx, application: { clientId: string; name: string }): Promise<void>;
}

export function consentRepository(database: Database, decisions: Decisions): ConsentRepository {
  const find = async (consentId: string): Promise<Consent | undefined> => {
    const [row] = await database.query<ConsentRow>('SELECT * FROM consents WHERE id = $1', [consentId]);
    return row && fromRow(row);
  };

  /**
   * The one way a consent changes. A denial is in Redis before the transaction can commit, so no request passes after
   * the customer was told "revoked"; an approval is written by `announce`, after the commit.
   */
  const changeIn: ConsentRepository['changeIn'] = async (tx, consentId, rule, context) => {
    const [row] = await database.query<ConsentRow>('SELECT * FROM consents WHERE id = $1 FOR UPDATE', [consentId], tx);
    if (!row) return undefined;
    const before = fromRow(row);
    const after = rule(before);
    if (after.version === before.version) return before;
    await database.query(
      `UPDATE consents SET status = $2, status_reason = $3, accounts = $4, customer_id = $5, version = $6, updated_at = $7 WHERE id = $1`,
      [after.id, after.status, after.statusReason ?? null, after.accounts, after.customerId ?? null, after.version, after.updatedAt], tx);
    await appendEvent(database, tx, consentEvent(after, context));
    if (after.status !== 'authorised') await decisions.write(after.id, decisionOf(after));
    return after;
  };

  const change: ConsentRepository['change'] = async (consentId, rule, context, authentication) => {
    let denied: Consent | undefined;
    try {
      const after = await database.transaction(async (tx) => {
        const changed = await changeIn(tx, consentId, rule, context);
        if (!changed) throw problem('consent_not_found', 'There is no consent with this id.');
        if (changed.status !== 'authorised') denied = changed;
        if (authentication) await recordAuthentication(tx, changed, authentication);
        return changed;
      });
      denied = undefined;
      if (after.status === 'authorised') await announce(after);
      return after;
    } finally {
      if (denied) await decisions.takeBack(denied.id, denied.version);
    }
  };

  /** The approval is durable; a Redis that is away only makes the gateway ask the service. */
  const announce = (consent: Consent): Promise<void> => decisions.write(consent.id, decisionOf(consent)).catch(() => undefined);

  const recordAuthentication = async (tx: Tx, consent: Consent, proof: Authentication): Promise<void> => {
    await database.query(
      'INSERT INTO authentications (id, consent_id, customer_id, factors, linked_hash, at) VALUES ($1, $2, $3, $4, $5, $6)',
      [proof.id, consent.id, consent.customerId, proof.factors, proof.linkedHash, consent.updatedAt], tx);
  };

  return {
    find, change, changeIn,
    create: (consent, { key, body, context, answer }) =>
      idempotent(database, { key, clientId: consent.clientId, operation: 'createConsent', body }, async (tx) => {
        await database.query(
          `INSERT INTO consents (id, client_id, type, status, permissions, payment, redirect_uri, expires_at, version, created_at, updated_at)
           VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7, $8, $9, $10, $10)`,
          [consent.id, consent.clientId, consent.type, consent.status, consent.permissions, consent.payment ? JSON.stringify(consent.payment) : null,
            consent.redirectUri, consent.expiresAt, consent.version, consent.createdAt], tx);
        await appendEvent(database, tx, consentEvent(consent, context));
        return { status: 201, body: answer(consent), headers: { Location: `/v1/consents/${consent.id}` } };
      }),
    async list(clientId, { status, limit, cursor }) {
      const after = cursor ? decodeCursor<{ createdAt: string; id: string }>(cursor) : undefined;
      const rows = await database.query<ConsentRow>(
        `SELECT * FROM consents WHERE client_id = $1 AND ($2::text IS NULL OR status = $2)
           AND ($3::timestamptz IS NULL OR (created_at, id) < ($3, $4::uuid))
         ORDER BY created_at DESC, id DESC LIMIT $5`,
        [clientId, status ?? null, after?.createdAt ?? null, after?.id ?? null, limit + 1]);
      const consents = rows.slice(0, limit).map(fromRow);
      const last = consents.at(-1);
      return { consents, nextCursor: rows.length > limit && last ? encodeCursor({ createdAt: last.createdAt.toISOString(), id: last.id }) : null };
    },
    async listOfCustomer(customerId) {
      const rows = await database.query<ConsentRow>('SELECT * FROM consents WHERE customer_id = $1 ORDER BY created_at DESC LIMIT 200', [customerId]);
      return rows.map(fromRow);
    },
    async expireDue(now, context) {
      const due = await database.query<{ id: string }>(
        `SELECT id FROM consents WHERE status IN ('awaiting_authorisation', 'authorised')
           AND (expires_at <= $1 OR (status = 'awaiting_authorisation' AND created_at <= $1::timestamptz - interval '1 hour')) LIMIT 100`, [now]);
      for (const { id } of due) await change(id, (consent) => expire(consent, now), context());
      return due.length;
    },
    remember: announce,
    async accountsOf(customerId) {
      return database.query<OfferedAccount>(
        `SELECT id, customer_id AS "customerId", iban, currency, product FROM accounts WHERE customer_id = $1 AND open ORDER BY id`, [customerId]);
    },
    async applicationName(clientId) {
      const [row] = await database.query<{ name: string }>('SELECT name FROM applications WHERE client_id = $1', [clientId]);
      return row?.name;
    },
    async putCustomer(tx, { id, givenName, active }) {
      await database.query(
        `INSERT INTO customers (id, given_name, active) VALUES ($1, $2, $3)
         ON CONFLICT (id) DO UPDATE SET given_name = excluded.given_name, active = customers.active AND excluded.active`, [id, givenName, active], tx);
    },
    async deactivateCustomer(tx, customerId) {
      await database.query(
        `INSERT INTO customers (id, given_name, active) VALUES ($1, '', false) ON CONFLICT (id) DO UPDATE SET active = false`, [customerId], tx);
    },
    async putAccount(tx, account) {
      await database.query(
        `INSERT INTO accounts (id, customer_id, iban, currency, product) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO NOTHING`,
        [account.id, account.customerId, account.iban, account.currency, account.product], tx);
    },
    async closeAccount(tx, accountId) {
      await database.query('UPDATE accounts SET open = false WHERE id = $1', [accountId], tx);
    },
    async putApplication(tx, { clientId, name }) {
      await database.query(
        'INSERT INTO applications (client_id, name) VALUES ($1, $2) ON CONFLICT (client_id) DO UPDATE SET name = excluded.name', [clientId, name], tx);
    },
  };
}

function consentEvent(consent: Consent, context: EventContext): Event<ConsentEventType> {
  return newEvent(eventOf(consent), {
    source: '/kontor/consent', subject: consent.id, customerId: consent.customerId, context: { ...context, clientId: consent.clientId },
    data: {
      consentId: consent.id, clientId: consent.clientId, consentType: consent.type, permissions: consent.permissions, accounts: consent.accounts,
      ...(consent.customerId ? { customerId: consent.customerId } : {}),
      ...(consent.payment ? { payment: consent.payment } : {}),
      ...(consent.statusReason ? { reason: consent.statusReason } : {}),
    },
  });
}
