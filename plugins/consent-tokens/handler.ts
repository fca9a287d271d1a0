import { enforce, readFacts } from '../host-lua/request.js';
import type { RequestState } from '../host-lua/request.js';
import { allow } from '../plugin.js';
import type { Decision } from '../plugin.js';
import { priorities } from '../priorities.js';
import { decide, decideForm, introspection } from './core.js';
import type { ConsentTokensConfig, TokenRow } from './core.js';

const json = require('cjson.safe') as { encode(this: void, value: unknown): string };

/** consent-tokens inside Kong, through Kong's own data access: its events make every node drop what it keeps of a token. */
export const handler = {
  PRIORITY: priorities['consent-tokens'],
  VERSION: '1.0.0',

  access(config: ConsentTokensConfig): void {
    if (enforce('The token endpoint', serve, config) === undefined) return;
    const state = kong.ctx.plugin.reply as Reply;
    kong.response.exit(state.status, state.body, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  },
};

interface Reply { status: number; body: string }

function serve(this: void, config: ConsentTokensConfig, state: RequestState): Decision {
  const facts = readFacts(state);
  const decision = decide(facts, config);
  if (decision.kind === 'refuse') return decision;
  if (facts.method === 'DELETE') {
    endTokens(facts.pathParameters.consentId as string);
    kong.ctx.plugin.reply = { status: 204, body: '' };
    return allow();
  }
  const [form] = kong.request.get_body('application/x-www-form-urlencoded');
  const token = form !== undefined ? form.token : undefined;
  const complete = decideForm(facts, config, token);
  if (complete.kind === 'refuse') return complete;
  kong.ctx.plugin.reply = { status: 200, body: json.encode(introspection(facts, config, find(token as string))) };
  return allow();
}

/**
 * Codes first: one that is exchanged meanwhile has its token ended with the others. No selector finds rows by consent, hence the
 * query; Kong's own migrations of oauth2 index authenticated_userid in both tables.
 */
function endTokens(consentId: string): void {
  endRows('oauth2_authorization_codes', kong.db.oauth2_authorization_codes, consentId);
  endRows('oauth2_tokens', kong.db.oauth2_tokens, consentId);
}

function endRows(table: string, rows: KongRows, consentId: string): void {
  const { connector } = kong.db;
  const [found, fault] = connector.query(`SELECT "id" FROM "${table}" WHERE "authenticated_userid" = ${connector.escape_literal(consentId)}`, 'write');
  if (found === undefined) throw `reading ${table}: ${tostring(fault)}`;
  for (const { id } of found) {
    const [done, kept] = rows['delete']({ id });
    if (done !== true) throw `deleting from ${table}: ${tostring(kept)}`;
  }
}

function find(accessToken: string): TokenRow | undefined {
  const [row, fault] = kong.db.oauth2_tokens.select_by_access_token(accessToken);
  if (fault !== undefined) throw `reading a token: ${fault}`;
  if (row === undefined) return undefined;
  const [credential, missing] = kong.db.oauth2_credentials.select(row.credential);
  if (credential === undefined) throw `reading a credential: ${tostring(missing)}`;
  return { clientId: credential.client_id, scope: row.scope, consentId: row.authenticated_userid, createdAt: row.created_at, expiresIn: row.expires_in };
}
