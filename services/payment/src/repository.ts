import type { Database, Tx } from '@kontor/kernel/database';
import { newEvent, type Event, type EventContext } from '@kontor/kernel/events';
import { appendEvent } from '@kontor/kernel/outbox';
import {
  transition, type Announcement, type BrokenLimit, type ConsentTerms, type Happening, type InitiationOutcome, type Payment, type PaymentEffects, type PaymentFilter,
  type Payments, type Status,
} from './payment.js';

/** Payments in PostgreSQL, with what subscriptions need inside their own transaction. */
export interface PaymentRepository extends Payments, PaymentEffects<Tx> {
  /** Age in seconds of the payment that has waited longest for its next status; 0 when all are final. */
  oldestUnsettledSeconds(): Promise<number>;
}

/** What initiate_payment answers (migrations/0002-recurring-consents.sql). */
interface InitiationRow {
  outcome: InitiationOutcome['outcome'];
  payment_id: string | null;
  broken: { limit: BrokenLimit['limit']; maximumMinor: string; leftMinor: string; nextPeriodAt: string | null } | null;
}

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
  status: Status;
  status_reason: string | null;
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
    return payment;
  }

  return {
    find,
    happenIn,
    happen: (paymentId, happening, context) => database.transaction((tx) =>
      happenIn(tx, paymentId, happening, { context, emit: (event) => appendEvent(database, tx, event) })),

    async initiate({ payment, events }, { key, hash, context }): Promise<InitiationOutcome> {
      const [answer] = await database.query<InitiationRow>(
        'select * from initiate_payment($1, $2, $3, $4)',
        [key, hash, JSON.stringify(parametersOf(payment)), JSON.stringify(events.map((event) => envelope(payment, event, context)))]);
      if (!answer) throw new Error('initiate_payment answered nothing');
      if (answer.outcome === 'limit_exceeded') return { outcome: 'limit_exceeded', broken: brokenLimitOf(answer.broken, payment.amount.currency) };
      if (answer.outcome !== 'replay') return { outcome: answer.outcome };
      const made = answer.payment_id === null ? undefined : await find(answer.payment_id);
      if (!made) throw new Error('the idempotency key names a payment that is not there');
      return { outcome: 'replay', payment: made };
    },

    async list({ clientId, status, before, limit }: PaymentFilter): Promise<Payment[]> {
      const rows = await database.query<PaymentRow>(
        `${PAYMENT} where ($1::text is null or p.client_id = $1) and ($2::text is null or p.status = $2)
           and ($3::uuid is null or p.payment_id < $3) order by p.payment_id desc limit $4`,
        [clientId ?? null, status ?? null, before ?? null, limit]);
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
        `select extract(epoch from now() - min(status_at))::float8 as seconds from payments where status in ('RCVD', 'ACTC', 'ACCP', 'ACSP')`);
      return row?.seconds ?? 0;
    },
  };
}

async function store(database: Database, tx: Tx, before: Payment, after: Payment): Promise<void> {
  const last = after.history.at(-1);
  await database.query(
    `update payments set status = $2, status_reason = $3, status_at = $4, debtor_name = $5, debtor_iban = $6 where payment_id = $1`,
    [after.paymentId, after.status, after.statusReason ?? null, last?.at, after.debtor?.name ?? null, after.debtor?.iban ?? null], tx);
  const known = before.history.length;
  for (const [i, line] of after.history.slice(known).entries())
    await database.query('insert into payment_statuses (payment_id, position, status, reason, at) values ($1, $2, $3, $4, $5)',
      [after.paymentId, known + i + 1, line.status, line.reason ?? null, line.at], tx);
}

async function authorise(database: Database, tx: Tx, terms: ConsentTerms): Promise<void> {
  const { consentId, version, clientId, customerId, kind, debtorAccountIds, amount, creditor, remittance, expiresAt } = terms;
  const single = kind === 'payment' ? terms : undefined;
  const recurring = kind === 'variable-recurring' ? terms : undefined;
  const limits = recurring?.periodicLimits.map(({ maximum, period, alignment }) => ({ maximumMinor: maximum.minor.toString(), period, alignment }));
  await database.query(
    `insert into authorised_consents as c (consent_id, version, client_id, customer_id, kind, debtor_account_ids, amount_minor, currency, creditor_name, creditor_iban,
       remittance, expires_at, requested_execution_date, valid_from, valid_until, periodic_limits)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
     on conflict (consent_id) do update set (version, debtor_account_ids, amount_minor, currency, creditor_name, creditor_iban,
         remittance, expires_at, requested_execution_date, valid_from, valid_until, periodic_limits)
       = (excluded.version, excluded.debtor_account_ids, excluded.amount_minor, excluded.currency, excluded.creditor_name, excluded.creditor_iban,
         excluded.remittance, excluded.expires_at, excluded.requested_execution_date, excluded.valid_from, excluded.valid_until, excluded.periodic_limits)
       where c.kind = excluded.kind and c.version < excluded.version`,
    [consentId, version, clientId, customerId, kind, debtorAccountIds, amount.minor.toString(), amount.currency, creditor.name, creditor.iban,
      remittance ?? null, expiresAt ?? null, single?.requestedExecutionDate ?? null, recurring?.validFrom ?? null, recurring?.validUntil ?? null,
      limits ? JSON.stringify(limits) : null], tx);
}

function brokenLimitOf(broken: InitiationRow['broken'], currency: string): BrokenLimit {
  if (!broken) throw new Error('initiate_payment did not say which limit is exceeded');
  const { limit, maximumMinor, leftMinor, nextPeriodAt } = broken;
  return {
    limit, maximum: { minor: BigInt(maximumMinor), currency }, left: { minor: BigInt(leftMinor), currency },
    ...(nextPeriodAt === null ? {} : { nextPeriodAt: new Date(nextPeriodAt) }),
  };
}

/** What initiate_payment takes; the names are those it reads. */
function parametersOf(payment: Payment): Record<string, string | undefined> {
  const { paymentId, clientId, customerId, consentId, debtorAccountId, amount, creditor, endToEndId, uetr, remittance, requestedExecutionDate, createdAt } = payment;
  return {
    paymentId, clientId, customerId, consentId, debtorAccountId, amountMinor: amount.minor.toString(), currency: amount.currency,
    creditorName: creditor.name, creditorIban: creditor.iban, endToEndId, uetr, remittance, requestedExecutionDate, createdAt: createdAt.toISOString(),
  };
}

function paymentOf(row: PaymentRow): Payment {
  return {
    paymentId: row.payment_id, clientId: row.client_id, customerId: row.customer_id, consentId: row.consent_id,
    debtorAccountId: row.debtor_account_id, amount: { minor: BigInt(row.amount_minor), currency: row.currency },
    creditor: { name: row.creditor_name, iban: row.creditor_iban }, endToEndId: row.end_to_end_id, uetr: row.uetr,
    ...(row.remittance === null ? {} : { remittance: row.remittance }),
    ...(row.requested_execution_date === null ? {} : { requestedExecutionDate: row.requested_execution_date }),
    ...(row.reference === null ? {} : { reference: row.reference }),
    ...(row.debtor_name === null || row.debtor_iban === null ? {} : { debtor: { name: row.debtor_name, iban: row.debtor_iban } }),
    status: row.status, ...(row.status_reason === null ? {} : { statusReason: row.status_reason }),
    createdAt: row.created_at,
    history: row.history.map(({ status, at, reason }) => ({ status, at: new Date(at), ...(reason === null ? {} : { reason }) })),
  };
}
