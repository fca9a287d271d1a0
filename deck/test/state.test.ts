import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { gatewayState, type GatewayState } from '../../scripts/administration/state.js';
import { stateFaults } from '../../scripts/administration/validation.js';
import { ENVIRONMENTS, type Environment } from '../../scripts/gateway/gateway.js';
import { FOLDER, secretValues, stateCopy, type StateCopy } from './given.js';

const HAND_WRITTEN = ['policies.yaml', ...ENVIRONMENTS.map((name) => `environments/${name}.yaml`)];
const textOf = (name: string): string => readFileSync(join(FOLDER, name), 'utf8');
const variables = [...new Set(['kong.yaml', ...HAND_WRITTEN].flatMap((name) => [...textOf(name).matchAll(/\$\{\{\s*env "([^"]+)"\s*\}\}/g)].map((match) => match[1]!)))];

describe('the decK state', () => {
  const secrets = secretValues();
  let copy: StateCopy;
  before(() => { copy = stateCopy(); });
  after(() => copy.remove());
  beforeEach(() => copy.restore());

  const state = (environment: Environment = 'sandbox', values: NodeJS.ProcessEnv = secrets): GatewayState => gatewayState(copy.folder, environment, values, {});
  const faults = async (environment?: Environment, values?: NodeJS.ProcessEnv): Promise<string[]> =>
    (await stateFaults(state(environment, values))).map(({ place, what }) => `${place.slice(place.lastIndexOf('/', place.length) + 1)}: ${what}`);

  for (const environment of ENVIRONMENTS) {
    it(`of ${environment} is valid, and guards every operation`, async () => {
      expect(await faults(environment)).to.deep.equal([]);
    });
  }

  it('has every value of the environment explained in the README', () => {
    const readme = textOf('README.md');
    for (const variable of variables) expect(readme, variable).to.include(`\`${variable}\``);
  });

  it('holds no secret: every key and password comes from the environment', () => {
    for (const name of ['kong.yaml', ...HAND_WRITTEN, ...ENVIRONMENTS.map((each) => `environments/${each}.env`)]) {
      for (const [, field, given] of textOf(name).matchAll(/^\s*(?:- )?([a-z_-]*(?:key|password|secret))\s*[:=] *(\S.*)$/gim)) {
        expect(given, `${name}: ${field}`).to.match(/^'?\$\{\{ env "/);
      }
    }
  });

  it('is taken by decK', async function () {
    if (!(process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, 'deck')))) {
      console.log('      skipped: deck is not on the PATH');
      this.skip();
    }
    for (const environment of ENVIRONMENTS) {
      const { files, values } = state(environment);
      // Plans look consumers up, which decK does against a Kong only.
      await promisify(execFile)('deck', ['file', 'validate', ...files.slice(0, 2)], { env: { ...process.env, ...values, DECK_ANALYTICS: 'off' } });
    }
  });

  describe('is refused, naming file and line, with', () => {
    const route = '      - name: getCustomer\n';
    const cases: [what: string, file: string, from: string | RegExp, to: string, fault: RegExp, linesBelow?: number][] = [
      ['an unknown plugin', 'policies.yaml', '  - name: problem-json\n', '  - name: openid-connect\n', /plugin "openid-connect": is no plugin the state may use/],
      ['a wrong field of a bundled plugin', 'policies.yaml', 'allowed_payload_size', 'allowed_payload_sice', /plugin "request-size-limiting": config\.allowed_payload_sice is no field there/],
      ['a wrong value in a shared configuration', 'policies.yaml', 'pkce: strict', 'pkce: strickt', /config\.pkce/],
      ['a wrong field of a plugin of ours', 'kong.yaml', 'operation: registerCustomer', 'opperation: registerCustomer', /config\.opperation is no field there/],
      ['a wrong field of a route', 'kong.yaml', 'strip_path: false', 'strip_paths: false', /strip_paths is no field there/],
      ['a wrong type', 'policies.yaml', 'max_age: 3600', 'max_age: long', /plugin "cors": config\.max_age must be of type/],
      ['a shared configuration that is nowhere', 'policies.yaml', "_config: 'plan-${{ env \"DECK_PLAN\" }}'", '_config: plan-golden', /_config plan-golden is not among _plugin_configs/],
      ['a route of a name that is taken', 'policies.yaml', '      - name: bank\n', route, /route "getCustomer": name is used twice/],
      ['a route for requests another takes', 'policies.yaml', "paths: ['~/oauth2/(token|authorize)$']", 'paths: [/bank]', /route "bank": takes the same requests as route oauth2/, undefined],
      ['a path that is open at its end', 'kong.yaml', '~/v1/customers$', '~/v1/customers', /also takes what comes after it/, undefined],
      ['YAML that is none', 'policies.yaml', 'plugins:\n  - name: correlation-id', 'plugins: [\n  - name: correlation-id', /is not valid YAML/, undefined],
      ['a limit that a longer period undercuts', 'policies.yaml', 'minute: 1200\n', 'minute: 12\n', /lower limit for a longer period/, undefined],
      ['an empty file', 'environments/sandbox.yaml', /[^]*/, '# nothing\n', /^sandbox\.yaml:1: the file is empty$/, 0],
      ['a file of something else', 'environments/sandbox.yaml', /[^]*/, '- a list\n', /^sandbox\.yaml:1: is no decK file/, 0],
      ['a key that is there twice', 'policies.yaml', '    pkce: strict', '    pkce: strict\n    pkce: lax', /this key is there twice/, 0],
      ['an anchor that is nowhere', 'policies.yaml', /redis: \*limits-redis/, 'redis: *limits-rediss', /\*limits-rediss names an anchor that is nowhere/],
      ['a value out of range', 'policies.yaml', 'allowed_payload_size: 256', 'allowed_payload_size: -1', /config\.allowed_payload_size must be between 1 and/],
      ['a limit of nothing', 'policies.yaml', 'second: 30', 'second: 0', /config\.second must be above 0/],
      ['no name for the key', 'policies.yaml', 'key_names: [apikey]', 'key_names: []', /config\.key_names must not be empty/],
      ['a method nobody knows', 'policies.yaml', 'methods: [GET, POST]\n        paths: [/bank]', 'methods: [GET, fetch]\n        paths: [/bank]', /route "bank": methods\[1\] must be one of/],
      ['a plugin without a name', 'policies.yaml', '  - name: problem-json\n', '  - enabled: true\n', /plugin "\?": name is required/],
      ['a plugin on a route that is nowhere', 'policies.yaml', '  - name: problem-json\n', '  - name: acl\n    route: nowhere\n    config: { allow: [x] }\n  - name: problem-json\n', /plugin "acl": route "nowhere" is not in the state/, 0],
      ['a service that is at no URL', 'policies.yaml', "url: '${{ env \"DECK_CONSENT_URL\" }}'\n    routes:", 'url: consent\n    routes:', /service "authorization": url is not an absolute URL/],
      ['a service that speaks no HTTP', 'policies.yaml', "url: '${{ env \"DECK_CONSENT_URL\" }}'\n    routes:", 'url: ftp://consent\n    routes:', /service "authorization": url must be http or https/],
      ['access records that go nowhere', 'policies.yaml', "http_endpoint: '${{ env \"DECK_AUDIT_URL\" }}/", "http_endpoint: 'audit/", /config\.http_endpoint is not an absolute URL/],
      ['no tag', 'policies.yaml', 'select_tags: [kontor]', 'select_tags: []', /_info\.select_tags is not \[kontor\]: a sync would delete/],
      ['a limit that falls away with its store', 'policies.yaml', 'fault_tolerant: false             #', 'fault_tolerant: true             #', /fault_tolerant lets every request pass/, undefined],
      ['a limit of tokens that falls away with its store', 'policies.yaml', 'minute: 1200\n    limit_by: ip\n    policy: redis\n    fault_tolerant: false', 'minute: 1200\n    limit_by: ip\n    policy: redis\n    fault_tolerant: true', /plugin "token-limit": config\.fault_tolerant lets/, undefined],
      ['a token endpoint without a limit', 'policies.yaml', /          - name: token-limit.*\n.*\n/, '', /route "oauth2": answers \/oauth2\/token and lacks token-limit/, undefined],
      ['the end of tokens without a limit', 'policies.yaml', /(?<=tokens\$'\]\n(?:.*\n){4}) +- name: rate-limiting\n.*\n/, '', /route "consent-tokens": takes the provision key and lacks a rate-limiting/, undefined],
      ['the provision key over plain HTTP', 'policies.yaml', 'protocols: [https]\n        methods: [DELETE]', 'protocols: [http, https]\n        methods: [DELETE]', /route "consent-tokens": takes the provision key without TLS/, undefined],
      ['two limits that are written back to one Redis', 'environments/sandbox.yaml', 'plugins: []', 'plugins: [{ name: rate-limiting, consumer: a, _config: plan-premium, config: { sync_rate: 1 } }]', /config\.sync_rate must be -1/, 0],
      ['a limit that is written back more often than Redis may take', 'policies.yaml', 'sync_rate: 0.25', 'sync_rate: 0.1', /config\.redis\.timeout must be below config\.sync_rate/, undefined],
      ['an operation that changes something, without a limit of its own', 'kong.yaml', /          - name: rate-limiting\n.*\n/, '', /route "openAccount": changes something and lacks a rate-limiting/, undefined],
      ['tokens that live too long', 'environments/sandbox.env', 'DECK_OAUTH2_TOKEN_EXPIRATION=900', 'DECK_OAUTH2_TOKEN_EXPIRATION=90000', /config\.token_expiration is over 7200/, undefined],
      ['a sync that would delete the portal\'s consumers', 'kong.yaml', 'select_tags:', 'select_tag:', /would delete|select_tag/, undefined],
      ['a plan for somebody unnamed', 'environments/sandbox.yaml', 'plugins: []', 'plugins: [{ name: rate-limiting, consumer: "", _config: plan-premium }]', /consumer must be a username/, 0],
    ];
    for (const [what, file, from, to, fault, ...rest] of cases) {
      it(what, async () => {
        const line = copy.edit(file, from, to);
        const found = await faults();
        expect(found.join('\n')).to.match(fault);
        expect(found[0]).to.match(/^[\w-]+\.yaml:\d+: /);
        if (rest.length === 0) expect(found.find((each) => fault.test(each))).to.match(new RegExp(`^${file}:${line}: `));
      });
    }

    it('one line for a shared configuration, however many take it, and nothing that only follows from it', async () => {
      const line = copy.edit('policies.yaml', 'refresh_token_ttl: 7776000', 'refresh_token_ttl: -5');
      expect(await faults()).to.have.length(1);
      expect((await faults())[0]).to.match(new RegExp(`^policies\\.yaml:${line}: .*config\\.refresh_token_ttl must be between .* \\(and \\d+ more alike\\)$`));
      copy.restore();
      const broken = copy.edit('policies.yaml', '    minute: 600', '\tminute: 600');
      expect(await faults()).to.deep.equal([`policies.yaml:${broken}: is not valid YAML`]);
    });

    const lacking: [plugin: string, fault: RegExp][] = [['acl', /lacks acl/], ['consent-check', /lacks consent-check/], ['gateway-identity', /lacks gateway-identity/], ['oauth2', /needs oauth2 or key-auth/]];
    for (const [plugin, fault] of lacking) {
      it(`an operation without ${plugin}`, async () => {
        copy.edit('kong.yaml', new RegExp(`          - name: ${plugin}\n`), `          - name: ${plugin}\n            enabled: false\n`);
        expect((await faults()).join('\n')).to.match(fault);
      });
    }

    it('an operation every role may call, or without TLS', async () => {
      copy.edit('kong.yaml', /allow:\n(\s+- \w+\n)+/, 'allow: []\n');
      copy.edit('kong.yaml', /protocols:\n\s+- https\n/, 'protocols: [http, https]\n');
      expect((await faults()).join('\n')).to.match(/lets every role in/).and.to.match(/without TLS/);
    });

    it('plain HTTP in production', async () => {
      copy.edit('environments/production.env', 'DECK_PAGES_PROTOCOLS=[https]', 'DECK_PAGES_PROTOCOLS=[http, https]');
      expect((await faults('production')).join()).to.match(/^policies\.yaml:\d+: route "bank": protocols has http/);
    });

    it('a missing, an empty and a broken value, never telling it', async () => {
      const { DECK_CONSENT_DECISION_KEY: _missing, ...rest } = secrets;
      expect((await faults('sandbox', rest)).join()).to.match(/^policies\.yaml:\d+: DECK_CONSENT_DECISION_KEY is not set/);
      expect((await faults('sandbox', { ...secrets, DECK_AUDIT_INGEST_KEY: '' })).join()).to.match(/DECK_AUDIT_INGEST_KEY is empty/);
      const odd = await faults('sandbox', { ...secrets, DECK_OAUTH2_PROVISION_KEY: 'se"cret', DECK_GATEWAY_TOKEN_PRIVATE_KEY: 'bm90IGEga2V5', DECK_KYC_URL: 'kyc' });
      expect(odd.join()).to.match(/PROVISION_KEY has a quote/).and.to.match(/PRIVATE_KEY is not the base64/).and.to.match(/DECK_KYC_URL is not an absolute URL/);
      expect(odd.join()).not.to.match(/se"cret|bm90/);
    });
  });
});
