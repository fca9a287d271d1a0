/**
 * For tests: what the gateway and, behind it, the consent service's administration answer (services/consent/openapi.yaml), as far
 * as the back office asks. It sits on the gateway's stand-in and keeps consents in memory.
 */
import type { ServerResponse } from 'node:http';
import { newId } from '@kontor/kernel/ids';
import type { AdministeredConsent, ConsentReport } from '../src/office.js';
import type { GatewayStandIn, Relayed } from './gateway-stand-in.js';

export interface ConsentStandIn {
  consents: AdministeredConsent[];
  report: ConsentReport;
  /** Tokens that are good; emptied, they are all refused. */
  tokens: Set<string>;
  /** Answers instead: a status, a text as it stands, or never. */
  interfere: ((asked: Relayed) => number | string | 'never' | undefined) | undefined;
  /** What was asked of the administration, tokens aside. */
  asked: Relayed[];
}

export const STAFF_CLIENT = 'the-office';

export function consentStandIn(gateway: GatewayStandIn): ConsentStandIn {
  const standIn: ConsentStandIn = {
    consents: [], tokens: new Set(), interfere: undefined, asked: [],
    report: { asOf: '2026-11-22T10:00:00Z', from: '2026-10-23', to: '2026-11-22', byState: [], byAge: [], byClient: [], refusals: [] },
  };
  gateway.answer = (relayed, response) => {
    const ordered = standIn.interfere?.(relayed);
    if (ordered === 'never') return;
    if (typeof ordered === 'string') return void response.writeHead(200).end(ordered);
    if (ordered !== undefined) return problem(response, ordered, 'as ordered');
    if (relayed.path === '/oauth2/token') return json(response, 200, { access_token: issue(standIn), token_type: 'bearer', expires_in: 900 });
    if (!standIn.tokens.has(relayed.headers.authorization?.replace('Bearer ', '') ?? '')) return problem(response, 401, 'The access token is invalid or has expired.');
    standIn.asked.push(relayed);
    administer(standIn, relayed, response);
  };
  return standIn;
}

function issue({ tokens }: ConsentStandIn): string {
  const token = newId();
  tokens.add(token);
  return token;
}

function administer({ consents, report }: ConsentStandIn, { method, path, body }: Relayed, response: ServerResponse): void {
  const { pathname, searchParams } = new URL(path, 'http://gateway');
  const [, , , collection, id, ending] = pathname.split('/');
  if (collection === 'report' && searchParams.get('format') === 'csv') return void response.writeHead(200, { 'content-type': 'text/csv; charset=utf-8' }).end('figure,type_or_client\r\nas_of,2026-11-22\r\n');
  if (collection === 'report') return json(response, 200, { ...report, from: searchParams.get('from') ?? report.from, to: searchParams.get('to') ?? report.to });
  if (id === undefined) return json(response, 200, pageOf(consents, searchParams));
  const consent = consents.find(({ consentId }) => consentId === id);
  if (!consent) return problem(response, 404, 'There is no consent with this id.');
  if (method === 'POST' && ending) end(consent, ending, JSON.parse(body) as { reason: string; note?: string; staffMember?: string });
  json(response, 200, consent);
}

/** Cursors are places in the list. */
function pageOf(consents: AdministeredConsent[], query: URLSearchParams): object {
  const wanted = consents.filter((consent) => ['customerId', 'clientId', 'status', 'type'].every((name) => !query.has(name) || consent[name as 'status'] === query.get(name))
    && (!query.has('accountId') || consent.accounts.includes(query.get('accountId')!)));
  const [from, limit] = [Number(query.get('cursor') ?? 0), Number(query.get('limit') ?? 25)];
  return { data: wanted.slice(from, from + limit).map(({ history: _history, ...consent }) => consent), nextCursor: wanted.length > from + limit ? String(from + limit) : null };
}

function end(consent: AdministeredConsent, ending: string, { reason, note, staffMember }: { reason: string; note?: string; staffMember?: string }): void {
  if (!['awaiting_authorisation', 'partially_authorised', 'authorised'].includes(consent.status)) return;
  Object.assign(consent, { status: ending === 'revoke' ? 'revoked' : 'expired', statusReason: 'by_bank', version: consent.version + 1 });
  consent.history?.push({
    version: consent.version, at: '2026-11-22T12:00:00.000Z', act: ending, status: consent.status, actor: 'bank', reason: 'by_bank',
    actorId: staffMember ? `${STAFF_CLIENT}/${staffMember}` : STAFF_CLIENT, note: note ? `${reason}: ${note}` : reason,
  });
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function problem(response: ServerResponse, status: number, detail: string): void {
  response.writeHead(status, { 'content-type': 'application/problem+json' }).end(JSON.stringify({ status, detail, code: 'as_ordered' }));
}

/** A consent in force; `changes` name what matters. */
export function consent(changes: Partial<AdministeredConsent> = {}): AdministeredConsent {
  const consentId = newId();
  return {
    consentId, type: 'account-access', status: 'authorised', clientId: 'sandbox-app', customerId: newId(), permissions: ['accounts:read', 'balances:read'], accounts: [newId()],
    recurring: true, frequencyPerDay: 4, approvals: { required: 1, given: 1 }, expiresAt: '2027-01-31T00:00:00.000Z', createdAt: '2026-11-20T09:30:00.000Z', updatedAt: '2026-11-20T09:31:00.000Z',
    lastUsedAt: '2026-11-22T08:15:00.000Z', version: 2,
    history: [
      { version: 1, at: '2026-11-20T09:30:00.000Z', act: 'create', status: 'awaiting_authorisation', actor: 'third_party', actorId: 'sandbox-app', reason: 'requested' },
      { version: 2, at: '2026-11-20T09:31:00.000Z', act: 'approve', status: 'authorised', actor: 'customer', reason: 'approved' },
    ],
    ...changes,
  };
}
