import { Redis } from 'ioredis';
import { bytes32, secret, url, text, flag } from '@kontor/kernel/config';
import { newId } from '@kontor/kernel/ids';
import { sessionsIn } from '@kontor/kernel/sessions';
import { defineService, isMain, runService } from '@kontor/kernel/service';
import { consentRepository } from './repository.js';
import { credentials as credentialStore } from './credentials.js';
import { decisionsIn } from './decisions.js';
import { gatewayAt } from './gateway.js';
import { internalDecisions } from './internal.js';
import { knownRepository } from './known-repository.js';
import { bankPages } from './pages.js';
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
    BANK_PAGES_URL: url({ explain: 'Address of the bank pages as a customer\'s browser sees it' }),
    BANK_NAME: text({ default: 'Kontor Sandbox Bank', explain: 'The bank\'s name on its pages' }),
    CONSENT_DECISION_KEY: secret({ explain: 'Shared with the gateway: who may read decisions over HTTP' }),
    CREDENTIALS_KEY: bytes32({ explain: 'Base64 of 32 bytes: seals one-time-code secrets (AES-256-GCM)' }),
  },
  wire: ({ database, settings, logger }) => {
    const redis = new Redis(settings.REDIS_URL, { maxRetriesPerRequest: 1, commandTimeout: 1000, enableOfflineQueue: true });
    redis.on('error', (error: Error) => logger.warn('redis is away', { error }));
    const now = (): Date => new Date();
    const known = knownRepository(database);
    const consents = consentRepository(database, decisionsIn(redis), known);
    const credentials = credentialStore(database, settings.CREDENTIALS_KEY);
    const gateway = gatewayAt(settings.GATEWAY_OAUTH2_URL, settings.OAUTH2_PROVISION_KEY);
    const pagesUrl = settings.BANK_PAGES_URL.replace(/\/$/, '');
    const sweep = setInterval(() => {
      consents.sweep(() => ({ correlationId: newId(), traceparent: '' }))
        .catch((error: Error) => logger.warn('the sweep of consents will be tried again', { error }));
    }, SWEEP_EVERY_MS);
    return {
      routes: routes({
        consents, known, reports: reportRepository(database), credentials, pagesUrl, sandbox: settings.SANDBOX, now,
        introspect: gateway.introspect,
      }),
      subscriptions: subscriptions({ consents, known }),
      outside: tokenSubscriptions({ endTokens: gateway.endTokens, now }),
      extend: (app) => {
        app.use('/internal', internalDecisions({ consents, key: settings.CONSENT_DECISION_KEY }));
        app.use('/bank', bankPages({
          consents, credentials,
          sessions: sessionsIn(redis, { name: 'bank_session', path: '/bank', lifeS: 15 * 60, secure: pagesUrl.startsWith('https:') }),
          requestCode: gateway.requestCode,
          pagesUrl, bankName: settings.BANK_NAME, now,
        }));
      },
      stop: async () => {
        clearInterval(sweep);
        await redis.quit().catch(() => redis.disconnect());
      },
    };
  },
});

if (isMain(import.meta.url)) await runService(options);
