/** Bad input through the gateway: a problem with a stable code and a correlation id, no stack, and nothing written. */
import { request } from 'node:https';
import { expect } from 'chai';
import { bearer, clientToken, newKey, registerApp, type App, type Token } from '../../scripts/demo/fintech.js';
import { journal, send } from '../../scripts/demo/journal.js';
import { authority, place } from './platform.js';

const NOBODY = '01900000-0000-7000-8000-000000000000';
const CUSTOMER = { name: { given: 'Ada', family: 'Beispiel' }, birthDate: '1990-12-10', nationality: 'DE', residence: 'DE', contact: { email: 'ada@sandbox.example' } };
const PAYMENT = { type: 'payment', redirectUri: 'https://fintech.example/callback', payment: { amount: { amount: '12.50', currency: 'EUR' }, creditor: { name: 'Green Grocer', iban: 'DE89370400440532013000' } } };
const INCOMING = { creditorIban: 'DE89370400440532013000', amount: { amount: '1.00', currency: 'EUR' }, debtor: { name: 'Example Employer', iban: 'NL91ABNA0417164300' } };
const withPayment = (change: object): object => ({ ...PAYMENT, payment: { ...PAYMENT.payment, ...change } });

interface Bad { what: string; method?: string; path: string; body?: string; headers?: string[]; auth?: 'token' | 'key' | 'garbage'; status: number; code: string }

const json = (value: unknown): string => JSON.stringify(value);
const key = (): string[] => ['Idempotency-Key', newKey()];
const post = (what: string, path: string, body: string, [status, code]: [number, string], rest: Partial<Bad> = {}): Bad => ({ what, method: 'POST', path, body, status, code, headers: key(), ...rest });

const BAD: Bad[] = [
  post('malformed JSON', '/v1/customers', '{"name": ', [400, 'malformed_json']),
  post('a wrong type', '/v1/customers', json({ ...CUSTOMER, birthDate: 19901210 }), [400, 'invalid_request']),
  post('an unknown field', '/v1/customers', json({ ...CUSTOMER, isAdmin: true }), [400, 'invalid_request']),
  post('a missing field', '/v1/customers', json({ ...CUSTOMER, name: undefined }), [400, 'invalid_request']),
  post('an array where an object belongs', '/v1/customers', '[]', [400, 'invalid_request']),
  post('an amount with three decimals', '/v1/consents', json(withPayment({ amount: { amount: '12.505', currency: 'EUR' } })), [400, 'invalid_amount']),
  post('an amount as a number', '/v1/consents', json(withPayment({ amount: { amount: 12.5, currency: 'EUR' } })), [400, 'invalid_request']),
  post('a negative amount', '/v1/consents', json(withPayment({ amount: { amount: '-1.00', currency: 'EUR' } })), [400, 'invalid_request']),
  post('a currency that does not exist', '/v1/consents', json(withPayment({ amount: { amount: '1.00', currency: 'XQZ' } })), [400, 'invalid_amount']),
  post('an IBAN with wrong check digits', '/v1/consents', json(withPayment({ creditor: { name: 'x', iban: 'DE88370400440532013000' } })), [400, 'invalid_iban']),
  post('a wrong IBAN at the rail', '/sandbox/incoming-payments', json({ ...INCOMING, creditorIban: 'DE88370400440532013000' }), [400, 'invalid_iban'], { auth: 'key' }),
  post('a body of 1 MB', '/v1/customers', json({ ...CUSTOMER, name: { given: 'x'.repeat(1024 * 1024), family: 'y' } }), [413, 'payload_too_large']),
  post('no Idempotency-Key', '/v1/customers', json(CUSTOMER), [400, 'idempotency_key_required'], { headers: [] }),
  post('two Idempotency-Keys', '/v1/customers', json(CUSTOMER), [400, 'duplicate_header'], { headers: [...key(), ...key()] }),
  post('an Idempotency-Key that is too long', '/v1/customers', json(CUSTOMER), [400, 'idempotency_key_required'], { headers: ['Idempotency-Key', 'k'.repeat(41)] }),
  post('XML', '/v1/customers', '<customer/>', [415, 'unsupported_media_type'], { headers: [...key(), 'Content-Type', 'application/xml'] }),
  { what: 'an unknown customer', path: `/v1/customers/${NOBODY}`, status: 404, code: 'customer_not_found' },
  { what: 'an unknown account', path: `/v1/accounts/${NOBODY}/opening`, status: 404, code: 'account_not_found' },
  { what: 'an unknown payment', path: `/v1/payments/${NOBODY}`, status: 404, code: 'payment_not_found' },
  { what: 'an unknown consent', path: `/v1/consents/${NOBODY}`, status: 404, code: 'consent_not_found' },
  { what: 'an id that is none', path: '/v1/customers/42', status: 400, code: 'invalid_request' },
  { what: 'a cursor that is none', path: '/v1/customers?cursor=nonsense', status: 400, code: 'invalid_cursor' },
  { what: 'an unknown path', path: '/v1/unicorns', status: 404, code: 'not_found' },
  { what: 'a token that is none', path: '/v1/customers', auth: 'garbage', status: 401, code: 'invalid_token' },
];

interface RawAnswer { status: number; headers: Record<string, string | string[] | undefined>; text: string }

/** fetch would join headers of one name; this sends them as they are. */
function raw(base: string, { method = 'GET', path, body, headers = [] }: Bad, authorisation: string[]): Promise<RawAnswer> {
  const own = body === undefined ? [] : ['Content-Length', String(Buffer.byteLength(body)), ...(headers.includes('Content-Type') ? [] : ['Content-Type', 'application/json'])];
  const { host, hostname, port } = new URL(base);
  return new Promise((resolve, reject) => {
    const call = request({ hostname, port, path, method, ca: authority(), headers: ['Host', host, ...authorisation, ...own, ...headers] as never, agent: false }, (answer) => {
      let text = '';
      answer.on('data', (part: Buffer) => { text += part.toString(); });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }));
    });
    call.on('error', reject);
    call.end(body);
  });
}

describe('bad input through the gateway', function () {
  this.timeout(60_000);
  const { gatewayUrl } = place();
  let app: App;
  let token: Token;

  before(async () => {
    app = await registerApp(journal(() => undefined), place(), 'https://fintech.example/callback');
    token = await clientToken(journal(() => undefined), place(), app, 'customers accounts payments consents');
  });

  const authorisationOf = ({ auth = 'token' }: Bad): string[] =>
    auth === 'key' ? ['apikey', app.apiKey] : ['Authorization', `Bearer ${auth === 'garbage' ? 'nonsense' : token.access}`];

  for (const bad of BAD) {
    it(`${bad.what} is refused with ${bad.status} ${bad.code}`, async () => {
      const answer = await raw(gatewayUrl, bad, authorisationOf(bad));
      expect(answer.status, answer.text).to.equal(bad.status);
      expect(answer.headers['content-type']).to.match(/^application\/problem\+json/);
      const problem = JSON.parse(answer.text) as Record<string, unknown>;
      expect(problem['code']).to.equal(bad.code);
      expect(problem['correlationId'], 'the correlation id of the header').to.equal(answer.headers['x-correlation-id']).and.be.a('string');
      expect(answer.text, 'no stack, no path').not.to.match(/\\n +at |node_modules|\.[jt]s:\d/);
    });
  }

  it('has written nothing: no customer, no consent', async () => {
    for (const path of ['/v1/customers', '/v1/consents']) {
      const { status, body } = await send({ url: `${gatewayUrl}${path}`, headers: bearer(token) });
      expect([status, body.data]).to.deep.equal([200, []]);
    }
  });
});
