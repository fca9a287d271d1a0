/** Prints each request of the journey with what it proves, and stops at the first thing that is not as it should be. */

export interface Answer {
  status: number;
  headers: Headers;
  /** Parsed JSON, else the text. */
  body: any; // eslint-disable-line @typescript-eslint/no-explicit-any -- answers of nine APIs, checked where they are used
}

export interface Call {
  method?: string;
  url: string;
  headers?: Record<string, string>;
  json?: unknown;
  form?: Record<string, string | string[]>;
  /** The status that is right. */
  expect: number;
  /** The fact that the answer proves; a function may read the answer. */
  fact: string | ((answer: Answer) => string);
}

/** Something was not as it should be; the message is for the reader of the terminal. */
export class WrongTurn extends Error {}

export interface Journal {
  step(title: string): void;
  note(fact: string): void;
  call(call: Call): Promise<Answer>;
  /** Asks until `done` says so; at most `seconds`. Prints only the last answer. */
  until(call: Call, done: (answer: Answer) => boolean, seconds?: number): Promise<Answer>;
}

/** @param print where lines go */
export function journal(print: (line: string) => void): Journal {
  let steps = 0;
  const line = (call: Call, answer: Answer): void => {
    const fact = typeof call.fact === 'function' ? call.fact(answer) : call.fact;
    const pathname = new URL(call.url).pathname.replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{18}([0-9a-f]{4})/g, '…$1');
    print(`   ${(call.method ?? 'GET').padEnd(6)} ${pathname.padEnd(44)} ${answer.status}  ${fact}`);
  };
  return {
    step: (title) => print(`\n${String(++steps).padStart(2)} ${title}`),
    note: (fact) => print(`   ${' '.repeat(51)}      ${fact}`),
    async call(call) {
      const answer = await send(call);
      requireStatus(call, answer);
      line(call, answer);
      return answer;
    },
    async until(call, done, seconds = 30) {
      const end = Date.now() + seconds * 1000;
      let lastWord = Date.now();
      for (;;) {
        const answer = await send(call);
        requireStatus(call, answer);
        if (done(answer)) {
          line(call, answer);
          return answer;
        }
        if (Date.now() > end) throw new WrongTurn(`${call.url}: after ${seconds} s still not so. Last answer: ${excerpt(answer)}`);
        if (Date.now() - lastWord > 4000) {
          print(`   … waiting: ${new URL(call.url).pathname}`);
          lastWord = Date.now();
        }
        await new Promise((resolve) => setTimeout(resolve, 150));
      }
    },
  };
}

/** One request without printing; redirects are not followed. */
export async function send({ method = 'GET', url, headers = {}, json, form }: Call | Omit<Call, 'expect' | 'fact'>): Promise<Answer> {
  const body = json !== undefined ? JSON.stringify(json) : form ? formBody(form) : undefined;
  const type = json !== undefined ? 'application/json' : 'application/x-www-form-urlencoded';
  const response = await fetch(url, {
    method, redirect: 'manual', signal: AbortSignal.timeout(20_000),
    headers: { ...(body === undefined ? {} : { 'content-type': type }), ...headers },
    ...(body === undefined ? {} : { body }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: /json/.test(response.headers.get('content-type') ?? '') && text ? JSON.parse(text) : text };
}

function formBody(form: Record<string, string | string[]>): string {
  const pairs = Object.entries(form).flatMap(([name, values]) => [values].flat().map((value): [string, string] => [name, value]));
  return new URLSearchParams(pairs).toString();
}

function requireStatus(call: Call, answer: Answer): void {
  if (answer.status === call.expect) return;
  throw new WrongTurn(`${call.method ?? 'GET'} ${call.url} answered ${answer.status}, expected ${call.expect}: ${excerpt(answer)}`);
}

const excerpt = ({ status, body }: Answer): string => `${status} ${(typeof body === 'string' ? body : JSON.stringify(body)).slice(0, 600)}`;

/** @throws WrongTurn with `otherwise` when the fact does not hold */
export function ensure(fact: unknown, otherwise: string): asserts fact {
  if (!fact) throw new WrongTurn(otherwise);
}
