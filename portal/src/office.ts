/**
 * The back office's rules: consents as the bank's staff read them, what their forms may ask for, and the figures of the report.
 * No clock, no I/O here.
 */
import { isId } from '@kontor/kernel/ids';
import type { FieldError } from './portal.js';
import { textOf } from './portal.js';

export const CONSENT_STATES = ['awaiting_authorisation', 'partially_authorised', 'authorised', 'rejected', 'consumed', 'revoked', 'withdrawn', 'expired'] as const;
export const CONSENT_TYPES = ['account-access', 'payment', 'variable-recurring', 'bulk-payment', 'funds-confirmation'] as const;
export const REASONS = ['customer_request', 'fraud_suspected', 'legal_order', 'data_corrected', 'other'] as const;

type ConsentState = (typeof CONSENT_STATES)[number];
type ConsentType = (typeof CONSENT_TYPES)[number];

export interface Money { amount: string; currency: string }

/** As `GET /v1/consent-administration/consents/{consentId}` answers it (services/consent/openapi.yaml, AdministeredConsent). */
export interface AdministeredConsent {
  consentId: string;
  type: ConsentType;
  status: ConsentState;
  statusReason?: string;
  clientId: string;
  customerId?: string;
  permissions: string[];
  accounts: string[];
  recurring: boolean;
  frequencyPerDay?: number;
  payment?: { amount: Money; creditor: { name: string; iban: string }; debtorAccountId?: string; remittance?: string; requestedExecutionDate?: string };
  recurringTerms?: {
    maximumPerPayment: Money; periodicLimits: { maximum: Money; period: string; alignment: string }[];
    creditor: { name: string; iban: string }; debtorAccountId?: string; remittance?: string;
  };
  bulk?: { transactions: number; total: Money; debtorAccountId?: string; digest?: string; requestedExecutionDate?: string };
  approvals: { required: number; given: number };
  amendment?: { permissions: string[]; validUntil: string; frequencyPerDay?: number; requestedAt: string };
  validFrom?: string;
  expiresAt: string;
  createdAt: string;
  updatedAt: string;
  lastUsedAt?: string;
  version: number;
  history?: ConsentChange[];
}

export interface ConsentChange {
  version: number;
  at: string;
  act: string;
  status: ConsentState;
  actor: 'customer' | 'third_party' | 'bank' | 'system';
  actorId?: string;
  reason: string;
  note?: string;
}

export interface ConsentPage { data: AdministeredConsent[]; nextCursor: string | null }

/** As `GET /v1/consent-administration/report` answers it. */
export interface ConsentReport {
  asOf: string;
  /** Days, both included. */
  from: string;
  to: string;
  byState: { type: ConsentType; status: ConsentState; consents: number }[];
  byAge: { type: ConsentType; age: string; consents: number }[];
  byClient: { clientId: string; application?: string; inForce: number; all: number }[];
  refusals: { code: string; clientId: string; refusals: number }[];
}

/** `revoke`: the state becomes revoked; `expire`: expired, as if its time had come. */
export type Ending = 'revoke' | 'expire';

export interface Decision { reason: (typeof REASONS)[number]; note?: string }

/** What a form said, as typed; and what is wrong with it, a field at a time. */
export interface Read<T> { values: Record<string, string>; errors: Record<string, string>; asked?: T }

const MOST_NOTE = 280;
const MOST_CURSOR = 512;
const MOST_DAYS = 366;
const DAY_MS = 24 * 60 * 60 * 1000;

const SEARCH_FIELDS = ['consentId', 'customerId', 'clientId', 'accountId', 'status', 'type', 'cursor'] as const;

export type Search = Partial<Record<(typeof SEARCH_FIELDS)[number], string>>;

/** The search form; empty fields ask for nothing. */
export function readSearch(query: unknown): Read<Search> {
  const values = textsOf(query, SEARCH_FIELDS);
  const unknown = (name: keyof Search, known: readonly string[]): FieldError | undefined =>
    values[name] && !known.includes(values[name]) ? { path: name, message: 'Choose one of the list.' } : undefined;
  const noId = (name: keyof Search, what: string): FieldError | undefined =>
    values[name] && !isId(values[name].toLowerCase()) ? { path: name, message: `The id of ${what} looks like 01936d7e-0c1a-7cc0-9f6b-0d2a54b2a001.` } : undefined;
  const errors = [
    noId('consentId', 'a consent'), noId('customerId', 'a customer'), noId('accountId', 'an account'),
    values['clientId'] && !/^[\x21-\x7e]{1,128}$/.test(values['clientId']) ? { path: 'clientId', message: 'A client id has at most 128 characters and no blanks.' } : undefined,
    unknown('status', CONSENT_STATES), unknown('type', CONSENT_TYPES),
    values['cursor'] && values['cursor'].length > MOST_CURSOR ? { path: 'cursor', message: 'Begin with the first page.' } : undefined,
  ];
  return outcome(values, errors, () => Object.fromEntries(Object.entries(values).filter(([, text]) => text !== '')
    .map(([name, text]) => [name, /^(consent|customer|account)Id$/.test(name) ? text.toLowerCase() : text])) as Search);
}

