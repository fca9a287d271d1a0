import { create } from 'xmlbuilder2';
import { reasonIn, referenceIn, writeReason } from './elements.js';
import type { StatusReport, StatusReportMessage, TransactionReference } from './payment-rail.js';
import { all, dateTimeAt, MessageFault, namespaceOf, one, requiredText, textAt, verbatim, type Node } from '@kontor/kernel/iso20022';

/** FI to FI payment status report, pacs.002.001.10. */
const PACS_002 = 'pacs.002.001.10';

const REFERENCE_ELEMENT: Record<TransactionReference['kind'], string> = { instr: 'OrgnlInstrId', e2e: 'OrgnlEndToEndId', tx: 'OrgnlTxId' };

/** Writes a pacs.002 with one entry a report. A reason that is no four-character code travels as NARR with its text. */
export function writeStatusReports(message: StatusReportMessage): string {
  const root = create({ version: '1.0', encoding: 'UTF-8' }).ele(namespaceOf(PACS_002), 'Document').ele('FIToFIPmtStsRpt');
  const header = root.ele('GrpHdr');
  header.ele('MsgId').txt(verbatim(message.messageId));
  header.ele('CreDtTm').txt(verbatim(message.createdAt));
  for (const { originalMessageId, originalMessage, reference, status, reason } of message.reports) {
    const entry = root.ele('TxInfAndSts');
    if (originalMessageId !== undefined) {
      const group = entry.ele('OrgnlGrpInf');
      group.ele('OrgnlMsgId').txt(verbatim(originalMessageId));
      group.ele('OrgnlMsgNmId').txt(originalMessage ?? 'pacs.008.001.08');
    }
    if (reference) entry.ele(REFERENCE_ELEMENT[reference.kind]).txt(verbatim(reference.id));
    entry.ele('TxSts').txt(verbatim(status));
    if (reason !== undefined) writeReason(entry, 'StsRsnInf', reason);
  }
  return root.end();
}

/** Reads an opened pacs.002: its transactions, or, where it has none, what it says of whole messages. @throws MessageFault */
export function readStatusReports(content: Node): StatusReportMessage {
  const root = one(content, 'FIToFIPmtStsRpt');
  const header = one(root, 'GrpHdr');
  const messageId = requiredText(header, 35, 'MsgId');
  const createdAt = dateTimeAt(header, 'CreDtTm');
  const groups = all(root, 'OrgnlGrpInfAndSts');
  const onlyGroup = groups.length === 1 ? textAt(groups[0], 35, 'OrgnlMsgId') : undefined;
  const transactions = all(root, 'TxInfAndSts').map((entry) => readTransaction(entry, onlyGroup));
  const reports = transactions.length > 0 ? transactions : groups.flatMap(readGroup);
  return { messageId, createdAt, reports };
}

function readTransaction(entry: Node, onlyGroup: string | undefined): StatusReport {
  const originalMessageId = textAt(entry, 35, 'OrgnlGrpInf', 'OrgnlMsgId') ?? onlyGroup;
  const reference = referenceIn(entry);
  return {
    status: statusAt(entry, 'TxSts') ?? 'NONE',
    ...(originalMessageId === undefined ? {} : { originalMessageId }),
    ...(reference === undefined ? {} : { reference }),
    ...because(entry),
  };
}

function readGroup(group: Node): StatusReport[] {
  const status = statusAt(group, 'GrpSts');
  const originalMessageId = requiredText(group, 35, 'OrgnlMsgId');
  return status === undefined ? [] : [{ originalMessageId, status, ...because(group) }];
}

function statusAt(node: Node, name: string): string | undefined {
  const status = textAt(node, 4, name);
  if (status !== undefined && !/^[A-Z]{4}$/.test(status)) throw new MessageFault(`${name} is no status code`);
  return status;
}

function because(node: Node): { reason?: string } {
  const reason = reasonIn(node, 'StsRsnInf');
  return reason === undefined ? {} : { reason };
}
