import 'reflect-metadata';
import { createPrivateKey, webcrypto, X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';
import { Fault } from './fault.js';

/** Files of the gateway's certificate; only `authority` is to be given to clients. */
export interface TlsFiles { authority: string; certificate: string; key: string }

const DAY_MS = 86_400_000;
const AUTHORITY_DAYS = 1825;
const LEAF_DAYS = 397; // the longest a browser accepts
const RENEW_DAYS = 30;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

/**
 * A certificate for `names` (localhost), 127.0.0.1 and ::1 from a development authority of this installation, in `<home>/tls`. Both are
 * kept between starts and made anew within 30 days of their end.
 */
export async function developmentCertificate(home: string, now = new Date(), names: string[] = ['localhost']): Promise<TlsFiles & { renewed: boolean }> {
  const directory = join(home, 'tls');
  mkdirSync(directory, { recursive: true });
  const authorityKeyFile = join(directory, 'ca-key.pem');
  const files: TlsFiles = { authority: join(directory, 'ca.pem'), certificate: join(directory, 'server.pem'), key: join(directory, 'server-key.pem') };
  x509.cryptoProvider.set(webcrypto as never);
  const soon = new Date(now.getTime() + RENEW_DAYS * DAY_MS);
  const authorityGood = outlives(files.authority, soon) && existsSync(authorityKeyFile);
  if (authorityGood && outlives(files.certificate, soon) && existsSync(files.key)) return { ...files, renewed: false };
  const authorityKeys = authorityGood ? await readKey(authorityKeyFile) : await makeAuthority(files.authority, authorityKeyFile, now);
  await makeLeaf(files, authorityKeys, now, names);
  return { ...files, renewed: true };
}

/**
 * A certificate of the installation's own, as production has one.
 * @throws Fault when it is not good now, is not for localhost (by which our processes call the gateway), or does not fit its key or authority
 */
export function givenCertificate(files: TlsFiles, now = new Date()): TlsFiles & { renewed: boolean } {
  const read = (path: string, name: string): string => {
    if (!existsSync(path)) throw new Fault(`${name} names ${path}, which is not there.`);
    return readFileSync(path, 'utf8');
  };
  const parsed = <T>(path: string, name: string, what: string, make: (pem: string) => T): T => {
    const pem = read(path, name);
    try {
      return make(pem);
    } catch {
      throw new Fault(`${name} (${path}) is not ${what} in PEM.`);
    }
  };
  const certificate = parsed(files.certificate, 'GATEWAY_CERT_FILE', 'a certificate', (pem) => new X509Certificate(pem));
  const key = parsed(files.key, 'GATEWAY_KEY_FILE', 'a private key without a passphrase', (pem) => createPrivateKey(pem));
  parsed(files.authority, 'GATEWAY_CA_FILE', 'a certificate', (pem) => new X509Certificate(pem));
  if (now < new Date(certificate.validFrom) || now > new Date(certificate.validTo)) throw new Fault(`The certificate of GATEWAY_CERT_FILE is good from ${certificate.validFrom} to ${certificate.validTo}, and not now.`);
  if (!certificate.checkPrivateKey(key)) throw new Fault('The key of GATEWAY_KEY_FILE is not that of the certificate of GATEWAY_CERT_FILE.');
  if (!certificate.checkHost('localhost')) throw new Fault('The certificate of GATEWAY_CERT_FILE is not for localhost, by which the platform itself calls the gateway: add that name.');
  return { ...files, renewed: false };
}

async function makeAuthority(certificateFile: string, keyFile: string, now: Date): Promise<webcrypto.CryptoKey> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']) as webcrypto.CryptoKeyPair;
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=Kontor development authority', keys, signingAlgorithm: ALGORITHM, serialNumber: serial(),
    notBefore: yesterday(now), notAfter: new Date(now.getTime() + AUTHORITY_DAYS * DAY_MS),
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  await writeKey(keyFile, keys.privateKey);
  writeFileSync(certificateFile, `${certificate.toString('pem')}\n`);
  return keys.privateKey;
}

async function makeLeaf(files: TlsFiles, signingKey: webcrypto.CryptoKey, now: Date, names: string[]): Promise<void> {
  const issuer = new x509.X509Certificate(readFileSync(files.authority, 'utf8'));
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']) as webcrypto.CryptoKeyPair;
  const certificate = await x509.X509CertificateGenerator.create({
    subject: 'CN=localhost', issuer: issuer.subject, publicKey: keys.publicKey, signingKey, signingAlgorithm: ALGORITHM, serialNumber: serial(),
    notBefore: yesterday(now), notAfter: new Date(Math.min(now.getTime() + LEAF_DAYS * DAY_MS, issuer.notAfter.getTime())),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([
        ...names.map((value) => ({ type: 'dns' as const, value })), { type: 'ip', value: '127.0.0.1' }, { type: 'ip', value: '::1' },
      ]),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  });
  await writeKey(files.key, keys.privateKey);
  writeFileSync(files.certificate, `${certificate.toString('pem')}\n`);
}

function outlives(file: string, date: Date): boolean {
  return existsSync(file) && new Date(new X509Certificate(readFileSync(file)).validTo) > date;
}

/** A day back: a client whose clock is a little late still accepts it. */
function yesterday(now: Date): Date {
  return new Date(now.getTime() - DAY_MS);
}

/** A positive number of 15 random bytes (RFC 5280 §4.1.2.2 allows 20). */
function serial(): string {
  return `01${Buffer.from(webcrypto.getRandomValues(new Uint8Array(15))).toString('hex')}`;
}

async function writeKey(file: string, key: webcrypto.CryptoKey): Promise<void> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key)).toString('base64');
  writeFileSync(file, `-----BEGIN PRIVATE KEY-----\n${der.replace(/.{64}/g, '$&\n').trim()}\n-----END PRIVATE KEY-----\n`, { mode: 0o600 });
}

async function readKey(file: string): Promise<webcrypto.CryptoKey> {
  const der = Buffer.from(readFileSync(file, 'utf8').replace(/-----[^-]+-----/g, ''), 'base64');
  return await webcrypto.subtle.importKey('pkcs8', der, ALGORITHM, true, ['sign']) as webcrypto.CryptoKey;
}
