import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { officeClient } from './sandbox.js';
import type { Secrets } from './secrets.js';
import type { PlatformSettings, PortName } from './settings.js';
import type { ProcessPlan } from './supervisor.js';

/** Where the stores are, once they run. `databases` holds one URL a database, each for its own role. */
export interface Stores {
  databases: Record<string, string>;
  amqpUrl: string;
  redisUrl: string;
}

export interface PlatformContext {
  settings: PlatformSettings;
  secrets: Secrets;
  stores: Stores;
  tls: { authority: string; certificate: string; key: string };
}

/** The addresses a person or a program outside uses. */
export function publicUrls(settings: PlatformSettings): { gateway: string; gatewayHttp: string; admin: string; portal: string; bankPages: string } {
  const { ports } = settings;
  return {
    gateway: `https://localhost:${ports.GATEWAY_HTTPS}`,
    gatewayHttp: `http://localhost:${ports.GATEWAY_HTTP}`,
    admin: `http://127.0.0.1:${ports.GATEWAY_ADMIN}`,
    portal: `http://localhost:${ports.PORTAL}`,
    bankPages: `http://localhost:${ports.GATEWAY_HTTP}/bank`,
  };
}

/** Databases of our own that the platform needs, by name. */
export const DATABASES = ['customer', 'kyc', 'account', 'payment', 'consent', 'audit', 'webhooks', 'portal', 'gateway'] as const;

interface Program {
  name: string;
  /** Folder of its workspace. */
  workspace: string;
  bundle?: 'main' | 'simulator';
  port: PortName;
  database?: (typeof DATABASES)[number];
  /** Settings beyond the common ones. */
  own?: (context: PlatformContext) => Record<string, string>;
  /** Names of settings it is given as the environment or `.env` has them: rules of the bank, which have defaults. */
  rules?: RegExp;
  /** MiB of JavaScript heap. */
  heap?: number;
}

const inner = (context: PlatformContext, port: PortName): string => `http://127.0.0.1:${context.settings.ports[port]}`;

const kycProviderKey = ({ settings, secrets }: PlatformContext): string => settings.KYC_PROVIDER_API_KEY ?? secrets.get('kycProviderApiKey');
const railSecret = ({ settings, secrets }: PlatformContext): string => settings.RAIL_SHARED_SECRET ?? secrets.get('railSharedSecret');

const SERVICES: Program[] = [
  { name: 'customer', workspace: 'services/customer', port: 'CUSTOMER', database: 'customer' },
  { name: 'kyc', workspace: 'services/kyc', port: 'KYC', database: 'kyc' },
  {
    name: 'account', workspace: 'services/account', port: 'ACCOUNT', database: 'account',
    rules: /^(LEDGER_(CHECK_EVERY_S|FULL_CHECK_EVERY_H)|HOLD_EXPIRES_AFTER_H|RECONCILE_EVERY_S|RECONCILIATION_[A-Z_]+)$/,
    own: ({ settings, secrets }) => ({
      ACCOUNT_BALANCES_KEY: secrets.get('accountBalancesKey'),
      ...(settings.ISO20022_XSD_DIR ? { ISO20022_XSD_DIR: settings.ISO20022_XSD_DIR } : {}),
    }),
  },
  { name: 'payment', workspace: 'services/payment', port: 'PAYMENT', database: 'payment', rules: /^(PAYMENT_(TIME_ZONE|CUT_OFF|DAILY_COUNT|DAILY_AMOUNT|DUPLICATE_MINUTES)|FRAUD_[A-Z_]+|STUCK_[A-Z_]+)$/ },
  {
    name: 'consent', workspace: 'services/consent', port: 'CONSENT', database: 'consent',
    own: (context) => ({
      OAUTH2_PROVISION_KEY: context.secrets.get('oauth2ProvisionKey'),
      GATEWAY_OAUTH2_URL: `${publicUrls(context.settings).gateway}/oauth2`,
      BANK_PAGES_URL: publicUrls(context.settings).bankPages,
      CONSENT_DECISION_KEY: context.secrets.get('consentDecisionKey'),
      CREDENTIALS_KEY: context.secrets.bytes32('credentialsKey'),
      ACCOUNT_BALANCES_URL: inner(context, 'ACCOUNT'),
      ACCOUNT_BALANCES_KEY: context.secrets.get('accountBalancesKey'),
      SERVICE_DOCUMENTATION_URL: `${publicUrls(context.settings).portal}/docs`,
    }),
  },
  {
    name: 'audit', workspace: 'services/audit', port: 'AUDIT', database: 'audit',
    own: ({ settings, secrets }) => ({
      AUDIT_INGEST_KEY: secrets.get('auditIngestKey'),
      AUDIT_MASTER_KEY: secrets.bytes32('auditMasterKey'),
      ...(settings.MONGODB_URL ? { MONGODB_URL: settings.MONGODB_URL } : {}),
    }),
  },
];

