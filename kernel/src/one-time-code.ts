import { Secret, TOTP } from 'otpauth';

const STEP_S = 30;

/**
 * The step of time-based one-time codes (RFC 6238: SHA-1, six digits, 30 s) that a code is for, one step of drift either way;
 * undefined when it is for none of them. Who accepts it accepts each step once, the highest so far counts (§5.2).
 */
export function stepOfCode(secret: Uint8Array, code: string, now: Date): number | undefined {
  const totp = new TOTP({ secret: new Secret({ buffer: new Uint8Array(secret).buffer }), digits: 6, period: STEP_S });
  const drift = totp.validate({ token: code, timestamp: now.getTime(), window: 1 });
  return drift === null ? undefined : Math.floor(now.getTime() / 1000 / STEP_S) + drift;
}
