import { create } from 'xmlbuilder2';
import { amountAt, totalsIn, uetrAt, writeAccount, writeAgent, writeAmount, type Builder } from './elements.js';
import type { CreditTransfer, CreditTransferMessage, Party } from './payment-rail.js';
import { all, dateAt, dateTimeAt, MessageFault, namespaceOf, one, requiredText, textAt, verbatim, type Node } from '@kontor/kernel/iso20022';

/** FI to FI customer credit transfer, pacs.008.001.08. */
const PACS_008 = 'pacs.008.001.08';

/**
 * Writes a pacs.008: clearing settlement, charges as the service level says (SEPA).
 * @param banks BICs; an agent whose BIC is not known is written as NOTPROVIDED (EPC: IBAN-only)
 */
export function writeCreditTransfers(message: CreditTransferMessage, banks: { debtorAgent?: string; creditorAgent?: string }): string {
  const root = create({ version: '1.0', encoding: 'UTF-8' }).ele(namespaceOf(PACS_008), 'Document').ele('FIToFICstmrCdtTrf');
  const header = root.ele('GrpHdr');
  header.ele('MsgId').txt(verbatim(message.messageId));
  header.ele('CreDtTm').txt(verbatim(message.createdAt));
  header.ele('NbOfTxs').txt(String(message.transfers.length));
  const total = message.claimed?.total ?? (message.transfers.length === 1 ? message.transfers[0]?.amount : undefined);
  if (total) writeAmount(header, 'TtlIntrBkSttlmAmt', total);
  header.ele('IntrBkSttlmDt').txt(verbatim(message.createdAt.slice(0, 10)));
  header.ele('SttlmInf').ele('SttlmMtd').txt('CLRG');
  for (const transfer of message.transfers) writeTransfer(root.ele('CdtTrfTxInf'), transfer, banks);
  return root.end();
}

function writeTransfer(at: Builder, transfer: CreditTransfer, banks: { debtorAgent?: string; creditorAgent?: string }): void {
  const ids = at.ele('PmtId');
  if (transfer.instructionId !== undefined) ids.ele('InstrId').txt(verbatim(transfer.instructionId));
  ids.ele('EndToEndId').txt(verbatim(transfer.endToEndId));
  if (transfer.transactionId !== undefined) ids.ele('TxId').txt(verbatim(transfer.transactionId));
  if (transfer.uetr !== undefined) ids.ele('UETR').txt(verbatim(transfer.uetr));
  if (transfer.instant) {
    const type = at.ele('PmtTpInf');
    type.ele('SvcLvl').ele('Cd').txt('SEPA');
    type.ele('LclInstrm').ele('Cd').txt('INST');
  }
  writeAmount(at, 'IntrBkSttlmAmt', transfer.amount);
  if (transfer.acceptedAt !== undefined) at.ele('AccptncDtTm').txt(verbatim(transfer.acceptedAt));
  at.ele('ChrgBr').txt('SLEV');
  at.ele('Dbtr').ele('Nm').txt(verbatim(transfer.debtor.name));
  writeAccount(at.ele('DbtrAcct'), transfer.debtor);
  writeAgent(at.ele('DbtrAgt'), banks.debtorAgent);
  writeAgent(at.ele('CdtrAgt'), banks.creditorAgent);
  at.ele('Cdtr').ele('Nm').txt(verbatim(transfer.creditor.name));
  writeAccount(at.ele('CdtrAcct'), transfer.creditor);
  if (transfer.remittance !== undefined) at.ele('RmtInf').ele('Ustrd').txt(verbatim(transfer.remittance));
}

/** Reads an opened pacs.008. What a schema would say is checked here too, for the elements that are used. @throws MessageFault */
export function readCreditTransfers(content: Node): CreditTransferMessage {
  const root = one(content, 'FIToFICstmrCdtTrf');
  const header = one(root, 'GrpHdr');
  const claimed = totalsIn(header, 'TtlIntrBkSttlmAmt');
  dateAt(header, 'IntrBkSttlmDt');
  const transfers = all(root, 'CdtTrfTxInf').map(readTransfer);
  if (transfers.length === 0) throw new MessageFault('CdtTrfTxInf is missing');
  return {
    messageId: requiredText(header, 35, 'MsgId'),
    createdAt: dateTimeAt(header, 'CreDtTm'),
    claimed,
    transfers,
  };
}

function readTransfer(at: Node): CreditTransfer {
  const instructionId = textAt(at, 35, 'PmtId', 'InstrId');
  const transactionId = textAt(at, 35, 'PmtId', 'TxId');
  const uetr = uetrAt(at, 'PmtId', 'UETR');
  const instant = textAt(at, 35, 'PmtTpInf', 'LclInstrm', 'Cd') === 'INST';
  const acceptedAt = one(at, 'AccptncDtTm') === undefined ? undefined : dateTimeAt(at, 'AccptncDtTm');
  dateAt(at, 'IntrBkSttlmDt');
  const agents = ['InstgAgt', 'InstdAgt', 'DbtrAgt', 'CdtrAgt'].flatMap((agent) => textAt(at, 11, agent, 'FinInstnId', 'BICFI') ?? []);
  const remittance = all(at, 'RmtInf', 'Ustrd').map((line) => textAt(line, 140) ?? '').join(' ');
  return {
    endToEndId: requiredText(at, 35, 'PmtId', 'EndToEndId'),
    ...(instructionId === undefined ? {} : { instructionId }),
    ...(transactionId === undefined ? {} : { transactionId }),
    ...(uetr === undefined ? {} : { uetr }),
    ...(instant ? { instant } : {}),
    ...(acceptedAt === undefined ? {} : { acceptedAt }),
    amount: amountAt(at, 'IntrBkSttlmAmt'),
    debtor: partyAt(at, 'Dbtr', 'DbtrAcct'),
    creditor: partyAt(at, 'Cdtr', 'CdtrAcct'),
    agents,
    ...(remittance === '' ? {} : { remittance }),
  };
}

function partyAt(at: Node, party: string, account: string): Party {
  const iban = textAt(at, 34, account, 'Id', 'IBAN');
  if (iban !== undefined && !/^[A-Z]{2}[0-9]{2}[A-Za-z0-9]{1,30}$/.test(iban)) throw new MessageFault(`${account} is no IBAN`);
  return { name: textAt(at, 140, party, 'Nm') ?? 'NOTPROVIDED', ...(iban === undefined ? {} : { iban }) };
}
