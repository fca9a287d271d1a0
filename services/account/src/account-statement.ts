/** Rules of statements: what was booked on an account in a period, and what it led from and to. */
import { stringify } from 'csv-stringify/sync';
import { formatMoney, type Money } from '@kontor/kernel/money';
import { problem } from '@kontor/kernel/problem';
import type { StatementDocument, StatementLine } from '@kontor/kernel/statement-writer';
import { toTransaction, type Account, type AccountEntry } from './account.js';

/** Booking dates (UTC), both included. */
export interface Period { from: string; to: string }

/** The entries of a period, oldest first, with the balances before the first and after the last. */
export interface AccountStatement {
  account: Account;
  period: Period;
  opening: Money;
  closing: Money;
  entries: AccountEntry[];
  asOf: Date;
}

const MOST_DAYS = 366;
/** The most entries of one statement. */
export const MOST_ENTRIES = 10_000;
const DAY_MS = 86_400_000;

/**
 * The period of a statement; without dates the current month to today.
 * @param today UTC date
 * @throws Problem invalid_request when it runs backwards, into the future or over more than 366 days
 */
export function statementPeriod(wanted: { from?: string | undefined; to?: string | undefined }, today: string): Period {
  const to = wanted.to ?? today;
  const from = wanted.from ?? `${to.slice(0, 8)}01`;
  if (from > to) throw problem('invalid_request', 'from is after to.');
  if (to > today) throw problem('invalid_request', `to must not lie in the future; today is ${today} (UTC).`);
  if (Date.parse(to) - Date.parse(from) >= MOST_DAYS * DAY_MS) throw problem('invalid_request', `A statement covers at most ${MOST_DAYS} days. Ask for several.`);
  return { from, to };
}

/** @throws Problem unprocessable when there are more entries than a statement may have */
export function requireFitting<T>(entries: T[]): T[] {
  if (entries.length > MOST_ENTRIES) throw problem('unprocessable', `The period has more than ${MOST_ENTRIES} entries. Ask for a shorter one.`);
  return entries;
}

function balanceOf(money: Money) {
  const minor = money.minor < 0n ? -money.minor : money.minor;
  return { amount: formatMoney({ minor, currency: money.currency }), creditDebitIndicator: money.minor < 0n ? 'DBIT' as const : 'CRDT' as const };
}

function totalOf(entries: AccountEntry[], side: AccountEntry['side'], currency: string) {
  const of = entries.filter((entry) => entry.side === side);
  return { count: of.length, amount: formatMoney({ minor: of.reduce((sum, { amount }) => sum + amount.minor, 0n), currency }) };
}

/** @param withBalances whether the customer consented to show balances as well */
export function toStatement({ account, period, opening, closing, entries, asOf }: AccountStatement, withBalances: boolean) {
  return {
    accountId: account.accountId, from: period.from, to: period.to, asOf: asOf.toISOString(),
    ...(withBalances ? { openingBalance: balanceOf(opening), closingBalance: balanceOf(closing) } : {}),
    totals: { credits: totalOf(entries, 'credit', account.currency), debits: totalOf(entries, 'debit', account.currency) },
    entries: entries.map(toTransaction),
  };
}

/** A cell a spreadsheet would read as a formula is told to be text (OWASP, CSV injection). */
const asText = (cell: string): string => (/^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell);

/** One row an entry, oldest first; amounts are signed, credits positive. */
export function toStatementCsv({ entries }: AccountStatement): string {
  const rows = entries.map(toTransaction).map((one) => [
    one.bookingDate, one.valueDate, (one.creditDebitIndicator === 'DBIT' ? '-' : '') + one.amount.amount, one.amount.currency, one.type, one.transactionId,
    ...[one.counterparty?.name, one.counterparty?.iban, one.endToEndId, one.remittance].map((text) => asText(text ?? ''))]);
  return stringify(rows, {
    header: true, record_delimiter: '\r\n',
    columns: ['booking_date', 'value_date', 'amount', 'currency', 'type', 'transaction_id', 'counterparty_name', 'counterparty_iban', 'end_to_end_id', 'remittance'],
  });
}

/** As camt.053 has it. @throws Problem invalid_state when the account has no IBAN yet */
export function toStatementDocument({ account, period, opening, closing, entries, asOf }: AccountStatement): StatementDocument {
  if (account.iban === null) throw problem('invalid_state', 'The account has no IBAN yet. Wait for account.opened.');
  return {
    messageId: `${account.accountId.replaceAll('-', '').slice(0, 16)}-${period.from.replaceAll('-', '')}-${period.to.slice(2).replaceAll('-', '')}`,
    id: `${period.from}/${period.to}`, createdAt: asOf, period,
    account: { iban: account.iban, currency: account.currency, owner: account.holderName },
    opening, closing, lines: entries.map(toLine),
  };
}

function toLine(entry: AccountEntry): StatementLine {
  const { debtor, creditor, endToEndId, remittance } = entry.details;
  return {
    reference: String(entry.sequence), servicerReference: entry.transactionId, amount: entry.amount, creditDebit: entry.side === 'debit' ? 'DBIT' : 'CRDT', reversal: entry.type === 'reversal',
    bookingDate: entry.bookingDate, valueDate: entry.valueDate,
    ...(endToEndId ? { endToEndId } : {}), ...(debtor ? { debtor } : {}), ...(creditor ? { creditor } : {}), ...(remittance ? { remittance } : {}),
  };
}
