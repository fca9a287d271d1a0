/**
 * Online-banking credentials: a password (knowledge) and the secret of a time-based one-time code (possession, RFC 6238), and
 * the browsers known to be the customer's. All SQL on the tables `credentials` and `devices` is here; guessing is bounded in
 * `sca-throttle.ts`.
 */
import { createHash, randomBytes } from 'node:crypto';
import { hash, verify } from '@node-rs/argon2';
import { Secret } from 'otpauth';
import type { Database } from '@kontor/kernel/database';
import { stepOfCode } from '@kontor/kernel/one-time-code';
import { problem } from '@kontor/kernel/problem';
import { seal, unseal } from '@kontor/kernel/sealing';

/** A browser is known for as long as account access may last (RTS on SCA, article 10): 180 days. */
export const DEVICE_LIFE_S = 180 * 24 * 60 * 60;

export interface Credentials {
  /** Makes new credentials, replacing earlier ones. @throws Problem `customer_not_found`, `customer_not_active` */
  issue(customerId: string): Promise<{ username: string; password: string; totpSecret: string }>;
  /** The customer with this name and password; as slow for an unknown name or a closed customer as for a wrong password. */
  checkPassword(username: string, password: string): Promise<string | undefined>;
  /** Accepts each code once, one step of 30 s of drift either way. */
  checkCode(customerId: string, code: string, now: Date): Promise<boolean>;
  /** Remembers a browser after strong authentication, unless one of its tokens says already that it is. @returns a new token, 256 random bits */
  rememberDevice(customerId: string, tokens: string[], now: Date): Promise<string | undefined>;
  /** The one of a browser's tokens by which the customer of this name has proven before that the browser is his. */
  knownDevice(username: string, tokens: string[], now: Date): Promise<string | undefined>;
}

/** Compared against when the name is unknown, so that the answer takes as long. */
const DECOY = hash(randomBytes(16).toString('hex'));

export function credentials(database: Database, key: Buffer): Credentials {
  return {
    async issue(customerId) {
      const [customer] = await database.query<{ active: boolean }>('SELECT active FROM customers WHERE id = $1', [customerId]);
      if (!customer) throw problem('customer_not_found', 'No active customer with this id is known yet; wait for customer.activated.');
      if (!customer.active) throw problem('customer_not_active', 'Only an active customer gets credentials.');
      const username = `c-${randomBytes(5).toString('hex')}`;
      const password = randomBytes(12).toString('base64url');
      const secret = new Secret({ size: 20 });
      await database.query(
        `INSERT INTO credentials (customer_id, username, password_hash, totp_secret_sealed) VALUES ($1, $2, $3, $4)
         ON CONFLICT (customer_id) DO UPDATE SET username = excluded.username, password_hash = excluded.password_hash,
           totp_secret_sealed = excluded.totp_secret_sealed, last_totp_step = 0`,
        [customerId, username, await hash(password), seal(key, placeOf(customerId), secret.bytes)]);
      return { username, password, totpSecret: secret.base32 };
    },
    async checkPassword(username, password) {
      const [row] = await database.query<{ customer_id: string; password_hash: string; active: boolean }>(
        `SELECT c.customer_id, c.password_hash, p.active FROM credentials c JOIN customers p ON p.id = c.customer_id WHERE c.username = $1`, [username]);
      const matches = await verify(row?.password_hash ?? (await DECOY), password);
      return row?.active && matches ? row.customer_id : undefined;
    },
    async checkCode(customerId, code, now) {
      const [row] = await database.query<{ totp_secret_sealed: Buffer }>('SELECT totp_secret_sealed FROM credentials WHERE customer_id = $1', [customerId]);
      if (!row) return false;
      const step = stepOfCode(unseal(key, placeOf(customerId), row.totp_secret_sealed), code, now);
      if (step === undefined) return false;
      // One statement decides, so that two requests with the same code cannot both pass.
      const accepted = await database.query('UPDATE credentials SET last_totp_step = $2 WHERE customer_id = $1 AND last_totp_step < $2 RETURNING 1', [customerId, step]);
      return accepted.length === 1;
    },
    async rememberDevice(customerId, tokens, now) {
      const known = await database.query('SELECT 1 FROM devices WHERE id_hash = ANY ($1) AND customer_id = $2 AND expires_at > $3', [tokens.map(digest), customerId, now]);
      if (known.length > 0) return undefined;
      const token = randomBytes(32).toString('base64url');
      await database.query('DELETE FROM devices WHERE expires_at < $1', [now]);
      await database.query(
        'INSERT INTO devices (id_hash, customer_id, created_at, expires_at) VALUES ($1, $2, $3::timestamptz, $3::timestamptz + make_interval(secs => $4))',
        [digest(token), customerId, now, DEVICE_LIFE_S]);
      return token;
    },
    async knownDevice(username, tokens, now) {
      const [row] = await database.query<{ id_hash: Buffer }>(
        'SELECT d.id_hash FROM devices d JOIN credentials c ON c.customer_id = d.customer_id WHERE d.id_hash = ANY ($1) AND c.username = $2 AND d.expires_at > $3',
        [tokens.map(digest), username, now]);
      return row && tokens.find((token) => digest(token).equals(row.id_hash));
    },
  };
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

const placeOf = (customerId: string): string => `credentials|totp_secret_sealed|${customerId}`;
