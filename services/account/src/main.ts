import { integer, secret } from '@kontor/kernel/config';
import { childTraceparent, type EventContext } from '@kontor/kernel/events';
import { newId } from '@kontor/kernel/ids';
import { defineService, isMain, runService } from '@kontor/kernel/service';
import { beneficiaryRepository } from './beneficiary-repository.js';
import { beneficiaryRoutes } from './beneficiary-routes.js';
import { internalBalances } from './internal.js';
import { ledgerAdministration } from './ledger-administration-repository.js';
import { ledgerAdministrationRoutes } from './ledger-administration-routes.js';
import { RECONCILIATION_SETTINGS, startReconciliation } from './reconciliation-schedule.js';
import { accountRepository } from './repository.js';
import { returnRoutes } from './return-routes.js';
import { returnSubscriptions, withEarlyReturns } from './return-subscriptions.js';
import { returnsRepository } from './returns-repository.js';
import { routes } from './routes.js';
import { sameBalance, subscriptions } from './subscriptions.js';

/** Holds are seldom due; a minute more does no harm. */
const EXPIRE_EVERY_MS = 30_000;

export const options = defineService({
  name: 'account',
  root: new URL('..', import.meta.url),
  settings: {
    LEDGER_CHECK_EVERY_S: integer({ default: 60, min: 1, max: 86_400, explain: 'How often the ledger\'s invariants are checked, in seconds' }),
    LEDGER_FULL_CHECK_EVERY_H: integer({ default: 24, min: 1, max: 8_760, explain: 'How often that check reads the whole ledger, in hours; in between it reads what is new' }),
    HOLD_EXPIRES_AFTER_H: integer({ default: 168, min: 1, max: 8_760, explain: 'How long funds are held for a payment that does not end, in hours' }),
    ACCOUNT_BALANCES_KEY: secret({ explain: 'Shared with the consent service: who may read a customer\'s balances for the approval page' }),
    ...RECONCILIATION_SETTINGS,
  },
  wire: ({ database, settings, logger, metrics }) => {
    const accounts = accountRepository(database, { holdHours: settings.HOLD_EXPIRES_AFTER_H });
    const administration = ledgerAdministration(database, accounts);
    const returns = returnsRepository(database);
    const now = (): Date => new Date();
    const byTheClock = (): EventContext => ({ correlationId: newId(), traceparent: childTraceparent() });
    const breaks = metrics.gauge({ name: 'ledger_invariant_breaks', help: 'Breaches of the ledger\'s invariants found by the last check.' });
    const check = setInterval(() => {
      administration.checkAndTell(byTheClock(), settings.LEDGER_FULL_CHECK_EVERY_H).then((found) => {
        if (!found) return;
        breaks.set(found.length);
        for (const { subject } of found.slice(0, 10)) logger.error('the ledger does not balance', { resourceId: subject });
      }).catch((error: Error) => logger.warn('the ledger could not be checked', { error }));
    }, settings.LEDGER_CHECK_EVERY_S * 1000);
    const expire = setInterval(() => {
      administration.expireHolds(byTheClock).catch((error: Error) => logger.warn('holds will be ended later', { error }));
    }, EXPIRE_EVERY_MS);
    const reconciliation = startReconciliation({ database, settings, logger, metrics, now });
    return {
      routes: {
        ...routes({ accounts, now }), ...ledgerAdministrationRoutes({ accounts, administration, now }),
        ...beneficiaryRoutes({ accounts, beneficiaries: beneficiaryRepository(database) }), ...returnRoutes({ returns, now }),
        ...reconciliation.routes,
      },
      subscriptions: { ...withEarlyReturns(subscriptions({ accounts, now }), { returns, now }), ...returnSubscriptions({ returns, now }), ...reconciliation.subscriptions },
      together: sameBalance(accounts),
      extend: (app) => {
        app.use('/internal', internalBalances({ accounts, key: settings.ACCOUNT_BALANCES_KEY }));
      },
      stop: async () => {
        clearInterval(check);
        clearInterval(expire);
        await reconciliation.stop();
      },
    };
  },
});

if (isMain(import.meta.url)) await runService(options);
