/** Kong's request-termination plugin: ends every request of a route with one answer. */
import { errorAnswer } from '../exchange.js';
import type { PluginDefinition } from '../plugin.js';

interface TerminationConfig { status_code: number; message?: string }

const WORDS: Record<number, string> = { 401: 'Unauthorized', 404: 'Not found', 405: 'Method not allowed', 500: 'An unexpected error occurred', 502: 'Bad Gateway', 503: 'Service unavailable' };

export const requestTermination: PluginDefinition = {
  name: 'request-termination',
  priority: 2,
  schema: [
    { status_code: { type: 'integer', default: 503, between: [100, 599] } },
    { message: { type: 'string' } },
    { echo: { type: 'boolean', default: false, only: [false] } },
  ],
  create(entry) {
    const config = entry.config as unknown as TerminationConfig;
    return { access: () => errorAnswer(config.status_code, config.message ?? WORDS[config.status_code] ?? '') };
  },
};
