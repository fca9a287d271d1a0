import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { claimsOf, Client, expectProblem, type Answer, type App } from './client.js';
import { deckVariables, houseState, onEachTarget, type Target } from './target.js';
import { startUpstream, type Upstream } from './upstream.js';

/** One operation of the contracts, as `npm run generate` writes it down. */
interface Operation {
  operation: string;
  audience: string;
  method: string;
  path: string;
  bian: { method: string; path: string }[];
  scopes: string[];
  roles: string[];
  sandbox: boolean;
  consent: { permission: string; account: string | null } | null;
}

const operations = JSON.parse(readFileSync(new URL('./operations.generated.json', import.meta.url), 'utf8')) as Operation[];
const ROLES = ['onboarding', 'aisp', 'pisp', 'cbpii', 'compliance', 'bank-staff', 'sandbox'];
const SCOPES = ['customers', 'kyc', 'accounts', 'payments', 'funds', 'consents', 'consent-administration', 'bank-operations', 'webhooks', 'audit'];

/** Every cell of operation × caller × consent, on our path and on every BIAN-shaped one. */
onEachTarget('Every operation at the gateway', ({ start }) => {
  let upstream: Upstream;
  let target: Target;
  let client: Client;
  const byRole = new Map<string, App>();
  const account: string = randomUUID();
  let foreignConsent: string;

  before(async function () {
    this.timeout(60_000);
    upstream = await startUpstream();
    target = await start(houseState(), deckVariables(upstream.url));
    client = new Client(target);
    for (const role of ROLES) byRole.set(role, await client.app([role]));
    foreignConsent = randomUUID();
    await client.decide(foreignConsent, { clientId: randomUUID(), accounts: [account], permissions: ['accounts:read', 'balances:read', 'transactions:read', 'payments:initiate', 'funds:confirm'] });
  });
  after(async () => {
    await client?.close();
    await target?.stop();
    await upstream?.stop();
  });
  beforeEach(() => upstream.reset());

  /** Tokens are kept: the suite asks several hundred times. */
  const kept = new Map<string, Promise<string>>();
  function token(app: App, scopes: string[], consentId?: string): Promise<string> {
    const key = `${app.clientId} ${scopes.join()} ${consentId ?? ''}`;
    const made = kept.get(key) ?? (consentId === undefined ? client.clientToken(app, scopes.join(' ')) : client.consentToken(app, consentId, scopes.join(' ')));
    kept.set(key, made);
    return made;
  }

  const consents = new Map<string, Promise<string>>();
  function consent(app: App, permission: string): Promise<string> {
    const key = `${app.clientId} ${permission}`;
    const made = consents.get(key) ?? (async () => {
      const id = randomUUID();
      await client.decide(id, { clientId: app.clientId, accounts: [account], permissions: [permission] });
      return id;
    })();
    consents.set(key, made);
    return made;
  }

  const address = (path: string, of = account) => path.replace(/\{(\w+)\}/g, (_whole, name: string) => (name === 'accountId' ? of : '0190f7a0-0000-7000-8000-000000000001'));

  function call(method: string, path: string, headers: Record<string, string>): Promise<Answer> {
    return client.ask(method, path, { headers, ...(method === 'GET' || method === 'DELETE' ? {} : { body: {} }) });
  }

  for (const op of operations) {
    const shapes = [{ method: op.method, path: op.path }, ...op.bian];
    describe(`${op.operation} (${op.method} ${op.path}, and ${op.bian.length} BIAN-shaped)`, () => {
      const allowed = op.roles;

      async function credentials(role: string, scopes: string[], consented: string | undefined): Promise<Record<string, string>> {
        const app = byRole.get(role)!;
        return op.sandbox ? { apikey: app.apiKey } : { authorization: `Bearer ${await token(app, scopes, consented)}` };
      }
      const good = async (role: string) => credentials(role, op.scopes, op.consent ? await consent(byRole.get(role)!, op.consent.permission) : undefined);

      it(`is there for ${allowed.join(', ') || 'nobody'}, with a gateway token for ${op.audience}`, async () => {
        expect(allowed).to.not.be.empty;
        for (const role of allowed) {
          for (const { method, path } of shapes) {
            const answer = await call(method, address(path), await good(role));
            expect(answer.status, `${method} ${path} as ${role}: ${answer.text}`).to.equal(200);
            const arrived = upstream.last();
            expect([arrived.method, arrived.url]).to.deep.equal([op.method, address(op.path)]);
            const claims = claimsOf(arrived.headers['x-gateway-token']);
            expect(claims).to.deep.include({ aud: op.audience, op: op.operation, sub: byRole.get(role)!.clientId, roles: [role] });
            if (!op.sandbox) expect(claims.scopes).to.deep.equal(op.scopes);
            if (op.consent) expect(claims.consent).to.deep.include({ permissions: [op.consent.permission], accounts: [account] });
            else expect(claims).to.not.have.property('consent');
          }
        }
      });

      it('is closed to everyone else', async () => {
        for (const { method, path } of shapes) {
          expectProblem(await call(method, address(path), {}), 401, 'unauthenticated');
          for (const role of ROLES.filter((each) => !allowed.includes(each))) expectProblem(await call(method, address(path), await good(role)), 403, 'role_required');
        }
        expect(upstream.arrived).to.be.empty;
      });

      it('is not reached by plain HTTP', async () => {
        for (const { method, path } of shapes) {
          const answer = await client.ask(method, address(path), { plain: true, headers: await good(allowed[0]!) });
          expect(answer.status).to.equal(426);
        }
        expect(upstream.arrived).to.be.empty;
      });

      if (!op.sandbox) {
        it('needs each of its scopes', async () => {
          const role = allowed[0]!;
          const consented = op.consent ? await consent(byRole.get(role)!, op.consent.permission) : undefined;
          const others = SCOPES.filter((scope) => !op.scopes.includes(scope));
          for (const scopes of [others, ...op.scopes.map((missing) => op.scopes.filter((scope) => scope !== missing))]) {
            for (const { method, path } of shapes) expectProblem(await call(method, address(path), await credentials(role, scopes, consented)), 403, 'insufficient_scope');
          }
          expect(upstream.arrived).to.be.empty;
        });
      }

      if (op.consent) {
        const { permission, account: parameter } = op.consent;
        it(`needs the consent ${permission}`, async () => {
          const role = allowed[0]!;
          const app = byRole.get(role)!;
          const other = permission === 'balances:read' ? 'accounts:read' : 'balances:read';
          const cells: [consentId: string | undefined, code: string][] = [
            [undefined, 'consent_required'], [await consent(app, other), 'consent_permission_missing'], [foreignConsent, 'consent_not_active'],
          ];
          for (const [consentId, code] of cells) {
            for (const { method, path } of shapes) expectProblem(await call(method, address(path), await credentials(role, op.scopes, consentId)), 403, code);
          }
          // An account in the body is the service's to check.
          if (parameter !== null && !parameter.startsWith('body.')) {
            for (const { method, path } of shapes) expectProblem(await call(method, address(path, randomUUID()), await good(role)), 403, 'consent_account_not_covered');
          }
          expect(upstream.arrived).to.be.empty;
        });
      }
    });
  }
});
