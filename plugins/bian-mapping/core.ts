/**
 * bian-mapping: says in headers which BIAN operation a call is, and turns a BIAN-shaped call into ours.
 *
 * Header convention version 1 (docs/bian.md): every inbound X-BIAN-* but the release is cleared, the route's are set on
 * the upstream request and echoed on the answer. BIAN itself prescribes no headers.
 */
import { allow, failClosed, isResourceId, keepLately, refuse } from '../plugin.js';
import type { Answer, AnswerChange, Decision, Lately, RequestFacts } from '../plugin.js';

export interface BianMappingConfig {
  serviceDomain: string;
  controlRecord: string;
  /** One of BIAN's 15 action terms. */
  actionTerm: string;
  behaviorQualifier?: string;
  mapping: 'exact' | 'derived' | 'none';
  /** BIAN's own operationId, e.g. `RetrieveOrderInitiation`; absent where `mapping` is none. */
  operationId?: string;
  /** Path parameter that names the control record; absent on creating and listing calls. */
  controlRecordParameter?: string;
  /** Path parameter that names the behaviour qualifier instance. */
  behaviorQualifierParameter?: string;
  /** Other service domains the service may answer for, e.g. SavingsAccount. */
  alternates?: string[];
  /** Only on BIAN-shaped routes: our method and path template, `/v1/payments/{paymentId}`. */
  upstream?: { method?: string; path?: string };
  /** `14.0.0`. */
  release: string;
}

/** Headers of the convention a client may not send. */
export const BIAN_HEADERS = [
  'x-bian-service-domain', 'x-bian-action-term', 'x-bian-control-record', 'x-bian-control-record-id',
  'x-bian-behavior-qualifier', 'x-bian-behavior-qualifier-id', 'x-bian-operation-id', 'x-bian-mapping',
];

/** The headers of an answer `answer` reads. */
export const ANSWER_HEADERS = ['x-bian-service-domain', 'x-bian-control-record-id', 'location'];

/** Headers of one configuration by the ids in them, so that the same are made once; a host may keep one for each configuration. */
export type Described = Lately<Readonly<Record<string, string>>>;

/** As many as are kept; then all go. */
const MOST_DESCRIBED = 1000;

/**
 * Sets the route's BIAN headers, and on a BIAN-shaped route our method and path. Refuses an unknown release.
 * @param kept the host's, for this configuration. What is in it is shared between requests: nobody writes into it.
 */
export function decide(facts: RequestFacts, config: BianMappingConfig, kept?: Described): Decision {
  const asked = facts.headers['x-bian-release'];
  if (asked !== undefined && asked !== config.release) {
    return refuse('invalid_request', `This gateway speaks BIAN release ${config.release}; leave X-BIAN-Release out or send that.`);
  }
  const decision = allow();
  decision.clearRequestHeaders = inboundBianHeaders(facts);
  const described = kept !== undefined ? keptDescription(facts, config, kept) : describe(facts, config);
  decision.setRequestHeaders = described;
  decision.setResponseHeaders = described;
  const upstream = rewriting(config);
  if (upstream === undefined) return decision;
  const path = fillTemplate(upstream.path, facts.pathParameters);
  if (path === undefined) return failClosed('The BIAN mapping');
  decision.upstream = { method: upstream.method, path };
  return decision;
}

/** Whether `answer` could change an answer of this status beyond the route's own headers. */
export function mayChange(config: BianMappingConfig, status: number): boolean {
  return status === 201 || config.alternates !== undefined;
}

/**
 * What to change on the service's answer: the domain may be one of the route's alternates (the product decides), the
 * id of a record just created is known only now, and BIAN knows 200 where we say 201 (Location is kept).
 */
export function answer(_facts: RequestFacts, config: BianMappingConfig, answered: Answer): AnswerChange {
  const change: AnswerChange = { setHeaders: {}, clearHeaders: [] };
  if (answered.source !== 'service') return change;
  const domain = answered.headers['x-bian-service-domain'];
  if (domain !== undefined && config.alternates !== undefined && config.alternates.includes(domain)) {
    change.setHeaders['x-bian-service-domain'] = domain;
    if (config.operationId !== undefined) change.setHeaders['x-bian-operation-id'] = `${domain}.${config.operationId}`;
  }
  if (config.controlRecordParameter === undefined && config.mapping !== 'none' && answered.status === 201) {
    const id = createdId(answered);
    if (id !== undefined) change.setHeaders['x-bian-control-record-id'] = id;
  }
  if (rewriting(config) !== undefined && answered.status === 201) change.status = 200;
  return change;
}

