import { createHmac } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { composeIBAN } from 'ibantools';

/** An account of the simulated core. */
export interface CoreAccount {
  requestId: string;
  customerReference: string;
  product: string;
  currency: string;
  coreReference: string;
  iban: string;
}

/** The books of the simulated core: JSON lines on disk, each on stable storage before it is answered. */
export interface Books {
  find(requestId: string): CoreAccount | undefined;
  open(order: { requestId: string; customerReference: string; product: string; currency: string }): CoreAccount;
  close(): void;
}

/** Nine leads no German bank code (Bundesbank: first digit 1 to 8 is the clearing area), so no such bank exists. */
const BANK_CODE = '99700001';

/**
 * Opens the books in `file`. A line cut short by a kill was never answered, and is dropped.
 * @param seed decides the account numbers: the same seed and request id give the same IBAN, in any order
 */
export function openBooks(file: string, seed: string): Books {
  mkdirSync(dirname(file), { recursive: true });
  const byRequest = new Map<string, CoreAccount>();
  const ibans = new Set<string>();
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  for (const line of whole.split('\n').filter(Boolean)) remember(JSON.parse(line) as CoreAccount);
  const descriptor = openSync(file, 'a');
  ftruncateSync(descriptor, Buffer.byteLength(whole));

  function remember(account: CoreAccount): void {
    byRequest.set(account.requestId, account);
    ibans.add(account.iban);
  }

  function freeIban(requestId: string): string {
    for (let attempt = 0; ; attempt++) {
      const iban = ibanOf(seed, requestId, attempt);
      if (!ibans.has(iban)) return iban;
    }
  }

  return {
    find: (requestId) => byRequest.get(requestId),
    open(order) {
      const iban = freeIban(order.requestId);
      const account = { ...order, coreReference: `CORE-${iban.slice(-10)}`, iban };
      writeSync(descriptor, `${JSON.stringify(account)}\n`);
      fsyncSync(descriptor);
      remember(account);
      return account;
    },
    close: () => closeSync(descriptor),
  };
}

/** The account number of a request, with its check digits (ISO 13616, ISO 7064 MOD 97-10). */
export function ibanOf(seed: string, requestId: string, attempt = 0): string {
  const digest = createHmac('sha256', seed).update(`${requestId}/${attempt}`).digest();
  const number = (digest.readBigUInt64BE(0) % 10_000_000_000n).toString().padStart(10, '0');
  const iban = composeIBAN({ countryCode: 'DE', bban: BANK_CODE + number });
  if (iban === null) throw new Error('no IBAN can be composed');
  return iban;
}
