/**
 * The decK state the gateway is measured with: one operation of the contracts (`getBalances`) behind chains of different length,
 * each at a path of its own, so that all of them stand on one gateway and can be measured in turn.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';

/** A plugin as it stands in a decK file. */
export interface PluginState { name: string; _config?: string; config?: Record<string, unknown> }
interface State { _plugin_configs: Record<string, { redis?: object }>; services: { name: string; url?: string; routes: { name: string; plugins?: PluginState[] }[] }[]; plugins?: PluginState[] }

/** A path and the plugins on it. */
export interface Chain { name: string; plugins: PluginState[] }

const OPERATION = 'getBalances';
/** The permission and scope the operation asks for, for tokens and decision records. */
export const PERMISSION = 'balances:read';
export const SCOPE = 'accounts';

const read = (root: string, name: string): State => parse(readFileSync(join(root, 'deck', name), 'utf8')) as State;

/** Where a chain is reached. */
export function pathOf(chain: string, account: string): string {
  return `/${chain}/v1/accounts/${account}/balances`;
}

/** Chains of growing length, with the plugins and configurations of the house's own state. */
export function houseChains(root: string): { bare: Chain; bundled: Chain; full: Chain; limited: Chain; houseBundled: Chain; house: Chain } {
  const derived = read(root, 'kong.yaml').services.flatMap(({ routes }) => routes).find(({ name }) => name === OPERATION);
  const policies = read(root, 'policies.yaml');
  const own = new Set(['consent-check', 'bian-mapping', 'gateway-identity', 'problem-json']);
  const global = (name: string): PluginState[] => policies.plugins?.filter((plugin) => plugin.name === name) ?? [];
  if (!derived?.plugins) throw new Error(`deck/kong.yaml has no route ${OPERATION}`);
  const bundled = [...derived.plugins.filter(({ name }) => !own.has(name) && name !== 'rate-limiting'), ...global('correlation-id')];
  const full = [...derived.plugins.filter(({ name }) => name !== 'rate-limiting'), ...global('correlation-id'), ...global('problem-json')];
  const limiter = derived.plugins.find(({ name }) => name === 'rate-limiting') ?? global('rate-limiting')[0];
  if (!limiter) throw new Error('deck/ has no rate limit for this route');
  // What a request passes in production: the route's own plugins and the global ones no plugin of the route takes the place of.
  const routed = new Set(derived.plugins.map(({ name }) => name));
  const whole = [...derived.plugins, ...(policies.plugins ?? []).filter(({ name }) => !routed.has(name))].map((plugin) => (plugin.name === 'rate-limiting' ? unreached(plugin) : plugin));
  return {
    bare: { name: 'bare', plugins: [] }, bundled: { name: 'bundled', plugins: bundled }, full: { name: 'full', plugins: full },
    limited: { name: 'limited', plugins: [...full, unreached(limiter)] },
    houseBundled: { name: 'house-bundled', plugins: whole.filter(({ name }) => !own.has(name)) },
    house: { name: 'house', plugins: whole },
  };
}

/** The same limiter with limits a measurement does not reach. */
function unreached(limiter: PluginState): PluginState {
  const periods = ['second', 'minute', 'hour', 'day'];
  const shared = Object.entries(limiter.config ?? {}).filter(([name]) => !periods.includes(name));
  return { ...limiter, config: { ...Object.fromEntries(shared), second: 1_000_000, minute: 60_000_000 } };
}

/**
 * Writes the state: the token endpoint and the chains, each service at `upstream`; over plain HTTP, so that encryption is no
 * part of what is compared.
 * @returns the file
 */
export function writeState(root: string, folder: string, upstream: string, chains: Chain[]): string {
  const policies = read(root, 'policies.yaml');
  const tokens = policies.services.flatMap(({ routes }) => routes).find(({ name }) => name === 'oauth2');
  const configs = policies._plugin_configs;
  // On a machine others use too, a store that is late for once must not end the measurement.
  const patient = { ...configs['consent-check'], redis: { ...configs['consent-check']?.redis, timeoutMs: 500 } };
  const state = {
    _format_version: '3.0', _info: { select_tags: ['kontor'] }, _plugin_configs: { ...configs, 'consent-check': patient },
    services: [{
      name: 'measured', url: upstream,
      routes: [
        { ...tokens, plugins: tokens?.plugins?.filter(({ name }) => name === 'oauth2') },
        ...chains.map(({ name, plugins }) => ({
          name, plugins, protocols: ['http', 'https'], methods: ['GET'], strip_path: false,
          paths: [`~/${name}/v1/accounts/(?<accountId>[A-Za-z0-9._~-]{1,128})/balances$`],
        })),
      ],
    }],
  };
  const file = join(folder, 'measured.yaml');
  // Access records go where everything goes: their reader does not run here.
  writeFileSync(file, stringify(state).replaceAll('${{ env "DECK_AUDIT_URL" }}', upstream));
  return file;
}
