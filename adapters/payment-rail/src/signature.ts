import { createHmac, timingSafeEqual } from 'node:crypto';

/** The header that says who sent a message: `t=<unix seconds>,v1=<hex HMAC-SHA256 of "<t>.<body>">`. */
export const SIGNATURE_HEADER = 'x-rail-signature';

/** A signature is good for five minutes either way, so that a recorded message cannot be played later. */
const TOLERANCE_SECONDS = 300;

/** Signs a message. `now` is Unix time in seconds. */
export function sign(body: string | Uint8Array, secret: string, now: number): string {
  return `t=${now},v1=${macOf(body, secret, now).toString('hex')}`;
}

/** Whether `header` is a signature of `body` made within the last five minutes. Compares in constant time. */
export function isSignedBy(header: string | undefined, body: Uint8Array, secret: string, now: number): boolean {
  const match = /^t=([0-9]{1,12}),v1=([0-9a-f]{64})$/.exec(header ?? '');
  if (!match) return false;
  const at = Number(match[1]);
  const given = Buffer.from(match[2] ?? '', 'hex');
  return Math.abs(now - at) <= TOLERANCE_SECONDS && timingSafeEqual(given, macOf(body, secret, at));
}

function macOf(body: string | Uint8Array, secret: string, at: number): Buffer {
  return createHmac('sha256', secret).update(`${at}.`).update(body).digest();
}
