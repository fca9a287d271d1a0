import { randomUUID } from 'node:crypto';
import { integer, text, url } from '@kontor/kernel/config';
import { childTraceparent } from '@kontor/kernel/events';
import { newId } from '@kontor/kernel/ids';
import { defineService, isMain, runService } from '@kontor/kernel/service';
import { paymentOf } from './bulk.js';
import { bulkRepository, type DueItem } from './bulk-repository.js';
import { bulkRoutes } from './bulk-routes.js';
import { calendarOf } from './calendar.js';
import { outsideCheck } from './fraud-check.js';
import { initiating } from './initiating.js';
import { recallRoutes } from './recall-routes.js';
import { recallSubscriptions } from './recall-subscriptions.js';
import { recallsRepository } from './recalls-repository.js';
import { paymentRepository } from './repository.js';
import { reviewRepository } from './review-repository.js';
import { routes } from './routes.js';
import { staffRoutes } from './staff-routes.js';
import { standingOrderRepository } from './standing-order-repository.js';
import { standingOrderRoutes } from './standing-order-routes.js';
import { subscriptions } from './subscriptions.js';
import { exhaust, INSTANT_SECONDS, startWatch, type Patience } from './watch.js';
import { watchRepository } from './watch-repository.js';

const WATCH_EVERY_MS = 1_000;
/** Payments of bulks that are written, and told, in one transaction. */
const RELEASED_AT_ONCE = 200;
const A_MONTH = 31 * 86_400;

