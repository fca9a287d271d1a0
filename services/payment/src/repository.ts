import type { Database, Tx } from '@kontor/kernel/database';
import { newEvent, type Event, type EventContext } from '@kontor/kernel/events';
import type { Money } from '@kontor/kernel/money';
import { appendEvent } from '@kontor/kernel/outbox';
import { countEnd } from './bulk-repository.js';
import {
  isFinal, transition, type Announcement, type BrokenBankLimit, type BrokenLimit, type Checked, type Checks, type ConsentTerms, type Happening, type InitiationOutcome, type Kind,
  type OriginalTransfer, type Payment, type PaymentEffects, type PaymentFilter, type Payments, type PendingFor, type Started, type Status,
} from './payment.js';

/** Payments in PostgreSQL, with what subscriptions need inside their own transaction. */
export interface PaymentRepository extends Payments, PaymentEffects<Tx> {
  /**
   * Stores a payment that was checked, in the transaction of the caller, with its events: a part of a bulk, a payment of a standing order.
   * `recurring`: one of many under its consent. @returns false when the consent was used up before
   */
  insertIn(tx: Tx, started: Started, options: { context: EventContext; recurring: boolean }): Promise<boolean>;
  /** As `initiate`, without idempotency key, in the transaction of the caller. */
  placeIn(tx: Tx, started: Started, checked: Checked): Promise<InitiationOutcome>;
  /** The payments that wait for their day under a consent, locked. */
  waitingUnder(tx: Tx, consentId: string): Promise<string[]>;
  /** The payments with these ids, in this order. */
  findAll(paymentIds: readonly string[]): Promise<Payment[]>;
  /** As `insertIn` for many at once, each one of many under its consent: one round trip. */
  insertAllIn(tx: Tx, started: readonly { payment: Payment; events: Announcement[]; context: EventContext }[]): Promise<void>;
  /** Age in seconds of the payment that has waited longest for its next status; 0 when all are final. Waiting for a day or a review does not count. */
  oldestUnsettledSeconds(): Promise<number>;
}

/** What initiate_payment answers (migrations/0004-initiating.sql). */
interface InitiationRow {
  outcome: InitiationOutcome['outcome'];
  payment_id: string | null;
  broken: BrokenRow | BrokenBankRow | null;
}
interface BrokenRow { limit: BrokenLimit['limit']; maximumMinor: string; leftMinor: string; nextPeriodAt: string | null }
interface BrokenBankRow { limit: BrokenBankLimit['limit']; maximum: string; left: string; nextAt: string }

interface PaymentRow {
  payment_id: string;
  client_id: string;
  customer_id: string;
  consent_id: string;
  debtor_account_id: string;
  amount_minor: string;
  currency: string;
  creditor_name: string;
  creditor_iban: string;
  end_to_end_id: string;
  uetr: string;
  remittance: string | null;
  requested_execution_date: string | null;
  reference: string | null;
  debtor_name: string | null;
  debtor_iban: string | null;
  kind: Kind;
  instant: boolean;
  refund_of: string | null;
  bulk_payment_id: string | null;
  standing_order_id: string | null;
  on_us: boolean;
  original: OriginalTransfer | null;
  accepted_at: Date | null;
  status: Status;
  status_reason: string | null;
  pending_for: PendingFor | null;
  due_at: Date | null;
  attempts: number;
  retried_at: Date | null;
  escalated_at: Date | null;
  created_at: Date;
  history: { status: Status; at: string; reason: string | null }[];
}

const PAYMENT = `select p.*, (select jsonb_agg(jsonb_build_object('status', s.status, 'at', s.at, 'reason', s.reason) order by s.position)
  from payment_statuses s where s.payment_id = p.payment_id) as history from payments p`;

