/** All SQL on the bank's staff. */
import type { Database } from '@kontor/kernel/database';
import type { StaffMember, StaffRole } from './staff.js';

export interface SealedCredentials {
  passwordHash: string;
  totpSecretSealed: Buffer;
}

export interface StaffRepository {
  /** False when the username is taken. */
  add(member: { id: string; username: string; role: StaffRole } & SealedCredentials): Promise<boolean>;
  /** Also brings one back who had left. Sessions end. */
  replace(id: string, member: { role: StaffRole } & SealedCredentials): Promise<void>;
  /** False when there is no such member at work. Sessions end. */
  leave(username: string): Promise<boolean>;
  credentialsOf(username: string): Promise<({ id: string; role: StaffRole; left: boolean } & SealedCredentials) | undefined>;
  /** A member at work. */
  member(id: string): Promise<StaffMember | undefined>;
  /** Everybody, those who left, too. */
  all(): Promise<{ username: string; role: StaffRole; id: string; leftAt: Date | null }[]>;
  /** Usernames by id, of those among `ids` who are or were of the staff. */
  usernames(ids: string[]): Promise<Map<string, string>>;
  /** Uses the code of this time step up; false when it, or a later one, was used before. One statement decides, so that of two requests one passes. */
  takeCode(id: string, step: number): Promise<boolean>;
}

/** @param database of the portal; of the kernel's only `query` is needed, so that a command can bring a connection of its own */
export function staffRepository(database: Pick<Database, 'query'>): StaffRepository {
  return {
    async add({ id, username, role, passwordHash, totpSecretSealed }) {
      const added = await database.query(
        'insert into staff (id, username, role, password_hash, totp_secret_sealed) values ($1, $2, $3, $4, $5) on conflict (username) do nothing returning id',
        [id, username, role, passwordHash, totpSecretSealed]);
      return added.length === 1;
    },
    async replace(id, { role, passwordHash, totpSecretSealed }) {
      await database.query(
        'update staff set role = $2, password_hash = $3, totp_secret_sealed = $4, last_totp_step = 0, generation = generation + 1, left_at = null where id = $1',
        [id, role, passwordHash, totpSecretSealed]);
    },
    async leave(username) {
      return (await database.query('update staff set left_at = now(), generation = generation + 1 where username = $1 and left_at is null returning id', [username])).length === 1;
    },
    async credentialsOf(username) {
      const [row] = await database.query<{ id: string; role: StaffRole; left: boolean; password_hash: string; totp_secret_sealed: Buffer }>(
        'select id, role, left_at is not null as left, password_hash, totp_secret_sealed from staff where username = $1', [username]);
      return row && { id: row.id, role: row.role, left: row.left, passwordHash: row.password_hash, totpSecretSealed: row.totp_secret_sealed };
    },
    async member(id) {
      const [row] = await database.query<StaffMember>('select id, username, role, generation from staff where id = $1 and left_at is null', [id]);
      return row;
    },
    all: () => database.query('select username, role, id, left_at as "leftAt" from staff order by username'),
    async usernames(ids) {
      const rows = await database.query<{ id: string; username: string }>('select id, username from staff where id = any ($1::uuid[])', [ids]);
      return new Map(rows.map(({ id, username }) => [id, username]));
    },
    async takeCode(id, step) {
      return (await database.query('update staff set last_totp_step = $2 where id = $1 and last_totp_step < $2 returning id', [id, step])).length === 1;
    },
  };
}
