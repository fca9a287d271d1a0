/** The handler of a recall. */
import type { Routes } from '@kontor/kernel/service';
import type { operations } from './openapi.generated.js';
import { toRecall } from './recalls.js';
import type { RecallsRepository } from './recalls-repository.js';

export function recallRoutes({ recalls, now }: { recalls: RecallsRepository; now: () => Date }): Pick<Routes<operations>, 'recallPayment'> {
  return {
    recallPayment: ({ params, body, headers, caller, context }) => recalls.request(
      { key: headers['idempotency-key'], clientId: caller.clientId, body, paymentId: params.paymentId, reason: body.reason, now: now(), context },
      (recall) => ({ status: 201, body: toRecall(recall), headers: { Location: `/v1/payments/${params.paymentId}` } })),
  };
}
