/** pdk-watch: hands the facts to the plugin servers, and ends the request with 503 when they have not decided in time. */
import { correlationId, enforce, jsonArray, readFacts } from '../../host-lua/request.js';
import { allow, problemBody } from '../../plugin.js';
import type { Decision, Refuse, RequestFacts } from '../../plugin.js';
import { DOSSIER, LIMITS, SECRET_HEADERS } from '../dossier.js';
import { guardPriorities } from '../priorities.js';
import { newNonce } from './nonce.js';
import { undecided } from '../verdict.js';

const json = require('cjson.safe') as { encode(this: void, value: unknown): string };
const semaphore = require('ngx.semaphore') as { 'new'(this: void, count: number): LuaMultiReturn<[made: Semaphore | undefined, fault: string | undefined]> };
const servers = require('kong.runloop.plugin_servers.plugin') as { reset_instances_for_plugin(this: void, name: string | undefined): void };

export const handler = {
  PRIORITY: guardPriorities['pdk-watch'],
  VERSION: '1.0.0',

  /**
   * Kong 3.9 keeps the handle of a process it started in its configuration, which the Admin API then cannot encode: `GET /`
   * answers 500, and decK, which asks it for the version, stops. The handle goes where Kong finds it and the encoder does not.
   */
  init_worker(): void {
    for (const server of kong.configuration.pluginservers) {
      const hidden = {};
      setmetatable(server, { __index: hidden, __newindex: hidden });
    }
  },

  access(config: { plugins: string[] }): void {
    enforce('The plugin host', (): Decision => {
      const facts = readFacts();
      const nonce = newNonce();
      kong.ctx.shared.kontor_nonce = nonce;
      kong.ctx.shared[DOSSIER] = json.encode({ request: nonce, facts: outward(facts), decisions: {} });
      const [decided, fault] = semaphore['new'](0);
      if (decided === undefined) throw `making a semaphore: ${fault}`;
      kong.ctx.shared.kontor_decided = decided;
      const id = correlationId();
      ngx.thread.spawn(() => {
        const [posted] = decided.wait(LIMITS.request / 1000);
        if (posted !== true) giveUp(config.plugins, id);
      });
      return allow();
    });
  },

  /** What Kong itself makes of a plugin server's garbage is a 500; it is the 503 of an undecided request. */
  header_filter(): void {
    if (kong.ctx.shared[DOSSIER] === undefined || kong.ctx.shared.kontor_carried_out === true) return;
    if (kong.response.get_status() !== 500 || kong.response.get_source() === 'service') return;
    kong.response.set_status(503);
    kong.response.set_header('retry-after', '1');
  },
};

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

/**
 * Ends the request from beside it: the plugin phase that hangs cannot. `kong.response.exit` would only note the answer for
 * when that phase returns, so this is nginx's own exit.
 */
function giveUp(plugins: string[], id: string): void {
  // A request that dies while it starts a plugin instance leaves its claim behind, and Kong lets all others wait for it.
  // Claims carry no plugin name yet, hence the reset without one.
  servers.reset_instances_for_plugin(undefined);
  for (const name of plugins) servers.reset_instances_for_plugin(name);
  const refusal = undecided() as Refuse;
  kong.log.err('no decision from the plugin servers in ', LIMITS.request, ' ms');
  kong.log.set_serialize_value('kontor.code', refusal.code);
  ngx.status = refusal.status;
  ngx.header['content-type'] = 'application/problem+json';
  ngx.header['cache-control'] = 'no-store';
  ngx.header['retry-after'] = '1';
  ngx.print(json.encode(problemBody(refusal, id)));
  ngx.exit(200);
}
