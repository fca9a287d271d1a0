/** Codes and tokens in PostgreSQL, by their hashes, so that a restart loses nothing and a copy opens nothing. */
import { newId } from '@kontor/kernel/ids';
import type { Database, Tx } from '@kontor/kernel/database';
import { fingerprint, randomToken } from './secret.js';

/** An oauth2 credential. */
export interface Client {
  id: string;
  clientId: string;
  secret: string | undefined;
  hashed: boolean;
  redirectUris: string[] | undefined;
  type: 'confidential' | 'public';
}

/** An authorization code that is still good. */
export interface Code {
  id: string;
  credentialId: string;
  userId: string;
  scope: string | undefined;
  challenge: string | undefined;
  /** The plugin instance that issued it: no other takes it (Kong, with global_credentials). */
  pluginId: string;
}

/** A token found by its refresh token. */
export interface Renewable {
  id: string;
  credentialId: string;
  userId: string | undefined;
  scope: string | undefined;
}

/** What introspection tells of an access token. Times in unix seconds; `expiresIn` 0: without end. */
export interface KnownToken {
  clientId: string;
  scope: string | undefined;
  userId: string | undefined;
  createdAt: number;
  expiresIn: number;
}

/** What a token is issued on. `expiresIn` and `refreshTtl` in seconds; 0: without end. */
export interface Grant {
  credentialId: string;
  userId: string | undefined;
  scope: string | undefined;
  expiresIn: number;
  refreshTtl: number;
  withRefresh: boolean;
}

/** The secrets of a new token: the only time they are seen. */
export interface Issued {
  accessToken: string;
  refreshToken: string | undefined;
}

const CODE_SECONDS = 300;

/** All of the oauth2 plugin's SQL. */
export class OAuthStore {
  constructor(private readonly database: Database) {}

  async client(clientId: string): Promise<Client | undefined> {
    const [row] = await this.database.query<{ id: string; client_id: string; client_secret: string | null; hash_secret: boolean; redirect_uris: string[] | null; client_type: Client['type'] }>(
      'select id, client_id, client_secret, hash_secret, redirect_uris, client_type from oauth2_credentials where client_id = $1', [clientId]);
    return row && {
      id: row.id, clientId: row.client_id, secret: row.client_secret ?? undefined, hashed: row.hash_secret,
      redirectUris: row.redirect_uris ?? undefined, type: row.client_type,
    };
  }

  async issueCode(code: Omit<Code, 'id'>): Promise<string> {
    const secret = randomToken();
    await this.database.query(
      `insert into oauth2_authorization_codes (id, code_hash, credential_id, authenticated_userid, scope, challenge, plugin_id, expires_at)
       values ($1, $2, $3, $4, $5, $6, $7, now() + make_interval(secs => ${CODE_SECONDS}))`,
      [newId(), fingerprint(secret), code.credentialId, code.userId, code.scope ?? null, code.challenge ?? null, code.pluginId]);
    return secret;
  }

  async code(secret: string): Promise<Code | undefined> {
    const [row] = await this.database.query<{ id: string; credential_id: string; authenticated_userid: string; scope: string | null; challenge: string | null; plugin_id: string }>(
      'select id, credential_id, authenticated_userid, scope, challenge, plugin_id from oauth2_authorization_codes where code_hash = $1 and expires_at > now()', [fingerprint(secret)]);
    return row && {
      id: row.id, credentialId: row.credential_id, userId: row.authenticated_userid,
      scope: row.scope ?? undefined, challenge: row.challenge ?? undefined, pluginId: row.plugin_id,
    };
  }

  /** Takes the code away and issues its token in one transaction. @returns undefined when another request was faster. */
  async exchange(code: Code, grant: Grant): Promise<Issued | undefined> {
    return this.database.transaction(async (tx) => {
      const taken = await this.database.query('delete from oauth2_authorization_codes where id = $1 and expires_at > now() returning id', [code.id], tx);
      return taken.length === 1 ? this.issue(grant, tx) : undefined;
    });
  }

