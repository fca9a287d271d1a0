import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { newId } from '@kontor/kernel/ids';
import { Secret } from 'otpauth';
import type { StaffRole } from '../../portal/src/staff.js';
import type { AdminApi } from './admin-api.js';
import type { Secrets } from './secrets.js';

/** An app of the sandbox with what its developer would have been shown once. */
export interface SandboxApp {
  username: string;
  clientId: string;
  clientSecret: string;
  redirectUri: string;
  roles: string[];
  apiKey?: string;
}

export interface SandboxApps { fintech: SandboxApp; compliance: SandboxApp; staff: SandboxApp }

/** A member of the bank's staff in the sandbox. `totpSecret` in Base32, for an authenticator app. */
export interface SandboxMember { username: string; role: StaffRole; password: string; totpSecret: string }

/** What `<home>/sandbox.json` holds (0600). `office`: who signs in to the back office, one of each role. */
export interface SandboxCredentials extends SandboxApps { office: SandboxMember[] }

interface Consumer { id: string; username: string; custom_id: string | null }

const REDIRECT_URI = 'http://127.0.0.1:9999/callback';

/** The apps of the sandbox: a fintech with every TPP role, the bank's compliance officer, and its staff who look after consents. */
export function sandboxApps(known: {
  fintech: { clientId: string; clientSecret: string; apiKey: string };
  compliance: { clientId: string; clientSecret: string };
  staff: { clientId: string; clientSecret: string };
}): SandboxApps {
  return {
    fintech: { username: 'sandbox-fintech', redirectUri: REDIRECT_URI, roles: ['onboarding', 'aisp', 'pisp', 'cbpii', 'sandbox'], ...known.fintech },
    compliance: { username: 'compliance-officer', redirectUri: REDIRECT_URI, roles: ['compliance'], ...known.compliance },
    staff: { username: 'bank-staff', redirectUri: REDIRECT_URI, roles: ['bank-staff'], ...known.staff },
  };
}

/** The back office as the gateway knows it; out of the sandbox, too. */
export const officeClient = (secrets: Secrets): { clientId: string; clientSecret: string } =>
  ({ clientId: secrets.get('staffClientId', newId), clientSecret: secrets.get('staffClientSecret') });

/** The apps and staff of this installation, with secrets of its own; written to `<home>/sandbox.json` for the people who use them. */
export function ownSandboxApps(secrets: Secrets, home: string): SandboxCredentials {
  const apps = sandboxApps({
    fintech: {
      clientId: secrets.get('sandboxFintechClientId', newId), clientSecret: secrets.get('sandboxFintechClientSecret'),
      apiKey: secrets.get('sandboxFintechApiKey'),
    },
    compliance: { clientId: secrets.get('complianceClientId', newId), clientSecret: secrets.get('complianceClientSecret') },
    staff: officeClient(secrets),
  });
  const member = (role: StaffRole): SandboxMember => ({
    username: role, role, password: secrets.get(`office:${role}:password`), totpSecret: secrets.get(`office:${role}:totpSecret`, () => new Secret({ size: 20 }).base32),
  });
  const credentials = { ...apps, office: [member('consent-officer'), member('compliance-officer')] };
  const path = join(home, 'sandbox.json');
  writeFileSync(`${path}.new`, `${JSON.stringify(credentials, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
  return credentials;
}

/**
 * Makes the apps known at the gateway, which keeps only hashes of their secrets. Running it again repairs what is missing or
 * differs and leaves the rest.
 */
export async function seedApps(admin: AdminApi, apps: SandboxApps): Promise<void> {
  for (const app of [apps.fintech, apps.compliance, apps.staff]) await seedApp(admin, app);
}

/** Makes the back office alone known there: what a bank needs out of the sandbox. */
export async function seedOffice(admin: AdminApi, secrets: Secrets): Promise<void> {
  await seedApp(admin, { username: 'bank-staff', redirectUri: REDIRECT_URI, roles: ['bank-staff'], ...officeClient(secrets) }, 'bank');
}

async function seedApp(admin: AdminApi, app: SandboxApp, tag = 'sandbox'): Promise<void> {
  const found = await admin.find<Consumer>(`/consumers/${app.username}`);
  if (found && found.custom_id !== app.clientId) await admin.remove(`/consumers/${found.id}`); // of an installation whose secrets are gone
  const consumer = found && found.custom_id === app.clientId ? found
    : await admin.create<Consumer>('/consumers', { username: app.username, custom_id: app.clientId, tags: [tag] });
  const at = `/consumers/${consumer.id}`;

  const groups = new Set((await admin.list<{ group: string }>(`${at}/acls`)).map(({ group }) => group));
  for (const group of app.roles) if (!groups.has(group)) await admin.create(`${at}/acls`, { group });

  const clients = await admin.list<{ client_id: string }>(`${at}/oauth2`);
  if (!clients.some(({ client_id }) => client_id === app.clientId)) {
    await admin.create(`${at}/oauth2`, {
      name: app.username, client_id: app.clientId, client_secret: app.clientSecret, hash_secret: true,
      redirect_uris: [app.redirectUri], client_type: 'confidential',
    });
  }
  if (app.apiKey) {
    const keys = await admin.list<{ key: string }>(`${at}/key-auth`);
    if (!keys.some(({ key }) => key === app.apiKey)) await admin.create(`${at}/key-auth`, { key: app.apiKey });
  }
}
