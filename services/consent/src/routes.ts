/** One handler per operation of openapi.yaml. */
import { isId, newId } from '@kontor/kernel/ids';
import { problem } from '@kontor/kernel/problem';
import type { Routes } from '@kontor/kernel/service';
import { requestConsent, revoke, type Consent, type NewConsent } from './consent.js';
import type { ConsentRepository } from './repository.js';
import type { Credentials } from './credentials.js';
import type { operations } from './openapi.generated.js';

export interface RouteNeeds {
  consents: ConsentRepository;
  credentials: Credentials;
  /** Where the bank's pages are, as a customer's browser sees them, without a closing slash. */
  pagesUrl: string;
  sandbox: boolean;
  now: () => Date;
}

export function routes({ consents, credentials, pagesUrl, sandbox, now }: RouteNeeds): Routes<operations> {
  const wire = (consent: Consent) => onTheWire(consent, pagesUrl);

  const owned = async (consentId: string, clientId: string): Promise<Consent> => {
    const consent = await consents.find(consentId);
    if (!consent) throw problem('consent_not_found', 'There is no consent with this id.');
    if (consent.clientId !== clientId) throw problem('not_your_resource', 'This consent belongs to another application.');
    return consent;
  };

  return {
    async createConsent({ body, headers, caller, context }) {
      const consent = requestConsent(body as NewConsent, { id: newId(), clientId: caller.clientId, roles: caller.roles, now: now() });
      return consents.create(consent, { key: headers['idempotency-key'] as string, body, context, answer: wire });
    },
    async listConsents({ query, caller }) {
      const page = await consents.list(caller.clientId, query as { status?: string; limit: number; cursor?: string });
      return { status: 200, body: { data: page.consents.map(wire), nextCursor: page.nextCursor } };
    },
    async getConsent({ params, caller }) {
      return { status: 200, body: wire(await owned(params.consentId, caller.clientId)) };
    },
    async revokeConsent({ params, caller, context }) {
      await owned(params.consentId, caller.clientId);
      await consents.change(params.consentId, (consent) => revoke(consent, 'by_third_party', now()), context);
      return { status: 204 };
    },
    async issueSandboxCredentials({ params }) {
      if (!sandbox || !isId(params.customerId)) throw problem('not_found', 'This operation exists in the sandbox only.');
      return { status: 200, body: await credentials.issue(params.customerId) };
    },
  };
}

/** A consent as the contract shows it. */
export function onTheWire(consent: Consent, pagesUrl: string) {
  return {
    consentId: consent.id,
    type: consent.type,
    status: consent.status,
    ...(consent.statusReason ? { statusReason: consent.statusReason } : {}),
    permissions: consent.permissions,
    accounts: consent.accounts,
    ...(consent.payment ? { payment: consent.payment } : {}),
    redirectUri: consent.redirectUri,
    expiresAt: consent.expiresAt.toISOString(),
    createdAt: consent.createdAt.toISOString(),
    updatedAt: consent.updatedAt.toISOString(),
    version: consent.version,
    authoriseUrl: consent.status === 'awaiting_authorisation' ? `${pagesUrl}/authorise?consent_id=${consent.id}` : null,
  };
}
