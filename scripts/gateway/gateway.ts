import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { Fault } from '../platform/fault.js';
import type { PlatformContext } from '../platform/processes.js';
import { publicUrls } from '../platform/processes.js';
import type { PlatformSettings, PortName } from '../platform/settings.js';
import type { Supervisor } from '../platform/supervisor.js';

/** What both gateways are to the launcher. */
export interface Gateway {
  /** `Kong 3.9.1` or `the embedded gateway`, for the progress line. */
  description: string;
  /** Starts it with the decK state applied; resolves when it serves requests. */
  start(supervisor: Supervisor): Promise<void>;
}

/** Which gateway is started. @throws Fault when the settings ask for what cannot be */
export function chosenGateway({ GATEWAY, PLUGIN_HOST }: Pick<PlatformSettings, 'GATEWAY' | 'PLUGIN_HOST'>, kongIsThere: boolean): 'kong' | 'embedded' {
  if (GATEWAY === 'kong' && !kongIsThere) {
    throw new Fault('GATEWAY=kong, but there is no `kong` on the PATH: install Kong Gateway 3.9, use docker compose, or set GATEWAY=embedded.');
  }
  const choice = GATEWAY ?? (kongIsThere ? 'kong' : 'embedded');
  if (choice === 'embedded' && PLUGIN_HOST === 'pdk') {
    throw new Fault('PLUGIN_HOST=pdk needs a Kong, and the embedded gateway runs the plugins itself: put `kong` on the PATH and set GATEWAY=kong, or leave PLUGIN_HOST out.');
  }
  return choice;
}

export const ENVIRONMENTS = ['sandbox', 'production'] as const;
export type Environment = (typeof ENVIRONMENTS)[number];

/** The decK state of an environment, in the order it is merged. @param folder the state's; `deck` in the checkout */
export function stateFiles(folder: string, environment: Environment): string[] {
  return ['kong.yaml', 'policies.yaml', `environments/${environment}.yaml`].map((name) => join(folder, name));
}

/** What an environment's file says: `DECK_…` values that are no secret. @throws Fault when it cannot be read */
export function environmentValues(folder: string, environment: Environment): Record<string, string> {
  const path = join(folder, 'environments', `${environment}.env`);
  if (!existsSync(path)) throw new Fault(`The values of ${environment} are missing: there is no ${path}.`);
  return parseEnv(readFileSync(path, 'utf8')) as Record<string, string>;
}

/** The environment the platform of `npm start` is. */
export function environmentOf({ SANDBOX }: { SANDBOX: boolean }): Environment {
  return SANDBOX ? 'sandbox' : 'production';
}

/** The decK state `npm start` serves. */
export function deckFiles(root: string, environment: Environment = 'sandbox'): string[] {
  return stateFiles(join(root, 'deck'), environment);
}

const AUDIENCES: PortName[] = ['CUSTOMER', 'KYC', 'ACCOUNT', 'PAYMENT', 'CONSENT', 'AUDIT', 'CORE_BANKING', 'KYC_PROVIDER', 'PAYMENT_RAIL', 'WEBHOOKS', 'PORTAL'];

/** Every `DECK_…` value an installation of `npm start` has, whether the state names it or not. */
export function installationValues({ settings, secrets, stores }: Omit<PlatformContext, 'tls' | 'stores'> & { stores: Pick<PlatformContext['stores'], 'redisUrl'> }): Record<string, string> {
  const redis = new URL(stores.redisUrl);
  return {
    DECK_GATEWAY_TOKEN_PRIVATE_KEY: secrets.gatewayTokenKeys().privateKey,
    DECK_OAUTH2_PROVISION_KEY: secrets.get('oauth2ProvisionKey'),
    DECK_REDIS_HOST: redis.hostname,
    DECK_REDIS_PORT: redis.port || '6379',
    DECK_REDIS_PASSWORD: decodeURIComponent(redis.password),
    DECK_AUDIT_INGEST_KEY: secrets.get('auditIngestKey'),
    DECK_CONSENT_DECISION_KEY: secrets.get('consentDecisionKey'),
    DECK_PORTAL_ORIGIN: publicUrls(settings).portal,
    ...Object.fromEntries(AUDIENCES.map((audience) => [`DECK_${audience}_URL`, `http://127.0.0.1:${settings.ports[audience]}`])),
  };
}

/**
 * A value for every `DECK_…` variable the state names.
 * @throws Fault when the state is not generated yet, or names a variable nothing here knows.
 */
export function deckEnvironment(context: PlatformContext): Record<string, string> {
  const { settings } = context;
  const environment = environmentOf(settings);
  const known = { ...environmentValues(join(settings.root, 'deck'), environment), ...installationValues(context) };
  const named = new Set(deckFiles(settings.root, environment).flatMap((file) => {
    try {
      return [...readFileSync(file, 'utf8').matchAll(/env "(DECK_[A-Z0-9_]+)"/g)].map((match) => match[1]!);
    } catch {
      throw new Fault(`The gateway state ${file} is missing: run npm run generate.`);
    }
  }));
  const unknown = [...named].filter((name) => known[name] === undefined);
  if (unknown.length > 0) throw new Fault(`The gateway state names ${unknown.join(', ')}, which the launcher does not set: add it to scripts/gateway/gateway.ts.`);
  return Object.fromEntries([...named].map((name) => [name, known[name]!]));
}
