import { expect } from 'chai';
import { Problem } from '@kontor/kernel/problem';
import { firstCall } from '../src/first-call.js';
import { operationsOf, readContracts, requestExample, specificationFor, type Contract } from '../src/documentation.js';
import { pageAfterSignIn, readNewApp, readSignUp, redirectUriFault, rolesOfNewApp, type FieldError } from '../src/portal.js';

const SOUND = { email: 'Dev@Fintech.Example ', password: 'a long enough password', organisation: ' Fictional Fintech ' };
const fieldsRefused = (read: () => unknown): string[] => {
  try {
    read();
  } catch (error) {
    expect(error).instanceOf(Problem).property('code', 'invalid_request');
    return ((error as Problem).extensions['errors'] as FieldError[]).map(({ path }) => path);
  }
  return [];
};

describe('what a developer gives', () => {
  it('is taken with the e-mail address in lower case and without blanks around', () => {
    expect(readSignUp(SOUND)).deep.equal({ email: 'dev@fintech.example', password: 'a long enough password', organisation: 'Fictional Fintech' });
  });

  it('is refused field by field', () => {
    expect(fieldsRefused(() => readSignUp({}))).deep.equal(['email', 'password', 'organisation']);
    expect(fieldsRefused(() => readSignUp(undefined))).deep.equal(['email', 'password', 'organisation']);
    expect(fieldsRefused(() => readSignUp({ ...SOUND, email: ['a@b.example'] }))).deep.equal(['email']);
    expect(fieldsRefused(() => readSignUp({ ...SOUND, organisation: 'two\nlines' }))).deep.equal(['organisation']);
  });

  it('has a password of 12 to 128 characters, counted as a person counts, that is not the address', () => {
    expect(fieldsRefused(() => readSignUp({ ...SOUND, password: 'x'.repeat(11) }))).deep.equal(['password']);
    expect(fieldsRefused(() => readSignUp({ ...SOUND, password: 'x'.repeat(12) }))).deep.equal([]);
    expect(fieldsRefused(() => readSignUp({ ...SOUND, password: 'x'.repeat(129) }))).deep.equal(['password']);
    expect(fieldsRefused(() => readSignUp({ ...SOUND, password: '🔑'.repeat(11) }))).deep.equal(['password']);
    expect(fieldsRefused(() => readSignUp({ ...SOUND, password: 'DEV@fintech.example' }))).deep.equal(['password']);
  });
});

describe('a redirect URI', () => {
  const allowed = ['https://app.example/callback', 'https://app.example/cb?tenant=7', 'http://localhost:3000/cb', 'http://127.0.0.1/cb', 'http://[::1]:9/cb'];
  for (const uri of allowed) it(`may be ${uri}`, () => expect(redirectUriFault(uri)).equal(undefined));

  const refused = [
    '', '/callback', 'app.example/cb', 'http://app.example/cb', 'http://localhost.evil.example/cb', 'http://127.0.0.1.evil.example/', 'https://app.example/cb#x', 'https://app.example/cb#',
    'javascript:alert(1)', 'data:text/html,x', 'custom:cb', 'https://user:pass@app.example/', 'https://*.app.example/', 'https://app.example/a b', `https://app.example/${'x'.repeat(512)}`,
  ];
  for (const uri of refused) it(`may not be ${uri.slice(0, 40) || 'empty'}`, () => expect(redirectUriFault(uri)).a('string'));

  it('is checked where an application is registered', () => {
    expect(fieldsRefused(() => readNewApp({ name: 'x', redirectUri: 'http://app.example' }))).deep.equal(['name', 'redirectUri']);
    expect(fieldsRefused(() => readNewApp({ name: 'Budget', redirectUri: 'https://app.example/cb', requestId: 'no uuid' }))).deep.equal(['requestId']);
    expect(readNewApp({ name: ' Budget ', redirectUri: 'https://app.example/cb' })).deep.equal({ name: 'Budget', redirectUri: 'https://app.example/cb', requestId: undefined });
  });
});

describe('roles of a new application', () => {
  it('include the sandbox only in the sandbox', () => {
    expect(rolesOfNewApp(true)).deep.equal(['onboarding', 'aisp', 'pisp', 'cbpii', 'sandbox']);
    expect(rolesOfNewApp(false)).not.include('sandbox');
  });
});

describe('the page after signing in', () => {
  it('is one of ours', () => {
    expect(pageAfterSignIn('/docs/account')).equal('/docs/account');
    for (const foreign of ['https://evil.example', '//evil.example', '/apps/../\\evil', '/apps//evil.example', '']) expect(pageAfterSignIn(foreign)).equal('/apps');
  });
});

