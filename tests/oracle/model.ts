/**
 * "Is this request allowed?", once more and independently: written from the specification (the contracts' x-access and x-consent,
 * the tables of ARCHITECTURE.md, services/consent/openapi.yaml), as tables, without a line of the product. It imports nothing.
 * It knows no time but what an act says of it: a trial takes a moment, so all payments of one fall into one period.
 */

export type Kind = 'access' | 'one-off access' | 'payment' | 'variable recurring' | 'bulk payment' | 'funds confirmation';

export type State = 'awaiting_authorisation' | 'partially_authorised' | 'authorised' | 'rejected' | 'consumed' | 'revoked' | 'withdrawn' | 'expired';

/** An operation as its contract describes it. */
export interface Operation {
  id: string;
  method: string;
  path: string;
  scopes: readonly string[];
  roles: readonly string[];
  /** Absent: no consent is needed. */
  permission?: string;
  /** Where the account stands that the consent must cover. */
  account?: 'path' | 'body';
}

export interface Application { id: string; roles: readonly string[] }

/** What a consent to pay says of the payments under it. Amounts in cents. */
export interface Terms {
  /** Exactly this, or at most this. */
  amount: number;
  /** Of a bulk: nobody, each of its payments has one of its own. */
  creditor: string;
  remittance?: string;
  /** The account, where the application named it. */
  debtor?: string;
  /** Of recurring payments: what all of a period may come to. */
  periodic?: readonly number[];
}

/** What an application asked the customer for. */
export interface Wish {
  kind: Kind;
  permissions: readonly string[];
  /** Accesses a day without the customer. */
  frequency?: number;
  terms?: Terms;
  /** Begins tomorrow. */
  later?: boolean;
}

/** A consent as the model follows it. Accounts and customers by name. */
export interface Consent extends Wish {
  client: string;
  state: State;
  accounts: readonly string[];
  approvers: readonly string[];
  approved: readonly string[];
  amendment?: { permissions?: readonly string[]; frequency?: number };
  /** Cents paid under it. */
  paid: number;
  /** Used up, and its time is over as well. */
  past?: boolean;
  /** Accesses without the customer, by operation and account. */
  uses: Record<string, number>;
}

export type Act =
  | { act: 'approve'; accounts: readonly string[] }
  | { act: 'approve jointly' }
  | { act: 'reject' }
  | { act: 'ask amendment'; permissions?: readonly string[]; frequency?: number }
  | { act: 'withdraw' }
  | { act: 'revoke'; by: 'customer' | 'staff' }
  | { act: 'expire'; by: 'time' | 'staff' }
  | { act: 'abandon' };

/** The customer who approves, her accounts, and who holds them. */
export interface Customer { name: string; accounts: readonly string[]; holders: Readonly<Record<string, readonly string[]>> }

const OVER: readonly State[] = ['rejected', 'consumed', 'revoked', 'withdrawn', 'expired'];

/** What ends a consent, from which states, and where to. Giving up what is over changes nothing and is no fault. */
const ENDS: Readonly<Record<'withdraw' | 'revoke' | 'expire', State>> = { withdraw: 'withdrawn', revoke: 'revoked', expire: 'expired' };

/** A consent nobody has decided yet. */
export const asked = (client: string, wish: Wish): Consent => ({ ...wish, client, state: 'awaiting_authorisation', accounts: [], approvers: [], approved: [], paid: 0, uses: {} });

