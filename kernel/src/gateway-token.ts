import { createPublicKey } from 'node:crypto';
import type { Request } from 'express';
import { Strategy } from 'passport-jwt';

/**
 * The gateway token: what the gateway signs for each request it lets through, and the only identity a service believes.
 * ES256, audience = the service, `op` = the operation, at most 120 s old.
 */
export interface GatewayClaims {
  iss: 'kontor-gateway';
  /** Name of the service the token is for. */
  aud: string;
  /** The client id: `custom_id` of the gateway's consumer. */
  sub: string;
  /** The operationId the gateway routed. */
  op: string;
  scopes: string[];
  roles: string[];
  consent?: ConsentClaim;
  /** Seconds since 1970, UTC. */
  iat: number;
  exp: number;
}

/** The consent the gateway has checked for this request. */
export interface ConsentClaim {
  id: string;
  version: number;
  permissions: string[];
  accounts: string[];
  customerId: string;
  /** When the consent ends, seconds since 1970, UTC: from then on `assertAccess` refuses, however fresh the token is. */
  expiresAt?: number;
}

/** Who calls, as a handler sees it. */
export interface Caller {
  clientId: string;
  scopes: string[];
  roles: string[];
  consent?: ConsentClaim;
}

/** What passport hands on after the token is verified: the caller and the operation the token is good for. */
export interface VerifiedCaller extends Caller {
  operation: string;
}

/** The header that carries the token. The gateway strips it from what clients send. */
export const GATEWAY_TOKEN_HEADER = 'x-gateway-token';

const MAX_LIFE_SECONDS = 120;
const LEEWAY_SECONDS = 5;
/** About 2 kB a token. */
const MOST_REMEMBERED = 10_000;

/**
 * The passport strategy `gateway` that verifies the token: signature (ES256 only), issuer, audience, time (5 s leeway)
 * and the shape of every claim.
 * @param publicKeyBase64 base64 of the SPKI PEM
 * @param audience the name of this service
 */
export function gatewayTokenStrategy(publicKeyBase64: string, audience: string): Strategy {
  const strategy = new RememberingStrategy(
    {
      jwtFromRequest: (request) => {
        const token = request.headers[GATEWAY_TOKEN_HEADER];
        return typeof token === 'string' ? token : null;
      },
      // A key object, parsed once: from text it is parsed for each request (a tenth of the time of a read). Its types lag behind.
      secretOrKey: createPublicKey(Buffer.from(publicKeyBase64, 'base64').toString('utf8')) as unknown as Buffer,
      algorithms: ['ES256'],
      issuer: 'kontor-gateway',
      audience,
      passReqToCallback: true,
      jsonWebTokenOptions: { clockTolerance: LEEWAY_SECONDS },
    },
    (request: Request, claims: unknown, done: (error: null, user: VerifiedCaller | false) => void) => {
      const caller = callerOf(claims, audience);
      if (caller) strategy.remember(request, caller, (claims as GatewayClaims).exp);
      done(null, caller ?? false);
    },
  );
  strategy.name = 'gateway';
  return strategy;
}

/**
 * Verifies a token once and remembers for its life whom it names: the gateway sends the same token for some twenty seconds,
 * and a signature takes as long to verify as the rest of a read. Only what was verified is remembered, by the whole text of the token.
 */
class RememberingStrategy extends Strategy {
  /** Not private (#): passport derives an object from the strategy for each request. */
  protected readonly verified = new Map<string, { caller: VerifiedCaller; until: number }>();

  override authenticate(request: Request, options?: object): void {
    const token = request.headers[GATEWAY_TOKEN_HEADER];
    const known = typeof token === 'string' ? this.verified.get(token) : undefined;
    if (known && Date.now() < known.until) return this.success(known.caller);
    super.authenticate(request as never, options);
  }

  /** @param expires seconds since 1970 */
  remember(request: Request, caller: VerifiedCaller, expires: number): void {
    const token = request.headers[GATEWAY_TOKEN_HEADER] as string;
    if (this.verified.size >= MOST_REMEMBERED) {
      // The oldest are the first to expire: all tokens live equally long.
      for (const oldest of [...this.verified.keys()].slice(0, MOST_REMEMBERED / 10)) this.verified.delete(oldest);
    }
    this.verified.set(token, { caller: frozen(caller), until: (expires + LEEWAY_SECONDS) * 1000 });
  }
}

/** Shared by requests, so nobody may change it. */
function frozen(caller: VerifiedCaller): VerifiedCaller {
  for (const part of [caller.scopes, caller.roles, caller.consent?.permissions, caller.consent?.accounts, caller.consent]) if (part) Object.freeze(part);
  return Object.freeze(caller);
}

function isTextList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string');
}

function isConsentClaim(value: unknown): value is ConsentClaim {
  if (typeof value !== 'object' || value === null) return false;
  const claim = value as Record<string, unknown>;
  return typeof claim.id === 'string' && claim.id !== '' && Number.isSafeInteger(claim.version)
    && isTextList(claim.permissions) && isTextList(claim.accounts)
    && typeof claim.customerId === 'string' && claim.customerId !== ''
    && (claim.expiresAt === undefined || Number.isSafeInteger(claim.expiresAt));
}

/** The caller named by verified claims, or undefined when any claim is missing or has another shape. */
function callerOf(claims: unknown, audience: string): VerifiedCaller | undefined {
  if (typeof claims !== 'object' || claims === null) return undefined;
  const c = claims as Record<string, unknown>;
  if (c.aud !== audience || typeof c.sub !== 'string' || c.sub === '' || typeof c.op !== 'string' || c.op === '') return undefined;
  if (!isTextList(c.scopes) || !isTextList(c.roles)) return undefined;
  if (typeof c.iat !== 'number' || typeof c.exp !== 'number' || c.exp - c.iat > MAX_LIFE_SECONDS) return undefined;
  if (c.iat > Date.now() / 1000 + LEEWAY_SECONDS) return undefined;
  const caller: VerifiedCaller = { clientId: c.sub, operation: c.op, scopes: c.scopes, roles: c.roles };
  if (c.consent === undefined) return caller;
  return isConsentClaim(c.consent) ? { ...caller, consent: c.consent } : undefined;
}
