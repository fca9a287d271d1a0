/** Which of our plugins run where in this host. Without the compilers that `build.ts` needs. */
import { guardPriorities } from './priorities.js';

/** Plugins that run out of process. problem-json cannot: it rewrites bodies of answers Kong itself makes. */
export const PDK_PLUGINS = ['consent-check', 'bian-mapping', 'gateway-identity'];
/** Plugins that run inside Kong beside them. */
export const PDK_LUA_PLUGINS = ['problem-json', ...Object.keys(guardPriorities)];
