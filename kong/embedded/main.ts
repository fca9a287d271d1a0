/** The embedded gateway as a process; the only reader of the environment. */
import { readFileSync } from 'node:fs';
import { integer, list, oneOf, port, readSettings, text, url } from '@kontor/kernel/config';
import { createLogger } from '@kontor/kernel/logger';
import { startGateway } from './gateway.js';

const settings = readSettings({
  DECK_STATE: list({ explain: 'decK state: files or folders, separated by commas' }),
  HOST: text({ default: '127.0.0.1', explain: 'address to listen on' }),
  PROXY_HTTP_PORT: port({ default: 8000, explain: 'port of the HTTP listener' }),
  PROXY_HTTPS_PORT: port({ default: 8443, explain: 'port of the HTTPS listener' }),
  ADMIN_PORT: port({ default: 8001, explain: 'port of the Admin API, always on loopback' }),
  PORT: port({ default: 8100, explain: 'port of the status listener: /livez, /readyz, /metrics' }),
  TLS_CERT_FILE: text({ explain: 'PEM file with the certificate of the HTTPS listener' }),
  TLS_KEY_FILE: text({ explain: 'PEM file with its key' }),
  DATABASE_URL: url({ explain: 'PostgreSQL database of the gateway' }),
  LOG_LEVEL: oneOf(['error', 'warn', 'info', 'debug'], { default: 'info', explain: 'least level that is logged' }),
  STOP_AFTER_MS: integer({ min: 1_000, max: 120_000, default: 20_000, explain: 'most time a stop may take' }),
});

const logger = createLogger('gateway', settings.LOG_LEVEL);

async function run(): Promise<void> {
  const gateway = await startGateway({
    state: settings.DECK_STATE,
    env: process.env,
    databaseUrl: settings.DATABASE_URL,
    migrations: new URL('../migrations/', import.meta.url),
    host: settings.HOST,
    httpPort: settings.PROXY_HTTP_PORT,
    httpsPort: settings.PROXY_HTTPS_PORT,
    adminPort: settings.ADMIN_PORT,
    statusPort: settings.PORT,
    tls: { cert: readFileSync(settings.TLS_CERT_FILE, 'utf8'), key: readFileSync(settings.TLS_KEY_FILE, 'utf8') },
    logger,
    processMetrics: true,
  });
  logger.info('listening', { port: settings.PROXY_HTTP_PORT });
  let stopping = false;
  const stop = () => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => process.exit(1), settings.STOP_AFTER_MS).unref();
    gateway.stop().then(() => process.exit(0), (error: unknown) => {
      logger.error('the gateway could not stop cleanly', { error });
      process.exit(1);
    });
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}

run().catch((error: unknown) => {
  logger.error('the gateway could not start', { error });
  // What was opened before the fault would keep the process alive.
  setTimeout(() => process.exit(1), 100);
});
