/** What must be true once all is quiet: no payment lost, nothing done twice, the ledger exact. Each breach is a sentence. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { isFinal, STATUSES, type Status } from '../../../services/payment/src/payment.js';
import { railIdOf } from '../../../adapters/payment-rail/src/payment-rail.js';
import { RECURRING_LIMIT, type Book, type Ordered } from './load.js';
import type { SmallPlatform } from './platform.js';
import type { Witness } from './witness.js';

export interface Breach {
  what: string;
  /** The payment it is about, and when that was made. */
  paymentId?: string;
  since?: Date;
}

/** What was seen, for the report. */
export interface Proof {
  breaches: Breach[];
  payments: Record<string, number>;
}

interface PaymentRow { payment_id: string; client_id: string; consent_id: string; debtor_account_id: string; amount_minor: string; creditor_iban: string; status: Status; created_at: Date; on_us: boolean; lines: string[] }

/** Statuses a payment must not stay at. */
export const UNSETTLED = STATUSES.filter((status) => !isFinal(status));
const SETTLED: readonly Status[] = ['ACSC', 'ACCC'];

export async function prove(platform: SmallPlatform, book: Book, witness: Witness): Promise<Proof> {
  const payments = await platform.query<PaymentRow>('payment', `select p.payment_id, p.client_id, p.consent_id, p.debtor_account_id, p.amount_minor, p.creditor_iban, p.status, p.created_at, p.on_us,
    (select array_agg(s.status order by s.position) from payment_statuses s where s.payment_id = p.payment_id) as lines from payments p`);
  const byId = new Map(payments.map((row) => [row.payment_id, row]));
  const breaches: Breach[] = [];
  const wrong = (what: string, row?: PaymentRow): void => { breaches.push({ what, ...(row ? { paymentId: row.payment_id, since: row.created_at } : {}) }); };

  const ordered = answered(book, byId, await keysOf(platform), wrong);
  for (const row of payments) {
    if (!ordered.has(row.payment_id)) wrong('was made and nobody ordered it', row);
    if (!isFinal(row.status)) wrong(`stands at ${row.status}`, row);
    if (new Set(row.lines).size !== row.lines.length) wrong(`has a status twice: ${row.lines.join(' ')}`, row);
  }
  limitsKept(book, byId, wrong);
  await bookedOnce(platform, byId, wrong);
  await railKnows(platform, byId, wrong);
  told(witness, byId, wrong);
  await exact(platform, book, payments, wrong);
  await nothingLeft(platform, wrong);
  return { breaches, payments: countBy(payments.map(({ status }) => status)) };
}

type Wrong = (what: string, row?: PaymentRow) => void;

/** Idempotency keys, as the payment service remembers them: `client/key` → the payment. */
async function keysOf(platform: SmallPlatform): Promise<Map<string, string>> {
  const rows = await platform.query<{ client_id: string; key: string; payment_id: string }>('payment',
    `select client_id, key, response->'body'->>'paymentId' as payment_id from idempotency_keys where operation = 'initiatePayment'`);
  return new Map(rows.map((row) => [`${row.client_id}/${row.key}`, row.payment_id]));
}

