/**
 * The portal's pages: home, sign-up, sign-in, applications, documentation. Forms work without scripts; every form endpoint
 * also takes JSON and answers JSON to those who prefer it.
 */
import { Eta } from 'eta';
import express, { Router, type NextFunction, type Request, type Response } from 'express';
import { contextOfRequest } from '@kontor/kernel/http';
import { isId, newId } from '@kontor/kernel/ids';
import { Problem, problem, toProblemBody } from '@kontor/kernel/problem';
import { refuseForeignForms, type Sessions } from '@kontor/kernel/sessions';
import type { Applications } from './applications.js';
import { documentationPages } from './documentation-pages.js';
import { operationsOf, requestExample, type Contract } from './documentation.js';
import { firstCall, type FirstCallNeeds } from './first-call.js';
import type { GatewayHealth } from './gateway-admin.js';
import { ROLE_MEANINGS, pageAfterSignIn, readNewApp, readSignUp, textOf, type App, type Developer, type FieldError, type PortalRepository } from './portal.js';
import type { Accounts } from './sign-in.js';

export interface Session {
  developerId?: string;
}

export interface PageNeeds {
  /** The portal's own folder, with pages/. */
  root: URL;
  repository: PortalRepository;
  accounts: Accounts;
  applications: Applications;
  sessions: Sessions<Session>;
  contracts: Contract[];
  health: () => Promise<GatewayHealth>;
  /** The gateway as a developer's machine reaches it. */
  gatewayUrl: string;
  portalOrigin: string;
  /** Development certificate authority to hand out; absent where the gateway's certificate is publicly trusted. */
  caFile: string | undefined;
}

/** Sends a page. `developer` is put in by the router, for the navigation. */
export type Show = (response: Response, page: string, values: Record<string, unknown>, status?: number) => void;

const PAGE_POLICY = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

export function portalPages(needs: PageNeeds): Router {
  const { root, repository, sessions, contracts, health, gatewayUrl, portalOrigin, caFile } = needs;
  const views = new URL('pages/', root);
  const eta = new Eta({ views: views.pathname, cache: true });
  const router = Router();
  const show: Show = (response, page, values, status = 200) => {
    response.status(status).type('html').send(eta.render(page, { developer: developerOf(response), here: response.req.originalUrl.split('?')[0], ...values }));
  };

  router.use(pageHeaders);
  for (const file of ['portal.css', 'docs.css', 'copy.js', 'docs.js']) {
    router.get(`/${file}`, (_request, response) => response.sendFile(new URL(file, views).pathname, { maxAge: '1h', cacheControl: true }));
  }
  if (caFile) router.get('/ca.pem', (_request, response) => response.type('application/x-pem-file').sendFile(caFile));

  router.use(express.json({ limit: '16kb' }), express.urlencoded({ extended: false, limit: '16kb' }), refuseForeignForms(portalOrigin));
  router.use(async (request, response, next) => {
    const { developerId } = await sessions.read(request);
    response.locals['developer'] = developerId ? await repository.developer(developerId) : undefined;
    next();
  });

  const groups = contracts.map((contract) => ({ name: contract.name, title: contract.title, operations: operationsOf(contract) }));
  const callNeeds = { gatewayUrl, caUrl: caFile && `${portalOrigin}/ca.pem`, example: requestExample(contracts, 'registerCustomer') };
  router.get('/', async (_request, response) => show(response, 'home', { groups, firstCall: firstCall(callNeeds), caUrl: callNeeds.caUrl, health: await health() }));

  accountForms(router, show, needs);
  applicationForms(router, show, needs, callNeeds);
  router.use('/docs', documentationPages({ contracts, show, gatewayUrl, appOf: async (developer) => (await repository.apps(developer.id)).find(({ status }) => status === 'active') }));

  router.use((_request, _response, next) => next(problem('not_found', 'There is no page at this address.')));
  router.use((error: unknown, request: Request, response: Response, next: NextFunction) => {
    if (!(error instanceof Problem)) return next(error);
    response.set(error.headers);
    if (prefersJson(request)) return sendProblem(response, error);
    if (error.code === 'unauthenticated' && request.method === 'GET') return response.redirect(303, `/sign-in?next=${encodeURIComponent(request.path)}`);
    show(response, 'message', { title: error.title, detail: error.detail }, error.status);
  });
  return router;
}

