/** The operations of openapi.yaml that exist in the sandbox only: what a customer has at home there, credentials, telephone and device. */
import { isId } from '@kontor/kernel/ids';
import { problem } from '@kontor/kernel/problem';
import type { Routes } from '@kontor/kernel/service';
import type { Credentials } from './credentials.js';
import type { operations } from './openapi.generated.js';
import type { Challenges } from './sca-challenges.js';

type SandboxOperation = 'issueSandboxCredentials' | 'listSandboxMessages' | 'listSandboxApprovals' | 'decideSandboxApproval';

export function sandboxRoutes({ credentials, challenges, sandbox, now }: {
  credentials: Credentials; challenges: Challenges; sandbox: boolean; now: () => Date;
}): Pick<Routes<operations>, SandboxOperation> {
  const customerOf = (params: { customerId: string }): string => {
    if (!sandbox || !isId(params.customerId)) throw problem('not_found', 'This operation exists in the sandbox only.');
    return params.customerId;
  };
  return {
    issueSandboxCredentials: async ({ params }) => ({ status: 200, body: await credentials.issue(customerOf(params)) }),
    listSandboxMessages: async ({ params }) => ({ status: 200, body: { data: await challenges.messages(customerOf(params)) } }),
    listSandboxApprovals: async ({ params }) => ({ status: 200, body: { data: await challenges.approvals(customerOf(params), now()) } }),
    decideSandboxApproval: async ({ params, body }) =>
      ({ status: 200, body: await challenges.decide(params.approvalId, customerOf(params), (body as { decision: 'approve' | 'deny' }).decision, now()) }),
  };
}
