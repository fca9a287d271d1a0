import { createServer } from 'node:http';
import { integer, port, readSettings, secret, text } from '@kontor/kernel/config';
import { createLogger } from '@kontor/kernel/logger';
import { simulator } from './simulator.js';

const settings = readSettings({
  PORT: port({ default: 4202, explain: 'Where the simulator listens' }),
  HOST: text({ default: '127.0.0.1', explain: 'Address the simulator listens on' }),
  KYC_PROVIDER_API_KEY: secret({ explain: 'The key a caller must show in X-Api-Key' }),
  SIMULATOR_SEED: integer({ min: 0, max: 2_147_483_647, default: 1, explain: 'The same seed gives the same references and delays' }),
});
const logger = createLogger('kyc-provider-simulator', 'info');
const server = createServer(simulator({ apiKey: settings.KYC_PROVIDER_API_KEY, seed: settings.SIMULATOR_SEED }));
server.listen(settings.PORT, settings.HOST, () => logger.info('listening', { port: settings.PORT }));

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    server.close(() => process.exit(0));
    server.closeAllConnections();
  });
}
