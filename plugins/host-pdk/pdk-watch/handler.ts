/** pdk-watch: hands the facts to the plugin servers, and bounds the time Kong waits for them. */
import { enforce, jsonArray, readFacts } from '../../host-lua/request.js';
import type { RequestState } from '../../host-lua/request.js';
import { allow } from '../../plugin.js';
import type { Decision, RequestFacts } from '../../plugin.js';
import { carryOut } from '../pdk-guard/carry-out.js';
import { DOSSIER, LIMITS, SECRET_HEADERS } from '../dossier.js';
import { guardPriorities } from '../priorities.js';
import { undecided } from '../verdict.js';
import { newNonce } from './nonce.js';

/** A plugin as Kong keeps it whose phase is a call to its server. */
interface RemotePlugin { access(config: unknown): void }

const json = require('cjson.safe') as { encode(this: void, value: unknown): string };
const servers = require('kong.runloop.plugin_servers') as { load_plugin(this: void, name: string): LuaMultiReturn<[ok: boolean, plugin: RemotePlugin]> };
const instances = require('kong.runloop.plugin_servers.plugin') as { reset_instances_for_plugin(this: void, name: string | undefined): void };

/** A process that runs beside nginx (lua-resty-core, `ngx.pipe`). */
interface PluginProcess { set_timeouts(write: number | undefined, stdout: number): void }

const OUTPUT_WAIT_MS = 500;

/** Plugins whose phase is bounded in this worker. */
const bounded: Record<string, boolean> = {};

export const handler = {
  PRIORITY: guardPriorities['pdk-watch'],
  VERSION: '1.0.0',

  init_worker(): void {
    for (const server of kong.configuration.pluginservers) {
      hideProcess(server);
      const [ok, plugin] = servers.load_plugin(server.name);
      if (ok && !bounded[server.name]) bound(server.name, plugin);
    }
  },

  access(config: { plugins: string[] }): void {
    enforce('The plugin host', watch, config);
  },
};

function watch(this: void, config: { plugins: string[] }, state: RequestState): Decision {
  for (const name of config.plugins) if (!bounded[name]) throw `the time of ${name} is not bounded`;
  const nonce = newNonce();
  kong.ctx.shared.kontor_nonce = nonce;
  kong.ctx.shared.kontor_required = config.plugins;
  kong.ctx.shared[DOSSIER] = json.encode({ request: nonce, facts: outward(readFacts(state)), decisions: {} });
  ngx.update_time();
  kong.ctx.shared.kontor_until = ngx.now() + LIMITS.request / 1000;
  return allow();
}

/**
 * Kong 3.9 keeps the handle of a process it started in its configuration, which the Admin API then cannot encode: `GET /`
 * answers 500, and decK, which asks it for the version, stops. The handle goes where Kong finds it and the encoder does not.
 * Kong also waits for the process's output 10 s at a time, and looks only then whether it is to stop.
 */
function hideProcess(server: object): void {
  const hidden: Record<string, unknown> = {};
  setmetatable(server, { __index: hidden, __newindex: function (this: void, _server: object, name: string, value: unknown): void {
    if (name === 'proc') (value as PluginProcess).set_timeouts(undefined, OUTPUT_WAIT_MS);
    hidden[name] = value;
  } });
}

/**
 * Makes the plugin's phase end in time whatever its server does: it runs beside a clock, in a light thread that can be
 * killed in the middle of a read. Ending the request from such a thread (ngx.exit) crashed the worker.
 */
function bound(name: string, plugin: RemotePlugin): void {
  const original = plugin.access;
  plugin.access = function (this: RemotePlugin, config: unknown): void {
    const until = kong.ctx.shared.kontor_until as number | undefined;
    if (until === undefined) {
      // A state without the guards, such as one synced past them: there is nobody to see that a decision is missing.
      enforce('The plugin host', unguarded, undefined);
      return;
    }
    askInTime(name, () => { original.call(this, config); }, until);
    const required = kong.ctx.shared.kontor_required as string[];
    kong.ctx.shared.kontor_asked = [...(kong.ctx.shared.kontor_asked as string[] | undefined ?? []), name];
    if (required[required.length - 1] === name) carryOut(required);
  };
  bounded[name] = true;
}

function unguarded(this: void): Decision {
  return undecided();
}

/** The dossier tells whether it decided. */
function askInTime(name: string, ask: (this: void) => void, until: number): void {
  ngx.update_time();
  const leftSeconds = until - ngx.now();
  if (leftSeconds <= 0) return;
  const asking = ngx.thread.spawn(() => {
    ask();
    return 'over';
  });
  const clock = ngx.thread.spawn(() => {
    ngx.sleep(leftSeconds);
    return 'late';
  });
  const [ok, ended] = ngx.thread.wait(asking, clock);
  ngx.thread.kill(asking);
  ngx.thread.kill(clock);
  if (ok && ended === 'over') return;
  kong.log.err(name, ' did not decide: ', ok ? `nothing in ${LIMITS.request} ms` : ended);
  // A start of an instance that was cut off leaves its claim behind, and Kong lets all others wait for it. A claim
  // carries no plugin name yet, hence the reset without one.
  instances.reset_instances_for_plugin(undefined);
  instances.reset_instances_for_plugin(name);
}

/** The facts without secrets, and with its empty lists as lists. */
function outward(facts: RequestFacts): RequestFacts {
  const headers: Record<string, string> = {};
  for (const name of Object.keys(facts.headers)) headers[name] = SECRET_HEADERS.includes(name) ? '' : facts.headers[name] as string;
  const sent: RequestFacts = { ...facts };
  sent.headers = headers;
  jsonArray(sent.scopes);
  jsonArray(sent.roles);
  return sent;
}
