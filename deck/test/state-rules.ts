/** What must hold of the decK state before any Kong sees it. */
import { parse } from 'yaml';

export interface Plugin { name: string; _config?: string; config?: Record<string, unknown> }
export interface Route { name: string; methods?: string[]; paths?: string[]; protocols?: string[]; plugins?: Plugin[] }
export interface StateFile {
  _format_version: string;
  _info?: { select_tags?: string[] };
  _plugin_configs?: Record<string, Record<string, unknown>>;
  plugins?: Plugin[];
  services?: { name: string; url: string; routes?: Route[]; plugins?: Plugin[] }[];
}

/** Bundled with Kong 3.9 and open source; the state may use these and our own. */
export const BUNDLED = [
  'acl', 'basic-auth', 'bot-detection', 'correlation-id', 'cors', 'datadog', 'file-log', 'hmac-auth', 'http-log', 'ip-restriction', 'jwt',
  'key-auth', 'ldap-auth', 'loggly', 'oauth2', 'opentelemetry', 'post-function', 'pre-function', 'prometheus', 'proxy-cache',
  'rate-limiting', 'redirect', 'request-size-limiting', 'request-termination', 'request-transformer', 'response-ratelimiting',
  'response-transformer', 'session', 'standard-webhooks', 'statsd', 'syslog', 'tcp-log', 'udp-log', 'zipkin',
];

/** What guards an operation; a route without one of these would be open. */
const GUARDS = ['acl', 'consent-check', 'bian-mapping', 'gateway-identity'];

/** Reads one file as decK does: values first, then YAML. @param values every variable the text names. */
export function readState(text: string, values: (name: string) => string): StateFile {
  return parse(text.replace(/\$\{\{\s*env "([^"]+)"\s*\}\}/g, (_, name: string) => values(name))) as StateFile;
}

/** Names of the variables a file takes from the environment. */
export function variablesOf(text: string): string[] {
  return [...new Set([...text.matchAll(/\$\{\{\s*env "([^"]+)"\s*\}\}/g)].map((match) => match[1] as string))].sort();
}

/** Every fault of the files together. `ours` are the plugins of this repository with the fields of their configuration. */
export function stateFaults(files: Record<string, StateFile>, ours: Record<string, string[]>): string[] {
  const faults: string[] = [];
  const shared = new Set(Object.values(files).flatMap((file) => Object.keys(file._plugin_configs ?? {})));
  const names = new Map<string, string>();
  for (const [name, file] of Object.entries(files)) {
    if (file._format_version !== '3.0') faults.push(`${name}: _format_version is not 3.0`);
    if (file._info?.select_tags?.join() !== 'kontor') faults.push(`${name}: select_tags is not [kontor]: a sync would delete what the portal made`);
    for (const { where, plugin } of pluginsOf(name, file)) faults.push(...pluginFaults(where, plugin, shared, ours));
    for (const service of file.services ?? []) {
      for (const route of service.routes ?? []) {
        const other = names.get(route.name);
        if (other) faults.push(`${name}: route ${route.name} is also in ${other}`);
        names.set(route.name, name);
        if (name.endsWith('kong.yaml')) faults.push(...guardFaults(`${name}: route ${route.name}`, route));
      }
    }
  }
  return faults;
}

function* pluginsOf(name: string, file: StateFile): Generator<{ where: string; plugin: Plugin }> {
  for (const plugin of file.plugins ?? []) yield { where: name, plugin };
  for (const service of file.services ?? []) {
    for (const plugin of service.plugins ?? []) yield { where: `${name}: service ${service.name}`, plugin };
    for (const route of service.routes ?? []) {
      for (const plugin of route.plugins ?? []) yield { where: `${name}: route ${route.name}`, plugin };
    }
  }
}

function pluginFaults(where: string, plugin: Plugin, shared: Set<string>, ours: Record<string, string[]>): string[] {
  const faults: string[] = [];
  const fields = ours[plugin.name];
  if (!fields && !BUNDLED.includes(plugin.name)) faults.push(`${where}: there is no plugin ${plugin.name}`);
  if (plugin._config !== undefined && !shared.has(plugin._config)) faults.push(`${where}: _config ${plugin._config} of ${plugin.name} is nowhere`);
  if (fields) for (const field of Object.keys(plugin.config ?? {})) if (!fields.includes(field)) faults.push(`${where}: ${plugin.name} has no field ${field}`);
  return faults;
}

function guardFaults(where: string, route: Route): string[] {
  const present = (route.plugins ?? []).map((plugin) => plugin.name);
  const faults = GUARDS.filter((guard) => !present.includes(guard)).map((guard) => `${where} lacks ${guard}`);
  if (present.filter((name) => name === 'oauth2' || name === 'key-auth').length !== 1) faults.push(`${where} needs oauth2 or key-auth, and not both`);
  if (!(route.protocols?.length === 1 && route.protocols[0] === 'https')) faults.push(`${where} takes bearer tokens without TLS (RFC 6750 §5.3)`);
  for (const path of route.paths ?? []) if (!/^~.*\$$/.test(path)) faults.push(`${where}: path ${path} also takes what comes after it`);
  const allowed = route.plugins?.find((plugin) => plugin.name === 'acl')?.config?.allow as string[] | undefined;
  if (!allowed?.length) faults.push(`${where} lets every role in`);
  return faults;
}
