import { plugins } from '../../../plugins/index.js';
import type { BianMappingConfig } from '../../../plugins/bian-mapping/core.js';
import type { PluginDefinition } from '../plugin.js';
import { applyChange, answerOf } from './answers.js';
import { configFields } from './config-fields.js';
import { carryOut } from './decisions.js';

const { core, priority, schema } = plugins['bian-mapping'];

/** Host of bian-mapping. */
export const bianMapping: PluginDefinition = {
  name: 'bian-mapping',
  priority,
  schema: configFields(schema),
  create(entry) {
    const config = entry.config as unknown as BianMappingConfig;
    return {
      access: (exchange) => carryOut(exchange, core.decide(exchange.facts(), config)),
      headerFilter(exchange, head) {
        if (head.source !== 'service') return;
        applyChange(exchange, head, core.answer(exchange.facts(), config, answerOf(head)));
      },
    };
  },
};
