import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import * as OpenApiValidator from 'express-openapi-validator';
import { Router, type RequestHandler } from 'express';
import { parse } from 'yaml';
import { problem, type Problem } from './problem.js';

/** Who may call an operation: all scopes, any one of the roles. */
export interface Access {
  scopes: readonly string[];
  roles: readonly string[];
  /** Sandbox only: not there at all unless the setting SANDBOX is true. */
  sandbox: boolean;
}

/** The consent an operation needs. */
export interface ConsentRule {
  permission: string;
  /** The path parameter with the account the consent must cover; undefined when the service checks (list, body). */
  accountParameter: string | undefined;
}

/** One operation of a contract. */
export interface Operation {
  id: string;
  /** Upper case. */
  method: string;
  /** Template of the contract: /v1/payments/{paymentId}. */
  path: string;
  /** The same for Express: /v1/payments/:paymentId. */
  expressPath: string;
  access: Access;
  consent: ConsentRule | undefined;
  /** The most a body may have (`x-body`). */
  bodyBytes: number;
  /** The media types of a body that is handed to the handler unread, as `Call.stream`; none where it is JSON. */
  streamed: readonly string[];
  /** The media types of its answers. */
  produces: readonly string[];
  /** The numbered statuses the contract names, and whether each has a body. */
  answers: ReadonlyMap<number, { body: boolean }>;
}

/** A loaded contract. */
export interface Contract {
  operations: readonly Operation[];
  /** Express middleware that validates requests and answers of one operation against the contract. */
  validator(operation: Operation): RequestHandler;
}

interface OperationObject {
  operationId?: string;
  responses?: Record<string, AnswerObject>;
  parameters?: ParameterObject[];
  requestBody?: { content?: Record<string, unknown> };
  'x-body'?: { megabytes?: number };
  'x-access'?: { scopes?: string[]; roles?: string[]; sandbox?: boolean };
  'x-consent'?: { permission?: string; account?: string };
}
interface AnswerObject {
  $ref?: string;
  content?: unknown;
}
interface ParameterObject {
  in?: string;
  allowReserved?: boolean;
}
type PathItem = Record<string, OperationObject> & { parameters?: ParameterObject[] };
interface Document {
  paths: Record<string, PathItem>;
  components?: { parameters?: Record<string, ParameterObject>; responses?: Record<string, AnswerObject> };
}
type ApiSpec = Parameters<typeof OpenApiValidator.middleware>[0]['apiSpec'];

/** A body an operation says nothing of. policies.yaml has the same limit for the gateway. */
const BODY_BYTES = 256 * 1024;

/** A body full of errors must not be answered with a longer one. */
const MOST_ERRORS = 20;

const METHODS = ['get', 'put', 'post', 'delete', 'patch'] as const;

/**
 * Loads `openapi.yaml` of a service; undefined when there is none.
 * @throws Error naming every operation that says too little to be guarded (no operationId, no x-access, …).
 */
export async function loadContract(file: URL): Promise<Contract | undefined> {
  if (!existsSync(file)) return undefined;
  const document = parse(await readFile(file, 'utf8')) as Document;
  const operations = operationsOf(document);
  return { operations, validator: validatorsOf(document) };
}

/** The operations of a parsed contract, those with fixed paths before those with parameters in the same place. */
export function operationsOf(document: Document): Operation[] {
  const faults: string[] = [];
  const operations: Operation[] = [];
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of METHODS) {
      const found = item[method];
      if (!found) continue;
      try {
        operations.push(operationOf(path, method, found, document.components?.responses));
      } catch (fault) {
        faults.push(`${method.toUpperCase()} ${path}: ${(fault as Error).message}`);
      }
    }
  }
  const ids = operations.map(({ id }) => id);
  for (const id of new Set(ids.filter((id, i) => ids.indexOf(id) !== i))) faults.push(`the operationId ${id} is used twice`);
  if (faults.length > 0) throw new Error(`the contract cannot be served:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`);
  return operations.sort((a, b) => sortKey(a.path).localeCompare(sortKey(b.path)));
}

/** A fixed segment sorts before a parameter. */
function sortKey(path: string): string {
  return path.replace(/\{[^}]+\}/g, '\u{10FFFF}');
}

