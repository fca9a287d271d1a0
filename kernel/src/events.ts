import { randomBytes } from 'node:crypto';
import { EVENT_TYPES, type EventPayloads } from './events.generated.js';
import { newId } from './ids.js';

export { EVENT_TYPES } from './events.generated.js';
export type * from './events.generated.js';

/** The name of an event, past tense, such as `payment.settled`. */
export type EventType = keyof EventPayloads;

/** The payload of an event type. */
export type EventData<T extends EventType> = EventPayloads[T];

/** A CloudEvents 1.0 event with our extension attributes (lower case, CloudEvents §3.1). */
export interface Event<T extends EventType = EventType> {
  specversion: '1.0';
  /** The same on every delivery; consumers record it. */
  id: string;
  /** The service that tells. */
  source: string;
  type: T;
  /** Id of the resource the event is about. */
  subject: string;
  /** RFC 3339, UTC. */
  time: string;
  datacontenttype: 'application/json';
  data: EventData<T>;
  correlationid: string;
  /** W3C trace context. */
  traceparent: string;
  clientid?: string;
  customerid?: string;
}

/** Any event, as a union that `event.type` narrows. */
export type AnyEvent = { [T in EventType]: Event<T> }[EventType];

/** On whose behalf, and in which request, something happens: travels from the request to every event it causes. */
export interface EventContext {
  correlationId: string;
  traceparent: string;
  clientId?: string;
}

/**
 * Makes an event.
 * @param options.source the service that tells
 * @param options.id give a `derivedId(…)` where a redelivery must make the same event; else a new id
 * @param options.customerId whom it is about (the audit trail encrypts by it); default: `data.customerId`
 * @param options.now when it happened; default: now
 */
export function newEvent<T extends EventType>(
  type: T,
  options: { subject: string; data: EventData<T>; context: EventContext; source: string; id?: string; customerId?: string; now?: Date },
): Event<T> {
  const named = (options.data as { customerId?: unknown }).customerId;
  const customerId = options.customerId ?? (typeof named === 'string' ? named : undefined);
  return {
    specversion: '1.0',
    id: options.id ?? newId(),
    source: options.source,
    type,
    subject: options.subject,
    time: (options.now ?? new Date()).toISOString(),
    datacontenttype: 'application/json',
    data: options.data,
    correlationid: options.context.correlationId,
    traceparent: options.context.traceparent,
    ...(options.context.clientId === undefined ? {} : { clientid: options.context.clientId }),
    ...(customerId === undefined ? {} : { customerid: customerId }),
  };
}

/** The context of an event, for the events and calls it causes; the trace goes on with a new span. */
export function contextOf(event: Event): EventContext {
  return {
    correlationId: event.correlationid,
    traceparent: childTraceparent(event.traceparent),
    ...(event.clientid === undefined ? {} : { clientId: event.clientid }),
  };
}

const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** A new span in the trace of `parent` (W3C Trace Context §3.2), or a new trace when `parent` is none. */
export function childTraceparent(parent?: string): string {
  const match = parent === undefined ? null : TRACEPARENT.exec(parent);
  const valid = match !== null && !/^0+$/.test(match[1] ?? '') && !/^0+$/.test(match[2] ?? '');
  const trace = valid ? match[1] : randomBytes(16).toString('hex');
  return `00-${trace}-${randomBytes(8).toString('hex')}-${valid ? match[3] : '01'}`;
}

/** The trace id inside a traceparent. */
export function traceIdOf(traceparent: string): string {
  return traceparent.split('-')[1] ?? '';
}

const TYPES: ReadonlySet<string> = new Set(EVENT_TYPES);

/** Reads a delivered event. @throws Error when it is no event of ours. Payloads are trusted to match the contract. */
export function parseEvent(text: string): AnyEvent {
  const found = JSON.parse(text) as Partial<Event> | null;
  const sound = found !== null && typeof found === 'object' && found.specversion === '1.0'
    && typeof found.id === 'string' && typeof found.type === 'string' && TYPES.has(found.type)
    && typeof found.subject === 'string' && typeof found.data === 'object' && found.data !== null
    && typeof found.correlationid === 'string' && typeof found.traceparent === 'string';
  if (!sound) throw new Error('the message is not an event of the contract');
  return found as AnyEvent;
}
