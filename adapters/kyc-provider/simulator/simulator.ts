/** A made-up identity provider, deterministic by seed. Its magic values are listed in ../README.md. */
import { createHash } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { sameKey } from '@kontor/kernel/shared-key';

interface Check {
  givenName: string;
  familyName: string;
  birthDate: string;
  nationality: string;
  residence: string;
}

/** How a magic family name plays out: `hang` answers nothing, `garbage` answers no JSON, a number is a status. */
type Play = 'pass' | 'fail' | 'refer' | 'hang' | 'garbage' | number;

/** The plays of a family name by attempt; the last one goes on for ever. */
const MAGIC: Readonly<Record<string, readonly Play[]>> = {
  refer: ['refer'],
  fail: ['fail'],
  timeout: ['hang', 'pass'],
  flaky: [503, 503, 'pass'],
  garbage: ['garbage', 'pass'],
  limited: [429, 'pass'],
  unprocessable: [422],
  unavailable: [503],
};

const MOST_BODY_BYTES = 16_384;
const REMEMBERED_CHECKS = 10_000;

/** The provider as a request listener: `PUT /v1/identity-checks/{reference}`, header `X-Api-Key`; `/livez` and `/readyz`. */
export function simulator(options: { apiKey: string; seed: number }): RequestListener {
  const attempts = new Map<string, number>();
  return (request, response) => {
    answer(request, response).catch(() => response.destroy());
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url === '/livez' || request.url === '/readyz') return send(response, 200, { status: 'ok' });
    if (!sameKey(request.headers['x-api-key'], options.apiKey)) return send(response, 401, { error: 'unknown API key' });
    const reference = /^\/v1\/identity-checks\/([\w-]{1,64})$/.exec(request.url ?? '')?.[1];
    if (reference === undefined) return send(response, 404, { error: 'not found' });
    if (request.method !== 'PUT') return send(response, 405, { error: 'use PUT' });
    const check = checkIn(await textOf(request));
    if (check === undefined) return send(response, 400, { error: 'not a check' });
    await delay(reference);
    play(response, reference, playFor(check, reference));
  }

  function playFor(check: Check, reference: string): Play {
    const plays = MAGIC[check.familyName.toLowerCase()];
    if (plays === undefined) return 'pass';
    const attempt = attempts.get(reference) ?? 0;
    if (attempts.size >= REMEMBERED_CHECKS) attempts.delete(attempts.keys().next().value!);
    attempts.set(reference, attempt + 1);
    return plays[Math.min(attempt, plays.length - 1)]!;
  }

  function play(response: ServerResponse, reference: string, play: Play): void {
    if (play === 'hang') return;
    if (play === 'garbage') return void response.writeHead(200, { 'content-type': 'application/json' }).end('<html>not what you expect');
    if (typeof play === 'number') return send(response, play, { error: 'played' });
    send(response, 200, { id: `SIM-${digest(reference).slice(0, 12)}`, reference, outcome: play });
  }

  /** 1 to 16 ms, the same for the same reference. */
  function delay(reference: string): Promise<void> {
    const ms = 1 + parseInt(digest(reference).slice(-1), 16);
    return new Promise((resolve) => setTimeout(resolve, ms));
  }

  function digest(reference: string): string {
    return createHash('sha256').update(`${options.seed}/${reference}`).digest('hex');
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > MOST_BODY_BYTES) throw new Error('the body is too large');
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function checkIn(body: string): Check | undefined {
  try {
    const check = JSON.parse(body) as Record<string, unknown> | null;
    const fields = ['givenName', 'familyName', 'birthDate', 'nationality', 'residence'];
    const sound = check !== null && fields.every((field) => typeof check[field] === 'string' && check[field] !== '');
    return sound ? (check as unknown as Check) : undefined;
  } catch {
    return undefined;
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
