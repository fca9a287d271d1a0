/**
 * Bulks of payments: up to 10,000 transfers in one order, as JSON or as a pain.001 file. Each transfer is judged by itself; what is wrong with
 * one refuses that one, and the others become payments (partial acceptance). Pure.
 *
 * A transfer is WAITING until its day, then it is a payment like any other; REFUSED and CANCELLED ones never become one.
 */
import currencyCodes from 'currency-codes';
import { isValidBIC, isValidIBAN } from 'ibantools';
import { parseMoney, type Money, type WireMoney } from '@kontor/kernel/money';
import { initiate, type Order, type Status } from './life.js';

export const MOST_TRANSFERS = 10_000;

/** What can be wrong with a transfer. */
export type Field = 'amount' | 'endToEndId' | 'instructionId' | 'uetr' | 'creditorName' | 'creditorIban' | 'creditorBic' | 'remittance' | 'kind' | 'date';

/** `reason` is an ISO 20022 ExternalStatusReason1Code. `path` and, in a file, `line` say where. */
export interface TransferRefusal { reason: string; detail: string; line?: number; path?: string }

/** One transfer as it was ordered. */
export interface Transfer {
  endToEndId: string;
  instructionId?: string;
  uetr?: string;
  amount?: WireMoney;
  creditorName?: string;
  creditorIban?: string;
  creditorBic?: string;
  remittance?: string;
  line?: number;
  path: string;
  refusal?: TransferRefusal;
}

/** Transfers from one account on one day. */
export interface Batch {
  /** The client's name for it (PmtInfId). */
  batchId: string;
  debtorIban?: string;
  debtorAccountId?: string;
  currency?: string;
  requestedExecutionDate?: string;
  controlSum?: string;
  line?: number;
  path: string;
  transfers: Transfer[];
}

/** An exact decimal number, as an integer of its last decimal. */
export type Decimal = bigint;

/** Reads an xs:decimal that is not negative; scaled by 10^fraction. Undefined when it is none, or has more digits than it may. */
export function decimalOf(text: string, most: { digits: number; fraction: number }): Decimal | undefined {
  const [, whole = '', fraction = ''] = /^\+?([0-9]*)(?:\.([0-9]*))?$/.exec(text) ?? [];
  const [left, right] = [whole.replace(/^0+/, ''), fraction.replace(/0+$/, '')];
  if (whole.length + fraction.length === 0 || fraction.length > most.fraction || left.length + right.length > most.digits || text.length > 64) return undefined;
  return BigInt(left + right.padEnd(most.fraction, '0') || '0');
}

/** Of the control sum of a file (ISO 20022 DecimalNumber). */
export const sumOf = (text: string): Decimal | undefined => decimalOf(text, { digits: 18, fraction: 17 });

/** EPC217-08: the Latin characters every bank in SEPA takes; no blank at either end. */
const LATIN = /^(?! )[A-Za-z0-9/?:().,'+ -]*[A-Za-z0-9/?:().,'+-]$/;
/** EPC: an identification neither begins nor ends with a slash, and has no two in a row. */
const IDENTIFICATION = /^(?!\/)(?!.*\/\/)[A-Za-z0-9/?:().,'+-][A-Za-z0-9/?:().,'+ -]*(?<!\/)$/;
/** What ISO 20022 writes where there is no end-to-end identification: it may stand there any number of times. */
const NOT_PROVIDED = 'NOTPROVIDED';

/**
 * What is wrong with a transfer by itself and among those before it; undefined: nothing.
 * @param among the identifications of the transfers before it; this one's are added
 */
export function judge(transfer: Transfer, among: { endToEndIds: Set<string>; instructionIds: Set<string>; instant?: boolean; cheque?: boolean }): { field: Field; reason: string; detail: string } | undefined {
  const { endToEndId, instructionId, uetr, creditorName, creditorIban, creditorBic, remittance } = transfer;
  const again = endToEndId !== NOT_PROVIDED && among.endToEndIds.has(endToEndId);
  const instructedAgain = instructionId !== undefined && among.instructionIds.has(instructionId);
  among.endToEndIds.add(endToEndId);
  if (instructionId !== undefined) among.instructionIds.add(instructionId);
  const wrong = (field: Field, reason: string, detail: string): { field: Field; reason: string; detail: string } => ({ field, reason, detail });
  if (again) return wrong('endToEndId', 'DU04', 'The end-to-end id stands in the bulk twice.');
  if (instructedAgain) return wrong('instructionId', 'DU05', 'The instruction id stands in the bulk twice.');
  if (among.cheque) return wrong('kind', 'FF03', 'Cheques are not issued.');
  if (among.instant) return wrong('kind', 'FF05', 'Instant payments cannot come in a bulk: initiate each by itself.');
  const amount = amountFault(transfer.amount);
  if (amount) return wrong('amount', ...amount);
  if (creditorName === undefined || creditorName === '') return wrong('creditorName', 'BE22', 'The creditor has no name.');
  if (creditorIban === undefined || !isValidIBAN(creditorIban)) return wrong('creditorIban', 'AC01', 'The account of the creditor is no IBAN: length, structure or check digits are wrong.');
  if (creditorBic !== undefined && !isValidBIC(creditorBic)) return wrong('creditorBic', 'RC01', 'The bank of the creditor is named by no BIC.');
  if (creditorName.length > 70) return wrong('creditorName', 'CH16', 'The name of the creditor has more than 70 characters.');
  if (remittance !== undefined && remittance.length > 140) return wrong('remittance', 'CH16', 'The remittance information has more than 140 characters.');
  if (uetr !== undefined && !/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(uetr)) return wrong('uetr', 'CH16', 'The UETR is no UUID of version 4.');
  const texts: [Field, string | undefined, RegExp][] = [
    ['creditorName', creditorName, LATIN], ['remittance', remittance, LATIN], ['endToEndId', endToEndId, IDENTIFICATION], ['instructionId', instructionId, IDENTIFICATION],
  ];
  const strange = texts.find(([, text, allowed]) => text !== undefined && !allowed.test(text));
  return strange ? wrong(strange[0], 'RR10', 'It has characters outside the SEPA set, blanks at its ends, or slashes where none may be.') : undefined;
}

