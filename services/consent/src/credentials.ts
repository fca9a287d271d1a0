/**
 * Online-banking credentials: a password (knowledge) and a time-based one-time code (possession), RFC 6238.
 * Both are needed before anything is approved. All SQL on the table `credentials` is here.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { hash, verify } from '@node-rs/argon2';
import { Secret, TOTP } from 'otpauth';
import type { Database } from '@kontor/kernel/database';
import { problem } from '@kontor/kernel/problem';

const STEP_S = 30;
const MOST_ATTEMPTS = 5;
const LOCK_MINUTES = 15;

interface CredentialRow {
  customer_id: string; username: string; password_hash: string; totp_secret_sealed: Buffer; last_totp_step: string; failed_attempts: number; locked_until: Date | null;
}

export type SignIn = { kind: 'passed'; customerId: string } | { kind: 'refused' } | { kind: 'locked' };

export interface Credentials {
  /** Makes new credentials, replacing earlier ones. @throws Problem `customer_not_found`, `customer_not_active` */
  issue(customerId: string): Promise<{ username: string; password: string; totpSecret: string }>;
  checkPassword(username: string, password: string, now: Date): Promise<SignIn>;
  /** Accepts each code once, one step of 30 s of drift either way. */
  checkCode(customerId: string, code: string, now: Date): Promise<SignIn>;
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
           totp_secret_sealed = excluded.totp_secret_sealed, last_totp_step = 0, failed_attempts = 0, locked_until = NULL`,
        [customerId, username, await hash(password), seal(key, customerId, secret.bytes)]);
      return { username, password, totpSecret: secret.base32 };
    },
    async checkPassword(username, password, now) {
      const [row] = await database.query<CredentialRow>('SELECT * FROM credentials WHERE username = $1', [username]);
      const matches = await verify(row?.password_hash ?? (await DECOY), password);
      if (!row) return { kind: 'refused' };
      if (row.locked_until && row.locked_until > now) return { kind: 'locked' };
      return matches ? { kind: 'passed', customerId: row.customer_id } : fail(database, row, now);
    },
    async checkCode(customerId, code, now) {
      const [row] = await database.query<CredentialRow>('SELECT * FROM credentials WHERE customer_id = $1', [customerId]);
      if (!row) return { kind: 'refused' };
      if (row.locked_until && row.locked_until > now) return { kind: 'locked' };
      const totp = new TOTP({ secret: new Secret({ buffer: toArrayBuffer(open(key, customerId, row.totp_secret_sealed)) }), digits: 6, period: STEP_S });
      const drift = totp.validate({ token: code, timestamp: now.getTime(), window: 1 });
      if (drift === null) return fail(database, row, now);
      const step = Math.floor(now.getTime() / 1000 / STEP_S) + drift;
      // One statement decides, so that two requests with the same code cannot both pass.
      const accepted = await database.query(
        'UPDATE credentials SET last_totp_step = $2, failed_attempts = 0, locked_until = NULL WHERE customer_id = $1 AND last_totp_step < $2 RETURNING 1', [customerId, step]);
      return accepted.length === 1 ? { kind: 'passed', customerId } : fail(database, row, now);
    },
  };
}

async function fail(database: Database, row: CredentialRow, now: Date): Promise<SignIn> {
  const [after] = await database.query<{ locked: boolean }>(
    `UPDATE credentials SET
       failed_attempts = CASE WHEN failed_attempts + 1 >= $2 THEN 0 ELSE failed_attempts + 1 END,
       locked_until = CASE WHEN failed_attempts + 1 >= $2 THEN $3::timestamptz + make_interval(mins => $4) ELSE locked_until END
     WHERE customer_id = $1 RETURNING locked_until > $3 AS locked`, [row.customer_id, MOST_ATTEMPTS, now, LOCK_MINUTES]);
  return after?.locked ? { kind: 'locked' } : { kind: 'refused' };
}

/** AES-256-GCM; the row it belongs to is authenticated with it. Layout: nonce 12, tag 16, ciphertext. */
function seal(key: Buffer, customerId: string, plain: Uint8Array): Buffer {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(aad(customerId));
  const text = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), text]);
}

function open(key: Buffer, customerId: string, sealed: Buffer): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12)).setAAD(aad(customerId));
  decipher.setAuthTag(sealed.subarray(12, 28));
  return Buffer.concat([decipher.update(sealed.subarray(28)), decipher.final()]);
}

const aad = (customerId: string): Buffer => Buffer.from(`credentials|totp_secret_sealed|${customerId}`);

const toArrayBuffer = (bytes: Buffer): ArrayBuffer => new Uint8Array(bytes).buffer;
