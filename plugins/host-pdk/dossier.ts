/**
 * What travels between Kong and the plugin servers: one JSON text in Kong's per-request context (`kong.ctx.shared`), which
 * no client can write. `pdk-watch` opens it, each plugin server adds its decision, `pdk-guard` carries the decisions out.
 * This file and `verdict.ts` also run in LuaJIT: they keep to the cores' part of TypeScript.
 */
import type { BianMappingConfig } from '../bian-mapping/core.js';
import type { ConsentRecord, Decision, RequestFacts } from '../plugin.js';

/** Name of the dossier in `kong.ctx.shared`. */
export const DOSSIER = 'kontor_dossier';

export interface Dossier {
  /** Random, of this request: a decision that comes back under another one was made for somebody else. */
  request: string;
  facts: RequestFacts;
  /** The record consent-check decided on, for gateway-identity. */
  consent?: ConsentRecord;
  /** By plugin. A plugin that is not in here has not decided. */
  decisions: Record<string, Decision>;
  /** bian-mapping's configuration, where the answer needs it too. */
  answering?: BianMappingConfig;
}

/** Headers whose values no core reads: their names go to the plugin servers, their secrets do not. */
export const SECRET_HEADERS = ['authorization', 'cookie', 'apikey', 'proxy-authorization', 'x-gateway-token'];

/**
 * Bounds in milliseconds, each inside the next, so that the innermost one that can answer does, and the client has a 503
 * within a second whatever hangs: look-up, decision, event in the plugin server, one read of Kong's from its socket, request.
 */
export const LIMITS = { lookup: 400, decision: 430, event: 460, socket: 500, request: 600 };
