import type { PluginSchema } from '../plugin.js';

const tables = require('kong.tools.table') as { deep_copy<T>(this: void, table: T): T };

/** What Kong's rate-limiting takes. A copy, since Kong keeps a plugin's schema under the name that stands in it. */
export const schema = tables.deep_copy(require('kong.plugins.rate-limiting.schema') as PluginSchema);
schema.name = 'token-limit';
