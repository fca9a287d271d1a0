/** The interactive documentation: one page a contract, Swagger UI on it, and the specifications it reads. */
import { Router, type RequestHandler } from 'express';
import swaggerUi from 'swagger-ui-express';
import { problem } from '@kontor/kernel/problem';
import { specificationFor, type Contract } from './documentation.js';
import type { Show } from './pages.js';
import type { App, Developer } from './portal.js';

/** Swagger UI sets no inline script, but inline styles; it fetches from the portal alone. */
const DOCS_POLICY = "default-src 'none'; style-src 'self' 'unsafe-inline'; script-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

const ASSETS = new Set(['/swagger-ui.css', '/swagger-ui-bundle.js', '/swagger-ui-standalone-preset.js']);

export interface DocumentationNeeds {
  contracts: Contract[];
  show: Show;
  /** Shown in the curl lines, in place of the relay. */
  gatewayUrl: string;
  /** An active application of the developer, to fill in its client id. */
  appOf: (developer: Developer) => Promise<App | undefined>;
}

/** The router for `/docs`. Swagger UI's files lie under `/docs/assets/`, each contract's page under `/docs/<name>`. */
export function documentationPages({ contracts, show, gatewayUrl, appOf }: DocumentationNeeds): Router {
  const router = Router();
  const specifications = new Map(contracts.map((contract) => [contract.name, JSON.stringify(specificationFor(contract))]));
  const [first] = contracts;

  router.use('/assets', (request, _response, next) => {
    next(ASSETS.has(request.path) ? undefined : problem('not_found', 'There is no file of this name.'));
  }, swaggerUi.serveWithOptions({ maxAge: '1d' })[1] as RequestHandler);
  router.get('/', (_request, response) => response.redirect(303, first ? `/docs/${first.name}` : '/'));
  router.get('/specs/:file', (request, response) => {
    const specification = specifications.get(request.params.file.replace(/\.json$/, ''));
    if (!specification || !request.params.file.endsWith('.json')) throw problem('not_found', 'There is no contract of this name.');
    response.type('json').send(specification);
  });
  router.get('/:name/swagger-ui-init.js', async (request, response, next) => {
    if (!specifications.has(request.params.name)) throw problem('not_found', 'There is no contract of this name.');
    const developer = response.locals['developer'] as Developer | undefined;
    const app = developer && (await appOf(developer));
    const [script] = swaggerUi.serveFiles(undefined, initialisation(request.params.name, developer !== undefined, app?.id));
    (script as RequestHandler)(request, response, next);
  });
  router.get('/:name', (request, response) => {
    const contract = contracts.find(({ name }) => name === request.params.name);
    if (!contract) throw problem('not_found', 'There is no contract of this name.');
    response.set('Content-Security-Policy', DOCS_POLICY);
    show(response, 'docs', { contracts, contract, gatewayUrl });
  });
  return router;
}

/** A name defined in docs.js, written into Swagger UI's start script as it stands (there functions are written by their text). */
const inPage = (name: string): (() => void) => Object.assign(() => undefined, { toString: () => name });

function initialisation(name: string, signedIn: boolean, clientId: string | undefined): swaggerUi.SwaggerUiOptions {
  return {
    swaggerUrl: `/docs/specs/${name}.json`,
    swaggerOptions: {
      layout: 'BaseLayout', validatorUrl: null, deepLinking: true, displayRequestDuration: true, docExpansion: 'list', defaultModelsExpandDepth: 0,
      persistAuthorization: false, plugins: [inPage('kontorDocumentation')],
      ...(signedIn ? {} : { supportedSubmitMethods: [] }),
      ...(clientId ? { oauth: { clientId } } : {}),
    },
  };
}
