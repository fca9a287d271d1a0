import { pluginSchema } from '../../plugin.js';

/** Configuration of pdk-guard; rendered by scripts/gateway/kong-pdk.ts. */
export const schema = pluginSchema('pdk-guard', [
  { requires: { type: 'array', required: true, elements: { type: 'string' }, description: 'plugins that must have decided, in their order' } },
]);
