/** Carries out what a core decided: an `allow` whole, or the refusal. */
import { problemBody, type Allow, type Decision, type Refuse } from '../../../plugins/plugin.js';
import type { Exchange, GatewayAnswer } from '../exchange.js';

/** Applies a decision to the exchange. @returns the refusal as an answer, or undefined when the request goes on */
export function carryOut(exchange: Exchange, decision: Decision): GatewayAnswer | undefined {
  if (decision.log) Object.assign(exchange.log, decision.log);
  if (decision.kind === 'refuse') return refusal(exchange, decision);
  apply(exchange, decision);
  return undefined;
}

function apply(exchange: Exchange, { clearRequestHeaders, setRequestHeaders, setResponseHeaders, upstream }: Allow): void {
  for (const name of clearRequestHeaders) exchange.upstreamHeaders.set(name, null);
  for (const name in setRequestHeaders) exchange.upstreamHeaders.set(name, setRequestHeaders[name]!);
  for (const name in setResponseHeaders) exchange.answerHeaders[name] = setResponseHeaders[name]!;
  if (!upstream) return;
  exchange.upstreamMethod = upstream.method;
  exchange.upstreamPath = upstream.path;
}

function refusal(exchange: Exchange, refused: Refuse): GatewayAnswer {
  // Also where an earlier plugin of ours had allowed it: the record says what became of the request.
  Object.assign(exchange.log, { decision: 'refuse', code: refused.code });
  return {
    status: refused.status,
    headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store', ...refused.headers },
    fields: { ...problemBody(refused, exchange.correlationId) },
    source: 'exit',
  };
}
