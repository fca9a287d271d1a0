import { createSign, generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { ConsentClaim } from '@kontor/kernel/gateway-token';

/** A pair of P-256 keys made for this run. */
export interface TestKeys {
  privateKey: KeyObject;
  /** base64 of the SPKI PEM: the setting GATEWAY_TOKEN_PUBLIC_KEY. */
  publicKey: string;
  /** base64 of the PKCS8 PEM: DECK_GATEWAY_TOKEN_PRIVATE_KEY. */
  privateKeyBase64: string;
}

function makeKeys(): TestKeys {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    privateKey,
    publicKey: Buffer.from(publicKey.export({ type: 'spki', format: 'pem' })).toString('base64'),
    privateKeyBase64: Buffer.from(privateKey.export({ type: 'pkcs8', format: 'pem' })).toString('base64'),
  };
}

/** The keys every test service trusts. */
export const testKeys: TestKeys = makeKeys();
/** Keys no service trusts, for forged tokens. */
export const strangerKeys: TestKeys = makeKeys();

/** What a test says about the caller; the rest is an ordinary application. */
export interface TokenOptions {
  aud: string;
  op: string;
  sub?: string;
  scopes?: readonly string[];
  roles?: readonly string[];
  consent?: ConsentClaim;
  /** Overwrites or, with undefined, removes claims. */
  claims?: Record<string, unknown>;
  header?: Record<string, unknown>;
  keys?: TestKeys;
}

const ALL_SCOPES = ['customers', 'kyc', 'accounts', 'payments', 'funds', 'consents', 'consent-administration', 'bank-operations', 'webhooks', 'audit'];
const ALL_ROLES = ['onboarding', 'aisp', 'pisp', 'cbpii', 'compliance', 'bank-staff', 'sandbox'];

/** A gateway token as the gateway signs it: ES256, 30 s. Without `scopes` and `roles` the caller has all of them. */
export function gatewayToken(options: TokenOptions): string {
  const now = Math.floor(Date.now() / 1000);
  const header = { alg: 'ES256', typ: 'JWT', ...options.header };
  const claims = {
    iss: 'kontor-gateway', aud: options.aud, sub: options.sub ?? 'test-client', op: options.op, iat: now, exp: now + 30,
    scopes: options.scopes ?? ALL_SCOPES, roles: options.roles ?? ALL_ROLES,
    ...(options.consent ? { consent: options.consent } : {}), ...options.claims,
  };
  const signed = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  const signature = createSign('SHA256').update(signed).sign({ key: (options.keys ?? testKeys).privateKey, dsaEncoding: 'ieee-p1363' });
  return `${signed}.${signature.toString('base64url')}`;
}
