/**
 * The bank's staff in the back office: who they are, what each role may, and their two factors: a password (knowledge) and a
 * one-time code (possession, RFC 6238). Members are made by the bank's administrator (scripts/staff), never by a page.
 */
import { randomBytes } from 'node:crypto';
import { hash, verify } from '@node-rs/argon2';
import { Secret } from 'otpauth';
import { newId } from '@kontor/kernel/ids';
import { stepOfCode } from '@kontor/kernel/one-time-code';
import { seal, unseal } from '@kontor/kernel/sealing';
import type { StaffRepository } from './staff-repository.js';

/** Who may what: both read and report, a consent officer also ends consents. */
export const STAFF_ROLES = ['consent-officer', 'compliance-officer'] as const;
export type StaffRole = (typeof STAFF_ROLES)[number];

export interface StaffMember {
  /** Opaque; what consents' histories name. */
  id: string;
  username: string;
  role: StaffRole;
  /** Rises with new credentials; sessions of an earlier one are over. */
  generation: number;
}

export const mayEndConsents = ({ role }: Pick<StaffMember, 'role'>): boolean => role === 'consent-officer';

/** Lower case: a letter first, then letters, digits, dots and dashes; 2 to 40 in all. */
export const isUsername = (text: string): boolean => /^[a-z][a-z0-9.-]{1,39}$/.test(text);

export const normaliseUsername = (text: string): string => text.trim().toLowerCase();

/** Shown once. `totpSecret` in Base32 (RFC 4648), for an authenticator app. */
export interface StaffCredentials {
  password: string;
  totpSecret: string;
}

export interface Staff {
  /** Makes a member with new credentials; undefined when the username is taken. */
  add(username: string, role: StaffRole): Promise<StaffCredentials | undefined>;
  /** New credentials for a member, also for one who had left; the old ones and all sessions end. Undefined when there is no such member. */
  renew(username: string): Promise<StaffCredentials | undefined>;
  /** Sees to it that a member has exactly these credentials; changes nothing when that is so. */
  ensure(member: { username: string; role: StaffRole } & StaffCredentials): Promise<void>;
  /** The member with this name, password and code; as slow for an unknown name as for a wrong password. Each code counts once. */
  check(attempt: { username: string; password: string; code: string; now: Date }): Promise<StaffMember | undefined>;
}

/** OWASP Password Storage Cheat Sheet: argon2id (the library's default), 19 MiB, 2 passes, 1 lane. */
const ARGON2ID = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
const MOST_PASSWORD = 256;

/** @param key seals the secrets of one-time codes: 32 bytes */
export function staffWith(repository: StaffRepository, key: Buffer): Staff {
  const decoy = hash(randomBytes(16).toString('hex'), ARGON2ID);
  const sealed = async (id: string, { password, totpSecret }: StaffCredentials) => ({
    passwordHash: await hash(password, ARGON2ID), totpSecretSealed: seal(key, placeOf(id), Secret.fromBase32(totpSecret).bytes),
  });
  const newCredentials = (): StaffCredentials => ({ password: randomBytes(15).toString('base64url'), totpSecret: new Secret({ size: 20 }).base32 });

  return {
    async add(username, role) {
      const [id, credentials] = [newId(), newCredentials()];
      return (await repository.add({ id, username, role, ...(await sealed(id, credentials)) })) ? credentials : undefined;
    },
    async renew(username) {
      const known = await repository.credentialsOf(username);
      if (!known) return undefined;
      const credentials = newCredentials();
      await repository.replace(known.id, { role: known.role, ...(await sealed(known.id, credentials)) });
      return credentials;
    },
    async ensure({ username, role, ...credentials }) {
      const known = await repository.credentialsOf(username);
      const id = known?.id ?? newId();
      if (!known) await repository.add({ id, username, role, ...(await sealed(id, credentials)) });
      else if (known.left || known.role !== role || !(await verify(known.passwordHash, credentials.password)) || !hasSecret(key, id, known.totpSecretSealed, credentials.totpSecret))
        await repository.replace(id, { role, ...(await sealed(id, credentials)) });
    },
    async check({ username, password, code, now }) {
      const known = await repository.credentialsOf(username);
      const matches = await verify(known?.passwordHash ?? (await decoy), password.slice(0, MOST_PASSWORD));
      // The code is looked at after the password only: who does not know that cannot use codes up.
      if (!known || known.left || !matches) return undefined;
      const step = stepOfCode(unseal(key, placeOf(known.id), known.totpSecretSealed), code, now);
      return step !== undefined && (await repository.takeCode(known.id, step)) ? repository.member(known.id) : undefined;
    },
  };
}

const placeOf = (id: string): string => `staff|totp_secret_sealed|${id}`;

/** False also where it was sealed with another key: then new credentials are what helps. */
function hasSecret(key: Buffer, id: string, sealed: Buffer, base32: string): boolean {
  try {
    return unseal(key, placeOf(id), sealed).equals(Secret.fromBase32(base32).bytes);
  } catch {
    return false;
  }
}
