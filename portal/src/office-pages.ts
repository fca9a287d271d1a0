/**
 * The bank's back office: pages for the staff who look after consents. Sessions, sign-in and members are its own; a developer's
 * session is worth nothing here, and the other way round. All of it works without scripts.
 */
import { Eta } from 'eta';
import express, { Router, type NextFunction, type Request, type Response } from 'express';
import { contextOfRequest } from '@kontor/kernel/http';
import { isId } from '@kontor/kernel/ids';
import { Problem, problem } from '@kontor/kernel/problem';
import { refuseForeignForms, type Sessions } from '@kontor/kernel/sessions';
import type { Asking, ConsentAdministration } from './office-gateway.js';
import { actorInWords, memberIdOf, moneyInWords, timeInWords, wordsFor } from './office-words.js';
import {
  CONSENT_STATES, CONSENT_TYPES, REASONS, figuresOf, isOver, matrixOf, officePageAfterSignIn, pageAfter, readDecision, readPeriod, readSearch,
  type AdministeredConsent, type ConsentPage, type ConsentReport, type Ending,
} from './office.js';
import { textOf } from './portal.js';
import type { StaffRepository } from './staff-repository.js';
import type { StaffSignIn } from './staff-sign-in.js';
import { mayEndConsents, type StaffMember } from './staff.js';

export interface OfficeSession {
  memberId: string;
  generation: number;
}

export interface OfficeNeeds {
  /** The portal's own folder, with pages/. */
  root: URL;
  /** As a browser sees these pages. */
  portalOrigin: string;
  staff: Pick<StaffRepository, 'member' | 'usernames'>;
  signIn: StaffSignIn;
  sessions: Sessions<OfficeSession>;
  administration: ConsentAdministration;
  /** Names of applications that registered with this portal, by client id. */
  applicationNames: (clientIds: string[]) => Promise<Map<string, string>>;
}

type Show = (response: Response, page: string, values: Record<string, unknown>, status?: number) => void;

const PAGE_POLICY = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
const BROWSER_COOKIE = 'office_browser';
/** A browser is known for half a year after it was last signed in with. */
const BROWSER_LIFE_MS = 180 * 24 * 60 * 60 * 1000;

const WORDS = { wordsFor, timeInWords, moneyInWords, actorInWords, isOver, CONSENT_STATES, CONSENT_TYPES, REASONS };

/** The router for `/office`. */
export function officePages(needs: OfficeNeeds): Router {
  const { root, portalOrigin, staff, sessions } = needs;
  const views = new URL('pages/', root);
  const eta = new Eta({ views: views.pathname, cache: true });
  const router = Router();
  const show: Show = (response, page, values, status = 200) => {
    const member = response.locals['member'] as StaffMember | undefined;
    response.status(status).type('html').send(eta.render(`/office/${page}`, {
      ...WORDS, member, mayEnd: member !== undefined && mayEndConsents(member), here: response.req.originalUrl.split('?')[0], ...values,
    }));
  };

  router.use(pageHeaders);
  router.get('/office.css', (_request, response) => response.sendFile(new URL('office/office.css', views).pathname, { maxAge: '1h', cacheControl: true }));
  router.use(express.urlencoded({ extended: false, limit: '16kb' }), refuseForeignForms(portalOrigin));
  router.use(async (request, response, next) => {
    const { memberId, generation } = await sessions.read(request);
    const member = memberId === undefined ? undefined : await staff.member(memberId);
    response.locals['member'] = member?.generation === generation ? member : undefined;
    next();
  });

  signInForms(router, show, needs);
  router.use((_request, response, next) => {
    memberOf(response);
    next();
  });
  router.get('/', (_request, response) => response.redirect(303, '/office/consents'));
  searchPage(router, show, needs);
  consentPage(router, show, needs);
  endingForm(router, show, needs);
  reportPage(router, show, needs);

  router.use((_request, _response, next) => next(problem('not_found', 'There is no page at this address.')));
  router.use((error: unknown, request: Request, response: Response, next: NextFunction) => {
    if (!(error instanceof Problem)) return next(error);
    response.set(error.headers);
    const wanted = officePageAfterSignIn(`${request.baseUrl}${request.path}`);
    if (error.code === 'unauthenticated' && request.method === 'GET') return response.redirect(303, `/office/sign-in?next=${encodeURIComponent(wanted)}`);
    if (error.code === 'unauthenticated') return show(response, 'sign-in', { values: { next: wanted }, errors: {}, error: 'Your session is over, so nothing was changed. Sign in and decide again.' }, 401);
    show(response, 'message', { title: TITLES[error.code] ?? error.title, detail: error.detail }, error.status);
  });
  return router;
}

