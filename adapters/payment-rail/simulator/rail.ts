import { createHash } from 'node:crypto';
import { readStatusReports, writeStatusReports } from '../src/pacs002.js';
import { readCreditTransfers, writeCreditTransfers } from '../src/pacs008.js';
import { EXCHANGED, referenceOf, type StatusReport } from '../src/payment-rail.js';
import type { SimulatedTransfer } from '../src/rail-client.js';
import { loadSchemas, openMessage } from '@kontor/kernel/iso20022';
import { planFor, type Plan } from './behaviour.js';
import { openJournal } from './journal.js';

/** Correlation that came with a message and goes back with what is sent about it. */
export interface Trace {
  correlationId: string;
  traceparent: string;
}

/** A message the rail will deliver to the bank, sooner or later. `dueAt` is in Unix milliseconds. */
export interface Delivery {
  id: string;
  dueAt: number;
  xml: string;
  trace: Trace;
}

type Entry =
  /** `reports`: what the bank answered to transfers of the rail. */
  | { type: 'accepted'; messageId: string; hash: string; deliveries: Delivery[]; reports?: StatusReport[] }
  /** `refused`: the bank said it can never take it (400). */
  | { type: 'delivered'; id: string; refused: boolean };

/** What became of a transfer the rail was asked to simulate. */
export interface TransferOutcome {
  messageId: string;
  status: 'pending' | 'ACSC' | 'RJCT';
  reason?: string;
}

/** The memory of the rail: everything it has acknowledged, on disk. */
export interface Rail {
  /** Takes a pacs.008 or pacs.002 of the bank. 'known' when it had it already; 'differs' when the MsgId was used for another. @throws MessageFault */
  accept(body: Buffer, trace: Trace): Promise<'accepted' | 'known' | 'differs'>;
  /** Takes the order to send a transfer to the bank. */
  order(transfer: SimulatedTransfer, trace: Trace): Promise<'accepted' | 'known' | 'differs'>;
  outcome(messageId: string): TransferOutcome | undefined;
  /** What is still to be delivered, oldest first. */
  pending(): Delivery[];
  delivered(id: string, refused: boolean): Promise<void>;
  close(): Promise<void>;
}

const NO_SCHEMAS = loadSchemas(undefined);

/**
 * Opens the rail's memory.
 * @param options.scheduled is called for each delivery, old ones included
 */
export async function openRail(options: { file: string; seed: string; bankBic: string; now: () => number; scheduled: (delivery: Delivery) => void }): Promise<Rail> {
  const journal = await openJournal<Entry>(options.file);
  const messages = new Map<string, { hash: string; known: Promise<void> }>();
  const deliveries = new Map<string, Delivery>();
  const outcomes = new Map<string, TransferOutcome>();
  for (const entry of journal.entries) remember(entry);
  for (const delivery of deliveries.values()) options.scheduled(delivery);

  function remember(entry: Entry): void {
    if (entry.type === 'delivered') deliveries.delete(entry.id);
    else {
      if (!messages.has(entry.messageId)) messages.set(entry.messageId, { hash: entry.hash, known: Promise.resolve() });
      for (const delivery of entry.deliveries) deliveries.set(delivery.id, delivery);
      for (const report of entry.reports ?? []) learn(report);
    }
  }

  function learn({ originalMessageId, status, reason }: StatusReport): void {
    if (originalMessageId === undefined || (status !== 'ACSC' && status !== 'RJCT')) return;
    outcomes.set(originalMessageId, { messageId: originalMessageId, status, ...(reason === undefined ? {} : { reason }) });
  }

  /** Once by message id; a repeat waits until the first is on the disk. */
  async function take(messageId: string, hash: string, deliveriesOf: () => Delivery[], reports?: StatusReport[]): Promise<'accepted' | 'known' | 'differs'> {
    const before = messages.get(messageId);
    if (before) {
      if (before.hash !== hash) return 'differs';
      await before.known;
      return 'known';
    }
    const entry: Entry = { type: 'accepted', messageId, hash, deliveries: deliveriesOf(), ...(reports ? { reports } : {}) };
    const known = journal.append(entry);
    messages.set(messageId, { hash, known });
    try {
      await known;
    } catch (fault) {
      messages.delete(messageId);
      throw fault;
    }
    remember(entry);
    entry.deliveries.forEach(options.scheduled);
    return 'accepted';
  }

  return {
    async accept(body, trace) {
      const { message, content } = openMessage(body, NO_SCHEMAS, EXCHANGED);
      const hash = createHash('sha256').update(body).digest('hex');
      if (message === 'pacs.002.001.10') {
        const { messageId, reports } = readStatusReports(content);
        return take(messageId, hash, () => [], reports);
      }
      const { messageId, transfers } = readCreditTransfers(content);
      const accepted = options.now();
      return take(messageId, hash, () => transfers.flatMap((transfer, n) => {
        const reference = referenceOf(transfer);
        const plans = planFor({ seed: options.seed, transactionId: reference.id, amount: transfer.amount.amount, remittance: transfer.remittance });
        return plans.flatMap((plan, i) => reportDeliveries(plan, { prefix: `${messageId}.${n}.${i}`, accepted, trace, report: { originalMessageId: messageId, reference } }));
      }));
    },
    order(transfer, trace) {
      const { messageId } = transfer;
      const hash = createHash('sha256').update(JSON.stringify(transfer)).digest('hex');
      return take(messageId, hash, () => [
        { id: `${messageId}.transfer`, dueAt: options.now(), trace, xml: transferXml(transfer, options.bankBic, options.now()) }]);
    },
    outcome: (messageId) => outcomes.get(messageId) ?? (messages.has(messageId) ? { messageId, status: 'pending' } : undefined),
    pending: () => [...deliveries.values()].sort((a, b) => a.dueAt - b.dueAt),
    async delivered(id, refused) {
      await journal.append({ type: 'delivered', id, refused });
      deliveries.delete(id);
    },
    close: () => journal.close(),
  };
}

/** A planned report as deliveries; copies carry the same MsgId, as a rail's repetition does. */
function reportDeliveries(plan: Plan, given: { prefix: string; accepted: number; trace: Trace; report: Omit<StatusReport, 'status'> }): Delivery[] {
  const dueAt = given.accepted + plan.afterMs;
  if (plan.kind === 'garbage') return [{ id: given.prefix, dueAt, trace: given.trace, xml: '<Document><FIToFIPmtStsRpt>' }];
  const xml = writeStatusReports({
    messageId: createHash('sha256').update(given.prefix).digest('hex').slice(0, 32), createdAt: new Date(given.accepted).toISOString(),
    reports: [{ ...given.report, status: plan.status, ...(plan.reason === undefined ? {} : { reason: plan.reason }) }],
  });
  return Array.from({ length: plan.copies ?? 1 }, (_copy, n) => ({ id: `${given.prefix}.${n}`, dueAt, trace: given.trace, xml }));
}

function transferXml(transfer: SimulatedTransfer, bankBic: string, now: number): string {
  const { messageId, endToEndId, amount, debtor, creditor, remittance } = transfer;
  return writeCreditTransfers({
    messageId, createdAt: new Date(now).toISOString(),
    transfers: [{
      transactionId: messageId, endToEndId, amount, debtor, creditor: { name: 'NOTPROVIDED', iban: creditor.iban },
      ...(remittance === undefined ? {} : { remittance }),
    }],
  }, { creditorAgent: bankBic });
}
