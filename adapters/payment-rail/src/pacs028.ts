import { create } from 'xmlbuilder2';
import { originalIn, writeOriginal } from './elements.js';
import type { StatusRequestMessage } from './payment-rail.js';
import { all, dateTimeAt, MessageFault, namespaceOf, one, requiredText, verbatim, type Node } from '@kontor/kernel/iso20022';

/** FI to FI payment status request, pacs.028.001.03: what became of a payment? */
const PACS_028 = 'pacs.028.001.03';

/** Writes a pacs.028 about one or many transactions. */
export function writeStatusRequest(message: StatusRequestMessage): string {
  const root = create({ version: '1.0', encoding: 'UTF-8' }).ele(namespaceOf(PACS_028), 'Document').ele('FIToFIPmtStsReq');
  const header = root.ele('GrpHdr');
  header.ele('MsgId').txt(verbatim(message.messageId));
  header.ele('CreDtTm').txt(verbatim(message.createdAt));
  for (const original of message.originals) {
    const entry = root.ele('TxInf');
    entry.ele('StsReqId').txt(verbatim(message.messageId));
    writeOriginal(entry, original);
  }
  return root.end();
}

/** Reads an opened pacs.028. @throws MessageFault */
export function readStatusRequest(content: Node): StatusRequestMessage {
  const root = one(content, 'FIToFIPmtStsReq');
  const header = one(root, 'GrpHdr');
  const originals = all(root, 'TxInf').map((entry) => originalIn(entry));
  if (originals.length === 0) throw new MessageFault('TxInf is missing');
  return { messageId: requiredText(header, 35, 'MsgId'), createdAt: dateTimeAt(header, 'CreDtTm'), originals };
}
