/** The customer's dashboard, behind two factors: who may do what, since when, last used; ending it; approving as a further holder; taking everything along. */
import { Router, type Request, type Response } from 'express';
import { isId } from '@kontor/kernel/ids';
import { awaitsApprovalOf, isOver, revoke, type Consent } from './consent.js';
import { contextOf, field, PageFault, type Desk, type FieldError } from './pages-desk.js';
import { accountName, summaryOf } from './pages-describe.js';
import { exportCsv, exportJson, type Kept } from './pages-export.js';
import { HOME, type Current } from './pages-visit.js';
import type { Tongue } from './pages-words.js';
import type { HistoryLine } from './repository.js';

const LONGEST_REASON = 200;

export function dashboardPages(desk: Desk): Router {
  const router = Router();
  router.get('/consents', async (request, response) => list(desk, request, response));
  router.get(['/consents/export.json', '/consents/export.csv'], async (request, response) => download(desk, request, response));
  router.get('/consents/:consentId', async (request, response) => detail(desk, request, response));
  router.get('/consents/:consentId/revoke', async (request, response) => {
    const home = await desk.homeOf(request);
    showRevoke(desk, { request, response, home }, await consentOf(desk, request, home.customerId), await nameOf(desk, request, home), {});
  });
  router.post('/consents/:consentId/revoke', async (request, response) => end(desk, request, response));
  router.post('/consents/:consentId/approve', async (request, response) => {
    const home = await desk.homeOf(request);
    const consent = await consentOf(desk, request, home.customerId);
    if (!awaitsApprovalOf(consent, home.customerId)) throw new PageFault('decided');
    const label = await desk.visits.begin(request, response, { purpose: 'co-approval', consentId: consent.id, customerId: home.customerId, proven: 'password' });
    response.redirect(303, desk.at('decision', label));
  });
  router.post('/sign-out', async (request, response) => {
    await desk.visits.end(request, response, HOME);
    response.redirect(303, `${desk.pagesUrl}/signed-out`);
  });
  router.get('/signed-out', (request, response) => desk.show({ request, response }, 'signed-out', {}));
  return router;
}

type Home = Current & { customerId: string };
interface At { request: Request; response: Response; home: Home }

/** A consent this customer has given or is asked to approve; any other is as unknown as none. */
async function consentOf(desk: Desk, request: Request, customerId: string): Promise<Consent> {
  const { consentId } = request.params;
  const consent = isId(consentId) ? await desk.consents.find(consentId as string) : undefined;
  if (!consent || !isHis(consent, customerId)) throw new PageFault('noSuchConsent');
  return consent;
}

const isHis = (consent: Consent, customerId: string): boolean => consent.customerId === customerId || consent.approvers.includes(customerId);

const nameOf = async (desk: Desk, request: Request, { customerId, visit }: Home): Promise<string> =>
  desk.applicationOf(await consentOf(desk, request, customerId), desk.tongueOf(request, visit));

async function list(desk: Desk, request: Request, response: Response): Promise<void> {
  const home = await desk.homeOf(request);
  const { customerId, visit } = home;
  const tongue = desk.tongueOf(request, visit);
  const own = await desk.consents.listOfCustomer(customerId);
  const usage = await desk.usageOf(own.map(({ id }) => id));
  const cards = await Promise.all(own.map(async (consent) => ({
    group: awaitsApprovalOf(consent, customerId) ? 'waiting' : isOver(consent) ? 'ended' : 'active',
    card: cardOf(consent, { application: await desk.applicationOf(consent, tongue), lastUsedAt: usage.get(consent.id)?.lastUsedAt, customerId, tongue }),
  })));
  const of = (group: string): unknown[] => cards.filter((one) => one.group === group).map(({ card }) => card);
  const ended = typeof request.query['ended'] === 'string' ? own.find(({ id, status }) => id === request.query['ended'] && status === 'revoked') : undefined;
  desk.show({ request, response, visit }, 'consents', {
    waiting: of('waiting'), active: of('active'), over: of('ended'), notice: ended && tongue.words.revoke.done(await desk.applicationOf(ended, tongue)),
  });
}

function cardOf(consent: Consent, { application, lastUsedAt, customerId, tongue }: { application: string; lastUsedAt: Date | undefined; customerId: string; tongue: Tongue }) {
  const { words } = tongue;
  const what = consent.payment ? `${tongue.money(consent.payment.amount)}, ${consent.payment.creditor.name}`
    : consent.bulk ? `${words.request.payments}: ${consent.bulk.transactions}, ${tongue.money(consent.bulk.total)}`
    : consent.recurring ? `${words.request.mostEach} ${tongue.money(consent.recurring.maximumPerPayment)}, ${consent.recurring.creditor.name}`
    : tongue.list(consent.permissions.map((permission) => words.permissions[permission]?.[0] ?? permission));
  return {
    id: consent.id, application, what, over: isOver(consent), status: awaitsApprovalOf(consent, customerId) ? words.dashboard.waiting : words.reasons[consent.statusReason ?? ''] ?? words.statuses[consent.status],
    since: tongue.date(consent.approvals[0]?.at ?? consent.createdAt), until: isOver(consent) ? undefined : tongue.date(consent.expiresAt),
    endedAt: isOver(consent) ? tongue.date(consent.updatedAt) : undefined, lastUsed: lastUsedAt ? tongue.dateTime(lastUsedAt) : words.dashboard.never,
  };
}

