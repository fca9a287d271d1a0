import type { create } from 'xmlbuilder2';
import type { WireMoney } from '@kontor/kernel/money';
import type { ClaimedTotals, OriginalTransaction, Party, TransactionReference } from './payment-rail.js';
import { all, attribute, MessageFault, one, requiredText, textAt, verbatim, type Node } from '@kontor/kernel/iso20022';

/** Elements that several messages of the rail share: amounts, parties, agents, and how a message names the transaction it speaks of. */

/** An element of a message that is being written. */
export type Builder = ReturnType<typeof create>;

const REFERENCE_ELEMENT: Record<TransactionReference['kind'], string> = { instr: 'OrgnlInstrId', e2e: 'OrgnlEndToEndId', tx: 'OrgnlTxId' };
const UUID_V4 = /^[a-f0-9]{8}-[a-f0-9]{4}-4[a-f0-9]{3}-[89ab][a-f0-9]{3}-[a-f0-9]{12}$/;

export function writeAmount(at: Builder, element: string, { amount, currency }: WireMoney): void {
  at.ele(element, { Ccy: currency }).txt(verbatim(amount));
}

/** An agent whose BIC is not known is written as NOTPROVIDED (EPC: IBAN-only). */
export function writeAgent(at: Builder, bic: string | undefined): void {
  const institution = at.ele('FinInstnId');
  if (bic === undefined) institution.ele('Othr').ele('Id').txt('NOTPROVIDED');
  else institution.ele('BICFI').txt(verbatim(bic));
}

export function writeAccount(at: Builder, { iban }: Party): void {
  if (iban === undefined) at.ele('Id').ele('Othr').ele('Id').txt('NOTPROVIDED');
  else at.ele('Id').ele('IBAN').txt(verbatim(iban));
}

/** Names a transaction by all that is known of it: message (OrgnlGrpInf), instruction, end-to-end and transaction id, UETR. */
export function writeOriginal(at: Builder, original: OriginalTransaction): void {
  if (original.messageId !== undefined) {
    const group = at.ele('OrgnlGrpInf');
    group.ele('OrgnlMsgId').txt(verbatim(original.messageId));
    group.ele('OrgnlMsgNmId').txt('pacs.008.001.08');
  }
  for (const kind of ['instr', 'e2e', 'tx'] as const) {
    const id = original.reference?.kind === kind ? original.reference.id : kind === 'e2e' ? original.endToEndId : undefined;
    if (id !== undefined) at.ele(REFERENCE_ELEMENT[kind]).txt(verbatim(id));
  }
  if (original.uetr !== undefined) at.ele('OrgnlUETR').txt(verbatim(original.uetr));
}

/** How an entry names the transaction it speaks of. @param group the original message where the entry names none */
export function originalIn(entry: Node, group?: string): OriginalTransaction {
  const messageId = textAt(entry, 35, 'OrgnlGrpInf', 'OrgnlMsgId') ?? group;
  const reference = referenceIn(entry);
  const endToEndId = textAt(entry, 35, 'OrgnlEndToEndId');
  const uetr = uetrAt(entry, 'OrgnlUETR');
  return {
    ...(messageId === undefined ? {} : { messageId }),
    ...(reference === undefined ? {} : { reference }),
    ...(endToEndId === undefined ? {} : { endToEndId }),
    ...(uetr === undefined ? {} : { uetr }),
  };
}

/** By which identification an entry is about a transaction: OrgnlTxId, else OrgnlInstrId, else OrgnlEndToEndId. */
export function referenceIn(entry: Node): TransactionReference | undefined {
  for (const kind of ['tx', 'instr', 'e2e'] as const) {
    const id = textAt(entry, 35, REFERENCE_ELEMENT[kind]);
    if (id !== undefined) return { kind, id };
  }
  return undefined;
}

export function uetrAt(node: Node | undefined, ...path: string[]): string | undefined {
  const uetr = textAt(node, 36, ...path);
  if (uetr !== undefined && !UUID_V4.test(uetr)) throw new MessageFault(`${path.at(-1)} is no UUID of version 4`);
  return uetr;
}

/** ActiveCurrencyAndAmount: at most 18 digits, 5 of them decimals, not negative. The currency's own decimals are checked later. */
export function amountAt(node: Node | undefined, name: string): WireMoney {
  const amount = requiredText(node, 20, name);
  const currency = attribute(one(node, name), 'Ccy');
  if (!/^[0-9]{1,18}(\.[0-9]{1,5})?$/.test(amount) || amount.replace('.', '').length > 18) throw new MessageFault(`${name} is no amount`);
  if (currency === undefined || !/^[A-Z]{3}$/.test(currency)) throw new MessageFault(`${name} has no currency`);
  return { amount: amount.replace(/^0+(?=[0-9])/, ''), currency };
}

export function optionalAmountAt(node: Node | undefined, name: string): WireMoney | undefined {
  return one(node, name) === undefined ? undefined : amountAt(node, name);
}

/** What a group header claims of its transactions: how many, and their sum. */
export function totalsIn(header: Node | undefined, sum: string): ClaimedTotals {
  const transactions = requiredText(header, 15, 'NbOfTxs');
  if (!/^[0-9]{1,15}$/.test(transactions)) throw new MessageFault('NbOfTxs is no number');
  const total = optionalAmountAt(header, sum);
  return { transactions, ...(total === undefined ? {} : { total }) };
}

/** The first code among the reasons at `path`; a reason in other words has none. */
export function reasonIn(node: Node | undefined, ...path: string[]): string | undefined {
  for (const because of all(node, ...path)) {
    const code = textAt(because, 4, 'Rsn', 'Cd');
    if (code !== undefined) return code;
  }
  return undefined;
}

/** Writes a reason: four capitals or digits as a code, other words as NARR with the text. */
export function writeReason(at: Builder, element: string, reason: string): void {
  const because = at.ele(element);
  const isCode = /^[A-Z0-9]{4}$/.test(reason);
  because.ele('Rsn').ele('Cd').txt(verbatim(isCode ? reason : 'NARR'));
  if (!isCode) because.ele('AddtlInf').txt(verbatim(reason.slice(0, 105)));
}
