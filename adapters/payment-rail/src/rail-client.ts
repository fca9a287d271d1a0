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

/** An order to the simulated rail: give the money of one of our payments back. */
export interface SimulatedReturn {
  messageId: string;
  /** MsgId of the payment. */
  payment: string;
  /** Default: all of it. */
  amount?: { amount: string; currency: string };
  /** ExternalReturnReason1Code. */
  reason?: string;
}

/** An order to the simulated rail: ask a simulated transfer back. */
export interface SimulatedRecall {
  messageId: string;
  /** MsgId of the transfer. */
  transfer: string;
  /** ExternalCancellationReason1Code. */
  reason?: string;
}

/** The rail, as the adapter calls it. */
export interface RailClient {
  /**
   * Hands a message over. The rail knows a message by its MsgId, so handing it over again is harmless.
   * @returns 'refused' when the rail will never take it (400, 422), 'differs' when it has taken another message under this MsgId (409)
   * @throws Transient after the bounded attempts: out of reach, too slow, 5xx, or our credentials are not accepted
   */
  send(xml: string, context: EventContext): Promise<'accepted' | 'refused' | 'differs'>;
  /**
   * Orders something of the simulated rail.
   * @returns 'differs' when the message id was used for another order, 'unknown' when the rail does not know what it is about, 'impossible' when it
   *   cannot be done (yet)
   * @throws Transient
   */
  simulate<What extends keyof Orders>(what: What, order: Orders[What], context: EventContext): Promise<'accepted' | 'differs' | 'unknown' | 'impossible'>;
}

/** What the simulated rail can be told to do. */
export interface Orders {
  'credit-transfers': SimulatedTransfer;
  returns: SimulatedReturn;
  recalls: SimulatedRecall;
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
      if (status === 409) return 'differs';
      if (status === 400 || status === 422) return 'refused';
      throw new Transient(`the payment rail answered ${status}`);
    },
    async simulate(what, order, context) {
      const status = await post(`simulate/${what}`, 'application/json', JSON.stringify(order), context);
      if (status >= 200 && status < 300) return 'accepted';
      if (status === 409) return 'differs';
      if (status === 404) return 'unknown';
      if (status === 422) return 'impossible';
      throw new Transient(`the rail simulator answered ${status}`);
    },
  };
}
