/** A plugin that does what a test tells it; for tests and for the leak measurement; compiled like the real ones, shipped with none. */
import { allow, pluginSchema } from '../../plugin.js';
import type { Decider } from './deciding-plugin.js';
import { runPlugin } from './program.js';

interface ProbeConfig { does: 'allow' | 'throw' | 'reject' | 'hang'; absent?: string }

void runPlugin<ProbeConfig>({ name: 'probe', priority: 1, schema: pluginSchema('probe', []) }, (config): Decider => () => {
  if (config.does === 'throw') throw new Error('thrown on purpose');
  if (config.does === 'reject') return Promise.reject(new Error('rejected on purpose'));
  if (config.does === 'hang') return new Promise(() => undefined);
  const decision = allow();
  decision.setRequestHeaders = { 'x-absent': config.absent === undefined ? 'yes' : 'no' };
  return { decision };
});
