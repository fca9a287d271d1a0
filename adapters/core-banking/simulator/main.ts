/** The legacy core, simulated: a program of its own on a real socket, with books on disk. See README.md. */
import { fileURLToPath } from 'node:url';
import { integer, port, readSettings, text } from '@kontor/kernel/config';
import { startLegacyCore } from './legacy-core.js';

const root = new URL('..', import.meta.url);
const settings = readSettings({
  HOST: text({ default: '127.0.0.1', explain: 'Address to listen on' }),
  PORT: port({ default: 4201, explain: 'Port to listen on' }),
  STATE_FILE: text({ default: fileURLToPath(new URL('../../.kontor/simulators/core-banking.jsonl', root)), explain: 'The books: JSON lines' }),
  SEED: text({ default: 'kontor', explain: 'Decides the account numbers' }),
  STALL_MS: integer({ default: 30_000, min: 0, max: 600_000, explain: 'How long an answer that is to be lost is kept back' }),
});
const core = await startLegacyCore({
  host: settings.HOST, port: settings.PORT, stateFile: settings.STATE_FILE, seed: settings.SEED, wsdl: new URL('core.wsdl', root), stallMs: settings.STALL_MS,
});
console.log(JSON.stringify({ message: 'listening', service: 'core-banking-simulator', url: core.url }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void core.stop().then(() => process.exit(0)));
