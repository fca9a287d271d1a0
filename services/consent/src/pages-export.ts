/** Everything about a customer's consents as a download: JSON, and CSV that a spreadsheet opens without running anything. Pure. */
import { stringify } from 'csv-stringify/sync';
import type { Consent } from './consent.js';
import type { HistoryLine } from './repository.js';

/** One consent with all that is kept about it. Times are ISO 8601, UTC. */
export interface Kept { consent: Consent; application: string; lastUsedAt?: Date; accesses: number; accounts: string[]; history: HistoryLine[] }

export const exportJson = (kept: Kept[], at: Date): string => JSON.stringify({
  exportedAt: at.toISOString(),
  consents: kept.map(({ consent, application, lastUsedAt, accesses, accounts, history }) => ({
    consentId: consent.id, application: { clientId: consent.clientId, name: application }, type: consent.type, status: consent.status,
    ...(consent.statusReason ? { statusReason: consent.statusReason } : {}),
    permissions: consent.permissions, accounts, ...(consent.payment ? { payment: consent.payment } : {}), ...(consent.recurring ? { recurring: consent.recurring } : {}),
    ...(consent.bulk ? { bulk: consent.bulk } : {}),
    ...(consent.frequencyPerDay === undefined ? {} : { frequencyPerDay: consent.frequencyPerDay }), oneOff: consent.oneOff,
    createdAt: consent.createdAt.toISOString(), expiresAt: consent.expiresAt.toISOString(), lastUsedAt: lastUsedAt?.toISOString() ?? null, accesses,
    history: history.map(({ at: when, act, status, actor, reason, note }) => ({ at: when.toISOString(), act, status, by: actor.kind, reason, ...(note ? { note } : {}) })),
  })),
}, null, 2);

const COLUMNS = ['consent_id', 'application', 'type', 'status', 'permissions', 'accounts', 'amount', 'currency', 'payee', 'payee_iban', 'created_at', 'expires_at', 'last_used_at', 'accesses', 'history'];

/** One line a consent (RFC 4180); what begins like a formula is shown by a spreadsheet, not run (OWASP, CSV injection). */
export const exportCsv = (kept: Kept[]): string => stringify(kept.map(lineOf), { header: true, columns: COLUMNS, escape_formulas: true, record_delimiter: 'windows' });

function lineOf({ consent, application, lastUsedAt, accesses, accounts, history }: Kept): string[] {
  const money = consent.payment?.amount ?? consent.recurring?.maximumPerPayment ?? consent.bulk?.total;
  const creditor = consent.payment?.creditor ?? consent.recurring?.creditor;
  return [
    consent.id, application, consent.type, consent.status, consent.permissions.join(' '), accounts.join('; '), money?.amount ?? '', money?.currency ?? '', creditor?.name ?? '', creditor?.iban ?? '',
    consent.createdAt.toISOString(), consent.expiresAt.toISOString(), lastUsedAt?.toISOString() ?? '', String(accesses),
    history.map(({ at, act, actor }) => `${at.toISOString()} ${act} ${actor.kind}`).join('; '),
  ];
}
