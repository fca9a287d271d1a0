/** deck/kong.yaml: one service per contract, one route per operation, its plugins with their configuration on it. */
import { stringify } from 'yaml';
import { BIAN_RELEASE, bianCall, servedBianCalls, unfilledParameters, type BianCall } from './bian.js';
import { accountParameter, type Contract, type Operation } from './contracts.js';

interface Plugin { name: string; _config?: string; config?: Record<string, unknown> }

interface Route {
  name: string;
  protocols: string[];
  methods: string[];
  paths: string[];
  strip_path: boolean;
  plugins: Plugin[];
}

/** What an id in a path may look like; the plugins take nothing else. */
const ID = '[A-Za-z0-9._~-]{1,128}';

/** Operations that change something are counted apart from what an application reads: each on its own, by the plan (policies.yaml). */
const WRITE_LIMIT: Plugin = { name: 'rate-limiting', _config: 'plan-${{ env "DECK_PLAN" }}-write' };

/** Permissions of consents that one operation uses up (DESIGN D3). */
const SINGLE_USE = ['payments:initiate'];

const HEADER = `# Derived from the contracts by \`npm run generate\`. Do not edit: change services/*/openapi.yaml or adapters/*/openapi.yaml.
# One route per operation; what a route refuses and sets stands on the route. Shared configurations (_config) and the
# routes no contract describes are in policies.yaml.
`;

/** The decK state of all contracts as YAML text. */
export function kongState(contracts: Contract[], operations: Operation[]): string {
  const services = contracts.map(({ audience }) => ({
    name: audience,
    url: `\${{ env "${urlVariable(audience)}" }}`,
    connect_timeout: 2000,
    read_timeout: 20000,
    write_timeout: 20000,
    retries: 2,
    routes: operations.filter((operation) => operation.audience === audience).flatMap(routesOf),
  }));
  const state = { _format_version: '3.0', _info: { select_tags: ['kontor'] }, services };
  return HEADER + stringify(state, { singleQuote: true, lineWidth: 0, aliasDuplicateObjects: false });
}

/** `payment-rail` → `DECK_PAYMENT_RAIL_URL`. */
export function urlVariable(audience: string): string {
  return `DECK_${audience.toUpperCase().replaceAll('-', '_')}_URL`;
}

/** `/v1/payments/{paymentId}` → `~/v1/payments/(?<paymentId>…)$`: Kong takes a path that starts with ~ as a regex. */
export function kongPath(template: string): string {
  const pattern = template.split('/').map((segment) => {
    const name = /^\{(.+)\}$/.exec(segment)?.[1];
    return name === undefined ? segment.replaceAll('.', '\\.') : `(?<${name}>${ID})`;
  });
  return `~${pattern.join('/')}$`;
}

function routesOf(operation: Operation): Route[] {
  const own = bianCall(operation);
  const routes = [route(operation, operation.operation, { method: operation.method, path: operation.path }, bianPlugin(operation, own))];
  for (const call of servedBianCalls(operation)) {
    const unfilled = unfilledParameters(operation, call);
    if (unfilled.length > 0) {
      throw new Error(`${operation.operation}: ${call.path} does not carry ${unfilled.join(', ')}; mark x-bian with path: false`);
    }
    const name = call.serviceDomain === operation.bian.serviceDomain ? `${operation.operation}-bian` : `${operation.operation}-bian-${call.serviceDomain}`;
    routes.push(route(operation, name, call, bianPlugin(operation, call, { method: operation.method, path: operation.path })));
  }
  return routes;
}

function route(operation: Operation, name: string, match: { method: string; path: string }, bian: Plugin): Route {
  return {
    name,
    protocols: ['https'],
    methods: [match.method],
    paths: [kongPath(match.path)],
    strip_path: false,
    plugins: [
      operation.sandbox ? { name: 'key-auth', _config: 'key-auth' } : { name: 'oauth2', _config: 'oauth2' },
      { name: 'acl', config: { allow: operation.roles, hide_groups_header: true } },
      ...(operation.method === 'GET' ? [] : [WRITE_LIMIT]),
      ...(operation.bodyMegabytes === undefined ? [] : [{ name: 'request-size-limiting', config: { allowed_payload_size: operation.bodyMegabytes, size_unit: 'megabytes', require_content_length: false } }]),
      { name: 'consent-check', _config: 'consent-check', config: consentConfig(operation) },
      bian,
      { name: 'gateway-identity', _config: 'gateway-identity', config: { audience: operation.audience, operation: operation.operation } },
    ],
  };
}

function consentConfig(operation: Operation): Record<string, unknown> {
  const account = accountParameter(operation);
  return {
    operation: operation.operation,
    audience: operation.audience,
    scopes: operation.scopes,
    ...(operation.consent ? { permission: operation.consent.permission } : {}),
    ...(account ? { accountParameter: account } : {}),
    ...(operation.consent && SINGLE_USE.includes(operation.consent.permission) ? { replays: true } : {}),
  };
}

function bianPlugin(operation: Operation, call: BianCall, upstream?: { method: string; path: string }): Plugin {
  const { controlRecord, actionTerm, behaviorQualifier, mapping, alternates } = operation.bian;
  return {
    name: 'bian-mapping',
    config: {
      serviceDomain: call.serviceDomain,
      controlRecord,
      actionTerm,
      ...(behaviorQualifier ? { behaviorQualifier } : {}),
      mapping,
      ...(mapping === 'none' ? {} : { operationId: call.operationId }),
      ...(call.controlRecordParameter ? { controlRecordParameter: call.controlRecordParameter } : {}),
      ...(call.behaviorQualifierParameter ? { behaviorQualifierParameter: call.behaviorQualifierParameter } : {}),
      ...(alternates ? { alternates: otherDomains(operation, call) } : {}),
      ...(upstream ? { upstream } : {}),
      release: BIAN_RELEASE,
    },
  };
}

function otherDomains(operation: Operation, call: BianCall): string[] {
  const all = [operation.bian.serviceDomain, ...operation.bian.alternates ?? []];
  return all.filter((domain) => domain !== call.serviceDomain);
}
