/** Secrets of the gateway's database: how they are made, hashed and compared. */
import { createHash, pbkdf2, randomBytes, randomInt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

const derive = promisify(pbkdf2);

/** Kong 3.9 oauth2/secret.lua: PBKDF2 with SHA-512. */
const DIGEST = 'sha512';
const ITERATIONS = 10_000;
const LENGTH = 32;

/** 32 letters and digits from 24 random bytes: the form of Kong's tokens, codes and generated secrets. */
export function randomToken(): string {
  return randomBytes(24).toString('base64').replace(/\//g, () => String.fromCharCode(randomInt(65, 91))).replace(/\+/g, () => String.fromCharCode(randomInt(97, 123)));
}

/** Hash under which a random token is stored and found; no salt, because the token itself has 192 random bits. */
export function fingerprint(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/** Hashes a client secret into the PHC text Kong stores: `$pbkdf2-sha512$i=10000,l=32$salt$hash`. */
export async function hashSecret(secret: string): Promise<string> {
  const salt = randomBytes(16);
  const hash = await derive(secret, salt, ITERATIONS, LENGTH, DIGEST);
  return `$pbkdf2-${DIGEST}$i=${ITERATIONS},l=${LENGTH}$${bare(salt)}$${bare(hash)}`;
}

/** Whether `secret` is the one behind `stored`, hashed or plain. Takes the same time for every wrong secret of a kind. */
export async function verifySecret(secret: string, stored: string, hashed: boolean): Promise<boolean> {
  if (!hashed) return timingSafeEqual(fingerprint(secret), fingerprint(stored));
  const found = /^\$pbkdf2-sha512\$i=(\d{1,7}),l=(\d{1,3})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/.exec(stored);
  if (!found) return false;
  const expected = Buffer.from(found[4]!, 'base64');
  const actual = await derive(secret, Buffer.from(found[3]!, 'base64'), Number(found[1]), expected.length, DIGEST);
  return timingSafeEqual(actual, expected);
}

function bare(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}
