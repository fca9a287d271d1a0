/** Consents as the contract shows them. Pure. */
import { awaitsCustomer, isSingleUse, type Consent } from './consent.js';
import type { HistoryLine } from './repository.js';
import type { Usage } from './known-repository.js';

/** As its third party sees it. @param pagesUrl where the bank's pages are, without a closing slash */
export function onTheWire(consent: Consent, pagesUrl: string) {
  const { amendment } = consent;
  return {
    consentId: consent.id,
    type: consent.type,
    status: consent.status,
    ...(consent.statusReason ? { statusReason: consent.statusReason } : {}),
    permissions: consent.permissions,
    accounts: consent.accounts,
    recurring: !isSingleUse(consent) && !consent.oneOff,
    ...(consent.frequencyPerDay === undefined ? {} : { frequencyPerDay: consent.frequencyPerDay }),
    ...(consent.payment ? { payment: consent.payment } : {}),
    ...(consent.recurring ? { recurringTerms: consent.recurring } : {}),
    ...(consent.bulk ? { bulk: consent.bulk } : {}),
    approvals: { required: consent.approvers.length, given: consent.approvals.length },
    ...(amendment ? { amendment: amendmentOnTheWire(amendment) } : {}),
    redirectUri: consent.redirectUri,
    ...(consent.validFrom ? { validFrom: consent.validFrom.toISOString() } : {}),
    expiresAt: consent.expiresAt.toISOString(),
    createdAt: consent.createdAt.toISOString(),
    updatedAt: consent.updatedAt.toISOString(),
    version: consent.version,
    authoriseUrl: awaitsCustomer(consent) ? `${pagesUrl}/authorise?consent_id=${consent.id}` : null,
  };
}

function amendmentOnTheWire({ permissions, expiresAt, frequencyPerDay, requestedAt }: NonNullable<Consent['amendment']>) {
  return {
    permissions, validUntil: expiresAt.toISOString(), requestedAt: requestedAt.toISOString(), ...(frequencyPerDay === undefined ? {} : { frequencyPerDay }),
  };
}

/** As the bank's staff see it. */
export function forStaff(consent: Consent, pagesUrl: string, usage?: Usage) {
  return {
    ...onTheWire(consent, pagesUrl), clientId: consent.clientId,
    ...(consent.customerId ? { customerId: consent.customerId } : {}),
    ...(usage?.lastUsedAt ? { lastUsedAt: usage.lastUsedAt.toISOString() } : {}),
  };
}

/** @param all also who it was and what they noted: for the bank only */
export function historyOnTheWire(lines: HistoryLine[], all: boolean) {
  return lines.map(({ version, at, act, status, actor, reason, note, terms }) => ({
    version, at: at.toISOString(), act, status, actor: actor.kind, reason, terms,
    ...(all && actor.id ? { actorId: actor.id } : {}),
    ...(all && note ? { note } : {}),
  }));
}
