/** The core over SOAP 1.1. The WSDL is ours (core.wsdl), never fetched; amounts stay decimal text. */
import { fileURLToPath } from 'node:url';
import { Transient } from '@kontor/kernel/messaging';
import CircuitBreaker from 'opossum';
import * as soap from 'soap';
import { checkAnswer, CoreRefusal, judgeFault, PRODUCT_CODES, type AccountOrder, type BookedAccount, type Core, type CoreFault } from './core-banking.js';

export interface CoreClientOptions {
  /** The SOAP endpoint of the core. */
  endpoint: string;
  wsdl: URL;
  /** How long one call may take, the answer's last byte included. */
  timeoutMs: number;
}

const MAX_ANSWER_BYTES = 256 * 1024;

/** Connects to nothing yet; each call is its own request. */
export async function coreClient({ endpoint, wsdl, timeoutMs }: CoreClientOptions): Promise<Core> {
  const client = await soap.createClientAsync(fileURLToPath(wsdl), {
    endpoint, httpClient: { request: post(timeoutMs) } as soap.IHttpClient, customDeserializer: { decimal: (text: string) => text },
  });

  const call = async (order: AccountOrder, correlationId: string): Promise<BookedAccount> => {
    const request = {
      RequestId: order.requestId, CustomerReference: order.customerReference, ProductCode: PRODUCT_CODES[order.product], Currency: order.currency,
    };
    try {
      const [answer] = await client['OpenAccountAsync'](request, {}, { 'X-Correlation-Id': correlationId });
      return checkAnswer(order, answer);
    } catch (error) {
      throw translated(error);
    }
  };

  // A core that is down is left alone for two seconds after five failures; refusals are answers, not failures.
  const breaker = new CircuitBreaker(call, {
    timeout: false, volumeThreshold: 5, errorThresholdPercentage: 50, resetTimeout: 2_000, errorFilter: (error: unknown) => error instanceof CoreRefusal,
  });
  return {
    openAccount: (order, correlationId) => breaker.fire(order, correlationId).catch((error: unknown) => {
      throw (error as { code?: string }).code === 'EOPENBREAKER' ? new Transient('the core is left alone for a moment') : error;
    }),
  };
}

/** A fault of the soap library, of the core or of the way there, as what it means to us. Bodies never enter a message. */
function translated(error: unknown): unknown {
  const fault = faultOf(error);
  // What the library throws for XML it cannot read carries the body, or is no Error at all.
  if (!fault) return error instanceof Error && !('body' in error) ? error : new Error('the core answered something that is no SOAP');
  const judged = judgeFault(fault);
  if (judged.verdict === 'refuse') return new CoreRefusal(judged.reason);
  const name = `${fault.side} ${/^[A-Z_]{1,60}$/.test(fault.code ?? '') ? fault.code : 'without a code'}`;
  return judged.verdict === 'retry' ? new Transient(`the core is not able at the moment: ${name}`) : new Error(`the core failed: ${name}`);
}

interface SoapFault { faultcode?: unknown; detail?: { CoreFault?: { Code?: unknown; Retryable?: unknown } } }

function faultOf(error: unknown): CoreFault | undefined {
  const fault = (error as { root?: { Envelope?: { Body?: { Fault?: SoapFault } } } } | null)?.root?.Envelope?.Body?.Fault;
  if (!fault) return undefined;
  const code = textOf(fault.faultcode)?.split(':').at(-1);
  const detail = fault.detail?.CoreFault;
  const retryable = detail?.Retryable;
  return {
    side: code === 'Client' || code === 'Server' ? code : 'other', code: textOf(detail?.Code),
    retryable: retryable === true || textOf(retryable) === 'true',
  };
}

/** Text of an element, which the library gives as text or as `{ $value }`. */
function textOf(element: unknown): string | undefined {
  const value = typeof element === 'object' && element !== null ? (element as { $value?: unknown }).$value : element;
  return typeof value === 'string' ? value.trim() : undefined;
}

type Callback = (error: unknown, response?: unknown, body?: string) => void;

/**
 * The transport: no redirects, a bound on time and size, XML only, and no document type (with it no entity of the core's
 * own making: billion laughs, external entities). Everything that may pass by itself is Transient.
 */
function post(timeoutMs: number) {
  return (url: string, body: string, callback: Callback, headers: Record<string, string> = {}): unknown => {
    const wanted = Object.fromEntries(Object.entries(headers).filter(([name]) => !['connection', 'content-length', 'host'].includes(name.toLowerCase())));
    void exchange(url, body, wanted, timeoutMs).then(
      ({ status, text }) => callback(null, { status, statusCode: status, headers: {} }, text), (error: unknown) => callback(error));
    return undefined;
  };
}

async function exchange(url: string, body: string, headers: Record<string, string>, timeoutMs: number): Promise<{ status: number; text: string }> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, { method: 'POST', body, headers, redirect: 'manual', signal: AbortSignal.timeout(timeoutMs) });
    text = await readBounded(response);
  } catch (error) {
    if (error instanceof TooLarge) throw error;
    throw new Transient('the core cannot be reached', { cause: error });
  }
  // SOAP 1.1 §6.2: an answer is 200, a fault 500; a gateway's page in between is neither.
  if (![200, 500].includes(response.status) || !/^(text|application)\/(soap\+)?xml\b/i.test(response.headers.get('content-type') ?? ''))
    throw new Transient(`the core answered HTTP ${response.status} without SOAP`);
  if (/<!(DOCTYPE|ENTITY)/i.test(text)) throw new Error('the core answered a document type, which SOAP forbids (SOAP 1.1 §3)');
  return { status: response.status, text };
}

class TooLarge extends Error {}

async function readBounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > MAX_ANSWER_BYTES) throw new TooLarge(`the core answered more than ${MAX_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
