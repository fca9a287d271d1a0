/** The figures of the compliance report, from the consents and from what the gateway decided under them. */
import type { Database } from '@kontor/kernel/database';

export interface ConsentReport {
  asOf: string;
  from: string;
  to: string;
  byState: { type: string; status: string; consents: number }[];
  /** Consents in force by the time since their approval. */
  byAge: { type: string; age: string; consents: number }[];
  byClient: { clientId: string; application?: string; inForce: number; all: number }[];
  refusals: { code: string; clientId: string; refusals: number }[];
}

export interface Reports {
  /** @param period whole days, `YYYY-MM-DD`, UTC; the refusals are those of the period, everything else as of now */
  report(period: { from: string; to: string }): Promise<ConsentReport>;
}

/** In force: authorised, and not past its end even where the sweep has yet to come by. */
const IN_FORCE = `status = 'authorised' AND expires_at > clock_timestamp()`;

export function reportRepository(database: Database): Reports {
  return {
    report: ({ from, to }) => database.transaction(async (tx) => {
      // One snapshot, so that the figures add up.
      await database.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY', [], tx);
      const [now] = await database.query<{ at: Date }>('SELECT clock_timestamp() AS at', [], tx);
      const byState = await database.query<ConsentReport['byState'][number]>(
        'SELECT type, status, count(*)::integer AS consents FROM consents GROUP BY type, status ORDER BY type, status', [], tx);
      const byAge = await database.query<ConsentReport['byAge'][number]>(
        `SELECT type, age, count(*)::integer AS consents FROM (
           SELECT type, CASE WHEN days <= 7 THEN '0-7 days' WHEN days <= 30 THEN '8-30 days' WHEN days <= 90 THEN '31-90 days' WHEN days <= 180 THEN '91-180 days' ELSE 'over 180 days' END AS age, days
           FROM (SELECT type, extract(day FROM clock_timestamp() - coalesce((approvals -> -1 ->> 'at')::timestamptz, updated_at)) AS days FROM consents WHERE ${IN_FORCE}) aged) named
         GROUP BY type, age ORDER BY type, min(days)`, [], tx);
      const byClient = await database.query<{ clientId: string; application: string | null; inForce: number; all: number }>(
        `SELECT c.client_id AS "clientId", a.name AS application, count(*) FILTER (WHERE ${IN_FORCE})::integer AS "inForce", count(*)::integer AS "all"
         FROM consents c LEFT JOIN applications a USING (client_id) GROUP BY c.client_id, a.name ORDER BY c.client_id`, [], tx);
      const refusals = await database.query<{ code: string; clientId: string; refusals: string }>(
        `SELECT code, client_id AS "clientId", sum(count) AS refusals FROM consent_decisions WHERE decision = 'refuse' AND day BETWEEN $1::date AND $2::date
         GROUP BY code, client_id ORDER BY code, client_id`, [from, to], tx);
      return {
        asOf: now!.at.toISOString(), from, to, byState, byAge,
        byClient: byClient.map(({ application, ...client }) => ({ ...client, ...(application ? { application } : {}) })),
        refusals: refusals.map((line) => ({ ...line, refusals: Number(line.refusals) })),
      };
    }),
  };
}