function operationOf(path: string, method: string, found: OperationObject, named: Record<string, AnswerObject> = {}): Operation {
  const access = found['x-access'];
  const consent = found['x-consent'];
  if (!found.operationId) throw new Error('it has no operationId');
  if (!access) throw new Error('it names no x-access');
  const sandbox = access.sandbox === true;
  if (!sandbox && !(access.scopes?.length && access.roles?.length)) throw new Error('x-access needs scopes and roles, or sandbox: true');
  if (consent && !consent.permission) throw new Error('x-consent needs a permission');
  const account = consent?.account;
  const inPath = account !== undefined && path.includes(`{${account}}`);
  if (account !== undefined && !inPath && !account.startsWith('body.')) throw new Error(`x-consent names ${account}, which is no path parameter`);
  return {
    id: found.operationId,
    method: method.toUpperCase(),
    path,
    expressPath: path.replace(/\{([^}]+)\}/g, ':$1'),
    access: { scopes: access.scopes ?? [], roles: sandbox ? ['sandbox', ...(access.roles ?? [])] : access.roles ?? [], sandbox },
    consent: consent?.permission ? { permission: consent.permission, accountParameter: inPath ? account : undefined } : undefined,
    bodyBytes: found['x-body']?.megabytes === undefined ? BODY_BYTES : found['x-body'].megabytes * 1024 * 1024,
    streamed: Object.keys(found.requestBody?.content ?? {}).filter((type) => !/[/+]json$/.test(type)),
    produces: [...new Set(Object.values(found.responses ?? {}).flatMap((answer) => Object.keys((named[answer.$ref?.split('/').at(-1) ?? ''] ?? answer).content ?? {})))],
    answers: new Map(Object.entries(found.responses ?? {}).filter(([status]) => /^[1-5][0-9]{2}$/.test(status))
      .map(([status, answer]) => [Number(status), { body: (named[answer.$ref?.split('/').at(-1) ?? ''] ?? answer).content !== undefined }])),
  };
}

/** RFC 3986 §3.4 allows `:` and the like in a query (`from=2026-01-01T00:00:00Z`); the validator refuses them by default. */
function allowReserved(document: Document): void {
  const items = Object.values(document.paths).flatMap((item) => [item, ...METHODS.map((method) => item[method])]);
  const named = Object.values(document.components?.parameters ?? {});
  for (const parameter of [...items.flatMap((item) => item?.parameters ?? []), ...named])
    if (parameter && typeof parameter === 'object' && parameter.in === 'query') parameter.allowReserved ??= true;
}

/**
 * A validator a path, made when the path is first asked for: one of the whole contract compiles a pattern for each of its paths with
 * every request until one fits (express-openapi-validator 5.6.2), which took a third of the time of a read.
 */
function validatorsOf(document: Document): (operation: Operation) => RequestHandler {
  allowReserved(document);
  const routers = new Map<string, Router>();
  return ({ path }) => {
    let router = routers.get(path);
    if (!router) {
      router = Router();
      router.use(...validatorsOfPath({ ...document, paths: { [path]: document.paths[path] ?? {} } }));
      routers.set(path, router);
    }
    return router;
  };
}

function validatorsOfPath(document: Document): RequestHandler[] {
  return OpenApiValidator.middleware({
    apiSpec: document as unknown as ApiSpec,
    // The contracts are linted by the tests; once more for each path would delay first answers.
    validateApiSpec: false,
    // A body has at most 256 kB, so collecting all its errors is bounded. coerceTypes would turn the number 12.5 into the
    // amount "12.5"; without it bodies are taken as they are, and path and query are converted all the same.
    validateRequests: { allErrors: true, allowUnknownQueryParameters: false, coerceTypes: false, removeAdditional: false },
    validateResponses: { removeAdditional: false },
    validateSecurity: false,
    validateFormats: true,
    fileUploader: false,
    ajvFormats: { mode: 'full', formats: ['date', 'time', 'date-time', 'uuid', 'uri', 'email', 'int32', 'int64'] },
  }) as unknown as RequestHandler[];
}

interface ValidationFault {
  status?: number;
  path?: string;
  name?: string;
  headers?: Record<string, string>;
  errors?: { path: string; message: string; errorCode?: string }[];
}

/** Whether an error comes from the validator of contracts. */
export function isValidationFault(fault: unknown): fault is ValidationFault & Error {
  return fault instanceof Error && typeof (fault as ValidationFault).status === 'number' && Array.isArray((fault as ValidationFault).errors);
}

/**
 * A refusal of the validator as a problem with `errors: [{ path, message }]`. An answer of ours outside the contract has
 * status 500 and is no problem of the caller: undefined.
 */
export function validationProblem(fault: ValidationFault): Problem | undefined {
  const errors = (fault.errors ?? []).slice(0, MOST_ERRORS).map(({ path, message }) => ({ path, message }));
  if (fault.status === 415) return problem('unsupported_media_type', 'Send the body as application/json.');
  if (fault.status === 413) return problem('payload_too_large');
  if (fault.status === 406) return problem('not_acceptable');
  if (fault.status === 405) return problem('method_not_allowed');
  if (fault.status === 404) return problem('not_found');
  if (fault.status === undefined || fault.status >= 500) return undefined;
  if (errors.some(({ path }) => path.toLowerCase() === '/headers/idempotency-key'))
    return problem('idempotency_key_required', 'Send a header Idempotency-Key of 1 to 40 letters, digits, dots, dashes or underscores.', { errors });
  return problem('invalid_request', 'See errors for what to change.', { errors });
}