/** Kong hands an absent record to a plugin as one without fields. */
function rewriting(config: BianMappingConfig): { method: string; path: string } | undefined {
  if (config.upstream === undefined) return undefined;
  const { method, path } = config.upstream;
  return method === undefined || path === undefined ? undefined : { method, path };
}

/** `x-bian-…`; the first letters are compared as codes, since in Lua a part of a text is a text of its own to make. */
function isBian(name: string): boolean {
  return name.length > 7 && name.charCodeAt(0) === 120 && name.charCodeAt(1) === 45 && name.charCodeAt(2) === 98 && name.startsWith('x-bian-');
}

/** The list itself where a request has no others, which is nearly always: nobody changes it. */
function inboundBianHeaders(facts: RequestFacts): string[] {
  let names = BIAN_HEADERS;
  for (const name of facts.headerNames ?? Object.keys(facts.headers)) {
    if (isBian(name) && name !== 'x-bian-release' && !BIAN_HEADERS.includes(name)) names = [...names, name];
  }
  return names;
}

function keptDescription(facts: RequestFacts, config: BianMappingConfig, kept: Described): Readonly<Record<string, string>> {
  const first = config.controlRecordParameter !== undefined ? facts.pathParameters[config.controlRecordParameter] ?? '' : '';
  const second = config.behaviorQualifierParameter !== undefined ? facts.pathParameters[config.behaviorQualifierParameter] ?? '' : '';
  const ids = second.length > 0 ? first + '/' + second : first;
  const known = kept.known[ids];
  if (known !== undefined) return known;
  return keepLately(kept, ids, describe(facts, config), MOST_DESCRIBED);
}

function describe(facts: RequestFacts, config: BianMappingConfig): Record<string, string> {
  const headers: Record<string, string> = {
    'x-bian-release': config.release,
    'x-bian-service-domain': config.serviceDomain,
    'x-bian-mapping': config.mapping,
  };
  if (config.mapping === 'none') return headers;
  headers['x-bian-action-term'] = config.actionTerm;
  headers['x-bian-control-record'] = config.controlRecord;
  if (config.operationId !== undefined) headers['x-bian-operation-id'] = `${config.serviceDomain}.${config.operationId}`;
  if (config.controlRecordParameter !== undefined) {
    const id = facts.pathParameters[config.controlRecordParameter];
    if (id !== undefined && isResourceId(id)) headers['x-bian-control-record-id'] = id;
  }
  if (config.behaviorQualifier === undefined) return headers;
  headers['x-bian-behavior-qualifier'] = config.behaviorQualifier;
  if (config.behaviorQualifierParameter !== undefined) {
    const id = facts.pathParameters[config.behaviorQualifierParameter];
    if (id !== undefined && isResourceId(id)) headers['x-bian-behavior-qualifier-id'] = id;
  }
  return headers;
}

/** `/v1/payments/{paymentId}` with its parameters; undefined when one is missing or is no opaque id. */
function fillTemplate(template: string, parameters: Record<string, string>): string | undefined {
  let filled = '';
  for (const segment of template.split('/')) {
    if (segment.length < 1) continue;
    if (!segment.startsWith('{')) {
      filled = `${filled}/${segment}`;
      continue;
    }
    const value = parameters[segment.substring(1, segment.length - 1)];
    if (value === undefined || !isResourceId(value)) return undefined;
    filled = `${filled}/${value}`;
  }
  return filled;
}

/** The id a service names for a new record: its own header, else the last part of Location. */
function createdId(answered: Answer): string | undefined {
  const named = answered.headers['x-bian-control-record-id'];
  if (named !== undefined) return isResourceId(named) ? named : undefined;
  const location = answered.headers['location'];
  if (location === undefined) return undefined;
  const parts = location.split('/');
  const last = parts[parts.length - 1];
  return last !== undefined && isResourceId(last) ? last : undefined;
}
