/** Does to the platform what the model says is done: acts on a consent, and requests. */
import { newId } from '@kontor/kernel/ids';
import { Problem } from '@kontor/kernel/problem';
import { approveJointly, reject, revoke } from '../../services/consent/src/consent.js';
import { decisionKey } from '@kontor/kernel/consent-decision';
import type { Answer } from '../gateway/client.js';
import { STATUS, type Act, type Application, type Consent, type Operation, type Order, type Question, type Token, type Verdict, type Wish } from './model.js';
import type { Asking, Difference, TokenChoice } from './trials.js';
import { approveAs, consentBody, createConsent, EVENT, EVERY_SCOPE, euro, GROCER, SCOPE, type World } from './world.js';

const LICENCES = ['aisp', 'pisp', 'cbpii', 'onboarding'];

/** Something all trials of a world share: a second consent of the same application, and one of the other. */
export interface Shared { standing: { token(): Promise<string>; consent: Consent }; foreign: string }

/** One consent under trial. */
export interface Subject { consentId: string; tokens: Map<string, Promise<string>> }

export async function subjectOf(world: World, wish: Wish): Promise<Subject> {
  return { consentId: await createConsent(world, bodyOf(wish, world)), tokens: new Map() };
}

function bodyOf({ kind, permissions, frequency, terms, later }: Wish, world: World): Record<string, unknown> {
  const debtor = terms?.debtor === undefined ? {} : { debtorAccountId: accountId(world, terms.debtor) };
  const remittance = terms?.remittance === undefined ? {} : { remittance: terms.remittance };
  switch (kind) {
    case 'access': return consentBody(kind, { permissions, ...(frequency === undefined ? {} : { frequencyPerDay: frequency }) });
    case 'one-off access': return consentBody(kind, { permissions });
    case 'payment': return consentBody(kind, { amount: euro(terms!.amount), ...debtor, ...remittance });
    case 'bulk payment': return consentBody(kind, { total: euro(terms!.amount), ...debtor });
    case 'variable recurring': return consentBody(kind, {
      maximumPerPayment: euro(terms!.amount), ...debtor, ...remittance, ...(later ? { validFrom: new Date(Date.now() + 86_400_000).toISOString() } : {}),
      periodicLimits: terms!.periodic!.map((cents, index) => ({ maximum: euro(cents), period: index === 0 ? 'month' : 'year', alignment: 'consent' })),
    });
    case 'funds confirmation': return consentBody(kind);
  }
}

function accountId(world: World, name: string): string {
  return name in world.accounts ? world.accounts[name as keyof World['accounts']].id : NOWHERE;
}

const NOWHERE = '00000000-0000-4000-8000-000000000000';

/** @returns whether the platform refused it */
export async function perform(world: World, { consentId }: Subject, act: Act): Promise<boolean> {
  const { consents, consent: { database }, redis } = world.services;
  const refusedWith = async (work: Promise<unknown>): Promise<boolean> => work.then(() => false, (fault: unknown) => {
    if (fault instanceof Problem && fault.status < 500) return true;
    throw fault;
  });
  const staff = async (what: 'revoke' | 'expire'): Promise<boolean> => fulfilled(await world.client.ask('POST', `/v1/consent-administration/consents/${consentId}/${what}`, {
    headers: { authorization: `Bearer ${await world.tokenOf(world.apps.staff, 'consent-administration')}` }, body: { reason: 'other' },
  }));
  const own = async (method: string, path: string, body?: object): Promise<boolean> => fulfilled(await world.client.ask(method, `/v1/consents/${consentId}${path}`, {
    headers: { authorization: `Bearer ${await world.tokenOf(world.apps.fintech, 'consents')}`, ...(body ? { 'idempotency-key': newId() } : {}) }, ...(body ? { body } : {}),
  }));
  // To this moment, so that what was done first also came first; what the gateway was told of it before is gone from Redis.
  const backdate = async (set: string): Promise<boolean> => {
    await database.query(`UPDATE consents SET ${set} WHERE id = $1`, [consentId]);
    await redis.del(decisionKey(consentId));
    return false;
  };
  switch (act.act) {
    case 'approve': return refusedWith(approveAs(world, consentId, act.accounts.map((name) => accountId(world, name))));
    case 'approve jointly': return refusedWith(consents.change(consentId, (consent, now) => approveJointly(consent, { customerId: world.customers.bert, now }), EVENT));
    case 'reject': return refusedWith(consents.change(consentId, (consent, now) => reject(consent, 'by_customer', now, world.customers.ada), EVENT));
    case 'ask amendment': return own('POST', '/amend', { ...(act.permissions ? { permissions: act.permissions } : {}), ...(act.frequency === undefined ? {} : { frequencyPerDay: act.frequency }) });
    case 'withdraw': return own('DELETE', '');
    case 'revoke': return act.by === 'staff' ? staff('revoke')
      : refusedWith(consents.change(consentId, (consent, now) => revoke(consent, { actor: { kind: 'customer', id: world.customers.ada }, reason: 'by_customer' }, now), EVENT));
    case 'expire': return act.by === 'staff' ? staff('expire') : backdate('expires_at = clock_timestamp()');
    case 'abandon': return backdate("created_at = least(created_at, clock_timestamp() - interval '1 hour')");
  }
}

