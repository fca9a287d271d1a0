/** What every contract of the house keeps to, beyond OpenAPI itself. Each rule answers its faults as sentences. */
import { bianCall, servedBianCalls, unfilledParameters } from '../../scripts/generate/bian.js';
import {
  operationObjects, operationsOf, pathParameters, type Contract, type OperationObject, type ParameterObject,
} from '../../scripts/generate/contracts.js';

export const SCOPES = ['customers', 'kyc', 'accounts', 'payments', 'funds', 'consents', 'consent-administration', 'bank-operations', 'webhooks', 'audit'];
export const ROLES = ['onboarding', 'aisp', 'pisp', 'cbpii', 'compliance', 'bank-staff', 'sandbox'];
export const ACTION_TERMS = [
  'Initiate', 'Create', 'Register', 'Evaluate', 'Provide', 'Activate', 'Update', 'Control', 'Exchange', 'Capture', 'Execute', 'Request',
  'Grant', 'Notify', 'Retrieve',
];

type Schema = Record<string, unknown>;
type Rule = (place: { contract: Contract; path: string; method: string; pathItem: Record<string, unknown>; object: OperationObject }) => string[];

/** Every fault of every operation, each with the operation it stands at. */
export function houseFaults(contracts: Contract[]): string[] {
  const faults: string[] = [];
  for (const contract of contracts) {
    if (contract.document.openapi !== '3.0.3') faults.push(`${contract.folder}: openapi is ${contract.document.openapi}, not 3.0.3`);
    for (const place of operationObjects(contract)) {
      for (const rule of RULES) faults.push(...rule({ contract, ...place }).map((fault) => `${contract.folder} ${place.method} ${place.path}: ${fault}`));
    }
  }
  return faults.length > 0 ? faults : acrossContracts(contracts);
}

const RULES: Rule[] = [named, bianMarked, accessGuarded, consentAccountExists, bodiesClosed, creatingIsIdempotent, problemsByDefault, exampled];

function named({ object }: Parameters<Rule>[0]): string[] {
  return /^[a-z][A-Za-z0-9]+$/.test(object.operationId ?? '') ? [] : ['operationId is missing or not camelCase'];
}

function bianMarked({ object }: Parameters<Rule>[0]): string[] {
  const mark = object['x-bian'];
  if (!mark) return ['x-bian is missing'];
  const faults: string[] = [];
  if (!mark.serviceDomain) faults.push('x-bian lacks serviceDomain');
  if (!mark.controlRecord) faults.push('x-bian lacks controlRecord');
  if (!ACTION_TERMS.includes(mark.actionTerm)) faults.push(`x-bian actionTerm ${mark.actionTerm} is none of BIAN's 15`);
  if (!['exact', 'derived', 'none'].includes(mark.mapping)) faults.push(`x-bian mapping ${mark.mapping} is not exact, derived or none`);
  const known = ['serviceDomain', 'controlRecord', 'behaviorQualifier', 'actionTerm', 'mapping', 'alternates', 'path'];
  for (const name of Object.keys(mark)) if (!known.includes(name)) faults.push(`x-bian has an unknown field ${name}`);
  return faults;
}

function accessGuarded({ object }: Parameters<Rule>[0]): string[] {
  const access = object['x-access'];
  if (!access) return ['x-access is missing'];
  if (access.sandbox) return access.scopes || access.roles ? ['x-access of a sandbox operation names scopes or roles'] : [];
  const faults: string[] = [];
  if (!access.scopes?.length) faults.push('x-access names no scope');
  if (!access.roles?.length) faults.push('x-access names no role');
  for (const scope of access.scopes ?? []) if (!SCOPES.includes(scope)) faults.push(`x-access names an unknown scope ${scope}`);
  for (const role of access.roles ?? []) if (!ROLES.includes(role)) faults.push(`x-access names an unknown role ${role}`);
  return faults;
}

function consentAccountExists({ contract, path, object }: Parameters<Rule>[0]): string[] {
  const consent = object['x-consent'];
  if (!consent) return [];
  const faults = /^[a-z-]+:[a-z-]+$/.test(consent.permission ?? '') ? [] : [`x-consent permission ${consent.permission} is not like balances:read`];
  const { account } = consent;
  if (account === undefined) return faults;
  if (!account.startsWith('body.')) return pathParameters(path).includes(account) ? faults : [...faults, `x-consent account ${account} is no path parameter`];
  const field = account.slice('body.'.length);
  const named = objectSchemas(contract, requestSchema(contract, object)).some((schema) => field in (schema.properties as Schema));
  return named ? faults : [...faults, `x-consent account ${account} is no field of the request body`];
}

function bodiesClosed({ contract, object }: Parameters<Rule>[0]): string[] {
  return objectSchemas(contract, requestSchema(contract, object))
    .filter((schema) => schema.additionalProperties !== false)
    .map((schema) => `the request body has an object (${Object.keys(schema.properties as Schema).join(', ')}) without additionalProperties: false`);
}

