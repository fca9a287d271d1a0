/**
 * Registering, rotating and removing an application: first our row, then the gateway, then our row and the event in one
 * transaction. Whatever dies in between is taken up by `reconcile`: the developer never saw its secret, so it is removed.
 */
import { randomBytes } from 'node:crypto';
import type { EventContext } from '@kontor/kernel/events';
import { newId } from '@kontor/kernel/ids';
import type { Logger } from '@kontor/kernel/logger';
import { problem, type Problem } from '@kontor/kernel/problem';
import { ABANDONED_AFTER_S, type App, type ClientCredentials, type GatewayAdmin, type NewApp, type PortalRepository } from './portal.js';

export interface Applications {
  /** @throws Problem `conflict`, `unprocessable`, `unavailable` (nothing was registered) */
  register(developerId: string, wanted: NewApp, context: EventContext): Promise<{ app: Pick<App, 'id' | 'name' | 'redirectUri' | 'roles'> } & ClientCredentials>;
  /** Answers the new client secret; the old one is refused from now on. @throws Problem `not_found`, `conflict`, `unavailable` */
  rotate(developerId: string, appId: string, context: EventContext): Promise<{ app: App; clientSecret: string }>;
  /** @throws Problem `not_found`; `unavailable` when the gateway could not be told yet (it will be) */
  remove(developerId: string, appId: string): Promise<void>;
  /** Removes what died on its way; answers how many. */
  reconcile(): Promise<number>;
}

export interface ApplicationNeeds {
  repository: PortalRepository;
  gateway: GatewayAdmin;
  roles: string[];
  logger: Logger;
}

/** Longer than a rotation can take (three calls, 5 s and one repeat each). */
const ROTATION_CLAIM_S = 35;
const RETRY_REMOVAL_AFTER_S = 20;
const AT_MOST = 20;

/** 256 bits, with a prefix by which secret scanners can tell what leaked. */
const newSecret = (kind: 'secret' | 'key'): string => `kontor_${kind}_${randomBytes(32).toString('base64url')}`;

export function applications({ repository, gateway, roles, logger }: ApplicationNeeds): Applications {
  const removeNow = async (appId: string): Promise<boolean> => {
    try {
      await gateway.removeClient(appId);
      await repository.finishRemoval(appId);
      return true;
    } catch (error) {
      logger.warn('an application could not be removed from the gateway yet', { resourceId: appId, error });
      return false;
    }
  };

  return {
    async register(developerId, { name, redirectUri, requestId }, context) {
      const app = { id: newId(), developerId, name, redirectUri, roles, requestId: requestId ?? newId() };
      const credentials = { clientSecret: newSecret('secret'), apiKey: newSecret('key') };
      await repository.startRegistration(app);
      try {
        await gateway.addClient(app, credentials);
        if (!(await repository.activate(app.id, context))) throw new Error('the registration took too long and was given up');
      } catch (cause) {
        logger.warn('an application was not registered', { resourceId: app.id, error: cause });
        await repository.giveUp(app.id);
        await removeNow(app.id);
        throw awayFault('The gateway is out of reach; nothing was registered. Try again in a moment.', cause);
      }
      return { app: { id: app.id, name, redirectUri, roles }, ...credentials };
    },

    async rotate(developerId, appId, context) {
      const app = await repository.claimRotation(developerId, appId, ROTATION_CLAIM_S);
      if (!app) throw problem('not_found', 'You have no active application with this id.');
      const clientSecret = newSecret('secret');
      try {
        await gateway.replaceSecret(app, clientSecret);
      } catch (cause) {
        logger.warn('a client secret was not rotated', { resourceId: appId, error: cause });
        await repository.releaseRotation(appId);
        throw awayFault('The gateway is out of reach. The old secret may still be valid; rotate again in a moment.', cause);
      }
      await repository.finishRotation(appId, context);
      return { app, clientSecret };
    },

    async remove(developerId, appId) {
      if (!(await repository.startRemoval(developerId, appId))) throw problem('not_found', 'You have no application with this id.');
      if (!(await removeNow(appId)))
        throw problem('unavailable', 'The gateway is out of reach: the application is removed as soon as it answers. Until then its credentials may still be valid.').with({ 'Retry-After': '30' });
    },

    async reconcile() {
      const due = await repository.unfinished({ abandonedAfterS: ABANDONED_AFTER_S, retryAfterS: RETRY_REMOVAL_AFTER_S, atMost: AT_MOST });
      let removed = 0;
      for (const appId of due) if (await removeNow(appId)) removed++;
      return removed;
    },
  };
}

const awayFault = (detail: string, cause: unknown): Problem =>
  Object.assign(problem('unavailable', detail).with({ 'Retry-After': '5' }), { cause });
