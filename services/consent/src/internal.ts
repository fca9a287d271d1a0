/**
 * What the gateway asks, and nobody else can: `GET /internal/consents/{id}/decision` when Redis has no record, and
 * `POST /internal/consents/{id}/uses` before an access that a consent limits in number.
 */
import express, { Router, type Request } from 'express';
import { isId } from '@kontor/kernel/ids';
import { problem } from '@kontor/kernel/problem';
import { sameKey } from '@kontor/kernel/shared-key';
import { decisionOf, type Consent } from './consent.js';
import type { ConsentRepository } from './repository.js';

export function internalDecisions({ consents, key }: { consents: ConsentRepository; key: string }): Router {
  const router = Router();
  const asked = async (request: Request): Promise<Consent> => {
    const consentId = request.params['consentId'];
    const consent = isId(consentId) ? await consents.find(consentId as string) : undefined;
    if (!consent) throw problem('consent_not_found', 'There is no consent with this id.');
    return consent;
  };
  router.use((request, _response, next) => {
    if (!sameKey(request.headers['x-decision-key'], key)) throw problem('unauthenticated', 'This address is for the gateway.');
    next();
  });
  router.get('/consents/:consentId/decision', async (request, response) => {
    const consent = await asked(request);
    await consents.remember(consent);
    response.json(decisionOf(consent));
  });
  router.post('/consents/:consentId/uses', express.json({ limit: '2kb' }), async (request, response) => {
    const { operation, account } = (request.body ?? {}) as Record<string, unknown>;
    if (!isShortText(operation) || (account !== '' && !isShortText(account))) throw problem('invalid_request', 'Name the operation and the account ("" where there is none).');
    const { status, frequencyPerDay: limit, id } = await asked(request);
    if (status !== 'authorised') throw problem('consent_not_active', 'Only an authorised consent is used.');
    if (limit === undefined) return void response.json({ allowed: true });
    const { allowed, used, retryAfter } = await consents.countUse(id, { operation, account: account as string, limit });
    response.json({ allowed, used, limit, ...(allowed ? {} : { retryAfter }) });
  });
  return router;
}

const isShortText = (value: unknown): value is string => typeof value === 'string' && /^[A-Za-z0-9._~-]{1,128}$/.test(value);
