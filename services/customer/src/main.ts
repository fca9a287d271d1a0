import { defineService, isMain, runService } from '@kontor/kernel/service';
import { customerRepository } from './repository.js';
import { routes } from './routes.js';
import { subscriptions } from './subscriptions.js';

export const options = defineService({
  name: 'customer',
  root: new URL('..', import.meta.url),
  settings: {},
  wire: ({ database }) => {
    const customers = customerRepository(database);
    const now = (): Date => new Date();
    return { routes: routes({ customers, now }), subscriptions: subscriptions({ customers, now }) };
  },
});

if (isMain(import.meta.url)) await runService(options);
