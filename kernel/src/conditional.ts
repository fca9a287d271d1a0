/** Conditional requests (RFC 9110 §13): reading only what has changed, changing only what one has read. */
import type { Answer } from './handlers.js';
import { problem } from './problem.js';

/** Whether a list of entity tags names `etag`. `*` names any. Weak comparison (§8.8.3.2) unless `strong`. */
function names(list: string, etag: string, strong: boolean): boolean {
  const opaque = (tag: string): string => tag.replace(/^W\//, '');
  return list.trim() === '*' || (list.match(/(?:W\/)?"[^"]*"/g) ?? []).some((tag) =>
    (strong ? tag === etag && !tag.startsWith('W/') : opaque(tag) === opaque(etag)));
}

/** The answer with its ETag, or 304 without a body when `If-None-Match` says the client has it (§13.1.2). It may be kept, and must be asked for again. */
export function unlessCurrent<T extends Answer>(answer: T, etag: string, headers: Readonly<Record<string, string | undefined>>): T | { status: 304; headers: Record<string, string> } {
  const tagged = { ...answer.headers, ETag: etag, 'Cache-Control': 'private, no-cache' };
  const known = headers['if-none-match'];
  return known !== undefined && names(known, etag, false) ? { status: 304, headers: tagged } : { ...answer, headers: tagged };
}

/** Refuses a change of what is not what the client has read (§13.1.1). Without `If-Match` anything may be changed. @throws Problem precondition_failed */
export function requireCurrent(headers: Readonly<Record<string, string | undefined>>, etag: string): void {
  const known = headers['if-match'];
  if (known !== undefined && !names(known, etag, true)) throw problem('precondition_failed', 'It has changed since you read it. Read it again, and repeat the change with its new ETag.');
}
