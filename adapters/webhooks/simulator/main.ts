/** A fintech's receiver of webhooks: a program of its own that verifies signatures. See README.md. */
import { integer, list, port, readSettings, text } from '@kontor/kernel/config';
import { startReceiver } from './receiver.js';

const settings = readSettings({
  HOST: text({ default: '127.0.0.1', explain: 'Address to listen on' }),
  PORT: port({ default: 4204, explain: 'Port to listen on' }),
  WEBHOOK_SECRETS: list({ default: [], explain: 'Signing secrets to trust from the start, comma separated' }),
  SLOW_MS: integer({ default: 15_000, min: 0, max: 600_000, explain: 'How long /slow takes to answer' }),
});
const receiver = await startReceiver({ host: settings.HOST, port: settings.PORT, secrets: settings.WEBHOOK_SECRETS, slowMs: settings.SLOW_MS });
console.log(JSON.stringify({ message: 'listening', service: 'webhook-receiver', url: receiver.url }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void receiver.stop().then(() => process.exit(0)));
