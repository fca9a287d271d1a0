import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { plugins } from '../../plugins/index.js';
import { readState, stateFaults, variablesOf, type StateFile } from './state-rules.js';

const FOLDER = fileURLToPath(new URL('..', import.meta.url));
const NAMES = ['kong.yaml', 'policies.yaml'];
const texts = Object.fromEntries(NAMES.map((name) => [name, readFileSync(join(FOLDER, name), 'utf8')]));
const value = (name: string): string => (name.endsWith('_URL') ? 'http://127.0.0.1:4000' : /_PORT$|_EXPIRATION$/.test(name) ? '900' : 'value');

/** Fields of `config` of each of our plugins. */
const ours = Object.fromEntries(Object.entries(plugins).map(([name, { schema }]) => {
  const config = schema.fields.map((field) => field.config as { fields: Record<string, unknown>[] } | undefined).find(Boolean);
  return [name, (config?.fields ?? []).flatMap(Object.keys)];
}));

const read = (): Record<string, StateFile> => Object.fromEntries(NAMES.map((name) => [name, readState(texts[name] as string, value)]));

describe('the decK state', () => {
  it('parses, names plugins that exist, resolves every shared configuration and guards every operation', () => {
    expect(stateFaults(read(), ours)).to.deep.equal([]);
    expect(read()['kong.yaml']?.services).to.not.be.empty;
  });

  it('has every value of the environment explained in the README', () => {
    const readme = readFileSync(join(FOLDER, 'README.md'), 'utf8');
    for (const variable of NAMES.flatMap((name) => variablesOf(texts[name] as string))) expect(readme, variable).to.include(`\`${variable}\``);
  });

  it('holds no secret: every key and password comes from the environment', () => {
    for (const name of NAMES) {
      for (const [, field, given] of (texts[name] as string).matchAll(/^\s*(?:- )?([a-z_-]*(?:key|password|secret))\s*: *(\S.*)$/gim)) {
        expect(given, `${name}: ${field}`).to.match(/^'?\$\{\{ env "/);
      }
    }
  });

  it('is taken by decK', async function () {
    if (!(process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, 'deck')))) {
      console.log('      skipped: deck is not on the PATH');
      this.skip();
    }
    const values = Object.fromEntries(NAMES.flatMap((name) => variablesOf(texts[name] as string)).map((name) => [name, value(name)]));
    const env = { ...process.env, ...values, DECK_ANALYTICS: 'off' };
    await promisify(execFile)('deck', ['file', 'validate', ...NAMES.map((name) => join(FOLDER, name))], { env });
  });

  describe('is refused with', () => {
    const guilty = (change: (files: Record<string, StateFile>) => void): string => {
      const files = read();
      change(files);
      return stateFaults(files, ours).join('\n');
    };
    const firstRoute = (files: Record<string, StateFile>) => files['kong.yaml']!.services!.find((service) => service.routes!.length > 0)!.routes![0]!;

    it('a plugin nobody has', () => {
      expect(guilty((files) => files['policies.yaml']!.plugins!.push({ name: 'openid-connect' }))).to.match(/no plugin openid-connect/);
    });
    it('a shared configuration that is nowhere', () => {
      expect(guilty((files) => { delete files['policies.yaml']!._plugin_configs!.oauth2; })).to.match(/_config oauth2 of oauth2 is nowhere/);
    });
    it('a field our plugin does not have', () => {
      expect(guilty((files) => { firstRoute(files).plugins!.find((one) => one.name === 'consent-check')!.config!.permision = 'x'; })).to.match(/has no field permision/);
    });
    it('an operation without its consent check', () => {
      expect(guilty((files) => { firstRoute(files).plugins = firstRoute(files).plugins!.filter((one) => one.name !== 'consent-check'); })).to.match(/lacks consent-check/);
    });
    it('an operation anybody may call', () => {
      expect(guilty((files) => { firstRoute(files).plugins = firstRoute(files).plugins!.filter((one) => one.name !== 'oauth2'); })).to.match(/needs oauth2 or key-auth/);
    });
    it('an operation every role may call', () => {
      expect(guilty((files) => { firstRoute(files).plugins!.find((one) => one.name === 'acl')!.config!.allow = []; })).to.match(/lets every role in/);
    });
    it('an operation over plain HTTP', () => {
      expect(guilty((files) => { firstRoute(files).protocols = ['http', 'https']; })).to.match(/without TLS/);
    });
    it('a path that is open at its end', () => {
      expect(guilty((files) => { firstRoute(files).paths = ['/v1/accounts']; })).to.match(/also takes what comes after it/);
    });
    it('two routes of one name', () => {
      expect(guilty((files) => { files['policies.yaml']!.services![0]!.routes![0]!.name = firstRoute(files).name; })).to.match(/is also in/);
    });
    it('a sync that would delete the portal\'s consumers', () => {
      expect(guilty((files) => { delete files['kong.yaml']!._info; })).to.match(/would delete/);
    });
    it('YAML that is none', () => {
      expect(() => readState(`${stringify({ a: 1 })}\n  b: [`, value)).to.throw();
    });
  });
});
