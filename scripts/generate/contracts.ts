/** Reads every contract and answers its operations in one shape; all derived files start here. */
import { readdir, readFile } from 'node:fs/promises';
import { parse } from 'yaml';

export const ROOT = new URL('../../', import.meta.url);

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

/** `x-bian` of an operation. */
export interface BianMark {
  serviceDomain: string;
  controlRecord: string;
  behaviorQualifier?: string;
  actionTerm: string;
  mapping: 'exact' | 'derived' | 'none';
  /** Service domains the same operation may answer for, e.g. SavingsAccount. */
  alternates?: string[];
  /** false: no BIAN-shaped route (another operation has it, or its parameters do not fit). */
  path?: boolean;
}

export interface ParameterObject { name: string; in: string; required?: boolean; schema?: Record<string, unknown>; description?: string }

export interface OperationObject {
  operationId?: string;
  summary?: string;
  tags?: string[];
  parameters?: (ParameterObject | { $ref: string })[];
  requestBody?: Record<string, unknown>;
  responses?: Record<string, unknown>;
  'x-body'?: { megabytes: number };
  'x-bian'?: BianMark;
  'x-consent'?: { permission: string; account?: string };
  'x-access'?: { scopes?: string[]; roles?: string[]; sandbox?: boolean };
}

export interface ContractDocument {
  openapi: string;
  info: { title: string };
  paths: Record<string, Record<string, unknown>>;
  components?: Record<string, Record<string, unknown>>;
}

/** One contract: `services/payment/openapi.yaml` has the audience `payment`. */
export interface Contract {
  audience: string;
  /** Folder from the root of the repository, `services/payment`. */
  folder: string;
  document: ContractDocument;
}

/** One operation of one contract, with what the gateway, the documentation and the authorisation matrix need. */
export interface Operation {
  audience: string;
  operation: string;
  /** Upper case. */
  method: string;
  /** OpenAPI template, `/v1/payments/{paymentId}`. */
  path: string;
  summary: string;
  bian: BianMark;
  scopes: string[];
  /** Any one of them; `sandbox` operations need the group sandbox and an API key instead. */
  roles: string[];
  sandbox: boolean;
  /** The most a body may have, where that is not what policies.yaml allows everywhere. */
  bodyMegabytes?: number | undefined;
  consent?: { permission: string; account?: string };
}

/** Every contract there is, ordered by folder. A missing contract is left out: the workspace may not have one. */
export async function readContracts(root: URL = ROOT): Promise<Contract[]> {
  const contracts: Contract[] = [];
  for (const kind of ['services', 'adapters']) {
    const entries = await readdir(new URL(`${kind}/`, root), { withFileTypes: true });
    for (const entry of entries.filter((one) => one.isDirectory()).sort((a, b) => a.name.localeCompare(b.name, 'en'))) {
      const folder = `${kind}/${entry.name}`;
      const text = await readFile(new URL(`${folder}/openapi.yaml`, root), 'utf8').catch(absent);
      if (text === undefined) continue;
      contracts.push({ audience: entry.name, folder, document: parse(text, { maxAliasCount: 1000 }) as ContractDocument });
    }
  }
  return contracts;
}

/** The text of a file that does not exist; any other fault is thrown on. */
export function absent(fault: unknown): undefined {
  if ((fault as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
  throw fault;
}

/** Each operation object with where it stands, in the order of the contract. */
export function* operationObjects(contract: Contract): Generator<{ method: string; path: string; pathItem: Record<string, unknown>; object: OperationObject }> {
  for (const [path, pathItem] of Object.entries(contract.document.paths)) {
    for (const method of METHODS) {
      const object = pathItem[method] as OperationObject | undefined;
      if (object) yield { method: method.toUpperCase(), path, pathItem, object };
    }
  }
}

/** All operations, ordered by contract and place in it. Throws where an operation lacks what a route is made of. */
export function operationsOf(contracts: Contract[]): Operation[] {
  const operations: Operation[] = [];
  for (const contract of contracts) {
    for (const { method, path, object } of operationObjects(contract)) {
      const access = object['x-access'];
      const bian = object['x-bian'];
      if (!object.operationId || !access || !bian) {
        throw new Error(`${contract.folder}/openapi.yaml: ${method} ${path} needs operationId, x-bian and x-access`);
      }
      operations.push({
        audience: contract.audience,
        operation: object.operationId,
        method,
        path,
        summary: object.summary ?? '',
        bian,
        scopes: access.scopes ?? [],
        roles: access.sandbox ? ['sandbox'] : access.roles ?? [],
        sandbox: access.sandbox === true,
        bodyMegabytes: object['x-body']?.megabytes,
        consent: object['x-consent'],
      });
    }
  }
  return operations;
}

/** Names in braces, in the order of the path. */
export function pathParameters(path: string): string[] {
  return [...path.matchAll(/\{([^}]+)\}/g)].map((match) => match[1] as string);
}

/** The path parameter that names the account a consent must cover; undefined where the service checks it itself. */
export function accountParameter(operation: Operation): string | undefined {
  const account = operation.consent?.account;
  return account === undefined || account.startsWith('body.') ? undefined : account;
}
