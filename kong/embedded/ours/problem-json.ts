import { plugins } from '../../../plugins/index.js';
import type { PluginDefinition } from '../plugin.js';
import { configFields } from './config-fields.js';

const { core, priority, schema } = plugins['problem-json'];

/** Host of problem-json: every refusal of the gateway becomes a problem, and its code goes into the access record. */
export const problemJson: PluginDefinition = {
  name: 'problem-json',
  priority,
  schema: configFields(schema),
  create(entry) {
    return {
      ownAnswer(exchange, answer) {
        const change = core.answer({ ...exchange.facts(), correlationId: exchange.correlationId }, entry.config, {
          status: answer.status, source: answer.source, headers: answer.headers, fields: textFields(answer.fields),
        });
        const changed = change.body
          ? { ...answer, status: change.status ?? answer.status, headers: { ...answer.headers, ...change.setHeaders }, fields: { ...change.body } }
          : answer;
        if (changed.status >= 400) {
          exchange.log.decision ??= 'refuse';
          if (typeof changed.fields.code === 'string') exchange.log.code = changed.fields.code;
        }
        return changed;
      },
    };
  },
};

function textFields(fields: Record<string, unknown>): Record<string, string> {
  const text: Record<string, string> = {};
  for (const [name, value] of Object.entries(fields)) if (typeof value === 'string') text[name] = value;
  return text;
}
