/**
 * `GET /internal/customers/{customerId}/balances`, header `X-Balances-Key`: what a customer can choose from on the bank's approval
 * page. For the consent service alone; the gateway has no route to it.
 */
import { Router } from 'express';
import { isId } from '@kontor/kernel/ids';
import { formatMoney } from '@kontor/kernel/money';
import { problem } from '@kontor/kernel/problem';
import { sameKey } from '@kontor/kernel/shared-key';
import type { AccountRepository } from './repository.js';

/** Answers `{balances: [{accountId, available: {amount, currency}}]}`: usable accounts held alone or jointly; none for a customer nobody knows. */
export function internalBalances({ accounts, key }: { accounts: Pick<AccountRepository, 'heldBy'>; key: string }): Router {
  const router = Router();
  router.get('/customers/:customerId/balances', async (request, response) => {
    if (!sameKey(request.headers['x-balances-key'], key)) throw problem('unauthenticated', 'This address is for the consent service.');
    const { customerId } = request.params;
    if (!isId(customerId)) throw problem('invalid_request', 'customerId must be a UUID.');
    const held = await accounts.heldBy(customerId);
    response.set('Cache-Control', 'no-store')
      .json({ balances: held.map(({ accountId, available }) => ({ accountId, available: formatMoney(available) })) });
  });
  return router;
}
