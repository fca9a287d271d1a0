/** Consumers and their credentials as Kong's Admin API shows them, and their SQL. */
import { constraintOf, type Database } from '@kontor/kernel/database';
import { isId, newId } from '@kontor/kernel/ids';
import { checkRecord, type Fault, type Fields } from './schema.js';
import { hashSecret, randomToken } from './secret.js';

/** An answer of the Admin API. */
export interface AdminAnswer { status: number; body?: unknown }

type Row = Record<string, unknown>;

/** A kind of credential of a consumer. */
interface Kind {
  table: string;
  /** What beside the id names one: `client_id`, `group`. */
  key: string | undefined;
  fields: Fields;
  /** Columns and values of a new row. */
  write(given: Row): Promise<Row>;
  /** Kong's form of a row. */
  show(row: Row): Row;
}

const TAGS = { tags: { type: 'array', elements: { type: 'string' } } } as const;

const CONSUMER: Fields = [{ id: { type: 'string' } }, { username: { type: 'string' } }, { custom_id: { type: 'string' } }, TAGS];

/** By their name in the path: /consumers/{consumer}/<name>. */
const KINDS: Readonly<Record<string, Kind>> = {
  oauth2: {
    table: 'oauth2_credentials',
    key: 'client_id',
    fields: [
      { name: { type: 'string', required: true } }, { client_id: { type: 'string' } }, { client_secret: { type: 'string' } },
      { hash_secret: { type: 'boolean', default: false } }, { redirect_uris: { type: 'array', elements: { type: 'string' } } },
      { client_type: { type: 'string', default: 'confidential', one_of: ['confidential', 'public'] } }, TAGS,
    ],
    async write(given) {
      const secret = String(given.client_secret ?? randomToken());
      return {
        name: given.name, client_id: given.client_id ?? randomToken(), client_secret: given.hash_secret ? await hashSecret(secret) : secret,
        hash_secret: given.hash_secret, redirect_uris: given.redirect_uris ?? null, client_type: given.client_type,
      };
    },
    show: ({ name, client_id, client_secret, hash_secret, redirect_uris, client_type }) => ({ name, client_id, client_secret, hash_secret, redirect_uris, client_type }),
  },
  'key-auth': {
    table: 'keyauth_credentials',
    key: undefined,
    fields: [{ key: { type: 'string' } }, { ttl: { type: 'integer', between: [1, 100_000_000] } }, TAGS],
    async write(given) {
      return { key: given.key ?? randomToken(), expires_at: given.ttl === undefined ? null : new Date(Date.now() + Number(given.ttl) * 1000) };
    },
    show: ({ key, expires_at }) => ({
      key,
      ttl: expires_at instanceof Date ? Math.max(0, Math.round((expires_at.getTime() - Date.now()) / 1000)) : null,
    }),
  },
  acls: {
    table: 'acls',
    key: '"group"',
    fields: [{ group: { type: 'string', required: true } }, TAGS],
    write: async (given) => ({ '"group"': given.group }),
    show: ({ group }) => ({ group }),
  },
};

const NOT_FOUND: AdminAnswer = { status: 404, body: { message: 'Not found' } };

/** The writable half of the Admin API. Every change calls `changed`, so that nothing learnt before is believed. */
export class AdminEntities {
  constructor(private readonly database: Database, private readonly changed: () => void) {}

  kinds(): string[] {
    return Object.keys(KINDS);
  }

  async listConsumers(query: URLSearchParams): Promise<AdminAnswer> {
    const customId = query.get('custom_id');
    return this.page('consumers', '/consumers', query, showConsumer, customId === null ? [] : [['custom_id = ', customId]]);
  }

  async createConsumer(body: unknown, id?: string): Promise<AdminAnswer> {
    const { given, refusal } = check(body, CONSUMER);
    if (refusal) return refusal;
    if (given.username === undefined && given.custom_id === undefined) return violation({ '@entity': "at least one of these fields must be non-empty: 'custom_id', 'username'" });
    return this.write('insert into consumers (id, username, custom_id, tags) values ($1, $2, $3, $4) returning *',
      [id ?? given.id ?? newId(), given.username ?? null, given.custom_id ?? null, given.tags ?? []], 201, showConsumer, given);
  }

  async readConsumer(reference: string): Promise<AdminAnswer> {
    const found = await this.consumer(reference);
    return found ? { status: 200, body: showConsumer(found) } : NOT_FOUND;
  }

