import { isValidIBAN } from 'ibantools';
import { all, attribute, dateTimeAt, isDay, MessageFault, one, openMessage, requiredText, textAt, type MessageName, type Node, type Schemas } from './iso20022.js';
import { digitsOf, formatMoney, type Money, type WireMoney } from './money.js';
import { Problem } from './problem.js';

/**
 * Statements of account (camt.053) and notifications of single bookings (camt.054), read into the shape of the event
 * rail.statement-received. What the standard leaves optional may be missing; what is wrong is refused by the name of its element.
 */

/** The versions that are read. Up to .04 an entry's status is a code, from .08 on a choice. */
export const STATEMENT_MESSAGES = [
  'camt.053.001.02', 'camt.053.001.04', 'camt.053.001.08', 'camt.053.001.10',
  'camt.054.001.02', 'camt.054.001.04', 'camt.054.001.08', 'camt.054.001.10', 'camt.054.001.12',
] as const satisfies readonly MessageName[];
type StatementMessage = (typeof STATEMENT_MESSAGES)[number];

type CreditDebit = 'CRDT' | 'DBIT';

/** A booked balance; `DBIT` is overdrawn. */
export interface StatementBalance {
  amount: WireMoney;
  creditDebit: CreditDebit;
  date: string;
}

/** One payment an entry is made of. Placeholders (NOTPROVIDED) are left out. */
export interface StatementTransaction {
  endToEndId?: string;
  transactionId?: string;
  instructionId?: string;
  uetr?: string;
  amount?: WireMoney;
  creditDebit?: CreditDebit;
  /** ISO 20022 external return reason, when the transaction sends money back. */
  returnReason?: string;
  /** Unstructured lines, then structured references, by blanks. */
  remittance?: string;
}

/** One movement of the account. `creditDebit` is the movement's own, also of a reversal. */
export interface StatementEntry {
  /** NtryRef or AcctSvcrRef, else its place in the statement: `#3`. Not unique. */
  reference: string;
  amount: WireMoney;
  creditDebit: CreditDebit;
  reversal: boolean;
  /** BOOK, PDNG, INFO or FUTR. */
  status: string;
  bookingDate?: string;
  valueDate?: string;
  /** `<domain>/<family>/<sub-family>`, else the bank's own code. */
  transactionCode?: string;
  /** None when the bank gives no details; several in a batch booking. */
  transactions: StatementTransaction[];
}

export interface Statement {
  /** `<MsgId>/<Stmt Id>`. */
  statementReference: string;
  message: 'camt.053' | 'camt.054';
  /** IBAN, else the bank's own number. */
  account: string;
  /** Of the account; where the message does not say, that of its balances. */
  currency?: string;
  opening?: StatementBalance;
  closing?: StatementBalance;
  entries: StatementEntry[];
}

/**
 * Opens and reads a message; one message may hold several statements.
 * @throws MessageFault naming the statement, the entry and the element that is wrong
 */
export function openStatements(bytes: Uint8Array, schemas: Schemas): Statement[] {
  const { message, content } = openMessage(bytes, schemas, STATEMENT_MESSAGES);
  return readStatements(message, content);
}

/** As `openStatements`, for a message that is open already. */
export function readStatements(message: StatementMessage, content: Node): Statement[] {
  const isStatement = message.startsWith('camt.053');
  const root = one(content, isStatement ? 'BkToCstmrStmt' : 'BkToCstmrDbtCdtNtfctn');
  const messageId = requiredText(one(root, 'GrpHdr'), 35, 'MsgId');
  dateTimeAt(one(root, 'GrpHdr'), 'CreDtTm');
  const name = isStatement ? 'Stmt' : 'Ntfctn';
  const found = all(root, name);
  if (found.length === 0) throw new MessageFault(`${name} is missing`);
  const read = found.map((at, i) => within(`${name} ${i + 1}`, () => readStatement(at, message, messageId)));
  for (const [i, { statementReference }] of read.entries())
    if (read.findIndex((other) => other.statementReference === statementReference) < i)
      throw new MessageFault(`${name} ${i + 1}: Id stands there more than once`);
  return read;
}

