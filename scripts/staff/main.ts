/** `npm run staff -- <command>`; in a container `node build/staff.js <command>` with PORTAL_DATABASE_URL and OFFICE_CREDENTIALS_KEY. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bytes32, readSettings, url } from '@kontor/kernel/config';
import { explain, Fault } from '../platform/fault.js';
import { OFFICE_CREDENTIALS_KEY } from '../platform/processes.js';
import { platformSettings } from '../platform/settings.js';
import { withStaff } from '../platform/staff.js';
import { carryOut, readCommand } from './command-line.js';

interface Access { databaseUrl: string; key: Buffer }

/** Of the environment, else of the installation that `npm start` has made. */
function access(): Access {
  const settings = readSettings({
    PORTAL_DATABASE_URL: url({ optional: true, explain: 'postgres://… of the portal\'s database; that of the installation when absent' }),
    OFFICE_CREDENTIALS_KEY: bytes32({ optional: true, explain: 'seals the one-time-code secrets of the bank\'s staff; that of the installation when absent' }),
  });
  if (settings.PORTAL_DATABASE_URL && settings.OFFICE_CREDENTIALS_KEY) return { databaseUrl: settings.PORTAL_DATABASE_URL, key: settings.OFFICE_CREDENTIALS_KEY };
  return installed(process.cwd());
}

function installed(root: string): Access {
  const { home, DATABASE_URL } = platformSettings(root);
  const read = (file: string): Record<string, string | number> => existsSync(join(home, file)) ? JSON.parse(readFileSync(join(home, file), 'utf8')) as Record<string, string | number> : {};
  const [secrets, ports] = [read('secrets.json'), read('data/ports.json')];
  const [password, key] = [secrets['database:portal'], secrets[OFFICE_CREDENTIALS_KEY]];
  if (typeof password !== 'string' || typeof key !== 'string') throw new Fault(`There is no installation in ${home} yet: npm start makes one.`);
  const at = new URL(DATABASE_URL ?? `postgresql://127.0.0.1:${ports['postgresql']}`);
  at.username = 'kontor_portal';
  at.password = password;
  at.pathname = '/kontor_portal';
  return { databaseUrl: at.href, key: Buffer.from(key, 'base64') };
}

try {
  const command = readCommand(process.argv.slice(2));
  const lines = await withStaff(access(), (lent) => carryOut(command, lent)).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ECONNREFUSED' ? new Fault('The database does not answer: npm start must be running.') : error;
  });
  console.log(lines.join('\n'));
} catch (error) {
  console.error(explain(error));
  process.exitCode = 1;
}
