import { Redis } from 'ioredis';
import { flag, secret, url } from '@kontor/kernel/config';
import { newId } from '@kontor/kernel/ids';
import { defineService, isMain, runService } from '@kontor/kernel/service';
import { bank, BANK_SETTINGS } from './bank.js';
import { consentRepository } from './repository.js';
import { decisionsIn } from './decisions.js';
import { gatewayAt } from './gateway.js';
import { internalDecisions } from './internal.js';
import { knownRepository } from './known-repository.js';
import { reportRepository } from './report-repository.js';
import { routes } from './routes.js';
import { subscriptions, tokenSubscriptions } from './subscriptions.js';

const SWEEP_EVERY_MS = 5_000;

export const options = defineService({
  name: 'consent',
  root: new URL('..', import.meta.url),
  settings: {
    REDIS_URL: url({ explain: 'Redis that keeps decision records and the sessions of the bank pages' }),
    SANDBOX: flag({ default: false, explain: 'true: sandbox operations answer' }),
    OAUTH2_PROVISION_KEY: secret({ explain: 'The key with which the gateway lets the consent service ask for authorization codes' }),
    GATEWAY_OAUTH2_URL: url({ explain: 'The gateway\'s /oauth2, https: codes, the end of tokens, introspection' }),
    CONSENT_DECISION_KEY: secret({ explain: 'Shared with the gateway: who may read decisions over HTTP' }),
    ...BANK_SETTINGS,
  },
  wire: ({ database, settings, logger }) => {
    const redis = new Redis(settings.REDIS_URL, { maxRetriesPerRequest: 1, commandTimeout: 1000, enableOfflineQueue: true });
    redis.on('error', (error: Error) => logger.warn('redis is away', { error }));
    const now = (): Date => new Date();
    const known = knownRepository(database);
    const consents = consentRepository(database, decisionsIn(redis), known);
    const gateway = gatewayAt(settings.GATEWAY_OAUTH2_URL, settings.OAUTH2_PROVISION_KEY);
    const pages = bank({ database, redis, logger, consents, usageOf: known.usageOf, requestCode: gateway.requestCode, oauth2Url: settings.GATEWAY_OAUTH2_URL, settings, now });
    const sweep = setInterval(() => {
      consents.sweep(() => ({ correlationId: newId(), traceparent: '' }))
        .catch((error: Error) => logger.warn('the sweep of consents will be tried again', { error }));
    }, SWEEP_EVERY_MS);
    return {
      routes: routes({
        consents, known, reports: reportRepository(database), bank: pages, pagesUrl: pages.pagesUrl, sandbox: settings.SANDBOX, now,
        introspect: gateway.introspect,
      }),
      subscriptions: subscriptions({ consents, known }),
      outside: tokenSubscriptions({ endTokens: gateway.endTokens, now }),
      extend: (app) => {
        app.use('/internal', internalDecisions({ consents, key: settings.CONSENT_DECISION_KEY }));
        pages.extend(app);
      },
      stop: async () => {
        clearInterval(sweep);
        pages.stop();
        await redis.quit().catch(() => redis.disconnect());
      },
    };
  },
});

if (isMain(import.meta.url)) await runService(options);
