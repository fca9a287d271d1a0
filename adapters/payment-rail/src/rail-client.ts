import { setTimeout as pause } from 'node:timers/promises';
import { childTraceparent, type EventContext } from '@kontor/kernel/events';
import { Transient } from '@kontor/kernel/messaging';
import { sign, SIGNATURE_HEADER } from './signature.js';

/** An order to the simulated rail: let somebody pay into our bank. Money in decimal text. */
export interface SimulatedTransfer {
  messageId: string;
  endToEndId: string;
  amount: { amount: string; currency: string };
  debtor: { name: string; iban: string };
  creditor: { iban: string };
  remittance?: string;
}

/** The rail, as the adapter calls it. */
export interface RailClient {
  /**
   * Hands a message over. The rail knows a message by its MsgId, so handing it over again is harmless.
   * @returns 'refused' when the rail will never take it (400, 409, 422)
   * @throws Transient after the bounded attempts: out of reach, too slow, 5xx, or our credentials are not accepted
   */
  send(xml: string, context: EventContext): Promise<'accepted' | 'refused'>;
  /** @returns 'differs' when the message id was used for another transfer. @throws Transient */
  simulate(transfer: SimulatedTransfer, context: EventContext): Promise<'accepted' | 'differs'>;
}

/** Attempts of one call: after 0, 0.1, 0.3 and 0.7 s, each with jitter. Longer faults are a matter of the broker's back-off. */
const ATTEMPTS = 4;
const FIRST_DELAY_MS = 100;

/**
 * Speaks to the rail at `url` (base URL; messages go to `/messages`).
 * @param options.timeoutMs for one attempt
 */
export function railClient(options: { url: string; secret: string; timeoutMs: number; now?: () => number }): RailClient {
  const base = options.url.replace(/\/?$/, '/');
  const now = options.now ?? (() => Math.floor(Date.now() / 1000));

  async function post(path: string, contentType: string, body: string, context: EventContext): Promise<number> {
    let last: unknown;
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      if (attempt > 1) await pause(FIRST_DELAY_MS * 2 ** (attempt - 2) * (0.5 + Math.random()));
      try {
        const response = await fetch(new URL(path, base), {
          method: 'POST', body, signal: AbortSignal.timeout(options.timeoutMs), redirect: 'error',
          headers: {
            'content-type': contentType, [SIGNATURE_HEADER]: sign(body, options.secret, now()),
            'x-correlation-id': context.correlationId, traceparent: childTraceparent(context.traceparent),
          },
        });
        await response.body?.cancel();
        if (response.status < 500 && response.status !== 429 && response.status !== 408) return response.status;
        last = new Error(`the rail answered ${response.status}`);
      } catch (fault) {
        last = fault;
      }
    }
    throw new Transient('the payment rail is out of reach', { cause: last });
  }

  return {
    async send(xml, context) {
      const status = await post('messages', 'application/xml', xml, context);
      if (status >= 200 && status < 300) return 'accepted';
      if ([400, 409, 422].includes(status)) return 'refused';
      throw new Transient(`the payment rail answered ${status}`);
    },
    async simulate(transfer, context) {
      const status = await post('simulate/credit-transfers', 'application/json', JSON.stringify(transfer), context);
      if (status >= 200 && status < 300) return 'accepted';
      if (status === 409) return 'differs';
      throw new Transient(`the rail simulator answered ${status}`);
    },
  };
}
