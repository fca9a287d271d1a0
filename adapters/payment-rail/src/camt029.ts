import { create } from 'xmlbuilder2';
import { writeAssignment } from './camt056.js';
import { originalIn, reasonIn, writeAgent, writeOriginal, writeReason } from './elements.js';
import type { RecallAnswer, RecallAnswerMessage } from './payment-rail.js';
import { all, dateTimeAt, MessageFault, namespaceOf, one, requiredText, textAt, verbatim, type Node } from '@kontor/kernel/iso20022';

/** Resolution of investigation, camt.029.001.09: the answer to a recall. */
const CAMT_029 = 'camt.029.001.09';

/** ExternalInvestigationExecutionConfirmation1Code and CancellationIndividualStatus1Code of an answer. */
const WRITTEN = { accepted: ['CNCL', 'ACCR'], refused: ['RJCR', 'RJCR'], pending: ['PDCR', 'PDCR'] } as const;

/** What the codes of others mean. IPAY: "the result is, or will be, a payment"; PECR: cancelled in part; FTNA: passed on. */
const CONFIRMED: Record<string, RecallAnswer['outcome']> = {
  CNCL: 'accepted', IPAY: 'accepted', IPYI: 'accepted', PECR: 'accepted', RJCR: 'refused', PDCR: 'pending', PDNG: 'pending', FTNA: 'pending', CWFW: 'pending',
};
const INDIVIDUAL: Record<string, RecallAnswer['outcome']> = { ACCR: 'accepted', PACR: 'accepted', RJCR: 'refused', PDCR: 'pending' };

/**
 * Writes a camt.029 with one answer, which decides the status of the whole.
 * @param banks BICs of who answers and who had asked
 */
export function writeRecallAnswer(message: RecallAnswerMessage & { answers: [RecallAnswer] }, banks: { assigner?: string; assignee?: string }): string {
  const [answer] = message.answers;
  const root = create({ version: '1.0', encoding: 'UTF-8' }).ele(namespaceOf(CAMT_029), 'Document').ele('RsltnOfInvstgtn');
  writeAssignment(root, message, banks);
  const [confirmation, status] = WRITTEN[answer.outcome];
  root.ele('Sts').ele('Conf').txt(confirmation);
  const entry = root.ele('CxlDtls').ele('TxInfAndSts');
  if (answer.recallId !== undefined) {
    const resolved = entry.ele('RslvdCase');
    resolved.ele('Id').txt(verbatim(answer.recallId));
    writeAgent(resolved.ele('Cretr').ele('Agt'), banks.assignee);
  }
  writeOriginal(entry, answer.original);
  entry.ele('TxCxlSts').txt(status);
  if (answer.outcome === 'refused') writeReason(entry, 'CxlStsRsnInf', answer.reason ?? 'AGNT');
  return root.end();
}

/** Reads an opened camt.029: what it says of each recalled transaction, or of the case as a whole. @throws MessageFault */
export function readRecallAnswers(content: Node): RecallAnswerMessage {
  const root = one(content, 'RsltnOfInvstgtn');
  const assignment = one(root, 'Assgnmt');
  const confirmation = textAt(root, 4, 'Sts', 'Conf');
  const whole = confirmation === undefined || !Object.hasOwn(CONFIRMED, confirmation) ? undefined : CONFIRMED[confirmation];
  const ofAll = textAt(root, 35, 'RslvdCase', 'Id');
  const answers = all(root, 'CxlDtls').flatMap((details) => {
    const group = all(details, 'OrgnlGrpInfAndSts')[0];
    return all(details, 'TxInfAndSts').flatMap((entry) => readAnswer(entry, { whole, ofAll, group }));
  });
  if (answers.length === 0 && ofAll !== undefined && whole !== undefined) answers.push({ recallId: ofAll, original: {}, outcome: whole });
  return { messageId: requiredText(assignment, 35, 'Id'), createdAt: dateTimeAt(assignment, 'CreDtTm'), answers };
}

function readAnswer(entry: Node, of: { whole: RecallAnswer['outcome'] | undefined; ofAll: string | undefined; group: Node | undefined }): RecallAnswer[] {
  const status = textAt(entry, 4, 'TxCxlSts');
  if (status !== undefined && !Object.hasOwn(INDIVIDUAL, status)) throw new MessageFault('TxCxlSts is no status of a cancellation');
  const outcome = status === undefined ? of.whole : INDIVIDUAL[status];
  if (outcome === undefined) return [];
  // The original of an answer may be the camt.056 itself instead of the transfer: its id is the recall's then.
  const about = textAt(of.group, 35, 'OrgnlMsgNmId')?.startsWith('camt.056') ? textAt(of.group, 35, 'OrgnlMsgId') : undefined;
  const recallId = textAt(entry, 35, 'RslvdCase', 'Id') ?? textAt(of.group, 35, 'RslvdCase', 'Id') ?? of.ofAll ?? about;
  const reason = reasonIn(entry, 'CxlStsRsnInf');
  return [{
    ...(recallId === undefined ? {} : { recallId }),
    original: originalIn(entry, about === undefined ? textAt(of.group, 35, 'OrgnlMsgId') : undefined),
    outcome,
    ...(reason === undefined ? {} : { reason }),
  }];
}
