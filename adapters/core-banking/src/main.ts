import { integer, url } from '@kontor/kernel/config';
import { defineService, isMain, runService } from '@kontor/kernel/service';
import { coreClient } from './core-client.js';
import { subscriptions } from './subscriptions.js';

const root = new URL('..', import.meta.url);

export const options = defineService({
  name: 'core-banking',
  root,
  settings: {
    CORE_BANKING_URL: url({ explain: 'SOAP endpoint of the legacy core' }),
    CORE_TIMEOUT_MS: integer({ default: 5_000, min: 100, max: 60_000, explain: 'How long the core may take for one answer' }),
  },
  wire: async ({ settings }) => ({
    subscriptions: subscriptions({
      core: await coreClient({ endpoint: settings.CORE_BANKING_URL, wsdl: new URL('core.wsdl', root), timeoutMs: settings.CORE_TIMEOUT_MS }),
    }),
  }),
});

if (isMain(import.meta.url)) await runService(options);
