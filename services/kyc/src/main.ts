import { defineService, isMain, runService } from '@kontor/kernel/service';
import { kycRepository } from './repository.js';
import { routes } from './routes.js';
import { subscriptions } from './subscriptions.js';

export const options = defineService({
  name: 'kyc',
  root: new URL('..', import.meta.url),
  settings: {},
  wire: ({ database }) => {
    const cases = kycRepository(database);
    const now = (): Date => new Date();
    return { routes: routes({ cases, now }), subscriptions: subscriptions({ cases, now }) };
  },
});

if (isMain(import.meta.url)) await runService(options);
