/**
 * The second factor, linked to what was just approved (RTS on SCA, articles 4 and 5): choose a method, give the code or approve on
 * another device, and only then is anything written. The challenge is used up by one statement; whoever sends the form a second
 * time is led to how it ended.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { Router, type Request, type Response } from 'express';
import { newId } from '@kontor/kernel/ids';
import { Problem } from '@kontor/kernel/problem';
import { refusalAddress } from './authorisation-request.js';
import { approve, approveJointly, reject, type Consent } from './consent.js';
import { allowFormsTo, chosenNames, deciding, ended, type Deciding } from './pages-authorise.js';
import { contextOf, DEVICE_COOKIE, deviceTokens, field, MOST_DEVICE_TOKENS, PageFault, type Desk, type FieldError, type Showing } from './pages-desk.js';
import { messageText, screenHash, summaryOf } from './pages-describe.js';
import type { Current, Ending, Visit } from './pages-visit.js';
import { DEVICE_LIFE_S } from './credentials.js';
import { methodsFor, MOST_CHALLENGES_FAILED, signInHash, type Method } from './sca.js';
import type { Proof } from './sca-challenges.js';

export function confirmPages(desk: Desk): Router {
  const router = Router();
  router.get('/confirm', async (request, response) => {
    const at = await confirming(desk, await desk.visitOf(request), response);
    if (!at) return;
    if (at.visit.challenge?.method === 'decoupled' && request.query['other'] === undefined) return lookForAnswer(desk, at, request, response);
    await showConfirm(desk, at, request, response, { choosing: request.query['other'] !== undefined });
  });
  router.post('/confirm/method', async (request, response) => {
    const at = await confirming(desk, await desk.visitOf(request), response);
    if (at) await openChallenge(desk, at, request, response);
  });
  router.post('/confirm', async (request, response) => {
    const at = await confirming(desk, await desk.visitOf(request), response);
    if (at) await checkCode(desk, at, request, response);
  });
  return router;
}

/** A customer with one factor proven and something to confirm: a decision, or that it is he who signs in. */
type Confirming = (Current & { customerId: string; deciding?: undefined }) | (Deciding & { deciding: Deciding });

async function confirming(desk: Desk, current: Current, response: Response): Promise<Confirming | undefined> {
  const { label, visit } = current;
  if (visit.ending) {
    response.redirect(303, desk.at('done', label));
    return undefined;
  }
  if (!visit.customerId || !visit.proven) throw new PageFault('sessionOver');
  if (visit.purpose === 'sign-in') return { label, visit, customerId: visit.customerId };
  const decision = await deciding(desk, current);
  if (!visit.choice) {
    response.redirect(303, desk.at('decision', label));
    return undefined;
  }
  return { ...decision, deciding: decision };
}

/** What the challenge is linked to, computed anew from what holds now. */
const linkOf = (at: Confirming): Buffer => (at.deciding ? screenHash(at.deciding.consent, at.visit.choice?.accounts ?? []) : signInHash(at.customerId, at.visit.token));

async function showConfirm(desk: Desk, at: Confirming, request: Request, response: Response, how: { choosing?: boolean; errors?: FieldError[]; status?: number }): Promise<void> {
  const { visit, label } = at;
  const tongue = desk.tongueOf(request, visit);
  const { confirm } = tongue.words;
  const consent = at.deciding?.consent;
  const values: Showing = {
    label, title: consent?.payment ? confirm.titlePayment : consent?.bulk ? confirm.titleBulk : confirm.title, methods: methodsFor(consent?.type), method: visit.challenge?.method,
    summary: consent && summaryOf(consent, await desk.applicationOf(consent, tongue), tongue), accounts: at.deciding ? await chosenNames(desk, at.deciding, request) : [],
    linked: consent?.bulk ? confirm.linkedBulk : consent?.payment ?? consent?.recurring ? confirm.linked : undefined,
    errors: how.errors ?? [], status: how.status ?? 200, here: `/bank/confirm?t=${label}`,
  };
  allowFormsTo(response, visit);
  desk.show({ request, response, visit }, visit.challenge && visit.challenge.method !== 'decoupled' && !how.choosing ? 'code' : 'method', values);
}

async function openChallenge(desk: Desk, at: Confirming, request: Request, response: Response): Promise<void> {
  const { visit, label, customerId } = at;
  const tongue = desk.tongueOf(request, visit);
  const { errors, messages } = tongue.words;
  const consent = at.deciding?.consent;
  const method = field(request, 'method') as Method;
  const again = (field: string, text: string, status: number): Promise<void> => showConfirm(desk, at, request, response, { choosing: true, errors: [{ field, text }], status });
  if (!methodsFor(consent?.type).includes(method)) return again('method', errors.methodMissing, 400);
  if (consent && consent.version !== visit.choice?.version) return backToDecision(desk, at, request, response);
  const waitS = await desk.throttle.challenge(customerId);
  if (waitS > 0) {
    response.set('Retry-After', String(waitS));
    return again('', errors.challengesOver(tongue.waiting(waitS)), 429);
  }
  const what = at.deciding ? messageText(at.deciding.consent, await desk.applicationOf(at.deciding.consent, tongue), await chosenNames(desk, at.deciding, request), tongue) : messages.signIn;
  const opened = await desk.challenges.open({
    customerId, purpose: consent ? 'consent' : 'sign-in', ...(consent ? { consentId: consent.id } : {}), method, linkedHash: linkOf(at), now: desk.now(),
    text: (code) => (method === 'message' ? messages.code(code, what) : messages.approve(code, what)), ...(visit.challenge ? { replaces: visit.challenge.id } : {}),
  });
  await desk.visits.save(request, { label, visit: { ...visit, challenge: { id: opened.id, method, ...(opened.check ? { check: opened.check } : {}) } } });
  response.redirect(303, desk.at('confirm', label));
}

