/** One handler per operation of openapi.yaml. */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { isValidIBAN } from 'ibantools';
import { decodeCursor, encodeCursor } from '@kontor/kernel/cursor';
import { requestHash } from '@kontor/kernel/idempotency';
import { newId } from '@kontor/kernel/ids';
import { formatMoney, parseMoney, type Money } from '@kontor/kernel/money';
import { Problem, problem } from '@kontor/kernel/problem';
import type { Routes } from '@kontor/kernel/service';
import type { components, operations } from './openapi.generated.js';
import type { Initiating } from './initiating.js';
import { defaultEndToEndId, isFinal, type Order, type Payment, type Payments } from './payment.js';
import { toExceptions } from './recalls.js';
import { refusal } from './refusals.js';

type Schemas = components['schemas'];
/** What happened to a payment after the rail had it. */
interface Exceptions { of(paymentId: string): Promise<Parameters<typeof toExceptions>[0]> }

/** The news of an authorisation comes by event: how long a payment waits for it, and how often it looks. */
const NEWS_WAIT_MS = 2_000;
const NEWS_POLL_MS = 50;

type Operation = 'initiatePayment' | 'listPayments' | 'getPayment' | 'getPaymentStatus' | 'updatePayment' | 'cancelPayment';

interface Asker {
  clientId: string;
  roles: readonly string[];
}

export function routes({ payments, recalls, initiate, now }: { payments: Payments; recalls: Exceptions; initiate: Initiating; now: () => Date }): Pick<Routes<operations>, Operation> {
  /** The payment, if the asker may know of it: its own client, or for reading a compliance officer. */
  const known = async (paymentId: string, asker: Asker, reading: boolean): Promise<Payment> => {
    const payment = await payments.find(paymentId);
    if (!payment) throw problem('payment_not_found', 'There is no payment with this id.');
    if (payment.clientId !== asker.clientId && !(reading && asker.roles.includes('compliance')))
      throw problem('not_your_resource', 'This payment was initiated by another application.');
    return payment;
  };

  return {
    async initiatePayment({ headers, body, caller, context }) {
      const consent = caller.consent;
      if (!consent) throw problem('consent_required', 'Use an access token that carries a payment consent.');
      const wanted = body as Schemas['PaymentInitiation'];
      if (!consent.accounts.includes(wanted.debtorAccountId))
        throw problem('consent_account_not_covered', 'debtorAccountId is not the account the customer chose.');
      const order = orderOf(wanted, { paymentId: newId(), clientId: caller.clientId, customerId: consent.customerId, consentId: consent.id, uetr: randomUUID(), createdAt: now() });
      const request = {
        key: idempotencyKey(headers),
        hash: requestHash(wanted, { consentId: consent.id }),
        context, identification: wanted.endToEndId ?? wanted.remittance, allowDuplicate: wanted.allowDuplicate,
      };
      const { payment, store } = await initiate(order, request);
      for (const deadline = Date.now() + NEWS_WAIT_MS; ; await pause(NEWS_POLL_MS)) {
        const answer = await store();
        if (answer.outcome === 'created') return created(payment);
        if (answer.outcome === 'replay') return created(answer.payment, { 'Idempotency-Replayed': 'true' });
        if (answer.outcome !== 'consent_unknown' || Date.now() >= deadline) throw refusal(answer);
      }
    },

    async listPayments({ query, caller }) {
      const { limit, cursor, ...filter } = query as { status?: Schemas['PaymentStatus']; kind?: Schemas['PaymentKind']; from?: string; to?: string; limit?: number; cursor?: string };
      const size = limit ?? 25;
      const before = cursor === undefined ? undefined : lastOf(cursor);
      const clientId = caller.roles.includes('compliance') ? undefined : caller.clientId;
      const found = await payments.list({ ...filter, clientId, before, limit: size + 1 });
      const page = found.slice(0, size);
      const last = page.at(-1);
      const nextCursor = found.length > size && last ? encodeCursor({ before: last.paymentId }) : null;
      return { status: 200, body: { data: page.map(onTheWire), nextCursor } };
    },

    async getPayment({ params, caller }) {
      const payment = await known(params.paymentId, caller, true);
      return { status: 200, body: { ...onTheWire(payment), ...toExceptions(await recalls.of(payment.paymentId)) } };
    },

    async getPaymentStatus({ params, caller }) {
      const payment = await known(params.paymentId, caller, true);
      const at = payment.history.at(-1)?.at ?? payment.createdAt;
      const body: Schemas['PaymentStatusReport'] = {
        paymentId: payment.paymentId, status: payment.status, final: isFinal(payment.status), at: at.toISOString(),
        ...(payment.statusReason === undefined ? {} : { statusReason: payment.statusReason }),
      };
      return { status: 200, body };
    },

    async updatePayment({ params, body, caller }) {
      await known(params.paymentId, caller, false);
      const changed = await payments.setReference(params.paymentId, (body as Schemas['PaymentUpdate']).reference);
      if (!changed) throw problem('payment_not_found', 'There is no payment with this id.');
      return { status: 200, body: onTheWire(changed) };
    },

    async cancelPayment({ params, caller, context }) {
      await known(params.paymentId, caller, false);
      const payment = await payments.happen(params.paymentId, { kind: 'cancel' }, context);
      if (payment?.status !== 'CANC')
        throw problem('invalid_state', `The payment stands at ${payment?.status}: it can be cancelled only while it is RCVD or PDNG. Ask for the money back with POST /v1/payments/${params.paymentId}/recall.`);
      return { status: 200, body: onTheWire(payment) };
    },
  };
}