function creatingIsIdempotent({ contract, pathItem, method, object }: Parameters<Rule>[0]): string[] {
  const creates = method === 'POST' && object.responses?.['201'] !== undefined && !object['x-access']?.sandbox;
  if (!creates) return [];
  const parameters = [...pathItem.parameters as unknown[] ?? [], ...object.parameters ?? []].map((one) => resolve(contract, one) as unknown as ParameterObject);
  const key = parameters.find((one) => one.in === 'header' && one.name.toLowerCase() === 'idempotency-key');
  if (!key) return ['a POST that creates needs the header parameter Idempotency-Key'];
  const faults = key.required === true ? [] : ['Idempotency-Key must be required'];
  const schema = resolve(contract, key.schema);
  if (schema.maxLength !== 40 && !/\{1,40\}/.test(String(schema.pattern))) faults.push('Idempotency-Key must be 1 to 40 characters');
  return faults;
}

function problemsByDefault({ contract, object }: Parameters<Rule>[0]): string[] {
  const answer = resolve(contract, object.responses?.default);
  const content = answer.content as Record<string, { schema?: unknown }> | undefined;
  if (!content?.['application/problem+json']) return ['the default response is not application/problem+json'];
  const schema = resolve(contract, content['application/problem+json'].schema);
  const fields = Object.keys(schema.properties as Schema ?? {});
  return ['type', 'title', 'status', 'code', 'correlationId'].filter((name) => !fields.includes(name)).map((name) => `the problem schema lacks ${name}`);
}

function exampled({ contract, object }: Parameters<Rule>[0]): string[] {
  const faults: string[] = [];
  const bodies: [string, unknown][] = [['request', object.requestBody], ...Object.entries(object.responses ?? {})];
  for (const [name, body] of bodies) {
    for (const media of Object.values((resolve(contract, body).content ?? {}) as Record<string, Schema>)) {
      if (!('example' in media) && !('examples' in media)) faults.push(`the body of ${name} has no example`);
    }
  }
  return faults;
}

/** What can only be seen over all contracts together; the contracts are whole one by one. */
function acrossContracts(contracts: Contract[]): string[] {
  const operations = operationsOf(contracts);
  const faults: string[] = [];
  const seen = new Map<string, string>();
  const claim = (what: string, who: string): void => {
    const other = seen.get(what);
    if (other) faults.push(`${what} belongs to ${other} and to ${who}`);
    seen.set(what, who);
  };
  for (const operation of operations) {
    claim(`operationId ${operation.operation}`, `${operation.method} ${operation.path}`);
    claim(`${operation.method} ${operation.path.replaceAll(/\{[^}]+\}/g, '{}')}`, operation.operation);
    for (const call of servedBianCalls(operation)) {
      claim(`${call.method} ${call.path.replaceAll(/\{[^}]+\}/g, '{}')}`, operation.operation);
      const unfilled = unfilledParameters(operation, call);
      if (unfilled.length > 0) faults.push(`${operation.operation}: its BIAN path does not carry ${unfilled.join(', ')}; say path: false`);
    }
  }
  return faults;
}

/** `service_domain method path action_term behaviour_qualifier operation_id`, tab separated, with a header line. */
export function bianFaults(contracts: Contract[], table: string): string[] {
  const rows = table.trim().split('\n').slice(1).map((line) => line.split('\t').map((cell) => cell.trim()));
  const known = new Set(rows.map(([domain, method, path, term, qualifier, id]) => [domain, method, path, term, qualifier, id].join(' ')));
  const domains = new Set(rows.map(([domain]) => domain));
  return operationsOf(contracts).flatMap((operation) => {
    const { bian } = operation;
    return [bian.serviceDomain, ...bian.alternates ?? []].flatMap((domain) => {
      if (!domains.has(domain)) return [`${operation.operation}: BIAN 14 has no service domain ${domain}`];
      if (bian.mapping === 'none') return [];
      const call = bianCall(operation, domain);
      const row = [domain, call.method, call.definedPath, bian.actionTerm, bian.behaviorQualifier ?? '', call.operationId].join(' ');
      return known.has(row) ? [] : [`${operation.operation} (${bian.mapping}): BIAN 14 has no ${row}`];
    });
  });
}

function requestSchema(contract: Contract, object: OperationObject): Schema {
  const content = resolve(contract, object.requestBody).content as Record<string, { schema?: unknown }> | undefined;
  return resolve(contract, content?.['application/json']?.schema);
}

/** Every object schema with properties that a body of this schema is made of. */
function objectSchemas(contract: Contract, schema: Schema, seen: Set<Schema> = new Set()): Schema[] {
  if (seen.has(schema)) return [];
  seen.add(schema);
  const parts = [
    ...Object.values(schema.properties as Schema ?? {}), schema.items,
    ...schema.oneOf as unknown[] ?? [], ...schema.anyOf as unknown[] ?? [], ...schema.allOf as unknown[] ?? [],
  ].filter((part) => part !== undefined);
  const below = parts.flatMap((part) => objectSchemas(contract, resolve(contract, part), seen));
  return schema.properties ? [schema, ...below] : below;
}

/** The thing itself or what its `$ref` names; an empty object for nothing. */
function resolve(contract: Contract, thing: unknown): Schema {
  const reference = (thing as { $ref?: string } | undefined)?.$ref;
  if (reference === undefined) return thing as Schema ?? {};
  let target: unknown = contract.document;
  for (const part of reference.replace('#/', '').split('/')) target = (target as Schema)[part];
  return resolve(contract, target);
}
