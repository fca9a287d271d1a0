/** One handler per operation of the tag Reconciliation in openapi.yaml. */
import { setTimeout as pause } from 'node:timers/promises';
import type { EventContext } from '@kontor/kernel/events';
import { newId } from '@kontor/kernel/ids';
import { problem } from '@kontor/kernel/problem';
import type { Call, Routes } from '@kontor/kernel/service';
import { accountFault, type Statement } from '@kontor/kernel/statements';
import type { operations } from './openapi.generated.js';
import { proposeResolution, toBreak, toStatement, type Resolution } from './reconciliation.js';
import type { ReconciliationDecisions } from './reconciliation-decisions-repository.js';
import type { ReconciliationRepository } from './reconciliation-repository.js';
import type { RunSummary } from './reconciliation-run-repository.js';

export interface ReconciliationNeeds {
  statements: ReconciliationRepository;
  decisions: ReconciliationDecisions;
  run: (context: EventContext) => Promise<RunSummary>;
  /** Reads a message. @throws Problem invalid_message */
  open: (bytes: Uint8Array) => Promise<Statement[]>;
  now: () => Date;
}

export type ReconciliationOperation = 'uploadStatements' | 'listReconciliationStatements' | 'getReconciliationStatement' | 'listReconciliationBreaks' | 'getReconciliationBreak' | 'runReconciliation'
  | 'proposeBreakResolution' | 'approveBreakResolution' | 'refuseBreakResolution';

export function reconciliationRoutes({ statements, decisions, run, open, now }: ReconciliationNeeds): Pick<Routes<operations>, ReconciliationOperation> {
  const member = (caller: { clientId: string }, { staffMember }: { staffMember: string }): string => `${caller.clientId}/${staffMember}`;

  return {
    async uploadStatements({ query, stream, caller, context }) {
      const { source, staffMember } = query as { source: 'rail' | 'core'; staffMember: string };
      const read = await open(await bytesOf(stream));
      for (const statement of read) await requireAccount(statement, source, statements);
      const stored = await statements.storeAll(read, source, member(caller, { staffMember }));
      await soonOrLater(run(context));
      const reports = await statements.statements(stored.map(({ statementId }) => statementId));
      return {
        status: 200,
        body: { statements: reports.map((report) => ({ ...toStatement(report), repeated: stored.filter(({ statementId }) => statementId === report.statementId).every(({ outcome }) => outcome === 'repeated') })) },
      };
    },
    async listReconciliationStatements({ query }) {
      const page = await statements.listStatements(query as { limit: number; cursor?: string });
      return { status: 200, body: { data: page.rows.map(toStatement), nextCursor: page.nextCursor } };
    },
    async getReconciliationStatement({ params }) {
      const [report] = await statements.statements([params.statementId]);
      if (!report) throw problem('statement_not_found');
      return { status: 200, body: toStatement(report) };
    },
    async listReconciliationBreaks({ query }) {
      const wanted = query as { limit: number; cursor?: string; reason?: string; status?: string; statementId?: string; minAgeDays?: number };
      const page = await statements.listBreaks(wanted, wanted);
      return { status: 200, body: { data: page.rows.map(toBreak), nextCursor: page.nextCursor } };
    },
    async getReconciliationBreak({ params }) {
      const found = await statements.findBreak(params.breakId);
      if (!found) throw problem('break_not_found');
      return { status: 200, body: toBreak(found) };
    },
    async runReconciliation({ context }) {
      return { status: 200, body: { ...await run(context), ranAt: now().toISOString() } };
    },
    async proposeBreakResolution({ params, body, caller }) {
      const wish = body as { resolution: Resolution; transactionId?: string; reason: string; staffMember: string };
      const found = await decisions.propose(params.breakId, (known) => proposeResolution(known, {
        proposalId: newId(), resolution: wish.resolution, reason: wish.reason, by: member(caller, wish), at: now().toISOString(),
        ...(wish.transactionId === undefined ? {} : { transactionId: wish.transactionId }),
      }));
      return { status: 200, body: toBreak(found) };
    },
    async approveBreakResolution({ params, body, caller, context }) {
      const decision = body as { proposalId: string; staffMember: string };
      return { status: 200, body: toBreak(await decisions.approve(params.breakId, { proposalId: decision.proposalId, by: member(caller, decision) }, now(), context)) };
    },
    async refuseBreakResolution({ params, body, caller }) {
      const decision = body as { proposalId: string; reason: string; staffMember: string };
      return { status: 200, body: toBreak(await decisions.refuse(params.breakId, { proposalId: decision.proposalId, by: member(caller, decision), reason: decision.reason })) };
    },
  };
}

/** An upload is answered when it is stored; what is not matched within five seconds is matched after the answer, or by the schedule. */
async function soonOrLater(run: Promise<unknown>): Promise<void> {
  const settled = run.catch((fault: unknown) => fault);
  const first = await Promise.race([settled, pause(5_000, LATER, { ref: false })]);
  if (first instanceof Error) throw first;
}
const LATER = 'later';

/** The whole body; the kernel ends it with payload_too_large beyond its limit. */
async function bytesOf(stream: Call['stream']): Promise<Uint8Array> {
  if (!stream) throw problem('invalid_request', 'Send the statement as application/xml.');
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** A statement of the core must be of an account of ours; one of the rail that is not is of the settlement account, whose number is the rail's matter. */
async function requireAccount(statement: Statement, source: 'rail' | 'core', statements: ReconciliationRepository): Promise<void> {
  if (source === 'rail' || await statements.isOurs(statement.account)) return;
  throw problem('invalid_message', `${accountFault(statement) ?? 'Acct/Id is no account of this bank'}.`);
}
