import { pluginSchema } from '../../plugin.js';

/** Configuration of pdk-watch; rendered by scripts/gateway/kong-pdk.ts. */
export const schema = pluginSchema('pdk-watch', [
  { plugins: { type: 'array', required: true, elements: { type: 'string' }, description: 'plugins of this route that run out of process' } },
]);
