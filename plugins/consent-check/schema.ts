import { pluginSchema } from '../plugin.js';

/** Configuration of consent-check; `operation` to `accountParameter` are derived from the contract, per route. */
export const schema = pluginSchema('consent-check', [
  { operation: { type: 'string', required: true, description: 'operationId of the contract' } },
  { audience: { type: 'string', required: true, description: 'service that owns the operation' } },
  { scopes: { type: 'array', required: true, elements: { type: 'string' }, description: 'scopes the access token must hold, all of them' } },
  { permission: { type: 'string', description: 'consent permission; absent: no consent needed' } },
  { accountParameter: { type: 'string', description: 'path parameter naming the account the consent must cover' } },
  { replays: { type: 'boolean', description: 'the operation uses its consent up: a consumed one passes, so that a repetition gets the first answer again' } },
  { redis: { type: 'record', required: true, fields: [
    { host: { type: 'string', required: true } },
    { port: { type: 'integer', required: true, between: [1, 65535] } },
    { password: { type: 'string', encrypted: true, referenceable: true, len_min: 0 } },
    { timeoutMs: { type: 'integer', required: true, default: 200, between: [1, 500], description: 'bound on connecting and on reading, in milliseconds' } },
  ] } },
  { fallback: { type: 'record', required: true, fields: [
    { url: { type: 'string', required: true, description: 'consent service, asked when Redis has no record or no answer' } },
    { key: { type: 'string', required: true, encrypted: true, referenceable: true, description: 'X-Decision-Key of its internal endpoint' } },
    { timeoutMs: { type: 'integer', required: true, default: 500, between: [1, 700], description: 'bound on the whole call, in milliseconds' } },
  ] } },
]);
