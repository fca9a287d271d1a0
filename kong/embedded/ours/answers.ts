/** Between an answer's head and the cores' view of it. */
import type { Answer, AnswerChange } from '../../../plugins/plugin.js';
import type { Exchange } from '../exchange.js';
import type { AnswerHead } from '../plugin.js';

/** The service's head as a core reads it: repeated headers joined. */
export function answerOf(head: AnswerHead): Answer {
  const headers: Record<string, string> = {};
  for (const name in head.headers) {
    const value = head.headers[name]!;
    headers[name] = typeof value === 'string' ? value : value.join(', ');
  }
  return { status: head.status, source: head.source, headers, fields: {} };
}

/** Changes the head; what is set wins over headers the request phase put aside for the answer. */
export function applyChange(exchange: Exchange, head: AnswerHead, change: AnswerChange): void {
  if (change.status !== undefined) head.status = change.status;
  for (const name of change.clearHeaders) delete head.headers[name];
  for (const name in change.setHeaders) {
    head.headers[name] = change.setHeaders[name]!;
    exchange.answerHeaders[name] = change.setHeaders[name]!;
  }
}
