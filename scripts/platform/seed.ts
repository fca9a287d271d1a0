/** Registers the sandbox apps at a gateway and ends: the job of docker compose, which knows the secrets as environment variables. */
import { readSettings, secret, text, url } from '@kontor/kernel/config';
import { AdminApi } from './admin-api.js';
import { explain } from './fault.js';
import { seedApps, sandboxApps } from './sandbox.js';

try {
  const settings = readSettings({
    GATEWAY_ADMIN_URL: url({ explain: 'the Admin API of the gateway' }),
    SANDBOX_CLIENT_ID: text({ explain: 'client id of the sandbox fintech, a UUID' }),
    SANDBOX_CLIENT_SECRET: secret({ explain: 'client secret of the sandbox fintech' }),
    SANDBOX_API_KEY: secret({ explain: 'API key of the sandbox fintech' }),
    COMPLIANCE_CLIENT_ID: text({ explain: 'client id of the compliance officer\'s app, a UUID' }),
    COMPLIANCE_CLIENT_SECRET: secret({ explain: 'client secret of that app' }),
    STAFF_CLIENT_ID: text({ explain: 'client id of the app of the bank\'s staff, a UUID' }),
    STAFF_CLIENT_SECRET: secret({ explain: 'client secret of that app' }),
  });
  await seedApps(new AdminApi(settings.GATEWAY_ADMIN_URL), sandboxApps({
    fintech: { clientId: settings.SANDBOX_CLIENT_ID, clientSecret: settings.SANDBOX_CLIENT_SECRET, apiKey: settings.SANDBOX_API_KEY },
    compliance: { clientId: settings.COMPLIANCE_CLIENT_ID, clientSecret: settings.COMPLIANCE_CLIENT_SECRET },
    staff: { clientId: settings.STAFF_CLIENT_ID, clientSecret: settings.STAFF_CLIENT_SECRET },
  }));
  console.log('The sandbox apps are registered.');
} catch (error) {
  console.error(explain(error));
  process.exitCode = 1;
}
