/** What the embedded gateway asks of a plugin, bundled or ours. */
import type { Logger } from '@kontor/kernel/logger';
import type { Registry } from 'prom-client';
import type { Exchange, GatewayAnswer, Outcome } from './exchange.js';
import type { IdentitySource } from './identities.js';
import type { OAuthStore } from './oauth-store.js';
import type { RedisConnections } from './redis-connections.js';
import type { Fields } from './schema.js';
import type { PluginEntry } from './state.js';

/** An answer's head on its way to the client: the service's, or the gateway's own. Header names in lower case. */
export interface AnswerHead {
  status: number;
  headers: Record<string, string | string[]>;
  source: 'service' | 'exit' | 'error';
}

/** One configured plugin. Phases in Kong's order; a phase that is absent costs nothing. */
export interface Plugin {
  /** An answer ends the request. A throw ends it with 503 and the service is never asked. */
  access?(exchange: Exchange): GatewayAnswer | undefined | Promise<GatewayAnswer | undefined>;
  /** Changes the head of any answer. */
  headerFilter?(exchange: Exchange, head: AnswerHead): void;
  /** Rewrites an answer the gateway made itself, as Kong's body_filter can. */
  ownAnswer?(exchange: Exchange, answer: GatewayAnswer): GatewayAnswer;
  log?(exchange: Exchange, outcome: Outcome): void;
  /** Flushes what is still to be sent. */
  stop?(): Promise<void>;
}

/** What plugins may use of the gateway. */
export interface Parts {
  logger: Logger;
  metrics: Registry;
  identities: IdentitySource;
  oauth: OAuthStore;
  redis: RedisConnections;
  /** Unix milliseconds; tests set it. */
  now(): number;
}

/** A plugin as the state can name it. */
export interface PluginDefinition {
  name: string;
  /** Kong's: higher runs first. */
  priority: number;
  schema: Fields;
  create(entry: PluginEntry, parts: Parts): Plugin;
}
