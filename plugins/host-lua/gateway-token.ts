/** Signs gateway tokens (JWS ES256, RFC 7518 §3.4) and reuses them for their short life. */
import { jsonArray } from './request.js';
import type { GatewayClaims, TokenOrder } from '../plugin.js';

const json = require('cjson.safe') as { encode(this: void, value: unknown): string };
const base64 = require('ngx.base64') as { encode_base64url(this: void, text: string): string };
const pkey = require('resty.openssl.pkey') as { new: (this: void, pem: string) => LuaMultiReturn<[key: PrivateKey | undefined, fault: string | undefined]> };
const lru = require('resty.lrucache') as { new: (this: void, size: number) => LuaMultiReturn<[cache: LruCache<string> | undefined, fault: string | undefined]> };

/** Per worker; about 1 kB a token. A signature costs 29 µs inside Kong (measured), a look-up well under one. */
const CACHED_TOKENS = 10_000;

const HEADER = base64.encode_base64url('{"alg":"ES256","typ":"JWT"}');

/** A key and the tokens signed with it: after a rotation nothing signed with the old one is handed out. */
interface Signer { key: PrivateKey; tokens: LruCache<string> }

const signers: Record<string, Signer> = {};

/** The token of an order where one is kept. */
export function keptToken(order: TokenOrder, privateKey: string): string | undefined {
  return signerOf(privateKey).tokens.get(order.cacheKey);
}

/** Signs the claims of an order and keeps the token for its short life. Throws when the key cannot be read or does not sign. */
export function signToken(order: TokenOrder, claims: GatewayClaims, privateKey: string): string {
  const { key, tokens } = signerOf(privateKey);
  const text = `${HEADER}.${base64.encode_base64url(json.encode(encodable(claims)))}`;
  const [signature, fault] = key.sign(text, 'sha256', undefined, { ecdsa_use_raw: true });
  if (signature === undefined) throw `signing the gateway token: ${fault}`;
  const token = `${text}.${base64.encode_base64url(signature)}`;
  if (order.reuseSeconds > 0) tokens.set(order.cacheKey, token, order.reuseSeconds);
  return token;
}

/** Reads a key once a worker. */
function signerOf(privateKey: string): Signer {
  const known = signers[privateKey];
  if (known !== undefined) return known;
  const pem = ngx.decode_base64(privateKey);
  if (pem === undefined) throw 'the gateway token key is not base64';
  const [key, keyFault] = pkey['new'](pem);
  if (key === undefined) throw `reading the gateway token key: ${keyFault}`;
  const [tokens, cacheFault] = lru['new'](CACHED_TOKENS);
  if (tokens === undefined) throw `creating the token cache: ${cacheFault}`;
  const signer: Signer = { key, tokens };
  signers[privateKey] = signer;
  return signer;
}

function encodable(claims: GatewayClaims): GatewayClaims {
  jsonArray(claims.scopes);
  jsonArray(claims.roles);
  if (claims.consent !== undefined) {
    jsonArray(claims.consent.permissions);
    jsonArray(claims.consent.accounts);
  }
  return claims;
}
