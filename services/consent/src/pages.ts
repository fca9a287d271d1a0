/**
 * The bank's pages: a customer signs in, passes a one-time code, sees who wants what, approves or refuses, and revokes.
 * Every step is a form; no script runs. Steps in order: request, password, one-time code, decision.
 */
import { createHash } from 'node:crypto';
import { Eta } from 'eta';
import express, { Router, type NextFunction, type Request, type Response } from 'express';
import { friendlyFormatIBAN } from 'ibantools';
import type { EventContext } from '@kontor/kernel/events';
import { isId, newId } from '@kontor/kernel/ids';
import { Problem, problem } from '@kontor/kernel/problem';
import { refuseForeignForms, type Sessions } from '@kontor/kernel/sessions';
import { contextOfRequest } from '@kontor/kernel/http';
import { readAuthorisationRequest, type AuthorisationRequest } from './authorisation-request.js';
import { accountsOffered, approve, awaitsCustomer, isOver, reject, revoke, type Consent } from './consent.js';
import type { ConsentRepository } from './repository.js';
import type { Credentials, SignIn } from './credentials.js';
import type { RequestCode } from './gateway.js';

export interface Session {
  /** The authorisation request the customer came with; absent when he came to see his consents. */
  request?: AuthorisationRequest;
  customerId?: string;
  /** `password`: one factor proven. `strong`: both. */
  proven?: 'password' | 'strong';
}

export interface PageNeeds {
  consents: ConsentRepository;
  credentials: Credentials;
  sessions: Sessions<Session>;
  requestCode: RequestCode;
  pagesUrl: string;
  bankName: string;
  now: () => Date;
}

/** What a permission means, in the customer's words. */
const PERMISSION_WORDS: Record<string, string> = {
  'accounts:read': 'See your account details',
  'balances:read': 'See your balances',
  'transactions:read': 'See your transactions',
  'payments:initiate': 'Make this payment, once',
};

export function bankPages(needs: PageNeeds): Router {
  const { consents, credentials, sessions, requestCode, pagesUrl, bankName, now } = needs;
  const eta = new Eta({ views: new URL('../pages', import.meta.url).pathname, cache: true });
  const router = Router();

  const show = (response: Response, page: string, values: Record<string, unknown>, status = 200): void => {
    response.status(status).type('html').send(eta.render(page, { bankName, ...values }));
  };
  /** Ends in the request's summary for the page, so that the customer sees the same facts at every step. */
  const summaryOf = async (request: AuthorisationRequest | undefined): Promise<Record<string, unknown> | undefined> => {
    const consent = request && (await consents.find(request.consentId));
    return consent && describe(consent, (await consents.applicationName(consent.clientId)) ?? 'A registered application');
  };

  router.use(pageHeaders);
  router.get('/bank.css', (_request, response) => response.type('css').sendFile(new URL('../pages/bank.css', import.meta.url).pathname, { maxAge: '1h' }));
  router.use(express.urlencoded({ extended: false, limit: '16kb' }), refuseForeignForms(new URL(pagesUrl).origin));

  router.get('/authorise', async (request, response) => {
    const consentId = request.query['consent_id'];
    const consent = isId(consentId) ? await consents.find(consentId as string) : undefined;
    if (!consent) throw problem('consent_not_found', 'This request is not known. Go back to the application and start again.');
    const read = readAuthorisationRequest(request.query, consent);
    if ('refusal' in read) {
      if (read.refusal.redirectTo) return response.redirect(303, read.refusal.redirectTo);
      throw problem('unprocessable', read.refusal.description);
    }
    const authorisation = read.request;
    await sessions.renew(request, response, { request: authorisation });
    show(response, 'sign-in', { summary: await summaryOf(authorisation) });
  });

  router.get('/sign-in', async (request, response) => {
    await sessions.renew(request, response, {});
    show(response, 'sign-in', {});
  });

  router.post('/sign-in', async (request, response) => {
    const { request: authorisation } = await sessions.read(request);
    const outcome = await credentials.checkPassword(field(request, 'username'), field(request, 'password'), now());
    if (outcome.kind !== 'passed') return show(response, 'sign-in', { summary: await summaryOf(authorisation), error: wordsFor(outcome, 'Username or password is not right.') }, 401);
    await sessions.renew(request, response, { request: authorisation, customerId: outcome.customerId, proven: 'password' });
    show(response, 'one-time-code', { summary: await summaryOf(authorisation) });
  });

  router.post('/one-time-code', async (request, response) => {
    const session = await sessions.read(request);
    if (!session.customerId) throw signInFirst();
    const outcome = await credentials.checkCode(session.customerId, field(request, 'code').replace(/\s/g, ''), now());
    if (outcome.kind !== 'passed') return show(response, 'one-time-code', { summary: await summaryOf(session.request), error: wordsFor(outcome, 'This code is not right, or was used before. Wait for the next one.') }, 401);
    await sessions.renew(request, response, { ...session, proven: 'strong' });
    response.redirect(303, `${pagesUrl}/${session.request ? 'decision' : 'consents'}`);
  });

  router.get('/decision', async (request, response) => {
    const { session, authorisation, consent } = await deciding(request, needs);
    const offered = accountsOffered(consent, await consents.accountsOf(session.customerId));
    // The answer to the form leads back to the application: CSP form-action covers that redirect too.
    response.set('Content-Security-Policy', contentPolicy(new URL(authorisation.redirectUri).origin));
    show(response, 'decision', {
      summary: await summaryOf(authorisation),
      several: consent.type === 'account-access',
      accounts: offered.map((account) => ({ ...account, iban: friendlyFormatIBAN(account.iban) })),
    });
  });

  router.post('/decision', async (request, response) => {
    const { session, authorisation, consent } = await deciding(request, needs);
    const { customerId } = session;
    if (field(request, 'decision') !== 'approve') {
      await consents.change(consent.id, (current, at) => reject(current, 'by_customer', at, customerId), context(response));
      await sessions.end(request, response);
      return response.redirect(303, refusalAddress(authorisation));
    }
    const chosen = fields(request, 'account');
    const owned = await consents.accountsOf(customerId);
    approve(consent, { customerId, chosen, owned, now: now() }); // refuses before a code is asked for
    const backTo = await requestCode(authorisation);
    await consents.change(consent.id, (current, at) => approve(current, { customerId, chosen, owned, now: at }), context(response), { id: newId(), customerId, factors: ['password', 'totp'], linkedHash: linkedHash(consent, chosen) });
    await sessions.end(request, response);
    response.redirect(303, backTo);
  });

  router.get('/consents', async (request, response) => {
    const session = await strongly(request, sessions);
    const own = await consents.listOfCustomer(session.customerId);
    const described = await Promise.all(own.map(async (consent) => ({
      ...describe(consent, (await consents.applicationName(consent.clientId)) ?? 'A registered application'), over: isOver(consent),
    })));
    show(response, 'consents', { consents: described });
  });

  router.post('/consents/:consentId/revoke', async (request, response) => {
    const session = await strongly(request, sessions);
    const consent = isId(request.params.consentId) ? await consents.find(request.params.consentId) : undefined;
    if (consent?.customerId !== session.customerId) throw problem('consent_not_found', 'You have no such consent.');
    await consents.change(consent.id, (current, at) => revoke(current, { actor: { kind: 'customer', id: session.customerId }, reason: 'by_customer' }, at), context(response));
    response.redirect(303, `${pagesUrl}/consents`);
  });

  router.post('/sign-out', async (request, response) => {
    await sessions.end(request, response);
    response.redirect(303, `${pagesUrl}/sign-in`);
  });

  router.use((error: unknown, _request: Request, response: Response, next: NextFunction) => {
    if (!(error instanceof Problem)) return next(error);
    show(response, 'message', { title: error.title, detail: error.detail, signIn: error.code === 'unauthenticated' }, error.status);
  });
  return router;
}

