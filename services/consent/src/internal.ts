/** `GET /internal/consents/{id}/decision`: where the gateway asks when Redis has no record. Reached by the gateway only. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { Router } from 'express';
import { isId } from '@kontor/kernel/ids';
import { problem } from '@kontor/kernel/problem';
import { decisionOf } from './consent.js';
import type { ConsentRepository } from './repository.js';

export function internalDecisions({ consents, key }: { consents: ConsentRepository; key: string }): Router {
  const router = Router();
  router.get('/consents/:consentId/decision', async (request, response) => {
    if (!sameKey(request.get('x-decision-key') ?? '', key)) throw problem('unauthenticated', 'This address is for the gateway.');
    const consent = isId(request.params.consentId) ? await consents.find(request.params.consentId) : undefined;
    if (!consent) throw problem('consent_not_found', 'There is no consent with this id.');
    await consents.remember(consent);
    response.json(decisionOf(consent));
  });
  return router;
}

/** Compares digests, so that neither content nor length shows in the time taken. */
const sameKey = (given: string, expected: string): boolean =>
  timingSafeEqual(createHash('sha256').update(given).digest(), createHash('sha256').update(expected).digest());
