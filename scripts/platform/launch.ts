import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { embeddedGateway } from '../gateway/embedded.js';
import { chosenGateway, type Gateway } from '../gateway/gateway.js';
import { kongGateway } from '../gateway/kong.js';
import { findProgram } from '../infra/packages.js';
import { AdminApi } from './admin-api.js';
import { developmentCertificate, givenCertificate } from './certificates.js';
import { explain, Fault } from './fault.js';
import { memoryOf } from './memory.js';
import { missingBundles, OFFICE_CREDENTIALS_KEY, portsNeeded, programs, publicUrls, type PlatformContext } from './processes.js';
import { Progress } from './progress.js';
import { checkPorts, claimHome } from './run-state.js';
import { ownSandboxApps, seedApps, seedOffice, type SandboxCredentials } from './sandbox.js';
import { Secrets } from './secrets.js';
import { givenTls, platformSettings, type PlatformSettings } from './settings.js';
import { withStaff } from './staff.js';
import { startStores } from './stores.js';
import { Supervisor } from './supervisor.js';

/**
 * `npm start`: brings the whole platform up, says how to use it, and keeps it alive until Ctrl-C or SIGTERM.
 * @param started Unix milliseconds at which the command began
 */
export async function launch({ root, started }: { root: string; started: number }): Promise<void> {
  const progress = new Progress({ started });
  let supervisor: Supervisor | null = null;
  let ending: Promise<never> | null = null;
  const end = (code: number): Promise<never> => {
    ending ??= (async () => {
      await supervisor?.stop();
      return process.exit(code);
    })();
    return ending;
  };
  const onSignal = (): void => {
    if (!ending) console.log('\nStopping what was started');
    void end(0);
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal).on('SIGHUP', onSignal);
  process.on('uncaughtException', (error) => {
    console.error(explain(error));
    void end(1);
  });
  try {
    const settings = platformSettings(root);
    await claimHome(settings.home, progress.say);
    supervisor = new Supervisor(settings.home, progress.say);
    await checkPorts(settings, portsNeeded(settings));
    await startPlatform(settings, supervisor, progress);
    progress.end();
  } catch (error) {
    if (!ending) console.error(`\n${explain(error)}`);
    await end(1);
  }
}

async function startPlatform(settings: PlatformSettings, supervisor: Supervisor, progress: Progress): Promise<void> {
  const { home } = settings;
  mkdirSync(join(home, 'logs'), { recursive: true });
  const secrets = new Secrets(home);
  const choice = chosenGateway(settings, await findProgram('kong') !== null);
  const given = givenTls(settings);
  const stores = await progress.step('stores', () => startStores({ settings, secrets, supervisor, progress, further: choice === 'kong' ? ['kong'] : [] }),
    ({ databases }) => `${Object.keys(databases).length} databases, each with a role of its own`);
  const tls = await progress.step('certificates', async () => (given ? givenCertificate(given) : developmentCertificate(home)),
    ({ renewed }) => (given ? `TLS certificate is that of ${given.certificate}` : renewed ? `TLS certificate for localhost made, authority in ${join(home, 'tls/ca.pem')}` : 'TLS certificate for localhost is good'));
  const context: PlatformContext = { settings, secrets, stores, tls };

  const { services, adapters, portal } = programs(context);
  const missing = missingBundles([...services, ...adapters, portal]);
  if (missing.length > 0) throw new Fault(`These programs are not in this checkout: ${missing.join(', ')}. Restore their folders (git status shows what is missing).`);
  const gateway: Gateway = choice === 'kong' ? await progress.step('Kong', () => kongGateway(context, progress.say), (found) => `found ${found.description}`) : embeddedGateway(context);
  await progress.step(`gateway (${gateway.description})`, () => gateway.start(supervisor), () => `gateway is up: ${gateway.description}`);
  await progress.step('services', () => supervisor.start(...services), () => `services are up: ${services.map(({ name }) => name).join(', ')}`);
  await progress.step('adapters', () => supervisor.start(...adapters), () => `adapters and simulators are up: ${adapters.map(({ name }) => name).join(', ')}`);
  await progress.step('portal', () => supervisor.start(portal), () => 'portal is up');
  const urls = publicUrls(settings);
  const apps = settings.SANDBOX ? ownSandboxApps(secrets, home) : undefined;
  if (apps) await progress.step('sandbox apps', () => seedSandbox(context, apps), () => 'sandbox apps are registered at the gateway, the back office has its staff');
  else await progress.step('back office', () => seedOffice(new AdminApi(urls.admin), secrets), () => 'the back office is known at the gateway');
  await progress.step('readiness', () => waitForRoutes(urls.gateway, tls.authority), () => 'requests pass the gateway');
  writeFileSync(join(home, 'platform.json'), `${JSON.stringify({
    gateway: choice, gatewayUrl: urls.gateway, gatewayHttpUrl: urls.gatewayHttp, adminUrl: urls.admin, portalUrl: urls.portal,
    bankPagesUrl: urls.bankPages, caFile: tls.authority, credentialsFile: join(home, 'sandbox.json'),
    sanctionsFiles: settings.SANCTIONS_FILES ?? join(settings.root, 'adapters/kyc-provider/sandbox-sanctions.csv'),
  }, null, 2)}\n`);
  summary({ settings, supervisor, progress, apps, gateway: gateway.description, authority: tls.authority });
}

