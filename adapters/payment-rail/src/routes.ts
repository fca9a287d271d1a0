/** The sandbox operation of openapi.yaml. */
import { isValidIBAN } from 'ibantools';
import { derivedId } from '@kontor/kernel/ids';
import { formatMoney, parseMoney } from '@kontor/kernel/money';
import { problem } from '@kontor/kernel/problem';
import type { Routes } from '@kontor/kernel/service';
import type { operations } from './openapi.generated.js';
import { railIdOf } from './payment-rail.js';
import type { RailClient } from './rail-client.js';

export function routes({ rail }: { rail: Pick<RailClient, 'simulate'> }): Routes<operations> {
  return {
    async simulateIncomingPayment({ headers, body, caller, context }) {
      const amount = parseMoney(body.amount);
      if (amount.minor <= 0n) throw problem('invalid_amount', 'The amount must be more than zero.');
      checkIban('creditorIban', body.creditorIban);
      checkIban('debtor.iban', body.debtor.iban);
      // The key makes the message id, so a repeat is the same message and the rail sends nothing new.
      const messageId = railIdOf(derivedId(`simulated-transfer/${caller.clientId}/${headers['idempotency-key'] ?? ''}`));
      const endToEndId = `SIM-${messageId.slice(0, 16)}`;
      const answer = await rail.simulate({
        messageId, endToEndId, amount: formatMoney(amount), debtor: body.debtor, creditor: { iban: body.creditorIban },
        ...(body.remittance === undefined ? {} : { remittance: body.remittance }),
      }, context);
      if (answer === 'differs') throw problem('idempotency_mismatch', 'Use a new Idempotency-Key for another transfer.');
      return { status: 202, body: { messageId, endToEndId } };
    },
  };
}

function checkIban(name: string, iban: string): void {
  if (!isValidIBAN(iban)) throw problem('invalid_iban', `${name}: length, structure or check digits are wrong.`);
}
