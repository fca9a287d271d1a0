import { plugins } from '../../../plugins/index.js';
import type { ConsentTokensConfig } from '../../../plugins/consent-tokens/core.js';
import type { Exchange, GatewayAnswer } from '../exchange.js';
import type { Parts, PluginDefinition } from '../plugin.js';
import { readBody } from '../request-body.js';
import { configFields } from './config-fields.js';
import { carryOut } from './decisions.js';

const { core, priority, schema } = plugins['consent-tokens'];

/** Most bytes of a form with one token. */
const FORM_LIMIT = 64 * 1024;

/** Host of consent-tokens: ends a consent's codes and tokens, and says what a token is good for. */
export const consentTokens: PluginDefinition = {
  name: 'consent-tokens',
  priority,
  schema: configFields(schema),
  create(entry, parts) {
    const config = entry.config as unknown as ConsentTokensConfig;
    return {
      async access(exchange) {
        const facts = exchange.facts();
        const refusal = carryOut(exchange, core.decide(facts, config));
        if (refusal) return refusal;
        return facts.method === 'DELETE' ? end(facts.pathParameters.consentId!, parts) : introspect(exchange, config, parts);
      },
    };
  },
};

async function end(consentId: string, { oauth, identities }: Parts): Promise<GatewayAnswer> {
  for (const id of await oauth.end(consentId)) identities.forgetToken(id);
  return { status: 204, headers: { 'cache-control': 'no-store' }, fields: {}, source: 'exit' };
}

async function introspect(exchange: Exchange, config: ConsentTokensConfig, { oauth }: Parts): Promise<GatewayAnswer> {
  const facts = exchange.facts();
  const tokens = await tokensIn(exchange);
  const refusal = carryOut(exchange, core.decideForm(facts, config, tokens.length === 1 ? tokens[0] : undefined));
  if (refusal) return refusal;
  const found = await oauth.byAccessToken(tokens[0]!);
  const told = core.introspection(facts, config, found && {
    clientId: found.clientId, createdAt: found.createdAt, expiresIn: found.expiresIn,
    ...(found.scope === undefined ? {} : { scope: found.scope }), ...(found.userId === undefined ? {} : { consentId: found.userId }),
  });
  return { status: 200, headers: { 'cache-control': 'no-store' }, fields: { ...told }, source: 'exit' };
}

async function tokensIn(exchange: Exchange): Promise<string[]> {
  const body = await readBody(exchange.request, FORM_LIMIT);
  if (!(exchange.headers['content-type'] ?? '').startsWith('application/x-www-form-urlencoded')) return [];
  return new URLSearchParams(body.toString('utf8')).getAll('token');
}