function accountForms(router: Router, show: Show, { accounts, sessions }: PageNeeds): void {
  router.get('/sign-up', (_request, response) => show(response, 'sign-up', {}));
  router.post('/sign-up', async (request, response) => {
    await again(request, response, show, 'sign-up', ['email', 'organisation'], async () => {
      const developerId = await accounts.signUp(readSignUp(request.body), addressOf(request));
      await sessions.renew(request, response, { developerId });
      if (prefersJson(request)) response.status(201).json({ developerId });
      else response.redirect(303, '/apps');
    });
  });
  router.get('/sign-in', (request, response) => show(response, 'sign-in', { next: pageAfterSignIn(textOf(request.query, 'next')) }));
  router.post('/sign-in', async (request, response) => {
    await again(request, response, show, 'sign-in', ['email', 'next'], async () => {
      const developerId = await accounts.signIn(textOf(request.body, 'email'), textOf(request.body, 'password'), addressOf(request));
      await sessions.renew(request, response, { developerId });
      if (prefersJson(request)) response.json({ developerId });
      else response.redirect(303, pageAfterSignIn(textOf(request.body, 'next')));
    });
  });
  router.post('/sign-out', async (request, response) => {
    await sessions.end(request, response);
    if (prefersJson(request)) response.sendStatus(204);
    else response.redirect(303, '/');
  });
}

function applicationForms(router: Router, show: Show, { repository, applications }: PageNeeds, callNeeds: FirstCallNeeds): void {
  router.get('/apps', async (request, response) => {
    const apps = await repository.apps(signedIn(response).id);
    if (prefersJson(request)) response.json({ data: apps.map(wireOf) });
    else show(response, 'apps', { apps });
  });
  router.get('/apps/new', (_request, response) => {
    signedIn(response);
    show(response, 'app-new', { values: { requestId: newId() } });
  });
  router.post('/apps', async (request, response) => {
    const developer = signedIn(response);
    await again(request, response, show, 'app-new', ['name', 'redirectUri', 'requestId'], async () => {
      const { app, clientSecret, apiKey } = await applications.register(developer.id, readNewApp(request.body), contextOfRequest(response));
      if (prefersJson(request)) response.status(201).json({ appId: app.id, clientId: app.id, clientSecret, apiKey, roles: app.roles });
      else show(response, 'credentials', { app, clientSecret, apiKey, firstCall: firstCall(callNeeds, { clientId: app.id, clientSecret }) }, 201);
    });
  });
  router.get('/apps/:appId', async (request, response) => {
    const app = await repository.app(signedIn(response).id, idOf(request));
    if (!app) throw problem('not_found', 'You have no application with this id.');
    if (prefersJson(request)) response.json(wireOf(app));
    else show(response, 'app', { app, roleMeanings: ROLE_MEANINGS });
  });
  router.post('/apps/:appId/rotate-secret', async (request, response) => {
    const { app, clientSecret } = await applications.rotate(signedIn(response).id, idOf(request), contextOfRequest(response));
    if (prefersJson(request)) response.json({ clientSecret });
    else show(response, 'credentials', { app, clientSecret, rotated: true });
  });
  router.post('/apps/:appId/delete', async (request, response) => {
    await applications.remove(signedIn(response).id, idOf(request));
    if (prefersJson(request)) response.sendStatus(204);
    else response.redirect(303, '/apps');
  });
}

/** Runs what a form asks for; a refusal shows the form again with the fields (never a password) and their messages. */
async function again(request: Request, response: Response, show: Show, page: string, kept: string[], effect: () => Promise<void>): Promise<void> {
  try {
    await effect();
  } catch (error) {
    if (!(error instanceof Problem) || prefersJson(request)) throw error;
    const errors = (error.extensions['errors'] ?? []) as FieldError[];
    const values = Object.fromEntries(kept.map((name) => [name, textOf(request.body, name).slice(0, 1024)]));
    response.set(error.headers);
    show(response, page, {
      values, next: values['next'], errors: Object.fromEntries(errors.map(({ path, message }) => [path, message])),
      error: errors.length > 0 ? 'Please look at the marked fields.' : error.detail,
    }, error.status);
  }
}

function signedIn(response: Response): Developer {
  const developer = developerOf(response);
  if (!developer) throw problem('unauthenticated', 'Sign in to the developer portal first.');
  return developer;
}

const developerOf = (response: Response): Developer | undefined => response.locals['developer'] as Developer | undefined;

function idOf(request: Request): string {
  const id = request.params['appId'];
  if (!isId(id)) throw problem('not_found', 'You have no application with this id.');
  return id;
}

const wireOf = ({ id, name, redirectUri, roles, status, createdAt }: App): object =>
  ({ appId: id, clientId: id, name, redirectUri, roles, status, createdAt: createdAt.toISOString() });

const prefersJson = (request: Request): boolean => request.accepts(['html', 'json']) === 'json';

const addressOf = (request: Request): string => request.ip ?? 'unknown';

function sendProblem(response: Response, error: Problem): void {
  const { correlationId } = contextOfRequest(response);
  response.status(error.status).type('application/problem+json').send(JSON.stringify(toProblemBody(error, { correlationId })));
}

function pageHeaders(_request: Request, response: Response, next: NextFunction): void {
  response.set({ 'Content-Security-Policy': PAGE_POLICY, 'Cache-Control': 'no-store', 'Referrer-Policy': 'same-origin', 'X-Frame-Options': 'DENY', 'X-Content-Type-Options': 'nosniff' });
  next();
}
