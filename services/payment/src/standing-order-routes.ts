/** One handler per operation on standing orders. */
import { isValidIBAN } from 'ibantools';
import { decodeCursor, encodeCursor } from '@kontor/kernel/cursor';
import { isId, newId } from '@kontor/kernel/ids';
import { formatMoney } from '@kontor/kernel/money';
import { problem } from '@kontor/kernel/problem';
import type { Routes } from '@kontor/kernel/service';
import { bankDay, type Calendar } from './calendar.js';
import type { components, operations } from './openapi.generated.js';
import { amountOf, idempotencyKey } from './routes.js';
import { checkedSchedule, execution, nextDates, type Schedule, type StandingOrder } from './standing-orders.js';
import type { StandingOrderRepository } from './standing-order-repository.js';

type Schemas = components['schemas'];
type Operation = 'createStandingOrder' | 'listStandingOrders' | 'getStandingOrder' | 'cancelStandingOrder';

/** How many of the days to come, and of those that were, an order shows. */
const DATES_SHOWN = 12;

export function standingOrderRoutes({ orders, calendar, now }: {
  orders: Pick<StandingOrderRepository, 'create' | 'list' | 'find' | 'executed' | 'cancel'>; calendar: Calendar; now: () => Date;
}): Pick<Routes<operations>, Operation> {
  const known = async (standingOrderId: string, caller: { clientId: string; roles: readonly string[] }, reading: boolean): Promise<StandingOrder> => {
    const order = await orders.find(standingOrderId);
    if (!order) throw problem('standing_order_not_found', 'There is no standing order with this id.');
    if (order.clientId !== caller.clientId && !(reading && caller.roles.includes('compliance'))) throw problem('not_your_resource', 'This standing order was set up by another application.');
    return order;
  };

  return {
    async createStandingOrder({ headers, body, caller, context }) {
      const consent = caller.consent;
      if (!consent) throw problem('consent_required', 'Use an access token that carries a variable recurring consent.');
      const wanted = body as Schemas['StandingOrderInitiation'];
      if (!consent.accounts.includes(wanted.debtorAccountId)) throw problem('consent_account_not_covered', 'debtorAccountId is not an account the customer chose.');
      if (!isValidIBAN(wanted.creditor.iban)) throw problem('invalid_iban', 'creditor.iban: length, structure or check digits are wrong.');
      const createdAt = now();
      const schedule = checkedSchedule({ holidayRule: 'following', ...wanted.schedule } as Schedule, bankDay(calendar, createdAt));
      const first = execution(schedule, 0);
      if (!first) throw problem('unprocessable', 'schedule: there is no day on which a payment would come.');
      const order: StandingOrder = {
        standingOrderId: newId(), clientId: caller.clientId, customerId: consent.customerId, consentId: consent.id, debtorAccountId: wanted.debtorAccountId, amount: amountOf(wanted.amount),
        creditor: wanted.creditor, ...(wanted.remittance === undefined ? {} : { remittance: wanted.remittance }), schedule, status: 'active', next: first, createdAt,
      };
      return orders.create(order, { key: idempotencyKey(headers), body: { ...wanted, consentId: consent.id }, context }, (made) => (
        { status: 201, body: onTheWire(made), headers: { Location: `/v1/standing-orders/${made.standingOrderId}` } }));
    },

    async listStandingOrders({ query, caller }) {
      const { limit = 25, cursor } = query as { limit?: number; cursor?: string };
      const found = await orders.list({
        clientId: caller.roles.includes('compliance') ? undefined : caller.clientId, before: cursor === undefined ? undefined : lastOf(cursor), limit: limit + 1,
      });
      const page = found.slice(0, limit);
      const last = page.at(-1);
      return { status: 200, body: { data: page.map((order) => onTheWire(order)), nextCursor: found.length > limit && last ? encodeCursor({ before: last.standingOrderId }) : null } };
    },

    async getStandingOrder({ params, caller }) {
      const order = await known(params.standingOrderId, caller, true);
      return { status: 200, body: { ...onTheWire(order), executions: await orders.executed(order.standingOrderId, DATES_SHOWN) } };
    },

    async cancelStandingOrder({ params, caller, context }) {
      await known(params.standingOrderId, caller, false);
      const order = await orders.cancel(params.standingOrderId, context);
      if (!order) throw problem('standing_order_not_found', 'There is no standing order with this id.');
      return { status: 200, body: onTheWire(order) };
    },
  };
}

function lastOf(cursor: string): string {
  const { before } = decodeCursor<{ before: string }>(cursor, ['before']);
  if (!isId(before)) throw problem('invalid_cursor', 'Use the cursor exactly as nextCursor gave it.');
  return before;
}

function onTheWire(order: StandingOrder): Schemas['StandingOrder'] {
  const { standingOrderId, status, endReason, debtorAccountId, consentId, amount, creditor, remittance, schedule, next, createdAt } = order;
  return {
    standingOrderId, status, ...(endReason === undefined ? {} : { endReason }), debtorAccountId, consentId, amount: formatMoney(amount), creditor, ...(remittance === undefined ? {} : { remittance }),
    schedule, nextDates: nextDates(schedule, next, DATES_SHOWN), createdAt: createdAt.toISOString(),
  };
}
