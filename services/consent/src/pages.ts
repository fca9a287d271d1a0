/**
 * The bank's pages: server-rendered forms, no script. A customer signs in, sees who wants what, decides, confirms with a second
 * factor (pages-authorise.ts, pages-confirm.ts), and has a dashboard of everything allowed (pages-dashboard.ts).
 */
import express, { Router, type NextFunction, type Request, type Response } from 'express';
import { refuseForeignForms } from '@kontor/kernel/sessions';
import { authorisePages, contentPolicy } from './pages-authorise.js';
import { confirmPages, endingOf } from './pages-confirm.js';
import { dashboardPages } from './pages-dashboard.js';
import { desk as deskOf, faultOf, field, LANGUAGE_COOKIE, PageFault, type Desk, type PageNeeds } from './pages-desk.js';
import { LANGUAGES, type Language } from './pages-words.js';

const YEAR_MS = 365 * 24 * 60 * 60 * 1000;

/** @param options.unforeseen is told of what is our fault; the person is told so without its cause */
export function bankPages(needs: PageNeeds & { unforeseen: (error: unknown) => void }): Router {
  const desk = deskOf(needs);
  const router = Router();
  router.use(pageHeaders);
  router.get('/bank.css', (_request, response) => response.type('css').set('Cache-Control', 'public, max-age=3600').sendFile(new URL('../pages/bank.css', import.meta.url).pathname));
  router.use(express.urlencoded({ extended: false, limit: '16kb' }), refuseForeignForms(new URL(needs.pagesUrl).origin));
  router.get('/', (_request, response) => response.redirect(303, `${needs.pagesUrl}/consents`));
  router.get('/language', (request, response) => switchLanguage(desk, request, response));
  router.use(authorisePages(desk), confirmPages(desk), dashboardPages(desk));
  router.use(() => {
    throw new PageFault('nothingThere');
  });
  router.use((error: unknown, request: Request, response: Response, next: NextFunction) => {
    showFault(desk, error, request, response, needs.unforeseen).catch(next);
  });
  return router;
}

/** The choice is kept in a cookie. It leads back to one of our own pages only. */
function switchLanguage(desk: Desk, request: Request, response: Response): void {
  const { to, back } = request.query;
  if (LANGUAGES.includes(to as Language)) {
    response.cookie(LANGUAGE_COOKIE, to, { httpOnly: true, sameSite: 'lax', secure: desk.pagesUrl.startsWith('https:'), path: '/bank', maxAge: YEAR_MS });
  }
  const own = new URL(desk.pagesUrl);
  const address = typeof back === 'string' && URL.canParse(back, own.origin) ? new URL(back, own.origin) : own;
  const page = address.origin === own.origin && /^\/bank\/[a-z-]/.test(address.pathname) ? address.pathname.slice('/bank'.length) + address.search : '/consents';
  response.redirect(303, desk.pagesUrl + page);
}

async function showFault(desk: Desk, error: unknown, request: Request, response: Response, unforeseen: (error: unknown) => void): Promise<void> {
  const fault = faultOf(error);
  if (!fault || fault.status >= 500) unforeseen(error);
  const label = request.method === 'POST' ? field(request, 't') : request.query['t'];
  if (fault?.key === 'decided' && typeof label === 'string' && label && (await endingOf(desk, request, label))) return response.redirect(303, desk.at('done', label));
  const key = fault?.key ?? 'internal';
  response.set('Content-Security-Policy', contentPolicy());
  desk.show({ request, response }, 'message', { status: fault?.status ?? 500, message: desk.tongueOf(request).words.faults[key], signIn: ['sessionOver', 'noSuchConsent', 'nothingThere', 'refused'].includes(key), key });
}

function pageHeaders(_request: Request, response: Response, next: NextFunction): void {
  // Not `no-referrer`: with that a browser sends `Origin: null` with our own forms, which refuseForeignForms would take for another site's.
  response.set({ 'Content-Security-Policy': contentPolicy(), 'Cache-Control': 'no-store', 'Referrer-Policy': 'same-origin', 'X-Frame-Options': 'DENY', 'Cross-Origin-Opener-Policy': 'same-origin' });
  next();
}
