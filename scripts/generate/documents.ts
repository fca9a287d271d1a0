/** What people and tests read of the contracts: docs/operations.md and the input of the authorisation matrix. */
import { bianCall, servedBianCalls } from './bian.js';
import type { Operation } from './contracts.js';

/** One row of the authorisation matrix. */
export interface MatrixRow {
  operation: string;
  audience: string;
  method: string;
  path: string;
  /** BIAN-shaped calls of the same operation; empty where it has none. */
  bian: { method: string; path: string }[];
  scopes: string[];
  roles: string[];
  sandbox: boolean;
  /** null: needs no customer consent. */
  consent: { permission: string; account: string | null } | null;
}

/** tests/gateway/operations.generated.json. */
export function authorisationMatrix(operations: Operation[]): string {
  const rows = operations.map((operation): MatrixRow => ({
    operation: operation.operation,
    audience: operation.audience,
    method: operation.method,
    path: operation.path,
    bian: servedBianCalls(operation).map(({ method, path }) => ({ method, path })),
    scopes: operation.scopes,
    roles: operation.roles,
    sandbox: operation.sandbox,
    consent: operation.consent ? { permission: operation.consent.permission, account: operation.consent.account ?? null } : null,
  }));
  return `${JSON.stringify(rows, undefined, 2)}\n`;
}

/** docs/operations.md: every operation with what it takes to call it, then its place in BIAN. */
export function operationsPage(operations: Operation[]): string {
  const lines = [
    '# Operations',
    '',
    'Derived from the contracts by `npm run generate`. Do not edit.',
    '',
    'Scopes are all needed, of the roles any one. A consent permission means: an access token issued on a customer\'s',
    'consent (authorization code) that grants it. Operations under `/sandbox` take an API key (`apikey`) instead of a token.',
    '',
  ];
  for (const audience of new Set(operations.map((operation) => operation.audience))) {
    const own = operations.filter((operation) => operation.audience === audience);
    lines.push(`## ${audience}`, '', '| operation | call | scopes | roles | consent |', '|---|---|---|---|---|');
    for (const operation of own) {
      lines.push(`| ${operation.operation}<br>${operation.summary.replaceAll('|', '\\|')} | \`${operation.method} ${operation.path}\` | ${operation.sandbox ? 'API key' : operation.scopes.join(', ')} | ${operation.roles.join(', ')} | ${consentCell(operation)} |`);
    }
    lines.push('');
  }
  lines.push(
    '## BIAN',
    '',
    'Mapping: `exact` is BIAN\'s own operation, `derived` the closest one (our choice), `none` names the service domain only.',
    'A BIAN-shaped call takes the same token and gives the same answer as ours.',
    '',
    '| operation | BIAN operation | mapping | BIAN-shaped call |',
    '|---|---|---|---|',
  );
  for (const operation of operations) lines.push(bianRow(operation));
  return `${lines.join('\n')}\n`;
}

function consentCell({ consent }: Operation): string {
  if (!consent) return '–';
  return consent.account ? `${consent.permission}<br>account: \`${consent.account}\`` : consent.permission;
}

function bianRow(operation: Operation): string {
  const { mapping, serviceDomain } = operation.bian;
  const named = mapping === 'none' ? serviceDomain : `${serviceDomain}.${bianCall(operation).operationId}`;
  const calls = servedBianCalls(operation).map(({ method, path }) => `\`${method} ${path}\``).join('<br>');
  return `| ${operation.operation} | ${named} | ${mapping} | ${calls || '–'} |`;
}
