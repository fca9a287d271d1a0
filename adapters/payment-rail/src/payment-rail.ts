import { isValidBIC, isValidIBAN } from 'ibantools';
import type { EventData } from '@kontor/kernel/events';
import { isId } from '@kontor/kernel/ids';
import { parseMoney, type WireMoney } from '@kontor/kernel/money';

/**
 * What the bank and the rail say to each other, without XML: credit transfers (pacs.008), status reports (pacs.002), returns
 * (pacs.004), requests for a status (pacs.028), recalls (camt.056) and the answers to them (camt.029). Pure; each message has its
 * reader and writer in a file of its name.
 */

/** What both sides send each other. */
export const PAYMENT_MESSAGES = ['pacs.008.001.08', 'pacs.002.001.10', 'pacs.004.001.09', 'camt.056.001.08', 'camt.029.001.09'] as const;
/** What the bank sends to the rail. */
export const SENT = [...PAYMENT_MESSAGES, 'pacs.028.001.03'] as const;

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

/** The transaction a message speaks of, by what it carried. */
export interface OriginalTransaction {
  /** MsgId of the message it came with. */
  messageId?: string;
  reference?: TransactionReference;
  endToEndId?: string;
  /** UUID version 4. */
  uetr?: string;
}

/** What a group header claims of its transactions, for the reader to check. */
export interface ClaimedTotals {
  transactions: string;
  total?: WireMoney;
}

/** One transaction of a pacs.008. `amount` is as written in the message, not yet checked against its currency. */
export interface CreditTransfer {
  instructionId?: string;
  transactionId?: string;
  endToEndId: string;
  /** UUID version 4. */
  uetr?: string;
  /** Local instrument INST: settled within ten seconds of `acceptedAt`, or not at all. */
  instant?: boolean;
  acceptedAt?: string;
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
  claimed?: ClaimedTotals;
  transfers: CreditTransfer[];
}

/** One return of a pacs.004: the money of an earlier transfer, or a part of it, goes back. `amount` is not yet checked against its currency. */
export interface PaymentReturn {
  /** RtrId: by which an answer names it. */
  returnId?: string;
  original: OriginalTransaction;
  amount: WireMoney;
  originalAmount?: WireMoney;
  /** ExternalReturnReason1Code. */
  reason?: string;
}

/** A pacs.004. */
export interface PaymentReturnMessage {
  messageId: string;
  createdAt: string;
  claimed?: ClaimedTotals;
  returns: PaymentReturn[];
}

/** One request of a camt.056 to give a transfer back. */
export interface Recall {
  /** CxlId, else the id of its case: by which an answer names it. */
  recallId?: string;
  original: OriginalTransaction;
  amount: WireMoney;
  /** ExternalCancellationReason1Code. */
  reason?: string;
  debtor?: Party;
  creditor?: Party;
}

/** A camt.056. */
export interface RecallMessage {
  /** Id of the assignment. */
  messageId: string;
  createdAt: string;
  recalls: Recall[];
}

/** What a camt.029 says of one recall. */
export interface RecallAnswer {
  /** Id of the resolved case. */
  recallId?: string;
  original: OriginalTransaction;
  outcome: 'accepted' | 'refused' | 'pending';
  /** ExternalPaymentCancellationRejection1Code, when refused. */
  reason?: string;
}

/** A camt.029. */
export interface RecallAnswerMessage {
  messageId: string;
  createdAt: string;
  answers: RecallAnswer[];
}

/** A pacs.028: what became of these transactions? */
export interface StatusRequestMessage {
  messageId: string;
  createdAt: string;
  originals: OriginalTransaction[];
}

