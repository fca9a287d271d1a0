/** What the trials saw, as a table for people; slowest refusals of requests without a consent, on a valid one, and for a token. */
import type { Asker, Seen } from './trial.js';

const COLUMNS = ['gateway', 'fault', 'requests', 'reached', 'their answers', 'p50 ms', 'on a valid consent', 'new token', 'slowest refusals ms', ''] as const;
const ASKERS: readonly Asker[] = ['unconsented', 'consented', 'token'];

export function table(rows: readonly Seen[]): string {
  const cells = rows.map((row) => [
    row.gateway, row.fault, String(row.requests), String(row.reached), counts(row.statuses), row.median.toFixed(0), counts(row.consented), counts(row.token),
    ASKERS.map((asker) => row.slowest[asker]?.toFixed(0) ?? '–').join(' / '),
    row.faults.length === 0 ? 'held' : 'FAILED',
  ]);
  const widths = COLUMNS.map((title, column) => Math.max(title.length, ...cells.map((row) => row[column]!.length)));
  const line = (row: readonly string[]): string => row.map((cell, column) => cell.padEnd(widths[column]!)).join('  ').trimEnd();
  return [line(COLUMNS), widths.map((width) => '-'.repeat(width)).join('  ').trimEnd(), ...cells.map(line)].join('\n');
}

/** `401×20 503×5`. */
export function counts(statuses: Record<string, number>): string {
  return Object.entries(statuses).sort(([a], [b]) => (a < b ? -1 : 1)).map(([status, count]) => `${status}×${count}`).join(' ') || '–';
}
