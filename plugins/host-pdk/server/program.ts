/** A plugin server as Kong starts it: `server.cjs --dump` describes the plugin, `server.cjs --socket <path>` runs it. */
import type { Decider } from './deciding-plugin.js';
import { decidingPlugin } from './deciding-plugin.js';
import { DecisionServer, type HostedPlugin } from './decision-server.js';
import { listen } from './listener.js';

const PARENT_LOOK_MS = 1_000;

/** Kong writes what a plugin server prints into its error log. Never facts, never configuration. */
function tell(level: string, text: string): void {
  process.stderr.write(`[${level}] ${text}\n`);
}

const LOGGER = {
  debug: (): void => undefined,
  info: (): void => undefined,
  warn: (text: string) => tell('warn', text),
  error: (text: string) => tell('error', text),
};

/** Runs one plugin in this process. Standard output belongs to the dump. */
export async function runPlugin<Config>(about: Omit<HostedPlugin, 'plugin' | 'version'>, prepare: (config: Config) => Decider): Promise<void> {
  const plugin = decidingPlugin(about.name, prepare, LOGGER.error) as HostedPlugin['plugin'];
  const server = new DecisionServer({ ...about, version: '1.0.0', plugin }, LOGGER);
  const [option, path] = process.argv.slice(2);
  if (option === '--dump') {
    process.stdout.write(`${JSON.stringify([await server.GetPluginInfo()])}\n`);
    return;
  }
  if (option !== '--socket' || path === undefined) {
    process.stderr.write('usage: server.cjs --dump | --socket <path>\n');
    process.exitCode = 2;
    return;
  }
  await listen(server, path);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(0));
  endWithParent();
}

/** A killed Kong worker cannot stop its children: a plugin server without its parent ends by itself. */
function endWithParent(): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) process.exit(0);
  }, PARENT_LOOK_MS).unref();
}
