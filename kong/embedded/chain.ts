/**
 * The plugins of a route in Kong's order, and how their phases are run. Fail closed: a plugin that throws ends the
 * request with 503, and nothing reaches the service.
 */
import type { Exchange, GatewayAnswer, Outcome } from './exchange.js';
import { errorAnswer, failureAnswer } from './exchange.js';
import type { AnswerHead, Parts, Plugin, PluginDefinition } from './plugin.js';
import { BodyAborted, BodyTooLarge } from './request-body.js';
import type { PluginEntry, Route, State } from './state.js';

interface Step {
  name: string;
  plugin: Plugin;
  /** Instances for single consumers, by username or id; such a one runs in place of `plugin`. */
  forConsumers?: Map<string, Plugin>;
}

/** The plugins of one route, split by phase so that absent phases cost nothing. */
export interface Chain {
  access: Step[];
  headerFilter: Step[];
  ownAnswer: Step[];
  log: Step[];
}

/** All chains of a state. */
export interface Chains {
  /** For requests no route takes: only global plugins, and of those only the phases after access (as in Kong). */
  unrouted: Chain;
  of(route: Route): Chain;
  stop(): Promise<void>;
}

/**
 * Makes every plugin of the state once. A plugin of a name runs once a request: the caller's own wins over the one on the
 * route, that over the one on the service, and that over the global one (Kong's order of specificity).
 */
export function buildChains(state: State, definitions: ReadonlyMap<string, PluginDefinition>, parts: Parts): Chains {
  const made = new Map<PluginEntry, Plugin>();
  for (const entry of state.plugins) made.set(entry, definitions.get(entry.name)!.create(entry, parts));

  const forConsumers = new Map<string, Map<string, Plugin>>();
  for (const entry of state.plugins) {
    if (entry.consumer === undefined) continue;
    forConsumers.set(entry.name, (forConsumers.get(entry.name) ?? new Map<string, Plugin>()).set(entry.consumer, made.get(entry)!));
  }

  const chainFor = (route: Route | undefined): Chain => {
    const chosen = new Map<string, PluginEntry>();
    for (const entry of state.plugins) {
      if (entry.consumer !== undefined || !applies(entry, route)) continue;
      const rival = chosen.get(entry.name);
      if (!rival || specificity(entry) > specificity(rival)) chosen.set(entry.name, entry);
    }
    const names = new Set([...chosen.keys(), ...forConsumers.keys()]);
    const steps = [...names]
      .sort((a, b) => definitions.get(b)!.priority - definitions.get(a)!.priority || (a < b ? -1 : 1))
      .map((name): Step => ({ name, plugin: chosen.has(name) ? made.get(chosen.get(name)!)! : PASSES, forConsumers: forConsumers.get(name) }));
    return {
      access: route ? steps.filter(({ plugin }) => plugin.access) : [],
      headerFilter: steps.filter(({ plugin }) => plugin.headerFilter),
      ownAnswer: steps.filter(({ plugin }) => plugin.ownAnswer),
      log: steps.filter(({ plugin }) => plugin.log),
    };
  };

  const byRoute = new Map(state.routes.map((route) => [route, chainFor(route)]));
  return {
    unrouted: chainFor(undefined),
    of: (route) => byRoute.get(route)!,
    async stop() {
      await Promise.all([...made.values()].map((plugin) => plugin.stop?.()));
    },
  };
}

/** Where only single consumers have the plugin: for all others nothing. */
const PASSES: Plugin = { access: () => undefined };

function applies(entry: PluginEntry, route: Route | undefined): boolean {
  if (entry.route) return entry.route === route;
  if (entry.service) return route !== undefined && entry.service === route.service;
  return true;
}

function specificity(entry: PluginEntry): number {
  return (entry.route ? 2 : 0) + (entry.service ? 1 : 0);
}

/**
 * Runs the access phase. @returns the answer that ends the request, or undefined when it may go upstream.
 * Awaits only what is really asynchronous: most steps are not.
 */
export async function runAccess(exchange: Exchange, chain: Chain, parts: Parts): Promise<GatewayAnswer | undefined> {
  for (const { name, plugin: ordinary, forConsumers } of chain.access) {
    try {
      const plugin = (forConsumers && ownPlugin(forConsumers, exchange)) ?? ordinary;
      const pending = plugin.access!(exchange);
      const answer = pending instanceof Promise ? await pending : pending;
      if (answer) return answer;
    } catch (error) {
      if (error instanceof BodyTooLarge) return errorAnswer(413, 'Request size limit exceeded');
      if (error instanceof BodyAborted) return failureAnswer(400, 'the request body was not complete');
      parts.logger.error('a gateway plugin failed, the request was refused', { correlationId: exchange.correlationId, operation: exchange.route?.name, code: name, error });
      return failureAnswer(503, `the plugin ${name} failed`, { 'retry-after': '1' });
    }
  }
  return undefined;
}

/** The instance for the consumer that is authenticated by now. */
function ownPlugin(forConsumers: Map<string, Plugin>, { identity }: Exchange): Plugin | undefined {
  if (!identity) return undefined;
  return forConsumers.get(identity.consumer.id) ?? forConsumers.get(identity.consumer.username ?? '');
}

/** Runs the header_filter phase. @throws what a plugin throws: the answer must then not be sent as it is. */
export function runHeaderFilter(exchange: Exchange, chain: Chain, head: AnswerHead): void {
  for (const { plugin } of chain.headerFilter) plugin.headerFilter!(exchange, head);
  Object.assign(head.headers, exchange.answerHeaders);
}

/** Runs the log phase; a plugin that throws here harms nobody but the log. */
export function runLog(exchange: Exchange, chain: Chain, outcome: Outcome, parts: Parts): void {
  for (const { name, plugin } of chain.log) {
    try {
      plugin.log!(exchange, outcome);
    } catch (error) {
      parts.logger.error('a gateway plugin failed in its log phase', { correlationId: exchange.correlationId, code: name, error });
    }
  }
}
