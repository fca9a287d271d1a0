/**
 * The journey of every consent: request, password, decision; the second factor is in pages-confirm.ts. Nothing about the request
 * but the application's name is shown before the password: a link that was stolen tells nothing.
 */
import { Router, type Request, type Response } from 'express';
import { isId } from '@kontor/kernel/ids';
import { readAuthorisationRequest, refusalAddress } from './authorisation-request.js';
import { accountsOffered, awaitsApprovalOf, awaitsCustomer, reject, takesSeveralAccounts, type Consent, type OfferedAccount } from './consent.js';
import { addressOf, contextOf, deviceTokens, field, fields, PageFault, type Desk, type FieldError } from './pages-desk.js';
import { accountName, choicesOf, summaryOf } from './pages-describe.js';
import type { Current, Visit } from './pages-visit.js';
import type { Attempt } from './sca-throttle.js';

const LONGEST_NAME = 64;
const LONGEST_PASSWORD = 128;

export function authorisePages(desk: Desk): Router {
  const router = Router();
  router.get('/authorise', async (request, response) => authorise(desk, request, response));
  router.get('/sign-in', async (request, response) => {
    if (request.query['t'] === undefined) {
      const label = await desk.visits.begin(request, response, { purpose: 'sign-in' });
      return response.redirect(303, desk.at('sign-in', label));
    }
    const { label, visit } = await desk.visitOf(request);
    if (visit.ending) return response.redirect(303, desk.at('done', label));
    await showSignIn(desk, { request, response, label, visit }, {});
  });
  router.post('/sign-in', async (request, response) => signIn(desk, request, response));
  router.post('/cancel', async (request, response) => cancel(desk, request, response));
  router.get('/decision', async (request, response) => {
    const { label, visit } = await desk.visitOf(request);
    if (visit.ending) return response.redirect(303, desk.at('done', label));
    const changed = request.query['changed'] === undefined ? [] : [{ field: '', text: desk.tongueOf(request, visit).words.errors.changed }];
    await showDecision(desk, { request, response, ...(await deciding(desk, { label, visit })) }, { errors: changed });
  });
  router.post('/decision', async (request, response) => decide(desk, request, response));
  router.get('/done', async (request, response) => {
    const { visit } = await desk.visitOf(request);
    if (!visit.ending) throw new PageFault('sessionOver');
    if (visit.ending.kind === 'signed_in') return response.redirect(303, visit.ending.backTo);
    desk.show({ request, response, visit }, 'done', { ending: visit.ending, at: desk.tongueOf(request, visit).dateTime(new Date(visit.ending.at)), leadsBack: visit.request !== undefined });
  });
  return router;
}

/** Parameters in the address (RFC 6749 §4.1.1), or the one-time reference to those the application left with us. */
async function authorise(desk: Desk, request: Request, response: Response): Promise<void> {
  const reference = request.query['request'];
  if (reference !== undefined) {
    const left = typeof reference === 'string' && /^[A-Za-z0-9_-]{20,100}$/.test(reference) ? await desk.consents.takeRequest(reference) : undefined;
    if (!left) throw new PageFault('linkUsed');
    const consent = await desk.consents.find(left.consentId);
    if (!consent) throw new PageFault('linkUnknown');
    if (!awaitsCustomer(consent)) return response.redirect(303, refusalAddress(left, 'access_denied', 'There is nothing to decide.'));
    const label = await desk.visits.begin(request, response, { purpose: 'consent', consentId: consent.id, request: left });
    return response.redirect(303, desk.at('sign-in', label));
  }
  const consentId = request.query['consent_id'];
  const consent = isId(consentId) ? await desk.consents.find(consentId as string) : undefined;
  if (!consent) throw new PageFault('linkUnknown');
  const read = readAuthorisationRequest(request.query, consent);
  if ('refusal' in read) {
    // No address is followed that the consent does not name: an open redirect would lend the bank's name to anybody.
    if (!read.refusal.redirectTo) throw new PageFault('linkForeign');
    return response.redirect(303, read.refusal.redirectTo);
  }
  const label = await desk.visits.begin(request, response, { purpose: 'consent', consentId: consent.id, request: read.request });
  response.redirect(303, desk.at('sign-in', label));
}

interface Shown { request: Request; response: Response; label: string; visit: Visit }

async function showSignIn(desk: Desk, { request, response, label, visit }: Shown, back: { errors?: FieldError[]; username?: string; status?: number }): Promise<void> {
  const consent = visit.consentId ? await desk.consents.find(visit.consentId) : undefined;
  const application = consent && (await desk.applicationOf(consent, desk.tongueOf(request, visit)));
  allowFormsTo(response, visit);
  desk.show({ request, response, visit }, 'sign-in', { label, application, type: consent?.type, ...back, here: `/bank/sign-in?t=${label}` });
}

