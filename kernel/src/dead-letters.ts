/** What a dead letter says about itself: why it was put aside, where, after how many attempts, when. Never what was in it. */
import { constraintOf, stateOf } from './database.js';
import { Problem } from './problem.js';

/** The headers of a dead letter. Values are codes, names of classes and places in the code: no text of an error, which may name a person. */
export interface DeadLetterHeaders {
  /** `invalid_state` of a problem, `23505 constraint_name` of the database, else the error's name and code. */
  'kontor-cause': string;
  /** File, line and column that threw, where known. */
  'kontor-thrown-at'?: string;
  /** The queue it came from, which is also the name of the consumer that gave it up. */
  'kontor-consumer': string;
  'kontor-attempts': number;
  /** RFC 3339, UTC. */
  'kontor-failed-at': string;
}

export function deadLetterHeaders(fault: unknown, from: { queue: string; attempts: number; now: Date }): DeadLetterHeaders {
  const thrownAt = placeOf(fault);
  return {
    'kontor-cause': causeOf(fault), ...(thrownAt === undefined ? {} : { 'kontor-thrown-at': thrownAt }),
    'kontor-consumer': from.queue, 'kontor-attempts': from.attempts, 'kontor-failed-at': from.now.toISOString(),
  };
}

/** A short name for a fault, without its message. */
export function causeOf(fault: unknown): string {
  if (fault instanceof Problem) return fault.code;
  const state = stateOf(fault);
  if (state !== undefined) return [state, constraintOf(fault)].filter((part) => part !== undefined).join(' ');
  if (!(fault instanceof Error)) return 'unknown';
  const { code } = fault as { code?: unknown };
  return [fault.name, code].filter((part): part is string => typeof part === 'string' && /^[\w.-]{1,64}$/.test(part)).join(' ') || 'Error';
}

/** The innermost place of ours in the stack. */
function placeOf(fault: unknown): string | undefined {
  const frames = (fault instanceof Error ? fault.stack ?? '' : '').split('\n').filter((line) => /^ {4}at /.test(line) && !/node:|node_modules/.test(line));
  return /([\w.-]{1,80}\.[cm]?[jt]s:\d+:\d+)\)?$/.exec(frames[0] ?? '')?.[1];
}
