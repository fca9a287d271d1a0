import { defineService, isMain, runService } from '@kontor/kernel/service';
import { paymentRepository } from './repository.js';
import { routes } from './routes.js';
import { subscriptions } from './subscriptions.js';

export const options = defineService({
  name: 'payment',
  root: new URL('..', import.meta.url),
  settings: {},
  wire: ({ database, logger, metrics }) => {
    const now = (): Date => new Date();
    const payments = paymentRepository(database, 'payment', now);
    metrics.gauge({
      name: 'payment_oldest_unsettled_seconds', help: 'Seconds the longest waiting payment has stood at its status; 0 when all are final.',
      collect: async (gauge) => gauge.set(await payments.oldestUnsettledSeconds()),
    });
    return { routes: routes({ payments, now }), subscriptions: subscriptions({ payments, logger }) };
  },
});

if (isMain(import.meta.url)) await runService(options);
