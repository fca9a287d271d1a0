/** What all pages share: their needs, how a page is shown in the person's language, how a form is read, and what is said when it cannot be. */
import { Eta } from 'eta';
import type { Request, Response } from 'express';
import type { EventContext } from '@kontor/kernel/events';
import { contextOfRequest } from '@kontor/kernel/http';
import { Problem } from '@kontor/kernel/problem';
import { sameKey } from '@kontor/kernel/shared-key';
import type { Consent } from './consent.js';
import type { Credentials } from './credentials.js';
import type { RequestCode } from './gateway.js';
import type { Known } from './known-repository.js';
import type { BalanceDisplay, Balances } from './pages-balances.js';
import { cookieOf, HOME, type Current, type Visit, type Visits } from './pages-visit.js';
import { languageOf, tongue, type Tongue, type Words } from './pages-words.js';
import type { ConsentRepository } from './repository.js';
import type { Challenges } from './sca-challenges.js';
import type { Throttle } from './sca-throttle.js';

export interface PageNeeds {
  consents: ConsentRepository;
  usageOf: Known['usageOf'];
  credentials: Credentials;
  challenges: Challenges;
  throttle: Throttle;
  visits: Visits;
  balances: Balances;
  balanceDisplay: BalanceDisplay;
  requestCode: RequestCode;
  /** Where the pages are as a browser sees them, without a closing slash. */
  pagesUrl: string;
  bankName: string;
  /** IANA name; dates on the pages are the bank's. */
  timeZone: string;
  now: () => Date;
}

export type FaultKey = keyof Words['faults'];

const STATUS_OF: Record<FaultKey, number> = {
  sessionOver: 401, linkUsed: 410, linkUnknown: 404, linkForeign: 400, foreignForm: 400, nothingThere: 404, noSuchConsent: 404, decided: 409, changed: 409, notSetUp: 422,
  tooLarge: 413, unavailable: 503, refused: 409, internal: 500,
};

/** A page cannot be shown; what the person is told instead is in the catalogue under `key`. */
export class PageFault extends Error {
  readonly key: FaultKey;
  readonly status: number;
  constructor(key: FaultKey) {
    super(key);
    this.key = key;
    this.status = STATUS_OF[key];
  }
}

/** A fault next to its field; an empty field belongs to the whole form. */
export interface FieldError { field: string; text: string }

export interface Showing {
  status?: number;
  /** Where the language switch leads back to: the page by GET. */
  here?: string;
  errors?: FieldError[];
  [value: string]: unknown;
}

export const LANGUAGE_COOKIE = 'bank_language';

export interface Desk extends PageNeeds {
  tongueOf(request: Request, visit?: Visit): Tongue;
  show(at: { request: Request; response: Response; visit?: Visit }, page: string, values: Showing): void;
  /** The visit whose label the form or address carries, its form token checked. @throws PageFault */
  visitOf(request: Request): Promise<Current>;
  /** The dashboard of a strongly authenticated customer. @throws PageFault */
  homeOf(request: Request): Promise<Current & { customerId: string }>;
  applicationOf(consent: Pick<Consent, 'clientId'>, tongue: Tongue): Promise<string>;
  /** The address of a page of a visit. */
  at(page: string, label: string): string;
}

export function desk(needs: PageNeeds): Desk {
  const eta = new Eta({ views: new URL('../pages', import.meta.url).pathname, cache: true });
  const tongueOf = (request: Request, visit?: Visit): Tongue => tongue(languageOf(request, cookieOf(request, LANGUAGE_COOKIE), visit?.request?.uiLocales), needs.timeZone);
  const opened = async (request: Request, label: string): Promise<Current> => {
    const visit = await needs.visits.read(request, label);
    if (!visit) throw new PageFault('sessionOver');
    if (request.method === 'POST' && !sameKey(field(request, 'token'), visit.token)) throw new PageFault('foreignForm');
    return { label, visit };
  };
  return {
    ...needs, tongueOf,
    show({ request, response, visit }, page, { status = 200, here, ...values }) {
      const speech = tongueOf(request, visit);
      response.status(status).type('html').set('Content-Language', speech.language).vary('Accept-Language').send(eta.render(page, {
        bankName: needs.bankName, tongue: speech, w: speech.words, token: visit?.token ?? '', errors: [], ...values,
        switchTo: `/bank/language?${new URLSearchParams({ to: speech.other, back: here ?? (request.method === 'GET' ? request.originalUrl : '/bank/consents') }).toString()}`,
      }));
    },
    visitOf: (request) => opened(request, (request.method === 'POST' ? field(request, 't') : text(request.query['t'])) || 'none'),
    async homeOf(request) {
      const home = await opened(request, HOME);
      if (home.visit.proven !== 'strong' || !home.visit.customerId) throw new PageFault('sessionOver');
      return { ...home, customerId: home.visit.customerId };
    },
    applicationOf: async ({ clientId }, { words }) => (await needs.consents.applicationName(clientId)) ?? words.aRegisteredApplication,
    at: (page, label) => `${needs.pagesUrl}/${page}?t=${label}`,
  };
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Every value of a field of the form. */
export const fields = (request: Request, name: string): string[] => {
  const value = (request.body as Record<string, unknown> | undefined)?.[name];
  return (Array.isArray(value) ? value : [value]).filter((one): one is string => typeof one === 'string');
};

/** The first value of a field of the form; empty where there is none. */
export const field = (request: Request, name: string): string => fields(request, name)[0] ?? '';

export const contextOf = (response: Response): EventContext => contextOfRequest(response);

export const DEVICE_COOKIE = 'bank_device';
/** People share browsers; each of a few customers is remembered by a token of his own. */
export const MOST_DEVICE_TOKENS = 4;

export const deviceTokens = (request: Request): string[] => (cookieOf(request, DEVICE_COOKIE) ?? '').split('.').filter(Boolean).slice(0, MOST_DEVICE_TOKENS);

/** The gateway adds the address it saw as the last of `X-Forwarded-For`; only the gateway reaches this service. */
export const addressOf = (request: Request): string => (request.get('x-forwarded-for') ?? '').split(',').at(-1)?.trim() || (request.socket.remoteAddress ?? '');

/** What a person is told of a rule's refusal or a failure; undefined for what we did not foresee. */
export function faultOf(error: unknown): PageFault | undefined {
  if (error instanceof PageFault) return error;
  if (error instanceof Problem) {
    const known: Partial<Record<Problem['code'], FaultKey>> = {
      consent_not_found: 'noSuchConsent', invalid_state: 'decided', invalid_request: 'foreignForm', unavailable: 'unavailable', bad_gateway: 'unavailable', unprocessable: 'refused',
    };
    return new PageFault(known[error.code] ?? (error.status >= 500 ? 'unavailable' : 'refused'));
  }
  if (error instanceof URIError) return new PageFault('nothingThere');
  const { type } = error as { type?: unknown };
  if (type === 'entity.too.large' || type === 'parameters.too.many') return new PageFault('tooLarge');
  return typeof type === 'string' ? new PageFault('foreignForm') : undefined;
}
