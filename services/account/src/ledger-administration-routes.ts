/** One handler per operation of the bank's staff on the ledger. */
import { parseMoney } from '@kontor/kernel/money';
import { problem } from '@kontor/kernel/problem';
import type { Routes } from '@kontor/kernel/service';
import { toBalances, toLedgerTransaction } from './account.js';
import { changeOverdraft, periodToClose, requireReversed, staffOf, toVerification } from './ledger-administration.js';
import type { LedgerAdministration } from './ledger-administration-repository.js';
import type { operations } from './openapi.generated.js';
import type { AccountRepository } from './repository.js';

type AdministrationOperation = 'setOverdraft' | 'reverseLedgerTransaction' | 'closeLedgerPeriod' | 'verifyLedger';

export function ledgerAdministrationRoutes(needs: { accounts: AccountRepository; administration: LedgerAdministration; now: () => Date }): Pick<Routes<operations>, AdministrationOperation> {
  const { accounts, administration, now } = needs;
  return {
    async setOverdraft({ params, body, context }) {
      const limit = parseMoney(body.limit);
      await administration.setOverdraft(params.accountId, limit, context, (account) => changeOverdraft(account, limit));
      const balance = await accounts.balance(params.accountId);
      if (!balance) throw problem('account_not_found');
      return { status: 200, body: toBalances(params.accountId, balance) };
    },
    async reverseLedgerTransaction({ params, body, caller, context }) {
      const { reason, staffMember } = body;
      const reversal = await administration.reverse({ transactionId: params.transactionId, reason, by: staffOf(caller.clientId, staffMember), now: now(), context });
      const booking = await accounts.booking(requireReversed(reversal));
      if (!booking) throw new Error('a reversal was booked and is not there');
      return { status: 200, body: toLedgerTransaction(booking) };
    },
    async closeLedgerPeriod({ body, caller }) {
      const closedThrough = periodToClose(body.closedThrough, now().toISOString().slice(0, 10));
      return { status: 200, body: { closedThrough: await administration.closePeriod(closedThrough, staffOf(caller.clientId, body.staffMember)) } };
    },
    async verifyLedger() {
      return { status: 200, body: toVerification(await administration.verify()) };
    },
  };
}
