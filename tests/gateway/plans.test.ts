import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { definitions } from '../../kong/embedded/definitions.js';
import { loadState, type StateError } from '../../kong/embedded/state.js';
import { Client } from './client.js';
import { deckVariables, embeddedTarget, type Target } from './target.js';
import { startUpstream, type Upstream } from './upstream.js';

const STATE = `
_format_version: "3.0"
_info: { select_tags: [kontor], default_lookup_tags: { consumers: [portal] } }
_plugin_configs:
  plan-standard: { minute: 100, limit_by: consumer, policy: local }
  plan-premium: { minute: 900, limit_by: consumer, policy: local }
plugins:
  - { name: rate-limiting, _config: plan-standard }
  - { name: rate-limiting, consumer: premium, _config: plan-premium }
services:
  - name: upstream
    url: \${{ env "DECK_PROBE_URL" }}
    routes:
      - { name: keyed, paths: [/keyed], plugins: [{ name: key-auth }] }
      - { name: small, paths: [/small], plugins: [{ name: key-auth }, { name: rate-limiting, config: { minute: 5, limit_by: consumer } }] }
      - { name: open, paths: [/open] }
`;

describe('Plans of single consumers', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kontor-plans-'));
  const file = join(folder, 'plans.yaml');
  let upstream: Upstream;
  let target: Target;
  let client: Client;

  before(async () => {
    writeFileSync(file, STATE);
    upstream = await startUpstream();
    target = await embeddedTarget([file], deckVariables(upstream.url, { DECK_PROBE_URL: upstream.url }));
    client = new Client(target);
    for (const username of ['premium', 'ordinary']) {
      await client.admin('POST', '/consumers', { username });
      await client.admin('POST', `/consumers/${username}/key-auth`, { key: `key-of-${username}` });
    }
  });
  after(async () => {
    await client?.close();
    await target?.stop();
    await upstream?.stop();
    rmSync(folder, { recursive: true });
  });

  const limitOf = async (path: string, caller?: string): Promise<string> => {
    const { status, headers } = await client.ask('GET', path, { plain: true, headers: caller ? { apikey: `key-of-${caller}` } : {} });
    expect(status).to.equal(200);
    return String(headers['x-ratelimit-limit-minute']);
  };

  it('take the place of everybody\'s plan, for that consumer alone', async () => {
    expect(await limitOf('/keyed', 'premium')).to.equal('900');
    expect(await limitOf('/keyed', 'ordinary')).to.equal('100');
    expect(await limitOf('/open')).to.equal('100');
  });

  it('are more specific than the limit of a route, as in Kong', async () => {
    expect(await limitOf('/small', 'premium')).to.equal('900');
    expect(await limitOf('/small', 'ordinary')).to.equal('5');
  });

  it('are refused at the start for other plugins, on single routes, and without a name', async () => {
    const schemas = new Map([...definitions].map(([name, { schema }]) => [name, schema]));
    const faults = async (entry: string): Promise<string> => {
      writeFileSync(file, `${STATE}\n`.replace('plugins:\n', `plugins:\n  - ${entry}\n`));
      return loadState([file], schemas, { DECK_PROBE_URL: 'http://127.0.0.1:9' }).then(() => 'accepted', (fault: unknown) => (fault as StateError).message);
    };
    expect(await faults('{ name: cors, consumer: a }')).to.match(/plugin "cors": consumer is supported by the embedded gateway for rate-limiting only/);
    expect(await faults('{ name: rate-limiting, consumer: a, route: keyed, config: { minute: 1 } }')).to.match(/consumer together with a service or route is not supported/);
    expect(await faults('{ name: rate-limiting, consumer: "", config: { minute: 1 } }')).to.match(/consumer must be a username or an id/);
    expect(await faults('{ name: rate-limiting, consumer: premium, config: { minute: 1 } }')).to.match(/is there twice/);
  });
});
