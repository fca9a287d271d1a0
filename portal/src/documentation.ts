/**
 * The contracts as a developer reads them: the table of operations for the home page, and for Swagger UI the same contract
 * with the portal's relay as its server, so that "try it" works without leaving the page.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;
const SCOPE_WORDS = 'A token of the client-credentials grant, issued to your application by the gateway.';

type Json = Record<string, unknown>;

interface BianMapping { serviceDomain: string; controlRecord: string; behaviorQualifier?: string; actionTerm: string; mapping: 'exact' | 'derived' | 'none' }

interface ContractOperation extends Json {
  operationId: string;
  summary?: string;
  description?: string;
  tags?: string[];
  security?: Record<string, string[]>[];
  'x-bian'?: BianMapping;
  'x-consent'?: { permission: string };
  'x-access'?: { scopes?: string[]; roles?: string[]; sandbox?: boolean };
}

interface ContractDocument extends Json {
  info: { title: string; description?: string; version: string };
  paths: Record<string, Record<string, unknown>>;
  security?: Record<string, string[]>[];
  components?: Json & { securitySchemes?: Record<string, Json> };
}

export interface Contract {
  /** The folder it lies in; also its name in addresses. */
  name: string;
  title: string;
  document: ContractDocument;
}

/** One row of the table of operations. */
export interface Operation {
  operationId: string;
  method: string;
  path: string;
  /** Under which Swagger UI lists it. */
  tag: string;
  summary: string;
  bian: BianMapping | undefined;
  /** What a caller must have, e.g. `customers · onboarding`, or `API key, sandbox`. */
  access: string;
  permission: string | undefined;
}

/** Reads `{services,adapters}/<name>/openapi.yaml` under `root`, in the order a developer meets them. */
export function readContracts(root: URL): Contract[] {
  const found: Contract[] = [];
  for (const kind of ['services/', 'adapters/']) {
    const folder = new URL(kind, root);
    if (!existsSync(folder)) continue;
    for (const name of readdirSync(folder).sort()) {
      const file = new URL(`${name}/openapi.yaml`, folder);
      if (!existsSync(file)) continue;
      const document = parse(readFileSync(file, 'utf8')) as ContractDocument;
      found.push({ name, title: titleOf(document.info.title), document });
    }
  }
  const place = (name: string): number => (READING_ORDER.indexOf(name) + READING_ORDER.length + 1) % (READING_ORDER.length + 1);
  return found.sort((a, b) => place(a.name) - place(b.name));
}

/** First customers, then consent, and so on; a contract not named here comes last. */
const READING_ORDER = ['customer', 'kyc', 'consent', 'account', 'payment', 'webhooks', 'payment-rail', 'audit'];

const titleOf = (title: string): string => {
  const plain = title.replace(/^Kontor\s+|\s+API$/g, '');
  return plain.charAt(0).toUpperCase() + plain.slice(1);
};

/** The operations of a contract, in its own order. */
export function operationsOf({ document }: Contract): Operation[] {
  return operationEntries(document).map(([path, method, operation]) => ({
    operationId: operation.operationId,
    method: method.toUpperCase(),
    path,
    tag: operation.tags?.[0] ?? 'default',
    summary: operation.summary ?? operation.operationId,
    bian: operation['x-bian'],
    access: accessWords(operation),
    permission: operation['x-consent']?.permission,
  }));
}

/** The JSON example a contract gives for the body of an operation, for the first call on the home page. */
export function requestExample(contracts: Contract[], operationId: string): unknown {
  for (const { document } of contracts) {
    for (const [, , operation] of operationEntries(document)) {
      if (operation.operationId !== operationId) continue;
      const media = (operation['requestBody'] as { content?: Record<string, { example?: unknown; examples?: Record<string, { value?: unknown }> }> } | undefined)?.content?.['application/json'];
      return media?.example ?? Object.values(media?.examples ?? {})[0]?.value;
    }
  }
  return undefined;
}

/**
 * The contract for Swagger UI: server `/try`, tokens from `/try/oauth2/token`, and the scheme `bearer`, into which a token
 * bound to a consent is pasted (its grant needs the customer's browser and the application's redirect URI, so it cannot be had here).
 */
export function specificationFor({ title, document }: Contract): ContractDocument {
  const specification = structuredClone(document);
  specification.info.title = title;
  specification['servers'] = [{ url: '/try', description: 'The gateway, through this portal' }];
  const schemes = (specification.components ??= {}).securitySchemes ??= {};
  for (const scheme of Object.values(schemes)) if (scheme['type'] === 'oauth2') relayTokens(scheme);
  schemes['bearer'] = { type: 'http', scheme: 'bearer', description: 'Paste any access token; for operations on a customer\'s consent, the token your application got with the authorization code.' };
  for (const [, , operation] of operationEntries(specification)) {
    const security = operation.security ?? specification.security ?? [];
    const tokens = security.some((entry) => Object.keys(entry).some((name) => schemes[name]?.['type'] === 'oauth2'));
    if (tokens) operation.security = operation['x-consent'] ? [{ bearer: [] }] : [...security, { bearer: [] }];
    operation.description = [operation.description?.trim(), detailsOf(operation)].filter(Boolean).join('\n\n');
  }
  return specification;
}

/** Only client credentials can be got from inside the page. */
function relayTokens(scheme: Json): void {
  const flows = (scheme['flows'] ?? {}) as Record<string, { scopes?: Json; refreshUrl?: string } | undefined>;
  const scopes = flows['clientCredentials']?.scopes ?? flows['authorizationCode']?.scopes ?? {};
  scheme['flows'] = { clientCredentials: { tokenUrl: '/try/oauth2/token', scopes } };
  scheme['description'] = SCOPE_WORDS;
}

function operationEntries(document: ContractDocument): [path: string, method: string, operation: ContractOperation][] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method]).map((method): [string, string, ContractOperation] => [path, method, item[method] as ContractOperation]));
}

function accessWords(operation: ContractOperation): string {
  const access = operation['x-access'];
  if (access?.sandbox) return 'API key, sandbox';
  return [access?.scopes?.join(', '), access?.roles?.join(' or ')].filter(Boolean).join(' · ');
}

function detailsOf(operation: ContractOperation): string {
  const { 'x-bian': bian, 'x-access': access, 'x-consent': consent } = operation;
  return [
    access?.sandbox ? '**Needs** your API key; sandbox only.' : undefined,
    access?.scopes ? `**Needs** scope \`${access.scopes.join(' ')}\`${access.roles ? `, role \`${access.roles.join('` or `')}\`` : ''}${consent ? `, and a token bound to a consent with \`${consent.permission}\`` : ''}.` : undefined,
    bian ? `**BIAN** ${bian.serviceDomain} · ${bian.behaviorQualifier ? `${bian.behaviorQualifier} · ` : ''}${bian.actionTerm}` : undefined,
  ].filter(Boolean).join('  \n');
}
