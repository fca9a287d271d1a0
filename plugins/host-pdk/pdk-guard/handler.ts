/** pdk-guard: lets a request go on only with a decision of every plugin that runs out of process, and carries them out. */
import { answer } from '../../bian-mapping/core.js';
import { handler as identity } from '../../gateway-identity/handler.js';
import { enforce, readFacts, requestState, singleHeaders } from '../../host-lua/request.js';
import type { RequestState } from '../../host-lua/request.js';
import type { Decision } from '../../plugin.js';
import { DOSSIER } from '../dossier.js';
import type { Dossier } from '../dossier.js';
import { guardPriorities } from '../priorities.js';
import { undecided, verdict } from '../verdict.js';

const json = require('cjson.safe') as { decode(this: void, text: string): LuaMultiReturn<[value: unknown, fault: string | undefined]> };

export const handler = {
  PRIORITY: guardPriorities['pdk-guard'],
  VERSION: '1.0.0',

  access(config: { requires: string[] }): void {
    enforce('The plugin host', guard, config);
  },

  /** bian-mapping's part on the answer: out of process it would buffer every body (kong-pdk has no header_filter). */
  header_filter(): void {
    const { echo } = requestState();
    if (echo === undefined) return;
    for (const name of Object.keys(echo)) kong.response.set_header(name, echo[name] as string);
    const config = kong.ctx.plugin.answering as Dossier['answering'];
    if (config === undefined) return;
    const [headers] = kong.response.get_headers(1000);
    const change = answer(readFacts(), config, {
      status: kong.response.get_status(), source: kong.response.get_source(), headers: singleHeaders(headers), fields: {},
    });
    for (const name of Object.keys(change.setHeaders)) kong.response.set_header(name, change.setHeaders[name] as string);
    if (change.status !== undefined) kong.response.set_status(change.status);
  },

  /** Headers carry tokens, queries carry codes: out of the access record, as with the Lua host. */
  log(): void {
    identity.log();
  },
};

function guard(this: void, config: { requires: string[] }, state: RequestState): Decision {
  const text = kong.ctx.shared[DOSSIER];
  const nonce = kong.ctx.shared.kontor_nonce;
  if (typeof nonce !== 'string' || typeof text !== 'string') return undecided();
  const [value] = json.decode(text);
  const dossier = value as Dossier | undefined;
  const reached = verdict(dossier, nonce, config.requires);
  if (reached.kind !== 'allow') return reached;
  if (dossier !== undefined) kong.ctx.plugin.answering = dossier.answering;
  state.echo = reached.setResponseHeaders;
  return reached;
}