async function signIn(desk: Desk, request: Request, response: Response): Promise<void> {
  const { label, visit } = await desk.visitOf(request);
  if (visit.ending) return response.redirect(303, desk.at('done', label));
  const { words, waiting } = desk.tongueOf(request, visit);
  const [username, password] = [field(request, 'username').trim(), field(request, 'password')];
  const refuse = (errors: FieldError[], status: number): Promise<void> => showSignIn(desk, { request, response, label, visit }, { errors, username: username.slice(0, LONGEST_NAME), status });
  const errors = [
    ...(username ? username.length > LONGEST_NAME ? [{ field: 'username', text: words.errors.tooLong(LONGEST_NAME) }] : [] : [{ field: 'username', text: words.errors.usernameMissing }]),
    ...(password ? password.length > LONGEST_PASSWORD ? [{ field: 'password', text: words.errors.tooLong(LONGEST_PASSWORD) }] : [] : [{ field: 'password', text: words.errors.passwordMissing }]),
  ];
  if (errors.length > 0) return refuse(errors, 400);
  const knownDevice = await desk.credentials.knownDevice(username, deviceTokens(request), desk.now());
  const attempt: Attempt = { username, address: addressOf(request), ...(knownDevice ? { knownDevice } : {}) };
  const waitS = await desk.throttle.attempt(attempt);
  if (waitS > 0) {
    response.set('Retry-After', String(waitS));
    return refuse([{ field: '', text: words.errors.wait(waiting(waitS)) }], 429);
  }
  const customerId = await desk.credentials.checkPassword(username, password);
  if (!customerId) return refuse([{ field: 'username', text: words.errors.signInWrong }], 401);
  await desk.throttle.succeeded(attempt);
  // What was chosen or asked for by somebody signed in before on this visit is not taken over.
  const { choice: _choice, challenge: _challenge, ...rest } = visit;
  await desk.visits.advance(request, response, { label, visit: { ...rest, customerId, proven: 'password' } });
  response.redirect(303, desk.at(visit.purpose === 'sign-in' ? 'confirm' : 'decision', label));
}

/** The customer turns round. Who has not signed in decides nothing: the consent waits until its time is over. */
async function cancel(desk: Desk, request: Request, response: Response): Promise<void> {
  const { label, visit } = await desk.visitOf(request);
  if (visit.ending) return response.redirect(303, desk.at('done', label));
  const backTo = visit.request ? refusalAddress(visit.request, 'access_denied', 'The customer cancelled.') : `${desk.pagesUrl}/${visit.purpose === 'co-approval' ? 'consents' : 'sign-in'}`;
  await desk.visits.save(request, { label, visit: ended(visit, { kind: 'cancelled', at: desk.now().toISOString(), backTo }) });
  response.redirect(303, backTo);
}

export interface Deciding extends Current { customerId: string; consent: Consent }

/** A customer with a password and something to decide; anything less is refused. */
export async function deciding(desk: Desk, { label, visit }: Current): Promise<Deciding> {
  if (!visit.customerId || !visit.proven) throw new PageFault('sessionOver');
  const consent = visit.consentId ? await desk.consents.find(visit.consentId) : undefined;
  if (!consent) throw new PageFault('noSuchConsent');
  if (visit.purpose === 'co-approval') {
    if (!awaitsApprovalOf(consent, visit.customerId)) throw new PageFault('decided');
  } else {
    if (!awaitsCustomer(consent)) throw new PageFault('decided');
    if (consent.status === 'authorised' && consent.customerId !== visit.customerId) throw new PageFault('noSuchConsent');
  }
  return { label, visit, customerId: visit.customerId, consent };
}

/** The accounts this customer may choose; a further holder approves what the first has chosen. */
export async function offeredTo(desk: Desk, { customerId, consent, visit }: Deciding): Promise<OfferedAccount[]> {
  const owned = await desk.consents.accountsOf(customerId);
  return visit.purpose === 'co-approval' ? owned.filter(({ id }) => consent.accounts.includes(id)) : accountsOffered(consent, owned);
}