const TITLES: Partial<Record<Problem['code'], string>> = {
  role_required: 'Not for your role', not_found: 'No such page', consent_not_found: 'No such consent', invalid_request: 'That did not work', unavailable: 'No answer at the moment', rate_limited: 'One moment, please',
};

function signInForms(router: Router, show: Show, { signIn, sessions, portalOrigin }: OfficeNeeds): void {
  router.get('/sign-in', (request, response) => show(response, 'sign-in', { values: { next: officePageAfterSignIn(textOf(request.query, 'next')) }, errors: {} }));
  router.post('/sign-in', async (request, response) => {
    const typed = (name: string): string => textOf(request.body, name);
    const values = { username: typed('username').slice(0, 64), next: officePageAfterSignIn(typed('next')) };
    const missing = Object.entries({ username: 'Give your username.', password: 'Give your password.', code: 'Give the six digits your authenticator app shows.' })
      .filter(([name]) => typed(name).trim() === '');
    if (missing.length > 0) return show(response, 'sign-in', { values, errors: Object.fromEntries(missing), error: 'Please look at the marked fields.' }, 400);
    try {
      const { member, browser } = await signIn.signIn({ username: typed('username'), password: typed('password'), code: typed('code'), address: request.ip ?? 'unknown', browser: browserOf(request) });
      await sessions.renew(request, response, { memberId: member.id, generation: member.generation });
      response.cookie(BROWSER_COOKIE, browser, { httpOnly: true, sameSite: 'lax', secure: portalOrigin.startsWith('https:'), path: '/office', maxAge: BROWSER_LIFE_MS });
      response.redirect(303, values.next);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      show(response.set(error.headers), 'sign-in', { values, errors: {}, error: error.detail }, error.status);
    }
  });
  router.post('/sign-out', async (request, response) => {
    await sessions.end(request, response);
    response.redirect(303, '/office/sign-in');
  });
}

function searchPage(router: Router, show: Show, { administration, applicationNames }: OfficeNeeds): void {
  router.get('/consents', async (request, response) => {
    const { values, errors, asked } = readSearch(request.query);
    if (!asked) return show(response, 'search', { values, errors, error: 'Please look at the marked fields.' }, 400);
    const { consentId, ...search } = asked;
    if (consentId) return response.redirect(303, `/office/consents/${consentId}`);
    const page = await answered<ConsentPage>(() => administration.search(search, askingOf(response)));
    if (page.problem) return show(response.set(page.problem.headers), 'search', { values, errors, error: page.problem.detail }, page.problem.status);
    const { data, nextCursor } = page.answer;
    const names = await applicationNames([...new Set(data.map(({ clientId }) => clientId))]);
    const { cursor: _here, ...question } = search;
    show(response, 'search', { values, errors, consents: data, names, next: nextCursor && pageAfter(question, nextCursor), first: values['cursor'] ? `/office/consents?${new URLSearchParams(question).toString()}` : undefined });
  });
}

function consentPage(router: Router, show: Show, { administration, applicationNames, staff }: OfficeNeeds): void {
  router.get('/consents/:consentId', async (request, response) => {
    const consent = await administration.consent(idOf(request), askingOf(response));
    const members = (consent.history ?? []).map(memberIdOf).filter((id): id is string => isId(id));
    show(response, 'consent', {
      consent, usernames: await staff.usernames(members), names: await applicationNames([consent.clientId]),
      outcome: isOver(consent) ? textOf(request.query, 'outcome') : '',
    });
  });
}

/** What each way to end a consent makes of it, and how the pages call it. */
const ENDINGS: Record<Ending, { verb: string; title: string; effect: string }> = {
  revoke: { verb: 'Revoke', title: 'Revoke this consent', effect: 'The next request under it is refused with “revoked”.' },
  expire: { verb: 'End', title: 'End this consent early', effect: 'The next request under it is refused with “expired”, as if its time had come.' },
};