  async issue(grant: Grant, tx?: Tx): Promise<Issued> {
    const issued = { accessToken: randomToken(), refreshToken: grant.withRefresh ? randomToken() : undefined };
    await this.database.query(
      `insert into oauth2_tokens (id, credential_id, access_token_hash, refresh_token_hash, authenticated_userid, scope, expires_in, created_at, expires_at)
       values ($1, $2, $3, $4, $5, $6, $7::int, now(), ${END_OF_ROW})`,
      [newId(), grant.credentialId, fingerprint(issued.accessToken), issued.refreshToken === undefined ? null : fingerprint(issued.refreshToken),
        grant.userId ?? null, grant.scope ?? null, grant.expiresIn, grant.refreshTtl], tx);
    return issued;
  }

  async byRefreshToken(secret: string): Promise<Renewable | undefined> {
    const [row] = await this.database.query<{ id: string; credential_id: string; authenticated_userid: string | null; scope: string | null }>(
      'select id, credential_id, authenticated_userid, scope from oauth2_tokens where refresh_token_hash = $1 and (expires_at is null or expires_at > now())', [fingerprint(secret)]);
    return row && { id: row.id, credentialId: row.credential_id, userId: row.authenticated_userid ?? undefined, scope: row.scope ?? undefined };
  }

  /** A new access token under the same refresh token (`reuse_refresh_token`). @returns undefined when the row has gone. */
  async renew(id: string, expiresIn: number, refreshTtl: number): Promise<string | undefined> {
    const accessToken = randomToken();
    const renewed = await this.database.query(
      `update oauth2_tokens set access_token_hash = $2, expires_in = $3::int, created_at = now(),
         expires_at = case when $3 > 0 and $4::int > 0 then now() + make_interval(secs => $4::int) end
       where id = $1 returning id`, [id, fingerprint(accessToken), expiresIn, refreshTtl]);
    return renewed.length === 1 ? accessToken : undefined;
  }

  /** A new token and refresh token in place of the old one. @returns undefined when another request was faster. */
  async rotate(id: string, grant: Grant): Promise<Issued | undefined> {
    return this.database.transaction(async (tx) => {
      const taken = await this.database.query('delete from oauth2_tokens where id = $1 returning id', [id], tx);
      return taken.length === 1 ? this.issue(grant, tx) : undefined;
    });
  }

  async byAccessToken(secret: string): Promise<KnownToken | undefined> {
    const [row] = await this.database.query<{ client_id: string; scope: string | null; authenticated_userid: string | null; created_at: number; expires_in: number }>(
      `select cr.client_id, t.scope, t.authenticated_userid, extract(epoch from t.created_at)::float8 as created_at, t.expires_in
         from oauth2_tokens t join oauth2_credentials cr on cr.id = t.credential_id where t.access_token_hash = $1`, [fingerprint(secret)]);
    return row && { clientId: row.client_id, scope: row.scope ?? undefined, userId: row.authenticated_userid ?? undefined, createdAt: row.created_at, expiresIn: row.expires_in };
  }

  /** Ends every code and token of a consent: codes first, so that one that is exchanged meanwhile has its token ended too. @returns the tokens' ids */
  async end(userId: string): Promise<string[]> {
    await this.database.query('delete from oauth2_authorization_codes where authenticated_userid = $1', [userId]);
    const ended = await this.database.query<{ id: string }>('delete from oauth2_tokens where authenticated_userid = $1 returning id', [userId]);
    return ended.map(({ id }) => id);
  }

  /** Deletes what has ended; the gateway calls it now and then. */
  async purge(): Promise<void> {
    await this.database.query('delete from oauth2_authorization_codes where expires_at < now()', []);
    await this.database.query('delete from oauth2_tokens where expires_at < now()', []);
  }
}

/** Kong: a row lives for `refresh_token_ttl` when the access token expires at all; $7 expires_in, $8 refresh_token_ttl. */
const END_OF_ROW = 'case when $7 > 0 and $8::int > 0 then now() + make_interval(secs => greatest($7, $8::int)) end';