function fulfilled({ status, text }: Answer): boolean {
  if (status >= 500) throw new Error(`the platform failed: ${text}`);
  return status >= 400;
}

/** The request, as the model and as the platform get it. */
export interface Request { question: Question; send: () => Promise<Answer> }

export async function requestOf(world: World, subject: Subject, shared: Shared, { asking, operation, consent }: { asking: Asking; operation: Operation; consent: Consent }): Promise<Request> {
  const { token, text } = await tokenFor(world, subject, shared, { choice: asking.token, operation, consent });
  const order = ORDERS.includes(operation.id) ? { ...orderOf(consent, asking), ...(operation.id === 'initiatePayment' ? {} : { bulk: true }) } : undefined;
  const about = operation.path.includes('{consentId}') ? asking.about : undefined;
  const account = asking.account in world.accounts ? world.accounts[asking.account as keyof World['accounts']] : undefined;
  const path = operation.path
    .replace('{accountId}', account?.id ?? NOWHERE).replace('{transactionId}', account?.transaction ?? NOWHERE)
    .replace('{consentId}', about === 'foreign' ? shared.foreign : subject.consentId);
  const body = bodyFor(world, operation, order);
  // The same when it is sent again, as a client would.
  const key = newId();
  return {
    question: {
      operation, token, account: asking.account, attended: asking.presence === 'there', ...(order ? { order } : {}),
      ...(about ? { about: about === 'own' ? 'fintech' : 'other' } : {}),
    },
    send: () => world.client.ask(operation.method, path, {
      headers: {
        ...(text === undefined ? {} : { authorization: `Bearer ${text}` }),
        ...(asking.presence === 'away' ? {} : { 'x-fapi-customer-ip-address': asking.presence === 'there' ? '203.0.113.7' : '' }),
        ...(order ? { 'idempotency-key': key } : {}), ...(typeof body === 'string' ? { 'content-type': 'application/xml' } : {}),
      },
      ...(body ? { body } : {}),
    }),
  };
}

const ORDERS = ['initiatePayment', 'initiateBulkPayment', 'initiateBulkPaymentFile'];

function bodyFor(world: World, operation: Operation, order: Order | undefined): object | string | undefined {
  if (operation.id === 'confirmFunds') return { amount: euro(100) };
  if (!order) return undefined;
  if (order.bulk) {
    const halves = [Math.floor(order.amount / 2), Math.ceil(order.amount / 2)];
    if (operation.id === 'initiateBulkPaymentFile') return bulkFile(ibanOf(world, order.debtor), halves);
    return { debtorAccountId: accountId(world, order.debtor), payments: halves.map((cents) => ({ amount: euro(cents), creditor: GROCER })) };
  }
  return {
    // The trials ask about consents; that they order the same again and again is their way.
    allowDuplicate: true, debtorAccountId: accountId(world, order.debtor), amount: euro(order.amount), ...(order.remittance === undefined ? {} : { remittance: order.remittance }),
    creditor: { name: order.creditor === 'name' ? 'Green Grocers' : GROCER.name, iban: order.creditor === 'creditor' ? 'NL91ABNA0417164300' : GROCER.iban },
  };
}

const ibanOf = (world: World, name: string): string => (name in world.accounts ? world.accounts[name as keyof World['accounts']].iban : 'DE00NOWHERE');

/** Two transfers in a pain.001 file. */
const bulkFile = (iban: string, halves: readonly number[]): string => `<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"><CstmrCdtTrfInitn>
<GrpHdr><MsgId>ORACLE</MsgId><CreDtTm>2026-01-01T00:00:00Z</CreDtTm><NbOfTxs>2</NbOfTxs><InitgPty/></GrpHdr>
<PmtInf><PmtInfId>B</PmtInfId><PmtMtd>TRF</PmtMtd><ReqdExctnDt><Dt>${new Date(Date.now() + 2 * 86_400_000).toISOString().slice(0, 10)}</Dt></ReqdExctnDt><Dbtr/><DbtrAcct><Id><IBAN>${iban}</IBAN></Id></DbtrAcct><DbtrAgt><FinInstnId/></DbtrAgt>
${halves.map((cents) => `<CdtTrfTxInf><PmtId><EndToEndId>NOTPROVIDED</EndToEndId></PmtId><Amt><InstdAmt Ccy="EUR">${euro(cents).amount}</InstdAmt></Amt><Cdtr><Nm>${GROCER.name}</Nm></Cdtr><CdtrAcct><Id><IBAN>${GROCER.iban}</IBAN></Id></CdtrAcct></CdtTrfTxInf>`).join('\n')}
</PmtInf></CstmrCdtTrfInitn></Document>`;

