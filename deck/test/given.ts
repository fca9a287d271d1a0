/** A copy of the decK state a test may change, and values for every variable it names. */
import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../../scripts/administration/command-line.js';
import { explain } from '../../scripts/platform/fault.js';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const FOLDER = join(ROOT, 'deck');
const AUDIENCES = ['ACCOUNT', 'AUDIT', 'CONSENT', 'CUSTOMER', 'KYC', 'PAYMENT', 'PAYMENT_RAIL', 'WEBHOOKS'];

/** What no file of the state holds. */
export function secretValues(): Record<string, string> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    DECK_GATEWAY_TOKEN_PRIVATE_KEY: Buffer.from(privateKey.export({ type: 'pkcs8', format: 'pem' })).toString('base64'),
    DECK_OAUTH2_PROVISION_KEY: 'provision-key-of-the-test', DECK_CONSENT_DECISION_KEY: 'decision-key-of-the-test', DECK_AUDIT_INGEST_KEY: 'audit-key-of-the-test',
    DECK_REDIS_HOST: '127.0.0.1', DECK_REDIS_PORT: '6379', DECK_REDIS_PASSWORD: 'redis-password-of-the-test', DECK_PORTAL_ORIGIN: 'http://localhost:8080',
    ...Object.fromEntries(AUDIENCES.map((audience) => [`DECK_${audience}_URL`, 'http://127.0.0.1:9'])),
  };
}

export interface StateCopy {
  folder: string;
  /** Replaces text that must be there. @returns the line it began on */
  edit(file: string, from: string | RegExp, to: string): number;
  /** Back to what the checkout says. */
  restore(): void;
  remove(): void;
}

export function stateCopy(): StateCopy {
  const folder = mkdtempSync(join(tmpdir(), 'kontor-state-'));
  const restore = (): void => cpSync(FOLDER, folder, { recursive: true, filter: (path) => !/\/(test|node_modules)$/.test(path) });
  restore();
  return {
    folder, restore,
    edit(file, from, to) {
      const path = join(folder, file);
      const text = readFileSync(path, 'utf8');
      const at = text.search(typeof from === 'string' ? from.replace(/[.*+?^${}()|[\]\\]/g, '\\$&') : from);
      if (at < 0) throw new Error(`${file} has no ${String(from)}`);
      writeFileSync(path, text.replace(from, () => to));
      return text.slice(0, at).split('\n').length;
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

export interface Ran { code: number; out: string; err: string }

/** What the process has of settings of ours does not count. */
function withoutOurs(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(DECK_|GATEWAY_|KONTOR_|AMQP_|REDIS_|SANDBOX)/.test(name)));
}

/** Runs a command as `npm run gateway -- …` does, in this process. */
export async function gateway(args: string[], env: Record<string, string>): Promise<Ran> {
  const lines: string[] = [];
  const out = (): string => lines.map((line) => `${line}\n`).join('');
  try {
    const code = await run(args, { ...withoutOurs(), ...env }, (line) => void lines.push(line));
    return { code, out: out(), err: '' };
  } catch (error) {
    return { code: 1, out: out(), err: `${explain(error)}\n` };
  }
}

/** Runs it as a process of its own. */
export function gatewayProcess(args: string[], env: Record<string, string>): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['--import', 'tsx', 'scripts/administration/main.ts', ...args], { cwd: ROOT, env: { ...withoutOurs(), ...env } }, (error, out, err) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, out, err });
    });
  });
}
