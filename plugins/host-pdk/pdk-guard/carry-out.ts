/**
 * Carries out what the plugins out of process have decided: once a request, right after the last of them and in its name, so that
 * neither a missing guard nor a state that is only half there lets a request through; pdk-guard does it where that one did not run.
 */
import type { BianMappingConfig } from '../../bian-mapping/core.js';
import { enforce } from '../../host-lua/request.js';
import type { RequestState } from '../../host-lua/request.js';
import type { Decision } from '../../plugin.js';
import { DOSSIER } from '../dossier.js';
import type { Dossier } from '../dossier.js';
import { undecided, verdict } from '../verdict.js';

const json = require('cjson.safe') as { decode(this: void, text: string): LuaMultiReturn<[value: unknown, fault: string | undefined]> };

/** What is left to do on the answer: bian-mapping's part, where it runs on the route. */
export interface Carried { answering?: BianMappingConfig }

/** @param required plugins that must have decided, in their order. After a refusal nothing runs any more. */
export function carryOut(required: string[]): void {
  if (kong.ctx.shared.kontor_carried === undefined) enforce('The plugin host', reach, required);
}

function reach(this: void, required: string[], state: RequestState): Decision {
  const text = kong.ctx.shared[DOSSIER];
  const nonce = kong.ctx.shared.kontor_nonce;
  if (typeof nonce !== 'string' || typeof text !== 'string') return undecided();
  const [value] = json.decode(text);
  const dossier = value as Dossier | undefined;
  // In the middle of a sync the watch may be the global one, which names fewer than run on the route: whoever was asked must have allowed.
  const asked = kong.ctx.shared.kontor_asked as string[] | undefined ?? [];
  const reached = verdict(dossier, nonce, [...asked, ...required.filter((name) => !asked.includes(name))]);
  if (reached.kind !== 'allow') return reached;
  state.echo = reached.setResponseHeaders;
  const carried: Carried = {};
  if (dossier !== undefined) carried.answering = dossier.answering;
  kong.ctx.shared.kontor_carried = carried;
  return reached;
}
