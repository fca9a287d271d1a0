import { expect } from 'chai';
import { assertAccess } from '@kontor/kernel/access';
import type { Operation } from '@kontor/kernel/contract';
import type { ConsentClaim, VerifiedCaller } from '@kontor/kernel/gateway-token';
import { Problem } from '@kontor/kernel/problem';

const NOW = 1_800_000_000_000;
const operation = { id: 'getBalances', access: { scopes: ['accounts'], roles: ['aisp'] }, consent: { permission: 'balances:read', accountParameter: 'accountId' } } as unknown as Operation;
const consent: ConsentClaim = { id: 'c', version: 1, permissions: ['balances:read'], accounts: ['a'], customerId: 'x', expiresAt: NOW / 1000 + 1 };
const caller = (more: Partial<VerifiedCaller>): VerifiedCaller => ({ clientId: 'app', operation: 'getBalances', scopes: ['accounts'], roles: ['aisp'], consent, ...more });

describe('the service\'s own lock', () => {
  const codeOf = (who: VerifiedCaller, accountId = 'a', now = NOW): string | undefined => {
    try {
      assertAccess(operation, who, { accountId }, now);
      return undefined;
    } catch (refusal) {
      if (refusal instanceof Problem) return refusal.code;
      throw refusal;
    }
  };

  it('lets through what the token and its consent allow', () => expect(codeOf(caller({}))).to.equal(undefined));
  it('takes a token of a gateway that does not say yet when the consent ends', () => {
    const { expiresAt: _ended, ...older } = consent;
    expect(codeOf(caller({ consent: older }))).to.equal(undefined);
  });

  const refused: [what: string, who: VerifiedCaller, accountId: string, now: number, code: string][] = [
    ['at the end of the consent, however fresh the token', caller({}), 'a', NOW + 1_000, 'consent_expired'],
    ['after the end of the consent, before its permissions are looked at', caller({ consent: { ...consent, permissions: [] } }), 'a', NOW + 5_000, 'consent_expired'],
    ['without a consent', caller({ consent: undefined }), 'a', NOW, 'consent_required'],
    ['without the permission', caller({ consent: { ...consent, permissions: ['accounts:read'] } }), 'a', NOW, 'consent_permission_missing'],
    ['for another account', caller({}), 'b', NOW, 'consent_account_not_covered'],
    ['for another operation', caller({ operation: 'listAccounts' }), 'a', NOW, 'invalid_token'],
    ['without the scope', caller({ scopes: [] }), 'a', NOW, 'insufficient_scope'],
    ['without the role', caller({ roles: ['pisp'] }), 'a', NOW, 'role_required'],
  ];
  for (const [what, who, accountId, now, code] of refused) it(`refuses ${what}`, () => expect(codeOf(who, accountId, now)).to.equal(code));
});
