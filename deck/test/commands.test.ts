import { expect } from 'chai';
import { appendFileSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { definitions } from '../../kong/embedded/definitions.js';
import { checkDeletions, deletionsOf, describe as told } from '../../scripts/administration/changes.js';
import { list, sync, type Administration } from '../../scripts/administration/commands.js';
import type { Kong } from '../../scripts/administration/kong.js';
import { inTurn } from '../../scripts/administration/lock.js';
import { Releases } from '../../scripts/administration/releases.js';
import { gatewayState } from '../../scripts/administration/state.js';
import type { StateChange } from '../../scripts/gateway/deck-sync.js';
import { startOf } from '../../scripts/platform/supervisor.js';
import { gateway, gatewayProcess, secretValues, stateCopy, type Ran, type StateCopy } from './given.js';

describe('npm run gateway', function () {
  this.timeout(30_000);
  const secrets = secretValues();
  let home: string;
  let copy: StateCopy;
  let admin: Server;
  /** What was asked of the Admin API, and what it answers at `/`. */
  let asked: string[];
  let root: { status: number; body: object };
  let adminUrl: string;

  before(async () => {
    home = mkdtempSync(join(tmpdir(), 'kontor-administration-'));
    copy = stateCopy();
    admin = createServer((incoming, response) => {
      asked.push(`${incoming.method} ${incoming.url}`);
      response.writeHead(root.status, { 'content-type': 'application/json' }).end(JSON.stringify(root.body));
    });
    await new Promise<void>((resolve) => { admin.listen(0, '127.0.0.1', resolve); });
    adminUrl = `http://127.0.0.1:${(admin.address() as AddressInfo).port}`;
  });
  after(() => {
    admin.close();
    copy.remove();
    rmSync(home, { recursive: true });
  });
  beforeEach(() => {
    asked = [];
    root = { status: 404, body: { message: 'Not found' } };
    copy.restore();
  });

  const run = (args: string[], env: Record<string, string> = {}): Promise<Ran> =>
    gateway(args, { ...secrets, KONTOR_HOME: home, GATEWAY_STATE_DIR: copy.folder, GATEWAY_ADMIN_URL: adminUrl, ...env });

  /** Exit code 1, one sentence and no stack, nothing written to Kong, nothing kept. */
  function expectRefused({ code, out, err }: Ran, sentence: RegExp): void {
    expect(err).to.match(sentence).and.not.to.match(/\n\s+at |Error:/);
    expect(out).to.equal('');
    expect(code).to.equal(1);
    expect(asked.filter((call) => !call.startsWith('GET '))).to.deep.equal([]);
    expect(existsSync(join(home, 'releases', 'sandbox'))).to.equal(false);
  }

  it('says what it can do when the command is missing, unknown, or given too much', async () => {
    const results = await Promise.all([
      run([]), run(['destroy']), run(['diff', 'everything']), run(['diff', '--accept-deletions', 'x']), run(['sync', '--force']),
      run(['drift', '--environment', 'staging']),
    ]);
    const sentences = [/^A command is missing\. Usage:/, /^There is no command destroy\. Usage:/, /^diff takes no everything\.\n$/, /^diff takes no --accept-deletions\.\n$/, /^Unknown option '--force'\n?/, /^There is no environment staging: it is sandbox or production\.\n$/];
    results.forEach((result, index) => expectRefused(result, sentences[index]!));
  });

  it('refuses a wrong state with each command that reads it, before any gateway is asked', async () => {
    const line = copy.edit('policies.yaml', '  - name: problem-json\n', '  - name: problem-xml\n');
    for (const result of await Promise.all(['validate', 'diff', 'sync', 'drift'].map((command) => run([command])))) {
      expectRefused(result, new RegExp(`^The state is not valid, nothing was changed:\\n  \\S*policies\\.yaml:${line}: plugin "problem-xml": is no plugin`));
    }
    expect(asked).to.deep.equal([]);
  });

  it('refuses a state without its files, a missing secret, and a bad setting', async () => {
    const { DECK_AUDIT_INGEST_KEY: _secret, ...rest } = secrets;
    const results = await Promise.all([
      run(['validate'], { GATEWAY_STATE_DIR: join(home, 'nowhere') }),
      gateway(['sync'], { ...rest, KONTOR_HOME: home, GATEWAY_STATE_DIR: copy.folder, GATEWAY_ADMIN_URL: adminUrl }),
      run(['diff'], { GATEWAY_ADMIN_URL: 'kong' }),
    ]);
    expectRefused(results[0]!, /^The state has no file .*nowhere\/kong\.yaml: run npm run generate\.\n$/);
    expectRefused(results[1]!, /policies\.yaml:\d+: DECK_AUDIT_INGEST_KEY is not set/);
    expectRefused(results[2]!, /GATEWAY_ADMIN_URL/);
  });

  it('refuses a gateway that is not there, or not Kong, and a roll-back without releases', async () => {
    const nowhere = { GATEWAY_ADMIN_URL: 'http://127.0.0.1:9' };
    const results = await Promise.all([run(['diff'], nowhere), run(['sync'], nowhere), run(['dump', '--output', join(home, 'dump.yaml')], nowhere), run(['diff']), run(['rollback']), run(['rollback', 'abc']), run(['dump'])]);
    for (const result of results.slice(0, 3)) expectRefused(result, /^No Admin API answers at http:\/\/127\.0\.0\.1:9: start the gateway, or set GATEWAY_ADMIN_URL\.\n$/);
    expectRefused(results[3]!, /is not Kong: the embedded gateway reads deck\/ when it starts/);
    expectRefused(results[4]!, /^There is no release before the first to roll back to: nothing was changed\.\n$/);
    expectRefused(results[5]!, /^There is no release abc of sandbox\.\n$/);
    expectRefused(results[6]!, /give --output <file>/);
    expect(existsSync(join(home, 'dump.yaml'))).to.equal(false);
  });

  it('refuses a Kong that is another version, or has not loaded what the state needs, though one answers', async () => {
    const others: [object, RegExp][] = [
      [{ version: '3.8.0', plugins: { available_on_server: {} } }, /^The gateway at \S+ is Kong 3\.8\.0, and the state is for Kong 3\.9: nothing was changed\.\n$/],
      [{ version: '3.9.3', plugins: { available_on_server: Object.fromEntries([...definitions.keys()].filter((name) => name !== 'consent-check').map((name) => [name, {}])) } },
        /^The state is not valid, nothing was changed:\n {2}\S*kong\.yaml:\d+: plugin "consent-check": is not loaded in this Kong: [^\n]*\n$/],
    ];
    for (const [body, sentence] of others) {
      root = { status: 200, body };
      for (const result of await Promise.all(['validate', 'diff', 'sync'].map((command) => run([command])))) expectRefused(result, sentence);
    }
    root = { status: 500, body: { message: 'An unexpected error occurred' } };
    expectRefused(await run(['sync']), /refused GET \/ with 500/);
  });

  it('refuses a place for releases or a dump that cannot be one', async () => {
    const file = join(home, 'a-file');
    writeFileSync(file, '');
    expectRefused(await run(['sync'], { GATEWAY_RELEASES_DIR: join(file, 'releases') }), /^There can be no directory at .*a-file\/releases/);
    expectRefused(await run(['dump', '--output', join(home, 'nowhere', 'dump.yaml')]), /^There is no directory .*nowhere: give another --output\.\n$/);
  });

  it('is a process that ends so: one sentence on stderr, exit code 1; or 0', async () => {
    const env = { ...secrets, KONTOR_HOME: home, GATEWAY_STATE_DIR: copy.folder, GATEWAY_ADMIN_URL: adminUrl };
    const [refused, valid] = await Promise.all([gatewayProcess(['destroy'], env), gatewayProcess(['validate'], env)]);
    expectRefused(refused, /^There is no command destroy\. Usage:/);
    expect(valid).to.include({ code: 0, err: '' });
  });

  it('validates by the files alone where no Kong answers, and says so', async () => {
    const [sandbox, production] = await Promise.all([run(['validate']), run(['validate', '--environment', 'production'])]);
    expect(sandbox).to.include({ code: 0, err: '' });
    expect(sandbox.out).to.match(/^The state of sandbox is valid by its files alone; Kong was not asked/);
    expect(production.out).to.match(/^The state of production is valid/);
  });

  it('takes no secret of the sandbox for production', async () => {
    const own = mkdtempSync(join(tmpdir(), 'kontor-installation-'));
    try {
      writeFileSync(join(own, 'secrets.json'), JSON.stringify({
        redisPassword: 'r', oauth2ProvisionKey: 'o', auditIngestKey: 'a', consentDecisionKey: 'c',
        gatewayTokenPrivateKey: secrets.DECK_GATEWAY_TOKEN_PRIVATE_KEY, gatewayTokenPublicKey: 'p',
      }));
      const settings = { KONTOR_HOME: own, REDIS_URL: 'redis://127.0.0.1:6379', GATEWAY_STATE_DIR: copy.folder, GATEWAY_ADMIN_URL: adminUrl };
      const [sandbox, production] = await Promise.all([gateway(['validate'], settings), gateway(['validate', '--environment', 'production'], settings)]);
      expect(sandbox.err).to.equal('');
      expect(production.err).to.match(/DECK_OAUTH2_PROVISION_KEY is not set/).and.to.match(/DECK_PAYMENT_URL is not set/);
    } finally {
      rmSync(own, { recursive: true });
    }
  });
});

describe('a change of the gateway', () => {
  const change = (action: StateChange['action'], kind: StateChange['kind'], name: string, more: Partial<StateChange> = {}): StateChange => ({ action, kind, name, ...more });
  const secrets = secretValues();
  let folder: string;
  let copy: StateCopy;
  before(() => { copy = stateCopy(); });
  after(() => copy.remove());
  beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'kontor-releases-')); });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is told by its fields, and its secrets are not', () => {
    const lines = told([change('update', 'plugin', 'http-log (global)', {
      before: { id: '1', config: { timeout: 1, headers: { 'X-Audit-Key': 'old-secret' }, redis: { password: 'old-secret' }, key_names: ['a'] } },
      after: { id: '2', config: { timeout: 2, headers: { 'X-Audit-Key': 'new-secret' }, redis: { password: 'new-secret' }, key_names: ['b'] } },
    })]);
    expect(lines).to.deep.equal([
      '~ plugin http-log (global)', '    config.timeout: 1 → 2', '    config.headers.X-Audit-Key: changed (hidden)', '    config.redis.password: changed (hidden)',
      '    config.key_names: ["a"] → ["b"]', '0 created, 1 updated, 0 deleted',
    ]);
    const alike = ['a', 'b'].map((name) => change('update', 'route', name, { before: { methods: ['GET'] }, after: { methods: ['PUT'] } }));
    expect(told(alike).slice(0, 3)).to.deep.equal(['~ route a', '~ route b', '    methods: ["GET"] → ["PUT"]']);
    const many = ['d', 'b', 'a', 'c'].map((name) => change('update', 'plugin', `acl for route ${name}`, { before: { config: { allow: ['x'] } }, after: { config: { allow: ['y'] } } }));
    expect(told(many).slice(0, 2)).to.deep.equal(['~ plugin acl for 4 routes: a, b, c, d', '    config.allow: ["x"] → ["y"]']);
    expect(told([change('update', 'plugin', 'x', { before: { config: null }, after: { config: { key: 'new-secret', second: 1 } } })]).join()).not.to.include('new-secret');
  });

  it('deletes what was named and nothing else; plugins of what goes are named with it', () => {
    const changes = [change('delete', 'route', 'old'), change('delete', 'plugin', 'acl for route old'), change('delete', 'plugin', 'acl for route other'), change('create', 'route', 'new')];
    expect(deletionsOf(changes)).to.deep.equal(['plugin acl for route other', 'route old']);
    expect(() => checkDeletions(changes, [])).to.throw(/would delete plugin acl for route other, route old: nothing was changed/);
    expect(() => checkDeletions(changes, ['route old'])).to.throw(/would delete plugin acl for route other: nothing/);
    expect(() => checkDeletions(changes, ['route old', 'plugin acl for route other', 'route new'])).to.throw(/route new, which would not be deleted/);
    expect(() => checkDeletions(changes, ['route old', 'plugin acl for route other'])).not.to.throw();
  });

  it('that Kong takes only in part is recorded as failed, and makes no release current', async () => {
    const outcomes: string[] = [];
    const lines: string[] = [];
    const kong: Kong = {
      plugins: new Set(definitions.keys()), knows: async () => true, untagged: async () => [], dump: async () => '',
      plan: async () => [change('create', 'route', 'new')], check: async () => [],
      apply: async () => { throw new Error('the connection broke'); },
    };
    const given: Administration = {
      folder: copy.folder, releasesFolder: folder, releases: new Releases(folder, 'sandbox'), actor: 'somebody', print: (line) => void lines.push(line),
      stateIn: (place) => gatewayState(place, 'sandbox', secrets, {}), kong: async () => kong,
      trail: async () => ({ begin: () => ({ tell: async (outcome) => void outcomes.push(outcome) }), catchUp: async () => 0, close: async () => undefined }),
    };
    const message = await sync(given, []).then(() => '', (error: Error) => error.message);
    expect(message).to.match(/^Release [0-9a-f]{12} was not applied whole/);
    expect(outcomes).to.deep.equal(['failed']);
    expect(given.releases.current()).to.equal(undefined);
    expect(readdirSync(folder)).not.to.include('lock');
    await list(given);
    expect(lines.at(-1)).to.match(/^Release [0-9a-f]{12}, begun .* by somebody, was not applied whole: a sync of its files goes on with it\.$/);
  });

  it('that was not applied whole is rolled back from to what was applied last, not to what was before that', () => {
    const releases = new Releases(folder, 'sandbox');
    const step = (release: string, state: 'begun' | 'applied'): void => releases.note({ release, digest: release, at: '', actor: '', created: 0, updated: 0, deleted: 0, state });
    const apply = (release: string): void => { step(release, 'begun'); step(release, 'applied'); };
    apply('first');
    apply('second');
    expect(releases.previous()).to.equal('first');
    step('third', 'begun');
    expect([releases.current(), releases.previous(), releases.unfinished()?.release]).to.deep.equal(['second', 'second', 'third']);
    apply('second');
    expect([releases.current(), releases.previous(), releases.unfinished()]).to.deep.equal(['second', 'first', undefined]);
    appendFileSync(join(folder, 'sandbox', 'history.jsonl'), '{"release":\n');
    expect(() => releases.current()).to.throw(/^Line 8 of .*history\.jsonl is no record of a release: nothing was changed/);
  });

  it('is made by one command at a time: a dead one does not count, one whose decK lives on does, one elsewhere does', async () => {
    const path = join(folder, 'lock');
    const turn = (): Promise<string> => inTurn(folder, async () => 'done').catch((error: Error) => error.message);
    const dead = { pid: process.pid, started: '1' };
    const left = async (holder: object): Promise<string> => {
      writeFileSync(path, JSON.stringify(holder));
      return turn();
    };
    expect(await left({ host: hostname(), processes: [dead] })).to.equal('done');
    writeFileSync(path, '');
    expect(await turn()).to.equal('done');
    expect(await left({ host: hostname(), processes: [dead, { pid: process.pid, started: startOf(process.pid) }] })).to.match(/^Another command is changing the gateway \(process \d+\): nothing was changed, wait for it to end\.$/);
    expect(await left({ host: 'another-machine', processes: [dead] })).to.match(/on another-machine\): nothing was changed, wait for it to end\. If it has died, remove .*lock\.$/);
    rmSync(path);
    let most = 0;
    let now = 0;
    const together = await Promise.all(Array.from({ length: 20 }, () => inTurn(folder, async () => {
      most = Math.max(most, now += 1);
      await new Promise((resolve) => { setTimeout(resolve, 5); });
      now -= 1;
      return 'done';
    }).catch((error: Error) => error.message)));
    expect(most).to.equal(1);
    expect(together.filter((end) => end === 'done')).to.have.length(1);
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  it('makes the same release of the same files, and another of others', () => {
    const releases = new Releases(folder, 'sandbox');
    const first = releases.keep(copy.folder);
    expect(releases.keep(copy.folder)).to.deep.equal(first);
    copy.edit('environments/sandbox.env', 'EXPIRATION=900', 'EXPIRATION=600');
    expect(releases.keep(copy.folder).release).not.to.equal(first.release);
    expect(new Releases(folder, 'production').names()).to.deep.equal([]);
  });
});