/** All SQL of the payment service. `now` and `source` go into events and status lines. */
export function paymentRepository(database: Database, source: string, now: () => Date = () => new Date()): PaymentRepository {
  const envelope = (payment: Payment, announcement: Announcement, context: EventContext): Event =>
    newEvent(announcement.type, {
      subject: payment.paymentId, data: announcement.data, source, now: now(),
      context: { ...context, clientId: payment.clientId }, customerId: payment.customerId,
    });

  const written = ({ payment, events }: Started, { context, checks, fingerprint, review }: Checked): [string, string] => [
    JSON.stringify({ ...parametersOf(payment), checks: checksOf(checks), fingerprint: fingerprint?.toString('hex'), review }),
    JSON.stringify(events.map((event) => envelope(payment, event, context)))];

  async function find(paymentId: string): Promise<Payment | undefined> {
    const [row] = await database.query<PaymentRow>(`${PAYMENT} where p.payment_id = $1`, [paymentId]);
    return row && paymentOf(row);
  }

  async function happenIn(
    tx: Tx, paymentId: string, happening: Happening, { context, emit }: { context: EventContext; emit: (event: Event) => Promise<void> },
  ): Promise<Payment | undefined> {
    // Two statements: in one, the subselect of the history would not see what the awaited transaction wrote.
    const [locked] = await database.query('select 1 as locked from payments where payment_id = $1 for update', [paymentId], tx);
    if (!locked) return undefined;
    const [row] = await database.query<PaymentRow>(`${PAYMENT} where p.payment_id = $1`, [paymentId], tx);
    if (!row) return undefined;
    const before = paymentOf(row);
    const { payment, events } = transition(before, happening, now());
    if (payment === before) return payment;
    await store(database, tx, before, payment);
    for (const announcement of events) await emit(envelope(payment, announcement, context));
    if (payment.bulkPaymentId !== undefined && isFinal(payment.status) && !isFinal(before.status)) await countEnd(database, tx, payment, { context, emit });
    return payment;
  }

  return {
    find,
    happenIn,
    happen: (paymentId, happening, context) => database.transaction((tx) =>
      happenIn(tx, paymentId, happening, { context, emit: (event) => appendEvent(database, tx, event) })),

    async initiate(started, { key, hash, ...checked }): Promise<InitiationOutcome> {
      const [answer] = await database.query<InitiationRow>('select * from initiate_payment($1, $2, $3, $4)', [key, hash, ...written(started, checked)]);
      if (!answer) throw new Error('initiate_payment answered nothing');
      if (answer.outcome !== 'replay') return outcomeOf(answer, started.payment.amount.currency);
      const made = answer.payment_id === null ? undefined : await find(answer.payment_id);
      if (!made) throw new Error('the idempotency key names a payment that is not there');
      return { outcome: 'replay', payment: made };
    },

    async placeIn(tx, started, checked): Promise<InitiationOutcome> {
      const [answer] = await database.query<InitiationRow>('select verdict as outcome, other as payment_id, breach as broken from place_payment($1, $2)', written(started, checked), tx);
      if (!answer) throw new Error('place_payment answered nothing');
      return outcomeOf(answer, started.payment.amount.currency);
    },

    async insertIn(tx, { payment, events }, { context, recurring }) {
      const [row] = await database.query<{ written: boolean }>('select insert_payment($1, $2, $3) as written',
        [JSON.stringify(parametersOf(payment)), JSON.stringify(events.map((event) => envelope(payment, event, context))), recurring], tx);
      return row?.written === true;
    },

    async insertAllIn(tx, started) {
      const rows = started.map(({ payment, events, context }) => ({ payment: parametersOf(payment), events: events.map((event) => envelope(payment, event, context)) }));
      await database.query(`select insert_payment(r->'payment', r->'events', true) from jsonb_array_elements($1) as t(r)`, [JSON.stringify(rows)], tx);
    },

    async list({ clientId, status, kind, from, to, before, limit }: PaymentFilter): Promise<Payment[]> {
      const rows = await database.query<PaymentRow>(
        `${PAYMENT} where ($1::text is null or p.client_id = $1) and ($2::text is null or p.status = $2)
           and ($3::uuid is null or p.payment_id < $3) and ($5::text is null or p.kind = $5)
           and ($6::date is null or p.created_at >= $6::date::timestamp at time zone 'UTC') and ($7::date is null or p.created_at < ($7::date + 1)::timestamp at time zone 'UTC')
         order by p.payment_id desc limit $4`,
        [clientId ?? null, status ?? null, before ?? null, limit, kind ?? null, from ?? null, to ?? null]);
      return rows.map(paymentOf);
    },

    async waitingUnder(tx, consentId) {
      const rows = await database.query<{ payment_id: string }>(
        "select payment_id from payments where consent_id = $1 and pending_for = 'execution-date' order by payment_id for update", [consentId], tx);
      return rows.map((row) => row.payment_id);
    },

    async findAll(paymentIds) {
      const rows = await database.query<PaymentRow>(`${PAYMENT} where p.payment_id = any ($1::uuid[]) order by array_position($1::uuid[], p.payment_id)`, [paymentIds]);
      return rows.map(paymentOf);
    },

    async setReference(paymentId, reference) {
      await database.query('update payments set reference = $2 where payment_id = $1', [paymentId, reference]);
      return find(paymentId);
    },

    authorise: (tx, terms) => authorise(database, tx, terms),

    async endConsent(tx, consentId, ended) {
      await database.query(
        `insert into authorised_consents (consent_id, ended) values ($1, $2)
         on conflict (consent_id) do update set ended = coalesce(authorised_consents.ended, excluded.ended)`, [consentId, ended], tx);
    },

    async oldestUnsettledSeconds() {
      const [row] = await database.query<{ seconds: number | null }>(
        `select extract(epoch from now() - min(status_at))::float8 as seconds from payments
         where status in ('RCVD', 'PDNG', 'ACTC', 'ACCP', 'ACSP') and pending_for is null`);
      return row?.seconds ?? 0;
    },
  };
}

