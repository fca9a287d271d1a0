import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { unpackedPackage } from '../infra/packages.js';
import { developmentCertificate } from '../platform/certificates.js';
import { explain, Fault } from '../platform/fault.js';
import { Secrets } from '../platform/secrets.js';
import { platformSettings } from '../platform/settings.js';

describe('an installation', () => {
  let home: string;
  beforeEach(() => { home = mkdtempSync(join(tmpdir(), 'kontor-installation-')); });
  afterEach(() => rmSync(home, { recursive: true, force: true }));

  const certificate = (path: string): X509Certificate => new X509Certificate(readFileSync(path));
  const days = (count: number): Date => new Date(Date.now() + count * 86_400_000);

  it('has a certificate for localhost that its own authority signed', async () => {
    const tls = await developmentCertificate(home);
    const leaf = certificate(tls.certificate);
    expect(leaf.verify(certificate(tls.authority).publicKey)).to.equal(true);
    expect([leaf.checkHost('localhost'), leaf.checkIP('127.0.0.1'), leaf.checkHost('example.org')]).to.deep.equal(['localhost', '127.0.0.1', undefined]);
    expect(leaf.ca).to.equal(false);
    expect(statSync(tls.key).mode & 0o777).to.equal(0o600);
    expect(statSync(join(home, 'tls/ca-key.pem')).mode & 0o777).to.equal(0o600);
  });

  it('keeps its certificate between starts and renews it before it ends, under the same authority', async () => {
    const first = await developmentCertificate(home);
    const [authority, leaf] = [readFileSync(first.authority, 'utf8'), readFileSync(first.certificate, 'utf8')];
    expect((await developmentCertificate(home, days(300))).renewed).to.equal(false);
    expect(readFileSync(first.certificate, 'utf8')).to.equal(leaf);
    expect((await developmentCertificate(home, days(380))).renewed).to.equal(true);
    expect(readFileSync(first.certificate, 'utf8')).not.to.equal(leaf);
    expect(readFileSync(first.authority, 'utf8')).to.equal(authority);
    expect(certificate(first.certificate).verify(certificate(first.authority).publicKey)).to.equal(true);
  });

  it('makes a new authority before the old one ends', async () => {
    const first = await developmentCertificate(home);
    const authority = readFileSync(first.authority, 'utf8');
    await developmentCertificate(home, days(1810));
    expect(readFileSync(first.authority, 'utf8')).not.to.equal(authority);
  });

  it('keeps secrets that only its owner can read and that stay the same', () => {
    const secrets = new Secrets(home);
    const [one, key, pair] = [secrets.get('one'), secrets.bytes32('key'), secrets.gatewayTokenKeys()];
    expect(one).to.match(/^[0-9a-f]{36}$/);
    expect(Buffer.from(key, 'base64')).to.have.length(32);
    const again = new Secrets(home);
    expect([again.get('one'), again.bytes32('key'), again.gatewayTokenKeys()]).to.deep.equal([one, key, pair]);
    expect(again.get('two')).not.to.equal(one);
    expect(statSync(join(home, 'secrets.json')).mode & 0o777).to.equal(0o600);
  });

  it('says so when its secrets are damaged, and does not make new ones over them', () => {
    writeFileSync(join(home, 'secrets.json'), '{"one": ');
    expect(() => new Secrets(home)).to.throw(Fault, 'is not valid JSON');
    expect(readFileSync(join(home, 'secrets.json'), 'utf8')).to.equal('{"one": ');
  });

  it('says what is missing where no package can be fetched', async () => {
    const path = process.env.PATH;
    process.env.PATH = home;
    try {
      const error = await unpackedPackage({ name: 'redis-server', folder: join(home, 'packages'), otherwise: 'or set REDIS_URL to a running Redis' }).then(() => null, (thrown: Error) => thrown);
      expect(error).to.be.instanceOf(Fault);
      expect(error?.message).to.equal('redis-server is not on the PATH and this machine has no apt-get and no dpkg to fetch it with: install redis-server, or set REDIS_URL to a running Redis.');
    } finally {
      process.env.PATH = path;
    }
  });
});

describe('a fault', () => {
  const system = (code: string): Error => Object.assign(new Error(`${code}: something`), { code, path: '/srv/x' });

  it('is one sentence for the person at the terminal', () => {
    expect(explain(new Fault('Do this.'))).to.equal('Do this.');
    expect(explain(system('ENOSPC'))).to.equal('The disk is full at /srv/x: free at least 1 GiB and start again.');
    expect(explain(system('EACCES'))).to.equal('This user may not write at /srv/x: change its owner, or set KONTOR_HOME to a directory you can write to.');
  });

  it('in a setting names the setting, without a stack', () => {
    const error = ((): unknown => { try { return platformSettings(tmpdir(), { GATEWAY: 'nginx' }); } catch (thrown) { return thrown; } })();
    expect(explain(error)).to.match(/^The environment is not complete:\n {2}- GATEWAY must be one of kong, embedded/).and.not.to.include('settings.ts');
  });

  it('of ours keeps its stack', () => {
    expect(explain(new TypeError('x is not a function'))).to.include('installation.test');
  });
});
