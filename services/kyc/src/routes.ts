/** One handler per operation of openapi.yaml. */
import { newId } from '@kontor/kernel/ids';
import { problem } from '@kontor/kernel/problem';
import type { Routes } from '@kontor/kernel/service';
import { decide, mayRequest, open, type Applicant, type KycCase, type KycStatus } from './kyc.js';
import type { components, operations } from './openapi.generated.js';
import type { KycRepository } from './repository.js';

interface Asker {
  clientId: string;
  roles: readonly string[];
}

const isOfficer = (asker: Asker): boolean => asker.roles.includes('compliance');

export function routes({ cases, now }: { cases: KycRepository; now: () => Date }): Routes<operations> {
  /** The customer, if the asker may know of it: its own client, or for reading a compliance officer. */
  const applicantFor = async (customerId: string, asker: Asker, officersToo: boolean): Promise<Applicant> => {
    const applicant = await cases.applicant(customerId);
    if (!applicant) throw problem('customer_not_found', 'There is no customer with this id. Right after its registration, ask again in a moment.');
    if (applicant.clientId !== asker.clientId && !(officersToo && isOfficer(asker)))
      throw problem('not_your_resource', 'This customer was registered by another application.');
    return applicant;
  };

  const latestFor = async (customerId: string, asker: Asker): Promise<KycCase> => {
    await applicantFor(customerId, asker, true);
    const latest = await cases.latest(customerId);
    if (!latest) throw problem('kyc_case_not_found', 'There is no case for this customer.');
    return latest;
  };

  return {
    async requestKyc({ params, headers, caller, context }) {
      await applicantFor(params.customerId, caller, false);
      return cases.request(
        params.customerId,
        (applicant, latest) => {
          mayRequest(applicant, latest);
          return open(applicant, 'requested', { id: newId(), now: now() });
        },
        {
          key: (headers as Record<string, string | undefined>)['idempotency-key'],
          clientId: caller.clientId,
          context,
          answer: (opened) => ({ status: 201, body: onTheWire(opened, caller), headers: { Location: `/v1/customers/${opened.customerId}/kyc` } }),
        },
      );
    },
    async getKyc({ params, caller }) {
      return { status: 200, body: onTheWire(await latestFor(params.customerId, caller), caller) };
    },
    async getKycIdentity({ params, caller }) {
      const { id, customerId, result } = await latestFor(params.customerId, caller);
      const found = result
        ? { outcome: result.identity, providerReference: result.providerReference, checkedAt: result.checkedAt.toISOString() }
        : { outcome: 'pending' as const };
      return { status: 200, body: { caseId: id, customerId, ...found } };
    },
    async getKycScreening({ params, caller }) {
      const { id, customerId, result } = await latestFor(params.customerId, caller);
      // Whom a customer was taken for is the bank's business: telling the fintech would be telling a customer off.
      const matches = result && isOfficer(caller) ? { matches: result.matches } : {};
      const found = result ? { outcome: result.screening, checkedAt: result.checkedAt.toISOString(), ...matches } : { outcome: 'pending' as const };
      return { status: 200, body: { caseId: id, customerId, ...found } };
    },
    async decideKyc({ params, body, caller, context }) {
      const latest = await latestFor(params.customerId, caller);
      const { decision, reason } = body as { decision: 'approve' | 'reject'; reason: string };
      const decided = await cases.change(latest.id, (found) => decide(found, { decision, reason, by: caller.clientId }, now()), context);
      return { status: 200, body: onTheWire(decided!, caller) };
    },
    async listKycCases({ query, caller }) {
      const page = await cases.list(query as { status?: KycStatus; customerId?: string; limit: number; cursor?: string });
      return { status: 200, body: { data: page.cases.map((found) => onTheWire(found, caller)), nextCursor: page.nextCursor } };
    },
  };
}

function onTheWire(kycCase: KycCase, asker: Asker): components['schemas']['KycCase'] {
  const decision = kycCase.decision && isOfficer(asker) ? { decisionReason: kycCase.decision.reason, decidedBy: kycCase.decision.by } : {};
  return {
    caseId: kycCase.id,
    customerId: kycCase.customerId,
    status: kycCase.status,
    cause: kycCase.cause,
    reasons: kycCase.reasons,
    ...decision,
    openedAt: kycCase.openedAt.toISOString(),
    updatedAt: kycCase.updatedAt.toISOString(),
    ...(kycCase.decidedAt ? { decidedAt: kycCase.decidedAt.toISOString() } : {}),
  };
}
