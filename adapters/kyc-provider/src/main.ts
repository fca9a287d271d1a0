import { fileURLToPath } from 'node:url';
import { integer, list, secret, url } from '@kontor/kernel/config';
import { defineService, isMain, runService } from '@kontor/kernel/service';
import { identityProvider } from './provider.js';
import { readSanctionsLists } from './sanctions-list.js';
import { buildScreening } from './screening.js';
import { subscriptions } from './subscriptions.js';

const root = new URL('..', import.meta.url);

export const options = defineService({
  name: 'kyc-provider',
  root,
  settings: {
    KYC_PROVIDER_URL: url({ explain: 'Base URL of the identity provider (or its simulator)' }),
    KYC_PROVIDER_API_KEY: secret({ explain: 'The key with which the provider knows us' }),
    KYC_PROVIDER_TIMEOUT_MS: integer({ min: 50, max: 60_000, default: 2_000, explain: 'Time for one attempt at the provider, in milliseconds' }),
    SANCTIONS_FILES: list({ optional: true, explain: 'Comma separated CSV files in OFAC\'s format: entries and aliases' }),
  },
  wire: ({ settings }) => {
    const screening = buildScreening(readSanctionsLists(listsOf(settings)));
    const provider = identityProvider({
      url: settings.KYC_PROVIDER_URL, apiKey: settings.KYC_PROVIDER_API_KEY,
      timeoutMs: settings.KYC_PROVIDER_TIMEOUT_MS, attempts: 3, pauseMs: 200, resetMs: 3_000,
    });
    return { subscriptions: subscriptions({ provider, screening }), stop: () => provider.close() };
  },
});

/** Outside the sandbox a screening without a real list would clear everybody: it does not start. */
function listsOf(settings: { SANDBOX: boolean; SANCTIONS_FILES?: readonly string[] | undefined }): readonly string[] {
  if (settings.SANCTIONS_FILES !== undefined && settings.SANCTIONS_FILES.length > 0) return settings.SANCTIONS_FILES;
  if (settings.SANDBOX) return [fileURLToPath(new URL('sandbox-sanctions.csv', root))];
  throw new Error('SANCTIONS_FILES is missing: screening needs a sanctions list');
}

if (isMain(import.meta.url)) await runService(options);