describe('the documentation', () => {
  const contracts = readContracts(new URL('../../', import.meta.url));
  const contract: Contract = {
    name: 'sample', title: 'Sample',
    document: {
      info: { title: 'sample', version: '1' },
      security: [{ oauth2: ['accounts'] }],
      components: { securitySchemes: { oauth2: { type: 'oauth2', flows: { authorizationCode: { authorizationUrl: '/a', tokenUrl: '/oauth2/token', scopes: { accounts: 'Accounts' } } } }, apiKey: { type: 'apiKey', in: 'header', name: 'apikey' } } },
      paths: {
        '/v1/things': {
          parameters: [],
          get: { operationId: 'listThings', tags: ['Things'], 'x-consent': { permission: 'accounts:read' }, 'x-access': { scopes: ['accounts'], roles: ['aisp', 'compliance'] }, 'x-bian': { serviceDomain: 'CurrentAccount', controlRecord: 'X', actionTerm: 'Retrieve', mapping: 'exact' } },
          post: { operationId: 'addThing', summary: 'Add a thing', description: 'Adds.', 'x-access': { scopes: ['accounts'], roles: ['aisp'] }, requestBody: { content: { 'application/json': { examples: { one: { value: { a: "it's" } } } } } } },
        },
        '/sandbox/things': { post: { operationId: 'makeThing', security: [{ apiKey: [] }], 'x-access': { sandbox: true } } },
      },
    },
  };

  it('finds every contract of the repository, customers first', () => {
    expect(contracts.map(({ name }) => name)).include.members(['customer', 'kyc', 'account', 'payment', 'consent', 'audit', 'payment-rail', 'webhooks']);
    expect(contracts[0]?.name).equal('customer');
    const ids = contracts.flatMap(operationsOf).map(({ operationId }) => operationId);
    expect(ids).include.members(['registerCustomer', 'initiatePayment', 'getBalances']);
    expect(new Set(ids).size).equal(ids.length);
    expect(requestExample(contracts, 'registerCustomer')).property('name');
  });

  it('shows method, path, access, consent and BIAN place of an operation', () => {
    const [list, add, make] = operationsOf(contract);
    expect(list).deep.include({ operationId: 'listThings', method: 'GET', path: '/v1/things', tag: 'Things', summary: 'listThings', access: 'accounts · aisp or compliance', permission: 'accounts:read' });
    expect(list?.bian).include({ serviceDomain: 'CurrentAccount', actionTerm: 'Retrieve' });
    expect(add).deep.include({ method: 'POST', permission: undefined, bian: undefined });
    expect(make).deep.include({ access: 'API key, sandbox' });
  });

  it('sends what is tried, and the request for a token, to the relay', () => {
    const specification = specificationFor(contract);
    expect(specification['servers']).deep.equal([{ url: '/try', description: 'The gateway, through this portal' }]);
    expect(specification.components?.securitySchemes?.['oauth2']?.['flows']).deep.equal({ clientCredentials: { tokenUrl: '/try/oauth2/token', scopes: { accounts: 'Accounts' } } });
    expect(specification.components?.securitySchemes?.['bearer']).include({ type: 'http', scheme: 'bearer' });
    expect(contract.document).not.property('servers');
  });

  it('asks for a pasted token where a consent is needed, and leaves API keys alone', () => {
    const { paths } = specificationFor(contract);
    expect(paths['/v1/things']?.['get']).deep.include({ security: [{ bearer: [] }] });
    expect(paths['/v1/things']?.['post']).deep.include({ security: [{ oauth2: ['accounts'] }, { bearer: [] }] });
    expect(paths['/sandbox/things']?.['post']).deep.include({ security: [{ apiKey: [] }] });
    expect((paths['/v1/things']?.['get'] as { description: string }).description).include('accounts:read').and.include('CurrentAccount');
  });

  it('quotes the example for a shell', () => {
    const lines = firstCall({ gatewayUrl: 'https://localhost:8443/', caUrl: undefined, example: requestExample([contract], 'addThing') }, { clientId: 'id', clientSecret: "s'x" });
    expect(lines.register).include(String.raw`-d '{"a":"it'\''s"}'`).and.not.include('--cacert');
    expect(lines.credentials).include(String.raw`CLIENT_SECRET='s'\''x'`);
    expect(lines.token).include('https://localhost:8443/oauth2/token');
  });
});
