import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { definitions } from '../../kong/embedded/definitions.js';
import { loadState, type StateError } from '../../kong/embedded/state.js';
import { syncState } from '../../scripts/gateway/deck-sync.js';
import { AdminApi } from '../../scripts/platform/admin-api.js';
import { Client, expectProblem, soon, type Answer, type App } from './client.js';
import { deckVariables, onEachTarget, type Target } from './target.js';
import { startUpstream, type Upstream } from './upstream.js';

/** Counted in Redis, refused without it, as all limits of the house. */
const limit = (fields: string, port = '${{ env "DECK_REDIS_PORT" }}'): string =>
  `{ ${fields}, policy: redis, fault_tolerant: false, redis: { host: '\${{ env "DECK_REDIS_HOST" }}', port: ${port}, password: '\${{ env "DECK_REDIS_PASSWORD" }}', timeout: 2000 } }`;
const tokens = (path: string, limiter: string): string => `{ name: tokens${path.replaceAll('/', '-')}, protocols: [https], methods: [POST], paths: ['~${path}/oauth2/(token|authorize)$'],
          plugins: [{ name: oauth2, _config: oauth2 }, { name: token-limit, config: ${limiter} }] }`;
const keyed = (name: string, method: string, path: string, more = ''): string => `{ name: ${name}, methods: [${method}], paths: ['~${path}$'], plugins: [{ name: key-auth }${more}] }`;
const windows = (path: string, fields: string): string => `{ name: ${path}, paths: [/${path}], plugins: [{ name: rate-limiting, config: ${limit(`${fields}, limit_by: ip`)} }] }`;

const TOKENS_A_MINUTE = 10;
const WRITES_A_MINUTE = 5;

const STATE = `
_format_version: "3.0"
_info: { select_tags: [kontor] }
_plugin_configs:
  oauth2: { scopes: [accounts], provision_key: '\${{ env "DECK_OAUTH2_PROVISION_KEY" }}', enable_client_credentials: true, global_credentials: true }
  write: ${limit(`minute: ${WRITES_A_MINUTE}, limit_by: consumer`)}
plugins:
  - { name: correlation-id, config: { header_name: X-Correlation-Id, generator: uuid, echo_downstream: true } }
  - { name: problem-json }
  - { name: rate-limiting, config: ${limit('minute: 1000, limit_by: consumer, sync_rate: 0.25')} }
services:
  - name: upstream
    url: \${{ env "DECK_PROBE_URL" }}
    routes:
      - ${tokens('', limit(`minute: ${TOKENS_A_MINUTE}, limit_by: ip`))}
      - ${tokens('/storeless', limit('minute: 10, limit_by: ip', '${{ env "DECK_CLOSED_PORT" }}'))}
      - ${keyed('read', 'GET', '/things')}
      - ${keyed('write', 'POST', '/things', ', { name: rate-limiting, _config: write }')}
      - ${keyed('write-bian', 'PUT', '/bian/things', ', { name: rate-limiting, _config: write }')}
      - ${windows('brief', 'second: 2, minute: 1000')}
      - ${windows('long', 'second: 5, minute: 5')}
`;
const PREMIUM = `
_format_version: "3.0"
_info: { select_tags: [kontor], default_lookup_tags: { consumers: [portal] } }
plugins:
  - { name: rate-limiting, consumer: CONSUMER, config: ${limit('minute: 900, limit_by: consumer')} }
`;

/** An address of this machine nobody has counted yet. */
const address = (): string => `127.${randomInt(1, 255)}.${randomInt(1, 255)}.${randomInt(1, 255)}`;

/** Whole seconds to the end of a window that began at a multiple of its length, for each second the answer may have been made in. */
const resets = (windowSeconds: number, fromMs: number, toMs: number): string[] => {
  const first = Math.floor(fromMs / 1000);
  return Array.from({ length: Math.floor(toMs / 1000) - first + 1 }, (_, i) => String(Math.max(1, windowSeconds - (first + i) % windowSeconds)));
};

