/**
 * Who is behind an access token or an API key. Answers are kept for a few seconds, and dropped at once when this process
 * changes consumers, credentials, groups or tokens; another process on the same database is seen after CACHE_MS.
 * Consents are never kept here: consent-check reads them on every request.
 */
import type { Database } from '@kontor/kernel/database';
import { fingerprint } from './secret.js';
import { within } from './time-limit.js';

/** A consumer as plugins see it. */
export interface Consumer {
  id: string;
  username: string | undefined;
  customId: string | undefined;
}

/** An authenticated caller. */
export interface Identity {
  consumer: Consumer;
  credentialId: string;
  /** `X-Credential-Identifier`: client_id, or the id of the API key. */
  credentialIdentifier: string;
  /** ACL groups, sorted. */
  groups: string[];
}

/** The caller behind an access token. */
export interface TokenIdentity extends Identity {
  tokenId: string;
  scopes: string[];
  /** `authenticated_userid`: the consent the token was issued on. */
  userId: string | undefined;
  /** Unix milliseconds; Infinity when the token does not expire. */
  expiresAt: number;
}

type Eventually<T> = T | Promise<T>;

/** Looks callers up. Both may answer at once (from memory) or later. @throws when the database does not answer. */
export interface IdentitySource {
  byToken(token: string): Eventually<TokenIdentity | undefined>;
  byKey(key: string): Eventually<Identity | undefined>;
  /** Forgets everything; called on each change. */
  forget(): void;
  /** Forgets one token, which was renewed or has gone. */
  forgetToken(id: string): void;
}

const CACHE_MS = 5_000;
/**
 * While the database does not answer, a token it vouched for this recently stays good (no longer than the token's own life):
 * without the database nobody can be taken away their rights either. Kong keeps what it has cached, too.
 */
const WITHOUT_DATABASE_MS = 15 * 60_000;
/** A request is refused when its caller is not known by then. */
const LOOK_UP_MS = 1_000;
const CACHE_SIZE = 10_000;

interface Kept<T> { until: number; /** When the database was asked. */ asOf: number; value: Eventually<T | undefined> }

/** What is known about credentials, for a short while. A flood of made-up tokens pushes out the oldest entries only. */
class ShortMemory<T> {
  private kept = new Map<string, Kept<T>>();

  /** @param staleMs how long a value outlives a database that does not answer */
  constructor(private readonly look: (secret: string) => Promise<T | undefined>, private readonly now: () => number, private readonly staleMs: number) {}

  get(secret: string): Eventually<T | undefined> {
    const known = this.kept.get(secret);
    if (known && known.until > this.now()) return known.value;
    const kept = this.kept;
    const entry: Kept<T> = { until: this.now() + CACHE_MS, asOf: this.now(), value: undefined };
    entry.value = within(LOOK_UP_MS, 'the database', this.look(secret)).then(
      (value) => (entry.value = value),
      (fault: unknown) => {
        if (known && known.value !== undefined && !(known.value instanceof Promise) && known.asOf + this.staleMs > this.now()) {
          Object.assign(entry, { until: this.now() + CACHE_MS, asOf: known.asOf, value: known.value });
          return known.value;
        }
        kept.delete(secret);
        throw fault;
      },
    );
    kept.delete(secret);
    kept.set(secret, entry);
    if (kept.size > CACHE_SIZE) kept.delete(kept.keys().next().value!);
    return entry.value;
  }

  drop(unwanted: (value: T) => boolean): void {
    for (const [secret, { value }] of this.kept) if (value !== undefined && (value instanceof Promise || unwanted(value))) this.kept.delete(secret);
  }

  /** A look-up under way answers those who wait for it but is not kept. */
  forget(): void {
    this.kept = new Map();
  }
}

const TOKEN_SQL = `
  select t.id as token_id, t.scope, t.authenticated_userid, t.expires_in, extract(epoch from t.created_at)::float8 as created_at,
         cr.id as credential_id, cr.client_id as identifier, c.id, c.username, c.custom_id,
         array(select "group" from acls where consumer_id = c.id order by 1) as groups
    from oauth2_tokens t
    join oauth2_credentials cr on cr.id = t.credential_id
    join consumers c on c.id = cr.consumer_id
   where t.access_token_hash = $1`;

const KEY_SQL = `
  select k.id as credential_id, k.id as identifier, c.id, c.username, c.custom_id,
         array(select "group" from acls where consumer_id = c.id order by 1) as groups
    from keyauth_credentials k
    join consumers c on c.id = k.consumer_id
   where k.key = $1 and (k.expires_at is null or k.expires_at > now())`;

interface IdentityRow {
  credential_id: string;
  identifier: string;
  id: string;
  username: string | null;
  custom_id: string | null;
  groups: string[];
}

interface TokenRow extends IdentityRow {
  token_id: string;
  scope: string | null;
  authenticated_userid: string | null;
  expires_in: number;
  created_at: number;
}

/** The source backed by PostgreSQL. @param now unix milliseconds */
export function identitySource(database: Database, now: () => number): IdentitySource {
  const tokens = new ShortMemory<TokenIdentity>(async (token) => {
    const [row] = await database.query<TokenRow>(TOKEN_SQL, [fingerprint(token)]);
    return row && {
      ...identityOf(row),
      tokenId: row.token_id,
      scopes: row.scope === null ? [] : row.scope.split(' '),
      userId: row.authenticated_userid ?? undefined,
      expiresAt: row.expires_in > 0 ? (row.created_at + row.expires_in) * 1000 : Infinity,
    };
  }, now, WITHOUT_DATABASE_MS);
  const keys = new ShortMemory<Identity>(async (key) => {
    const [row] = await database.query<IdentityRow>(KEY_SQL, [key]);
    return row && identityOf(row);
  }, now, 0);
  return {
    byToken: (token) => tokens.get(token),
    byKey: (key) => keys.get(key),
    forget() {
      tokens.forget();
      keys.forget();
    },
    forgetToken: (id) => tokens.drop(({ tokenId }) => tokenId === id),
  };
}

function identityOf(row: IdentityRow): Identity {
  return {
    consumer: { id: row.id, username: row.username ?? undefined, customId: row.custom_id ?? undefined },
    credentialId: row.credential_id,
    credentialIdentifier: row.identifier,
    groups: row.groups,
  };
}