async function detail(desk: Desk, request: Request, response: Response): Promise<void> {
  const home = await desk.homeOf(request);
  const { customerId, visit } = home;
  const tongue = desk.tongueOf(request, visit);
  const consent = await consentOf(desk, request, customerId);
  const [application, usage, history, owned] = await Promise.all([
    desk.applicationOf(consent, tongue), desk.usageOf([consent.id]), desk.consents.history(consent.id), desk.consents.accountsOf(customerId)]);
  desk.show({ request, response, visit }, 'consent', {
    consent: cardOf(consent, { application, lastUsedAt: usage.get(consent.id)?.lastUsedAt, customerId, tongue }), summary: summaryOf(consent, application, tongue),
    accounts: owned.filter(({ id }) => consent.accounts.includes(id)).map((account) => accountName(account, tongue)),
    waiting: awaitsApprovalOf(consent, customerId), history: history.map((line) => lineOf(line, customerId, tongue)),
  });
}

function lineOf({ at, act, actor, note }: HistoryLine, customerId: string, { words, dateTime }: Tongue) {
  const own = actor.kind === 'customer' && actor.id === customerId;
  return {
    when: dateTime(at), iso: at.toISOString(), what: words.history[act] ?? act, who: own ? words.actors['you'] : words.actors[actor.kind],
    // What staff or another holder wrote is for the bank.
    note: own ? note : undefined,
  };
}

function showRevoke(desk: Desk, { request, response, home }: At, consent: Consent, application: string, back: { errors?: FieldError[]; reason?: string; status?: number }): void {
  if (isOver(consent)) return response.redirect(303, `${desk.pagesUrl}/consents/${consent.id}`);
  const tongue = desk.tongueOf(request, home.visit);
  desk.show({ request, response, visit: home.visit }, 'revoke', {
    id: consent.id, title: tongue.words.revoke.title(application), summary: summaryOf(consent, application, tongue), effect: consent.payment ? tongue.words.revoke.effectPayment : consent.bulk ? tongue.words.revoke.effectBulk : tongue.words.revoke.effect,
    longest: LONGEST_REASON, ...back, here: `/bank/consents/${consent.id}/revoke`,
  });
}

async function end(desk: Desk, request: Request, response: Response): Promise<void> {
  const home = await desk.homeOf(request);
  const { customerId, visit } = home;
  const tongue = desk.tongueOf(request, visit);
  const consent = await consentOf(desk, request, customerId);
  const reason = field(request, 'reason').trim();
  if (reason.length > LONGEST_REASON) {
    return showRevoke(desk, { request, response, home }, consent, await desk.applicationOf(consent, tongue), { reason, errors: [{ field: 'reason', text: tongue.words.errors.reasonLong }], status: 400 });
  }
  await desk.consents.change(consent.id, (current, now) =>
    revoke(current, { actor: { kind: 'customer', id: customerId }, reason: 'by_customer', ...(reason ? { note: reason } : {}) }, now), contextOf(response));
  response.redirect(303, `${desk.pagesUrl}/consents?ended=${consent.id}`);
}

/** What staff or another holder wrote stays with the bank. */
function withoutOthersWords({ note, ...line }: HistoryLine, customerId: string): HistoryLine {
  return line.actor.kind === 'customer' && line.actor.id === customerId && note ? { ...line, note } : line;
}

async function download(desk: Desk, request: Request, response: Response): Promise<void> {
  const { customerId, visit } = await desk.homeOf(request);
  const tongue = desk.tongueOf(request, visit);
  const own = await desk.consents.listOfCustomer(customerId);
  const [usage, owned] = await Promise.all([desk.usageOf(own.map(({ id }) => id)), desk.consents.accountsOf(customerId)]);
  const kept: Kept[] = [];
  for (const consent of own) {
    const { lastUsedAt, accesses = 0 } = usage.get(consent.id) ?? {};
    kept.push({
      consent, application: await desk.applicationOf(consent, tongue), accesses, ...(lastUsedAt ? { lastUsedAt } : {}),
      accounts: owned.filter(({ id }) => consent.accounts.includes(id)).map(({ iban }) => iban), history: (await desk.consents.history(consent.id)).map((line) => withoutOthersWords(line, customerId)),
    });
  }
  const csv = request.path.endsWith('.csv');
  response.attachment(csv ? 'consents.csv' : 'consents.json').type(csv ? 'text/csv; charset=utf-8' : 'application/json; charset=utf-8');
  response.send(csv ? exportCsv(kept) : exportJson(kept, desk.now()));
}
