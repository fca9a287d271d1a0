import { create } from 'xmlbuilder2';
import { namespaceOf, verbatim } from './iso20022.js';
import { formatMoney, zero, type Money } from './money.js';

/** Bank to customer statement, camt.053.001.08. */
const CAMT_053 = 'camt.053.001.08';

/** A statement of account. Where a text is longer than its element takes, the element holds its beginning. */
export interface StatementDocument {
  /** At most 35 characters, as `id`. */
  messageId: string;
  id: string;
  /** Of this account's statements. */
  sequence?: number;
  createdAt: Date;
  /** The period, both days included; days of UTC. */
  period: { from: string; to: string };
  account: { iban: string; currency: string; owner?: string; servicerBic?: string };
  /** Signed: a negative balance is written as a debit. The date of the opening balance is the period's first day. */
  opening: Money;
  closing: Money;
  lines: Iterable<StatementLine>;
}

export interface StatementParty {
  name?: string;
  iban?: string;
}

/** One booked or pending movement. */
export interface StatementLine {
  /** NtryRef, at most 35 characters: the ledger's sequence number. */
  reference: string;
  /** Positive, in the account's currency. */
  amount: Money;
  creditDebit: 'CRDT' | 'DBIT';
  /** It takes back an earlier booking. */
  reversal?: boolean;
  /** BOOK unless said otherwise. */
  status?: 'BOOK' | 'PDNG';
  bookingDate: string;
  valueDate: string;
  /** The bank's reference; a UUID is written without hyphens (35 characters). */
  servicerReference?: string;
  /** ISO 20022 bank transaction code; PMNT/RCDT/ESCT or PMNT/ICDT/ESCT unless said otherwise. */
  code?: { domain: string; family: string; subFamily: string };
  endToEndId?: string;
  transactionId?: string;
  uetr?: string;
  debtor?: StatementParty;
  creditor?: StatementParty;
  remittance?: string;
  /** ISO 20022 external return reason, when the movement sends money back. */
  returnReason?: string;
}

type Builder = ReturnType<typeof create>;

/**
 * Writes the statement as XML. The summary and what it says of the balances is what the lines are: whoever gives lines that do not
 * lead from the opening to the closing balance gets a statement that says so, not one made to fit.
 */
export function writeStatement(document: StatementDocument): string {
  const root = create({ version: '1.0', encoding: 'UTF-8' }).ele(namespaceOf(CAMT_053), 'Document').ele('BkToCstmrStmt');
  const header = root.ele('GrpHdr');
  put(header, 'MsgId', document.messageId, 35);
  put(header, 'CreDtTm', document.createdAt.toISOString());
  const at = root.ele('Stmt');
  put(at, 'Id', document.id, 35);
  if (document.sequence !== undefined) put(at, 'ElctrncSeqNb', String(document.sequence));
  put(at, 'CreDtTm', document.createdAt.toISOString());
  const period = at.ele('FrToDt');
  put(period, 'FrDtTm', `${document.period.from}T00:00:00Z`);
  put(period, 'ToDtTm', `${document.period.to}T23:59:59Z`);
  writeAccount(at.ele('Acct'), document.account);
  writeBalance(at.ele('Bal'), 'OPBD', document.opening, document.period.from);
  writeBalance(at.ele('Bal'), 'CLBD', document.closing, document.period.to);
  const lines = [...document.lines];
  writeSummary(at.ele('TxsSummry'), lines, document.account.currency);
  for (const line of lines) writeLine(at.ele('Ntry'), line);
  return root.end();
}

/** An element with text that XML can hold (XML 1.0 §2.2), not longer than it may be. */
function put(at: Builder, name: string, text: string, most = 140): void {
  const clean = text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu, ' ');
  at.ele(name).txt(verbatim([...clean].slice(0, most).join('')));
}

function writeAccount(at: Builder, { iban, currency, owner, servicerBic }: StatementDocument['account']): void {
  put(at.ele('Id'), 'IBAN', iban);
  put(at, 'Ccy', currency);
  if (owner) put(at.ele('Ownr'), 'Nm', owner);
  if (servicerBic !== undefined) put(at.ele('Svcr').ele('FinInstnId'), 'BICFI', servicerBic);
}

