import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { isMap, isSeq, parseDocument } from 'yaml';
import { environmentOf, environmentValues, installationValues, stateFiles, type Environment } from '../gateway/gateway.js';
import { Fault } from '../platform/fault.js';
import { Secrets } from '../platform/secrets.js';
import { platformSettings, type PlatformSettings } from '../platform/settings.js';
import { filled } from './places.js';

/** The state of one environment: its files, and the values they take. */
export interface GatewayState {
  folder: string;
  environment: Environment;
  files: string[];
  /** Every `DECK_…` value known, whether the files name it or not. */
  values: Record<string, string>;
}

/**
 * Reads where the state is and what its variables stand for. The environment wins; then comes the installation of `npm start`
 * when it is of the same environment; then `environments/<name>.env`, the only one of them that a release holds.
 */
export function gatewayState(folder: string, environment: Environment, given: NodeJS.ProcessEnv, installation: Record<string, string>): GatewayState {
  const files = stateFiles(folder, environment);
  for (const file of files) if (!existsSync(file)) throw new Fault(`The state has no file ${file}: ${file.endsWith('kong.yaml') ? 'run npm run generate' : 'restore it (git status shows what is missing)'}.`);
  const own = Object.fromEntries(Object.entries(given).filter(([name, value]) => name.startsWith('DECK_') && value !== undefined)) as Record<string, string>;
  return { folder, environment, files, values: { ...environmentValues(folder, environment), ...installation, ...own } };
}

/**
 * The same state without what it gives to some consumers, for the time of some work.
 * @param gone consumers the gateway knows no more
 */
export async function without<T>(state: GatewayState, gone: string[], work: (state: GatewayState) => Promise<T>): Promise<T> {
  if (gone.length === 0) return work(state);
  const folder = mkdtempSync(join(tmpdir(), 'kontor-state-'));
  try {
    const files = state.files.map((path) => {
      const document = parseDocument(filled(readFileSync(path, 'utf8'), state.values));
      const plugins = document.get('plugins');
      const before = isSeq(plugins) ? plugins.items.length : 0;
      if (isSeq(plugins)) plugins.items = plugins.items.filter((entry) => !(isMap(entry) && gone.includes(String(entry.get('consumer')))));
      if (!isSeq(plugins) || plugins.items.length === before) return path;
      const copy = join(folder, basename(path));
      writeFileSync(copy, document.toString({ lineWidth: 0 }), { mode: 0o600 });
      return copy;
    });
    return await work({ ...state, files });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What is known of the platform that `npm start` runs from this checkout: values of the state, and its broker. */
export interface Installation { environment: Environment; values: Record<string, string>; amqpUrl?: string }

/** The installation in KONTOR_HOME, or null where nothing was ever started. */
export function findInstallation(root: string, env: NodeJS.ProcessEnv): Installation | null {
  const settings = platformSettings(root, env);
  if (!existsSync(join(settings.home, 'secrets.json'))) return null;
  const secrets = new Secrets(settings.home);
  const ports = storePorts(settings);
  const redisUrl = settings.REDIS_URL ?? (ports.redis ? `redis://:${secrets.get('redisPassword')}@127.0.0.1:${ports.redis}` : undefined);
  if (!redisUrl) return null;
  const amqpUrl = settings.AMQP_URL ?? (ports.rabbitmq ? `amqp://kontor:${secrets.get('rabbitPassword')}@127.0.0.1:${ports.rabbitmq}` : undefined);
  return { environment: environmentOf(settings), values: installationValues({ settings, secrets, stores: { redisUrl } }), ...(amqpUrl ? { amqpUrl } : {}) };
}

/** The ports of the stores that `npm start` started. */
function storePorts({ home }: PlatformSettings): { redis?: number; rabbitmq?: number } {
  const path = join(home, 'data', 'ports.json');
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) as { redis?: number; rabbitmq?: number } : {};
}