export function idempotencyKey(headers: unknown): string {
  const { 'idempotency-key': lower, 'Idempotency-Key': upper } = headers as Record<string, string | undefined>;
  const key = lower ?? upper;
  if (key === undefined) throw problem('idempotency_key_required', 'Send a header Idempotency-Key.');
  return key;
}

/** Reads and checks what the contract cannot say: the decimals of the currency, an amount above zero, the IBAN's check digits. */
function orderOf(wanted: Schemas['PaymentInitiation'], given: Pick<Order, 'paymentId' | 'clientId' | 'customerId' | 'consentId' | 'uetr' | 'createdAt'>): Order {
  const amount = amountOf(wanted.amount);
  if (!isValidIBAN(wanted.creditor.iban)) throw problem('invalid_iban', 'creditor.iban: length, structure or check digits are wrong.');
  if (wanted.refundOf !== undefined && (wanted.instant || wanted.requestedExecutionDate !== undefined))
    throw problem('unprocessable', 'refundOf: a refund travels as a return (pacs.004), at once and never instant. Leave out instant and requestedExecutionDate.');
  return {
    kind: wanted.refundOf !== undefined ? 'refund' : wanted.requestedExecutionDate !== undefined ? 'scheduled' : 'single',
    ...(wanted.instant ? { instant: true } : {}), ...(wanted.refundOf === undefined ? {} : { refundOf: wanted.refundOf }),
    ...given, amount, debtorAccountId: wanted.debtorAccountId,
    creditor: { name: wanted.creditor.name, iban: wanted.creditor.iban },
    endToEndId: wanted.endToEndId ?? defaultEndToEndId(given.paymentId),
    ...(wanted.remittance === undefined ? {} : { remittance: wanted.remittance }),
    ...(wanted.requestedExecutionDate === undefined ? {} : { requestedExecutionDate: wanted.requestedExecutionDate }),
  };
}

/** The amount of an order. @throws Problem invalid_amount, that names the field */
export function amountOf(wire: Schemas['Money']): Money {
  try {
    const amount = parseMoney(wire);
    if (amount.minor > 0n) return amount;
  } catch (fault) {
    throw fault instanceof Problem ? problem(fault.code, `amount: ${fault.message}`) : fault;
  }
  throw problem('invalid_amount', 'amount: The amount of a payment must be more than zero.');
}

function lastOf(cursor: string): string {
  const { before } = decodeCursor<{ before: string }>(cursor, ['before']);
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(before)) throw problem('invalid_cursor', 'Use the cursor exactly as nextCursor gave it.');
  return before;
}

function created(payment: Payment, headers: Record<string, string> = {}) {
  return { status: 201, body: onTheWire(payment), headers: { Location: `/v1/payments/${payment.paymentId}`, ...headers } };
}

/** A payment as its client, and the staff, read it. */
export function onTheWire(payment: Payment): Schemas['Payment'] {
  const { paymentId, kind, status, statusReason, amount, creditor, debtorAccountId, consentId, endToEndId, uetr, remittance, requestedExecutionDate, reference } = payment;
  const { instant, refundOf, bulkPaymentId, standingOrderId, pendingFor, dueAt, acceptedAt, retriedAt } = payment;
  const named = {
    statusReason, pendingFor, dueAt: dueAt?.toISOString(), instant, acceptedAt: acceptedAt?.toISOString(), refundOf, bulkPaymentId, standingOrderId, remittance, requestedExecutionDate, reference,
    investigatedAt: status === 'ACCP' || status === 'ACSP' ? retriedAt?.toISOString() : undefined,
  };
  return {
    paymentId, kind, status, amount: formatMoney(amount), creditor, debtorAccountId, consentId, endToEndId, uetr, createdAt: payment.createdAt.toISOString(),
    ...Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined)),
    statusHistory: payment.history.map(({ status: reached, at, reason }) =>
      ({ status: reached, at: at.toISOString(), ...(reason === undefined ? {} : { reason }) })),
  };
}
