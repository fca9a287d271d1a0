import { isValidBIC, isValidIBAN } from 'ibantools';
import type { EventData } from '@kontor/kernel/events';
import { isId } from '@kontor/kernel/ids';
import { parseMoney, type WireMoney } from '@kontor/kernel/money';

/**
 * What the bank and the rail say to each other, without XML: credit transfers (pacs.008) and status reports (pacs.002).
 * Pure; the readers and writers of the messages are in pacs008.ts and pacs002.ts.
 */

/** The messages this bank exchanges with the rail. */
export const EXCHANGED = ['pacs.008.001.08', 'pacs.002.001.10'] as const;

/** A party and its account. */
export interface Party {
  name: string;
  /** Absent when the message names the account in another way. */
  iban?: string;
}

/** By which of its identifications a transaction is spoken of (pacs.002 OrgnlTxId, OrgnlInstrId, OrgnlEndToEndId). */
export interface TransactionReference {
  kind: 'tx' | 'instr' | 'e2e';
  id: string;
}

/** One transaction of a pacs.008. `amount` is as written in the message, not yet checked against its currency. */
export interface CreditTransfer {
  instructionId?: string;
  transactionId?: string;
  endToEndId: string;
  /** UUID version 4. */
  uetr?: string;
  amount: WireMoney;
  debtor: Party;
  creditor: Party;
  /** BICs of the agents a received message names. */
  agents?: readonly string[];
  remittance?: string;
}

/** A pacs.008: one or many transactions under one message id. Times are RFC 3339. */
export interface CreditTransferMessage {
  messageId: string;
  createdAt: string;
  /** What the group header claims, for the reader to check. */
  claimed?: { transactions: string; total?: WireMoney };
  transfers: CreditTransfer[];
}

/** What a pacs.002 says of one transaction. `reference` is absent when it speaks of the whole original message. */
export interface StatusReport {
  originalMessageId?: string;
  reference?: TransactionReference;
  /** ExternalPaymentTransactionStatus1Code. */
  status: string;
  /** ExternalStatusReason1Code. */
  reason?: string;
}

/** A pacs.002. */
export interface StatusReportMessage {
  messageId: string;
  createdAt: string;
  reports: StatusReport[];
}

/** MsgId, InstrId and TxId of an outgoing payment: its id without hyphens (32 characters; ISO allows 35). */
export function railIdOf(paymentId: string): string {
  return paymentId.replaceAll('-', '');
}

/** The payment a rail id belongs to; undefined when it is none of ours. */
export function paymentIdOf(railId: string): string | undefined {
  const match = /^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/.exec(railId);
  const id = match?.slice(1).join('-');
  return isId(id) ? id : undefined;
}

type Reported = EventData<'rail.payment-status-reported'>['status'];

/** The rail's codes as the platform knows them. Codes that promise nothing (PDNG, …) are not in it: they tell nothing. */
const REPORTED: Record<string, Reported> = {
  ACTC: 'ACTC', ACCP: 'ACTC', ACWC: 'ACTC', ACFC: 'ACTC', ACSP: 'ACSP', ACSC: 'ACSC', ACCC: 'ACCC', RJCT: 'RJCT',
};

/** What a report means for one of our payments; undefined when it is about none, or promises nothing. */
export function paymentReport(report: StatusReport): { paymentId: string; status: Reported; reason?: string } | undefined {
  const status = Object.hasOwn(REPORTED, report.status) ? REPORTED[report.status] : undefined;
  const railId = report.reference?.id ?? report.originalMessageId;
  const paymentId = railId === undefined ? undefined : paymentIdOf(railId);
  if (!status || !paymentId) return undefined;
  return { paymentId, status, ...(report.reason === undefined ? {} : { reason: report.reason }) };
}

/** How a transaction is to be named in the answer to it: its TxId, else its InstrId, else its EndToEndId. */
export function referenceOf({ transactionId, instructionId, endToEndId }: CreditTransfer): TransactionReference {
  if (transactionId !== undefined) return { kind: 'tx', id: transactionId };
  if (instructionId !== undefined) return { kind: 'instr', id: instructionId };
  return { kind: 'e2e', id: endToEndId };
}

/** One text for a received transaction, from which its answer can be made: `<MsgId>/<kind>/<id>`, percent-encoded. */
export function railReference(messageId: string, reference: TransactionReference): string {
  return [messageId, reference.kind, reference.id].map(encodeURIComponent).join('/');
}

/** Reads what `railReference` made; undefined for anything else. */
export function readRailReference(text: string): { messageId: string; reference: TransactionReference } | undefined {
  const match = /^([^/]+)\/(tx|instr|e2e)\/([^/]+)$/.exec(text);
  if (!match) return undefined;
  const [, messageId = '', kind, id = ''] = match;
  return { messageId: decodeURIComponent(messageId), reference: { kind: kind as TransactionReference['kind'], id: decodeURIComponent(id) } };
}

/**
 * What is wrong with a received message as a whole, in a sentence; undefined when nothing is. Such a message is refused:
 * it cannot be told which of its transactions are meant.
 */
export function messageFault({ claimed, transfers }: CreditTransferMessage): string | undefined {
  if (claimed && Number(claimed.transactions) !== transfers.length)
    return `NbOfTxs says ${claimed.transactions}, the message has ${transfers.length} transactions`;
  const references = new Set(transfers.map((transfer) => railReference('', referenceOf(transfer))));
  if (references.size !== transfers.length) return 'two transactions of the message have the same identification';
  const total = claimed?.total;
  if (total && !sumsUp(total, transfers)) return 'TtlIntrBkSttlmAmt is not the sum of the transactions';
  return undefined;
}

/** Compares decimals without a binary fraction: ISO 20022 allows 5 decimals and 18 digits. */
function sumsUp(total: WireMoney, transfers: readonly CreditTransfer[]): boolean {
  const units = (amount: string): bigint => {
    const [whole = '0', fraction = ''] = amount.split('.');
    return BigInt(whole + fraction.padEnd(5, '0'));
  };
  const sum = transfers.reduce((sofar, { amount }) => sofar + units(amount.amount), 0n);
  return transfers.every(({ amount }) => amount.currency === total.currency) && sum === units(total.amount);
}

/**
 * Why a received transaction cannot be booked whatever the account (ExternalStatusReason1Code), or undefined.
 * AM11 currency, AM12 decimals of the currency, AM01 zero, AC01 creditor account, AC02 debtor account, RC01 BIC of an agent.
 */
export function transferFault({ amount, creditor, debtor, agents }: CreditTransfer): 'AC01' | 'AC02' | 'RC01' | 'AM01' | 'AM11' | 'AM12' | undefined {
  if (!isPlausibleCurrency(amount.currency)) return 'AM11';
  try {
    if (parseMoney(amount).minor <= 0n) return 'AM01';
  } catch {
    return 'AM12';
  }
  if (creditor.iban === undefined || !isValidIBAN(creditor.iban)) return 'AC01';
  if (debtor.iban === undefined || !isValidIBAN(debtor.iban)) return 'AC02';
  if (agents?.some((bic) => !isValidBIC(bic))) return 'RC01';
  return undefined;
}

function isPlausibleCurrency(currency: string): boolean {
  try {
    parseMoney({ amount: '1', currency });
    return true;
  } catch {
    return false;
  }
}