const ADAPTERS: Program[] = [
  {
    name: 'core-banking', workspace: 'adapters/core-banking', port: 'CORE_BANKING',
    own: (context) => ({ CORE_BANKING_URL: context.settings.CORE_BANKING_URL ?? `${inner(context, 'CORE_BANKING_SIMULATOR')}/soap` }),
  },
  {
    name: 'kyc-provider', workspace: 'adapters/kyc-provider', port: 'KYC_PROVIDER', heap: 160,
    own: (context) => ({
      KYC_PROVIDER_URL: context.settings.KYC_PROVIDER_URL ?? inner(context, 'KYC_PROVIDER_SIMULATOR'),
      KYC_PROVIDER_API_KEY: kycProviderKey(context),
      ...(context.settings.SANCTIONS_FILES ? { SANCTIONS_FILES: context.settings.SANCTIONS_FILES } : {}),
    }),
  },
  {
    name: 'payment-rail', workspace: 'adapters/payment-rail', port: 'PAYMENT_RAIL',
    own: (context) => ({
      RAIL_URL: context.settings.RAIL_URL ?? inner(context, 'PAYMENT_RAIL_SIMULATOR'),
      RAIL_INBOUND_URL: `${inner(context, 'PAYMENT_RAIL')}/inbound`,
      RAIL_SHARED_SECRET: railSecret(context),
      BANK_BIC: context.settings.BANK_BIC,
      ...(context.settings.ISO20022_XSD_DIR ? { ISO20022_XSD_DIR: context.settings.ISO20022_XSD_DIR } : {}),
    }),
  },
  {
    name: 'webhooks', workspace: 'adapters/webhooks', port: 'WEBHOOKS', database: 'webhooks',
    own: ({ settings, secrets }) => ({
      WEBHOOK_SECRETS_KEY: secrets.bytes32('webhookSecretsKey'),
      WEBHOOK_ALLOW_PRIVATE: String(settings.SANDBOX),
    }),
  },
];

const SIMULATORS: Array<Program & { standsFor: 'CORE_BANKING_URL' | 'KYC_PROVIDER_URL' | 'RAIL_URL' }> = [
  {
    name: 'core-banking-simulator', workspace: 'adapters/core-banking', bundle: 'simulator', port: 'CORE_BANKING_SIMULATOR', standsFor: 'CORE_BANKING_URL',
    own: ({ settings }) => ({ STATE_FILE: join(settings.home, 'data/simulators/core-banking.jsonl') }),
  },
  {
    name: 'kyc-provider-simulator', workspace: 'adapters/kyc-provider', bundle: 'simulator', port: 'KYC_PROVIDER_SIMULATOR', standsFor: 'KYC_PROVIDER_URL',
    own: (context) => ({ KYC_PROVIDER_API_KEY: kycProviderKey(context) }),
  },
  {
    name: 'payment-rail-simulator', workspace: 'adapters/payment-rail', bundle: 'simulator', port: 'PAYMENT_RAIL_SIMULATOR', standsFor: 'RAIL_URL',
    own: (context) => ({
      RAIL_SHARED_SECRET: railSecret(context),
      BANK_BIC: context.settings.BANK_BIC,
      RAIL_INBOUND_URL: `${inner(context, 'PAYMENT_RAIL')}/inbound`,
      STATE_FILE: join(context.settings.home, 'data/simulators/payment-rail.jsonl'),
    }),
  },
];

/** Name of the secret with which the portal seals what its staff's authenticator apps know. */
export const OFFICE_CREDENTIALS_KEY = 'officeCredentialsKey';

