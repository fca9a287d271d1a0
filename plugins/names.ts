import { priorities } from './priorities.js';

/** Every plugin of ours: what a Kong must load beside the bundled ones (`KONG_PLUGINS=bundled,<names>`). */
export const PLUGIN_NAMES = Object.keys(priorities);
