import { pluginSchema } from '../plugin.js';

/** problem-json has nothing to set beyond being there. */
export const schema = pluginSchema('problem-json', []);
