import { expect } from 'chai';
import { parse, stringify } from 'yaml';
import { pdkSettings, withPdkGuards } from '../../scripts/gateway/kong-pdk.js';
import { verdict } from '../host-pdk/verdict.js';
import type { Dossier } from '../host-pdk/dossier.js';
import { allow, type Decision } from '../plugin.js';

const REQUIRED = ['consent-check', 'bian-mapping', 'gateway-identity'];
const FACTS = { method: 'GET', path: '/', route: '', pathParameters: {}, headers: {}, scopes: [], roles: [], correlationId: 'c', now: 0 };

interface Holder { plugins?: { name: string; config?: unknown }[] }

function dossier(change: Record<string, unknown> = {}): Dossier {
  return { request: 'r', facts: FACTS, decisions: { ...Object.fromEntries(REQUIRED.map((name) => [name, allow()])), ...change } as Record<string, Decision> };
}

describe('what decisions of plugins out of process come to', () => {
  const refusal = { kind: 'refuse', status: 403, code: 'consent_revoked', title: 't', detail: 'd', headers: { 'x-own': '1' } } as const;

  it('allows when all have allowed, with the changes of all; a later plugin clears what an earlier one set', () => {
    const reached = verdict(dossier({
      'consent-check': { ...allow(), log: { operation: 'o' } },
      'bian-mapping': { ...allow(), setRequestHeaders: { a: '1', b: '1' }, setResponseHeaders: { e: '1' }, upstream: { method: 'PATCH', path: '/v1/x' } },
      'gateway-identity': { ...allow(), clearRequestHeaders: ['a'], setRequestHeaders: { t: '1' } },
    }), 'r', REQUIRED);
    expect(reached).to.deep.equal({
      kind: 'allow', clearRequestHeaders: ['a'], setRequestHeaders: { b: '1', t: '1' }, setResponseHeaders: { e: '1' }, upstream: { method: 'PATCH', path: '/v1/x' }, log: { operation: 'o' },
    });
  });

  it('refuses as the first plugin that refuses, whatever later ones say', () => {
    expect(verdict(dossier({ 'consent-check': { ...allow(), setResponseHeaders: { e: '1' }, log: { operation: 'o' } }, 'bian-mapping': refusal }), 'r', REQUIRED))
      .to.deep.equal({ ...refusal, headers: { e: '1', 'x-own': '1' }, log: { operation: 'o' } });
  });

  const UNDECIDED: Record<string, [Dossier | undefined, string?]> = {
    'no dossier': [undefined],
    'a dossier that is text': ['x' as unknown as Dossier],
    'a dossier of another request': [dossier(), 'another'],
    'no decisions': [{ request: 'r', facts: FACTS } as unknown as Dossier],
    'a plugin missing': [dossier({ 'gateway-identity': undefined })],
    'a decision that is text': [dossier({ 'gateway-identity': 'allow' })],
    'a decision of no kind': [dossier({ 'gateway-identity': {} })],
    'a decision of an unknown kind': [dossier({ 'gateway-identity': { ...allow(), kind: 'maybe' } })],
    'an allow without its parts': [dossier({ 'gateway-identity': { kind: 'allow' } })],
    'a refusal with a success status': [dossier({ 'gateway-identity': { ...refusal, status: 200 } })],
  };
  for (const [title, [given, request = 'r']] of Object.entries(UNDECIDED)) {
    it(`refuses with 503: ${title}`, () => {
      expect(verdict(given, request, REQUIRED)).to.include({ kind: 'refuse', status: 503, code: 'unavailable' });
    });
  }
});

describe('the configuration of Kong for plugins out of process', () => {
  it('starts one server a plugin, from a directory and on a socket of its own, and bounds Kong\'s reads', () => {
    const settings = pdkSettings({ host: '/opt/host', sockets: '/run/kontor' });
    expect(settings.pluginserver_names).to.equal(REQUIRED.join(','));
    for (const plugin of REQUIRED) {
      const name = `pluginserver_${plugin.replaceAll('-', '_')}`;
      expect(settings[`${name}_socket`]).to.equal(`/run/kontor/${plugin}.sock`);
      expect(settings[`${name}_start_cmd`]).to.equal(`${process.execPath} /opt/host/${plugin}/server.cjs --socket /run/kontor/${plugin}.sock`);
      expect(settings[`${name}_query_cmd`]).to.match(/--dump$/);
    }
    expect(settings.nginx_proxy_lua_socket_read_timeout).to.match(/^\d{1,3}ms$/);
    expect(() => pdkSettings({ host: '/opt/host', sockets: `/${'x'.repeat(100)}` })).to.throw(/too long for a unix socket/);
  });

  it('guards every route where such a plugin runs, with all that run there, and no other', () => {
    const text = withPdkGuards(stringify({
      plugins: [{ name: 'cors' }, { name: 'gateway-identity' }],
      services: [{ routes: [{ plugins: [{ name: 'acl' }, { name: 'bian-mapping' }] }, { plugins: [{ name: 'oauth2' }] }, {}] }],
      routes: [{ plugins: [{ name: 'consent-check' }] }],
    }));
    const state = parse(text) as Holder & { services: { routes: Holder[] }[]; routes: Holder[] };
    const guards = (holder: Holder | undefined): unknown[] => (holder?.plugins ?? []).filter(({ name }) => name.startsWith('pdk-')).map(({ config }) => config);
    expect(guards(state)).to.deep.equal([{ plugins: ['gateway-identity'] }, { requires: ['gateway-identity'] }]);
    const routes = state.services[0]!.routes;
    expect(guards(routes[0])).to.deep.equal([{ plugins: ['bian-mapping', 'gateway-identity'] }, { requires: ['bian-mapping', 'gateway-identity'] }]);
    expect(guards(routes[1])).to.deep.equal([]);
    expect(routes[2]).to.deep.equal({});
    expect(guards(state.routes[0])).to.deep.equal([{ plugins: ['consent-check', 'gateway-identity'] }, { requires: ['consent-check', 'gateway-identity'] }]);
  });

  it('leaves all else in the state as it is written: values of the environment, quotes, shared parts, comments', () => {
    const lines = [
      '_plugin_configs:', '  consent-check:', '    redis: &redis { host: a, port: ${{ env "DECK_REDIS_PORT" }}, password: \'${{ env "DECK_REDIS_PASSWORD" }}\' } # why',
      '    again: *redis', `    long: ${'word '.repeat(40)}end`, '    protocols: ${{ env "DECK_PAGES_PROTOCOLS" }}', 'plugins:', '  - name: consent-check', '    _config: consent-check',
    ];
    const text = withPdkGuards(lines.join('\n'));
    expect(text.split('\n').slice(0, lines.length)).to.deep.equal(lines);
    expect(text).to.match(/name: pdk-guard/);
  });
});
