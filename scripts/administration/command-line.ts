/** The command line of `npm run gateway`: arguments and settings in, one command run, its exit code out. */
import { userInfo } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { oneOf, readSettings, text, url } from '@kontor/kernel/config';
import { ENVIRONMENTS } from '../gateway/gateway.js';
import { Fault } from '../platform/fault.js';
import { publicUrls } from '../platform/processes.js';
import { dotEnv, platformSettings } from '../platform/settings.js';
import { diff, drift, dump, list, rollback, sync, validate, type Administration } from './commands.js';
import { connectKong, findDeck } from './kong.js';
import { Releases } from './releases.js';
import { findInstallation, gatewayState } from './state.js';
import { openTrail } from './trail.js';

const USAGE = `npm run gateway -- <command> [--environment ${ENVIRONMENTS.join('|')}]
  validate                                     refuses a wrong state, naming file and line
  diff                                         what a sync would change
  sync [--accept-deletions "<name>, <name>"]   applies the files as a release, and records it in the audit trail
  drift                                        exit code 2 when Kong is not as the last release says
  rollback [<release>]                         applies the release before the current one, or the named one; --list shows them
  dump --output <file>                         all that Kong has of ours, secrets too`;

/** Which options and how many words a command takes beside --environment. */
const COMMANDS: Record<string, { options: string[]; words: number }> = {
  validate: { options: [], words: 0 }, diff: { options: [], words: 0 }, sync: { options: ['accept-deletions'], words: 0 },
  drift: { options: [], words: 0 }, rollback: { options: ['list'], words: 1 }, dump: { options: ['output'], words: 0 },
};

const SPEC = {
  GATEWAY_ADMIN_URL: url({ optional: true, explain: 'Admin API of the gateway; that of `npm start` when absent' }),
  GATEWAY_ENVIRONMENT: oneOf(['sandbox', 'production'], { optional: true, explain: 'which environment the gateway is' }),
  GATEWAY_STATE_DIR: text({ optional: true, explain: 'directory of the gateway\'s state; `deck` in the checkout when absent' }),
  GATEWAY_RELEASES_DIR: text({ optional: true, explain: 'directory where releases are kept; `releases` in KONTOR_HOME when absent' }),
  GATEWAY_ACTOR: text({ optional: true, explain: 'who is at work, for the audit trail; the user of the operating system (behind sudo, who called it) when absent' }),
  AMQP_URL: url({ optional: true, explain: 'RabbitMQ the audit service listens to' }),
};

interface Arguments { command: string; word?: string; environment?: string; accepted: string[]; output?: string; list: boolean }

function readArguments(args: string[]): Arguments {
  const parsed = attempt(() => parseArgs({
    args, allowPositionals: true,
    options: { 'environment': { type: 'string' }, 'accept-deletions': { type: 'string' }, 'output': { type: 'string' }, 'list': { type: 'boolean' } },
  }));
  const [command = '', ...words] = parsed.positionals;
  const known = COMMANDS[command];
  if (!known) throw new Fault(`${command ? `There is no command ${command}` : 'A command is missing'}. Usage:\n${USAGE}`);
  const foreign = Object.keys(parsed.values).find((name) => name !== 'environment' && !known.options.includes(name));
  if (foreign) throw new Fault(`${command} takes no --${foreign}.`);
  if (words.length > known.words) throw new Fault(`${command} takes no ${words.at(-1)}.`);
  return {
    command, word: words[0], environment: parsed.values.environment, output: parsed.values.output, list: parsed.values.list ?? false,
    accepted: (parsed.values['accept-deletions'] ?? '').split(',').map((name) => name.trim()).filter(Boolean),
  };
}

function attempt<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new Fault((error as Error).message.split('. ')[0]!);
  }
}

function administration(root: string, { environment: asked }: Arguments, given: NodeJS.ProcessEnv, print: (line: string) => void): Administration {
  const env = { ...dotEnv(root), ...given };
  const settings = readSettings(SPEC, env);
  const platform = platformSettings(root, env);
  const installation = findInstallation(root, env);
  const name = asked ?? settings.GATEWAY_ENVIRONMENT ?? installation?.environment ?? 'sandbox';
  const environment = ENVIRONMENTS.find((one) => one === name);
  if (!environment) throw new Fault(`There is no environment ${name}: it is ${ENVIRONMENTS.join(' or ')}.`);
  // Secrets of one environment must never stand in for those of another.
  const own = installation?.environment === environment ? installation : null;
  const folder = resolve(root, settings.GATEWAY_STATE_DIR ?? 'deck');
  const releasesFolder = resolve(root, settings.GATEWAY_RELEASES_DIR ?? `${platform.home}/releases`);
  const amqpUrl = settings.AMQP_URL ?? own?.amqpUrl;
  return {
    folder, releasesFolder,
    releases: new Releases(releasesFolder, environment),
    actor: settings.GATEWAY_ACTOR ?? env.SUDO_USER ?? userOfSystem(),
    stateIn: (place) => gatewayState(place, environment, env, own?.values ?? {}),
    kong: async () => connectKong(settings.GATEWAY_ADMIN_URL ?? publicUrls(platform).admin, { deck: await findDeck() }),
    async trail() {
      if (!amqpUrl) throw new Fault('AMQP_URL is not set, and a change must be recorded in the audit trail: nothing was changed.');
      return openTrail(amqpUrl, releasesFolder);
    },
    print,
  };
}

function userOfSystem(): string {
  try {
    return userInfo().username;
  } catch {
    throw new Fault('The operating system has no name for this user: set GATEWAY_ACTOR, for the audit trail says who changed what.');
  }
}

/**
 * Runs one command.
 * @param env the environment; what the file `.env` says counts where it is silent
 * @returns the exit code
 */
export async function run(args: string[], env: NodeJS.ProcessEnv, print: (line: string) => void): Promise<number> {
  const given = readArguments(args);
  const made = administration(fileURLToPath(new URL('../..', import.meta.url)), given, env, print);
  switch (given.command) {
    case 'validate': return validate(made);
    case 'diff': return diff(made);
    case 'sync': return sync(made, given.accepted);
    case 'drift': return drift(made);
    case 'dump': return dump(made, given.output);
    default: return given.list ? list(made) : rollback(made, given.word);
  }
}