const PORTAL: Program = {
  name: 'portal', workspace: 'portal', port: 'PORTAL', database: 'portal',
  own: ({ settings, secrets }) => ({
    GATEWAY_ADMIN_URL: publicUrls(settings).admin,
    GATEWAY_URL: publicUrls(settings).gateway,
    SESSION_SECRET: secrets.get('portalSessionSecret'),
    PORTAL_ORIGIN: publicUrls(settings).portal,
    OFFICE_CLIENT_ID: officeClient(secrets).clientId,
    OFFICE_CLIENT_SECRET: officeClient(secrets).clientSecret,
    OFFICE_CREDENTIALS_KEY: secrets.bytes32(OFFICE_CREDENTIALS_KEY),
  }),
};

/** The simulators that stand in for outside systems no URL was given for. */
function simulatorsOf(settings: PlatformSettings): Program[] {
  return SIMULATORS.filter(({ standsFor }) => settings[standsFor] === undefined);
}

/** The queues of all consumers: one a program, and one for what it asks of others. */
export function consumers(): string[] {
  return [...SERVICES, ...ADAPTERS, PORTAL].flatMap(({ name }) => [name, `${name}.outside`]);
}

/** Every port the platform will listen on with these settings. */
export function portsNeeded(settings: PlatformSettings): PortName[] {
  return ['GATEWAY_HTTP', 'GATEWAY_HTTPS', 'GATEWAY_ADMIN', 'GATEWAY_STATUS', ...[...SERVICES, ...ADAPTERS, ...simulatorsOf(settings), PORTAL].map(({ port }) => port)];
}

/** How to run the services, the adapters with their simulators, and the portal. */
export function programs(context: PlatformContext): { services: ProcessPlan[]; adapters: ProcessPlan[]; portal: ProcessPlan } {
  const plan = (program: Program): ProcessPlan => planOf(program, context);
  return {
    services: SERVICES.map(plan),
    adapters: [...simulatorsOf(context.settings), ...ADAPTERS].map(plan),
    portal: plan(PORTAL),
  };
}

function planOf(program: Program, context: PlatformContext): ProcessPlan {
  const { settings, secrets, stores, tls } = context;
  const workspace = join(settings.root, program.workspace);
  return nodeProcess({
    name: program.name, cwd: workspace, bundle: join(workspace, 'dist', `${program.bundle ?? 'main'}.js`),
    port: settings.ports[program.port], heap: program.heap,
    env: {
      ...(program.database ? { DATABASE_URL: stores.databases[program.database]! } : {}),
      ...(program.bundle === 'simulator' ? {} : {
        AMQP_URL: stores.amqpUrl, REDIS_URL: stores.redisUrl, GATEWAY_TOKEN_PUBLIC_KEY: secrets.gatewayTokenKeys().publicKey,
      }),
      LOG_LEVEL: settings.LOG_LEVEL, SANDBOX: String(settings.SANDBOX), NODE_EXTRA_CA_CERTS: tls.authority,
      ...rulesOf(program, settings),
      ...program.own?.(context),
    },
  });
}

function rulesOf({ rules }: Program, { given }: PlatformSettings): Record<string, string> {
  return Object.fromEntries(Object.entries(given).filter((entry): entry is [string, string] => rules?.test(entry[0]) === true && entry[1] !== undefined));
}

/** A Node program of ours: small heap, small thread pool, ready when `/readyz` answers 200. */
export function nodeProcess(options: { name: string; cwd: string; bundle: string; port: number; heap?: number; env: Record<string, string>; readyUrl?: string }): ProcessPlan {
  const { name, cwd, bundle, port, heap = 128, env, readyUrl = `http://127.0.0.1:${port}/readyz` } = options;
  return {
    name, cwd, port, command: process.execPath, args: [`--max-old-space-size=${heap}`, '--max-semi-space-size=4', bundle],
    env: { NODE_ENV: 'production', UV_THREADPOOL_SIZE: '2', HOST: '127.0.0.1', PORT: String(port), ...env },
    stopSignal: 'SIGTERM', ready: () => answersOk(readyUrl),
  };
}

/** Whether a GET is answered with 200 within 2 s. Never throws. */
export async function answersOk(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
    await response.arrayBuffer();
    return response.status === 200;
  } catch {
    return false;
  }
}

/** Names of programs whose bundle is not there. */
export function missingBundles(plans: ProcessPlan[]): string[] {
  return plans.filter(({ args }) => args.at(-1)?.endsWith('.js') && !existsSync(args.at(-1)!)).map(({ name }) => name);
}
