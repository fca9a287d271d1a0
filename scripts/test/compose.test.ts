import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseEnv } from 'node:util';
import { expect } from 'chai';
import { parse } from 'yaml';
import { PLUGIN_NAMES } from '../../plugins/build.js';
import { commonKongSettings } from '../gateway/kong-settings.js';
import { DATABASES } from '../platform/processes.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

interface Service {
  image?: string; build?: { context: string; dockerfile?: string; target?: string; args?: { WORKSPACE?: string } };
  environment?: Record<string, string>; env_file?: string[]; ports?: string[]; healthcheck?: object; restart?: string; networks?: string[] | Record<string, { aliases?: string[] }>;
  depends_on?: Record<string, { condition: string }>; volumes?: string[]; secrets?: string[]; read_only?: boolean; command?: string[];
}
const compose = parse(read('docker-compose.yml'), { merge: true }) as {
  services: Record<string, Service>; networks: Record<string, { internal?: boolean }>; volumes: object; secrets: Record<string, { environment?: string; file?: string }>;
};
const services = Object.entries(compose.services);

describe('docker-compose.yml', () => {
  it('has every service, adapter, simulator and the portal, each built from its own folder', () => {
    const folders = ['services', 'adapters'].flatMap((kind) => readdirSync(join(root, kind)).map((name) => `${kind}/${name}`));
    // The simulator of webhooks is a fintech's receiver: a tool for developers, no part of the bank.
    const simulators = folders.filter((folder) => folder !== 'adapters/webhooks' && existsSync(join(root, folder, 'simulator/main.ts')));
    const built = (target: string): string[] => services.filter(([, { build }]) => build?.target === target).map(([, { build }]) => build?.args?.WORKSPACE ?? '');
    expect(built('program')).to.have.members([...folders, 'portal']);
    expect(built('simulator')).to.have.members(simulators);
  });

  it('publishes the gateway, the portal and Grafana, on 127.0.0.1 only', () => {
    const published = services.filter(([, { ports }]) => ports).map(([name]) => name);
    expect(published).to.have.members(['kong', 'portal', 'grafana']);
    for (const [, { ports }] of services) for (const port of ports ?? []) expect(port).to.match(/^127\.0\.0\.1:/);
    expect(compose.services.kong?.ports).not.to.include('127.0.0.1:8001:8001');
  });

  it('keeps stores, Admin API and services on internal networks', () => {
    for (const name of ['stores', 'admin', 'services']) expect(compose.networks[name]?.internal, name).to.equal(true);
    for (const name of ['postgresql', 'rabbitmq', 'redis', 'mongodb']) expect(compose.services[name]?.networks).to.deep.equal(['stores']);
  });

  it('has Kong listen with its Admin API on the network of that name alone, for those who configure it', () => {
    const [name, port] = compose.services.kong?.environment?.KONG_ADMIN_LISTEN?.split(':') ?? [];
    const networks = compose.services.kong?.networks as Record<string, { aliases?: string[] }>;
    expect(Object.entries(networks).filter(([, { aliases }]) => aliases?.includes(name!)).map(([network]) => network)).to.deep.equal(['admin']);
    const guests = services.filter(([, { networks: own = [] }]) => Array.isArray(own) && own.includes('admin')).map(([guest]) => guest);
    expect(guests).to.have.members(['deck-sync', 'sandbox-apps', 'portal']);
    expect(compose.services['deck-sync']?.command).to.include(`http://${name}:${port}`);
    for (const guest of ['sandbox-apps', 'portal']) expect(compose.services[guest]?.environment?.GATEWAY_ADMIN_URL).to.equal(`http://${name}:${port}`);
  });

  it('runs Kong with the settings it has everywhere', () => {
    const built = Object.fromEntries([...read('kong/Dockerfile').matchAll(/\b(KONG_[A-Z_]+)=(?:"([^"]*)"|(\S+))/g)].map(([, name, quoted, bare]) => [name!, quoted ?? bare!]));
    const given: Record<string, string> = { ...built, ...compose.services.kong?.environment };
    // The image's own entry point keeps nginx in the foreground.
    const { nginx_daemon: _foreground, ...settings } = commonKongSettings('/opt/kontor/lua', PLUGIN_NAMES);
    const expected = Object.fromEntries(Object.entries({ ...settings, trusted_ips: '${TRUSTED_IPS:-}' }).map(([name, value]) => [`KONG_${name.toUpperCase()}`, value]));
    expect(given).to.include(expected);
  });

  it('checks the health of everything that stays, and starts nothing before what it needs', () => {
    const ownCheck = ['program', 'simulator']; // HEALTHCHECK of the Dockerfile
    for (const [name, service] of services) {
      if (service.restart) expect(Boolean(service.healthcheck) || ownCheck.includes(service.build?.target ?? ''), name).to.equal(true);
      for (const [needed, { condition }] of Object.entries(service.depends_on ?? {})) {
        expect(compose.services[needed], `${name} needs ${needed}`).not.to.equal(undefined);
        expect(condition).to.equal(compose.services[needed]?.restart ? 'service_healthy' : 'service_completed_successfully');
      }
    }
  });

  it('holds no secret and has no default for one', () => {
    const secretName = /PASS|SECRET|_KEY$|TOKEN_P|CLIENT_ID/;
    for (const [name, { environment }] of services) {
      for (const [variable, value] of Object.entries(environment ?? {})) {
        const asked = [...String(value).matchAll(/\$\{([A-Z0-9_]+)(:?[-?])?/g)];
        for (const [, asks, how] of asked) if (secretName.test(asks!)) expect(how, `${name}: ${asks}`).to.equal(':?');
        if (secretName.test(variable) && !['KONG_SSL_CERT_KEY'].includes(variable)) expect(asked, `${name}: ${variable}`).to.have.length(1);
      }
    }
  });

  it('gives decK every variable the state names', () => {
    const named = ['deck/kong.yaml', 'deck/policies.yaml'].flatMap((file) => [...read(file).matchAll(/env "(DECK_[A-Z0-9_]+)"/g)].map((match) => match[1]!));
    const { environment, env_file: files } = compose.services['deck-sync']!;
    const given = { ...environment, ...Object.assign({}, ...(files ?? []).map((file) => parseEnv(read(file)))) as object };
    expect(Object.keys(given)).to.include.members([...new Set(named)]);
  });

  it('makes a database and a role for each service, as npm start does', () => {
    const made = /for name in ([a-z ]+); do/.exec(read('deploy/postgresql/databases.sh'))?.[1]?.split(' ');
    expect(made).to.have.members([...DATABASES.filter((name) => name !== 'gateway'), 'kong']);
    for (const name of made ?? []) expect(compose.services.postgresql?.environment).to.have.property(`${name.toUpperCase()}_DB_PASSWORD`);
  });

  it('has everything Prometheus asks for its figures', () => {
    const { scrape_configs: jobs } = parse(read('deploy/prometheus/prometheus.yml')) as { scrape_configs: Array<{ static_configs: Array<{ targets: string[] }> }> };
    const hosts = jobs.flatMap((job) => job.static_configs.flatMap(({ targets }) => targets.map((target) => target.split(':')[0]!)));
    const programs = services.filter(([, { build }]) => build?.target === 'program').map(([name]) => name);
    expect(hosts).to.have.members([...programs, 'kong', 'rabbitmq']);
  });

  it('shows on the dashboard only figures the programs give', () => {
    const asked = [...read('deploy/grafana/dashboards/red.json').matchAll(/\b(http_server|outbox|dlq)_[a-z_]+/g)].map((match) => match[0].replace(/_(bucket|count|sum)$/, ''));
    const given = readdirSync(join(root, 'kernel/src')).map((file) => read(`kernel/src/${file}`)).join('');
    expect(asked.length).to.be.greaterThan(4);
    for (const name of asked) expect(given, name).to.include(`'${name}'`);
  });

  it('gives programs whose file system is read-only no secret that must be written there', () => {
    const readOnly = services.filter(([, service]) => service.read_only);
    expect(readOnly.length).to.be.greaterThan(10);
    for (const [name, { secrets }] of readOnly) for (const secret of secrets ?? []) expect(compose.secrets[secret], `${name}: ${secret}`).to.have.property('file');
  });

  it('mounts only files that are there', () => {
    for (const [name, { volumes }] of services) {
      for (const volume of volumes ?? []) if (volume.startsWith('./')) expect(existsSync(join(root, volume.split(':')[0]!)), `${name}: ${volume}`).to.equal(true);
    }
  });
});

describe('the Dockerfiles', () => {
  it('install the optional packages: binaries for this processor are among them', () => {
    for (const file of ['Dockerfile', 'kong/Dockerfile']) {
      const installs = read(file).match(/npm (ci|prune) [^&\n]*/g);
      expect(installs, file).not.to.equal(null);
      for (const install of installs ?? []) expect(install, file).not.to.match(/optional/);
    }
  });

  it('carry what programs read outside their folder: the kernel\'s migrations and, for the portal, every contract', () => {
    const shared = /cp --parents (.*) \/shared/.exec(read('Dockerfile'))?.[1]?.split(' ');
    expect(shared).to.include.members(['kernel/migrations/*.sql', 'services/*/openapi.yaml', 'adapters/*/openapi.yaml']);
    expect(read('Dockerfile').split(/^FROM /m)[2]).to.include('COPY --from=build /shared ./');
  });

  it('run programs as another user than root', () => {
    const stages = read('Dockerfile').split(/^FROM /m).slice(2);
    expect(stages).to.have.length(3);
    for (const stage of stages) expect([...stage.matchAll(/^USER (\w+)/gm)].at(-1)?.[1]).to.equal('node');
    expect([...read('kong/Dockerfile').matchAll(/^USER (\w+)/gm)].at(-1)?.[1]).to.equal('kong');
  });
});