async function showDecision(desk: Desk, at: Deciding & { request: Request; response: Response }, back: { errors?: FieldError[]; chosen?: string[]; status?: number }): Promise<void> {
  const { request, response, label, visit, consent, customerId } = at;
  const tongue = desk.tongueOf(request, visit);
  const offered = await offeredTo(desk, at);
  const balances = desk.balanceDisplay === 'shown' ? await desk.balances(customerId) : new Map<string, never>();
  const chosen = back.chosen ?? (consent.accounts.length > 0 ? consent.accounts : undefined);
  const { decision } = tongue.words;
  allowFormsTo(response, visit);
  desk.show({ request, response, visit }, 'decision', {
    label, version: consent.version, summary: summaryOf(consent, await desk.applicationOf(consent, tongue), tongue),
    ...(consent.payment ? { title: decision.paymentTitle, approve: decision.pay } : consent.bulk ? { title: decision.bulkTitle, approve: decision.payBulk } : { title: decision.title, approve: decision.approve }),
    question: !takesSeveralAccounts(consent) ? (consent.type === 'funds-confirmation' ? decision.fundsAccount : decision.account) : consent.bulk ? decision.bulkAccounts : decision.accounts,
    several: takesSeveralAccounts(consent), fixed: visit.purpose === 'co-approval',
    choices: choicesOf(offered, { display: desk.balanceDisplay, balances, tongue, ...(chosen ? { chosen } : {}) }),
    here: `/bank/decision?t=${label}`, status: back.status ?? 200, errors: back.errors ?? [],
  });
}

async function decide(desk: Desk, request: Request, response: Response): Promise<void> {
  const current = await desk.visitOf(request);
  const { label, visit } = current;
  if (visit.ending) return response.redirect(303, desk.at('done', label));
  const at = await deciding(desk, current);
  const { words } = desk.tongueOf(request, visit);
  const decision = field(request, 'decision');
  if (decision === 'refuse') return refuse(desk, at, request, response);
  const chosen = visit.purpose === 'co-approval' ? at.consent.accounts : [...new Set(fields(request, 'account'))];
  const again = (text: string, status = 400, name = 'account'): Promise<void> => showDecision(desk, { request, response, ...at }, { errors: [{ field: name, text }], chosen, status });
  if (decision !== 'approve') return again(words.errors.decisionMissing, 400, '');
  if (field(request, 'version') !== String(at.consent.version)) return again(words.errors.changed, 409, '');
  const offered = (await offeredTo(desk, at)).map(({ id }) => id);
  if (chosen.length === 0) return again(takesSeveralAccounts(at.consent) ? words.errors.accountMissing : words.errors.accountOne);
  if (!chosen.every((id) => offered.includes(id))) return again(words.errors.accountForeign, 422);
  if (chosen.length > 1 && !takesSeveralAccounts(at.consent)) return again(words.errors.accountOne);
  const { challenge: _earlier, ...rest } = visit;
  await desk.visits.save(request, { label, visit: { ...rest, choice: { accounts: chosen, version: at.consent.version } } });
  response.redirect(303, desk.at('confirm', label));
}

/** Refusing takes no second factor: it gives nothing away. */
async function refuse(desk: Desk, { label, visit, consent, customerId }: Deciding, request: Request, response: Response): Promise<void> {
  await desk.consents.change(consent.id, (current, now) => reject(current, 'by_customer', now, customerId), contextOf(response));
  const backTo = visit.request ? refusalAddress(visit.request, 'access_denied', 'The customer refused.') : `${desk.pagesUrl}/consents`;
  const application = await desk.applicationOf(consent, desk.tongueOf(request, visit));
  await desk.visits.save(request, { label, visit: ended(visit, { kind: 'rejected', at: desk.now().toISOString(), backTo, application }) });
  response.redirect(303, backTo);
}

/** A visit that is over keeps how it ended, and no trust. */
export function ended(visit: Visit, ending: NonNullable<Visit['ending']>): Visit {
  const { customerId: _customer, proven: _proven, choice: _choice, challenge: _challenge, ...rest } = visit;
  return { ...rest, ending };
}

/** The names of the accounts chosen, as pages and messages show them. */
export async function chosenNames(desk: Desk, at: Deciding, request: Request): Promise<string[]> {
  const tongue = desk.tongueOf(request, at.visit);
  return (await offeredTo(desk, at)).filter(({ id }) => at.visit.choice?.accounts.includes(id)).map((account) => accountName(account, tongue));
}

/** The answer to these forms may lead back to the application: CSP's form-action covers that redirect, too. */
export function allowFormsTo(response: Response, visit: Visit): void {
  if (visit.request) response.set('Content-Security-Policy', contentPolicy(new URL(visit.request.redirectUri).origin));
}

export const contentPolicy = (alsoFormsTo = ''): string =>
  `default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'${alsoFormsTo ? ` ${alsoFormsTo}` : ''}; frame-ancestors 'none'; base-uri 'none'`;
