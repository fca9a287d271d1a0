import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { definitions } from '../../kong/embedded/definitions.js';
import { loadState, StateError, type State } from '../../kong/embedded/state.js';
import { DECK_STATE, deckVariables, PROBE_STATE } from './target.js';

const schemas = new Map([...definitions].map(([name, { schema }]) => [name, schema]));

describe('The state of the gateway', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kontor-state-'));
  after(() => rmSync(folder, { recursive: true }));

  function load(text: string, env: Record<string, string> = {}): Promise<State> {
    const file = join(folder, 'state.yaml');
    writeFileSync(file, text);
    return loadState([file], schemas, env);
  }

  async function faultsOf(text: string, env: Record<string, string> = {}): Promise<string[]> {
    try {
      await load(text, env);
    } catch (fault) {
      if (fault instanceof StateError) return fault.faults.map(({ where, what }) => `${where}: ${what}`);
      throw fault;
    }
    throw new Error('the state was accepted');
  }

  const service = (more: string) => `_format_version: "3.0"\nservices:\n  - name: payment\n    url: http://127.0.0.1:4004\n${more}`;
  const route = (more: string) => service(`    routes:\n      - name: pay\n        paths: [/pay]\n${more}`);

  it('of the house is served as it stands', async () => {
    const state = await loadState(DECK_STATE, schemas, deckVariables('http://127.0.0.1:1'));
    expect(state.routes.length).to.be.greaterThan(40);
    expect(state.plugins.filter((plugin) => plugin.name === 'consent-check')).to.not.be.empty;
  });

  it('of the suite is served as it stands', async () => {
    const more = { DECK_PROBE_URL: 'http://127.0.0.1:1', DECK_CLOSED_PORT: '1', DECK_HANGING_PORT: '2' };
    expect((await loadState(PROBE_STATE, schemas, deckVariables('http://127.0.0.1:1', more))).routes).to.not.be.empty;
  });

  it('fills in Kong\'s defaults', async () => {
    const state = await load(route(''));
    expect(state.services[0]).to.include({ host: '127.0.0.1', port: 4004, protocol: 'http', path: '', retries: 5, connectTimeoutMs: 60_000, readTimeoutMs: 60_000 });
    expect(state.routes[0]).to.deep.include({ protocols: ['http', 'https'], stripPath: true, preserveHost: false, regexPriority: 0 });
  });

  it('gives shared configurations to plugins, whose own keys win', async () => {
    const state = await load(`_plugin_configs:\n  limits: { second: 5, minute: 50 }\n${route('        plugins:\n          - name: rate-limiting\n            _config: limits\n            config: { minute: 60 }\n')}`);
    expect(state.plugins[0]!.config).to.include({ second: 5, minute: 60, policy: 'local', fault_tolerant: true });
  });

  it('takes variables from the environment, and only DECK_ ones', async () => {
    expect((await load(service('    connect_timeout: ${{ env "DECK_MS" }}\n'), { DECK_MS: '250' })).services[0]!.connectTimeoutMs).to.equal(250);
    expect(await faultsOf(service('    connect_timeout: ${{ env "DECK_MS" }}\n'))).to.deep.equal(['state.yaml: the variable DECK_MS is named in the state but not set']);
    expect(await faultsOf(service('    connect_timeout: ${{ env "HOME" }}\n'), { HOME: '1' })).to.deep.equal(['state.yaml: the variable HOME must begin with DECK_']);
    expect(await faultsOf(service('    tags: [\'${{ env "DECK_T" }}\']\n'), { DECK_T: 'a\', b: \'c' })).to.match(/a quote/);
  });

  const refused: [what: string, text: string, fault: RegExp][] = [
    ['an unknown key of a file', `${service('')}consumers: []\n`, /state\.yaml: consumers is not known/],
    ['another format version', service('').replace('3.0', '1.1'), /_format_version must be "3.0"/],
    ['an unknown field of a service', service('    client_certificate: x\n'), /service "payment": client_certificate is not known/],
    ['an unknown field of a route', route('        hosts: [bank.test]\n'), /route "pay": hosts is not known/],
    ['another path handling', route('        path_handling: v1\n'), /route "pay": path_handling is not supported/],
    ['an unknown plugin', route('        plugins: [{ name: opa }]\n'), /route "pay": plugin "opa": is not known/],
    ['a misspelt field of a plugin', route('        plugins: [{ name: acl, config: { alow: [aisp] } }]\n'), /plugin "acl": config\.alow is not known/],
    ['a value the embedded gateway cannot serve', route('        plugins: [{ name: rate-limiting, config: { second: 1, policy: cluster } }]\n'), /config\.policy is not supported by the embedded gateway/],
    ['a grant it cannot serve', route('        plugins: [{ name: oauth2, config: { provision_key: k, global_credentials: true, enable_password_grant: true } }]\n'), /config\.enable_password_grant is not supported/],
    ['an anonymous consumer', route('        plugins: [{ name: key-auth, config: { anonymous: someone } }]\n'), /config\.anonymous is not known/],
    ['a missing required field', route('        plugins: [{ name: gateway-identity, config: {} }]\n'), /plugin "gateway-identity": config\.private_key is required/],
    ['a value of another type', route('        plugins: [{ name: acl, config: { allow: aisp } }]\n'), /config\.allow must be a list/],
    ['a reference to nothing', route('        plugins: [{ name: acl, _config: missing }]\n'), /_config missing is not among _plugin_configs/],
    ['a route of an unknown service', '_format_version: "3.0"\nroutes: [{ name: a, paths: [/a], service: { name: b } }]\n', /service "b" is not in the state/],
    ['two routes of one name', service('    routes: [{ name: a, paths: [/a] }, { name: a, paths: [/b] }]\n'), /name is used twice/],
    ['a plugin twice in one place', route('        plugins: [{ name: acl, config: { allow: [a] } }, { name: acl, config: { allow: [b] } }]\n'), /is there twice/],
    ['a path that is no regular expression', route('').replace('[/pay]', '["~/pay("]'), /is not a regular expression/],
    ['a path Kong\'s router cannot compile', route('').replace('[/pay]', '["~/pay(?=x)"]'), /look-around/],
    ['an unanchored alternative', route('').replace('[/pay]', '["~/pay$|/admin"]'), /alternative outside a group/],
    ['a template that is not understood', service('    tags: [\'${{ file "secret" }}\']\n'), /has an expression that is not/],
    ['a file that is no YAML', '_format_version: "3.0"\nservices: [\n', /is not valid YAML/],
  ];
  for (const [what, text, fault] of refused) {
    it(`with ${what} stops the start, by name`, async () => {
      expect((await faultsOf(text)).join('\n')).to.match(fault);
    });
  }

  it('tells all its faults at once, and never a secret', async () => {
    const faults = await faultsOf(route('        hosts: [a]\n        snis: [b]\n        plugins: [{ name: key-auth, config: { secret_thing: ${{ env "DECK_SECRET" }} } }]\n'), { DECK_SECRET: 'very-secret-value' });
    expect(faults).to.have.length(3);
    expect(faults.join()).to.not.include('very-secret-value');
  });
});
