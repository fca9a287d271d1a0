import { text } from '@kontor/kernel/config';
import { defineService, isMain, runService } from '@kontor/kernel/service';
import { calendarOf } from './calendar.js';
import { paymentRepository } from './repository.js';
import { routes } from './routes.js';
import { subscriptions } from './subscriptions.js';

export const options = defineService({
  name: 'payment',
  root: new URL('..', import.meta.url),
  settings: {
    PAYMENT_TIME_ZONE: text({ default: 'Europe/Berlin', explain: 'IANA name of the time zone in which the days of payments begin' }),
    PAYMENT_CUT_OFF: text({ default: 'off', explain: 'HH:MM until which a payment goes on the same business day; off: payments go at once at every hour of every day' }),
  },
  wire: ({ database, settings, logger, metrics }) => {
    const calendar = calendarOf(settings.PAYMENT_TIME_ZONE, settings.PAYMENT_CUT_OFF);
    const now = (): Date => new Date();
    const payments = paymentRepository(database, 'payment', now);
    metrics.gauge({
      name: 'payment_oldest_unsettled_seconds', help: 'Seconds the longest waiting payment has stood at its status; 0 when all are final.',
      collect: async (gauge) => gauge.set(await payments.oldestUnsettledSeconds()),
    });
    return { routes: routes({ payments, calendar, now }), subscriptions: subscriptions({ payments, logger }) };
  },
});

if (isMain(import.meta.url)) await runService(options);
