/** What is told and counted of the decisions the gateway made under consents: access.decided, consent_decisions_total. */
import type { EventData } from '@kontor/kernel/events';
import { PROBLEMS } from '@kontor/kernel/problem';
import type { NewRecord } from './trail.js';

/** Decisions that are alike: how many, and when the last one was. `customerId` where the gateway knew whose consent it is. */
export interface Decided {
  data: EventData<'access.decided'>;
  customerId?: string;
}

/**
 * Sums up records that are new in the trail: one entry for each consent, application, operation and outcome, in the order of their
 * first record. Records without a consent, an application or a decision are left out.
 */
export function decidedIn(records: readonly NewRecord[]): Decided[] {
  const sums = new Map<string, Decided>();
  for (const { kind, consentId, clientId, customerId, operation, decision, code, at } of records) {
    if (kind !== 'access' || consentId === undefined || clientId === undefined || operation === undefined) continue;
    if (decision !== 'allow' && decision !== 'refuse') continue;
    const key = JSON.stringify([consentId, clientId, operation, decision, code]);
    const known = sums.get(key);
    const lastAt = known && known.data.lastAt > at ? known.data.lastAt : at;
    const owner = known?.customerId ?? customerId;
    sums.set(key, {
      data: { consentId, clientId, operation, decision, ...(code === undefined ? {} : { code }), count: (known?.data.count ?? 0) + 1, lastAt },
      ...(owner === undefined ? {} : { customerId: owner }),
    });
  }
  return [...sums.values()];
}

/** The label of a code: codes of ours as they are, anything else is one word, so that the metric has a bounded number of series. */
export function codeLabel(code: string | undefined): string {
  if (code === undefined) return 'none';
  return Object.hasOwn(PROBLEMS, code) ? code : 'other';
}