function endingForm(router: Router, show: Show, { administration, applicationNames }: OfficeNeeds): void {
  const form = async (request: Request, response: Response, values: Record<string, unknown>, status = 200): Promise<void> => {
    const [consentId, ending] = [idOf(request), endingOf(request)];
    // Without an answer the form still stands, with what was typed.
    const { answer: consent, problem: fault } = await answered<AdministeredConsent>(() => administration.consent(consentId, askingOf(response)));
    if (fault && (fault.code === 'consent_not_found' || Object.keys(values).length === 0)) throw fault;
    const names = consent ? await applicationNames([consent.clientId]) : new Map<string, string>();
    show(response, 'end', { consentId, ending, ...ENDINGS[ending], consent, names, values: {}, errors: {}, ...values }, status);
  };

  router.get('/consents/:consentId/:ending', async (request, response) => {
    endingOf(request);
    officerOf(response);
    await form(request, response, {});
  });
  router.post('/consents/:consentId/:ending', async (request, response) => {
    const [consentId, ending, officer] = [idOf(request), endingOf(request), officerOf(response)];
    const { values, errors, asked } = readDecision(request.body);
    if (!asked) return form(request, response, { values, errors, error: 'Please look at the marked fields.' }, 400);
    const ended = await answered<AdministeredConsent>(() => administration.end(consentId, ending, { ...asked, staffMember: officer.id }, askingOf(response)));
    if (ended.problem) return form(request, response.set(ended.problem.headers), { values, error: ended.problem.detail }, ended.problem.status);
    const last = ended.answer.history?.at(-1);
    const mine = last?.act === ending && memberIdOf(last) === officer.id;
    response.redirect(303, `/office/consents/${consentId}?outcome=${mine ? 'ended' : 'unchanged'}`);
  });
}

function reportPage(router: Router, show: Show, { administration, applicationNames }: OfficeNeeds): void {
  router.get('/report', async (request, response) => {
    const { values, errors, asked } = readPeriod(request.query);
    if (!asked) return show(response, 'report', { values, errors, error: 'Please look at the marked fields.' }, 400);
    const { answer: report, problem: fault } = await answered<ConsentReport>(() => administration.report(asked, askingOf(response)));
    if (!report) return show(response.set(fault.headers), 'report', { values, errors, error: fault.detail }, fault.status);
    const names = await applicationNames([...new Set([...report.byClient, ...report.refusals].map(({ clientId }) => clientId))]);
    for (const { clientId, application } of report.byClient) if (application) names.set(clientId, application);
    const period = { from: report.from, to: report.to };
    show(response, 'report', { values: period, errors, report, names, figures: figuresOf(report), matrix: matrixOf(report), csv: `/office/report.csv?${new URLSearchParams(period).toString()}` });
  });
  router.get('/report.csv', async (request, response) => {
    const { errors, asked } = readPeriod(request.query);
    if (!asked) throw problem('invalid_request', Object.values(errors).join(' '));
    const csv = await administration.reportAsCsv(asked, askingOf(response));
    response.type('text/csv').attachment(`consents-${asked.from ?? 'last'}-${asked.to ?? '30-days'}.csv`).send(csv);
  });
}

type Outcome<T> = { answer: T; problem?: undefined } | { answer?: undefined; problem: Problem };

/** A refusal as a value, so that a form can be shown again with what was typed. */
async function answered<T>(asked: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { answer: await asked() };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { problem: error };
  }
}

function memberOf(response: Response): StaffMember {
  const member = response.locals['member'] as StaffMember | undefined;
  if (!member) throw problem('unauthenticated', 'Sign in to the back office first.');
  return member;
}

function officerOf(response: Response): StaffMember {
  const member = memberOf(response);
  if (!mayEndConsents(member)) throw problem('role_required', 'Only consent officers may end a consent. You may read it, its history and the report.');
  return member;
}

function idOf(request: Request): string {
  const id = request.params['consentId'];
  if (!isId(id)) throw problem('consent_not_found', 'There is no consent with this id.');
  return id;
}

function endingOf(request: Request): Ending {
  const ending = request.params['ending'];
  if (ending !== 'revoke' && ending !== 'expire') throw problem('not_found', 'There is no page at this address.');
  return ending;
}

const askingOf = (response: Response): Asking => ({ correlationId: contextOfRequest(response).correlationId });

const browserOf = (request: Request): string | undefined => new RegExp(`(?:^|;\\s*)${BROWSER_COOKIE}=([\\w.-]{1,128})(?:;|$)`).exec(request.get('cookie') ?? '')?.[1];

function pageHeaders(_request: Request, response: Response, next: NextFunction): void {
  response.set({ 'Content-Security-Policy': PAGE_POLICY, 'Cache-Control': 'no-store', 'Referrer-Policy': 'same-origin', 'X-Frame-Options': 'DENY', 'X-Content-Type-Options': 'nosniff' });
  next();
}