function orderOf({ terms }: Consent, { difference, account }: Asking): Order {
  const { amount = 1250, remittance } = terms ?? {};
  const amounts: Partial<Record<Difference, number>> = { more: amount + 1, less: amount - 1 };
  const given: Partial<Record<Difference, string | undefined>> = { remittance: 'Invoice 18', 'no remittance': undefined };
  const reference = difference in given ? given[difference] : remittance;
  return {
    amount: amounts[difference] ?? amount, debtor: account, creditor: difference === 'creditor' || difference === 'name' ? difference : 'grocer',
    ...(reference === undefined ? {} : { remittance: reference }),
  };
}

/** A token as chosen. Those on consents come through authorization code and PKCE at the gateway, as the bank's pages ask for them. */
async function tokenFor(world: World, subject: Subject, shared: Shared, { choice, operation, consent }: { choice: TokenChoice; operation: Operation; consent: Consent }): Promise<{ token: Token; text?: string }> {
  const { client, apps } = world;
  const onConsent = (who: 'fintech' | 'other' | 'unlicensed', scope: string): Promise<string> => {
    const key = `${who} ${scope}`;
    const text = subject.tokens.get(key) ?? client.consentToken(apps[who], subject.consentId, scope);
    subject.tokens.set(key, text);
    return text;
  };
  const applications: Record<'fintech' | 'other' | 'unlicensed', Application> = {
    fintech: { id: 'fintech', roles: LICENCES }, other: { id: 'other', roles: LICENCES }, unlicensed: { id: 'unlicensed', roles: ['onboarding'] },
  };
  const known = async (who: 'fintech' | 'other' | 'unlicensed', scope: string): Promise<{ token: Token; text: string }> =>
    ({ token: { kind: 'consent', application: applications[who], scopes: scope.split(' '), consent }, text: await onConsent(who, scope) });
  const application = applications.fintech;
  switch (choice) {
    case 'on the consent': return known('fintech', SCOPE[consent.kind]);
    case 'on the consent, with every scope': return known('fintech', EVERY_SCOPE);
    case 'on the consent, with a strange scope': return known('fintech', 'consents');
    case 'of another application, on this consent': return known('other', EVERY_SCOPE);
    case 'of an application without a licence, on this consent': return known('unlicensed', EVERY_SCOPE);
    case 'on another consent': return { token: { kind: 'consent', application, scopes: ['accounts'], consent: shared.standing.consent }, text: await shared.standing.token() };
    case 'on an unknown consent':
      return { token: { kind: 'consent', application, scopes: EVERY_SCOPE.split(' '), consent: 'unknown' }, text: await client.consentToken(apps.fintech, newId(), EVERY_SCOPE) };
    case 'of client credentials': {
      const scopes = operation.scopes;
      return { token: { kind: 'client', application, scopes }, text: await world.tokenOf(apps.fintech, scopes.join(' ')) };
    }
    case 'none': return { token: { kind: 'none' } };
    case 'garbage': return { token: { kind: 'garbage' }, text: `x${newId().replaceAll('-', '')}` };
    case 'ended': return { token: { kind: 'ended' }, text: await endedToken(world, subject) };
  }
}

/** A token that an administrator has deleted before it was ever used. */
async function endedToken({ client, apps, target }: World, { consentId }: Subject): Promise<string> {
  const text = await client.consentToken(apps.fintech, consentId, EVERY_SCOPE);
  // Kong finds a token by itself; the embedded gateway keeps only a hash of it and lists by consent.
  const names = target.embedded
    ? ((await client.admin('GET', `/oauth2_tokens?authenticated_userid=${consentId}`)).body.data as { id: string; scope: string }[]).filter(({ scope }) => scope === EVERY_SCOPE).map(({ id }) => id)
    : [text];
  if (names.length === 0) throw new Error('the token is not listed');
  for (const name of names) await client.admin('DELETE', `/oauth2_tokens/${name}`);
  return text;
}

/** Nobody could say: not a decision. A client asks again. */
export const undecided = ({ status, body }: Answer): boolean => status === 503 && ['consent_check_unavailable', 'unavailable'].includes((body as { code?: string }).code ?? '');

/** What came of a request, in the model's words. */
export function outcomeOf({ status, headers, body, text }: Answer): string {
  if (status < 300) return 'allowed';
  const code = (body as { code?: string } | undefined)?.code;
  if (!headers['content-type']?.startsWith('application/problem+json') || code === undefined) return `${status} ${text.slice(0, 200)}`;
  return STATUS[code] === status ? code : `${status} ${code}`;
}

/** What a request must answer beside "allowed": no account but those the customer chose. */
export function strangeAccounts(world: World, { question }: Request, { status, body }: Answer, verdict: Verdict): string[] {
  const { operation, token } = question;
  if (operation.id !== 'listAccounts' || status !== 200 || verdict[0] !== 'allowed' || token.kind !== 'consent' || token.consent === 'unknown') return [];
  const chosen = token.consent.accounts.map((name) => accountId(world, name)).sort();
  const shown = (body as { data: { accountId: string }[] }).data.map((account) => account.accountId).sort();
  return shown.join() === chosen.join() ? [] : shown;
}
