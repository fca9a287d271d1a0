/**
 * Client of the consent service's administration, through the gateway like any other client, with a token of the client-
 * credentials grant (scope consent-administration). The token is kept in memory only and asked for again when it is refused.
 */
import { Pool } from 'undici';
import type { Logger } from '@kontor/kernel/logger';
import { problem, type Problem } from '@kontor/kernel/problem';
import type { AdministeredConsent, ConsentPage, ConsentReport, Decision, Ending, Period, Search } from './office.js';

/** One request of a member of the staff, and by which correlation id it is found again. */
export interface Asking { correlationId: string }

/**
 * Every call @throws Problem `consent_not_found`; `invalid_request` (the service takes the question for wrong), `rate_limited`;
 * `unavailable` (no answer in time, or none that can be used).
 */
export interface ConsentAdministration {
  search(search: Omit<Search, 'consentId'>, asking: Asking): Promise<ConsentPage>;
  consent(consentId: string, asking: Asking): Promise<AdministeredConsent>;
  /** A consent that is already over stays as it is. @param staffMember opaque id of who decided, for the history */
  end(consentId: string, ending: Ending, decision: Decision & { staffMember: string }, asking: Asking): Promise<AdministeredConsent>;
  report(period: Period, asking: Asking): Promise<ConsentReport>;
  /** RFC 4180. */
  reportAsCsv(period: Period, asking: Asking): Promise<string>;
  close(): Promise<void>;
}

const TIMEOUT_MS = 8_000;
const MOST_ANSWER_BYTES = 8 * 1024 * 1024;
const PAGE_SIZE = '25';
const AT = '/v1/consent-administration';

interface Call { method: 'GET' | 'POST'; path: string; body?: object; asking: Asking }
interface Answer { status: number; text: string; retryAfter: string | undefined }

/**
 * @param options.gatewayUrl origin of the gateway, https: the only place requests go to
 * @param options.timeoutMs for an answer, with the token it may take
 */
export function consentAdministration(options: { gatewayUrl: string; clientId: string; clientSecret: string; logger: Logger; timeoutMs?: number }): ConsentAdministration {
  const { timeoutMs = TIMEOUT_MS } = options;
  const pool = new Pool(new URL(options.gatewayUrl).origin, { connections: 10, connectTimeout: 3_000, headersTimeout: timeoutMs, bodyTimeout: timeoutMs });
  let token: Promise<string> | undefined;

  const send = async (method: 'GET' | 'POST', path: string, headers: Record<string, string>, body: string | null, signal: AbortSignal): Promise<Answer> => {
    const answer = await pool.request({ method, path, headers, body, signal });
    let text = '';
    const decoder = new TextDecoder();
    for await (const chunk of answer.body as AsyncIterable<Buffer>) {
      text += decoder.decode(chunk, { stream: true });
      if (text.length > MOST_ANSWER_BYTES) throw new Error('the gateway\'s answer is larger than a page can take');
    }
    const retryAfter = answer.headers['retry-after'];
    return { status: answer.statusCode, text: text + decoder.decode(), retryAfter: typeof retryAfter === 'string' ? retryAfter : undefined };
  };

  const askToken = async (signal: AbortSignal): Promise<string> => {
    const basic = Buffer.from(`${options.clientId}:${options.clientSecret}`).toString('base64');
    const { status, text } = await send('POST', '/oauth2/token', { authorization: `Basic ${basic}`, 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      'grant_type=client_credentials&scope=consent-administration', signal);
    const { access_token: accessToken } = status === 200 ? (JSON.parse(text) as { access_token?: string }) : {};
    if (!accessToken) throw new Error(`the gateway gave the back office no token: ${status}`);
    return accessToken;
  };

  /** One token for all requests at once; a failure is not kept. */
  const currentToken = (signal: AbortSignal): Promise<string> => {
    const asked = token ??= askToken(signal);
    asked.catch(() => { if (token === asked) token = undefined; });
    return asked;
  };

  const call = async ({ method, path, body, asking }: Call): Promise<Answer> => {
    const signal = AbortSignal.timeout(timeoutMs);
    const attempt = async (accessToken: string): Promise<Answer> => send(method, path, {
      authorization: `Bearer ${accessToken}`, accept: 'application/json, text/csv', 'x-correlation-id': asking.correlationId, ...(body ? { 'content-type': 'application/json' } : {}),
    }, body ? JSON.stringify(body) : null, signal);
    try {
      const used = currentToken(signal);
      const answer = await attempt(await used);
      if (answer.status !== 401) return answer;
      // Of several requests that are refused at once the first forgets the token, the others find a new one.
      if (token === used) token = undefined;
      return await attempt(await currentToken(signal));
    } catch (error) {
      options.logger.warn('the gateway did not answer the back office', { correlationId: asking.correlationId, error });
      throw away(method);
    }
  };

  const read = async (asked: Call): Promise<string> => {
    const answer = await call(asked);
    if (answer.status === 200) return answer.text;
    const refusal = refusalIn(answer);
    if (refusal) throw refusal;
    const fields = { correlationId: asked.asking.correlationId, status: answer.status };
    // 403 and a second 401: the gateway does not take the back office for what it is. Somebody has to look at its client.
    if (answer.status < 500) options.logger.error('the gateway refuses the back office: look at OFFICE_CLIENT_ID, its secret and its role', fields);
    else options.logger.warn('the consent service could not answer the back office', fields);
    throw away(asked.method);
  };
  const json = async <T>(asked: Call): Promise<T> => {
    const text = await read(asked);
    try {
      return JSON.parse(text) as T;
    } catch {
      throw away(asked.method);
    }
  };
  const query = (values: Record<string, string | undefined>): string => `?${new URLSearchParams(Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined)).toString()}`;

  return {
    search: (search, asking) => json({ method: 'GET', path: `${AT}/consents${query({ ...search, limit: PAGE_SIZE })}`, asking }),
    consent: (consentId, asking) => json({ method: 'GET', path: `${AT}/consents/${consentId}`, asking }),
    end: (consentId, ending, decision, asking) => json({ method: 'POST', path: `${AT}/consents/${consentId}/${ending}`, body: decision, asking }),
    report: (period, asking) => json({ method: 'GET', path: `${AT}/report${query({ ...period })}`, asking }),
    reportAsCsv: (period, asking) => read({ method: 'GET', path: `${AT}/report${query({ ...period, format: 'csv' })}`, asking }),
    close: () => pool.destroy(),
  };
}

/** What the person can do something about; undefined for everything else. */
function refusalIn({ status, text, retryAfter }: Answer): Problem | undefined {
  const detail = detailOf(text);
  if (status === 404) return problem('consent_not_found', 'There is no consent with this id.');
  if (status === 400 || status === 422) return problem('invalid_request', detail ?? 'The consent service does not take this question.');
  if (status === 429) return problem('rate_limited', 'Too many requests at the moment. Wait a little, then try again.').with({ 'Retry-After': retryAfter ?? '10' });
  return undefined;
}

function detailOf(text: string): string | undefined {
  try {
    const { detail } = JSON.parse(text) as { detail?: unknown };
    return typeof detail === 'string' ? detail : undefined;
  } catch {
    return undefined;
  }
}

/** After a write nobody knows whether it took effect. */
const away = (method: 'GET' | 'POST'): Problem => problem('unavailable', method === 'GET'
  ? 'The consent service did not answer. Nothing was changed; try again in a moment.'
  : 'The consent service did not answer, so whether the consent was ended is not known. Look at its state, and decide again if it is still in force: deciding twice does no harm.')
  .with({ 'Retry-After': '5' });
