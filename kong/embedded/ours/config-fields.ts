import type { PluginSchema } from '../../../plugins/plugin.js';
import type { Fields } from '../schema.js';

/** The fields of `config` in a plugin's whole schema. */
export function configFields(schema: PluginSchema): Fields {
  for (const field of schema.fields) {
    const config = field.config as { fields?: Fields } | undefined;
    if (config?.fields) return config.fields;
  }
  throw new Error(`the schema of ${schema.name} has no config`);
}