onEachTarget('Limits', ({ start }) => {
  const folder = mkdtempSync(join(tmpdir(), 'kontor-limits-'));
  const files = ['limits', 'premium'].map((name) => join(folder, `${name}.yaml`)) as [string, string];
  const clients: Client[] = [];
  let upstream: Upstream;
  let target: Target;
  let client: Client;
  let app: App;
  let premium: string;

  before(async () => {
    upstream = await startUpstream();
    const values = deckVariables(upstream.url, { DECK_PROBE_URL: upstream.url, DECK_CLOSED_PORT: '1' });
    premium = `premium-${randomInt(1e9)}`;
    writeFileSync(files[0], STATE);
    writeFileSync(files[1], PREMIUM.replace('CONSUMER', premium));
    // Kong looks the consumer up, so it comes first there; the embedded gateway reads its state once.
    target = await start([files[0]], values, { state: files });
    client = new Client(target);
    clients.push(client);
    for (const username of [premium, `ordinary-${premium}`]) {
      await client.admin('POST', '/consumers', { username });
      await client.admin('POST', `/consumers/${username}/key-auth`, { key: `key-of-${username}` });
    }
    if (!target.embedded) await syncState({ admin: new AdminApi(target.adminUrl), files, values });
    app = await client.app();
  });
  after(async () => {
    for (const each of clients) await each.close();
    await target?.stop();
    await upstream?.stop();
    rmSync(folder, { recursive: true });
  });
  beforeEach(async function () {
    upstream.reset();
    // Windows are minutes of the clock: each test has one to itself.
    const left = 60_000 - (Date.now() % 60_000);
    if (left > 8_000) return;
    this.timeout(30_000);
    await pause(left + 50);
  });

  const from = (localAddress: string): Client => {
    const made = new Client(target, undefined, localAddress);
    clients.push(made);
    return made;
  };

  describe('of the token endpoint', () => {
    const ask = (by: Client, secret = app.clientSecret, path = '') =>
      by.form(`${path}/oauth2/token`, { grant_type: 'client_credentials', client_id: app.clientId, client_secret: secret, scope: 'accounts' });
    const issued = async (): Promise<number> => ((await client.admin('GET', '/oauth2_tokens?size=1000')).body.data as unknown[]).length;

    it('let so many through and no more, also at once; nothing is issued to the others', async () => {
      const before = await issued();
      const one = from(address());
      const started = Date.now();
      const answers = await Promise.all(Array.from({ length: 3 * TOKENS_A_MINUTE }, () => ask(one)));
      const ended = Date.now();
      expect(answers.filter(({ status }) => status === 200)).to.have.length(TOKENS_A_MINUTE);
      expect(await issued() - before).to.equal(TOKENS_A_MINUTE);
      for (const refused of answers.filter(({ status }) => status !== 200)) {
        expectProblem(refused, 429, 'rate_limited');
        expect(refused.body).to.not.have.any.keys('access_token', 'error');
        expect(refused.headers).to.include({ 'ratelimit-limit': String(TOKENS_A_MINUTE), 'ratelimit-remaining': '0', 'x-ratelimit-limit-minute': String(TOKENS_A_MINUTE) });
        expect(refused.headers['retry-after']).to.be.oneOf(resets(60, started, ended));
        expect(refused.headers['ratelimit-reset']).to.equal(refused.headers['retry-after']);
      }
    });

    it('count before a secret is looked at: after so many wrong ones the right one is refused too', async () => {
      const guesser = from(address());
      for (let left = TOKENS_A_MINUTE - 1; left >= 0; left--) {
        const answer = await ask(guesser, 'a guess');
        expect(answer.status).to.equal(400);
        expect(answer.body.error).to.equal('invalid_client');
        expect(answer.headers['ratelimit-remaining']).to.equal(String(left));
      }
      expectProblem(await ask(guesser), 429, 'rate_limited');
      expectProblem(await guesser.form('/oauth2/authorize', {}), 429, 'rate_limited');
    });

    it('are of one address: another is not refused', async () => {
      const [one, other] = [from(address()), from(address())];
      for (let i = 0; i <= TOKENS_A_MINUTE; i++) await ask(one);
      expectProblem(await ask(one), 429);
      expect((await ask(other)).status).to.equal(200);
    });

    it('refuse while they cannot be counted: nothing is issued', async () => {
      const before = await issued();
      for (let i = 0; i < 5; i++) {
        const answer = await ask(client, app.clientSecret, '/storeless');
        expectProblem(answer, 503, 'unavailable');
        expect(answer.headers).to.have.property('retry-after');
      }
      expect(await issued()).to.equal(before);
    });
  });

  describe('of what an application does', () => {
    const things = (method: string, caller: string): Promise<Answer> =>
      client.ask(method, method === 'PUT' ? '/bian/things' : '/things', { plain: true, headers: { apikey: `key-of-${caller}` } });
    const told = (answer: Answer): [limit: number, remaining: number] =>
      [Number(answer.headers['x-ratelimit-limit-minute']), Number(answer.headers['x-ratelimit-remaining-minute'])];

    it('count each operation that changes something on its own, exactly, and apart from what is read', async () => {
      const ordinary = `ordinary-${premium}`;
      const [, atFirst] = told(await things('GET', ordinary));
      const answers = await Promise.all(Array.from({ length: 3 * WRITES_A_MINUTE }, () => things('POST', ordinary)));
      expect(answers.filter(({ status }) => status === 200)).to.have.length(WRITES_A_MINUTE);
      for (const refused of answers.filter(({ status }) => status !== 200)) expectProblem(refused, 429, 'rate_limited');
      expect(upstream.arrived.filter(({ method }) => method === 'POST')).to.have.length(WRITES_A_MINUTE);
      // With a sync rate Kong overlooks the request it has asked Redis with, until it writes back: the second may see as many left.
      expect(told(await things('GET', ordinary))[1]).to.be.within(atFirst - 1, atFirst);
      // The BIAN-shaped path of an operation is a route of its own, and has a budget of its own (docs/rate-limits.md).
      const bian = await things('PUT', ordinary);
      expect([bian.status, ...told(bian)]).to.deep.equal([200, WRITES_A_MINUTE, WRITES_A_MINUTE - 1]);
    });

    it('give way to the plan of the application itself: then one budget for all it does', async () => {
      // Kong builds its list of plugins anew every five seconds.
      await soon(async () => void expect(told(await things('GET', premium))[0]).to.equal(900), 10_000);
      await soon(async () => {
        const first = told(await things('GET', premium));
        expect(told(await things('POST', premium))).to.deep.equal([900, first[1] - 1]);
        expect(told(await things('PUT', premium))).to.deep.equal([900, first[1] - 2]);
      });
    });
  });

  describe('of several windows', () => {
    it('tell the one with the least left; refused by the second, a client waits one', async () => {
      const one = from(address());
      const first = await one.ask('GET', '/brief', { plain: true });
      expect(first.headers).to.include({ 'ratelimit-limit': '2', 'ratelimit-remaining': '1', 'ratelimit-reset': '1', 'x-ratelimit-remaining-second': '1', 'x-ratelimit-remaining-minute': '999' });
      const answers = await Promise.all(Array.from({ length: 60 }, () => one.ask('GET', '/brief', { plain: true })));
      const refused = answers.filter(({ status }) => status === 429);
      expect(refused).to.not.be.empty;
      for (const answer of refused) {
        expectProblem(answer, 429, 'rate_limited');
        expect(answer.headers).to.include({ 'ratelimit-limit': '2', 'ratelimit-remaining': '0', 'ratelimit-reset': '1', 'retry-after': '1', 'x-ratelimit-remaining-second': '0' });
        expect(Number(answer.headers['x-ratelimit-remaining-minute'])).to.be.above(900);
      }
    });

    it('tell the longer one where both have as little left, right to the second', async () => {
      const one = from(address());
      for (const [remaining, status] of [['4', 200], ['3', 200], ['2', 200], ['1', 200], ['0', 200], ['0', 429], ['0', 429]] as const) {
        const started = Date.now();
        const answer = await one.ask('GET', '/long', { plain: true });
        expect([answer.status, answer.headers['x-ratelimit-remaining-minute']]).to.deep.equal([status, remaining]);
        expect(answer.headers['ratelimit-reset']).to.be.oneOf(resets(60, started, Date.now()));
        expect(answer.headers['retry-after']).to.equal(status === 429 ? answer.headers['ratelimit-reset'] : undefined);
      }
    });
  });
});

