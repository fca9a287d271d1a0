/** The sandbox operations of openapi.yaml. */
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
      const messageId = messageIdOf('transfer', caller, headers);
      const endToEndId = `SIM-${messageId.slice(0, 16)}`;
      const answer = await rail.simulate('credit-transfers', {
        messageId, endToEndId, amount: formatMoney(amount), debtor: body.debtor, creditor: { iban: body.creditorIban },
        ...(body.remittance === undefined ? {} : { remittance: body.remittance }),
      }, context);
      if (answer === 'differs') throw problem('idempotency_mismatch', 'Use a new Idempotency-Key for another transfer.');
      return { status: 202, body: { messageId, endToEndId } };
    },

    async simulatePaymentReturn({ headers, body, caller, context }) {
      const { paymentId, reason } = body;
      const amount = body.amount === undefined ? undefined : parseMoney(body.amount);
      if (amount && amount.minor <= 0n) throw problem('invalid_amount', 'The amount must be more than zero.');
      const messageId = messageIdOf('return', caller, headers);
      const answer = await rail.simulate('returns', {
        messageId, payment: railIdOf(paymentId.toLowerCase()), ...(amount ? { amount: formatMoney(amount) } : {}), ...(reason === undefined ? {} : { reason }),
      }, context);
      if (answer === 'unknown') throw problem('payment_not_found', 'The rail does not know this payment.');
      if (answer === 'impossible') throw problem('invalid_state', 'The rail has not settled this payment: there is nothing to return.');
      return taken(answer, messageId);
    },

    async simulateRecall({ headers, body, caller, context }) {
      const messageId = messageIdOf('recall', caller, headers);
      const answer = await rail.simulate('recalls', { messageId, transfer: body.messageId, ...(body.reason === undefined ? {} : { reason: body.reason }) }, context);
      if (answer === 'unknown') throw problem('transaction_not_found', 'The rail has sent no transfer with this messageId.');
      return taken(answer, messageId);
    },
  };
}

/** The key makes the message id, so a repeat is the same message and the rail sends nothing new. */
function messageIdOf(what: string, { clientId }: { clientId: string }, headers: Readonly<Record<string, string | undefined>>): string {
  return railIdOf(derivedId(`simulated-${what}/${clientId}/${headers['idempotency-key'] ?? ''}`));
}

function taken(answer: string, messageId: string): { status: number; body: { messageId: string } } {
  if (answer === 'differs') throw problem('idempotency_mismatch', 'Use a new Idempotency-Key for another order.');
  return { status: 202, body: { messageId } };
}

function checkIban(name: string, iban: string): void {
  if (!isValidIBAN(iban)) throw problem('invalid_iban', `${name}: length, structure or check digits are wrong.`);
}