/** The waiting page asks again by itself (the header `Refresh`, as no script runs), or only when the customer says so: WCAG 2.2, 2.2.2. */
async function lookForAnswer(desk: Desk, at: Confirming, request: Request, response: Response): Promise<void> {
  const { visit, label, customerId } = at;
  const { id = '', check } = visit.challenge ?? {};
  const proof = await prove(desk, at, '', id);
  if (proof.kind !== 'pending') return settle(desk, at, proof, request, response);
  const tongue = desk.tongueOf(request, visit);
  const consent = at.deciding?.consent;
  const manual = request.query['manual'] !== undefined;
  if (!manual) response.set('Refresh', '3');
  allowFormsTo(response, visit);
  desk.show({ request, response, visit }, 'waiting', {
    label, check, manual, customerId, summary: consent && summaryOf(consent, await desk.applicationOf(consent, tongue), tongue),
    accounts: at.deciding ? await chosenNames(desk, at.deciding, request) : [], here: `/bank/confirm?t=${label}${manual ? '&manual=1' : ''}`,
  });
}

const prove = (desk: Desk, at: Confirming, code: string, id: string): Promise<Proof> => desk.challenges.prove({
  id, customerId: at.customerId, linkedHash: linkOf(at), code, now: desk.now(), checkTotp: () => desk.credentials.checkCode(at.customerId, code, desk.now()),
});

async function checkCode(desk: Desk, at: Confirming, request: Request, response: Response): Promise<void> {
  const { errors } = desk.tongueOf(request, at.visit).words;
  const { challenge } = at.visit;
  if (!challenge) return showConfirm(desk, at, request, response, { errors: [{ field: 'method', text: errors.methodMissing }], status: 400 });
  const code = field(request, 'code').replace(/\s/g, '');
  // What cannot be a code costs no try.
  if (challenge.method !== 'decoupled' && !/^[0-9]{6}$/.test(code)) {
    return showConfirm(desk, at, request, response, { errors: [{ field: 'code', text: code ? errors.codeForm : errors.codeMissing }], status: 400 });
  }
  await settle(desk, at, await prove(desk, at, code, challenge.id), request, response);
}

async function settle(desk: Desk, at: Confirming, proof: Proof, request: Request, response: Response): Promise<void> {
  const { errors } = desk.tongueOf(request, at.visit).words;
  switch (proof.kind) {
    case 'passed': return at.deciding ? complete(desk, at.deciding, proof.method, request, response) : enter(desk, at, request, response);
    case 'pending': return response.redirect(303, `${desk.at('confirm', at.label)}&manual=1`);
    case 'changed': return backToDecision(desk, at, request, response);
    case 'wrong': {
      if (proof.left === 0) return usedUp(desk, at, request, response);
      const hint = at.visit.challenge?.method === 'totp' ? ` ${errors.codeWrongTotp}` : '';
      return showConfirm(desk, at, request, response, { errors: [{ field: 'code', text: errors.codeWrong(proof.left) + hint }], status: 401 });
    }
    case 'used': {
      // The same form, sent twice: its first sending may still be under way.
      const ending = await endingOf(desk, request, at.label);
      if (ending) return response.redirect(303, desk.at('done', at.label));
      return chooseAgain(desk, at, errors.codeUsed, request, response);
    }
    case 'denied': return chooseAgain(desk, at, errors.denied, request, response);
    case 'over': return chooseAgain(desk, at, errors.codeOver, request, response);
  }
}

const ENDING_TRIES = 10;
const ENDING_EVERY_MS = 200;

/** How the visit ends whose form is just being worked on by an earlier sending. */
export async function endingOf(desk: Desk, request: Request, label: string): Promise<Ending | undefined> {
  for (let tries = 0; tries < ENDING_TRIES; tries++) {
    const ending = (await desk.visits.read(request, label))?.ending;
    if (ending) return ending;
    await pause(ENDING_EVERY_MS);
  }
  return undefined;
}

