/** SQL of standing orders. Each day is executed once: by whoever holds the order's row, and by the primary key of what was executed. */
import { dayBegins, bankDay, type Calendar } from './calendar.js';
import type { Database, Tx } from '@kontor/kernel/database';
import { newEvent, type Event, type EventContext, type EventData, type EventType } from '@kontor/kernel/events';
import { idempotent, type IdempotentAnswer } from '@kontor/kernel/idempotency';
import { newId } from '@kontor/kernel/ids';
import { formatMoney } from '@kontor/kernel/money';
import { appendEvent } from '@kontor/kernel/outbox';
import type { Deciding } from './initiating.js';
import { defaultEndToEndId, type InitiationOutcome, type Order, type Started, type Checked } from './payment.js';
import { refusal } from './refusals.js';
import { advance, end, endsOrder, isMissed, type Executed, type Execution, type Schedule, type StandingOrder, type StandingOrderStatus } from './standing-orders.js';

interface Row {
  standing_order_id: string; client_id: string; customer_id: string; consent_id: string; debtor_account_id: string; amount_minor: string; currency: string;
  creditor_name: string; creditor_iban: string; remittance: string | null; schedule: Schedule; status: StandingOrderStatus; end_reason: string | null;
  next_number: number | null; next_date: string | null; created_at: Date;
}

type Told = { [T in EventType]: { type: T; data: EventData<T> } }[EventType];

export type StandingOrderRepository = ReturnType<typeof standingOrderRepository>;

