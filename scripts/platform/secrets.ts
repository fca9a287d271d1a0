import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from './fault.js';

/** Passwords and keys of this installation: made at the first start, kept in `<home>/secrets.json` (0600), never printed. */
export class Secrets {
  readonly #path: string;
  readonly #values: Record<string, string>;

  constructor(home: string) {
    this.#path = join(home, 'secrets.json');
    try {
      this.#values = existsSync(this.#path) ? JSON.parse(readFileSync(this.#path, 'utf8')) as Record<string, string> : {};
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw new Fault(`${this.#path} is not valid JSON: restore it from a copy, or delete the whole directory ${home} to begin with an empty bank.`);
    }
  }

  /** The secret of that name; `make` is called the first time. */
  get(name: string, make: () => string = password): string {
    const known = this.#values[name];
    if (known !== undefined) return known;
    const made = make();
    this.#set({ [name]: made });
    return made;
  }

  /** 32 random bytes in base64. */
  bytes32(name: string): string {
    return this.get(name, () => randomBytes(32).toString('base64'));
  }

  /** The ES256 key pair that signs gateway tokens: each half as base64 of its PEM (PKCS8 and SPKI). */
  gatewayTokenKeys(): { privateKey: string; publicKey: string } {
    if (this.#values.gatewayTokenPrivateKey === undefined || this.#values.gatewayTokenPublicKey === undefined) {
      const pair = generateKeyPairSync('ec', {
        namedCurve: 'P-256', privateKeyEncoding: { type: 'pkcs8', format: 'pem' }, publicKeyEncoding: { type: 'spki', format: 'pem' },
      });
      this.#set({
        gatewayTokenPrivateKey: Buffer.from(pair.privateKey).toString('base64'),
        gatewayTokenPublicKey: Buffer.from(pair.publicKey).toString('base64'),
      });
    }
    return { privateKey: this.#values.gatewayTokenPrivateKey!, publicKey: this.#values.gatewayTokenPublicKey! };
  }

  #set(values: Record<string, string>): void {
    Object.assign(this.#values, values);
    writeFileSync(`${this.#path}.new`, `${JSON.stringify(this.#values, null, 2)}\n`, { mode: 0o600 });
    renameSync(`${this.#path}.new`, this.#path);
  }
}

/** 144 random bits that need no escaping in a URL, a shell or a configuration file. */
export function password(): string {
  return randomBytes(18).toString('hex');
}
