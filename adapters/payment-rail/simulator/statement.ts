import { createHash } from 'node:crypto';
import { parseMoney, type Money, type WireMoney } from '@kontor/kernel/money';
import { writeStatement, type StatementLine } from '@kontor/kernel/statement-writer';
import type { Movement } from './books.js';

/** An order to send a statement of the bank's settlement account. Alterations make breaks for the bank's reconciliation to find. */
export interface StatementOrder {
  messageId: string;
  /** Default camt.053.001.08; a camt.054 is the same without balances. */
  message?: 'camt.053' | 'camt.054';
  /** UTC day, YYYY-MM-DD. */
  date: string;
  /** Default EUR. */
  currency?: string;
  /** Entries with these end-to-end ids are left out. */
  omit?: string[];
  /** Entries with these end-to-end ids say another amount. */
  alter?: { endToEndId: string; amount: string }[];
  /** Entries nobody made. */
  add?: { endToEndId: string; amount: string; creditDebit: 'CRDT' | 'DBIT' }[];
}

/** The bank's account at the rail; a fictional IBAN. */
export const SETTLEMENT_IBAN = 'DE93999999990000000001';

/** The statement as XML; its balances follow from the entries it shows, so only the bank can notice what was altered. */
export function statementOf(movements: readonly Movement[], order: StatementOrder, now: number): string[] {
  const currency = order.currency ?? 'EUR';
  const settled = movements.filter((movement) => movement.amount.currency === currency && movement.outcome?.status === 'ACSC' && movement.outcome.at <= now)
    .map((movement) => ({ movement, day: dayOf(movement.outcome?.at ?? 0) }));
  const opening = sum(settled.filter(({ day }) => day < order.date).map(({ movement }) => lineOf(movement, order.date)), currency);
  const lines = settled.filter(({ day, movement }) => day === order.date && !order.omit?.includes(movement.endToEndId))
    .map(({ movement }) => altered(lineOf(movement, order.date), movement, order));
  for (const added of order.add ?? []) lines.push({
    reference: referenceOf(`${order.messageId}/${added.endToEndId}`), amount: parseMoney({ amount: added.amount, currency }), creditDebit: added.creditDebit,
    bookingDate: order.date, valueDate: order.date, endToEndId: added.endToEndId,
  });
  const xml = writeStatement({
    messageId: order.messageId, id: `S-${order.date}-${currency}`, createdAt: new Date(now), period: { from: order.date, to: order.date },
    account: { iban: SETTLEMENT_IBAN, currency }, opening, closing: { ...opening, minor: opening.minor + sum(lines, currency).minor }, lines,
  });
  return [order.message === 'camt.054' ? asNotification(xml) : xml];
}

const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10);

/** The same for the same movement in every statement. */
const referenceOf = (key: string): string => createHash('sha256').update(key).digest('hex').slice(0, 32);

function lineOf(movement: Movement, day: string): StatementLine {
  const { key, direction, kind, amount, endToEndId, uetr, reference, reason } = movement;
  return {
    reference: referenceOf(key), amount: parseMoney(amount), creditDebit: direction === 'to-bank' ? 'CRDT' : 'DBIT', bookingDate: day, valueDate: day, endToEndId,
    ...(uetr === undefined ? {} : { uetr }), transactionId: reference.id,
    ...(kind === 'return' ? { returnReason: reason ?? 'MS03', code: { domain: 'PMNT', family: direction === 'to-bank' ? 'ICDT' : 'RCDT', subFamily: 'RRTN' } } : {}),
  };
}

function altered(line: StatementLine, movement: Movement, { alter }: StatementOrder): StatementLine {
  const wanted = alter?.find(({ endToEndId }) => endToEndId === movement.endToEndId);
  return wanted ? { ...line, amount: parseMoney({ amount: wanted.amount, currency: movement.amount.currency } satisfies WireMoney) } : line;
}

function sum(lines: readonly StatementLine[], currency: string): Money {
  return { currency, minor: lines.reduce((total, { creditDebit, amount }) => total + (creditDebit === 'CRDT' ? amount.minor : -amount.minor), 0n) };
}

/** A camt.054.001.08 has the elements of a camt.053 under other names, and no balances. */
function asNotification(statement: string): string {
  return statement.replaceAll('camt.053.001.08', 'camt.054.001.08').replaceAll('BkToCstmrStmt>', 'BkToCstmrDbtCdtNtfctn>')
    .replaceAll('Stmt>', 'Ntfctn>').replaceAll(/<Bal>.*?<\/Bal>/gs, '');
}
