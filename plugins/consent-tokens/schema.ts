import { pluginSchema } from '../plugin.js';

/** Configuration of consent-tokens. */
export const schema = pluginSchema('consent-tokens', [
  { provision_key: { type: 'string', required: true, encrypted: true, referenceable: true, description: 'key of the oauth2 plugin; asked for in X-Provision-Key' } },
]);
