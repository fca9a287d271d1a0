/** All SQL of the kyc service: a case, its change and its event are one transaction. */
import { decodeCursor, encodeCursor } from '@kontor/kernel/cursor';
import type { Database, Tx } from '@kontor/kernel/database';
import type { Event, EventContext } from '@kontor/kernel/events';
import { idempotent, type IdempotentAnswer } from '@kontor/kernel/idempotency';
import { appendEvent } from '@kontor/kernel/outbox';
import { eventOf, isOpen, supersede, type Applicant, type CheckResult, type KycCase, type KycCases, type KycCause, type KycReason, type KycStatus } from './kyc.js';

interface ApplicantRow {
  customer_id: string; client_id: string; given_name: string; family_name: string; birth_date: string; nationality: string;
  residence: string; gone: boolean;
}

interface CaseRow {
  id: string; customer_id: string; client_id: string; status: KycStatus; cause: KycCause;
  identity_outcome: CheckResult['identity'] | null; screening_outcome: CheckResult['screening'] | null;
  screening_matches: CheckResult['matches']; provider_reference: string | null; checked_at: Date | null; reasons: KycReason[];
  decided_by: string | null; decision_reason: string | null; opened_at: Date; updated_at: Date; decided_at: Date | null;
}

/** How an event is told within a transaction. */
export type Emit = (event: Event) => Promise<void>;

/** Gives the case to open, or undefined for none, after seeing the latest one. May throw a problem. */
export type Opening = (applicant: Applicant, latest: KycCase | undefined) => KycCase | undefined;

export interface KycRepository extends KycCases {
  /** Keeps what the customer service told, unless something newer is known. */
  putApplicant(tx: Tx, applicant: Omit<Applicant, 'gone'>, asOf: string): Promise<void>;
  /** The customer left: the open case, if any, is superseded. @returns whether the customer is known */
  putGone(tx: Tx, customerId: string, now: Date): Promise<boolean>;
  /** Opens the case `opening` gives, superseding an open one; asks for its checks. @returns undefined when none was opened */
  openIn(tx: Tx, customerId: string, opening: Opening, context: EventContext, emit: Emit): Promise<KycCase | undefined>;
  /** As `openIn` for a client's request, once per Idempotency-Key. */
  request(customerId: string, opening: Opening, request: { key: string | undefined; clientId: string; context: EventContext; answer: (kycCase: KycCase) => IdempotentAnswer }): Promise<IdempotentAnswer>;
  /** Applies a rule to the case, locked; tells the state it reached. @returns undefined when there is no such case */
  changeIn(tx: Tx, caseId: string, rule: (kycCase: KycCase) => KycCase, context: EventContext, emit: Emit): Promise<KycCase | undefined>;
  change(caseId: string, rule: (kycCase: KycCase) => KycCase, context: EventContext): Promise<KycCase | undefined>;
  /** A page in the order of opening. */
  list(page: { status?: KycStatus; customerId?: string; limit: number; cursor?: string }): Promise<{ cases: KycCase[]; nextCursor: string | null }>;
}

