/** Which of our plugins run where in this host. Without the compilers that `build.ts` needs. */
import { PLUGIN_NAMES } from '../names.js';
import { guardPriorities } from './priorities.js';

/** Plugins that run out of process. problem-json cannot, since it rewrites bodies of answers Kong itself makes; token-limit is Kong's own Lua, consent-tokens needs Kong's data access. */
export const PDK_PLUGINS = ['consent-check', 'bian-mapping', 'gateway-identity'];
/** Plugins that run inside Kong beside them. */
export const PDK_LUA_PLUGINS = [...PLUGIN_NAMES.filter((name) => !PDK_PLUGINS.includes(name)), ...Object.keys(guardPriorities)];
