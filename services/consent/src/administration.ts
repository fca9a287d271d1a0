/** One handler per operation of the bank's staff: search, revoke, expire, report, introspect. */
import { stringify } from 'csv-stringify/sync';
import { isId } from '@kontor/kernel/ids';
import { problem } from '@kontor/kernel/problem';
import type { Routes } from '@kontor/kernel/service';
import { expireByBank, revoke, type Actor, type Consent } from './consent.js';
import { forStaff, historyOnTheWire } from './wire.js';
import type { Introspect } from './gateway.js';
import type { Known } from './known-repository.js';
import type { operations } from './openapi.generated.js';
import type { ConsentReport, Reports } from './report-repository.js';
import type { ConsentFilter, ConsentRepository, Rule } from './repository.js';

export interface AdministrationNeeds {
  consents: ConsentRepository;
  known: Known;
  reports: Reports;
  introspect: Introspect;
  pagesUrl: string;
}

type Administered = 'searchConsents' | 'getConsentAsStaff' | 'revokeConsentAsStaff' | 'expireConsentAsStaff' | 'reportConsents' | 'introspectToken';

export function administration({ consents, known, reports, introspect, pagesUrl }: AdministrationNeeds): Pick<Routes<operations>, Administered> {
  const whole = async (consent: Consent) => ({
    ...forStaff(consent, pagesUrl, (await known.usageOf([consent.id])).get(consent.id)),
    history: historyOnTheWire(await consents.history(consent.id), true),
  });
  const end = async (consentId: string, rule: Rule, context: Parameters<ConsentRepository['change']>[2]) =>
    ({ status: 200, body: await whole(await consents.change(consentId, rule, context)) });

  return {
    async searchConsents({ query }) {
      const page = await consents.search(query as ConsentFilter);
      const usage = await known.usageOf(page.consents.map(({ id }) => id));
      return { status: 200, body: { data: page.consents.map((consent) => forStaff(consent, pagesUrl, usage.get(consent.id))), nextCursor: page.nextCursor } };
    },
    async getConsentAsStaff({ params }) {
      const consent = await consents.find(params.consentId);
      if (!consent) throw problem('consent_not_found', 'There is no consent with this id.');
      return { status: 200, body: await whole(consent) };
    },
    async revokeConsentAsStaff({ params, body, caller, context }) {
      return end(params.consentId, (consent, at) => revoke(consent, { actor: officer(caller.clientId, body), reason: 'by_bank', note: noteOf(body) }, at), context);
    },
    async expireConsentAsStaff({ params, body, caller, context }) {
      return end(params.consentId, (consent, at) => expireByBank(consent, { actor: officer(caller.clientId, body), note: noteOf(body) }, at), context);
    },
    async reportConsents({ query }) {
      const { from, to, format } = query as { from?: string; to?: string; format: string };
      const report = await reports.report(periodOf(from, to));
      if (format !== 'csv') return { status: 200, body: report };
      return {
        status: 200, body: asCsv(report),
        headers: { 'Content-Type': 'text/csv; charset=utf-8', 'Content-Disposition': `attachment; filename="consents-${report.from}-${report.to}.csv"` },
      };
    },
    async introspectToken({ body }) {
      const { active, sub, ...token } = await introspect(body.token);
      if (!active) return { status: 200, body: { active: false } };
      if (sub === undefined) return { status: 200, body: { active, ...token } };
      const consent = isId(sub) ? await consents.find(sub) : undefined;
      if (consent?.status !== 'authorised') return { status: 200, body: { active: false } };
      return { status: 200, body: { active, ...token, consent: forStaff(consent, pagesUrl) } };
    },
  };
}

/** Who decided: the application, and which of its users where it says so. */
const officer = (clientId: string, { staffMember }: { staffMember?: string }): Actor => ({ kind: 'bank', id: staffMember ? `${clientId}/${staffMember}` : clientId });

/** The reason in front, so that the history says it in one line. */
const noteOf = ({ reason, note }: { reason: string; note?: string }): string => (note ? `${reason}: ${note}` : reason);

const DAY_MS = 24 * 60 * 60 * 1000;
const MOST_DAYS = 366;

/** Whole days. @throws Problem `unprocessable` */
function periodOf(from: string | undefined, to: string | undefined): { from: string; to: string } {
  const last = to ?? new Date().toISOString().slice(0, 10);
  const first = from ?? new Date(new Date(`${last}T00:00:00Z`).getTime() - 30 * DAY_MS).toISOString().slice(0, 10);
  const days = (new Date(`${last}T00:00:00Z`).getTime() - new Date(`${first}T00:00:00Z`).getTime()) / DAY_MS;
  if (!(days >= 0)) throw problem('unprocessable', 'from must not lie after to.');
  if (days > MOST_DAYS) throw problem('unprocessable', `A report covers at most ${MOST_DAYS} days.`);
  return { from: first, to: last };
}

/** RFC 4180; cells that a spreadsheet would take for a formula are quoted. */
function asCsv({ asOf, byState, byAge, byClient, refusals }: ConsentReport): string {
  const rows = [
    ...byState.map(({ type, status, consents }) => ['by_state', type, status, '', consents]),
    ...byAge.map(({ type, age, consents }) => ['by_age', type, age, '', consents]),
    ...byClient.flatMap(({ clientId, application, inForce, all }) => [['by_client_in_force', clientId, application ?? '', '', inForce], ['by_client_all', clientId, application ?? '', '', all]]),
    ...refusals.map(({ code, clientId, refusals: count }) => ['refusals', clientId, '', code, count]),
  ];
  return stringify([['as_of', asOf, '', '', ''], ...rows], { header: true, columns: ['figure', 'type_or_client', 'state_or_age_or_name', 'code', 'count'], escape_formulas: true, record_delimiter: 'windows' });
}