  /** PUT: creates or replaces; PATCH: changes what is given. */
  async changeConsumer(reference: string, body: unknown, replace: boolean): Promise<AdminAnswer> {
    const found = await this.consumer(reference);
    if (!found) {
      if (!replace) return NOT_FOUND;
      const named = isId(reference) ? body : { username: reference, ...(body as object) };
      const created = await this.createConsumer(named, isId(reference) ? reference : undefined);
      return created.status === 201 ? { ...created, status: 200 } : created;
    }
    const { given, refusal } = check(body, CONSUMER);
    if (refusal) return refusal;
    const kept = replace ? { username: isId(reference) ? undefined : reference } : found;
    return this.write('update consumers set username = $2, custom_id = $3, tags = $4 where id = $1 returning *',
      [found.id, given.username ?? kept.username ?? null, given.custom_id ?? (replace ? null : found.custom_id), given.tags ?? (replace ? [] : found.tags)], 200, showConsumer, given);
  }

  async deleteConsumer(reference: string): Promise<AdminAnswer> {
    const found = await this.consumer(reference);
    if (found) await this.remove('consumers', String(found.id));
    return { status: 204 };
  }

  async listCredentials(reference: string, kindName: string, query: URLSearchParams): Promise<AdminAnswer> {
    const consumer = await this.consumer(reference);
    const kind = KINDS[kindName]!;
    if (!consumer) return NOT_FOUND;
    return this.page(kind.table, `/consumers/${reference}/${kindName}`, query, (row) => showCredential(kind, row), [['consumer_id = ', consumer.id]]);
  }

  async createCredential(reference: string, kindName: string, body: unknown): Promise<AdminAnswer> {
    const consumer = await this.consumer(reference);
    const kind = KINDS[kindName]!;
    if (!consumer) return NOT_FOUND;
    const { given, refusal } = check(body, kind.fields);
    if (refusal) return refusal;
    const bad = ((given.redirect_uris ?? []) as string[]).find((uri) => !URL.canParse(uri) || uri.includes('#'));
    if (bad !== undefined) return violation({ redirect_uris: `cannot parse '${bad}', or it has a fragment` });
    const columns = Object.entries({ id: newId(), consumer_id: consumer.id, tags: given.tags ?? [], ...await kind.write(given) });
    return this.write(`insert into ${kind.table} (${columns.map(([name]) => name).join(', ')}) values (${columns.map((_, i) => `$${i + 1}`).join(', ')}) returning *`,
      columns.map(([, value]) => value), 201, (row) => showCredential(kind, row), given);
  }

  async readCredential(reference: string, kindName: string, name: string): Promise<AdminAnswer> {
    const found = await this.credential(reference, kindName, name);
    return found ? { status: 200, body: showCredential(KINDS[kindName]!, found) } : NOT_FOUND;
  }

  /** Changes an oauth2 credential in place: its tokens live on. Other kinds have nothing to change. */
  async changeCredential(reference: string, kindName: string, name: string, body: unknown): Promise<AdminAnswer> {
    const found = await this.credential(reference, kindName, name);
    if (!found) return NOT_FOUND;
    if (kindName !== 'oauth2') return { status: 405, body: { message: 'Method not allowed' } };
    const { given, refusal } = check({ name: found.name, ...(body as Row) }, KINDS.oauth2!.fields);
    if (refusal) return refusal;
    const told = body as Row;
    const hashed = (told.hash_secret ?? found.hash_secret) as boolean;
    const secret = told.client_secret === undefined ? found.client_secret : hashed ? await hashSecret(String(told.client_secret)) : told.client_secret;
    return this.write(`update oauth2_credentials set name = $2, client_id = $3, client_secret = $4, hash_secret = $5, redirect_uris = $6, client_type = $7, tags = $8 where id = $1 returning *`,
      [found.id, given.name, given.client_id ?? found.client_id, secret, hashed, given.redirect_uris ?? found.redirect_uris, told.client_type ?? found.client_type, given.tags ?? found.tags],
      200, (row) => showCredential(KINDS.oauth2!, row), given);
  }

  async deleteCredential(reference: string, kindName: string, name: string): Promise<AdminAnswer> {
    const found = await this.credential(reference, kindName, name);
    if (found) await this.remove(KINDS[kindName]!.table, String(found.id));
    return { status: 204 };
  }

  /** Tokens without their secrets: only hashes are kept. */
  async listTokens(query: URLSearchParams): Promise<AdminAnswer> {
    const credential = query.get('credential.id') ?? query.get('credential_id');
    const userId = query.get('authenticated_userid');
    return this.page('oauth2_tokens', '/oauth2_tokens', query, (row) => ({
      id: row.id, created_at: seconds(row.created_at), credential: { id: row.credential_id }, token_type: 'bearer',
      expires_in: row.expires_in, scope: row.scope, authenticated_userid: row.authenticated_userid,
    }), [...(credential === null ? [] : [['credential_id = ', credential] as Condition]), ...(userId === null ? [] : [['authenticated_userid = ', userId] as Condition])]);
  }

