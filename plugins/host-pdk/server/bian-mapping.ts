/** bian-mapping out of process: the request here, the answer in pdk-guard. */
import { plugins } from '../../index.js';
import type { BianMappingConfig } from '../../bian-mapping/core.js';
import { runPlugin } from './program.js';

const { core, priority, schema } = plugins['bian-mapping'];

void runPlugin<BianMappingConfig>({ name: 'bian-mapping', priority, schema }, (config) =>
  (facts) => ({ decision: core.decide(facts, config), keep: { answering: config } }));
