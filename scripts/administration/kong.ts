/** The gateway as decK sees it; without decK, as the project's own client does. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { dumpState, planState, syncState, untaggedEntities, type StateChange } from '../gateway/deck-sync.js';
import { writePdkState } from '../gateway/kong-pdk.js';
import { findProgram } from '../infra/packages.js';
import { AdminApi } from '../platform/admin-api.js';
import { Fault } from '../platform/fault.js';
import type { GatewayState } from './state.js';

/** Something Kong itself would not take. `name` as in a change: `acl for route getPayment`. */
export interface Refusal { kind: StateChange['kind']; name: string; what: string }

/** What can be done to a Kong with a state. */
export interface Kong {
  /** Names of the plugins it has loaded. */
  plugins: ReadonlySet<string>;
  /** Whether the portal has made this consumer there. */
  knows(consumer: string): Promise<boolean>;
  /** What a sync would change. */
  plan(state: GatewayState): Promise<StateChange[]>;
  /** Has Kong itself check what would change. @throws Fault in decK's words for what no entity can be named for */
  check(state: GatewayState): Promise<Refusal[]>;
  /** @param began told the id of a process that does the work and might outlive ours */
  apply(state: GatewayState, began?: (pid: number) => void): Promise<void>;
  /** Services, routes and plugins without our tag, which no sync sees: name and path at the Admin API. */
  untagged(): Promise<{ name: string; path: string }[]>;
  /** All entities with our tag as YAML, secrets in the clear. */
  dump(): Promise<string>;
}

export const TAG = 'kontor';
/** The state is written for, and tested on, this line of Kong. */
const VERSION = /^3\.9\./;

/** There is no Kong at that address at all; a Kong that does not fit is another fault. */
export class NoKong extends Fault {}

/**
 * The Kong behind an Admin API.
 * @param options.deck path of decK, or null to use the project's own client
 * @throws NoKong when nothing answers there, or it is the embedded gateway, which is configured by its files alone
 * @throws Fault for another version of Kong
 */
export async function connectKong(adminUrl: string, options: { deck: string | null }): Promise<Kong> {
  const admin = new AdminApi(adminUrl);
  const root = await admin.find<{ version?: string; plugins?: { available_on_server?: object } }>('/').catch((error: unknown) => {
    if (error instanceof Fault) throw error;
    throw new NoKong(`No Admin API answers at ${adminUrl}: start the gateway, or set GATEWAY_ADMIN_URL.`);
  });
  if (typeof root?.version !== 'string') throw new NoKong(`The gateway at ${adminUrl} is not Kong: the embedded gateway reads deck/ when it starts, so start it again instead.`);
  if (!VERSION.test(root.version)) throw new Fault(`The gateway at ${adminUrl} is Kong ${root.version}, and the state is for Kong 3.9: nothing was changed.`);
  const plugins = new Set(Object.keys(root.plugins?.available_on_server ?? {}));
  const client = options.deck === null ? ownClient(admin) : deckClient(options.deck, adminUrl, ownClient(admin));
  return {
    ...plugins.has('pdk-guard') ? withGuards(client) : client,
    plugins,
    // decK looks consumers up among those with the portal's tag, so nobody else is known to a state.
    knows: async (consumer) => (await admin.find<{ tags?: string[] | null }>(`/consumers/${encodeURIComponent(consumer)}`))?.tags?.includes('portal') === true,
    untagged: () => untaggedEntities(admin, TAG),
    // `deck gateway dump --select-tag` ends with "entity not found" when a plugin of ours is of a consumer with another tag.
    dump: async () => stringify(await dumpState({ admin, tags: [TAG] }), { lineWidth: 0 }),
  };
}

/** decK when it is on the PATH. */
export function findDeck(): Promise<string | null> {
  return findProgram('deck');
}

type Client = Pick<Kong, 'plan' | 'check' | 'apply'>;

