/**
 * Writes the secrets docker compose asks for to `.kontor/compose.env` (0600): every `${NAME:?…}` of docker-compose.yml and
 * every secret it takes from the environment that the file does not have yet; the certificate is made anew when its end is near,
 * and its authority lies beside it for the programs to trust. Then: docker compose --env-file .kontor/compose.env up --build
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseEnv } from 'node:util';
import { newId } from '@kontor/kernel/ids';
import { developmentCertificate } from './platform/certificates.js';
import { password } from './platform/secrets.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const home = join(root, '.kontor/compose');
const path = join(root, '.kontor/compose.env');

/** The value of a name nobody has set yet. */
function make(name: string): Record<string, string> {
  if (name.startsWith('GATEWAY_TOKEN_')) {
    const pair = generateKeyPairSync('ec', {
      namedCurve: 'P-256', privateKeyEncoding: { type: 'pkcs8', format: 'pem' }, publicKeyEncoding: { type: 'spki', format: 'pem' },
    });
    const base64 = (pem: string): string => Buffer.from(pem).toString('base64');
    return { GATEWAY_TOKEN_PRIVATE_KEY: base64(pair.privateKey), GATEWAY_TOKEN_PUBLIC_KEY: base64(pair.publicKey) };
  }
  if (name.endsWith('_CLIENT_ID')) return { [name]: newId() };
  if (['CREDENTIALS_KEY', 'OFFICE_CREDENTIALS_KEY', 'AUDIT_MASTER_KEY', 'WEBHOOK_SECRETS_KEY'].includes(name)) return { [name]: randomBytes(32).toString('base64') };
  return { [name]: password() };
}

/** The gateway's certificate, good for at least a month; containers of another user read its authority (`./tls/ca.pem`). */
async function certificate(): Promise<Record<string, string>> {
  const tls = await developmentCertificate(home, new Date(), ['localhost', 'kong']);
  chmodSync(tls.authority, 0o644);
  const text = (file: string): string => readFileSync(file, 'utf8').trim();
  return { TLS_CERTIFICATE: text(tls.certificate), TLS_KEY: text(tls.key) };
}

mkdirSync(home, { recursive: true });
const values = existsSync(path) ? parseEnv(readFileSync(path, 'utf8')) as Record<string, string> : {};
const asked = readFileSync(join(root, 'docker-compose.yml'), 'utf8').matchAll(/\$\{([A-Z0-9_]+):\?|\{ environment: ([A-Z0-9_]+) \}/g);
const names = new Set([...asked].map((match) => (match[1] ?? match[2])!));
const before = Object.keys(values).length;
Object.assign(values, await certificate());
for (const name of names) if (values[name] === undefined) Object.assign(values, make(name));
writeFileSync(`${path}.new`, Object.entries(values).map(([name, value]) => `${name}="${value}"\n`).join(''), { mode: 0o600 });
renameSync(`${path}.new`, path);
console.log(`${path}: ${names.size} secrets, ${Object.keys(values).length - before} of them new.\nNext: docker compose --env-file .kontor/compose.env up --build --detach`);
