import { create } from 'xmlbuilder2';
import { amountAt, optionalAmountAt, originalIn, reasonIn, totalsIn, writeAmount, writeOriginal, writeReason } from './elements.js';
import type { PaymentReturn, PaymentReturnMessage } from './payment-rail.js';
import { all, dateAt, dateTimeAt, MessageFault, namespaceOf, one, requiredText, textAt, verbatim, type Node } from '@kontor/kernel/iso20022';

/** Payment return, pacs.004.001.09: money that was settled goes back. */
const PACS_004 = 'pacs.004.001.09';

/** Writes a pacs.004: clearing settlement, charges as the service level says. */
export function writePaymentReturns(message: PaymentReturnMessage): string {
  const root = create({ version: '1.0', encoding: 'UTF-8' }).ele(namespaceOf(PACS_004), 'Document').ele('PmtRtr');
  const header = root.ele('GrpHdr');
  header.ele('MsgId').txt(verbatim(message.messageId));
  header.ele('CreDtTm').txt(verbatim(message.createdAt));
  header.ele('NbOfTxs').txt(String(message.returns.length));
  const total = message.claimed?.total ?? (message.returns.length === 1 ? message.returns[0]?.amount : undefined);
  if (total) writeAmount(header, 'TtlRtrdIntrBkSttlmAmt', total);
  header.ele('IntrBkSttlmDt').txt(verbatim(message.createdAt.slice(0, 10)));
  header.ele('SttlmInf').ele('SttlmMtd').txt('CLRG');
  for (const one of message.returns) {
    const entry = root.ele('TxInf');
    if (one.returnId !== undefined) entry.ele('RtrId').txt(verbatim(one.returnId));
    writeOriginal(entry, one.original);
    if (one.originalAmount) writeAmount(entry, 'OrgnlIntrBkSttlmAmt', one.originalAmount);
    writeAmount(entry, 'RtrdIntrBkSttlmAmt', one.amount);
    entry.ele('ChrgBr').txt('SLEV');
    writeReason(entry, 'RtrRsnInf', one.reason ?? 'MS03');
  }
  return root.end();
}

/** Reads an opened pacs.004. One without transactions returns a whole message (GrpRtr) and must say how much. @throws MessageFault */
export function readPaymentReturns(content: Node): PaymentReturnMessage {
  const root = one(content, 'PmtRtr');
  const header = one(root, 'GrpHdr');
  const claimed = totalsIn(header, 'TtlRtrdIntrBkSttlmAmt');
  dateAt(header, 'IntrBkSttlmDt');
  const group = textAt(root, 35, 'OrgnlGrpInf', 'OrgnlMsgId');
  const groupReason = reasonIn(root, 'OrgnlGrpInf', 'RtrRsnInf');
  const entries = all(root, 'TxInf');
  const message = { messageId: requiredText(header, 35, 'MsgId'), createdAt: dateTimeAt(header, 'CreDtTm') };
  if (entries.length > 0) return { ...message, claimed, returns: entries.map((entry) => readReturn(entry, group, groupReason)) };
  if (group === undefined) throw new MessageFault('TxInf is missing');
  return {
    ...message,
    returns: [{ original: { messageId: group }, amount: amountAt(header, 'TtlRtrdIntrBkSttlmAmt'), ...(groupReason === undefined ? {} : { reason: groupReason }) }],
  };
}

function readReturn(entry: Node, group: string | undefined, groupReason: string | undefined): PaymentReturn {
  const returnId = textAt(entry, 35, 'RtrId');
  const originalAmount = optionalAmountAt(entry, 'OrgnlIntrBkSttlmAmt');
  const reason = reasonIn(entry, 'RtrRsnInf') ?? groupReason;
  dateAt(entry, 'IntrBkSttlmDt');
  return {
    ...(returnId === undefined ? {} : { returnId }),
    original: originalIn(entry, group),
    amount: amountAt(entry, 'RtrdIntrBkSttlmAmt'),
    ...(originalAmount === undefined ? {} : { originalAmount }),
    ...(reason === undefined ? {} : { reason }),
  };
}
