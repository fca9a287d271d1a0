/** Kontor's gateway plugins for hosts that run in Node; Kong loads the compiled Lua instead (host-lua). */
import * as bianMapping from './bian-mapping/core.js';
import { schema as bianMappingSchema } from './bian-mapping/schema.js';
import * as consentCheck from './consent-check/core.js';
import { schema as consentCheckSchema } from './consent-check/schema.js';
import * as consentTokens from './consent-tokens/core.js';
import { schema as consentTokensSchema } from './consent-tokens/schema.js';
import * as gatewayIdentity from './gateway-identity/core.js';
import { schema as gatewayIdentitySchema } from './gateway-identity/schema.js';
import { allow } from './plugin.js';
import { priorities } from './priorities.js';
import * as problemJson from './problem-json/core.js';
import { schema as problemJsonSchema } from './problem-json/schema.js';

/**
 * Each plugin with the priority that orders it among Kong's own (oauth2 1400, acl 950, rate-limiting 910; higher runs
 * first), its pure core and the schema of its configuration.
 */
export const plugins = {
  'consent-check': { priority: priorities['consent-check'], core: consentCheck, schema: consentCheckSchema },
  'bian-mapping': { priority: priorities['bian-mapping'], core: bianMapping, schema: bianMappingSchema },
  'gateway-identity': { priority: priorities['gateway-identity'], core: gatewayIdentity, schema: gatewayIdentitySchema },
  'consent-tokens': { priority: priorities['consent-tokens'], core: consentTokens, schema: consentTokensSchema },
  'problem-json': { priority: priorities['problem-json'], core: problemJson, schema: problemJsonSchema },
};

// What decisions share must stay empty. Lua cannot freeze it; the types forbid writing in both.
const { setRequestHeaders, clearRequestHeaders, setResponseHeaders } = allow();
for (const shared of [setRequestHeaders, clearRequestHeaders, setResponseHeaders]) Object.freeze(shared);

export type PluginName = keyof typeof plugins;
