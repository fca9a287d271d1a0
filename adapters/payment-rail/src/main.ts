import { integer, secret, text, url } from '@kontor/kernel/config';
import { loadSchemas } from '@kontor/kernel/iso20022';
import { defineService, isMain, runService } from '@kontor/kernel/service';
import { TAKEN } from './consequences.js';
import { inbound } from './inbound.js';
import { SENT } from './payment-rail.js';
import { railClient } from './rail-client.js';
import { routes } from './routes.js';
import { subscriptions } from './subscriptions.js';

export const options = defineService({
  name: 'payment-rail',
  root: new URL('..', import.meta.url),
  settings: {
    RAIL_URL: url({ explain: 'base URL of the payment rail' }),
    RAIL_SHARED_SECRET: secret({ explain: 'signs what we and the rail send each other (HMAC-SHA256)' }),
    RAIL_TIMEOUT_MS: integer({ default: 5_000, min: 50, max: 60_000, explain: 'how long the rail may take for one answer' }),
    BANK_BIC: text({ explain: 'BIC of the bank: the debtor agent of outgoing payments' }),
    ISO20022_XSD_DIR: text({ optional: true, explain: 'directory of the ISO 20022 schemas (pacs.008.001.08.xsd and so on, one for each message)' }),
  },
  wire: ({ settings, logger, emitNow }) => {
    const schemas = loadSchemas(settings.ISO20022_XSD_DIR);
    const unchecked = [...new Set([...TAKEN, ...SENT])].filter((message) => !schemas.available.includes(message));
    if (unchecked.length > 0) logger.warn(`no schema for ${unchecked.join(', ')}: checked by structure only; set ISO20022_XSD_DIR`);
    const rail = railClient({ url: settings.RAIL_URL, secret: settings.RAIL_SHARED_SECRET, timeoutMs: settings.RAIL_TIMEOUT_MS });
    return {
      routes: routes({ rail }),
      subscriptions: subscriptions({ rail, schemas, bankBic: settings.BANK_BIC, logger }),
      extend: (app) => {
        app.post('/inbound', ...inbound({ secret: settings.RAIL_SHARED_SECRET, schemas, rail, emit: emitNow, logger, now: () => new Date() }));
      },
    };
  },
});

if (isMain(import.meta.url)) await runService(options);
