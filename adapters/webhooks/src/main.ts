import { bytes32, flag, integer } from '@kontor/kernel/config';
import { defineService, isMain, runService } from '@kontor/kernel/service';
import { feedRepository } from './feed-repository.js';
import { webhookRepository } from './repository.js';
import { routes } from './routes.js';
import { newSecret, seal, unseal } from './secrets.js';
import { startSender } from './sender.js';
import { subscriptions } from './subscriptions.js';
import { transport } from './transport.js';
import { startUpkeep } from './upkeep.js';

export const options = defineService({
  name: 'webhooks',
  root: new URL('..', import.meta.url),
  settings: {
    WEBHOOK_SECRETS_KEY: bytes32({ explain: 'Base64 of 32 bytes: seals the endpoints\' signing secrets (AES-256-GCM)' }),
    WEBHOOK_ALLOW_PRIVATE: flag({ default: false, explain: 'true (sandbox only): plain HTTP and private addresses are allowed' }),
    WEBHOOK_TIMEOUT_MS: integer({ default: 10_000, min: 100, max: 60_000, explain: 'How long an endpoint may take for one answer' }),
    EVENT_RETENTION_DAYS: integer({ default: 30, min: 1, max: 365, explain: 'How long events stay readable in the feed, and ended deliveries are listed' }),
  },
  wire: ({ database, settings, logger, metrics }) => {
    const webhooks = webhookRepository(database);
    const feed = feedRepository(database);
    const now = (): Date => new Date();
    const key = settings.WEBHOOK_SECRETS_KEY;
    const { WEBHOOK_ALLOW_PRIVATE: allowPrivate, WEBHOOK_TIMEOUT_MS: timeoutMs } = settings;
    const attempts = metrics.counter({ name: 'webhook_attempts_total', help: 'Attempts to deliver a webhook, by outcome.', labels: ['outcome'] });
    metrics.gauge({
      name: 'webhook_deliveries_waiting', help: 'Deliveries that wait for their first or next attempt.', collect: async (gauge) => gauge.set(await webhooks.waiting()),
    });
    const way = transport({ allowPrivate, timeoutMs });
    const sender = startSender({
      webhooks, transport: way, unseal: (sealed, endpointId) => unseal(sealed, endpointId, key), logger, now, random: Math.random,
      counted: (outcome) => attempts.inc({ outcome }), timeoutMs,
    });
    const stopUpkeep = startUpkeep({ feed, logger, now, retentionDays: settings.EVENT_RETENTION_DAYS });
    const stopWaking = database.onCommit(sender.wake);
    return {
      routes: routes({ webhooks, feed, allowPrivate, newSecret, seal: (secret, endpointId) => seal(secret, endpointId, key), now }),
      subscriptions: subscriptions({ feed, now }),
      stop: async () => {
        stopWaking();
        await stopUpkeep();
        await sender.stop();
        await way.close();
      },
    };
  },
});

if (isMain(import.meta.url)) await runService(options);