/** After the tries of the third challenge the consent is rejected: whoever is there has not proven who he is. */
async function usedUp(desk: Desk, at: Confirming, request: Request, response: Response): Promise<void> {
  const { label, visit, customerId } = at;
  const failed = (visit.failed ?? 0) + 1;
  if (failed < MOST_CHALLENGES_FAILED) {
    return chooseAgain(desk, { ...at, visit: { ...visit, failed } } as Confirming, desk.tongueOf(request, visit).words.errors.codeOver, request, response);
  }
  // A further holder's failure is no refusal: the others' approval stands until he has decided.
  if (at.deciding && visit.request) await desk.consents.change(at.deciding.consent.id, (current, now) => reject(current, 'too_many_attempts', now, customerId), contextOf(response));
  const backTo = visit.request ? refusalAddress(visit.request, 'access_denied', 'The customer was not authenticated.') : `${desk.pagesUrl}/sign-in`;
  const application = at.deciding && (await desk.applicationOf(at.deciding.consent, desk.tongueOf(request, visit)));
  await desk.visits.save(request, { label, visit: ended(visit, { kind: 'failed', at: desk.now().toISOString(), backTo, ...(application ? { application } : {}) }) });
  response.redirect(303, desk.at('done', label));
}

async function chooseAgain(desk: Desk, at: Confirming, text: string, request: Request, response: Response): Promise<void> {
  const { challenge: _over, ...rest } = at.visit;
  await desk.visits.save(request, { label: at.label, visit: rest });
  await showConfirm(desk, { ...at, visit: rest } as Confirming, request, response, { choosing: true, errors: [{ field: 'method', text }], status: 401 });
}

/** What was approved is no longer what is asked: everything from the decision on begins again. */
async function backToDecision(desk: Desk, at: Confirming, request: Request, response: Response): Promise<void> {
  const { choice: _choice, challenge: _challenge, ...rest } = at.visit;
  await desk.visits.save(request, { label: at.label, visit: rest });
  response.redirect(303, `${desk.at('decision', at.label)}&changed=1`);
}

/** Both factors proven: the browser becomes known, and the dashboard opens under a name of its own. */
async function enter(desk: Desk, { label, visit, customerId }: Confirming, request: Request, response: Response): Promise<void> {
  await remember(desk, customerId, request, response);
  await desk.visits.begin(request, response, { purpose: 'sign-in', customerId, proven: 'strong' });
  const backTo = `${desk.pagesUrl}/consents`;
  await desk.visits.save(request, { label, visit: ended(visit, { kind: 'signed_in', at: desk.now().toISOString(), backTo }) });
  response.redirect(303, backTo);
}

async function complete(desk: Desk, at: Deciding, method: Method, request: Request, response: Response): Promise<void> {
  const { visit, label, consent, customerId } = at;
  const { accounts: chosen } = visit.choice ?? { accounts: [] };
  const owned = await desk.consents.accountsOf(customerId);
  const rule = (current: Consent, now: Date): ReturnType<typeof approve> =>
    visit.purpose === 'co-approval' ? approveJointly(current, { customerId, now }) : approve(current, { customerId, chosen, owned, now });
  // What the second factor was linked to is what is written, or nothing is: the consent is locked while this is compared.
  const unchanged = (current: Consent): Consent => {
    if (!screenHash(current, chosen).equals(screenHash(consent, chosen))) throw new PageFault('changed');
    return current;
  };
  rule(consent, desk.now());
  try {
    const backTo = visit.request ? await desk.requestCode(visit.request) : `${desk.pagesUrl}/consents`;
    const after = await desk.consents.change(consent.id, (current, now) => rule(unchanged(current), now), contextOf(response),
      { id: newId(), customerId, factors: ['password', method], linkedHash: screenHash(consent, chosen) });
    const application = await desk.applicationOf(consent, desk.tongueOf(request, visit));
    const kind = after.status === 'partially_authorised' ? 'partially_approved' : 'approved';
    await desk.visits.save(request, { label, visit: ended(visit, { kind, at: desk.now().toISOString(), backTo, application }) });
    await remember(desk, customerId, request, response);
    response.redirect(303, backTo);
  } catch (fault) {
    await giveUp(desk, { label, visit, fault }, request, response);
  }
}

/** Nothing was approved. The application is told, unless the gateway does not know its address: then only the customer is. */
async function giveUp(desk: Desk, { label, visit, fault }: { label: string; visit: Visit; fault: unknown }, request: Request, response: Response): Promise<void> {
  if (fault instanceof Problem && fault.code === 'unprocessable') throw new PageFault('notSetUp');
  if (!visit.request || !(fault instanceof Problem) || !['bad_gateway', 'unavailable'].includes(fault.code)) throw fault;
  const backTo = refusalAddress(visit.request, 'temporarily_unavailable', 'The bank could not complete the request; nothing was approved.');
  await desk.visits.save(request, { label, visit: ended(visit, { kind: 'cancelled', at: desk.now().toISOString(), backTo }) });
  response.redirect(303, backTo);
}

async function remember(desk: Desk, customerId: string, request: Request, response: Response): Promise<void> {
  const tokens = deviceTokens(request);
  const token = await desk.credentials.rememberDevice(customerId, tokens, desk.now());
  if (!token) return;
  const secure = desk.pagesUrl.startsWith('https:');
  response.cookie(DEVICE_COOKIE, [token, ...tokens].slice(0, MOST_DEVICE_TOKENS).join('.'), { httpOnly: true, sameSite: 'strict', secure, path: '/bank', maxAge: DEVICE_LIFE_S * 1000 });
}