/** Where our plugins run out of process (plugins/host-pdk) Kong's state has guards, which the files do not name: they are put in. */
function withGuards(client: Client): Client {
  const guarded = async <T>(state: GatewayState, work: (state: GatewayState) => Promise<T>): Promise<T> => {
    const folder = await mkdtemp(join(tmpdir(), 'kontor-state-'));
    try {
      return await work({ ...state, files: await writePdkState(state.files, folder) });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };
  return {
    plan: (state) => guarded(state, client.plan),
    check: (state) => guarded(state, client.check),
    apply: (state, began) => guarded(state, (files) => client.apply(files, began)),
  };
}

function ownClient(admin: AdminApi): Client {
  const options = ({ files, values }: GatewayState): Parameters<typeof syncState>[0] => ({ admin, files, values });
  return {
    plan: (state) => planState(options(state)),
    async check(state) {
      const refusals: Refusal[] = [];
      for (const { action, kind, name, after } of await planState(options(state))) {
        if (action === 'delete') continue;
        // Parents that do not exist yet have ids all the same, and Kong's schemas do not look them up.
        await admin.create(`/schemas/${kind}s/validate`, after!).catch((error: unknown) => {
          if (!(error instanceof Fault)) throw error;
          refusals.push({ kind, name, what: message(error) });
        });
      }
      return refusals;
    },
    apply: async (state) => void await syncState(options(state)),
  };
}

/** `config.http_endpoint: missing host in url`, without Kong's words around it. */
function message(error: Error): string {
  const told = /"message":"((?:[^"\\]|\\.)*)"/.exec(error.message)?.[1] ?? error.message;
  return /^\d* ?schema violations? \((.*)\)$/.exec(told)?.[1] ?? told;
}

interface DeckChange { kind: string; name: string; body: { old: Record<string, unknown> | null; new: Record<string, unknown> | null } }
interface DeckReport { changes?: { creating?: DeckChange[]; updating?: DeckChange[]; deleting?: DeckChange[] }; errors?: string[] }

/** @param own tells of an entity Kong refuses which one it is, which decK does not */
function deckClient(deck: string, adminUrl: string, own: Client): Client {
  const run = async (args: string[], values: Record<string, string>, began?: (pid: number) => void): Promise<string> => {
    const { code, out, err } = await runDeck(deck, [...args, '--kong-addr', adminUrl], { PATH: process.env.PATH, HOME: process.env.HOME, DECK_ANALYTICS: 'off', ...values }, began);
    if (code !== 0) throw new Fault(`decK refused (deck ${args.slice(0, 2).join(' ')}): ${withoutSecrets(oneLine(reportedErrors(out) ?? err), values)}`);
    return out;
  };
  return {
    async plan({ files, values }) {
      // Its mask hides the value of every variable wherever it occurs, ports too, and no PEM; changes.ts hides by the name of a field.
      const { changes } = reportOf(await run(['gateway', 'diff', ...files, '--json-output', '--no-mask-deck-env-vars-value'], values));
      const changed = (action: StateChange['action'], list: DeckChange[] = []): StateChange[] => list.map(({ kind, name, body }) => {
        // What decK deletes it reports as `new`.
        const [before, after] = action === 'delete' ? [body.old ?? body.new, null] : [body.old, body.new];
        return { action, kind: kind as StateChange['kind'], name, ...(before ? { before } : {}), ...(after ? { after } : {}) };
      });
      return [...changed('create', changes?.creating), ...changed('update', changes?.updating), ...changed('delete', changes?.deleting)];
    },
    async check(state) {
      const refusals = await own.check(state);
      if (refusals.length === 0) await run(['gateway', 'validate', ...state.files], state.values);
      return refusals;
    },
    apply: async ({ files, values }, began) => void await run(['gateway', 'sync', ...files, '--silence-events'], values, began),
  };
}

function runDeck(deck: string, args: string[], env: NodeJS.ProcessEnv, began?: (pid: number) => void): Promise<{ code: number | null; out: string; err: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(deck, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    if (child.pid !== undefined) began?.(child.pid);
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk: Buffer) => { out += chunk; });
    child.stderr.on('data', (chunk: Buffer) => { err += chunk; });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, out, err }));
  });
}

function reportOf(out: string): DeckReport {
  try {
    return JSON.parse(out) as DeckReport;
  } catch {
    throw new Fault('The `deck` on the PATH does not tell its changes as JSON: use decK 1.64 or newer, or take it off the PATH.');
  }
}

function reportedErrors(out: string): string | undefined {
  try {
    return reportOf(out).errors?.join('; ') || undefined;
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
