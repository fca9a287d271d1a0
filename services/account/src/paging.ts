/** Pages of rows behind an opaque cursor. */
import { encodeCursor } from '@kontor/kernel/cursor';
import { problem } from '@kontor/kernel/problem';
import type { Found } from './account.js';

/** One row more than the page was asked for: there is a next page. */
export function paged<T>(rows: T[], limit: number, position: (last: T) => Record<string, string | number>): Found<T> {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return { rows: page, nextCursor: rows.length > limit && last ? encodeCursor(position(last)) : null };
}

export const strangeCursor = () => problem('invalid_cursor', 'Use the cursor exactly as nextCursor gave it.');
