import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { planState, syncState } from '../gateway/deck-sync.js';
import { AdminApi } from '../platform/admin-api.js';

type Entity = Record<string, unknown> & { id: string; tags?: string[] };

/** Kong's Admin API as far as the client uses it: lists by tag, PUT, DELETE; defaults are added as Kong does. */
function adminApi(store: Record<string, Map<string, Entity>>): Server {
  return createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://admin');
    const [, kind = '', id] = url.pathname.split('/');
    let text = '';
    request.on('data', (chunk: Buffer) => { text += chunk; });
    request.on('end', () => {
      const of = store[kind];
      if (!of) {
        response.writeHead(404).end('{"message":"Not found"}');
      } else if (request.method === 'GET') {
        const tag = url.searchParams.get('tags') ?? '';
        response.end(JSON.stringify({ data: [...of.values()].filter(({ tags }) => tags?.includes(tag)), next: null }));
      } else if (request.method === 'PUT') {
        of.set(id!, { created_at: 1, enabled: true, ...JSON.parse(text) as object, id: id! });
        response.end(JSON.stringify(of.get(id!)));
      } else {
        of.delete(id!);
        response.writeHead(204).end();
      }
    });
  });
}

describe('the gateway state without decK', () => {
  let folder: string;
  let server: Server;
  let admin: AdminApi;
  let store: Record<'services' | 'routes' | 'plugins', Map<string, Entity>>;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'kontor-deck-'));
    store = { services: new Map(), routes: new Map(), plugins: new Map() };
    server = adminApi(store);
    await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
    admin = new AdminApi(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  });
  afterEach(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });

  const options = (text: string): Parameters<typeof syncState>[0] => {
    writeFileSync(join(folder, 'state.yaml'), text);
    return { admin, files: [join(folder, 'state.yaml')], values: { DECK_PAYMENT_URL: 'http://127.0.0.1:4004/base', DECK_KEY: 's3cret' } };
  };
  const sync = (text: string): Promise<number> => syncState(options(text));
  const planned = (text: string): ReturnType<typeof planState> => planState(options(text));
  const STATE = `
_format_version: "3.0"
_info: { select_tags: [kontor] }
_plugin_configs: { limits: { second: 5, redis: { password: '\${{ env "DECK_KEY" }}' } } }
plugins: [{ name: prometheus }]
services:
  - name: payment
    url: \${{ env "DECK_PAYMENT_URL" }}
    routes:
      - { name: pay, paths: [/pay], plugins: [{ name: rate-limiting, _config: limits, config: { minute: 9 } }] }
      - { name: look, paths: [/look] }
`;

  it('becomes services, routes and plugins, with shared configuration and environment values in place', async () => {
    expect(await sync(STATE)).to.equal(5);
    expect([...store.services.values()][0]).to.include({ name: 'payment', protocol: 'http', host: '127.0.0.1', port: 4004, path: '/base' });
    const limits = [...store.plugins.values()].find(({ name }) => name === 'rate-limiting');
    expect(limits?.config).to.deep.equal({ second: 5, minute: 9, redis: { password: 's3cret' } });
    expect(limits?.route).to.deep.equal({ id: [...store.routes.values()].find(({ name }) => name === 'pay')?.id });
  });

  it('changes nothing when nothing changed', async () => {
    await sync(STATE);
    expect(await sync(STATE)).to.equal(0);
  });

  it('loses what the files no longer name, and leaves what others made', async () => {
    await sync(STATE);
    expect((await planned(STATE.replace(/ {6}- \{ name: look.*\n/, ''))).map(({ action, kind, name }) => `${action} ${kind} ${name}`)).to.deep.equal(['delete route look']);
    expect(store.routes.size).to.equal(2);
    store.routes.set('foreign', { id: 'foreign', name: 'foreign', tags: ['portal'] });
    expect(await sync(STATE.replace(/ {6}- \{ name: look.*\n/, ''))).to.equal(1);
    expect([...store.routes.values()].map(({ name }) => name)).to.have.members(['pay', 'foreign']);
  });

  it('is refused when it uses what this client does not know', async () => {
    const error = await sync(`${STATE}consumers: [{ username: x }]\n`).then(() => null, (thrown: Error) => thrown);
    expect(error?.message).to.include('uses consumers, which only decK applies');
    expect(store.services.size).to.equal(0);
  });
});
