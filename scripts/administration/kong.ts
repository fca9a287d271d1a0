/** The gateway as decK sees it; without decK, as the project's own client does. */
import { spawn } from 'node:child_process';
import { stringify } from 'yaml';
import { dumpState, planState, syncState, type StateChange } from '../gateway/deck-sync.js';
import { findProgram } from '../infra/packages.js';
import { AdminApi } from '../platform/admin-api.js';
import { Fault } from '../platform/fault.js';
import type { GatewayState } from './state.js';

/** What can be done to a Kong with a state. */
export interface Kong {
  /** What a sync would change. */
  plan(state: GatewayState): Promise<StateChange[]>;
  /** Has Kong itself check every entity. @throws Fault in Kong's words */
  check(state: GatewayState): Promise<void>;
  apply(state: GatewayState): Promise<void>;
  /** All entities with our tag as YAML, secrets in the clear. */
  dump(): Promise<string>;
}

export const TAG = 'kontor';

/**
 * The Kong behind an Admin API.
 * @param options.deck path of decK, or null to use the project's own client
 * @throws Fault when nothing answers there, or it is the embedded gateway, which is configured by its files alone
 */
export async function connectKong(adminUrl: string, options: { deck: string | null }): Promise<Kong> {
  const admin = new AdminApi(adminUrl);
  const root = await admin.find<{ version?: string }>('/').catch((error: unknown) => {
    if (error instanceof Fault) throw error;
    throw new Fault(`No Admin API answers at ${adminUrl}: start the gateway, or set GATEWAY_ADMIN_URL.`);
  });
  if (!root?.version) throw new Fault(`The gateway at ${adminUrl} is not Kong: the embedded gateway reads deck/ when it starts, so start it again instead.`);
  const client = options.deck === null ? ownClient(admin) : deckClient(options.deck, adminUrl);
  // `deck gateway dump --select-tag` ends with "entity not found" when a plugin of ours is of a consumer with another tag.
  return { ...client, dump: async () => stringify(await dumpState({ admin, tags: [TAG] }), { lineWidth: 0 }) };
}

/** decK when it is on the PATH. */
export function findDeck(): Promise<string | null> {
  return findProgram('deck');
}

type Client = Omit<Kong, 'dump'>;

function ownClient(admin: AdminApi): Client {
  const options = ({ files, values }: GatewayState): Parameters<typeof syncState>[0] => ({ admin, files, values });
  return {
    plan: (state) => planState(options(state)),
    async check(state) {
      for (const { action, kind, name, after } of await planState(options(state))) {
        if (action === 'delete') continue;
        // Parents that do not exist yet have ids all the same, and Kong's schemas do not look them up.
        await admin.create(`/schemas/${kind}s/validate`, after!).catch((error: Error) => { throw new Fault(`Kong would refuse ${kind} ${name}: ${message(error)}`); });
      }
    },
    apply: async (state) => void await syncState(options(state)),
  };
}

function message(error: Error): string {
  return /"message":"((?:[^"\\]|\\.)*)"/.exec(error.message)?.[1] ?? error.message;
}

interface DeckChange { kind: string; name: string; body: { old: Record<string, unknown> | null; new: Record<string, unknown> | null } }
interface DeckReport { changes?: { creating?: DeckChange[]; updating?: DeckChange[]; deleting?: DeckChange[] }; errors?: string[] }

function deckClient(deck: string, adminUrl: string): Client {
  const run = async (args: string[], values: Record<string, string>): Promise<string> => {
    const { code, out, err } = await runDeck(deck, [...args, '--kong-addr', adminUrl], { PATH: process.env.PATH, HOME: process.env.HOME, DECK_ANALYTICS: 'off', ...values });
    if (code !== 0) throw new Fault(`decK refused (deck ${args.slice(0, 2).join(' ')}): ${withoutSecrets(oneLine(reportedErrors(out) ?? err), values)}`);
    return out;
  };
  return {
    async plan({ files, values }) {
      // Its mask hides the value of every variable wherever it occurs, ports too, and no PEM; changes.ts hides by the name of a field.
      const { changes } = JSON.parse(await run(['gateway', 'diff', ...files, '--json-output', '--no-mask-deck-env-vars-value'], values)) as DeckReport;
      const changed = (action: StateChange['action'], list: DeckChange[] = []): StateChange[] => list.map(({ kind, name, body }) => {
        // What decK deletes it reports as `new`.
        const [before, after] = action === 'delete' ? [body.old ?? body.new, null] : [body.old, body.new];
        return { action, kind: kind as StateChange['kind'], name, ...(before ? { before } : {}), ...(after ? { after } : {}) };
      });
      return [...changed('create', changes?.creating), ...changed('update', changes?.updating), ...changed('delete', changes?.deleting)];
    },
    check: async ({ files, values }) => void await run(['gateway', 'validate', ...files], values),
    apply: async ({ files, values }) => void await run(['gateway', 'sync', ...files, '--silence-events'], values),
  };
}

function runDeck(deck: string, args: string[], env: NodeJS.ProcessEnv): Promise<{ code: number | null; out: string; err: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(deck, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk: Buffer) => { out += chunk; });
    child.stderr.on('data', (chunk: Buffer) => { err += chunk; });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, out, err }));
  });
}

function reportedErrors(out: string): string | undefined {
  try {
    return (JSON.parse(out) as DeckReport).errors?.join('; ') || undefined;
  } catch {
    return undefined;
  }
}

function oneLine(text: string): string {
  return text.replace(/\x1b\[\d+m/g, '').replace(/^Error:\s*/, '').replace(/\s*\n\s*/g, ' ').trim().slice(0, 1000);
}

/** decK quotes what Kong refuses. */
function withoutSecrets(text: string, values: Record<string, string>): string {
  const secrets = Object.entries(values).filter(([name, value]) => /KEY|PASSWORD/.test(name) && value.length > 3).map(([, value]) => value);
  return secrets.reduce((clean, secret) => clean.replaceAll(secret, '(hidden)'), text);
}
