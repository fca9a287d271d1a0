import type { Exchange } from '../exchange.js';
import type { Identity } from '../identities.js';

/** Notes who calls and sets the identity headers Kong's authentication plugins set (gateway-identity takes them off). */
export function authenticate(exchange: Exchange, identity: Identity): void {
  exchange.identity = identity;
  const { upstreamHeaders } = exchange;
  upstreamHeaders.set('x-consumer-id', identity.consumer.id);
  upstreamHeaders.set('x-consumer-custom-id', identity.consumer.customId ?? null);
  upstreamHeaders.set('x-consumer-username', identity.consumer.username ?? null);
  upstreamHeaders.set('x-credential-identifier', identity.credentialIdentifier);
  upstreamHeaders.set('x-anonymous-consumer', null);
}
