/** Signing secrets: made here, shown once, kept sealed. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/** A new secret of 32 random bytes in the form of Standard Webhooks. */
export function newSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`;
}

/** What a sealed secret is bound to: a row copied over another does not open. */
const bindingOf = (endpointId: string): Buffer => Buffer.from(`webhook_endpoints|sealed_secret|${endpointId}`);

const [IV, TAG] = [12, 16];

/** AES-256-GCM under WEBHOOK_SECRETS_KEY: version byte 1, 12 bytes nonce, 16 bytes tag, ciphertext. */
export function seal(secret: string, endpointId: string, key: Buffer): Buffer {
  const nonce = randomBytes(IV);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG }).setAAD(bindingOf(endpointId));
  const sealed = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
  return Buffer.concat([Buffer.of(1), nonce, cipher.getAuthTag(), sealed]);
}

/** @throws Error when the key is another, or the bytes were changed or belong to another endpoint */
export function unseal(sealed: Buffer, endpointId: string, key: Buffer): string {
  if (sealed[0] !== 1) throw new Error('the secret is sealed in a way this version does not know');
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(1, 1 + IV), { authTagLength: TAG }).setAAD(bindingOf(endpointId));
  decipher.setAuthTag(sealed.subarray(1 + IV, 1 + IV + TAG));
  return Buffer.concat([decipher.update(sealed.subarray(1 + IV + TAG)), decipher.final()]).toString('utf8');
}