function readStatement(at: Node, message: StatementMessage, messageId: string): Statement {
  const id = requiredText(at, 35, 'Id');
  const iban = textAt(at, 34, 'Acct', 'Id', 'IBAN');
  const account = iban ?? requiredText(at, 34, 'Acct', 'Id', 'Othr', 'Id');
  const balances = all(at, 'Bal').map((balance, i) => within(`Bal ${i + 1}`, () => readBalance(balance)));
  // Without an opening balance the statement begins where the one before it closed.
  const opening = balances.find(({ type }) => type === 'OPBD')?.balance ?? balances.find(({ type }) => type === 'PRCD')?.balance;
  const closing = balances.find(({ type }) => type === 'CLBD')?.balance;
  const said = textAt(at, 3, 'Acct', 'Ccy');
  if (said !== undefined) requireCurrency(said, 'Acct/Ccy');
  const currency = said ?? closing?.amount.currency ?? opening?.amount.currency;
  return {
    statementReference: `${messageId}/${id}`, message: message.startsWith('camt.053') ? 'camt.053' : 'camt.054', account,
    ...(currency === undefined ? {} : { currency }), ...(opening ? { opening } : {}), ...(closing ? { closing } : {}),
    entries: all(at, 'Ntry').map((entry, i) => within(`Ntry ${i + 1}`, () => readEntry(entry, i + 1, message))),
  };
}

function readBalance(at: Node): { type: string | undefined; balance: StatementBalance } {
  return {
    type: textAt(at, 4, 'Tp', 'CdOrPrtry', 'Cd'),
    balance: { amount: amountAt(at, 'Amt'), creditDebit: creditDebitAt(at), date: required(dayAt(at, 'Dt'), 'Dt') },
  };
}

function readEntry(at: Node, place: number, message: StatementMessage): StatementEntry {
  const bookingDate = dayAt(at, 'BookgDt');
  const valueDate = dayAt(at, 'ValDt');
  const transactionCode = codeAt(at);
  const details = all(at, 'NtryDtls').flatMap((group) => all(group, 'TxDtls'));
  return {
    reference: textAt(at, 35, 'NtryRef') ?? textAt(at, 35, 'AcctSvcrRef') ?? `#${place}`,
    amount: amountAt(at, 'Amt'),
    creditDebit: creditDebitAt(at),
    reversal: flagAt(at, 'RvslInd'),
    status: statusAt(at, message),
    ...(bookingDate === undefined ? {} : { bookingDate }),
    ...(valueDate === undefined ? {} : { valueDate }),
    ...(transactionCode === undefined ? {} : { transactionCode }),
    transactions: details.map((transaction, i) => within(`TxDtls ${i + 1}`, () => readTransaction(transaction))),
  };
}

function readTransaction(at: Node): StatementTransaction {
  const endToEndId = referenceAt(at, 'EndToEndId');
  const transactionId = referenceAt(at, 'TxId');
  const instructionId = referenceAt(at, 'InstrId');
  const uetr = textAt(at, 36, 'Refs', 'UETR');
  // Before .04 the amount stood among its details only; there it is the one in the account's currency.
  const amount = one(at, 'Amt') ? amountAt(at, 'Amt') : one(at, 'AmtDtls', 'TxAmt', 'Amt') ? amountAt(at, 'AmtDtls', 'TxAmt', 'Amt') : undefined;
  const creditDebit = one(at, 'CdtDbtInd') ? creditDebitAt(at) : undefined;
  const returnReason = textAt(at, 4, 'RtrInf', 'Rsn', 'Cd') ?? textAt(at, 35, 'RtrInf', 'Rsn', 'Prtry');
  const remittance = remittanceIn(at);
  return {
    ...(endToEndId === undefined ? {} : { endToEndId }), ...(transactionId === undefined ? {} : { transactionId }),
    ...(instructionId === undefined ? {} : { instructionId }), ...(uetr === undefined ? {} : { uetr }),
    ...(amount === undefined ? {} : { amount }), ...(creditDebit === undefined ? {} : { creditDebit }),
    ...(returnReason === undefined ? {} : { returnReason }), ...(remittance === '' ? {} : { remittance }),
  };
}

