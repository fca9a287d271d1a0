/** The embedded gateway as a process that can be killed; its consent-check throws while the parent says so. */
import { createLogger } from '@kontor/kernel/logger';
import { definitions } from '../../kong/embedded/definitions.js';
import { startGateway } from '../../kong/embedded/gateway.js';
import type { PluginDefinition } from '../../kong/embedded/plugin.js';

/** What the parent sends first. */
export interface Order {
  state: string[];
  env: Record<string, string>;
  databaseUrl: string;
  tls: { cert: string; key: string };
  ports: { httpPort: number; httpsPort: number; adminPort: number };
}

/** Afterwards it sends whether consent-check is broken. */
export interface Condition { broken: boolean }

let broken = false;
const consentCheck = definitions.get('consent-check')!;
const breakable: PluginDefinition = {
  ...consentCheck,
  create(entry, parts) {
    const plugin = consentCheck.create(entry, parts);
    return { ...plugin, access: (exchange) => {
      if (broken) throw new Error('broken on purpose');
      return plugin.access?.(exchange);
    } };
  },
};

process.once('message', (order: Order) => {
  void startGateway({
    ...order, ...order.ports, migrations: new URL('../../kong/migrations/', import.meta.url), host: '127.0.0.1', statusPort: 0,
    logger: createLogger('gateway', 'error'), extraPlugins: [breakable],
  }).then((gateway) => {
    process.on('message', (condition: Condition) => {
      broken = condition.broken;
      process.send?.('done');
    });
    process.send?.(gateway.httpsUrl);
  }, (fault: Error) => {
    process.send?.(`failed: ${fault.message}`);
    process.exit(1);
  });
});
process.once('disconnect', () => process.exit(0));
