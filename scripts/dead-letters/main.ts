/** `npm run dead-letters -- <command>`; in a container `node build/dead-letters.js <command>` with AMQP_URL. */
import { userInfo } from 'node:os';
import { readSettings, text, url } from '@kontor/kernel/config';
import { findInstallation } from '../administration/state.js';
import { explain, Fault } from '../platform/fault.js';
import { consumers } from '../platform/processes.js';
import { dotEnv } from '../platform/settings.js';
import { carryOut, readCommand } from './command-line.js';
import { openLetterBox } from './letter-box.js';

const SPEC = {
  AMQP_URL: url({ optional: true, explain: 'RabbitMQ of the platform; that of the installation when absent' }),
  OPERATOR: text({ optional: true, explain: 'who is at work, for the audit trail; the user of the operating system when absent' }),
};

function access(): { amqpUrl: string; actor: string } {
  const env = { ...dotEnv(process.cwd()), ...process.env };
  const settings = readSettings(SPEC, env);
  const amqpUrl = settings.AMQP_URL ?? findInstallation(process.cwd(), env)?.amqpUrl;
  if (!amqpUrl) throw new Fault('There is no installation yet: npm start makes one, or set AMQP_URL.');
  return { amqpUrl, actor: settings.OPERATOR ?? env.SUDO_USER ?? user() };
}

function user(): string {
  try {
    return userInfo().username;
  } catch {
    throw new Fault('The operating system has no name for this user: set OPERATOR, for the audit trail says who did it.');
  }
}

try {
  const command = readCommand(process.argv.slice(2));
  const box = await openLetterBox({ ...access(), queues: consumers() });
  try {
    console.log((await carryOut(command, box, new Date())).join('\n'));
  } finally {
    await box.close();
  }
} catch (error) {
  console.error(explain(error));
  process.exitCode = 1;
}