/** What an act makes of a consent; `refused` when it must not be accepted, and then nothing changes. */
export function after(consent: Consent, act: Act, customer: Customer): { consent: Consent; refused: boolean } {
  const is = (...states: State[]): boolean => states.includes(consent.state);
  const becomes = (change: Partial<Consent>): { consent: Consent; refused: boolean } => ({ consent: { ...consent, ...change }, refused: false });
  const refused = { consent, refused: true };
  switch (act.act) {
    case 'approve': return approve(consent, act.accounts, customer) ?? refused;
    case 'approve jointly': {
      const next = consent.approvers.find((holder) => holder !== customer.name && !consent.approved.includes(holder));
      if (!is('partially_authorised') || next === undefined) return refused;
      const approved = [...consent.approved, next];
      return becomes({ approved, state: consent.approvers.every((holder) => approved.includes(holder)) ? 'authorised' : 'partially_authorised' });
    }
    case 'reject':
      if (is('authorised') && consent.amendment) return becomes({ amendment: undefined });
      return is('awaiting_authorisation', 'partially_authorised') ? becomes({ state: 'rejected' }) : refused;
    case 'ask amendment':
      if (!is('authorised') || consent.kind !== 'access' || consent.approvers.length > 1) return refused;
      return becomes({ amendment: { permissions: act.permissions, frequency: act.frequency } });
    case 'abandon': return is('awaiting_authorisation') ? becomes({ state: 'rejected' }) : becomes({});
    default:
      if (is('consumed') && act.act === 'expire' && act.by === 'time') return becomes({ past: true });
      return is(...OVER) ? becomes({}) : becomes({ state: ENDS[act.act], amendment: undefined });
  }
}

function approve(consent: Consent, chosen: readonly string[], customer: Customer): { consent: Consent; refused: boolean } | undefined {
  const debtor = consent.terms?.debtor;
  const offered = customer.accounts.filter((account) => debtor === undefined || account === debtor);
  const several = consent.kind === 'access' || consent.kind === 'one-off access' || (consent.kind === 'bulk payment' && debtor === undefined);
  if (chosen.length === 0 || !chosen.every((account) => offered.includes(account)) || (chosen.length > 1 && !several)) return undefined;
  const holders = [...new Set([customer.name, ...chosen.flatMap((account) => customer.holders[account] ?? [])])];
  if (consent.state === 'authorised' && consent.amendment) {
    if (holders.length > 1) return undefined;
    const { permissions = consent.permissions, frequency = consent.frequency } = consent.amendment;
    return { refused: false, consent: { ...consent, permissions, frequency, accounts: chosen, amendment: undefined } };
  }
  if (consent.state !== 'awaiting_authorisation') return undefined;
  const state = holders.length > 1 ? 'partially_authorised' : 'authorised';
  return { refused: false, consent: { ...consent, accounts: chosen, approvers: holders, approved: [customer.name], state } };
}

/** A payment order, or one of a bulk: two payments that come to the amount. Amount in cents. */
export interface Order { amount: number; creditor: string; remittance?: string; debtor: string; bulk?: boolean }

export type Token =
  | { kind: 'none' | 'garbage' | 'ended' }
  | { kind: 'client'; application: Application; scopes: readonly string[] }
  | { kind: 'consent'; application: Application; scopes: readonly string[]; consent: Consent | 'unknown' };

/** A request as the model needs to know it. */
export interface Question {
  operation: Operation;
  token: Token;
  /** In the path, or the debtor's in the body. */
  account: string;
  /** The customer is at the screen. */
  attended: boolean;
  order?: Order;
  /** Whose consent an operation about consents names. */
  about?: string;
}

/** What may come of a request: `allowed`, or the code of a problem. More than one only where a token is about to end. */
export type Verdict = readonly string[];

/** The status of each code. */
export const STATUS: Readonly<Record<string, number>> = {
  unauthenticated: 401, invalid_token: 401, role_required: 403, insufficient_scope: 403, not_your_resource: 403, consent_required: 403, consent_not_active: 403,
  consent_revoked: 403, consent_withdrawn: 403, consent_expired: 403, consent_consumed: 403, consent_permission_missing: 403, consent_account_not_covered: 403,
  consent_frequency_exceeded: 429, consent_limit_exceeded: 403,
};

type Known = Question & { consent: Consent };

/** Before the consent is looked at. The first row that holds decides. */
const ANYONE: readonly [code: string, refuses: (question: Question) => boolean][] = [
  ['unauthenticated', ({ token }) => token.kind === 'none'],
  ['invalid_token', ({ token }) => token.kind === 'garbage' || token.kind === 'ended'],
  ['role_required', ({ token, operation }) => 'application' in token && !operation.roles.some((role) => token.application.roles.includes(role))],
  ['insufficient_scope', ({ token, operation }) => 'scopes' in token && !operation.scopes.every((scope) => token.scopes.includes(scope))],
  ['not_your_resource', ({ token, about }) => about !== undefined && 'application' in token && token.application.id !== about],
  ['consent_required', ({ token, operation }) => operation.permission !== undefined && token.kind !== 'consent'],
  ['consent_not_active', ({ token, operation }) => operation.permission !== undefined && token.kind === 'consent'
    && (token.consent === 'unknown' || token.consent.client !== token.application.id)],
];

