/** Sealing of personal data: AES-256-GCM with a data key for each subject, the data keys wrapped by the master key. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const IV_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;

/** Where a sealed value stands; it opens nowhere else (additional authenticated data `table|column|row`). */
export interface Place {
  table: string;
  column: string;
  row: string;
}

/** Seals bytes: 12 bytes of nonce, 16 of tag, then the ciphertext. */
export function seal(key: Buffer, plain: Buffer, place: Place): Buffer {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(aad(place));
  const sealed = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), sealed]);
}

/** Opens what `seal` made. @throws Error when key, place or bytes are not the ones it was sealed with */
export function unseal(key: Buffer, sealed: Buffer, place: Place): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(aad(place)).setAuthTag(sealed.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
  return Buffer.concat([decipher.update(sealed.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]);
}

/** A fresh data key for a subject, wrapped. */
export function newDataKey(masterKey: Buffer, subject: string): Buffer {
  return seal(masterKey, randomBytes(KEY_BYTES), keyPlace(subject));
}

/** The data key of a subject. */
export function unwrapDataKey(masterKey: Buffer, wrapped: Buffer, subject: string): Buffer {
  return unseal(masterKey, wrapped, keyPlace(subject));
}

function keyPlace(subject: string): Place {
  return { table: 'data_keys', column: 'wrapped', row: subject };
}

/** Each part after its length, so that no two places give the same bytes. */
function aad({ table, column, row }: Place): Buffer {
  return Buffer.from([table, column, row].map((part) => `${part.length}:${part}`).join('|'), 'utf8');
}