async function store(database: Database, tx: Tx, before: Payment, after: Payment): Promise<void> {
  const { paymentId, status, statusReason, history, debtor, onUs, original, acceptedAt, pendingFor, dueAt, attempts, retriedAt, escalatedAt } = after;
  const known = before.history.length;
  const reached = history.slice(known).map(({ status: one, reason, at }, i) => ({ position: known + i + 1, status: one, reason: reason ?? null, at }));
  await database.query(
    `with reached as (
       insert into payment_statuses (payment_id, position, status, reason, at)
         select $1, r.position, r.status, r.reason, r.at from jsonb_to_recordset($15) as r (position smallint, status text, reason text, at timestamptz)
     )
     update payments set status = $2, status_reason = $3, status_at = $4, debtor_name = $5, debtor_iban = $6, on_us = $7, original = $8, accepted_at = $9,
       pending_for = $10, attempts = $11, retried_at = $12, escalated_at = $13, due_at = $14 where payment_id = $1`,
    [paymentId, status, statusReason ?? null, history.at(-1)?.at, debtor?.name ?? null, debtor?.iban ?? null, onUs ?? false, original ? JSON.stringify(original) : null,
      acceptedAt ?? null, pendingFor ?? null, attempts ?? 0, retriedAt ?? null, escalatedAt ?? null, dueAt ?? null, JSON.stringify(reached)], tx);
}

async function authorise(database: Database, tx: Tx, terms: ConsentTerms): Promise<void> {
  const { consentId, version, clientId, customerId, kind, debtorAccountIds, amount, creditor, remittance, expiresAt } = terms;
  const single = kind === 'payment' ? terms : undefined;
  const recurring = kind === 'variable-recurring' ? terms : undefined;
  const bulk = kind === 'bulk-payment' ? terms : undefined;
  const limits = recurring?.periodicLimits.map(({ maximum, period, alignment }) => ({ maximumMinor: maximum.minor.toString(), period, alignment }));
  await database.query(
    `insert into authorised_consents as c (consent_id, version, client_id, customer_id, kind, debtor_account_ids, amount_minor, currency, creditor_name, creditor_iban,
       remittance, expires_at, requested_execution_date, valid_from, valid_until, periodic_limits, transactions, digest)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
     on conflict (consent_id) do update set (version, debtor_account_ids, amount_minor, currency, creditor_name, creditor_iban,
         remittance, expires_at, requested_execution_date, valid_from, valid_until, periodic_limits)
       = (excluded.version, excluded.debtor_account_ids, excluded.amount_minor, excluded.currency, excluded.creditor_name, excluded.creditor_iban,
         excluded.remittance, excluded.expires_at, excluded.requested_execution_date, excluded.valid_from, excluded.valid_until, excluded.periodic_limits)
       where c.kind = excluded.kind and c.version < excluded.version`,
    [consentId, version, clientId, customerId, kind, debtorAccountIds, amount.minor.toString(), amount.currency, creditor.name, creditor.iban,
      remittance ?? null, expiresAt ?? null, (single ?? bulk)?.requestedExecutionDate ?? null, recurring?.validFrom ?? null, recurring?.validUntil ?? null,
      limits ? JSON.stringify(limits) : null, bulk?.transactions ?? null, bulk?.digest ?? null], tx);
}

