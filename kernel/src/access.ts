import type { Operation } from './contract.js';
import type { VerifiedCaller } from './gateway-token.js';
import { problem } from './problem.js';

/**
 * The service's own lock, the same rules the gateway has applied (the gateway is not the only lock): every operation needs
 * a gateway token made for it. In order; the first that fails is told:
 *
 * | check                                   | refusal                            |
 * |-----------------------------------------|------------------------------------|
 * | token was made for this operation       | 401 invalid_token                  |
 * | all scopes of x-access                  | 403 insufficient_scope             |
 * | one of the roles of x-access            | 403 role_required                  |
 * | a consent, where x-consent is named     | 403 consent_required               |
 * | the consent has not ended               | 403 consent_expired                |
 * | the consent has the permission          | 403 consent_permission_missing     |
 * | the consent covers the account in the path | 403 consent_account_not_covered |
 *
 * @param now unix milliseconds
 * @throws Problem
 */
export function assertAccess(operation: Operation, caller: VerifiedCaller, params: Readonly<Record<string, unknown>>, now: number): void {
  if (caller.operation !== operation.id)
    throw problem('invalid_token', 'The gateway token was made for another operation.');
  const missing = operation.access.scopes.filter((scope) => !caller.scopes.includes(scope));
  if (missing.length > 0)
    throw problem('insufficient_scope', `The access token needs the scope ${missing.join(' ')}.`);
  if (!operation.access.roles.some((role) => caller.roles.includes(role)))
    throw problem('role_required', `The application needs one of the roles ${operation.access.roles.join(', ')}.`);
  if (operation.consent) assertConsent(operation.consent, caller, params, now);
}

function assertConsent(rule: NonNullable<Operation['consent']>, { consent }: VerifiedCaller, params: Readonly<Record<string, unknown>>, now: number): void {
  if (!consent) throw problem('consent_required');
  if (consent.expiresAt !== undefined && consent.expiresAt * 1000 <= now) throw problem('consent_expired', 'This consent has expired. Ask the customer for a new one.');
  if (!consent.permissions.includes(rule.permission))
    throw problem('consent_permission_missing', `The consent does not include ${rule.permission}.`);
  if (rule.accountParameter === undefined) return;
  const account = params[rule.accountParameter];
  if (typeof account !== 'string' || !consent.accounts.includes(account)) throw problem('consent_account_not_covered');
}
