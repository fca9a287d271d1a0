import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as soap from 'soap';
import { openBooks } from './books.js';

export interface LegacyCoreOptions {
  host: string;
  /** 0 lets the system choose. */
  port: number;
  stateFile: string;
  seed: string;
  wsdl: URL;
  /** How long an answer that PLN loses is kept back before the socket is closed. */
  stallMs: number;
}

interface OpenAccountRequest { RequestId: string; CustomerReference: string; ProductCode: string; Currency: string }

/** Currencies that make the core misbehave; README.md tells the story of each. */
const MAGIC = { refused: 'HUF', unavailableTwice: 'CZK', answerLostOnce: 'PLN', alwaysBroken: 'NOK' } as const;

/** Starts the simulated core. @returns its SOAP endpoint and how to stop it */
export async function startLegacyCore(options: LegacyCoreOptions): Promise<{ url: string; stop(): Promise<void> }> {
  const books = openBooks(options.stateFile, options.seed);
  const attempts = new Map<string, number>();
  const server: Server = createServer((request, response) => {
    const known = request.method === 'GET' && ['/livez', '/readyz'].includes(request.url ?? '');
    response.writeHead(known ? 200 : 404, { 'content-type': 'text/plain' }).end(known ? 'ok\n' : 'not found\n');
  });

  const openAccount = async (request: OpenAccountRequest) => {
    const attempt = (attempts.get(request.RequestId) ?? 0) + 1;
    attempts.set(request.RequestId, attempt);
    misbehave(request, attempt);
    const known = books.find(request.RequestId);
    const account = known ?? books.open({
      requestId: request.RequestId, customerReference: request.CustomerReference, product: request.ProductCode, currency: request.Currency,
    });
    if (request.Currency === MAGIC.answerLostOnce && !known) await new Promise((wake) => setTimeout(wake, options.stallMs).unref());
    return { RequestId: account.requestId, CoreReference: account.coreReference, Iban: account.iban, OpeningBalance: '0.00', Replayed: known !== undefined };
  };

  await new Promise<void>((ready, failed) => {
    server.once('error', failed);
    server.listen(options.port, options.host, ready);
  });
  soap.listen(server, { path: '/soap', xml: readFileSync(options.wsdl, 'utf8'), services: { CoreBanking: { AccountPort: { OpenAccount: openAccount } } }, suppressStack: true });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${options.host}:${port}/soap`,
    async stop() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
      books.close();
    },
  };
}

function misbehave({ Currency, ProductCode }: OpenAccountRequest, attempt: number): void {
  if (!['CURR', 'SAVE'].includes(ProductCode)) throw fault('Client', 'PRODUCT_UNKNOWN', false);
  if (Currency === MAGIC.refused) throw fault('Client', 'CURRENCY_NOT_SUPPORTED', false);
  if (Currency === MAGIC.unavailableTwice && attempt <= 2) throw fault('Server', 'TEMPORARILY_UNAVAILABLE', true);
  if (Currency === MAGIC.alwaysBroken) throw fault('Server', 'INTERNAL_ERROR', false);
}

const fault = (side: 'Client' | 'Server', code: string, retryable: boolean) => ({
  Fault: { faultcode: `soap:${side}`, faultstring: `The core answers ${code}`, detail: { CoreFault: { Code: code, Retryable: retryable } }, statusCode: 500 },
});
