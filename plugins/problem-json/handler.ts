import { addToLog, requestState, singleHeaders } from '../host-lua/request.js';
import type { Answer, RequestFacts } from '../plugin.js';
import { priorities } from '../priorities.js';
import { answer } from './core.js';
import type { ProblemJsonConfig } from './core.js';

const json = require('cjson.safe') as {
  encode(this: void, value: unknown): string;
  decode(this: void, text: string): LuaMultiReturn<[value: Record<string, unknown> | undefined, fault: string | undefined]>;
};

/** problem-json inside Kong: headers before the body has come, the body when all of it is there. */
export const handler = {
  PRIORITY: priorities['problem-json'],
  VERSION: '1.0.0',

  header_filter(config: ProblemJsonConfig): void {
    const source = kong.response.get_source();
    let status = kong.response.get_status();
    if (status < 400 || source === 'service') return;
    if (status === 500 && ngx.ctx.KONG_BALANCER_START === undefined) {
      // A plugin could not decide: its store is gone, its code threw. Kong says 500; it is 503 as everywhere, since no service
      // was asked, nothing happened, and the client may try again.
      status = 503;
      kong.response.set_status(status);
      kong.response.set_header('Retry-After', '1');
    }
    const state = requestState();
    if (state.log === undefined || state.log.decision === undefined) addToLog(state, { decision: 'refuse' });
    const [headers] = kong.response.get_headers(1000);
    const answered: Answer = { status, source, headers: singleHeaders(headers), fields: {} };
    const change = answer(answerFacts(), config, answered);
    if (change.body === undefined) return;
    if (change.status !== undefined) kong.response.set_status(change.status);
    for (const name of Object.keys(change.setHeaders)) kong.response.set_header(name, change.setHeaders[name] as string);
    kong.response.clear_header('Content-Length');
    state.answered = answered;
  },

  body_filter(config: ProblemJsonConfig): void {
    const state = requestState();
    const { answered } = state;
    if (answered === undefined) return;
    const original = kong.response.get_raw_body();
    if (original === undefined) return;
    answered.fields = textFields(original);
    const { body } = answer(answerFacts(), config, answered);
    if (body === undefined) return;
    addToLog(state, { code: body.code });
    kong.response.set_raw_body(json.encode(body));
  },
};

/** The facts an answer needs; those of the request may not exist, for instance where no route matched. */
function answerFacts(): RequestFacts {
  return {
    method: kong.request.get_method(), path: kong.request.get_path(), route: '', pathParameters: {}, headers: {}, scopes: [], roles: [],
    correlationId: kong.response.get_header('X-Correlation-Id') ?? '',
    now: 0,
  };
}

function textFields(body: string): Record<string, string> {
  const fields: Record<string, string> = {};
  const [decoded] = json.decode(body);
  if (typeof decoded !== 'object') return fields;
  for (const name of Object.keys(decoded)) {
    const value = decoded[name];
    if (typeof value === 'string') fields[name] = value;
  }
  return fields;
}
