/** One handler per operation on beneficiaries. */
import { isValidIBAN } from 'ibantools';
import { requireCurrent, unlessCurrent } from '@kontor/kernel/conditional';
import { problem } from '@kontor/kernel/problem';
import type { Routes } from '@kontor/kernel/service';
import { requireOwner } from './account.js';
import { beneficiaryEtag, toBeneficiary, type Beneficiary, type BeneficiaryWish } from './beneficiary.js';
import type { BeneficiaryRepository } from './beneficiary-repository.js';
import type { operations } from './openapi.generated.js';
import type { AccountRepository } from './repository.js';

type BeneficiaryOperation = 'createBeneficiary' | 'listBeneficiaries' | 'getBeneficiary' | 'updateBeneficiary' | 'deleteBeneficiary';

export function beneficiaryRoutes({ accounts, beneficiaries }: { accounts: Pick<AccountRepository, 'find'>; beneficiaries: BeneficiaryRepository }): Pick<Routes<operations>, BeneficiaryOperation> {
  const ownAccount = async (accountId: string, clientId: string): Promise<void> => {
    const account = await accounts.find(accountId);
    if (!account) throw problem('account_not_found');
    requireOwner(account, clientId);
  };
  const own = async ({ params, caller }: { params: { accountId: string; beneficiaryId: string }; caller: { clientId: string } }): Promise<Beneficiary> => {
    await ownAccount(params.accountId, caller.clientId);
    const beneficiary = await beneficiaries.find(params.accountId, params.beneficiaryId);
    if (!beneficiary) throw problem('beneficiary_not_found');
    return beneficiary;
  };
  const shown = (beneficiary: Beneficiary) => ({ status: 200, body: toBeneficiary(beneficiary), headers: { ETag: beneficiaryEtag(beneficiary) } });
  return {
    async createBeneficiary({ params, body, headers, caller }) {
      await ownAccount(params.accountId, caller.clientId);
      return beneficiaries.create({ key: headers['idempotency-key'] as string, clientId: caller.clientId, accountId: params.accountId, body: checked(body) }, (saved) => ({
        ...shown(saved), status: 201, headers: { ETag: beneficiaryEtag(saved), Location: `/v1/accounts/${saved.accountId}/beneficiaries/${saved.beneficiaryId}` } }));
    },
    async listBeneficiaries({ params, query }) {
      const page = await beneficiaries.list(params.accountId, query as { limit: number; cursor?: string });
      return { status: 200, body: { data: page.rows.map(toBeneficiary), nextCursor: page.nextCursor } };
    },
    async getBeneficiary(call) {
      const beneficiary = await own(call);
      return unlessCurrent(shown(beneficiary), beneficiaryEtag(beneficiary), call.headers);
    },
    async updateBeneficiary(call) {
      const beneficiary = await own(call);
      requireCurrent(call.headers, beneficiaryEtag(beneficiary));
      const changed = await beneficiaries.replace(beneficiary, checked(call.body));
      if (!changed) throw problem('precondition_failed', 'Somebody changed the beneficiary at the same moment. Read it again.');
      return shown(changed);
    },
    async deleteBeneficiary(call) {
      const beneficiary = await own(call);
      requireCurrent(call.headers, beneficiaryEtag(beneficiary));
      await beneficiaries.remove(beneficiary.accountId, beneficiary.beneficiaryId);
      return { status: 204 };
    },
  };
}

function checked(wish: BeneficiaryWish): BeneficiaryWish {
  if (!isValidIBAN(wish.iban)) throw problem('invalid_iban', 'iban: length, structure or check digits are wrong.');
  return wish;
}
