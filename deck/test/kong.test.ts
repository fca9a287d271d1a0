import { expect } from 'chai';
import { randomBytes } from 'node:crypto';
import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import type { AnyEvent } from '@kontor/kernel/events';
import { newId } from '@kontor/kernel/ids';
import { testBroker, type TestBroker } from '@kontor/testing/broker';
import { missingForKong, startKong, until, type PrivateKong } from '@kontor/testing/kong';
import { gatewayAdmin } from '../../portal/src/gateway-admin.js';
import { diff, drift, DRIFTED, dump, rollback, sync, validate, type Administration } from '../../scripts/administration/commands.js';
import { connectKong, findDeck } from '../../scripts/administration/kong.js';
import { Releases } from '../../scripts/administration/releases.js';
import { gatewayState } from '../../scripts/administration/state.js';
import { openTrail } from '../../scripts/administration/trail.js';
import { startOf } from '../../scripts/platform/supervisor.js';
import { secretValues, stateCopy, type StateCopy } from './given.js';

type Changed = Extract<AnyEvent, { type: 'gateway.configuration-changed' }>;

const ADDED = `      - name: bank
        protocols: \${{ env "DECK_PAGES_PROTOCOLS" }}
        methods: [GET]
        paths: [/branches]
        strip_path: false
      - name: bank-pages-proper
`;