/** Every 2xx was the truth, one key is one payment, and what was refused was not made. */
function answered(book: Book, byId: Map<string, PaymentRow>, keys: Map<string, string>, wrong: Wrong): Map<string, Ordered> {
  const ordered = new Map<string, Ordered>();
  for (const order of book.orders) {
    const { key, clientId, answers, refusal, cancelled } = order;
    const made = keys.get(`${clientId}/${key}`);
    if (made !== undefined) {
      if (ordered.has(made)) wrong(`payment ${made} belongs to two keys`);
      ordered.set(made, order);
    }
    if (answers.size > 1) wrong(`key ${key} was answered with ${answers.size} payments`);
    for (const paymentId of answers) {
      const row = byId.get(paymentId);
      if (!row) wrong(`payment ${paymentId} was answered 2xx and is lost`);
      else if (made !== paymentId) wrong(`key ${key} was answered 2xx and is remembered for ${made ?? 'nothing'}`, row);
      else if (row.consent_id !== order.consentId || row.amount_minor !== String(order.minor) || row.debtor_account_id !== order.debtor.accountId || row.creditor_iban !== order.creditorIban || row.client_id !== clientId)
        wrong('is not what was ordered', row);
      else if (cancelled === 200 && row.status !== 'CANC') wrong(`was cancelled, and stands at ${row.status}`, row);
      else if (cancelled !== undefined && cancelled !== 200 && row.status === 'CANC') wrong(`is CANC, and the client was told ${cancelled}`, row);
    }
    // A cut-off attempt may have made it before a later one was refused: only for the consent's own sake.
    if (refusal !== undefined && made !== undefined) wrong(`was refused with ${refusal} and made`, byId.get(made));
  }
  const single = new Set(book.orders.filter(({ recurring }) => !recurring).map(({ consentId }) => consentId));
  const used = countBy([...byId.values()].map(({ consent_id }) => consent_id).filter((consentId) => single.has(consentId)));
  for (const [consentId, times] of Object.entries(used)) if (times > 1) wrong(`consent ${consentId} was used ${times} times`);
  return ordered;
}

function limitsKept(book: Book, byId: Map<string, PaymentRow>, wrong: Wrong): void {
  const recurring = new Set(book.orders.filter((order) => order.recurring).map(({ consentId }) => consentId));
  const paid = new Map<string, number>();
  for (const row of byId.values())
    if (recurring.has(row.consent_id) && row.status !== 'RJCT' && row.status !== 'CANC') paid.set(row.consent_id, (paid.get(row.consent_id) ?? 0) + Number(row.amount_minor));
  for (const [consentId, sum] of paid) if (sum > RECURRING_LIMIT) wrong(`under consent ${consentId} ${sum} cents were paid, ${RECURRING_LIMIT} were allowed`);
}

/** One capture for a settled payment, none for another; and no funds still held. */
async function bookedOnce(platform: SmallPlatform, byId: Map<string, PaymentRow>, wrong: Wrong): Promise<void> {
  const bookings = countBy((await platform.query<{ payment_id: string }>('account', 'select payment_id from ledger_transactions where payment_id is not null')).map(({ payment_id }) => payment_id));
  const holds = new Map((await platform.query<{ payment_id: string; state: string }>('account', 'select payment_id, state from holds')).map(({ payment_id, state }) => [payment_id, state]));
  for (const [paymentId, row] of byId) {
    const expected = SETTLED.includes(row.status) ? 1 : 0;
    if ((bookings[paymentId] ?? 0) !== expected) wrong(`is ${row.status} and was booked ${bookings[paymentId] ?? 0} times`, row);
    const hold = holds.get(paymentId);
    if (expected === 1 ? hold !== 'captured' : hold !== undefined && hold !== 'released' && hold !== 'refused') wrong(`is ${row.status} and its funds are ${hold ?? 'not known'}`, row);
  }
  for (const paymentId of [...Object.keys(bookings), ...holds.keys()]) if (!byId.has(paymentId)) wrong(`the ledger knows payment ${paymentId}, which does not exist`);
}

/** The rail's own journal: one pacs.008 for a payment that went out, none for one that did not. */
async function railKnows(platform: SmallPlatform, byId: Map<string, PaymentRow>, wrong: Wrong): Promise<void> {
  const accepted = new Map<string, number>();
  for await (const line of createInterface({ input: createReadStream(platform.journal) })) {
    const messageId = /"type":"accepted","messageId":"([^"]+)"/.exec(line)?.[1];
    if (messageId !== undefined) accepted.set(messageId, (accepted.get(messageId) ?? 0) + 1);
  }
  for (const [paymentId, row] of byId) {
    const sent = accepted.get(railIdOf(paymentId)) ?? 0;
    const submitted = row.lines.includes('ACCP') && !row.on_us;
    if (sent !== (submitted ? 1 : 0)) wrong(`${submitted ? 'was' : 'was not'} to go out (${row.lines.join(' ')}), and the rail accepted ${sent} messages`, row);
  }
}

