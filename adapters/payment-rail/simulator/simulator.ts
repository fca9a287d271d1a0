import express, { type ErrorRequestHandler, type Request } from 'express';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { newId } from '@kontor/kernel/ids';
import { childTraceparent } from '@kontor/kernel/events';
import { isSignedBy, SIGNATURE_HEADER } from '../src/signature.js';
import { MessageFault } from '@kontor/kernel/iso20022';
import { deliverer } from './deliverer.js';
import { openRail, type Ordered, type Rail, type Trace } from './rail.js';

/** A running simulator. */
export interface RailSimulator {
  url: string;
  stop(): Promise<void>;
}

/**
 * Starts the simulated payment rail.
 *   POST /messages                     a message of the bank, signed: 202 · 400 not readable · 401 · 409 MsgId used for another
 *   POST /simulate/credit-transfers    SimulatedTransfer, signed: 202 · 401 · 409
 *   POST /simulate/returns             SimulatedReturn, signed: 202 · 401 · 404 no such payment · 409 · 422 not settled
 *   POST /simulate/recalls             SimulatedRecall, signed: 202 · 401 · 404 no such transfer · 409
 *   POST /simulate/statements          StatementOrder, signed: 202 · 401 · 409
 *   GET  /simulate/credit-transfers/:messageId   what the bank answered; recalls alike
 *   GET  /livez /readyz /metrics
 * @param options.file the journal: what was answered with 202 is in it
 */
export async function startRailSimulator(options: {
  host: string; port: number; file: string; seed: string; secret: string; bankBic: string; inboundUrl: string;
}): Promise<RailSimulator> {
  const bank = deliverer({ inboundUrl: options.inboundUrl, secret: options.secret, wanted: (id) => rail.wants(id), delivered: (id, refused) => rail.delivered(id, refused) });
  const rail = await openRail({ file: options.file, seed: options.seed, bankBic: options.bankBic, now: () => Date.now(), scheduled: bank.schedule });

  const app = express();
  app.disable('x-powered-by');
  for (const path of ['/livez', '/readyz']) app.get(path, (_request, response) => { response.json({ status: 'ok' }); });
  app.get('/metrics', (_request, response) => {
    response.type('text/plain').send(
      `# HELP rail_simulator_pending_deliveries Messages the bank has not taken yet.\n# TYPE rail_simulator_pending_deliveries gauge\nrail_simulator_pending_deliveries ${rail.pending().length}\n`);
  });
  app.use(express.raw({ type: () => true, limit: '1mb' }));
  app.post('/messages', async (request, response) => {
    const body = signedBody(request, options.secret);
    if (!body) return void response.status(401).end();
    response.status((await rail.accept(body, traceOf(request))) === 'differs' ? 409 : 202).end();
  });
  for (const [what, order] of Object.entries(ordersOf(rail))) {
    app.post(`/simulate/${what}`, async (request, response) => {
      const body = signedBody(request, options.secret);
      if (!body) return void response.status(401).end();
      response.status(STATUS[await order(JSON.parse(body.toString('utf8')) as never, traceOf(request))]).end();
    });
  }
  app.get(['/simulate/credit-transfers/:messageId', '/simulate/recalls/:messageId'], (request, response) => {
    const outcome = rail.outcome(request.params.messageId as string);
    if (outcome) response.json(outcome);
    else response.status(404).end();
  });
  app.use(unreadable);

  const server = await listen(app, options);
  return {
    url: `http://${options.host}:${(server.address() as AddressInfo).port}`,
    async stop() {
      bank.stop();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rail.close();
    },
  };
}

const STATUS: Record<Ordered, number> = { accepted: 202, known: 202, differs: 409, unknown: 404, impossible: 422 };

/** What the rail can be told to do, by the path that says so. */
function ordersOf(rail: Rail): Record<string, (order: never, trace: Trace) => Promise<Ordered>> {
  return { 'credit-transfers': rail.order, returns: rail.orderReturn, recalls: rail.orderRecall, statements: rail.orderStatement };
}

const unreadable: ErrorRequestHandler = (fault: unknown, _request, response, _next) => {
  response.status(fault instanceof MessageFault || fault instanceof SyntaxError ? 400 : 500).end();
};

function signedBody(request: Request, secret: string): Buffer | undefined {
  const body: unknown = request.body;
  const bytes = Buffer.isBuffer(body) ? body : Buffer.alloc(0);
  return isSignedBy(request.get(SIGNATURE_HEADER), bytes, secret, Math.floor(Date.now() / 1000)) ? bytes : undefined;
}

function traceOf(request: Request): Trace {
  const given = request.get('x-correlation-id');
  return {
    correlationId: given && /^[A-Za-z0-9._-]{1,64}$/.test(given) ? given : newId(),
    traceparent: childTraceparent(request.get('traceparent')),
  };
}

function listen(app: express.Express, { host, port }: { host: string; port: number }): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = app.listen(port, host, (fault?: Error) => (fault ? reject(fault) : resolve(server)));
  });
}
