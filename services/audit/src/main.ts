import { bytes32, secret, url } from '@kontor/kernel/config';
import { defineService, isMain, runService } from '@kontor/kernel/service';
import { mongoAccessRecords, postgresAccessRecords } from './access-records.js';
import { ingest } from './ingest.js';
import { trailRepository } from './repository.js';
import { watchChain } from './watch.js';
import { routes } from './routes.js';
import { subscriptions } from './subscriptions.js';

export const options = defineService({
  name: 'audit',
  root: new URL('..', import.meta.url),
  settings: {
    AUDIT_MASTER_KEY: bytes32({ explain: 'Base64 of 32 bytes: wraps the keys under which personal data is sealed (AES-256-GCM)' }),
    AUDIT_INGEST_KEY: secret({ explain: 'Shared with the gateway: who may hand in access records' }),
    MONGODB_URL: url({ optional: true, explain: 'MongoDB for access records; PostgreSQL keeps them when absent' }),
  },
  wire: async ({ database, settings, logger, metrics }) => {
    const now = (): Date => new Date();
    const trail = trailRepository(database, settings.AUDIT_MASTER_KEY);
    const accessRecords = settings.MONGODB_URL === undefined ? postgresAccessRecords(database) : await mongoAccessRecords(settings.MONGODB_URL);
    const watch = watchChain({ trail, logger, metrics, now });
    return {
      routes: routes({ trail, accessRecords, now }),
      subscriptions: subscriptions({ trail, now }),
      extend: (app) => {
        app.use('/internal', ingest({ trail, accessRecords, key: settings.AUDIT_INGEST_KEY, logger, metrics, now }));
      },
      stop: async () => {
        await watch.stop();
        await accessRecords.close();
      },
    };
  },
});

if (isMain(import.meta.url)) await runService(options);