describe('Plans of single applications', () => {
  it('are refused at the start of the embedded gateway for other plugins, on single routes, and without a name', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'kontor-plans-'));
    const file = join(folder, 'plans.yaml');
    const schemas = new Map([...definitions].map(([name, { schema }]) => [name, schema]));
    const faults = async (entry: string): Promise<string> => {
      writeFileSync(file, `_format_version: "3.0"\nplugins:\n  - { name: rate-limiting, consumer: premium, config: { minute: 2 } }\n  - ${entry}\nroutes: [{ name: keyed, paths: [/keyed] }]\n`);
      return loadState([file], schemas, {}).then(() => 'accepted', (fault: unknown) => (fault as StateError).message);
    };
    try {
      expect(await faults('{ name: rate-limiting, consumer: other, config: { minute: 1 } }')).to.equal('accepted');
      expect(await faults('{ name: cors, consumer: a }')).to.match(/plugin "cors": consumer is supported by the embedded gateway for rate-limiting only/);
      expect(await faults('{ name: token-limit, consumer: a, config: { minute: 1 } }')).to.match(/plugin "token-limit": consumer is supported/);
      expect(await faults('{ name: rate-limiting, consumer: a, route: keyed, config: { minute: 1 } }')).to.match(/consumer together with a service or route is not supported/);
      expect(await faults('{ name: rate-limiting, consumer: "", config: { minute: 1 } }')).to.match(/consumer must be a username or an id/);
      expect(await faults('{ name: rate-limiting, consumer: premium, config: { minute: 1 } }')).to.match(/is there twice/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
