import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { errorAnswer, type Exchange } from '../../kong/embedded/exchange.js';
import type { PluginDefinition } from '../../kong/embedded/plugin.js';
import { Client, expectProblem } from './client.js';
import { deckVariables, embeddedTarget, strangeKey, type Target } from './target.js';
import { startUpstream, type Upstream } from './upstream.js';

/** A plugin that does what its configuration says is wrong with it. */
const broken: PluginDefinition = {
  name: 'broken',
  priority: 500,
  schema: [{ how: { type: 'string', required: true } }],
  create: ({ config }) => ({
    'throws': { access: () => { throw new Error('broken on purpose'); } },
    'throws-nothing': { access: () => { throw undefined; } },  
    'rejects': { access: async () => { throw new TypeError('broken on purpose'); } },
    'throws-on-heads': { headerFilter: () => { throw new Error('broken on purpose'); } },
    'throws-on-answers': { access: () => errorAnswer(403, 'refused'), ownAnswer: () => { throw new Error('broken on purpose'); } },
    'throws-in-log': { log: () => { throw new Error('broken on purpose'); } },
    'splits-headers': { access: (exchange: Exchange) => void exchange.upstreamHeaders.set('x-evil', 'a\r\nX-Injected: 1') as undefined },
  }[config.how as string] ?? {}),
};

const HOWS = ['throws', 'throws-nothing', 'rejects', 'throws-on-heads', 'throws-on-answers', 'throws-in-log', 'splits-headers'];

describe('A broken plugin', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kontor-broken-'));
  let upstream: Upstream;
  let target: Target;
  let client: Client;

  before(async () => {
    upstream = await startUpstream();
    const routes = HOWS.map((how) => `      - { name: ${how}, paths: [/${how}], strip_path: false, plugins: [{ name: broken, config: { how: ${how} } }] }`);
    const file = join(folder, 'state.yaml');
    writeFileSync(file, [
      '_format_version: "3.0"', 'plugins:', '  - name: problem-json',
      '  - { name: correlation-id, config: { header_name: X-Correlation-Id, generator: uuid, echo_downstream: true } }',
      'services:', '  - name: s', '    url: ${{ env "DECK_ACCOUNT_URL" }}', '    routes:', ...routes, '',
    ].join('\n'));
    target = await embeddedTarget([file], deckVariables(upstream.url), { extraPlugins: [broken] });
    client = new Client(target);
  });
  after(async () => {
    await client?.close();
    await target?.stop();
    await upstream?.stop();
    rmSync(folder, { recursive: true });
  });
  beforeEach(() => upstream.reset());

  for (const how of ['throws', 'throws-nothing', 'rejects']) {
    it(`that ${how} lets nothing through, in 200 requests`, async () => {
      const answers = await Promise.all(Array.from({ length: 200 }, () => client.ask('GET', `/${how}`, { plain: true })));
      for (const answer of answers) expectProblem(answer, 503, 'unavailable');
      expect(upstream.arrived).to.be.empty;
      expect(answers[0]!.text).to.not.include('on purpose');
    });
  }

  it('that throws over the service\'s answer hides that answer', async () => {
    upstream.answer = (_request, response) => void response.writeHead(200).end('a secret');
    const answer = await client.ask('GET', '/throws-on-heads', { plain: true });
    expectProblem(answer, 500, 'internal');
    expect(answer.text).to.not.include('secret');
  });

  it('that throws over a refusal still leaves a refusal', async () => {
    expectProblem(await client.ask('GET', '/throws-on-answers', { plain: true }), 500, 'internal');
    expect(upstream.arrived).to.be.empty;
  });

  it('that throws while it logs harms nobody', async () => {
    expect((await client.ask('GET', '/throws-in-log', { plain: true })).status).to.equal(200);
  });

  it('cannot split a header', async () => {
    const answer = await client.ask('GET', '/splits-headers', { plain: true });
    expect(answer.status).to.be.within(500, 599);
    expect(upstream.arrived).to.be.empty;
  });

  it('is named in the log', () => expect(target.logged()).to.match(/"code":"broken"/));
});

describe('A gateway that cannot work does not start', () => {
  const start = async (env: Record<string, string>, text = '') => {
    const folder = mkdtempSync(join(tmpdir(), 'kontor-start-'));
    const file = join(folder, 'state.yaml');
    writeFileSync(file, text || '_format_version: "3.0"\nplugins: [{ name: gateway-identity, config: { private_key: \'${{ env "DECK_GATEWAY_TOKEN_PRIVATE_KEY" }}\' } }]\n');
    try {
      const target = await embeddedTarget([file], deckVariables('http://127.0.0.1:1', env));
      await target.stop();
      return 'it started';
    } catch (fault) {
      return (fault as Error).message;
    } finally {
      rmSync(folder, { recursive: true });
    }
  };

  it('with a key that is none', async () => expect(await start({ DECK_GATEWAY_TOKEN_PRIVATE_KEY: 'bm90IGEga2V5' })).to.match(/gateway-identity.*private_key is not/));
  it('with an acl that allows and denies', async () => expect(await start({}, '_format_version: "3.0"\nplugins: [{ name: acl, config: { allow: [a], deny: [b] } }]\n')).to.match(/exactly one of/));
  it('with a rate limit without a limit', async () => expect(await start({}, '_format_version: "3.0"\nplugins: [{ name: rate-limiting, config: {} }]\n')).to.match(/at least one of/));
  it('but does with a good key', async () => expect(await start({ DECK_GATEWAY_TOKEN_PRIVATE_KEY: strangeKey() })).to.equal('it started'));
});
