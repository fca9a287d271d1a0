import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '../platform/fault.js';
import type { PlatformContext } from '../platform/processes.js';
import { publicUrls } from '../platform/processes.js';
import type { PortName } from '../platform/settings.js';
import type { Supervisor } from '../platform/supervisor.js';

/** What both gateways are to the launcher. */
export interface Gateway {
  /** `Kong 3.9.1` or `the embedded gateway`, for the progress line. */
  description: string;
  /** Starts it with the decK state applied; resolves when it serves requests. */
  start(supervisor: Supervisor): Promise<void>;
}

/** The decK state, in the order it is merged. */
export function deckFiles(root: string): string[] {
  return ['kong.yaml', 'policies.yaml'].map((name) => join(root, 'deck', name));
}

const AUDIENCES: PortName[] = ['CUSTOMER', 'KYC', 'ACCOUNT', 'PAYMENT', 'CONSENT', 'AUDIT', 'CORE_BANKING', 'KYC_PROVIDER', 'PAYMENT_RAIL', 'WEBHOOKS', 'PORTAL'];

/**
 * A value for every `DECK_…` variable the state names.
 * @throws Fault when the state is not generated yet, or names a variable nothing here knows.
 */
export function deckEnvironment(context: PlatformContext): Record<string, string> {
  const { settings, secrets, stores } = context;
  const redis = new URL(stores.redisUrl);
  const known: Record<string, string> = {
    DECK_GATEWAY_TOKEN_PRIVATE_KEY: secrets.gatewayTokenKeys().privateKey,
    DECK_OAUTH2_PROVISION_KEY: secrets.get('oauth2ProvisionKey'),
    DECK_OAUTH2_TOKEN_EXPIRATION: settings.SANDBOX ? '900' : '7200',
    DECK_REDIS_HOST: redis.hostname,
    DECK_REDIS_PORT: redis.port || '6379',
    DECK_REDIS_PASSWORD: decodeURIComponent(redis.password),
    DECK_AUDIT_INGEST_KEY: secrets.get('auditIngestKey'),
    DECK_CONSENT_DECISION_KEY: secrets.get('consentDecisionKey'),
    DECK_PORTAL_ORIGIN: publicUrls(settings).portal,
  };
  for (const audience of AUDIENCES) known[`DECK_${audience}_URL`] = `http://127.0.0.1:${settings.ports[audience]}`;
  const named = new Set(deckFiles(settings.root).flatMap((file) => {
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
