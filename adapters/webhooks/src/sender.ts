/** The loop that takes due deliveries and sends them. Any number of them may run: a delivery is leased to one at a time. */
import { childTraceparent } from '@kontor/kernel/events';
import { newId } from '@kontor/kernel/ids';
import type { Logger } from '@kontor/kernel/logger';
import type { Claimed, WebhookRepository } from './repository.js';
import type { Transport } from './transport.js';
import { judge, nextAttempt, type Attempt } from './webhooks.js';

export interface SenderNeeds {
  webhooks: WebhookRepository;
  transport: Transport;
  unseal: (sealed: Buffer, endpointId: string) => string;
  logger: Logger;
  now: () => Date;
  random: () => number;
  /** Called with the outcome of each attempt: delivered, retry, failed, gone. */
  counted: (outcome: string) => void;
  /** How long an attempt may take; the lease is longer. */
  timeoutMs: number;
}

export interface Sender {
  /** Something may be due: look now. */
  wake(): void;
  /** Takes nothing more and waits for what is under way. */
  stop(): Promise<void>;
}

const MOST_UNDER_WAY = 16;
const LOOK_EVERY_MS = 500;

/** Starts the loop. */
export function startSender(needs: SenderNeeds): Sender {
  const underWay = new Set<Promise<void>>();
  let running = true;
  let wake: () => void = () => undefined;
  const rest = (): Promise<void> => new Promise((resolve) => {
    const timer = setTimeout(resolve, LOOK_EVERY_MS);
    wake = () => {
      clearTimeout(timer);
      resolve();
    };
  });

  const loop = async (): Promise<void> => {
    while (running) {
      const free = MOST_UNDER_WAY - underWay.size;
      if (free === 0) {
        await Promise.race(underWay);
        continue;
      }
      const claimed = await needs.webhooks.claim(free, needs.now(), needs.timeoutMs + 30_000).catch((error: unknown) => {
        needs.logger.warn('deliveries cannot be read', { error: error as Error });
        return [];
      });
      for (const delivery of claimed) {
        const sending = attempt(delivery, needs)
          .catch((error: unknown) => needs.logger.warn('the outcome of a delivery could not be kept: it is sent again', { resourceId: delivery.deliveryId, error: error as Error }))
          .finally(() => underWay.delete(sending));
        underWay.add(sending);
      }
      if (claimed.length < free && running) await rest();
    }
    await Promise.allSettled(underWay);
  };
  const ended = loop();
  return {
    wake: () => wake(),
    stop: () => {
      running = false;
      wake();
      return ended;
    },
  };
}

async function attempt(claimed: Claimed, needs: SenderNeeds): Promise<void> {
  const { webhooks, now, random, counted } = needs;
  const result = await post(claimed, needs);
  const judged = judge(result);
  const status = 'status' in result ? result.status : null;
  if (judged.outcome === 'delivered') await webhooks.delivered(claimed, status ?? 200);
  if (judged.outcome === 'gone') await webhooks.disable(claimed, { correlationId: newId(), traceparent: childTraceparent() });
  if (judged.outcome !== 'retry') return counted(judged.outcome);
  const again = nextAttempt(claimed.attempts, now(), random());
  await webhooks.attemptFailed(claimed, { status, error: judged.error, again });
  counted(again ? 'retry' : 'failed');
}

/** Nothing is sent unsigned: a secret that does not open is an attempt that failed, bounded like the others. */
async function post({ eventId, endpointId, url, body, sealedSecret }: Claimed, { transport, unseal, logger, now }: SenderNeeds): Promise<Attempt> {
  let secret: string;
  try {
    secret = unseal(sealedSecret, endpointId);
  } catch (error) {
    logger.error('a signing secret does not open: is WEBHOOK_SECRETS_KEY the one it was sealed with?', { resourceId: endpointId, error: error as Error });
    return { error: 'internal' };
  }
  return transport.post({ url, webhookId: eventId, body, secret, now: now() });
}