/** The form that ends a consent. */
export function readDecision(body: unknown): Read<Decision> {
  const values = { reason: textOf(body, 'reason'), note: textOf(body, 'note').replace(/\r\n?/g, '\n').trim() };
  const reason = REASONS.find((known) => known === values.reason);
  const length = [...values.note].length;
  return outcome(values, [
    !reason ? { path: 'reason', message: 'Choose the reason; it stays in the consent\'s history.' } : undefined,
    length > MOST_NOTE ? { path: 'note', message: `The note has ${length} characters; ${MOST_NOTE} are allowed.` } : undefined,
    /[^\P{Cc}\n]/u.test(values.note) ? { path: 'note', message: 'The note holds characters that cannot be kept; type it anew.' } : undefined,
  ], () => ({ reason: reason!, ...(values.note ? { note: values.note } : {}) }));
}

export interface Period { from?: string; to?: string }

/** The period of the report, in whole days; without one the last thirty days are meant. */
export function readPeriod(query: unknown): Read<Period> {
  const values = textsOf(query, ['from', 'to']);
  const [from, to] = [values['from'] ?? '', values['to'] ?? ''];
  const wrong = (name: string, day: string): FieldError | undefined => (day && !isDay(day) ? { path: name, message: 'Give a day as year-month-day, such as 2026-11-22.' } : undefined);
  const days = (Date.parse(to) - Date.parse(from)) / DAY_MS;
  return outcome(values, [
    wrong('from', from), wrong('to', to),
    days < 0 ? { path: 'to', message: 'The last day lies before the first.' } : undefined,
    days > MOST_DAYS ? { path: 'from', message: `A report covers at most ${MOST_DAYS} days; choose a later first day.` } : undefined,
  ], () => ({ ...(from ? { from } : {}), ...(to ? { to } : {}) }));
}

const isDay = (text: string): boolean => /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(text) && !Number.isNaN(Date.parse(text)) && new Date(text).toISOString().startsWith(text);

function textsOf(source: unknown, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, textOf(source, name).trim()]));
}

function outcome<T>(values: Record<string, string>, faults: (FieldError | '' | undefined)[], asked: () => T): Read<T> {
  const errors = Object.fromEntries(faults.filter((fault) => fault !== undefined && fault !== '').map(({ path, message }) => [path, message]));
  return Object.keys(errors).length > 0 ? { values, errors } : { values, errors, asked: asked() };
}

/** Whether nothing can move it any more. */
export const isOver = ({ status }: Pick<AdministeredConsent, 'status'>): boolean => ['rejected', 'consumed', 'revoked', 'withdrawn', 'expired'].includes(status);

/** Where the search goes on, with the same question. */
export function pageAfter(search: Search, cursor: string): string {
  return `/office/consents?${new URLSearchParams({ ...search, cursor }).toString()}`;
}

/** Where to go after signing in: a page of the back office, never another address. */
export const officePageAfterSignIn = (wanted: string): string =>
  (/^\/office\/(consents(\/[0-9a-f-]{36}(\/(revoke|expire))?)?|report)$/.test(wanted) ? wanted : '/office/consents');

export interface Figure { label: string; value: number }

/** The figures of the charts: consents by state and by age over all types, refusals by reason over all applications; the states in the order of a consent's life. */
export function figuresOf({ byState, byAge, refusals }: ConsentReport): { states: Figure[]; ages: Figure[]; reasons: Figure[] } {
  const sums = <T>(lines: T[], label: (line: T) => string, value: (line: T) => number): Figure[] => {
    const totals = new Map<string, number>();
    for (const line of lines) totals.set(label(line), (totals.get(label(line)) ?? 0) + value(line));
    return [...totals].map(([name, total]) => ({ label: name, value: total }));
  };
  const youngest = (age: string): number => Number(/\d+/.exec(age)?.[0] ?? 0);
  return {
    states: sums(byState, ({ status }) => status, ({ consents }) => consents).sort((a, b) => stateAt(a.label) - stateAt(b.label)),
    ages: sums(byAge, ({ age }) => age, ({ consents }) => consents).sort((a, b) => youngest(a.label) - youngest(b.label)),
    reasons: sums(refusals, ({ code }) => code, ({ refusals: count }) => count).sort((a, b) => b.value - a.value),
  };
}

const stateAt = (label: string): number => (CONSENT_STATES as readonly string[]).indexOf(label);

/** Consents by state (rows) and type (columns), for the table beside the chart. */
export function matrixOf({ byState }: ConsentReport): { status: ConsentState; counts: number[]; all: number }[] {
  return CONSENT_STATES.flatMap((status) => {
    const counts = CONSENT_TYPES.map((type) => byState.find((line) => line.status === status && line.type === type)?.consents ?? 0);
    const all = counts.reduce((sum, count) => sum + count, 0);
    return all > 0 ? [{ status, counts, all }] : [];
  });
}
