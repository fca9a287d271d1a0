/** Signs gateway tokens (RFC 7515 compact form, ES256) and reuses each for as long as its order allows. */
import { createPrivateKey, sign, type KeyObject } from 'node:crypto';
import type { GatewayClaims, TokenOrder } from '../../../plugins/plugin.js';

const HEADER = Buffer.from('{"alg":"ES256","typ":"JWT"}').toString('base64url');
const MOST_TOKENS = 10_000;

/** Gives back the signed token for an order; its claims are asked for when it has to be signed. */
export type TokenSigner = (order: TokenOrder, claims: () => GatewayClaims) => string;

/**
 * @param privateKeyBase64 base64 of the PKCS8 PEM of a P-256 key
 * @param now unix milliseconds
 * @throws Error when the key is no P-256 private key
 */
export function tokenSigner(privateKeyBase64: string, now: () => number): TokenSigner {
  const key = privateKey(privateKeyBase64);
  let known = new Map<string, { token: string; until: number }>();
  return (order, claims) => {
    const kept = known.get(order.cacheKey);
    if (kept && kept.until > now()) return kept.token;
    const signed = `${HEADER}.${Buffer.from(JSON.stringify(claims())).toString('base64url')}`;
    const token = `${signed}.${sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
    if (known.size >= MOST_TOKENS) known = new Map();
    known.set(order.cacheKey, { token, until: now() + order.reuseSeconds * 1000 });
    return token;
  };
}

function privateKey(base64: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(Buffer.from(base64, 'base64').toString('utf8'));
  } catch {
    throw new Error('config.private_key is not the base64 of a PKCS8 PEM');
  }
  if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw new Error('config.private_key must be a P-256 key');
  return key;
}