function amountFault(wire: WireMoney | undefined): [reason: string, detail: string] | undefined {
  if (!wire) return ['AM12', 'The amount must be given in the currency of the transfer (InstdAmt).'];
  const found = currencyCodes.code(wire.currency);
  const decimals = wire.amount.split('.')[1]?.length ?? 0;
  if (found && decimals > found.digits) return ['CH20', `${wire.currency} has ${found.digits} decimal places; the amount has ${decimals}.`];
  const money = moneyOf(wire);
  if (money === 'currency') return ['AM11', 'The currency is none that can be paid in.'];
  if (money === undefined) return ['AM02', 'An amount has at most 14 digits before the point.'];
  return money.minor === 0n ? ['AM01', 'The amount is zero.'] : undefined;
}

/** The amount, where it is one; `currency` where that is what is wrong. */
function moneyOf({ amount, currency }: WireMoney): Money | 'currency' | undefined {
  const plain = /^\+?0*([0-9]+(?:\.[0-9]+)?)\.?$/.exec(amount.startsWith('.') ? `0${amount}` : amount)?.[1] ?? amount;
  try {
    parseMoney({ amount: '0', currency });
  } catch {
    return 'currency';
  }
  try {
    return parseMoney({ amount: plain, currency });
  } catch {
    return undefined;
  }
}

/** A transfer as it is kept. Amount and creditor are there where it was not refused. */
export interface Item extends Omit<Transfer, 'amount' | 'line' | 'path' | 'creditorBic'> {
  batch: number;
  amount?: Money;
}

/** What is kept of a bulk when it is taken. */
export interface BulkOrder {
  transactions: number;
  /** The sum in the currency of the consent: of all transfers in it, those that were refused too; it is what the customer approved. */
  total: Money;
  batches: { batchId: string; debtorAccountId: string; requestedExecutionDate?: string; transactions: number; controlSum?: string }[];
  items: Item[];
  refused: number;
}

/**
 * Makes of what was ordered what is kept. Transfers in another currency than the consent's are refused (CURR).
 * @param accountOf the account of a batch
 */
export function bulkOrder(batches: readonly Batch[], currency: string, accountOf: (batch: Batch) => string): BulkOrder {
  const items: Item[] = [];
  let minor = 0n;
  for (const [batch, { transfers }] of batches.entries()) {
    for (const { amount: wire, line, path, creditorBic: _bic, refusal, ...transfer } of transfers) {
      const money = wire && moneyOf(wire);
      const amount = typeof money === 'object' ? money : undefined;
      if (amount?.currency === currency) minor += amount.minor;
      const strange: TransferRefusal | undefined = amount && amount.currency !== currency
        ? { reason: 'CURR', detail: `The account is kept in ${currency}.`, path, ...(line === undefined ? {} : { line }) } : undefined;
      const found = refusal ?? strange;
      items.push({ ...transfer, batch, ...(amount ? { amount } : {}), ...(found ? { refusal: found } : {}) });
    }
  }
  return {
    items, transactions: items.length, total: { minor, currency }, refused: items.filter(({ refusal }) => refusal).length,
    batches: batches.map((batch) => ({
      batchId: batch.batchId, debtorAccountId: accountOf(batch), transactions: batch.transfers.length,
      ...(batch.requestedExecutionDate === undefined ? {} : { requestedExecutionDate: batch.requestedExecutionDate }),
      ...(batch.controlSum === undefined ? {} : { controlSum: batch.controlSum }),
    })),
  };
}

/** How many transfers of a bulk, or of a batch, stand where. */
export interface Counts { transactions: number; refused: number; cancelled: number; settled: number; rejected: number; open: number }

/** ExternalPaymentGroupStatus1Code: RJCT none is made, PART some are, ACSC all were settled, ACCP all were accepted and are under way. */
export type GroupStatus = 'ACCP' | 'PART' | 'ACSC' | 'RJCT';

export function groupStatus({ transactions, settled, open }: Counts): GroupStatus {
  if (open + settled === 0) return 'RJCT';
  if (open + settled < transactions) return 'PART';
  return open === 0 ? 'ACSC' : 'ACCP';
}

export type ItemState = 'waiting' | 'released' | 'refused' | 'cancelled';

/** The status of a transfer, as of a payment: before its day PDNG, refused RJCT, cancelled CANC, then that of its payment. */
export function itemStatus(state: ItemState, payment: Status | undefined): Status {
  if (state === 'refused') return 'RJCT';
  if (state === 'cancelled') return 'CANC';
  return payment ?? 'PDNG';
}

/** The payment a transfer becomes on its day, and what is told of it: like any other, without a further cut-off time. */
export const paymentOf = (transfer: Omit<Order, 'kind'>): ReturnType<typeof initiate> => initiate({ ...transfer, kind: 'bulk' });
