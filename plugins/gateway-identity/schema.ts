import { pluginSchema } from '../plugin.js';

/** Configuration of gateway-identity; `audience` and `operation` are derived from the contract, per route. */
export const schema = pluginSchema('gateway-identity', [
  { audience: { type: 'string', description: 'service the token is for; absent: strip only' } },
  { operation: { type: 'string', description: 'operationId the token is for' } },
  { lifetime: { type: 'integer', required: true, default: 30, between: [1, 300], description: 'life of a gateway token, in seconds' } },
  { private_key: { type: 'string', required: true, encrypted: true, referenceable: true, description: 'base64 of the PKCS8 PEM of a P-256 key' } },
]);
