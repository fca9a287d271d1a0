/** Kong's correlation-id plugin: keeps what the client sent, or mints one. */
import { randomUUID } from 'node:crypto';
import type { PluginDefinition } from '../plugin.js';

interface CorrelationIdConfig { header_name: string; generator: 'uuid' | 'uuid#counter'; echo_downstream: boolean }

/** What may stand in logs and problems; the services accept the same and mint anew otherwise. */
const SOUND = /^[A-Za-z0-9._-]{1,64}$/;

export const correlationId: PluginDefinition = {
  name: 'correlation-id',
  priority: 100_001,
  schema: [
    { header_name: { type: 'string', default: 'Kong-Request-ID' } },
    { generator: { type: 'string', default: 'uuid#counter', only: ['uuid', 'uuid#counter'] } },
    { echo_downstream: { type: 'boolean', default: false } },
  ],
  create(entry) {
    const config = entry.config as unknown as CorrelationIdConfig;
    const name = config.header_name.toLowerCase();
    const worker = randomUUID();
    let count = 0;
    const mint = () => (config.generator === 'uuid' ? randomUUID() : `${worker}#${++count}`);
    return {
      access(exchange) {
        const sent = exchange.headers[name];
        exchange.correlationId = sent !== undefined && SOUND.test(sent) ? sent : mint();
        exchange.upstreamHeaders.set(name, exchange.correlationId);
        return undefined;
      },
      headerFilter(exchange, head) {
        if (!config.echo_downstream) return;
        head.headers[name] = exchange.correlationId;
      },
      ownAnswer(exchange, answer) {
        // No route took the request, so the access phase did not run.
        const sent = exchange.headers[name];
        if (exchange.correlationId === '') exchange.correlationId = sent !== undefined && SOUND.test(sent) ? sent : mint();
        return answer;
      },
    };
  },
};
