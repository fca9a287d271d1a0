import { integer, secret } from '@kontor/kernel/config';
import { defineService, isMain, runService } from '@kontor/kernel/service';
import { internalBalances } from './internal.js';
import { accountRepository } from './repository.js';
import { routes } from './routes.js';
import { subscriptions } from './subscriptions.js';

export const options = defineService({
  name: 'account',
  root: new URL('..', import.meta.url),
  settings: {
    LEDGER_CHECK_EVERY_S: integer({ default: 60, min: 1, max: 86_400, explain: 'How often the ledger\'s invariants are checked, in seconds' }),
    ACCOUNT_BALANCES_KEY: secret({ explain: 'Shared with the consent service: who may read a customer\'s balances for the approval page' }),
  },
  wire: ({ database, settings, logger, metrics }) => {
    const accounts = accountRepository(database);
    const now = (): Date => new Date();
    const breaks = metrics.gauge({ name: 'ledger_invariant_breaks', help: 'Breaches of the ledger\'s invariants found by the last check.' });
    const check = setInterval(() => {
      accounts.invariantBreaks().then((found) => {
        breaks.set(found.length);
        for (const { subject } of found.slice(0, 10)) logger.error('the ledger does not balance', { resourceId: subject });
      }).catch((error: Error) => logger.warn('the ledger could not be checked', { error }));
    }, settings.LEDGER_CHECK_EVERY_S * 1000);
    return {
      routes: routes({ accounts, now }),
      subscriptions: subscriptions({ accounts, now }),
      extend: (app) => {
        app.use('/internal', internalBalances({ accounts, key: settings.ACCOUNT_BALANCES_KEY }));
      },
      stop: async () => clearInterval(check),
    };
  },
});

if (isMain(import.meta.url)) await runService(options);