/** Runs a part of the reading; a fault in it is said with the place. */
function within<T>(place: string, run: () => T): T {
  try {
    return run();
  } catch (fault) {
    if (!(fault instanceof MessageFault)) throw fault;
    throw new MessageFault(/^(Ntry|TxDtls|Bal) \d/.test(fault.message) ? `${place}, ${fault.message}` : `${place}: ${fault.message}`);
  }
}

function required<T>(found: T | undefined, name: string): T {
  if (found === undefined) throw new MessageFault(`${name} is missing`);
  return found;
}

/** xs:decimal (XML Schema part 2 §3.2.3) without a minus: an amount is never negative, CdtDbtInd has its sign. */
const AMOUNT = /^\+?([0-9]*)(?:\.([0-9]*))?$/;
const MOST_MINOR = 2n ** 63n - 1n;

/** ISO 20022 amounts have 18 digits, five of them behind the point; zeros the currency does not have are dropped. */
function amountAt(node: Node, ...path: string[]): WireMoney {
  const name = path.join('/');
  const found = required(one(node, ...path), name);
  const currency = required(attribute(found, 'Ccy'), `${name}: Ccy`);
  const digits = requireCurrency(currency, `${name}: Ccy`);
  const text = requiredText(node, 40, ...path).trim();
  const [, whole = '', fraction = ''] = AMOUNT.exec(text) ?? [];
  if (whole === '' && fraction === '') throw new MessageFault(`${name} is no amount`);
  const kept = fraction.replace(/0+$/, '');
  if (kept.length > digits) throw new MessageFault(`${name} has more decimals than ${currency}`);
  const money: Money = { minor: BigInt(whole + kept.padEnd(digits, '0')), currency };
  if (whole.length + fraction.length > 18 || money.minor > MOST_MINOR) throw new MessageFault(`${name} has too many digits`);
  return formatMoney(money);
}

function requireCurrency(currency: string, name: string): number {
  try {
    return digitsOf(currency);
  } catch (fault) {
    if (fault instanceof Problem) throw new MessageFault(`${name} is no currency of ISO 4217`);
    throw fault;
  }
}

function creditDebitAt(node: Node): CreditDebit {
  const text = requiredText(node, 4, 'CdtDbtInd');
  if (text !== 'CRDT' && text !== 'DBIT') throw new MessageFault('CdtDbtInd is neither CRDT nor DBIT');
  return text;
}

function flagAt(node: Node, name: string): boolean {
  const text = textAt(node, 5, name)?.trim() ?? 'false';
  if (!['true', 'false', '1', '0'].includes(text)) throw new MessageFault(`${name} is neither true nor false`);
  return text === 'true' || text === '1';
}

function statusAt(at: Node, message: StatementMessage): string {
  const isCode = message.endsWith('.02') || message.endsWith('.04');
  if (isCode === (typeof one(at, 'Sts') === 'object')) throw new MessageFault('Sts is not in the form of this version');
  const status = isCode ? requiredText(at, 4, 'Sts') : textAt(at, 4, 'Sts', 'Cd') ?? requiredText(at, 35, 'Sts', 'Prtry');
  if (!isCode && one(at, 'Sts', 'Cd') === undefined) return 'INFO';
  if (!['BOOK', 'PDNG', 'INFO', 'FUTR'].includes(status)) throw new MessageFault('Sts is none of BOOK, PDNG, INFO, FUTR');
  return status;
}

