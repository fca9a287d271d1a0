/** The types of handlers: one for each operation of a contract, one for each event a service hears. */
import type { Readable } from 'node:stream';
import type { Tx } from './database.js';
import type { Event, EventContext, EventType } from './events.js';
import type { Caller } from './gateway-token.js';

type Member<T, K extends string> = T extends Record<K, infer V> ? V : T extends Partial<Record<K, infer V>> ? NonNullable<V> : never;
type Parameters<Op> = Member<Op, 'parameters'>;
/** A kind of parameter that the operation does not have is an empty object. */
type OrNone<T> = [T] extends [never] ? Record<never, never> : T;

/** Path parameters of an operation. */
export type PathOf<Op> = OrNone<Member<Parameters<Op>, 'path'>>;
/** Query of an operation, converted to the types of the contract. */
export type QueryOf<Op> = OrNone<Member<Parameters<Op>, 'query'>>;
/** JSON body of an operation, validated; undefined when it has none. */
export type BodyOf<Op> = Op extends { requestBody: { content: { 'application/json': infer B } } } ? B
  : Op extends { requestBody?: { content: { 'application/json': infer B } } } ? B | undefined : undefined;
/** Words of an enumeration become any text: the answer's validator knows the enumeration, rows only know text. */
type Loose<T> = T extends string ? string : T extends readonly (infer E)[] ? Loose<E>[] : T extends object ? { [K in keyof T]: Loose<T[K]> } : T;
/** Bodies of the numbered answers of an operation: JSON, or the text of a CSV or XML file where the contract has one. */
export type AnswerBodyOf<Op> = Op extends { responses: infer R }
  ? Loose<{ [S in keyof R & number]: R[S] extends { content: infer C } ? C[keyof C & ('application/json' | 'text/csv' | 'application/xml')] : undefined }[keyof R & number]>
  : unknown;

/** What a handler is given. */
export interface Call<Op = unknown> {
  params: PathOf<Op>;
  query: QueryOf<Op>;
  /** Names in lower case. */
  headers: Readonly<Record<string, string | undefined>>;
  body: BodyOf<Op>;
  /** The bytes of a body that is not JSON, as they arrive; undefined for other operations. It fails with payload_too_large beyond `x-body`. */
  stream?: Readable | undefined;
  /** Of the media types the operation produces, the one the client likes best (Accept); JSON when it likes any. */
  accepted: string;
  caller: Caller;
  correlationId: string;
  /** For the events the request causes. */
  context: EventContext;
}

/** What a handler answers; refusals are thrown as Problem. A text is sent as it is, with the Content-Type in `headers`; anything else as JSON. */
export interface Answer<Body = unknown> {
  status: number;
  body?: Body;
  headers?: Record<string, string>;
}

/** The handler of one operation. */
export type Handler<Op = unknown> = (call: Call<Op>) => Promise<Answer<AnswerBodyOf<Op>>>;

/** One handler for each operation of a contract (`operations` of its openapi.generated.ts). */
export type Routes<Operations> = { [Id in keyof Operations]: Handler<Operations[Id]> };

/** Handlers of any contract, as the kernel takes them. */
export type AnyRoutes = Record<string, (call: never) => Promise<Answer>>;

/** What a subscription may do besides reading the event. */
export interface Effects {
  /** The transaction in which the event is recorded as heard: every effect belongs into it. Services with a database only. */
  readonly tx: Tx;
  /** Tells an event: into the outbox in `tx`; in a service without a database at once (give it a `derivedId`). */
  emit: (event: Event) => Promise<void>;
}

/** One handler for each event type a service hears. */
export type Subscriptions = { [T in EventType]?: (event: Event<T>, effects: Effects) => Promise<void> };

/** One handler for each event type whose effect is outside the database and safe to repeat; see `Wiring.outside`. */
export type OutsideSubscriptions = { [T in EventType]?: (event: Event<T>) => Promise<void> };