function outcomeOf({ outcome, payment_id: paymentId, broken }: InitiationRow, currency: string): InitiationOutcome {
  switch (outcome) {
    case 'limit_exceeded': return { outcome, broken: brokenLimitOf(broken as BrokenRow | null, currency) };
    case 'bank_limit_exceeded': return { outcome, broken: brokenBankLimitOf(broken as BrokenBankRow | null, currency) };
    case 'duplicate': return { outcome, paymentId: paymentId ?? '' };
    case 'replay': throw new Error('there is no key to be replayed');
    default: return { outcome };
  }
}

function brokenLimitOf(broken: BrokenRow | null, currency: string): BrokenLimit {
  if (!broken) throw new Error('initiate_payment did not say which limit is exceeded');
  const { limit, maximumMinor, leftMinor, nextPeriodAt } = broken;
  return {
    limit, maximum: { minor: BigInt(maximumMinor), currency }, left: { minor: BigInt(leftMinor), currency },
    ...(nextPeriodAt === null ? {} : { nextPeriodAt: new Date(nextPeriodAt) }),
  };
}

function brokenBankLimitOf(broken: BrokenBankRow | null, currency: string): BrokenBankLimit {
  if (!broken) throw new Error('initiate_payment did not say which limit is exceeded');
  const { limit, maximum, left, nextAt } = broken;
  const read = (text: string): number | Money => (limit === 'daily-count' ? Number(text) : { minor: BigInt(text), currency });
  return { limit, maximum: read(maximum), left: read(left), nextAt: new Date(nextAt) };
}

function checksOf(checks: Checks | undefined): object | undefined {
  if (!checks) return undefined;
  const { limits, duplicateMinutes } = checks;
  return { duplicateMinutes, ...(limits ? { limits: { timeZone: limits.timeZone, payments: limits.payments, amountMinor: limits.amount?.minor.toString() } } : {}) };
}

/** What initiate_payment and insert_payment take; the names are those they read. */
export function parametersOf(payment: Payment): Record<string, unknown> {
  const { paymentId, clientId, customerId, consentId, debtorAccountId, amount, creditor, endToEndId, uetr, remittance, requestedExecutionDate, createdAt } = payment;
  const { kind, instant, refundOf, bulkPaymentId, standingOrderId, status, statusReason, pendingFor, dueAt, history } = payment;
  return {
    paymentId, clientId, customerId, consentId, debtorAccountId, amountMinor: amount.minor.toString(), currency: amount.currency,
    creditorName: creditor.name, creditorIban: creditor.iban, endToEndId, uetr, remittance, requestedExecutionDate, createdAt: createdAt.toISOString(),
    kind, instant, refundOf, bulkPaymentId, standingOrderId, pendingFor, dueAt: dueAt?.toISOString(),
    ...(history.length > 1 ? { status, statusReason, statuses: history.map((line) => ({ status: line.status, reason: line.reason })) } : {}),
  };
}

function paymentOf(row: PaymentRow): Payment {
  return {
    paymentId: row.payment_id, clientId: row.client_id, customerId: row.customer_id, consentId: row.consent_id,
    debtorAccountId: row.debtor_account_id, amount: { minor: BigInt(row.amount_minor), currency: row.currency },
    creditor: { name: row.creditor_name, iban: row.creditor_iban }, endToEndId: row.end_to_end_id, uetr: row.uetr, kind: row.kind,
    ...present({
      remittance: row.remittance, requestedExecutionDate: row.requested_execution_date, refundOf: row.refund_of, bulkPaymentId: row.bulk_payment_id,
      standingOrderId: row.standing_order_id, reference: row.reference, statusReason: row.status_reason, pendingFor: row.pending_for, dueAt: row.due_at,
      original: row.original, acceptedAt: row.accepted_at, attempts: row.attempts === 0 ? null : row.attempts, retriedAt: row.retried_at, escalatedAt: row.escalated_at,
      debtor: row.debtor_name === null || row.debtor_iban === null ? null : { name: row.debtor_name, iban: row.debtor_iban },
      instant: row.instant ? true as const : null, onUs: row.on_us ? true as const : null,
    }),
    status: row.status, createdAt: row.created_at,
    history: row.history.map(({ status, at, reason }) => ({ status, at: new Date(at), ...(reason === null ? {} : { reason }) })),
  };
}

type Present<T> = { [K in keyof T]?: NonNullable<T[K]> };
/** The columns that hold something. */
function present<T extends object>(columns: T): Present<T> {
  return Object.fromEntries(Object.entries(columns).filter(([, value]) => value !== null)) as Present<T>;
}