function writeAmount(at: Builder, money: Money): void {
  const { amount, currency } = formatMoney(money);
  at.ele('Amt', { Ccy: currency }).txt(amount);
}

function writeBalance(at: Builder, type: 'OPBD' | 'CLBD', balance: Money, date: string): void {
  put(at.ele('Tp').ele('CdOrPrtry'), 'Cd', type);
  writeAmount(at, { ...balance, minor: balance.minor < 0n ? -balance.minor : balance.minor });
  put(at, 'CdtDbtInd', balance.minor < 0n ? 'DBIT' : 'CRDT');
  put(at.ele('Dt'), 'Dt', date);
}

function writeSummary(at: Builder, lines: StatementLine[], currency: string): void {
  for (const [name, side] of [['TtlCdtNtries', 'CRDT'], ['TtlDbtNtries', 'DBIT']] as const) {
    const booked = lines.filter(({ creditDebit, status }) => creditDebit === side && status !== 'PDNG');
    const total = at.ele(name);
    put(total, 'NbOfNtries', String(booked.length));
    put(total, 'Sum', formatMoney({ ...zero(currency), minor: booked.reduce((sum, { amount }) => sum + amount.minor, 0n) }).amount);
  }
}

function writeLine(at: Builder, line: StatementLine): void {
  put(at, 'NtryRef', line.reference, 35);
  writeAmount(at, line.amount);
  put(at, 'CdtDbtInd', line.creditDebit);
  if (line.reversal) put(at, 'RvslInd', 'true');
  put(at.ele('Sts'), 'Cd', line.status ?? 'BOOK');
  put(at.ele('BookgDt'), 'Dt', line.bookingDate);
  put(at.ele('ValDt'), 'Dt', line.valueDate);
  if (line.servicerReference !== undefined) put(at, 'AcctSvcrRef', line.servicerReference.replaceAll('-', ''), 35);
  const code = line.code ?? { domain: 'PMNT', family: line.creditDebit === 'CRDT' ? 'RCDT' : 'ICDT', subFamily: 'ESCT' };
  const domain = at.ele('BkTxCd').ele('Domn');
  put(domain, 'Cd', code.domain);
  const family = domain.ele('Fmly');
  put(family, 'Cd', code.family);
  put(family, 'SubFmlyCd', code.subFamily);
  writeDetails(at, line);
}

function writeDetails(entry: Builder, line: StatementLine): void {
  const { endToEndId, transactionId, uetr, debtor, creditor, remittance, returnReason } = line;
  if ([endToEndId, transactionId, uetr, debtor, creditor, remittance, returnReason].every((part) => part === undefined)) return;
  const at = entry.ele('NtryDtls').ele('TxDtls');
  if (endToEndId !== undefined || uetr !== undefined || transactionId !== undefined) {
    const references = at.ele('Refs');
    if (endToEndId) put(references, 'EndToEndId', endToEndId, 35);
    if (uetr !== undefined) put(references, 'UETR', uetr);
    if (transactionId) put(references, 'TxId', transactionId, 35);
  }
  writeAmount(at, line.amount);
  put(at, 'CdtDbtInd', line.creditDebit);
  writeParties(at, debtor, creditor);
  if (remittance) {
    const information = at.ele('RmtInf');
    const characters = [...remittance];
    for (let i = 0; i < characters.length; i += 140) put(information, 'Ustrd', characters.slice(i, i + 140).join(''));
  }
  if (returnReason !== undefined) put(at.ele('RtrInf').ele('Rsn'), /^[A-Z0-9]{4}$/.test(returnReason) ? 'Cd' : 'Prtry', returnReason, 35);
}

function writeParties(at: Builder, debtor: StatementParty | undefined, creditor: StatementParty | undefined): void {
  const parties = [['Dbtr', debtor], ['Cdtr', creditor]] as const;
  if (parties.every(([, party]) => !party?.name && !party?.iban)) return;
  const related = at.ele('RltdPties');
  for (const [name, party] of parties) {
    if (party?.name) put(related.ele(name).ele('Pty'), 'Nm', party.name);
    if (party?.iban) put(related.ele(`${name}Acct`).ele('Id'), 'IBAN', party.iban);
  }
}
