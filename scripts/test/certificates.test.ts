import { expect } from 'chai';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { developmentCertificate, givenCertificate, type TlsFiles } from '../platform/certificates.js';
import { givenTls, platformSettings } from '../platform/settings.js';

describe('the certificate that is given to the gateway', () => {
  let home: string;
  let files: TlsFiles;
  before(async () => {
    home = mkdtempSync(join(tmpdir(), 'kontor-certificates-'));
    files = await developmentCertificate(home);
  });
  after(() => rmSync(home, { recursive: true }));
  const refusal = (given: Partial<TlsFiles>, now?: Date): string => {
    try {
      givenCertificate({ ...files, ...given }, now);
      return 'it was not refused';
    } catch (error) {
      return (error as Error).message;
    }
  };

  it('is taken as it is when it is good', () => {
    expect(givenCertificate(files)).to.include({ certificate: files.certificate, key: files.key, authority: files.authority });
  });

  it('is refused when a file is not there or is none, when it is over, for somebody else, or not of its key', async () => {
    const text = join(home, 'text.pem');
    writeFileSync(text, 'no PEM');
    expect(refusal({ key: join(home, 'nowhere.pem') })).to.match(/^GATEWAY_KEY_FILE names .*nowhere\.pem, which is not there\.$/);
    for (const [file, name] of [['certificate', 'CERT'], ['key', 'KEY'], ['authority', 'CA']] as const) expect(refusal({ [file]: text })).to.match(new RegExp(`^GATEWAY_${name}_FILE \\(.*text\\.pem\\) is not .* in PEM\\.$`));
    expect(refusal({}, new Date(Date.now() + 400 * 86_400_000))).to.match(/is good from .* and not now/);
    expect(refusal({ key: join(home, 'tls/ca-key.pem') })).to.match(/is not that of the certificate/);
    const other = join(home, 'other');
    cpSync(join(home, 'tls/ca.pem'), join(other, 'tls/ca.pem'), { recursive: true });
    cpSync(join(home, 'tls/ca-key.pem'), join(other, 'tls/ca-key.pem'));
    const foreign = await developmentCertificate(other, new Date(), ['bank.example']);
    expect(refusal(foreign)).to.match(/is not for localhost/);
  });

  it('is three files or none', () => {
    const settings = (env: NodeJS.ProcessEnv): ReturnType<typeof platformSettings> => platformSettings(home, env);
    expect(givenTls(settings({}))).to.equal(undefined);
    expect(givenTls(settings({ GATEWAY_CERT_FILE: 'a.pem', GATEWAY_KEY_FILE: '/b.pem', GATEWAY_CA_FILE: 'c.pem' }))).to.deep.equal({ certificate: join(home, 'a.pem'), key: '/b.pem', authority: join(home, 'c.pem') });
    expect(() => givenTls(settings({ GATEWAY_CERT_FILE: 'a.pem' }))).to.throw(/belong together: set all three, or none/);
  });
});
