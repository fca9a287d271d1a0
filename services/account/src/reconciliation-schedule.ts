/** The reconciliation as a part of the account service: its settings, what it hears, when it runs, what it measures. */
import { integer, text, type Settings } from '@kontor/kernel/config';
import type { Database } from '@kontor/kernel/database';
import { childTraceparent, contextOf } from '@kontor/kernel/events';
import { newId } from '@kontor/kernel/ids';
import type { Logger } from '@kontor/kernel/logger';
import type { Metrics } from '@kontor/kernel/metrics';
import type { Subscriptions } from '@kontor/kernel/service';
import { reconciliationDecisions } from './reconciliation-decisions-repository.js';
import { reconciliationRepository } from './reconciliation-repository.js';
import { reconciliationRoutes } from './reconciliation-routes.js';
import { reconciliationRun } from './reconciliation-run-repository.js';
import { statementReader } from './statement-reader.js';

export const RECONCILIATION_SETTINGS = {
  RECONCILE_EVERY_S: integer({ default: 60, min: 1, max: 86_400, explain: 'How often statements are matched with the ledger, in seconds' }),
  RECONCILIATION_TOLERANCE_DAYS: integer({ default: 3, min: 0, max: 10, explain: 'How many days the date of a statement may be off the ledger\'s' }),
  RECONCILIATION_MISSING_AFTER_DAYS: integer({ default: 2, min: 1, max: 90, explain: 'After how many days a booking no statement has told of is a break' }),
  ISO20022_XSD_DIR: text({ optional: true, explain: 'directory of the ISO 20022 schemas (camt.053.001.08.xsd, camt.054.001.08.xsd)' }),
};

interface Parts {
  database: Database;
  settings: Settings<typeof RECONCILIATION_SETTINGS>;
  logger: Logger;
  metrics: Metrics;
  now: () => Date;
}

/** Starts the schedule. Each node may have one: they go one after the other, and what one has matched the next leaves alone. */
export function startReconciliation({ database, settings, logger, metrics, now }: Parts) {
  const statements = reconciliationRepository(database);
  const run = reconciliationRun(database, { toleranceDays: settings.RECONCILIATION_TOLERANCE_DAYS, missingAfterDays: settings.RECONCILIATION_MISSING_AFTER_DAYS });
  watch(metrics, statements);

  let underWay: Promise<void> | undefined;
  const scheduled = setInterval(() => {
    underWay ??= run({ correlationId: newId(), traceparent: childTraceparent() }).then(
      ({ breaksFound }) => { if (breaksFound > 0) logger.warn('the ledger and its statements differ', { status: breaksFound }); },
      (error: Error) => logger.warn('the reconciliation did not finish; it is run again', { error }),
    ).finally(() => { underWay = undefined; });
  }, settings.RECONCILE_EVERY_S * 1000);

  const subscriptions: Subscriptions = {
    /** Only stored here: an event does not wait for the matching of others. */
    'rail.statement-received': (event, { tx }) => statements.storeHeard(event.data, event.source, contextOf(event), tx),
  };
  return {
    routes: reconciliationRoutes({ statements, decisions: reconciliationDecisions(database, statements), run, open: statementReader(settings.ISO20022_XSD_DIR), now }),
    subscriptions,
    stop: async (): Promise<void> => {
      clearInterval(scheduled);
      await underWay;
    },
  };
}

function watch(metrics: Metrics, statements: ReturnType<typeof reconciliationRepository>): void {
  metrics.gauge({
    name: 'reconciliation_breaks', help: 'Differences between statements and the ledger that are not resolved.', labels: ['reason'],
    collect: async (gauge) => {
      const { byReason } = await statements.unresolved();
      gauge.reset();
      for (const { reason, breaks } of byReason) gauge.set({ reason }, breaks);
    },
  });
  metrics.gauge({
    name: 'reconciliation_oldest_break_seconds', help: 'Age of the oldest difference that is not resolved; 0 when there is none.',
    collect: async (gauge) => gauge.set((await statements.unresolved()).oldestSeconds),
  });
}