/** The day as the bank wrote it; of an instant its day in the bank's own time. */
function dayAt(at: Node, name: string): string | undefined {
  const found = one(at, name);
  if (found === undefined) return undefined;
  const text = textAt(found, 40, 'Dt') ?? textAt(found, 40, 'DtTm');
  const day = /^(\d{4}-\d{2}-\d{2})(?:T\d{2}:\d{2}:\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})?$/.exec(text ?? '')?.[1];
  if (day === undefined || !isDay(day)) throw new MessageFault(`${name} is no date`);
  return day;
}

function codeAt(at: Node): string | undefined {
  const domain = textAt(at, 4, 'BkTxCd', 'Domn', 'Cd');
  if (domain === undefined) return textAt(at, 35, 'BkTxCd', 'Prtry', 'Cd');
  return [domain, textAt(at, 4, 'BkTxCd', 'Domn', 'Fmly', 'Cd'), textAt(at, 4, 'BkTxCd', 'Domn', 'Fmly', 'SubFmlyCd')].filter((code) => code !== undefined).join('/');
}

function referenceAt(at: Node, name: string): string | undefined {
  const text = textAt(at, 35, 'Refs', name);
  return text === undefined || text === 'NOTPROVIDED' ? undefined : text;
}

function remittanceIn(at: Node): string {
  const lines = all(at, 'RmtInf', 'Ustrd').map((line) => requiredText({ Ustrd: line }, 140, 'Ustrd'));
  const references = all(at, 'RmtInf', 'Strd').flatMap((line) => textAt(line, 35, 'CdtrRefInf', 'Ref') ?? []);
  return [...lines, ...references].join(' ');
}

/**
 * What is wrong with the account a statement is of. Kept apart from reading: banks publish statements of made-up accounts, and
 * a statement is only taken for an account that is known anyway.
 */
export function accountFault({ account }: Pick<Statement, 'account'>): string | undefined {
  const isIban = /^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$/.test(account);
  return isIban && !isValidIBAN(account) ? 'Acct/Id/IBAN has wrong check digits, length or country' : undefined;
}

const signed = ({ amount, creditDebit }: { amount: WireMoney; creditDebit: CreditDebit }): bigint => {
  const minor = BigInt(amount.amount.replace('.', ''));
  return creditDebit === 'CRDT' ? minor : -minor;
};

/**
 * What the closing balance differs from the opening balance and the booked entries, in minor units: 0n adds up. Undefined where
 * the statement does not say both balances; `several currencies` where they cannot be summed.
 */
export function balanceDifference({ opening, closing, entries }: Pick<Statement, 'opening' | 'closing' | 'entries'>): bigint | 'several currencies' | undefined {
  if (!opening || !closing) return undefined;
  const booked = entries.filter(({ status }) => status === 'BOOK');
  if ([opening, ...booked].some(({ amount }) => amount.currency !== closing.amount.currency)) return 'several currencies';
  return signed(closing) - booked.reduce((sum, entry) => sum + signed(entry), signed(opening));
}

const ENTRIES_A_PART = 500;
const TRANSACTIONS_A_PART = 2_000;

/** One statement as the data of its events rail.statement-received: parts of at most 500 entries, one at least. */
export function statementParts(statement: Statement, source: 'rail' | 'core'): (Statement & { source: 'rail' | 'core'; part: number; parts: number })[] {
  const groups: StatementEntry[][] = [[]];
  let transactions = 0;
  for (const entry of statement.entries) {
    const last = groups.at(-1) ?? [];
    transactions += entry.transactions.length;
    if (last.length > 0 && (last.length === ENTRIES_A_PART || transactions > TRANSACTIONS_A_PART)) {
      groups.push([entry]);
      transactions = entry.transactions.length;
    } else last.push(entry);
  }
  return groups.map((entries, i) => ({ ...statement, source, part: i + 1, parts: groups.length, entries }));
}
