/** The payment rail, simulated: a program of its own on a real socket, with its memory on disk. See README.md. */
import { fileURLToPath } from 'node:url';
import { port, readSettings, secret, text, url } from '@kontor/kernel/config';
import { startRailSimulator } from './simulator.js';

const root = new URL('..', import.meta.url);
const settings = readSettings({
  HOST: text({ default: '127.0.0.1', explain: 'address to listen on' }),
  PORT: port({ default: 4203, explain: 'TCP port to listen on' }),
  RAIL_INBOUND_URL: url({ explain: 'where the bank takes messages of the rail' }),
  RAIL_SHARED_SECRET: secret({ explain: 'signs what the bank and the rail send each other (HMAC-SHA256)' }),
  BANK_BIC: text({ explain: 'BIC of the bank: the creditor agent of transfers to it' }),
  STATE_FILE: text({ default: fileURLToPath(new URL('../../.kontor/simulators/payment-rail.jsonl', root)), explain: 'the memory of the rail: JSON lines' }),
  SEED: text({ default: 'kontor', explain: 'decides the small delays of the reports' }),
});
const simulator = await startRailSimulator({
  host: settings.HOST, port: settings.PORT, file: settings.STATE_FILE, seed: settings.SEED, secret: settings.RAIL_SHARED_SECRET,
  bankBic: settings.BANK_BIC, inboundUrl: settings.RAIL_INBOUND_URL,
});
console.log(JSON.stringify({ message: 'listening', service: 'payment-rail-simulator', url: simulator.url }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void simulator.stop().then(() => process.exit(0)));
