/** The BIAN-shaped call of an operation: method, path and names as BIAN 14's semantic API definitions write them. */
import { pathParameters, type Operation } from './contracts.js';

/** Terms that create: POST, and no id of the record that is created. */
const CREATING = ['Initiate', 'Create', 'Register', 'Evaluate', 'Provide', 'Activate'];
const READING = ['Retrieve', 'Notify'];

export const BIAN_RELEASE = '14.0.0';

export interface BianCall {
  serviceDomain: string;
  method: 'GET' | 'POST' | 'PUT';
  /** As in BIAN's definition, `/PaymentOrderInitiation/{paymentorderinitiationid}/Retrieve`. */
  definedPath: string;
  /** Under our gateway with our parameter names, `/bian/PaymentOrderInitiation/{paymentId}/Retrieve`. */
  path: string;
  /** BIAN's operationId, unique only within the service domain. */
  operationId: string;
  controlRecordParameter?: string;
  behaviorQualifierParameter?: string;
}

/**
 * The BIAN call an operation is marked as, in its own service domain or one of its alternates.
 * A path that needs an id our path does not have takes any (`behaviorQualifierId`, `controlRecordId`).
 */
export function bianCall(operation: Operation, serviceDomain: string = operation.bian.serviceDomain): BianCall {
  const { actionTerm, behaviorQualifier } = operation.bian;
  const [record, qualifier] = pathParameters(operation.path);
  const creating = CREATING.includes(actionTerm);
  const slots: { defined: string; ours: string }[] = [];
  if (!creating || behaviorQualifier) slots.push({ defined: `{${serviceDomain.toLowerCase()}id}`, ours: `{${record ?? 'controlRecordId'}}` });
  if (behaviorQualifier) {
    slots.push({ defined: behaviorQualifier, ours: behaviorQualifier });
    if (!creating) slots.push({ defined: `{${behaviorQualifier.toLowerCase()}id}`, ours: `{${qualifier ?? 'behaviorQualifierId'}}` });
  }
  const pathOf = (names: string[]): string => `/${[serviceDomain, ...names, actionTerm].join('/')}`;
  return {
    serviceDomain,
    method: creating ? 'POST' : READING.includes(actionTerm) ? 'GET' : 'PUT',
    definedPath: pathOf(slots.map((slot) => slot.defined)),
    path: `/bian${pathOf(slots.map((slot) => slot.ours))}`,
    operationId: `${actionTerm}${behaviorQualifier ?? ''}`,
    ...(record ? { controlRecordParameter: record } : {}),
    ...(behaviorQualifier && qualifier ? { behaviorQualifierParameter: qualifier } : {}),
  };
}

/** The BIAN-shaped calls the gateway serves: none for `mapping: none` and `path: false`, else one a service domain. */
export function servedBianCalls(operation: Operation): BianCall[] {
  if (operation.bian.mapping === 'none' || operation.bian.path === false) return [];
  return [operation.bian.serviceDomain, ...operation.bian.alternates ?? []].map((domain) => bianCall(operation, domain));
}

/** Our path parameters the BIAN-shaped path does not carry; such a call cannot be turned into ours. */
export function unfilledParameters(operation: Operation, call: BianCall): string[] {
  const given = pathParameters(call.path);
  return pathParameters(operation.path).filter((name) => !given.includes(name));
}
