/** Signs gateway tokens (JWS ES256, RFC 7518 §3.4) and reuses each as long as its order allows. */
import { createPrivateKey, sign, type KeyObject } from 'node:crypto';
import type { GatewayClaims, TokenOrder } from '../../plugin.js';

const HEADER = Buffer.from('{"alg":"ES256","typ":"JWT"}').toString('base64url');
const MOST_TOKENS = 10_000;

interface Signer { key: KeyObject; tokens: Map<string, { token: string; until: number }> }

/** One for each key: every route has a configuration of its own, and most name the same key. */
const signers = new Map<string, Signer>();

/**
 * @param privateKey base64 of the PKCS8 PEM of a P-256 key.
 * @returns the token of an order; `now` in unix seconds.
 * @throws Error when the key cannot be read.
 */
export function tokenSigner(privateKey: string): (order: TokenOrder, claims: () => GatewayClaims, now: number) => string {
  const signer = signers.get(privateKey) ?? { key: createPrivateKey(Buffer.from(privateKey, 'base64').toString('utf8')), tokens: new Map() };
  if (signer.key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw new Error('the gateway token key is no P-256 key');
  signers.set(privateKey, signer);
  const { key, tokens } = signer;
  return (order, claims, now) => {
    const known = tokens.get(order.cacheKey);
    if (known && known.until > now) return known.token;
    const text = `${HEADER}.${Buffer.from(JSON.stringify(claims())).toString('base64url')}`;
    const token = `${text}.${sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
    if (tokens.size >= MOST_TOKENS) tokens.clear();
    if (order.reuseSeconds > 0) tokens.set(order.cacheKey, { token, until: now + order.reuseSeconds });
    return token;
  };
}
