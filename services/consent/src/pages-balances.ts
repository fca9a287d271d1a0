/**
 * Balances on the page where a customer chooses accounts, as the bank's policy says. They help, but never hold the page up: the
 * account service has one second, and what it does not say is shown as not available.
 */
import { request } from 'undici';
import type { Logger } from '@kontor/kernel/logger';

export type BalanceDisplay = 'hidden' | 'masked' | 'shown';

const PATIENCE_MS = 1000;

export type Balances = (customerId: string) => Promise<Map<string, { amount: string; currency: string }>>;

/** @param source where to ask; without one no balance is known */
export function balancesFrom(source: { url: string; key: string } | undefined, logger: Pick<Logger, 'warn'>): Balances {
  return async (customerId) => {
    if (!source) return new Map();
    try {
      const signal = AbortSignal.timeout(PATIENCE_MS);
      const { statusCode, body } = await request(`${source.url}/internal/customers/${customerId}/balances`, { headers: { 'x-balances-key': source.key }, signal });
      if (statusCode !== 200) {
        await body.dump();
        throw new Error(`the account service answered ${statusCode}`);
      }
      return read(await body.json());
    } catch (error) {
      logger.warn('balances are shown as not available', { error: error as Error });
      return new Map();
    }
  };
}

function read(answer: unknown): Map<string, { amount: string; currency: string }> {
  const { balances } = answer as { balances?: { accountId: string; available: { amount: string; currency: string } }[] };
  return new Map((Array.isArray(balances) ? balances : []).filter(({ available }) => /^-?\d+(\.\d+)?$/.test(available?.amount ?? ''))
    .map(({ accountId, available }) => [accountId, available]));
}