export const options = defineService({
  name: 'payment',
  root: new URL('..', import.meta.url),
  settings: {
    PAYMENT_TIME_ZONE: text({ default: 'Europe/Berlin', explain: 'IANA name of the time zone in which the days of payments begin' }),
    PAYMENT_CUT_OFF: text({ default: 'off', explain: 'HH:MM until which a payment goes on the same business day; off: payments go at once at every hour of every day' }),
    PAYMENT_DAILY_COUNT: integer({ min: 0, max: 1_000_000, default: 0, explain: 'payments a day from one account; 0: no limit' }),
    PAYMENT_DAILY_AMOUNT: integer({ min: 0, max: 1_000_000_000, default: 0, explain: 'whole units of a currency a day from one account; 0: no limit' }),
    PAYMENT_DUPLICATE_MINUTES: integer({ min: 0, max: 10_080, default: 10, explain: 'how long an order for the same thing counts as a duplicate; 0: none does' }),
    FRAUD_FREE_BELOW: integer({ min: 0, max: 1_000_000, default: 30, explain: 'whole units of a currency below which a payment is not assessed' }),
    FRAUD_LARGE_AMOUNT: integer({ min: 1, max: 1_000_000_000, default: 10_000, explain: 'whole units of a currency from which an amount is large for anybody' }),
    FRAUD_REVIEW_SCORE: integer({ min: 0, max: 101, default: 75, explain: 'score (0 to 100) from which a payment is held for the staff' }),
    FRAUD_REFUSE_SCORE: integer({ min: 0, max: 101, default: 100, explain: 'score from which a payment is refused; 101: none is' }),
    FRAUD_CHECK_URL: url({ optional: true, explain: 'a fraud check that is asked besides the rules; when it does not answer the payment is held' }),
    FRAUD_CHECK_TIMEOUT_MS: integer({ min: 50, max: 10_000, default: 1_000, explain: 'how long that check may take' }),
    STUCK_RCVD_SECONDS: integer({ min: 1, max: A_MONTH, default: 60, explain: 'how long the account service may take to hold funds before it is told again' }),
    STUCK_ACCP_SECONDS: integer({ min: 1, max: A_MONTH, default: 300, explain: 'how long the rail may take to take a payment before it is sent again, then asked' }),
    STUCK_ACSP_SECONDS: integer({ min: 1, max: A_MONTH, default: 3_600, explain: 'how long the rail may take to settle a payment before it is asked' }),
    STUCK_ACSC_SECONDS: integer({ min: 1, max: A_MONTH, default: 60, explain: 'how long the account service may take to book a settled on-us payment before it is told again' }),
    STUCK_REVIEW_SECONDS: integer({ min: 1, max: A_MONTH, default: 86_400, explain: 'how long the staff may take to decide on a held payment before it is escalated' }),
    STUCK_ATTEMPTS: integer({ min: 0, max: 20, default: 5, explain: 'how often a payment that stands too long is retried before it is escalated' }),
  },
  wire: ({ database, settings, logger, metrics }) => {
    const now = (): Date => new Date();
    const calendar = calendarOf(settings.PAYMENT_TIME_ZONE, settings.PAYMENT_CUT_OFF);
    const payments = paymentRepository(database, 'payment', now);
    const reviews = reviewRepository(database, payments);
    const recalls = recallsRepository(database);
    const outside = settings.FRAUD_CHECK_URL === undefined ? undefined : outsideCheck({ url: settings.FRAUD_CHECK_URL, timeoutMs: settings.FRAUD_CHECK_TIMEOUT_MS });
    const { initiate, decideOn } = initiating({
      payments, facts: reviews.facts, outside: outside?.check,
      rules: {
        calendar, dailyPayments: settings.PAYMENT_DAILY_COUNT, dailyAmount: settings.PAYMENT_DAILY_AMOUNT, duplicateMinutes: settings.PAYMENT_DUPLICATE_MINUTES,
        fraud: {
          timeZone: settings.PAYMENT_TIME_ZONE, freeBelow: settings.FRAUD_FREE_BELOW, largeAmount: settings.FRAUD_LARGE_AMOUNT,
          reviewFrom: settings.FRAUD_REVIEW_SCORE, refuseFrom: settings.FRAUD_REFUSE_SCORE,
        },
      },
    });
    const bulks = bulkRepository(database, payments);
    const orders = standingOrderRepository(database, { calendar, decideOn, place: payments.placeIn, uetr: randomUUID });
    const watched = watchRepository(database, payments);
    const patience: Patience = {
      RCVD: settings.STUCK_RCVD_SECONDS, PDNG: settings.STUCK_RCVD_SECONDS, review: settings.STUCK_REVIEW_SECONDS, ACTC: settings.STUCK_RCVD_SECONDS,
      ACCP: settings.STUCK_ACCP_SECONDS, ACSP: settings.STUCK_ACSP_SECONDS, ACSC: settings.STUCK_ACSC_SECONDS, instant: INSTANT_SECONDS,
    };
    const startOf = ({ item: _item, context: _context, uetr = randomUUID(), ...transfer }: DueItem): ReturnType<typeof paymentOf> => paymentOf({ ...transfer, uetr, paymentId: newId(), createdAt: now() });
    const stopWatch = startWatch({
      everyMs: WATCH_EVERY_MS, logger,
      async work() {
        const context = { correlationId: newId(), traceparent: childTraceparent() };
        while (await orders.executeDue(context));
        await exhaust((limit) => watched.releaseDue(limit, context));
        await exhaust((limit) => bulks.release(limit, startOf), RELEASED_AT_ONCE);
        await exhaust((limit) => watched.lookAfterOverdue(limit, { patience, most: settings.STUCK_ATTEMPTS }, context));
      },
    });
    metrics.gauge({
      name: 'payment_oldest_unsettled_seconds', help: 'Seconds the longest waiting payment has stood at its status; 0 when all are final.',
      collect: async (gauge) => gauge.set(await payments.oldestUnsettledSeconds()),
    });
    metrics.gauge({
      name: 'payment_escalated', help: 'Payments that stand too long and that somebody must look at.',
      collect: async (gauge) => gauge.set(await watched.escalatedCount()),
    });
    return {
      routes: {
        ...routes({ payments, recalls, initiate, now }), ...recallRoutes({ recalls, now }), ...bulkRoutes({ bulks, calendar, now }),
        ...standingOrderRoutes({ orders, calendar, now }), ...staffRoutes({ reviews, watched, find: payments.find }),
      },
      subscriptions: { ...subscriptions({ payments, orders, reviews, accounts: bulks, logger }), ...recallSubscriptions({ recalls, now, logger }) },
      async stop() {
        await stopWatch();
        await outside?.close();
      },
    };
  },
});

if (isMain(import.meta.url)) await runService(options);