interface Deciding { session: Session & { customerId: string }; authorisation: AuthorisationRequest; consent: Consent }

/** A strongly authenticated customer with a request to decide; anything less is refused. */
async function deciding(request: Request, { sessions, consents }: PageNeeds): Promise<Deciding> {
  const session = await strongly(request, sessions);
  const consent = session.request && (await consents.find(session.request.consentId));
  if (!session.request || !consent) throw problem('invalid_state', 'There is nothing to decide. Go back to the application and start again.');
  if (!awaitsCustomer(consent)) throw problem('invalid_state', 'This request has already been decided.');
  return { session, authorisation: session.request, consent };
}

async function strongly(request: Request, sessions: Sessions<Session>): Promise<Session & { customerId: string }> {
  const session = await sessions.read(request);
  if (session.proven !== 'strong' || !session.customerId) throw signInFirst();
  return { ...session, customerId: session.customerId };
}

const signInFirst = (): Problem => problem('unauthenticated', 'Your session is over. Sign in again.');

const wordsFor = (outcome: SignIn, otherwise: string): string =>
  outcome.kind === 'locked' ? 'Too many attempts. For your safety signing in is closed for 15 minutes.' : otherwise;

/** What was on the screen when the customer approved: application, payment (amount and payee), accounts. */
const linkedHash = (consent: Consent, accounts: string[]): Buffer =>
  createHash('sha256').update(JSON.stringify([consent.id, consent.clientId, consent.permissions, consent.payment ?? null, accounts])).digest();

function describe(consent: Consent, application: string): Record<string, unknown> {
  return {
    id: consent.id,
    application,
    status: consent.status.replaceAll('_', ' '),
    permissions: consent.permissions.map((permission) => PERMISSION_WORDS[permission] ?? permission),
    until: consent.expiresAt.toISOString().slice(0, 10),
    payment: consent.payment && {
      amount: consent.payment.amount.amount, currency: consent.payment.amount.currency, payee: consent.payment.creditor.name,
      iban: friendlyFormatIBAN(consent.payment.creditor.iban), remittance: consent.payment.remittance,
    },
  };
}

/** RFC 6749 §4.1.2.1 */
function refusalAddress({ redirectUri, state }: AuthorisationRequest): string {
  const address = new URL(redirectUri);
  address.searchParams.set('error', 'access_denied');
  if (state) address.searchParams.set('state', state);
  return address.toString();
}

const contentPolicy = (alsoFormsTo = ''): string =>
  `default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self' ${alsoFormsTo}; frame-ancestors 'none'; base-uri 'none'`;

function pageHeaders(_request: Request, response: Response, next: NextFunction): void {
  response.set({ 'Content-Security-Policy': contentPolicy(), 'Cache-Control': 'no-store', 'Referrer-Policy': 'no-referrer', 'X-Frame-Options': 'DENY' });
  next();
}

const fields = (request: Request, name: string): string[] => {
  const value = (request.body as Record<string, unknown> | undefined)?.[name];
  return (Array.isArray(value) ? value : [value]).filter((text): text is string => typeof text === 'string');
};

const field = (request: Request, name: string): string => fields(request, name)[0]?.slice(0, 512) ?? '';

const context = (response: Response): EventContext => contextOfRequest(response);