/** What is told again when a payment stands too long; who hears it knows it by the payment. */
const TOLD_AGAIN = new Set(['payment.initiated', 'payment.settled']);

/** Every ending was told, once: two events of the same kind with different ids would be acted on twice. */
function told(witness: Witness, byId: Map<string, PaymentRow>, wrong: Wrong): void {
  for (const [paymentId, row] of byId) {
    const heard = witness.heard(paymentId);
    const expected: Record<string, number> = {
      'payment.initiated': 1, 'payment.settled': SETTLED.includes(row.status) ? 1 : 0, 'payment.rejected': row.status === 'RJCT' ? 1 : 0,
      'payment.cancelled': row.status === 'CANC' ? 1 : 0, 'payment.status-changed': row.lines.length, 'funds.captured': SETTLED.includes(row.status) ? 1 : 0,
    };
    for (const [type, count] of Object.entries(expected)) {
      const times = heard[type] ?? 0;
      if (TOLD_AGAIN.has(type) && count > 0 ? times < count : times !== count) wrong(`${type} was told ${times} times, not ${count}`, row);
    }
  }
}

/** To the cent: what came in, less what was paid, is what there is. */
async function exact(platform: SmallPlatform, book: Book, payments: PaymentRow[], wrong: Wrong): Promise<void> {
  const credits = await platform.query<{ reference: string }>('account', `select reference from ledger_transactions where reference like 'rail:%'`);
  const times = countBy(credits.map(({ reference }) => reference.slice('rail:'.length).split('/')[0]!));
  const expected = new Map(book.accounts.map(({ accountId }) => [accountId, 0n]));
  const move = (accountId: string | undefined, minor: bigint): void => { if (accountId !== undefined) expected.set(accountId, (expected.get(accountId) ?? 0n) + minor); };
  for (const { messageId, account, minor, accepted } of book.paidIn) {
    const booked = times[messageId] ?? 0;
    if (booked > 1 || (accepted && booked === 0)) wrong(`transfer ${messageId} of the rail was booked ${booked} times`);
    if (booked > 0) move(account.accountId, BigInt(minor));
  }
  const ours = new Map(book.accounts.map(({ iban, accountId }) => [iban, accountId]));
  for (const row of payments) {
    if (!SETTLED.includes(row.status)) continue;
    move(row.debtor_account_id, -BigInt(row.amount_minor));
    move(ours.get(row.creditor_iban), BigInt(row.amount_minor));
  }
  const balances = await platform.query<{ ledger_account_id: string; booked: string; held: string }>('account',
    `select b.ledger_account_id, sum(b.booked_minor)::text as booked, sum(b.held_minor)::text as held from ledger_balances b join ledger_accounts a using (ledger_account_id) where a.kind = 'customer' group by 1`);
  for (const { ledger_account_id: accountId, booked, held } of balances) {
    if (BigInt(booked) !== expected.get(accountId)) wrong(`account ${accountId} has ${booked} cents, and should have ${expected.get(accountId)}`);
    if (held !== '0') wrong(`on account ${accountId} ${held} cents are still held`);
  }
  const [{ total } = { total: '' }] = await platform.query<{ total: string }>('account', 'select coalesce(sum(booked_minor), 0)::text as total from ledger_balances');
  if (total !== '0') wrong(`the books of the bank add up to ${total}, not to nothing`);
  for (const found of await platform.query<{ invariant: string; subject: string }>('account', 'select * from ledger_invariant_breaks()')) wrong(`the ledger: ${JSON.stringify(found)}`);
}

async function nothingLeft(platform: SmallPlatform, wrong: Wrong): Promise<void> {
  for (const name of ['payment', 'account'] as const) {
    const [{ left } = { left: 0 }] = await platform.query<{ left: number }>(name, 'select count(*)::int as left from outbox where published_at is null');
    if (left > 0) wrong(`${left} events stay in the outbox of ${name}`);
  }
  for (const [queue, messages] of Object.entries(await platform.queues())) if (messages > 0) wrong(`${messages} messages are in ${queue}`);
}

function countBy(values: Iterable<string>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}
