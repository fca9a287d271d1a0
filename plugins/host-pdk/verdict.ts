/** What the decisions in a dossier come to. Runs in LuaJIT (pdk-guard) and in Node (tests). */
import { allow, failClosed } from '../plugin.js';
import type { Allow, Decision } from '../plugin.js';
import type { Dossier } from './dossier.js';

/**
 * All required plugins have allowed: their changes as one. Otherwise the first refusal, in the plugins' order; a plugin
 * without a decision, or with something that is none, is a refusal.
 * @param dossier as decoded; undefined when there is none. Nothing in it is believed before it is looked at.
 * @param request what pdk-watch named this request.
 * @param required plugins of this route that run out of process, in their order.
 */
export function verdict(dossier: Dossier | undefined, request: string, required: string[]): Decision {
  if (typeof dossier !== 'object' || dossier.request !== request || typeof dossier.decisions !== 'object') return undecided();
  const merged = allow();
  for (const name of required) {
    const decision = dossier.decisions[name];
    if (decision === undefined || !isWhole(decision)) return undecided();
    if (decision.log !== undefined) merged.log = { ...merged.log, ...decision.log };
    if (decision.kind === 'refuse') {
      const refusal = { ...decision };
      refusal.log = merged.log;
      // What earlier plugins tell the client is told on a refusal too, as with the Lua host.
      refusal.headers = { ...merged.setResponseHeaders, ...decision.headers };
      return refusal;
    }
    add(merged, decision);
  }
  return merged;
}

/** The refusal where a plugin server gave no decision. */
export function undecided(): Decision {
  return failClosed('A gateway plugin');
}

function isWhole(decision: Decision): boolean {
  if (typeof decision !== 'object' || (decision.log !== undefined && typeof decision.log !== 'object')) return false;
  if (decision.kind === 'refuse') {
    return typeof decision.status === 'number' && decision.status >= 400 && decision.status < 600 && typeof decision.code === 'string'
      && typeof decision.title === 'string' && typeof decision.detail === 'string' && typeof decision.headers === 'object';
  }
  return decision.kind === 'allow' && typeof decision.setRequestHeaders === 'object'
    && typeof decision.clearRequestHeaders === 'object' && typeof decision.setResponseHeaders === 'object';
}

/** Lays a later plugin's changes over the earlier ones': what it clears is gone, what it sets stays. */
function add(merged: Allow, later: Allow): void {
  const set: Record<string, string> = {};
  for (const name of Object.keys(merged.setRequestHeaders)) {
    if (!later.clearRequestHeaders.includes(name)) set[name] = merged.setRequestHeaders[name] as string;
  }
  merged.setRequestHeaders = { ...set, ...later.setRequestHeaders };
  merged.clearRequestHeaders = [...merged.clearRequestHeaders, ...later.clearRequestHeaders];
  merged.setResponseHeaders = { ...merged.setResponseHeaders, ...later.setResponseHeaders };
  if (later.upstream !== undefined) merged.upstream = later.upstream;
}