  async deleteToken(id: string): Promise<AdminAnswer> {
    if (isId(id)) await this.remove('oauth2_tokens', id);
    return { status: 204 };
  }

  private async consumer(reference: string): Promise<Row | undefined> {
    const [found] = await this.database.query<Row>(`select * from consumers where ${isId(reference) ? 'id' : 'username'} = $1`, [reference]);
    return found;
  }

  private async credential(reference: string, kindName: string, name: string): Promise<Row | undefined> {
    const consumer = await this.consumer(reference);
    const { table, key } = KINDS[kindName]!;
    if (!consumer || (!isId(name) && !key)) return undefined;
    // A client_id may look like an id: both columns are asked.
    const wanted = [...(isId(name) ? ['id = $2'] : []), ...(key ? [`${key} = $3`] : [])].join(' or ');
    const [found] = await this.database.query<Row>(`select * from ${table} where consumer_id = $1 and ($2::uuid is null or true) and ($3::text is null or true) and (${wanted})`,
      [consumer.id, isId(name) ? name : null, name]);
    return found;
  }

  private async remove(table: string, id: string): Promise<void> {
    await this.database.query(`delete from ${table} where id = $1`, [id]);
    this.changed();
  }

  private async write(sql: string, values: unknown[], status: number, show: (row: Row) => Row, given: Row): Promise<AdminAnswer> {
    try {
      const [row] = await this.database.query<Row>(sql, values);
      this.changed();
      return { status, body: show(row!) };
    } catch (fault) {
      const constraint = constraintOf(fault);
      if (constraint === undefined) throw fault;
      const field = /_([a-z]+_id|username|key|group)_key$|_(pkey)$/.exec(constraint)?.[1] ?? 'id';
      const shown = field === 'key' ? '' : String(given[field] ?? '');
      return {
        status: 409,
        body: { code: 5, name: 'unique constraint violation', message: `UNIQUE violation detected on '{${field}="${shown}"}'`, fields: { [field]: shown } },
      };
    }
  }

  private async page(table: string, path: string, query: URLSearchParams, show: (row: Row) => Row, conditions: Condition[]): Promise<AdminAnswer> {
    const size = Math.min(1000, Math.max(1, Number(query.get('size') ?? 100) || 100));
    const offset = query.get('offset');
    const tags = query.get('tags');
    const where = [...conditions];
    if (offset !== null) where.push(['id > ', Buffer.from(offset, 'base64url').toString('utf8')]);
    if (tags !== null) where.push(tags.includes('/') ? ['tags && ', tags.split('/')] : ['tags @> ', tags.split(',')]);
    const clause = where.length === 0 ? '' : `where ${where.map(([test], i) => `${test}$${i + 1}`).join(' and ')}`;
    const rows = await this.database.query<Row>(`select * from ${table} ${clause} order by id limit ${size + 1}`, where.map(([, value]) => value));
    const more = rows.length > size;
    const data = rows.slice(0, size);
    const next = more ? Buffer.from(String(data.at(-1)!.id)).toString('base64url') : undefined;
    return { status: 200, body: { data: data.map(show), next: next === undefined ? null : `${path}?offset=${next}&size=${size}`, ...(next === undefined ? {} : { offset: next }) } };
  }
}

type Condition = [test: string, value: unknown];

function check(body: unknown, fields: Fields): { given: Row; refusal?: AdminAnswer } {
  const faults: Fault[] = [];
  const given = checkRecord(body ?? {}, fields, '', '', faults);
  return faults.length === 0 ? { given } : { given, refusal: violation(Object.fromEntries(faults.map(({ what }) => [what.split(' ')[0]!, what]))) };
}

function violation(fields: Record<string, string>): AdminAnswer {
  return { status: 400, body: { code: 2, name: 'schema violation', message: `schema violation (${Object.values(fields).join('; ')})`, fields } };
}

function showConsumer({ id, username, custom_id, tags, created_at }: Row): Row {
  return { id, username, custom_id, tags: orNull(tags), created_at: seconds(created_at), updated_at: seconds(created_at) };
}

function showCredential(kind: Kind, row: Row): Row {
  return { id: row.id, consumer: { id: row.consumer_id }, ...kind.show(row), tags: orNull(row.tags), created_at: seconds(row.created_at) };
}

function orNull(tags: unknown): unknown {
  return Array.isArray(tags) && tags.length === 0 ? null : tags;
}

function seconds(at: unknown): number {
  return Math.floor((at as Date).getTime() / 1000);
}
