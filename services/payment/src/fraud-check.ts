/** A fraud check elsewhere (FRAUD_CHECK_URL): one POST, bounded in time, behind a circuit breaker. What fails is not asked again: the payment goes to a review. */
import CircuitBreaker from 'opossum';
import { Pool } from 'undici';
import { formatMoney } from '@kontor/kernel/money';
import type { OutsideCheck } from './initiating.js';
import type { Order } from './payment.js';
import type { Assessment } from './review.js';

const REASONS_MOST = 20;
const ANSWER_MOST_BYTES = 16_384;

/**
 * Posts {paymentId, clientId, debtorAccountId, amount, creditor, instant, createdAt} and reads {score: 0 to 100, reasons: texts}.
 * @param timeoutMs for the whole of it
 */
export function outsideCheck({ url, timeoutMs }: { url: string; timeoutMs: number }): { check: OutsideCheck; close: () => Promise<void> } {
  const { origin, pathname, search } = new URL(url);
  const pool = new Pool(origin, { connections: 16, connect: { timeout: timeoutMs }, headersTimeout: timeoutMs, bodyTimeout: timeoutMs });
  const ask = async ({ paymentId, clientId, debtorAccountId, amount, creditor, instant, createdAt }: Order): Promise<Assessment> => {
    const { statusCode, body } = await pool.request({
      path: pathname + search, method: 'POST', headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({ paymentId, clientId, debtorAccountId, amount: formatMoney(amount), creditor, instant: instant ?? false, createdAt }),
    });
    const text = await body.text();
    if (statusCode !== 200 || text.length > ANSWER_MOST_BYTES) throw new Error(`the fraud check answered with status ${statusCode}`);
    return read(JSON.parse(text));
  };
  const breaker = new CircuitBreaker(ask, { timeout: timeoutMs, resetTimeout: 5_000, errorThresholdPercentage: 50, volumeThreshold: 5 });
  return {
    check: (order) => breaker.fire(order),
    async close() {
      breaker.shutdown();
      await pool.destroy();
    },
  };
}

function read(answer: unknown): Assessment {
  const { score, reasons } = (answer ?? {}) as { score?: unknown; reasons?: unknown };
  const sound = typeof score === 'number' && score >= 0 && score <= 100 && Array.isArray(reasons) && reasons.length <= REASONS_MOST
    && reasons.every((reason) => typeof reason === 'string' && /^[A-Za-z0-9 ._-]{1,80}$/.test(reason));
  if (!sound) throw new Error('the fraud check answered what nobody can read');
  return { score: Math.round(score), reasons: reasons as string[] };
}
