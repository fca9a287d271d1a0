/** Every plugin the state may name. */
import { acl } from './bundled/acl.js';
import { correlationId } from './bundled/correlation-id.js';
import { cors } from './bundled/cors.js';
import { httpLog } from './bundled/http-log.js';
import { keyAuth } from './bundled/key-auth.js';
import { oauth2 } from './bundled/oauth2.js';
import { prometheus } from './bundled/prometheus.js';
import { rateLimiting, tokenLimit } from './bundled/rate-limiting.js';
import { requestSizeLimiting } from './bundled/request-size-limiting.js';
import { requestTermination } from './bundled/request-termination.js';
import { bianMapping } from './ours/bian-mapping.js';
import { consentCheck } from './ours/consent-check.js';
import { consentTokens } from './ours/consent-tokens.js';
import { gatewayIdentity } from './ours/gateway-identity.js';
import { problemJson } from './ours/problem-json.js';
import type { PluginDefinition } from './plugin.js';

/** By name: Kong's own as far as they are implemented, and ours. */
export const definitions: ReadonlyMap<string, PluginDefinition> = new Map([
  correlationId, cors, oauth2, keyAuth, requestSizeLimiting, acl, rateLimiting, tokenLimit, requestTermination, prometheus, httpLog,
  consentCheck, bianMapping, gatewayIdentity, problemJson, consentTokens,
].map((definition) => [definition.name, definition]));
