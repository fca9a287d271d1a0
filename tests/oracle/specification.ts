/** The operations the oracle asks for, read from the contracts as data. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { Operation } from './model.js';

interface Described { operationId: string; 'x-access'?: { scopes?: string[]; roles?: string[] }; 'x-consent'?: { permission: string; account?: string } }

/** Those without a consent that are asked for too: what a token on a consent is good for beside it. */
const OTHERS = ['getConsent', 'getConsentHistory', 'listConsents', 'listPayments'];

/** A standing order is no payment of its moment, which is what the model speaks of; its consent is tried in services/payment/test/standing-orders.service.test.ts. */
const NOT_ASKED = ['createStandingOrder'];

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];

/** Every operation that needs a consent, and some that need none. */
export function operations(): Operation[] {
  return ['account', 'payment', 'consent'].flatMap((service) => {
    const contract = parse(readFileSync(new URL(`../../services/${service}/openapi.yaml`, import.meta.url), 'utf8')) as { paths: Record<string, Record<string, Described>> };
    return Object.entries(contract.paths).flatMap(([path, item]) => METHODS.filter((method) => item[method]).map((method) => operationOf(path, method, item[method]!)));
  }).filter(({ permission, id }) => (permission !== undefined && !NOT_ASKED.includes(id)) || OTHERS.includes(id));
}

function operationOf(path: string, method: string, { operationId: id, ...described }: Described): Operation {
  const consent = described['x-consent'];
  // In a file the debtors stand in the body, by IBAN.
  const account = id === 'initiateBulkPaymentFile' ? 'body' as const : consent?.account === undefined ? undefined : consent.account.startsWith('body.') ? 'body' as const : 'path' as const;
  return {
    id, path, method: method.toUpperCase(), scopes: described['x-access']?.scopes ?? [], roles: described['x-access']?.roles ?? [],
    ...(consent ? { permission: consent.permission } : {}), ...(account ? { account } : {}),
  };
}