async function seedSandbox({ settings, secrets, stores }: PlatformContext, apps: SandboxCredentials): Promise<void> {
  await seedApps(new AdminApi(publicUrls(settings).admin), apps);
  await withStaff({ databaseUrl: stores.databases['portal']!, key: Buffer.from(secrets.bytes32(OFFICE_CREDENTIALS_KEY), 'base64') }, async ({ staff }) => {
    for (const member of apps.office) await staff.ensure(member);
  });
}

/** A new route takes a moment to reach Kong's proxy: waits until a call without a token is refused as it should be (401). */
async function waitForRoutes(base: string, authorityFile: string): Promise<void> {
  const ca = readFileSync(authorityFile);
  const status = (): Promise<string> => new Promise((resolve) => {
    const call = get(`${base}/v1/customers`, { ca, timeout: 2000, agent: false }, (answer) => { answer.resume(); resolve(String(answer.statusCode)); });
    call.once('timeout', () => call.destroy(new Error('no answer within 2 s')));
    call.once('error', (error) => resolve(error.message));
  });
  const deadline = Date.now() + 30_000;
  let last = '';
  for (last = await status(); last !== '401' && Date.now() < deadline; last = await status()) await sleep(200);
  if (last !== '401') throw new Fault(`GET ${base}/v1/customers without a token should be answered with 401, but the gateway gives: ${last}. Look at its log.`);
}

function summary(options: { settings: PlatformSettings; supervisor: Supervisor; progress: Progress; apps?: SandboxCredentials; gateway: string; authority: string }): void {
  const { settings, supervisor, progress, authority, apps } = options;
  const { home } = settings;
  const urls = publicUrls(settings);
  const memory = memoryOf([...supervisor.pids().values(), process.pid]);
  const lines = [
    '', 'Kontor is ready', '',
    `  Developer portal   ${urls.portal}   (documentation: ${urls.portal}/docs)`,
    `  API                ${urls.gateway}   (plain HTTP for pages: ${urls.gatewayHttp})`,
    `  Bank's pages       ${urls.bankPages}/consents`,
    `  Back office        ${urls.portal}/office   (staff: npm run staff)`,
    `  Gateway            ${options.gateway}, Admin API ${urls.admin}`,
    `  Certificate        signed by ${authority}`,
    ...(apps ? credentialLines(apps, home) : []),
    `  Logs               ${join(home, 'logs')}`,
    ...(memory === null ? [] : [`  Memory             ${(memory / 1024 ** 2).toFixed(0)} MiB in ${supervisor.pids().size} processes`]),
    `  Started in         ${progress.seconds.toFixed(1)} s`,
    '', existsSync(join(settings.root, 'scripts/demo.ts')) ? '  Next: npm run demo   (in another terminal; Ctrl-C here stops everything)' : '  Ctrl-C stops everything', '',
  ];
  console.log(lines.join('\n'));
}

/** The sandbox's own credentials are for everybody who uses this installation: fictional customers, fictional money. */
function credentialLines({ fintech, compliance, staff, office }: SandboxCredentials, home: string): string[] {
  return [
    `  Sandbox fintech    client id ${fintech.clientId}   secret ${fintech.clientSecret}`,
    `                     API key ${fintech.apiKey}   redirect URI ${fintech.redirectUri}`,
    `  Compliance officer client id ${compliance.clientId}   secret ${compliance.clientSecret}`,
    `  Bank staff         client id ${staff.clientId}   secret ${staff.clientSecret}`,
    ...office.map(({ username, password, totpSecret }) => `  Back office        ${username}   password ${password}   TOTP secret ${totpSecret}`),
    `                     (also in ${join(home, 'sandbox.json')})`,
  ];
}