export function kycRepository(database: Database): KycRepository {
  const applicantOf = async (customerId: string, tx?: Tx): Promise<Applicant | undefined> => {
    const lock = tx ? ' for update' : '';
    const [row] = await database.query<ApplicantRow>(`select * from applicants where customer_id = $1${lock}`, [customerId], tx);
    return row && applicantFrom(row);
  };

  const latestOf = async (customerId: string, tx?: Tx): Promise<KycCase | undefined> => {
    const [row] = await database.query<CaseRow>(
      'select * from kyc_cases where customer_id = $1 order by opened_at desc, id desc limit 1', [customerId], tx);
    return row && caseFrom(row);
  };

  const update = (tx: Tx, c: KycCase): Promise<unknown> => database.query(
    `update kyc_cases set status = $2, identity_outcome = $3, screening_outcome = $4, screening_matches = $5, provider_reference = $6,
       checked_at = $7, reasons = $8, decided_by = $9, decision_reason = $10, updated_at = $11, decided_at = $12 where id = $1`,
    [c.id, c.status, c.result?.identity ?? null, c.result?.screening ?? null, JSON.stringify(c.result?.matches ?? []),
      c.result?.providerReference ?? null, c.result?.checkedAt ?? null, c.reasons, c.decision?.by ?? null, c.decision?.reason ?? null,
      c.updatedAt, c.decidedAt ?? null], tx);

  const openIn: KycRepository['openIn'] = async (tx, customerId, opening, context, emit) => {
    // The applicant's row is the lock under which cases of one customer are opened and closed.
    const applicant = await applicantOf(customerId, tx);
    if (!applicant) return undefined;
    const latest = await latestOf(customerId, tx);
    const opened = opening(applicant, latest);
    if (!opened) return undefined;
    if (latest && isOpen(latest)) await update(tx, supersede(latest, opened.openedAt));
    await database.query(
      'insert into kyc_cases (id, customer_id, client_id, status, cause, opened_at, updated_at) values ($1, $2, $3, $4, $5, $6, $7)',
      [opened.id, opened.customerId, opened.clientId, opened.status, opened.cause, opened.openedAt, opened.updatedAt], tx);
    await emit(eventOf(opened, applicant, context)!);
    return opened;
  };

  const changeIn: KycRepository['changeIn'] = async (tx, caseId, rule, context, emit) => {
    const [found] = await database.query<{ customer_id: string }>('select customer_id from kyc_cases where id = $1', [caseId], tx);
    if (!found) return undefined;
    const applicant = (await applicantOf(found.customer_id, tx))!;
    const [row] = await database.query<CaseRow>('select * from kyc_cases where id = $1', [caseId], tx);
    const before = caseFrom(row!);
    const after = rule(before);
    if (after === before) return before;
    await update(tx, after);
    const event = eventOf(after, applicant, context);
    if (event) await emit(event);
    return after;
  };

  return {
    applicant: (customerId) => applicantOf(customerId),
    latest: (customerId) => latestOf(customerId),
    openIn,
    changeIn,
    async putApplicant(tx, a, asOf) {
      await database.query(
        `insert into applicants (customer_id, client_id, given_name, family_name, birth_date, nationality, residence, as_of)
         values ($1, $2, $3, $4, $5, $6, $7, $8)
         on conflict (customer_id) do update set given_name = excluded.given_name, family_name = excluded.family_name,
           birth_date = excluded.birth_date, nationality = excluded.nationality, residence = excluded.residence, as_of = excluded.as_of
         where applicants.as_of < excluded.as_of`,
        [a.customerId, a.clientId, a.name.given, a.name.family, a.birthDate, a.nationality, a.residence, asOf], tx);
    },
    async putGone(tx, customerId, now) {
      const known = await database.query('update applicants set gone = true where customer_id = $1 returning 1 as known', [customerId], tx);
      const latest = await latestOf(customerId, tx);
      if (latest && isOpen(latest)) await update(tx, supersede(latest, now));
      return known.length === 1;
    },
    request(customerId, opening, { key, clientId, context, answer }) {
      return idempotent(database, { key, clientId, operation: 'requestKyc', body: undefined, params: { customerId } }, async (tx) => {
        const opened = await openIn(tx, customerId, opening, context, (event) => appendEvent(database, tx, event));
        return answer(opened!);
      });
    },
    change: (caseId, rule, context) =>
      database.transaction((tx) => changeIn(tx, caseId, rule, context, (event) => appendEvent(database, tx, event))),
    async list({ status, customerId, limit, cursor }) {
      const after = cursor === undefined ? undefined : decodeCursor<{ at: number; id: string }>(cursor, ['at', 'id']);
      const rows = await database.query<CaseRow>(
        `select * from kyc_cases
         where ($1::text is null or status = $1) and ($2::uuid is null or customer_id = $2)
           and ($3::timestamptz is null or (opened_at, id) > ($3, $4::uuid))
         order by opened_at, id limit $5`,
        [status ?? null, customerId ?? null, after ? new Date(after.at) : null, after?.id ?? null, limit + 1]);
      const cases = rows.slice(0, limit).map(caseFrom);
      const last = cases.at(-1);
      return { cases, nextCursor: rows.length > limit && last ? encodeCursor({ at: last.openedAt.getTime(), id: last.id }) : null };
    },
  };
}

function applicantFrom(row: ApplicantRow): Applicant {
  return {
    customerId: row.customer_id, clientId: row.client_id, name: { given: row.given_name, family: row.family_name },
    birthDate: row.birth_date, nationality: row.nationality, residence: row.residence, gone: row.gone,
  };
}

function caseFrom(row: CaseRow): KycCase {
  return {
    id: row.id, customerId: row.customer_id, clientId: row.client_id, status: row.status, cause: row.cause, reasons: row.reasons,
    openedAt: row.opened_at, updatedAt: row.updated_at,
    ...(row.decided_at ? { decidedAt: row.decided_at } : {}),
    ...(row.decided_by !== null && row.decision_reason !== null ? { decision: { by: row.decided_by, reason: row.decision_reason } } : {}),
    ...(row.identity_outcome && row.screening_outcome && row.checked_at
      ? {
        result: {
          identity: row.identity_outcome, screening: row.screening_outcome, matches: row.screening_matches,
          providerReference: row.provider_reference ?? '', checkedAt: row.checked_at,
        },
      }
      : {}),
  };
}
