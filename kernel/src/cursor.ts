import { problem } from './problem.js';

/** Makes an opaque cursor of where the next page begins: `encodeCursor({ at: row.createdAt, id: row.id })`. */
export function encodeCursor(position: Record<string, string | number>): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url');
}

/**
 * Reads a cursor made by `encodeCursor`.
 * @param fields the names the operation's cursors carry; each must be there as text or number, and no other.
 * @throws Problem invalid_cursor for anything else.
 */
export function decodeCursor<T extends Record<string, string | number>>(cursor: string, fields?: readonly (keyof T & string)[]): T {
  try {
    if (cursor.length > 1024 || !/^[A-Za-z0-9_-]+$/.test(cursor)) throw new Error('not base64url');
    const position: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (typeof position !== 'object' || position === null || Array.isArray(position)) throw new Error('not an object');
    const entries = Object.entries(position);
    if (entries.some(([, value]) => typeof value !== 'string' && typeof value !== 'number')) throw new Error('not plain');
    if (fields && (entries.length !== fields.length || fields.some((field) => !Object.hasOwn(position, field)))) throw new Error('other fields');
    return position as T;
  } catch {
    throw problem('invalid_cursor', 'Use the cursor exactly as nextCursor gave it, with the same operation.');
  }
}
