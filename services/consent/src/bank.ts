/** The bank's side of the consent service put together: its settings, strong authentication, the pages, and what the sandbox shows of them. */
import type { Redis } from 'ioredis';
import { bytes32, integer, oneOf, secret, text, url, type Settings } from '@kontor/kernel/config';
import type { Database } from '@kontor/kernel/database';
import type { Logger } from '@kontor/kernel/logger';
import type { Express } from 'express';
import { credentials as credentialStore, type Credentials } from './credentials.js';
import type { RequestCode } from './gateway.js';
import type { Known } from './known-repository.js';
import { metadataRoutes } from './metadata.js';
import { bankPages } from './pages.js';
import { balancesFrom } from './pages-balances.js';
import { visitsIn } from './pages-visit.js';
import type { ConsentRepository } from './repository.js';
import { challenges as challengeStore, type Challenges } from './sca-challenges.js';
import { throttle } from './sca-throttle.js';

export const BANK_SETTINGS = {
  BANK_PAGES_URL: url({ explain: 'Address of the bank pages as a customer\'s browser sees it' }),
  BANK_NAME: text({ default: 'Kontor Sandbox Bank', explain: 'The bank\'s name on its pages' }),
  BANK_TIME_ZONE: text({ default: 'Europe/Berlin', explain: 'IANA time zone of the dates on the bank\'s pages' }),
  CREDENTIALS_KEY: bytes32({ explain: 'Base64 of 32 bytes: seals one-time-code secrets and messages (AES-256-GCM), keys code hashes' }),
  CHALLENGES_PER_HOUR: integer({ min: 1, max: 100_000, default: 30, explain: 'how many second-factor challenges a customer may ask for in an hour' }),
  BALANCE_DISPLAY: oneOf(['hidden', 'masked', 'shown'], { default: 'masked', explain: 'whether the page where accounts are chosen shows balances' }),
  ACCOUNT_BALANCES_URL: url({ optional: true, explain: 'the account service, asked for balances when BALANCE_DISPLAY is shown' }),
  ACCOUNT_BALANCES_KEY: secret({ optional: true, explain: 'the key the account service gives balances for' }),
  OAUTH2_PUBLIC_URL: url({ optional: true, explain: 'the gateway\'s /oauth2 as applications see it, for the metadata; default: GATEWAY_OAUTH2_URL' }),
  SERVICE_DOCUMENTATION_URL: url({ optional: true, explain: 'the developers\' documentation, named in the metadata' }),
};

export interface Bank {
  credentials: Credentials;
  challenges: Challenges;
  /** Where the pages are, as a customer's browser sees them, without a closing slash. */
  pagesUrl: string;
  /** Mounts the pages, `/authorize` and the metadata. */
  extend(app: Express): void;
  stop(): void;
}

const FORGET_EVERY_MS = 60 * 60 * 1000;

export function bank(parts: {
  database: Database; redis: Redis; logger: Logger; consents: ConsentRepository; usageOf: Known['usageOf']; requestCode: RequestCode; oauth2Url: string;
  settings: Settings<typeof BANK_SETTINGS>; now: () => Date;
}): Bank {
  const { database, redis, logger, settings, consents, usageOf, requestCode, now } = parts;
  const key = settings.CREDENTIALS_KEY;
  const credentials = credentialStore(database, key);
  const challenges = challengeStore(database, key);
  const pagesUrl = settings.BANK_PAGES_URL.replace(/\/$/, '');
  const { ACCOUNT_BALANCES_URL: balancesUrl, ACCOUNT_BALANCES_KEY: balancesKey } = settings;
  const forgetting = setInterval(() => {
    challenges.forgetOld(now()).catch((error: Error) => logger.warn('old challenges will be forgotten later', { error }));
  }, FORGET_EVERY_MS);
  return {
    credentials, challenges, pagesUrl,
    extend(app) {
      app.use(metadataRoutes({
        pagesUrl, oauth2Url: (settings.OAUTH2_PUBLIC_URL ?? parts.oauth2Url).replace(/\/$/, ''),
        ...(settings.SERVICE_DOCUMENTATION_URL ? { documentationUrl: settings.SERVICE_DOCUMENTATION_URL } : {}),
      }));
      app.use('/bank', bankPages({
        consents, usageOf, credentials, challenges, requestCode, pagesUrl, now,
        throttle: throttle(redis, { key, challengesPerHour: settings.CHALLENGES_PER_HOUR }),
        visits: visitsIn(redis, { secure: pagesUrl.startsWith('https:') }),
        balances: balancesFrom(balancesUrl && balancesKey ? { url: balancesUrl.replace(/\/$/, ''), key: balancesKey } : undefined, logger),
        balanceDisplay: settings.BALANCE_DISPLAY, bankName: settings.BANK_NAME, timeZone: settings.BANK_TIME_ZONE,
        unforeseen: (error) => logger.error('a page could not be shown', { error: error as Error }),
      }));
    },
    stop: () => clearInterval(forgetting),
  };
}