describe('the gateway\'s administration, on a real Kong', function () {
  this.timeout(120_000);
  const secrets = secretValues();
  let kong: PrivateKong;
  let upstream: Server;
  let broker: TestBroker;
  let agent: Agent;
  let copy: StateCopy;
  let releases: string;
  let lines: string[];
  const events: Changed[] = [];

  before(async function () {
    const missing = [...missingForKong(), ...(process.env.TEST_AMQP_URL ? [] : ['TEST_AMQP_URL'])];
    if (missing.length > 0) {
      console.log(`      skipped: needs ${missing.join(', ')}`);
      this.skip();
    }
    upstream = createServer((_incoming, response) => response.end('{}'));
    await new Promise<void>((resolve) => { upstream.listen(0, '127.0.0.1', resolve); });
    const address = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
    const redis = new URL(process.env.TEST_REDIS_URL!);
    Object.assign(secrets, Object.fromEntries(Object.keys(secrets).filter((name) => name.endsWith('_URL')).map((name) => [name, address])),
      { DECK_REDIS_HOST: redis.hostname, DECK_REDIS_PORT: redis.port, DECK_REDIS_PASSWORD: decodeURIComponent(redis.password) });
    broker = await testBroker();
    await (await broker.connect('audit')).subscribe({
      queue: broker.queue('audit'), types: ['gateway.configuration-changed'], handler: async (event) => { events.push(event as Changed); },
    });
    releases = mkdtempSync(join(tmpdir(), 'kontor-releases-'));
    copy = stateCopy();
    agent = new Agent({ connect: { rejectUnauthorized: false } });
    kong = await startKong({ upstream: address });
  });
  after(async () => {
    await kong?.stop();
    await broker?.drop();
    await agent?.close();
    upstream?.closeAllConnections();
    upstream?.close();
    copy?.remove();
    if (releases) rmSync(releases, { recursive: true });
  });
  beforeEach(() => { lines = []; });

  /** @param deck the path of decK, null for the project's own client, absent for what is on the PATH */
  const by = (actor: string, deck?: string | null): Administration => ({
    folder: copy.folder, releasesFolder: releases, releases: new Releases(releases, 'sandbox'), actor,
    stateIn: (folder) => gatewayState(folder, 'sandbox', secrets, {}),
    kong: async () => connectKong(kong.admin, { deck: deck === undefined ? await findDeck() : deck }),
    trail: () => openTrail(broker.url, releases, broker.realm),
    print: (line) => void lines.push(line),
  });
  const refusal = async (work: Promise<unknown>): Promise<string> => work.then(() => 'it was not refused', (error: Error) => error.message);
  const names = async (kind: string): Promise<string[]> =>
    ((await (await fetch(`${kong.admin}/${kind}?size=1000`)).json()) as { data: { name: string }[] }).data.map(({ name }) => name);
  /** All the portal has made, credentials with what Kong keeps of their secrets. */
  const portalMade = async (): Promise<unknown[]> => Promise.all(['consumers', 'oauth2', 'key-auths', 'acls'].map(async (kind) =>
    ((await (await fetch(`${kong.admin}/${kind}?size=1000`)).json()) as { data: { id: string }[] }).data.sort((a, b) => a.id.localeCompare(b.id))));
  const lastEvent = async (actor: string): Promise<Changed> => {
    await until(async () => events.some(({ data }) => data.actor === actor));
    return events.findLast(({ data }) => data.actor === actor)!;
  };
  const plainDeckDiff = (own?: string[]): Promise<number> => new Promise((resolve) => {
    const { files, values } = gatewayState(copy.folder, 'sandbox', secrets, {});
    execFile('deck', ['gateway', 'diff', ...own ?? files, '--kong-addr', kong.admin, '--non-zero-exit-code'], { env: { ...process.env, ...values, DECK_ANALYTICS: 'off' }, maxBuffer: 1 << 26 },
      (error) => resolve(error ? Number(error.code) : 0));
  });

  it('applies a first release, and tells the audit trail who did what', async () => {
    expect(await validate(by('first'))).to.equal(0);
    expect(lines.join()).to.match(/Kong would take it/);
    expect(await sync(by('first'), [])).to.equal(0);
    const { data } = await lastEvent('first');
    expect(data).to.include({ environment: 'sandbox', outcome: 'applied', release: new Releases(releases, 'sandbox').current() });
    expect(data.digest).to.match(/^[0-9a-f]{64}$/).and.to.satisfy((digest: string) => digest.startsWith(data.release));
    expect(data.updated).to.include('plugin gateway-identity (global)');
    expect(`${lines.join('\n')} ${JSON.stringify(data)}`).not.to.include(secrets.DECK_GATEWAY_TOKEN_PRIVATE_KEY);
    expect(lines.join('\n')).to.match(/private_key: changed \(hidden\)/);
  });

  it('is done with a sync: nothing differs, also after the portal has made consumers and credentials', async () => {
    const portal = gatewayAdmin(kong.admin);
    const app = { id: newId(), name: 'Budget', redirectUri: 'https://fintech.example/callback', roles: ['aisp', 'sandbox'] } as unknown as Parameters<typeof portal.addClient>[0];
    await portal.addClient(app, { clientSecret: randomBytes(24).toString('hex'), apiKey: randomBytes(24).toString('hex') });
    await portal.replaceSecret(app, randomBytes(24).toString('hex'));
    expect(await plainDeckDiff()).to.equal(0);
    for (const client of [undefined, null]) expect(await drift(by('second', client))).to.equal(0);
    expect(await sync(by('second'), [])).to.equal(0);
    expect(lines.join('\n')).to.match(/nothing was changed/).and.not.to.match(/^[+~-]/m);
    for (const kind of ['oauth2', 'key-auth', 'acls']) {
      const { data } = await (await fetch(`${kong.admin}/consumers/app-${app.id}/${kind}`)).json() as { data: unknown[] };
      expect(data, kind).not.to.be.empty;
    }
    expect(events.filter(({ data }) => data.actor === 'second')).to.have.length(0);
  });

  for (const [client, deck] of [['decK', undefined], ['the project\'s own client', null]] as const) {
    it(`adds a route, refuses to delete it unreviewed, deletes it reviewed, rolls back: with ${client}`, async () => {
      copy.restore();
      const start = new Releases(releases, 'sandbox').current();
      const made = await portalMade();
      expect(made.every((kind) => (kind as unknown[]).length > 0)).to.equal(true);
      copy.edit('policies.yaml', '      - name: bank\n', ADDED.replace('- name: bank\n', '- name: branches\n').replace('bank-pages-proper', 'bank'));
      expect(await diff(by('adder', deck))).to.equal(0);
      expect(lines.join('\n')).to.match(/^\+ route branches$/m);
      expect(await names('routes')).not.to.include('branches');
      await sync(by('adder', deck), []);
      expect(await names('routes')).to.include('branches');
      expect((await lastEvent('adder')).data).to.deep.include({ created: ['route branches'], updated: [], deleted: [], outcome: 'applied' });
      expect(await plainDeckDiff()).to.equal(0);

      copy.restore();
      expect(await refusal(sync(by('remover', deck), []))).to.match(/would delete route branches: nothing was changed.*--accept-deletions "route branches"/);
      expect(await refusal(sync(by('remover', deck), ['route branches', 'route bank']))).to.match(/names route bank, which would not be deleted/);
      expect(await names('routes')).to.include('branches');
      await sync(by('remover', deck), ['route branches']);
      expect(await names('routes')).not.to.include('branches');
      expect((await lastEvent('remover')).data.deleted).to.deep.equal(['route branches']);
      expect(new Releases(releases, 'sandbox').current()).to.equal(start);

      await rollback(by('roller', deck), undefined);
      expect(await names('routes')).to.include('branches');
      expect(await drift(by('roller', deck))).to.equal(0);
      await rollback(by('roller', deck), start);
      expect(await names('routes')).not.to.include('branches');
      expect((await lastEvent('roller')).data.previousRelease).not.to.equal(start);
      expect(await portalMade()).to.deep.equal(made);
      expect(await plainDeckDiff()).to.equal(0);
      events.length = 0;
    });

    it(`finds what somebody changed by hand: with ${client}`, async () => {
      copy.restore();
      const patch = (path: string, body: object): Promise<Response> => fetch(`${kong.admin}${path}`, { method: 'PATCH', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
      await patch('/routes/bank', { methods: ['GET'] });
      const plugin = ((await (await fetch(`${kong.admin}/plugins?size=1000`)).json()) as { data: { id: string; name: string; route: null | object; consumer: null | object }[] }).data
        .find(({ name, route, consumer }) => name === 'rate-limiting' && !route && !consumer)!;
      await patch(`/plugins/${plugin.id}`, { config: { minute: 60_000, day: 9_000_000 } });
      expect(await drift(by('watcher', deck))).to.equal(DRIFTED);
      expect(lines.join('\n')).to.match(/~ route bank/).and.to.match(/~ plugin rate-limiting \(global\)\n(?:.*\n)*? +config\.minute: 60000 → 600/);
      await sync(by('watcher', deck), []);
      expect(await drift(by('watcher', deck))).to.equal(0);
      expect(await plainDeckDiff()).to.equal(0);
    });
  }

  it('gives one application a plan of its own, and takes it back', async () => {
    copy.restore();
    const portal = gatewayAdmin(kong.admin);
    const apps = [0, 1].map(() => ({ id: newId(), key: randomBytes(24).toString('hex') }));
    for (const { id, key } of apps) {
      await portal.addClient({ id, name: 'Plan', redirectUri: 'https://fintech.example/callback', roles: ['sandbox'] } as unknown as Parameters<typeof portal.addClient>[0], { clientSecret: randomBytes(24).toString('hex'), apiKey: key });
    }
    const limitOf = async (key: string): Promise<string> => {
      const answer = await request(`${kong.https}/sandbox/incoming-payments`, { method: 'POST', headers: { apikey: key }, dispatcher: agent });
      await answer.body.dump();
      return String(answer.headers['x-ratelimit-limit-minute']);
    };
    await until(async () => await limitOf(apps[0]!.key) === '200');
    copy.edit('environments/sandbox.yaml', 'plugins: []', `plugins:\n  - { name: rate-limiting, consumer: app-${apps[0]!.id}, _config: plan-premium }`);
    await sync(by('planner'), []);
    await until(async () => await limitOf(apps[0]!.key) === '9000');
    expect(await limitOf(apps[1]!.key)).to.equal('200');
    expect((await lastEvent('planner')).data.created).to.deep.equal([`plugin rate-limiting for consumer app-${apps[0]!.id}`]);
    expect(await plainDeckDiff()).to.equal(0);
    expect(await diff(by('planner', null))).to.equal(0);
    expect(lines.at(-1)).to.match(/is as the files/);

    const dumped = join(releases, 'with-a-plan.yaml');
    await dump(by('planner'), dumped);
    expect(await plainDeckDiff([dumped])).to.equal(0);

    const accepted = `plugin rate-limiting for consumer app-${apps[0]!.id}`;
    copy.restore();
    expect(await refusal(sync(by('planner', null), []))).to.include(accepted);
    await sync(by('planner', null), [accepted]);
    await until(async () => await limitOf(apps[0]!.key) === '200');

    copy.edit('environments/sandbox.yaml', 'plugins: []', 'plugins:\n  - { name: rate-limiting, consumer: app-nobody, _config: plan-premium }');
    for (const deck of [undefined, null]) {
      expect(await refusal(sync(by('planner', deck), []))).to.match(/^The state is not valid, nothing was changed:\n {2}\S*environments\/sandbox\.yaml:8: the gateway knows no consumer app-nobody/);
    }
  });

  it('rolls back to a release that gave a plan to an application removed since, without that plan', async () => {
    copy.restore();
    const portal = gatewayAdmin(kong.admin);
    const id = newId();
    await portal.addClient({ id, name: 'Gone', redirectUri: 'https://fintech.example/callback', roles: ['sandbox'] } as unknown as Parameters<typeof portal.addClient>[0], { clientSecret: randomBytes(24).toString('hex'), apiKey: randomBytes(24).toString('hex') });
    copy.edit('environments/sandbox.yaml', 'plugins: []', `plugins:\n  - { name: rate-limiting, consumer: app-${id}, _config: plan-premium }`);
    copy.edit('policies.yaml', 'max_age: 3600', 'max_age: 3599');
    await sync(by('planner'), []);
    copy.restore();
    await sync(by('planner'), [`plugin rate-limiting for consumer app-${id}`]);
    await portal.removeClient(id);
    for (const deck of [undefined, null]) {
      await rollback(by('returner', deck), undefined);
      expect(lines.join('\n')).to.match(new RegExp(`Left out, since the gateway knows them no more: the plans of app-${id}\\.`));
      expect(await drift(by('returner', deck))).to.equal(0);
      expect(lines.join('\n')).to.match(/config\.max_age: 3600 → 3599/);
      await rollback(by('returner', deck), undefined);
      lines.length = 0;
    }
    expect(await plainDeckDiff()).to.equal(0);
  });

  it('refuses what only Kong can tell, naming file and line, before anything changes', async () => {
    copy.restore();
    const line = copy.edit('policies.yaml', '      - name: bank\n', '      - name: "bank pages!"\n');
    for (const deck of [undefined, null]) {
      const said = await refusal(sync(by('nobody', deck), ['route bank']));
      expect(said).to.match(new RegExp(`^The state is not valid, nothing was changed:\\n {2}\\S*policies\\.yaml:${line}: route "bank pages!": name: invalid value`));
    }
    expect(await names('routes')).to.include('bank').and.not.to.include('bank pages!');
  });

  it('finds what was made by hand without the tag, and takes no name that is taken so', async () => {
    copy.restore();
    const made = await (await fetch(`${kong.admin}/routes`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ name: 'branches', paths: ['/branches'] }) })).json() as { id: string };
    const plugin = await (await fetch(`${kong.admin}/routes/getAccount/plugins`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ name: 'request-termination' }) })).json() as { id: string };
    expect(await drift(by('watcher'))).to.equal(DRIFTED);
    expect(lines.join('\n')).to.match(new RegExp(`without the tag kontor.*\\n\\? route branches +\\(/routes/${made.id}\\)\\n\\? plugin request-termination for route getAccount +\\(/plugins/${plugin.id}\\)$`));
    copy.edit('policies.yaml', '      - name: bank\n', ADDED.replace('- name: bank\n', '- name: branches\n').replace('bank-pages-proper', 'bank'));
    for (const deck of [undefined, null]) {
      for (const command of [() => validate(by('nobody', deck)), () => sync(by('nobody', deck), [])]) {
        expect(await refusal(command())).to.match(/policies\.yaml:\d+: route "branches": is there already, made by hand/);
      }
    }
    copy.restore();
    await fetch(`${kong.admin}/routes/${made.id}`, { method: 'PATCH', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ tags: ['kontor'] }) });
    await fetch(`${kong.admin}/plugins/${plugin.id}`, { method: 'DELETE' });
    await sync(by('watcher'), ['route branches']);
    expect(await drift(by('watcher'))).to.equal(0);
  });

  it('says what a command killed half-way has left, goes on with it, or returns from it', async () => {
    copy.restore();
    const current = new Releases(releases, 'sandbox').current()!;
    copy.edit('policies.yaml', 'max_age: 3600', 'max_age: 1800');
    // Its journal and its first changes are there, its end is not.
    const trail = await openTrail(broker.url, releases, broker.realm);
    const dying: Administration = { ...by('dying', null), trail: async () => trail, kong: async () => ({ ...await connectKong(kong.admin, { deck: null }), apply: () => new Promise(() => undefined) }) };
    void sync(dying, []);
    await until(async () => new Releases(releases, 'sandbox').unfinished() !== undefined);
    await trail.close();
    rmSync(join(releases, 'lock'));
    expect(await drift(by('next'))).to.equal(0);
    const said = new RegExp(`^Release [0-9a-f]{12}, begun .* by dying, was not applied whole: .* a roll-back returns to ${current}\\.$`, 'm');
    expect(lines.join('\n')).to.match(said);
    await rollback(by('next'), undefined);
    expect(new Releases(releases, 'sandbox')).to.satisfy((after: Releases) => after.current() === current && after.unfinished() === undefined);
    expect((await lastEvent('dying')).data.outcome).to.equal('unknown');
    await sync(by('next'), []);
    expect(lines.join('\n')).to.match(/config\.max_age: 3600 → 1800/);
    copy.restore();
    await sync(by('next'), []);
  });

  it('changes nothing when the change cannot be recorded, a release is not what was kept, or another is at it', async () => {
    copy.restore();
    copy.edit('policies.yaml', 'paths: [/bank]', 'paths: [/bank, /other]');
    const deaf = { ...by('nobody'), trail: () => openTrail('amqp://127.0.0.1:9', releases) };
    expect(await refusal(sync(deaf, []))).to.match(/broker of AMQP_URL is out of reach.*nothing was changed/);
    expect(await refusal(rollback(by('nobody'), '000000000000'))).to.match(/There is no release 000000000000 of sandbox: there are [0-9a-f]{12}/);
    expect(await refusal(rollback(by('nobody'), '../sandbox'))).to.match(/There is no release/);
    const previous = new Releases(releases, 'sandbox').previous()!;
    const file = join(releases, 'sandbox', previous, 'policies.yaml');
    const kept = readFileSync(file, 'utf8');
    writeFileSync(file, kept.replace('30', '31'));
    expect(await refusal(rollback(by('nobody'), previous))).to.match(/were changed after it was kept/);
    writeFileSync(file, kept);
    writeFileSync(join(releases, 'lock'), JSON.stringify({ host: hostname(), processes: [{ pid: process.pid, started: startOf(process.pid) }] }));
    expect(await refusal(sync(by('nobody'), []))).to.match(/Another command is changing the gateway/);
    rmSync(join(releases, 'lock'));
    expect((await (await fetch(`${kong.admin}/routes/bank`)).json() as { paths: string[] }).paths).to.deep.equal(['/bank']);
    expect(events.filter(({ data }) => data.actor === 'nobody')).to.have.length(0);
  });

  it('tells with the next sync what a killed command could not, as unknown', async () => {
    copy.restore();
    const trail = await openTrail(broker.url, releases, broker.realm);
    trail.begin({ actor: 'killed', environment: 'sandbox', release: '0123456789ab', digest: '0'.repeat(64), created: [], updated: ['route bank'], deleted: [] });
    await trail.close();
    expect(await drift(by('next'))).to.equal(0);
    expect(lines.join()).to.match(/1 change not yet told to the audit trail/);
    await sync(by('next'), []);
    expect((await lastEvent('killed')).data).to.include({ outcome: 'unknown', release: '0123456789ab' });
    expect(readdirSync(join(releases, 'unrecorded'))).to.deep.equal([]);
  });

  it('dumps to a new file only its owner can read', async () => {
    const path = join(releases, 'dump.yaml');
    await dump(by('dumper'), path);
    expect(statSync(path).mode & 0o777).to.equal(0o600);
    expect(await plainDeckDiff([path]), 'what is dumped is what decK takes').to.equal(0);
    expect(await refusal(dump(by('dumper'), path))).to.match(/already/);
    expect(await refusal(dump(by('dumper'), undefined))).to.match(/give --output/);
  });
});
