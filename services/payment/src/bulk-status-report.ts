/** The status report of a bulk: as JSON, and as ISO 20022 pain.002.001.10. Pure. */
import { createCB } from 'xmlbuilder2';
import { namespaceOf, verbatim } from '@kontor/kernel/iso20022';
import { groupStatus, itemStatus, type Counts, type GroupStatus } from './bulk.js';
import type { Bulk, BulkBatch, BulkItem } from './bulk-repository.js';
import type { Status } from './life.js';

export interface ReportedItem {
  item: number;
  status: Status;
  endToEndId: string;
  instructionId?: string;
  uetr?: string;
  paymentId?: string;
  reason?: string;
  detail?: string;
}

export interface StatusReport {
  bulk: Bulk;
  status: GroupStatus;
  at: Date;
  batches: { batchId: string; status: GroupStatus; transactions: number; controlSum?: string; items: ReportedItem[] }[];
}

/** @param items all of the bulk, in its order */
export function statusReport(bulk: Bulk, batches: readonly BulkBatch[], items: readonly BulkItem[], at: Date): StatusReport {
  const of = new Map<number, ReportedItem[]>(batches.map(({ batch }) => [batch, []]));
  for (const one of items) of.get(one.batch)?.push(reported(one));
  return {
    bulk, status: groupStatus(bulk), at,
    batches: batches.map(({ batch, batchId, transactions, controlSum }) => {
      const own = of.get(batch) ?? [];
      return { batchId, transactions, ...(controlSum === undefined ? {} : { controlSum }), status: groupStatus(countsOf(own)), items: own };
    }),
  };
}

function reported({ item, state, status, statusReason, refusal, endToEndId, instructionId, uetr, paymentId }: BulkItem): ReportedItem {
  const reason = refusal?.reason ?? statusReason;
  return {
    item, status: itemStatus(state, status), endToEndId,
    ...(instructionId === undefined ? {} : { instructionId }), ...(uetr === undefined ? {} : { uetr }), ...(paymentId === undefined ? {} : { paymentId }),
    ...(reason === undefined ? {} : { reason }), ...(refusal === undefined ? {} : { detail: refusal.detail }),
  };
}

function countsOf(items: readonly ReportedItem[]): Counts {
  const count = (...statuses: Status[]): number => items.filter(({ status }) => statuses.includes(status)).length;
  const [settled, refused] = [count('ACSC', 'ACCC'), count('RJCT', 'CANC')];
  return { transactions: items.length, settled, refused, cancelled: 0, rejected: 0, open: items.length - settled - refused };
}

/** ISO 20022 Max105Text. */
const MOST_INFORMATION = 105;

/**
 * Writes the pain.002. Element by element: a report of 10,000 transactions is never a tree in memory.
 * @param messageId of the report, at most 35 characters
 */
export function writeStatusReport({ bulk, status, at, batches }: StatusReport, messageId: string): string {
  const parts: string[] = [];
  const xml = createCB({ data: (text: string) => { parts.push(text); }, error: (fault: Error) => { throw fault; } });
  const leaf = (name: string, text: string): void => { xml.ele(name).txt(verbatim(text)).up(); };
  xml.dec({ encoding: 'UTF-8' }).ele(namespaceOf('pain.002.001.10'), 'Document').ele('CstmrPmtStsRpt');
  xml.ele('GrpHdr');
  leaf('MsgId', messageId);
  leaf('CreDtTm', at.toISOString());
  xml.up().ele('OrgnlGrpInfAndSts');
  leaf('OrgnlMsgId', bulk.messageId);
  leaf('OrgnlMsgNmId', bulk.source === 'pain.001' ? 'pain.001.001.09' : 'JSON');
  if (bulk.messageCreatedAt !== undefined) leaf('OrgnlCreDtTm', bulk.messageCreatedAt);
  leaf('OrgnlNbOfTxs', String(bulk.transactions));
  if (bulk.controlSum !== undefined) leaf('OrgnlCtrlSum', bulk.controlSum);
  leaf('GrpSts', status);
  xml.up();
  for (const batch of batches) {
    xml.ele('OrgnlPmtInfAndSts');
    leaf('OrgnlPmtInfId', batch.batchId);
    leaf('OrgnlNbOfTxs', String(batch.transactions));
    if (batch.controlSum !== undefined) leaf('OrgnlCtrlSum', batch.controlSum);
    leaf('PmtInfSts', batch.status);
    for (const { item, status: reached, endToEndId, instructionId, uetr, reason, detail } of batch.items) {
      xml.ele('TxInfAndSts');
      leaf('StsId', String(item));
      if (instructionId !== undefined) leaf('OrgnlInstrId', instructionId);
      leaf('OrgnlEndToEndId', endToEndId);
      if (uetr !== undefined) leaf('OrgnlUETR', uetr);
      leaf('TxSts', reached);
      if (reason !== undefined) {
        xml.ele('StsRsnInf').ele('Rsn');
        leaf('Cd', reason);
        xml.up();
        if (detail !== undefined) leaf('AddtlInf', detail.slice(0, MOST_INFORMATION));
        xml.up();
      }
      xml.up();
    }
    xml.up();
  }
  xml.end();
  return parts.join('');
}
