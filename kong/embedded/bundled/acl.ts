/** Kong's acl plugin: groups of the consumer against an allow or a deny list. */
import { errorAnswer } from '../exchange.js';
import type { PluginDefinition } from '../plugin.js';

interface AclConfig { allow?: string[]; deny?: string[]; hide_groups_header: boolean }

export const acl: PluginDefinition = {
  name: 'acl',
  priority: 950,
  schema: [
    { allow: { type: 'array', elements: { type: 'string' } } },
    { deny: { type: 'array', elements: { type: 'string' } } },
    { hide_groups_header: { type: 'boolean', default: false } },
    { always_use_authenticated_groups: { type: 'boolean', default: false, only: [false] } },
  ],
  create(entry) {
    const config = entry.config as unknown as AclConfig;
    if ((config.allow === undefined) === (config.deny === undefined)) {
      throw new Error(`${entry.where}: exactly one of config.allow and config.deny must be set`);
    }
    const listed = new Set(config.allow ?? config.deny);
    const isAllowList = config.allow !== undefined;
    return {
      access(exchange) {
        if (!exchange.identity) return errorAnswer(401, 'Unauthorized');
        const { groups } = exchange.identity;
        if (groups.some((group) => listed.has(group)) !== isAllowList) return errorAnswer(403, 'You cannot consume this service');
        if (!config.hide_groups_header) exchange.upstreamHeaders.set('x-consumer-groups', groups.join(', '));
        return undefined;
      },
    };
  },
};
