/** Kong's request-termination plugin: ends a request with a fixed status. */
import { errorAnswer } from '../exchange.js';
import type { PluginDefinition } from '../plugin.js';

interface TerminationConfig { status_code: number; message?: string }

export const requestTermination: PluginDefinition = {
  name: 'request-termination',
  priority: 2,
  schema: [
    { status_code: { type: 'integer', default: 503 } },
    { message: { type: 'string' } },
  ],
  create(entry) {
    const { status_code: status, message = 'Service unavailable' } = entry.config as unknown as TerminationConfig;
    return { access: () => errorAnswer(status, message) };
  },
};