/** The consent of the token against the request. The first row that holds decides. */
const CONSENTED: readonly [code: string, refuses: (question: Known) => boolean][] = [
  ['consent_not_active', ({ consent }) => ['awaiting_authorisation', 'partially_authorised', 'rejected'].includes(consent.state)],
  ['consent_revoked', ({ consent }) => consent.state === 'revoked'],
  ['consent_withdrawn', ({ consent }) => consent.state === 'withdrawn'],
  ['consent_expired', ({ consent }) => consent.state === 'expired'],
  ['consent_consumed', ({ consent }) => consent.state === 'consumed'],
  ['consent_not_active', ({ consent }) => consent.later === true],
  ['consent_permission_missing', ({ consent, operation }) => !consent.permissions.includes(operation.permission!)],
  ['consent_account_not_covered', ({ consent, operation, account }) => operation.account !== undefined && !consent.accounts.includes(account)],
  ['consent_frequency_exceeded', (question) => limited(question) && (question.consent.uses[useOf(question)] ?? 0) >= question.consent.frequency!],
  ['consent_permission_missing', ({ order, consent }) => order !== undefined && (order.bulk === true) !== (consent.kind === 'bulk payment')],
  ['consent_permission_missing', ({ order, consent: { terms } }) => order?.bulk === true && order.amount !== terms?.amount],
  ['consent_permission_missing', ({ order, consent: { terms } }) => order !== undefined && !order.bulk && (terms === undefined || order.creditor !== terms.creditor
    || (terms.remittance !== undefined && order.remittance !== terms.remittance) || (terms.periodic === undefined && order.amount !== terms.amount))],
  ['consent_limit_exceeded', ({ order, consent: { terms, paid } }) => order !== undefined && terms?.periodic !== undefined
    && (order.amount > terms.amount || terms.periodic.some((most) => paid + order.amount > most))],
];

/** Tokens end with the consent, a moment later: until then the refusal says why. */
const ENDS_TOKENS: readonly State[] = ['rejected', 'revoked', 'withdrawn', 'expired'];

const limited = ({ consent, attended }: Known): boolean => consent.frequency !== undefined && !attended;
const useOf = ({ operation, account }: Question): string => `${operation.id} ${operation.account === 'path' ? account : ''}`;

/** Decides a request. */
export function verdict(question: Question): Verdict {
  const { token, operation } = question;
  const consent = token.kind === 'consent' && token.consent !== 'unknown' ? token.consent : undefined;
  const anyone = ANYONE.find(([, refuses]) => refuses(question))?.[0];
  const refusals = anyone !== undefined ? [anyone] : operation.permission === undefined || !consent ? []
    : CONSENTED.filter(([, refuses]) => refuses({ ...question, consent })).map(([code]) => code);
  if (refusals.length === 0) refusals.push('allowed');
  // Under a consent that is used up the payment itself may be asked for again, so that its repetition is answered; what else is
  // wrong with another one may be told first, its time included.
  const told = consent?.state !== 'consumed' || !question.order ? refusals.slice(0, 1) : consent.past ? [...refusals, 'consent_expired'] : refusals;
  return consent && ENDS_TOKENS.includes(consent.state) ? [...told, 'invalid_token'] : told;
}

/** What a request that was allowed has used up. */
export function used(question: Question): Partial<Consent> {
  const { token, order } = question;
  if (token.kind !== 'consent' || token.consent === 'unknown') return {};
  const { consent } = token;
  const known: Known = { ...question, consent };
  if (order) return { paid: consent.paid + order.amount, ...(consent.kind === 'payment' || consent.kind === 'bulk payment' ? { state: 'consumed' as const } : {}) };
  return question.operation.permission !== undefined && limited(known) ? { uses: { ...consent.uses, [useOf(question)]: (consent.uses[useOf(question)] ?? 0) + 1 } } : {};
}
