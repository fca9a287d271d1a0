import { createHash } from 'node:crypto';
import { openMessage, loadSchemas, type Node } from '@kontor/kernel/iso20022';
import { readRecallAnswers } from '../src/camt029.js';
import { readRecalls } from '../src/camt056.js';
import { readStatusReports } from '../src/pacs002.js';
import { readPaymentReturns } from '../src/pacs004.js';
import { readCreditTransfers } from '../src/pacs008.js';
import { readStatusRequest } from '../src/pacs028.js';
import { railReference, SENT } from '../src/payment-rail.js';
import type { SimulatedRecall, SimulatedReturn, SimulatedTransfer } from '../src/rail-client.js';
import { answersTo, type Delivery, type Effects, type Trace } from './answers.js';
import { openBooks } from './books.js';
import { openJournal } from './journal.js';
import { statementOf, type StatementOrder } from './statement.js';

export type { Delivery, Trace } from './answers.js';

type Entry =
  | { type: 'accepted'; messageId: string; hash: string } & Effects
  /** `refused`: the bank said it can never take it (400). */
  | { type: 'delivered'; id: string; refused: boolean };

/** What became of a transfer, or a recall, the rail was asked to simulate. */
export interface OrderOutcome {
  messageId: string;
  status: string;
  reason?: string;
}

type Taken = 'accepted' | 'known' | 'differs';
/** An order may be about something the rail does not know, or that is not at a point where it can be done. */
export type Ordered = Taken | 'unknown' | 'impossible';

/** The memory of the rail: everything it has acknowledged, on disk. */
export interface Rail {
  /** Takes a message of the bank. 'known' when it had it already; 'differs' when the MsgId was used for another. @throws MessageFault */
  accept(body: Buffer, trace: Trace): Promise<Taken>;
  /** Takes the order to send a transfer to the bank. */
  order(transfer: SimulatedTransfer, trace: Trace): Promise<Taken>;
  /** Takes the order to give the money of a settled payment back; its sum is not checked, so that the bank's check can be tried. */
  orderReturn(order: SimulatedReturn, trace: Trace): Promise<Ordered>;
  /** Takes the order to ask a simulated transfer back. */
  orderRecall(order: SimulatedRecall, trace: Trace): Promise<Ordered>;
  /** Takes the order to send a statement of the bank's settlement account. */
  orderStatement(order: StatementOrder, trace: Trace): Promise<Taken>;
  outcome(messageId: string): OrderOutcome | undefined;
  /** What is still to be delivered, oldest first. */
  pending(): Delivery[];
  /** Whether a delivery is still to be made: one may be withdrawn. */
  wants(id: string): boolean;
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
  const books = openBooks();
  const answers = answersTo({ ...options, books });
  const messages = new Map<string, { hash: string; known: Promise<void> }>();
  const deliveries = new Map<string, Delivery>();
  const answered = new Map<string, OrderOutcome>();
  for (const entry of journal.entries) remember(entry);
  for (const delivery of deliveries.values()) options.scheduled(delivery);

  function remember(entry: Entry): void {
    if (entry.type === 'delivered') return void deliveries.delete(entry.id);
    if (!messages.has(entry.messageId)) messages.set(entry.messageId, { hash: entry.hash, known: Promise.resolve() });
    for (const movement of entry.movements ?? []) books.enter(movement);
    for (const { key, ...outcome } of entry.outcomes ?? []) books.decide(key, outcome);
    for (const id of entry.withdrawn ?? []) deliveries.delete(id);
    for (const answer of entry.answered ?? []) answered.set(answer.messageId, answer);
    for (const delivery of entry.deliveries) deliveries.set(delivery.id, delivery);
  }

  /**
   * Once by message id; a repeat waits until the first is on the disk. What follows is in the books at once, so that the next message
   * sees it, and is told only when it is on the disk.
   */
  async function take(messageId: string, hash: string, effects: () => Effects): Promise<Taken> {
    const before = messages.get(messageId);
    if (before) {
      if (before.hash !== hash) return 'differs';
      await before.known;
      return 'known';
    }
    const entry: Entry = { type: 'accepted', messageId, hash, ...effects() };
    const known = journal.append(entry);
    messages.set(messageId, { hash, known });
    remember(entry);
    try {
      await known;
    } catch (fault) {
      messages.delete(messageId);
      for (const { key } of entry.movements ?? []) books.strike(key);
      for (const { id } of entry.deliveries) deliveries.delete(id);
      throw fault;
    }
    entry.deliveries.filter(({ id }) => deliveries.has(id)).forEach(options.scheduled);
    return 'accepted';
  }

  const hashOf = (what: Buffer | object): string => createHash('sha256').update(Buffer.isBuffer(what) ? what : JSON.stringify(what)).digest('hex');
  const pending = (): Delivery[] => [...deliveries.values()].sort((a, b) => a.dueAt - b.dueAt);

  function understood(message: (typeof SENT)[number], content: Node, trace: Trace): { messageId: string; effects: () => Effects } {
    switch (message) {
      case 'pacs.008.001.08': return reading(readCreditTransfers(content), (read) => answers.payments(read, trace));
      case 'pacs.004.001.09': return reading(readPaymentReturns(content), (read) => answers.returns(read, trace));
      case 'pacs.002.001.10': return reading(readStatusReports(content), (read) => answers.learn(read));
      case 'pacs.028.001.03': return reading(readStatusRequest(content), (read) => answers.questions(read, trace));
      case 'camt.056.001.08': return reading(readRecalls(content), (read) => answers.recalls(read, pending(), trace));
      case 'camt.029.001.09': return reading(readRecallAnswers(content), (read) => answers.resolved(read));
    }
  }

  return {
    async accept(body, trace) {
      const { message, content } = openMessage(body, NO_SCHEMAS, SENT);
      const { messageId, effects } = understood(message, content, trace);
      return take(messageId, hashOf(body), effects);
    },
    order: (transfer, trace) => take(transfer.messageId, hashOf(transfer), () => answers.transfer(transfer, trace)),
    async orderReturn(order, trace) {
      const payment = books.inMessage(order.payment);
      if (!payment || payment.direction !== 'from-bank') return 'unknown';
      if (payment.outcome?.status !== 'ACSC' || payment.outcome.at > options.now()) return 'impossible';
      return take(order.messageId, hashOf(order), () => answers.giveBack(payment, { ...order, dueAt: options.now(), trace }));
    },
    async orderRecall(order, trace) {
      const transfer = books.get(railReference(order.transfer, { kind: 'tx', id: order.transfer }));
      if (!transfer) return 'unknown';
      return take(order.messageId, hashOf(order), () => answers.askBack(transfer, order, trace));
    },
    orderStatement: (order, trace) => take(order.messageId, hashOf(order), () => (
      { deliveries: statementOf(books.all(), order, options.now()).map((xml, n) => ({ id: `${order.messageId}.${n}`, dueAt: options.now(), trace, xml })) })),
    outcome: (messageId) => answered.get(messageId) ?? (messages.has(messageId) ? { messageId, status: 'pending' } : undefined),
    pending,
    wants: (id) => deliveries.has(id),
    async delivered(id, refused) {
      await journal.append({ type: 'delivered', id, refused });
      deliveries.delete(id);
    },
    close: () => journal.close(),
  };
}

function reading<Message extends { messageId: string }>(message: Message, effects: (message: Message) => Effects): { messageId: string; effects: () => Effects } {
  return { messageId: message.messageId, effects: () => effects(message) };
}