export function standingOrderRepository(database: Database, { calendar, decideOn, place, uetr }: {
  calendar: Calendar;
  decideOn: Deciding;
  place: (tx: Tx, started: Started, checked: Checked) => Promise<InitiationOutcome>;
  uetr: () => string;
}) {
  const event = (order: StandingOrder, told: Told, context: EventContext): Event =>
    newEvent<EventType>(told.type, {
      subject: order.standingOrderId, data: told.data as EventData<EventType>, source: 'payment', context: { ...context, clientId: order.clientId }, customerId: order.customerId,
    });
  const save = async (tx: Tx, { standingOrderId, status, endReason, next }: StandingOrder): Promise<void> => {
    await database.query('update standing_orders set status = $2, end_reason = $3, next_number = $4, next_date = $5, next_at = $6 where standing_order_id = $1',
      [standingOrderId, status, endReason ?? null, next?.number ?? null, next?.date ?? null, next ? dayBegins(calendar, next.date) : null], tx);
  };
  const find = async (standingOrderId: string, tx?: Tx): Promise<StandingOrder | undefined> => {
    const [row] = await database.query<Row>(`select * from standing_orders where standing_order_id = $1${tx ? ' for update' : ''}`, [standingOrderId], tx);
    return row && toOrder(row);
  };
  const identity = ({ standingOrderId, clientId, customerId }: StandingOrder) => ({ standingOrderId, clientId, customerId });

  /** What comes of the day of an order: a payment, or why there is none. The order's row is locked. */
  const execute = async (tx: Tx, order: StandingOrder, next: Execution, context: EventContext): Promise<string> => {
    if (isMissed(next, bankDay(calendar, new Date()))) return 'missed';
    const { started, checked } = await decideOn(paymentOf(order, { paymentId: newId(), uetr: uetr(), createdAt: new Date() }));
    const { outcome } = await place(tx, started, { ...checked, context: { ...context, clientId: order.clientId } });
    if (outcome !== 'created') return outcome;
    await database.query('insert into standing_order_executions (standing_order_id, execution_date, payment_id) values ($1, $2, $3)', [order.standingOrderId, next.date, started.payment.paymentId], tx);
    return 'created';
  };

  return {
    find: (standingOrderId: string) => find(standingOrderId),

    /**
     * Sets up an order once for an Idempotency-Key, under its consent, which is held against change meanwhile.
     * @throws Problem where the consent does not cover it, is of another kind, or is not known yet (503)
     */
    create<Body>(order: StandingOrder, request: { key: string | undefined; body: unknown; context: EventContext }, answer: (order: StandingOrder) => IdempotentAnswer<Body>): Promise<IdempotentAnswer<Body>> {
      return idempotent(database, { key: request.key, clientId: order.clientId, operation: 'createStandingOrder', body: request.body }, async (tx) => {
        const { clientId, customerId, consentId, debtorAccountId, amount, creditor, remittance, standingOrderId, schedule, next, createdAt } = order;
        const covered = {
          consentId, clientId, customerId, debtorAccountId, amountMinor: amount.minor.toString(), currency: amount.currency, creditorName: creditor.name, creditorIban: creditor.iban, remittance,
        };
        const [consent] = await database.query<{ kind: string | null; verdict: string; most: string | null }>(
          `select c.kind, case when c.kind = 'payment' then 'not_recurring' else consent_outcome(c, $2, clock_timestamp()) end as verdict, c.amount_minor as most
           from authorised_consents c where c.consent_id = $1 for share`, [consentId, JSON.stringify(covered)], tx);
        const most = BigInt(consent?.most ?? 0);
        const verdict = consent?.verdict === 'covered' && amount.minor > most ? 'limit_exceeded' : consent?.verdict ?? 'consent_unknown';
        if (verdict === 'limit_exceeded') {
          const maximum = { minor: most, currency: amount.currency };
          throw refusal({ outcome: 'limit_exceeded', broken: { limit: 'payment', maximum, left: maximum } });
        }
        if (verdict !== 'covered') throw refusal({ outcome: verdict as Exclude<Parameters<typeof refusal>[0]['outcome'], 'limit_exceeded' | 'bank_limit_exceeded' | 'duplicate'> });
        if (!next) throw new Error('a standing order begins with a payment to come');
        await database.query(
          `insert into standing_orders (standing_order_id, client_id, customer_id, consent_id, debtor_account_id, amount_minor, currency, creditor_name, creditor_iban, remittance, schedule, status,
             next_number, next_date, next_at, created_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'active', $12, $13, $14, $15)`,
          [standingOrderId, clientId, customerId, consentId, debtorAccountId, amount.minor.toString(), amount.currency, creditor.name, creditor.iban, remittance ?? null,
            JSON.stringify(schedule), next.number, next.date, dayBegins(calendar, next.date), createdAt], tx);
        const data = { ...identity(order), consentId, debtorAccountId, amount: formatMoney(amount), firstExecutionDate: next.date };
        await appendEvent(database, tx, event(order, { type: 'standing-order.created', data }, request.context));
        return answer(order);
      });
    },

    /** Newest first (ids are in the order of creation). `clientId` absent: of all clients. */
    async list({ clientId, before, limit }: { clientId?: string | undefined; before?: string | undefined; limit: number }): Promise<StandingOrder[]> {
      const rows = await database.query<Row>(
        `select * from standing_orders where ($1::text is null or client_id = $1) and ($2::uuid is null or standing_order_id < $2) order by standing_order_id desc limit $3`,
        [clientId ?? null, before ?? null, limit]);
      return rows.map(toOrder);
    },

    /** What came of the last days, newest first. */
    async executed(standingOrderId: string, most: number): Promise<Executed[]> {
      const rows = await database.query<{ execution_date: string; payment_id: string | null; reason: string | null }>(
        'select * from standing_order_executions where standing_order_id = $1 order by execution_date desc limit $2', [standingOrderId, most]);
      return rows.map((row) => ({ date: row.execution_date, ...(row.payment_id === null ? {} : { paymentId: row.payment_id }), ...(row.reason === null ? {} : { reason: row.reason }) }));
    },

    /** Cancels an order; one that is over stays as it is. */
    cancel: (standingOrderId: string, context: EventContext): Promise<StandingOrder | undefined> => database.transaction(async (tx) => {
      const before = await find(standingOrderId, tx);
      if (!before) return undefined;
      const order = end(before, 'cancelled');
      if (order === before) return before;
      await save(tx, order);
      await appendEvent(database, tx, event(order, { type: 'standing-order.cancelled', data: identity(order) }, context));
      return order;
    }),

    /** Ends the orders of a consent that is over. Orders are locked before consents, as in `executeDue`. */
    async endUnder(tx: Tx, consentId: string, reason: string, { context, emit }: { context: EventContext; emit: (event: Event) => Promise<void> }): Promise<void> {
      const rows = await database.query<Row>("select * from standing_orders where consent_id = $1 and status = 'active' order by standing_order_id for update", [consentId], tx);
      for (const row of rows) {
        const order = end(toOrder(row), 'ended', reason);
        await save(tx, order);
        await emit(event(order, { type: 'standing-order.ended', data: { ...identity(order), reason } }, context));
      }
    },

    /**
     * Executes the day of one order that has come, if there is one that no other node holds: a payment, its events and the next day in one
     * transaction. @returns whether there was one
     */
    executeDue: (context: EventContext): Promise<boolean> => database.transaction(async (tx) => {
      const [row] = await database.query<Row>(
        `select * from standing_orders where status = 'active' and next_at <= clock_timestamp() order by next_at limit 1 for update skip locked`, [], tx);
      const order = row && toOrder(row);
      if (!order?.next) return false;
      const { next } = order;
      const outcome = await execute(tx, order, next, context);
      const tell = (told: Told): Promise<void> => appendEvent(database, tx, event(order, told, context));
      if (endsOrder(outcome)) {
        await save(tx, end(order, 'ended', outcome));
        await tell({ type: 'standing-order.ended', data: { ...identity(order), reason: outcome } });
        return true;
      }
      if (outcome !== 'created') {
        await database.query('insert into standing_order_executions (standing_order_id, execution_date, reason) values ($1, $2, $3)', [order.standingOrderId, next.date, outcome], tx);
        await tell({ type: 'standing-order.payment-failed', data: { ...identity(order), executionDate: next.date, reason: outcome } });
      }
      const following = advance(order);
      await save(tx, following);
      if (following.status === 'completed') await tell({ type: 'standing-order.ended', data: { ...identity(order), reason: 'completed' } });
      return true;
    }),
  };
}

function paymentOf(order: StandingOrder, made: Pick<Order, 'paymentId' | 'uetr' | 'createdAt'>): Order {
  const { clientId, customerId, consentId, debtorAccountId, amount, creditor, remittance, standingOrderId } = order;
  return {
    ...made, kind: 'standing-order', standingOrderId, clientId, customerId, consentId, debtorAccountId, amount, creditor,
    endToEndId: defaultEndToEndId(made.paymentId), ...(remittance === undefined ? {} : { remittance }),
  };
}

function toOrder(row: Row): StandingOrder {
  return {
    standingOrderId: row.standing_order_id, clientId: row.client_id, customerId: row.customer_id, consentId: row.consent_id, debtorAccountId: row.debtor_account_id,
    amount: { minor: BigInt(row.amount_minor), currency: row.currency }, creditor: { name: row.creditor_name, iban: row.creditor_iban },
    ...(row.remittance === null ? {} : { remittance: row.remittance }), schedule: row.schedule, status: row.status, ...(row.end_reason === null ? {} : { endReason: row.end_reason }),
    ...(row.next_number === null || row.next_date === null ? {} : { next: { number: row.next_number, date: row.next_date } }), createdAt: row.created_at,
  };
}
