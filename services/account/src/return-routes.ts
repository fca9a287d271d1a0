/** One handler per operation of the bank's staff on recalls and returns. */
import { formatMoney, parseMoney } from '@kontor/kernel/money';
import type { Routes } from '@kontor/kernel/service';
import { positive } from './account.js';
import { staffOf } from './ledger-administration.js';
import type { operations } from './openapi.generated.js';
import { toRecall } from './returns.js';
import type { ReturnsRepository } from './returns-repository.js';

type ReturnOperation = 'listRecalls' | 'getRecall' | 'acceptRecall' | 'refuseRecall' | 'returnTransaction';

export function returnRoutes({ returns, now }: { returns: ReturnsRepository; now: () => Date }): Pick<Routes<operations>, ReturnOperation> {
  return {
    async listRecalls({ query }) {
      const page = await returns.list(query, query as { limit: number; cursor?: string });
      return { status: 200, body: { data: page.rows.map(toRecall), nextCursor: page.nextCursor } };
    },
    async getRecall({ params }) {
      return { status: 200, body: toRecall(await returns.recall(params.recallId)) };
    },
    async acceptRecall({ params, body, caller, context }) {
      return { status: 200, body: toRecall(await returns.accept({ recallId: params.recallId, by: staffOf(caller.clientId, body.staffMember), now: now(), context })) };
    },
    async refuseRecall({ params, body, caller, context }) {
      const { reason, staffMember } = body;
      return { status: 200, body: toRecall(await returns.refuse({ recallId: params.recallId, reason, by: staffOf(caller.clientId, staffMember), now: now(), context })) };
    },
    async returnTransaction({ params, body, headers, caller, context }) {
      const amount = positive(parseMoney(body.amount));
      return returns.returnTransfer({
        key: headers['idempotency-key'], clientId: caller.clientId, body, transactionId: params.transactionId, amount, reason: body.reason,
        by: staffOf(caller.clientId, body.staffMember), now: now(), context,
      }, (transactionId) => ({
        status: 201, body: { transactionId, returnedTransactionId: params.transactionId, amount: formatMoney(amount), reason: body.reason },
        headers: { Location: `/v1/ledger/transactions/${transactionId}` },
      }));
    },
  };
}
