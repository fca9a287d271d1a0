import type { Writable } from 'node:stream';
import winston from 'winston';

/**
 * What a log line may carry. Only these fields are written (others are dropped), so that bodies, tokens, names and
 * account numbers cannot slip in. ERROR means that someone must act now.
 */
export interface LogFields {
  correlationId?: string;
  traceId?: string;
  operation?: string;
  event?: string;
  eventId?: string;
  status?: number | string;
  durationMs?: number;
  code?: string;
  /** Only for faults of ours; its name, message and stack are written, with account numbers and tokens blanked. */
  error?: unknown;
  queue?: string;
  attempt?: number;
  port?: number;
  resourceId?: string;
}

/** The four levels we use. */
export interface Logger {
  error(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
}

const ALLOWED: readonly (keyof LogFields)[] = [
  'correlationId', 'traceId', 'operation', 'event', 'eventId', 'status', 'durationMs', 'code', 'queue', 'attempt', 'port', 'resourceId'];

/** JWTs and bearer tokens, IBANs (ISO 13616), card numbers (ISO/IEC 7812): never in a log, not even in an error's text. */
const SECRETS: readonly [RegExp, string][] = [
  [/\beyJ[\w-]+\.[\w-]+\.[\w-]*/g, '[token]'],
  [/\bBearer\s+[\w.~+/-]+=*/gi, 'Bearer [token]'],
  [/\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b/g, '[iban]'],
  [/\b[0-9](?:[ -]?[0-9]){12,18}\b/g, '[number]'],
  [/(\w+:\/\/[^\s:/@]*:)[^\s@]+@/g, '$1[secret]@'],
];

/** Blanks what must not be written. */
export function redact(text: string): string {
  return SECRETS.reduce((safe, [pattern, blank]) => safe.replace(pattern, blank), text);
}

function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return { name: typeof error, message: redact(String(error)) };
  return {
    name: error.name,
    message: redact(error.message),
    ...(error.stack === undefined ? {} : { stack: redact(error.stack) }),
    ...(error.cause instanceof Error ? { cause: describeError(error.cause) } : {}),
  };
}

/**
 * A logger of one service: JSON lines on standard output.
 * @param name the service, written as `service` on each line
 * @param level the least level that is written: error, warn, info or debug
 * @param stream where to write instead of standard output (tests)
 */
export function createLogger(name: string, level: string, stream?: Writable): Logger {
  const transport = stream ? new winston.transports.Stream({ stream }) : new winston.transports.Console();
  const sink = winston.createLogger({
    level,
    format: winston.format.printf((line) => JSON.stringify(line)),
    transports: [transport],
  });
  const write = (at: 'error' | 'warn' | 'info' | 'debug') => (message: string, fields: LogFields = {}) => {
    const allowed: Record<string, unknown> = { service: name };
    for (const field of ALLOWED) if (fields[field] !== undefined) allowed[field] = fields[field];
    if (fields.error !== undefined) allowed.error = describeError(fields.error);
    sink.log({ level: at, message: redact(message), time: new Date().toISOString(), ...allowed });
  };
  return { error: write('error'), warn: write('warn'), info: write('info'), debug: write('debug') };
}
