import { create } from 'xmlbuilder2';
import { amountAt, originalIn, reasonIn, writeAccount, writeAgent, writeAmount, writeOriginal, writeReason, type Builder } from './elements.js';
import type { Party, Recall, RecallMessage } from './payment-rail.js';
import { all, dateTimeAt, MessageFault, namespaceOf, one, requiredText, textAt, verbatim, type Node } from '@kontor/kernel/iso20022';

/** FI to FI payment cancellation request, camt.056.001.08: the recall of a transfer. */
const CAMT_056 = 'camt.056.001.08';

/**
 * Writes a camt.056; each recall is a case of its own under its id.
 * @param banks BICs of who asks and who is asked; one that is not known is written as NOTPROVIDED
 */
export function writeRecalls(message: RecallMessage, banks: { assigner?: string; assignee?: string }): string {
  const root = create({ version: '1.0', encoding: 'UTF-8' }).ele(namespaceOf(CAMT_056), 'Document').ele('FIToFIPmtCxlReq');
  writeAssignment(root, message, banks);
  root.ele('CtrlData').ele('NbOfTxs').txt(String(message.recalls.length));
  const underlying = root.ele('Undrlyg');
  for (const recall of message.recalls) {
    const entry = underlying.ele('TxInf');
    if (recall.recallId !== undefined) {
      entry.ele('CxlId').txt(verbatim(recall.recallId));
      const its = entry.ele('Case');
      its.ele('Id').txt(verbatim(recall.recallId));
      writeAgent(its.ele('Cretr').ele('Agt'), banks.assigner);
    }
    writeOriginal(entry, recall.original);
    writeAmount(entry, 'OrgnlIntrBkSttlmAmt', recall.amount);
    writeReason(entry, 'CxlRsnInf', recall.reason ?? 'CUST');
    if (recall.debtor && recall.creditor) writeParties(entry.ele('OrgnlTxRef'), recall.debtor, recall.creditor);
  }
  return root.end();
}

/** Who gives a case to whom; also in a camt.029. */
export function writeAssignment(at: Builder, { messageId, createdAt }: { messageId: string; createdAt: string }, banks: { assigner?: string; assignee?: string }): void {
  const assignment = at.ele('Assgnmt');
  assignment.ele('Id').txt(verbatim(messageId));
  writeAgent(assignment.ele('Assgnr').ele('Agt'), banks.assigner);
  writeAgent(assignment.ele('Assgne').ele('Agt'), banks.assignee);
  assignment.ele('CreDtTm').txt(verbatim(createdAt));
}

function writeParties(at: Builder, debtor: Party, creditor: Party): void {
  at.ele('Dbtr').ele('Pty').ele('Nm').txt(verbatim(debtor.name));
  writeAccount(at.ele('DbtrAcct'), debtor);
  at.ele('Cdtr').ele('Pty').ele('Nm').txt(verbatim(creditor.name));
  writeAccount(at.ele('CdtrAcct'), creditor);
}

/** Reads an opened camt.056. Whoever asks for money back must say for how much (OrgnlIntrBkSttlmAmt). @throws MessageFault */
export function readRecalls(content: Node): RecallMessage {
  const root = one(content, 'FIToFIPmtCxlReq');
  const assignment = one(root, 'Assgnmt');
  const ofAll = textAt(root, 35, 'Case', 'Id');
  const recalls = all(root, 'Undrlyg').flatMap((underlying) => {
    const group = textAt(all(underlying, 'OrgnlGrpInfAndCxl')[0], 35, 'OrgnlMsgId');
    return all(underlying, 'TxInf').map((entry) => readRecall(entry, group, ofAll));
  });
  if (recalls.length === 0) throw new MessageFault('TxInf is missing: recall each transaction by itself');
  const claimed = textAt(root, 15, 'CtrlData', 'NbOfTxs');
  if (claimed !== undefined && Number(claimed) !== recalls.length) throw new MessageFault(`NbOfTxs says ${claimed}, the message has ${recalls.length} transactions`);
  return { messageId: requiredText(assignment, 35, 'Id'), createdAt: dateTimeAt(assignment, 'CreDtTm'), recalls };
}

function readRecall(entry: Node, group: string | undefined, ofAll: string | undefined): Recall {
  const recallId = textAt(entry, 35, 'CxlId') ?? textAt(entry, 35, 'Case', 'Id') ?? ofAll;
  const reason = reasonIn(entry, 'CxlRsnInf');
  return {
    ...(recallId === undefined ? {} : { recallId }),
    original: originalIn(entry, group),
    amount: amountAt(entry, 'OrgnlIntrBkSttlmAmt'),
    ...(reason === undefined ? {} : { reason }),
  };
}
