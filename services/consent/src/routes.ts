/** One handler per operation of openapi.yaml that third parties call; those of the bank's staff are in administration.ts. */
import { newId } from '@kontor/kernel/ids';
import { problem } from '@kontor/kernel/problem';
import type { Routes } from '@kontor/kernel/service';
import { administration, type AdministrationNeeds } from './administration.js';
import { askAmendment, awaitsCustomer, inWords, withdraw, type Consent } from './consent.js';
import { amendedTerms, requestConsent, SCOPE_OF, type NewConsent } from './terms.js';
import { sandboxRoutes } from './sandbox-routes.js';
import { judge, type Question } from './validation.js';
import { historyOnTheWire, onTheWire } from './wire.js';
import type { ConsentFilter, ConsentRepository } from './repository.js';
import type { Bank } from './bank.js';
import type { operations } from './openapi.generated.js';

export interface RouteNeeds extends AdministrationNeeds {
  consents: ConsentRepository;
  bank: Pick<Bank, 'credentials' | 'challenges'>;
  sandbox: boolean;
  now: () => Date;
}

export function routes(needs: RouteNeeds): Routes<operations> {
  const { consents, bank, pagesUrl, sandbox, now } = needs;
  const wire = (consent: Consent) => onTheWire(consent, pagesUrl);

  const owned = async (consentId: string, clientId: string): Promise<Consent> => {
    const consent = await consents.find(consentId);
    if (!consent) throw problem('consent_not_found', 'There is no consent with this id.');
    if (consent.clientId !== clientId) throw problem('not_your_resource', 'This consent belongs to another application.');
    return consent;
  };

  return {
    ...administration(needs),
    ...sandboxRoutes({ ...bank, sandbox, now }),
    async createConsent({ body, headers, caller, context }) {
      const consent = requestConsent(body as NewConsent, { id: newId(), clientId: caller.clientId, roles: caller.roles, now: now() });
      return consents.create(consent, { key: headers['idempotency-key'] as string, body, context, answer: wire });
    },
    async listConsents({ query, caller }) {
      const page = await consents.search({ ...query as ConsentFilter, clientId: caller.clientId });
      return { status: 200, body: { data: page.consents.map(wire), nextCursor: page.nextCursor } };
    },
    async getConsent({ params, caller }) {
      return { status: 200, body: wire(await owned(params.consentId, caller.clientId)) };
    },
    async revokeConsent({ params, caller, context }) {
      await owned(params.consentId, caller.clientId);
      await consents.change(params.consentId, (consent, at) => withdraw(consent, caller.clientId, at), context);
      return { status: 204 };
    },
    async authoriseConsent({ params, body, headers, caller }) {
      const consent = await owned(params.consentId, caller.clientId);
      if (!awaitsCustomer(consent)) throw problem('invalid_state', `This consent is ${inWords(consent)}: there is nothing for the customer to decide.`);
      const { codeChallenge, state, uiLocales } = body;
      const request = {
        consentId: consent.id, clientId: consent.clientId, redirectUri: consent.redirectUri, scope: SCOPE_OF[consent.type], codeChallenge,
        ...(state ? { state } : {}), ...(uiLocales ? { uiLocales } : {}),
      };
      return consents.leaveRequest(request, {
        key: headers['idempotency-key'] as string, body,
        answer: (reference, expiresAt) => ({ consentId: consent.id, authoriseUrl: `${pagesUrl}/authorise?request=${reference}`, expiresAt: expiresAt.toISOString() }),
      });
    },
    async amendConsent({ params, body, headers, caller, context }) {
      const consent = await owned(params.consentId, caller.clientId);
      return consents.changeOnce(consent, 'amendConsent', (current, at) => askAmendment(current, amendedTerms(current, body, at), at), {
        key: headers['idempotency-key'] as string, body, context, answer: wire,
      });
    },
    async validateConsent({ params, body, caller }) {
      return { status: 200, body: judge(await owned(params.consentId, caller.clientId), body as Question, now()) };
    },
    async getConsentHistory({ params, caller }) {
      const consent = await owned(params.consentId, caller.clientId);
      return { status: 200, body: { data: historyOnTheWire(await consents.history(consent.id), false) } };
    },
  };
}