/** What a pacs.002 says of one transaction. `reference` is absent when it speaks of the whole original message. */
export interface StatusReport {
  originalMessageId?: string;
  /** Which message that was; default pacs.008.001.08. */
  originalMessage?: string;
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
 * One text for a return: `<MsgId>/rtr/<RtrId>`, or by the transaction it returns where it has no id of its own. One return is booked once for it.
 */
export function returnReference(messageId: string, { returnId, original }: PaymentReturn): string {
  if (returnId !== undefined) return [messageId, 'rtr', returnId].map(encodeURIComponent).join('/');
  return original.reference ? railReference(messageId, original.reference) : [messageId, 'msg', original.messageId ?? ''].map(encodeURIComponent).join('/');
}

/** One text for a received recall that holds all its answer must name: `<Id>/<CxlId>/<OrgnlMsgId>/<kind>/<id>`, percent-encoded, `-` for none. */
export function recallReference(messageId: string, { recallId, original }: Recall): string {
  const { reference } = original;
  return [messageId, recallId ?? '-', original.messageId ?? '-', reference?.kind ?? '-', reference?.id ?? '-'].map(encodeURIComponent).join('/');
}

/** Reads what `recallReference` made; undefined for anything else. */
export function readRecallReference(text: string): { recallId?: string; original: OriginalTransaction } | undefined {
  const parts = text.split('/').map(decodeURIComponent);
  if (parts.length !== 5 || parts.includes('')) return undefined;
  const [, recallId = '-', messageId = '-', kind = '-', id = '-'] = parts;
  return {
    ...(recallId === '-' ? {} : { recallId }),
    original: {
      ...(messageId === '-' ? {} : { messageId }),
      ...(kind === 'tx' || kind === 'instr' || kind === 'e2e' ? { reference: { kind, id } } : {}),
    },
  };
}

/** MsgId and RtrId of a transfer we send back: never taken for a payment's id. */
export function returnIdOf(transactionId: string): string {
  return `R-${railIdOf(transactionId)}`;
}

/** The payment of ours an original names, by TxId, InstrId or message; its end-to-end id is the client's own and proves nothing. */
export function paymentNamedBy({ reference, messageId }: OriginalTransaction): string | undefined {
  const named = [reference && reference.kind !== 'e2e' ? reference.id : undefined, messageId];
  return named.map((id) => (id === undefined ? undefined : paymentIdOf(id))).find((id) => id !== undefined);
}

/**
 * What is wrong with a received pacs.008 as a whole, in a sentence; undefined when nothing is. Such a message is refused:
 * it cannot be told which of its transactions are meant.
 */
export function messageFault({ claimed, transfers }: CreditTransferMessage): string | undefined {
  return totalsFault({ claimed, names: transfers.map((transfer) => railReference('', referenceOf(transfer))), amounts: transfers.map(({ amount }) => amount), element: 'TtlIntrBkSttlmAmt' });
}

/** As `messageFault`, of a pacs.004. */
export function returnsFault({ claimed, returns }: PaymentReturnMessage): string | undefined {
  return totalsFault({ claimed, names: returns.map((one) => returnReference('', one)), amounts: returns.map(({ amount }) => amount), element: 'TtlRtrdIntrBkSttlmAmt' });
}

function totalsFault({ claimed, names, amounts, element }: { claimed: ClaimedTotals | undefined; names: string[]; amounts: WireMoney[]; element: string }): string | undefined {
  if (claimed && Number(claimed.transactions) !== names.length)
    return `NbOfTxs says ${claimed.transactions}, the message has ${names.length} transactions`;
  if (new Set(names).size !== names.length) return 'two transactions of the message have the same identification';
  const total = claimed?.total;
  if (total && !sumsUp(total, amounts)) return `${element} is not the sum of the transactions`;
  return undefined;
}

/** Compares decimals without a binary fraction: ISO 20022 allows 5 decimals and 18 digits. */
function sumsUp(total: WireMoney, amounts: readonly WireMoney[]): boolean {
  const units = (amount: string): bigint => {
    const [whole = '0', fraction = ''] = amount.split('.');
    return BigInt(whole + fraction.padEnd(5, '0'));
  };
  const sum = amounts.reduce((sofar, { amount }) => sofar + units(amount), 0n);
  return amounts.every(({ currency }) => currency === total.currency) && sum === units(total.amount);
}

/**
 * Why a received transaction cannot be booked whatever the account (ExternalStatusReason1Code), or undefined.
 * AM11 currency, AM12 decimals of the currency, AM01 zero, AC01 creditor account, AC02 debtor account, RC01 BIC of an agent.
 */
export function transferFault({ amount, creditor, debtor, agents }: CreditTransfer): 'AC01' | 'AC02' | 'RC01' | 'AM01' | 'AM11' | 'AM12' | undefined {
  const fault = amountFault(amount);
  if (fault) return fault;
  if (creditor.iban === undefined || !isValidIBAN(creditor.iban)) return 'AC01';
  if (debtor.iban === undefined || !isValidIBAN(debtor.iban)) return 'AC02';
  if (agents?.some((bic) => !isValidBIC(bic))) return 'RC01';
  return undefined;
}

/** Why an amount is none of a currency we know: AM11 currency, AM12 its decimals, AM01 zero. */
export function amountFault(amount: WireMoney): 'AM01' | 'AM11' | 'AM12' | undefined {
  if (!isPlausibleCurrency(amount.currency)) return 'AM11';
  try {
    return parseMoney(amount).minor <= 0n ? 'AM01' : undefined;
  } catch {
    return 'AM12';
  }
}

function isPlausibleCurrency(currency: string): boolean {
  try {
    parseMoney({ amount: '1', currency });
    return true;
  } catch {
    return false;
  }
}
