/** Handlers of the operations about bulks of payments. */
import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { decodeCursor, encodeCursor } from '@kontor/kernel/cursor';
import type { EventContext } from '@kontor/kernel/events';
import { canonicalJson } from '@kontor/kernel/idempotency';
import { newId } from '@kontor/kernel/ids';
import { formatMoney } from '@kontor/kernel/money';
import { problem, type Problem } from '@kontor/kernel/problem';
import type { Answer, Routes } from '@kontor/kernel/service';
import { bankDay, goesAt, type Calendar } from './calendar.js';
import { bulkOrder, groupStatus, itemStatus, judge, type Batch, type BulkOrder, type Field, type Transfer } from './bulk.js';
import { FileFault, readBulkMessage } from './bulk-message.js';
import { NotTaken, type Bulk, type BulkItem, type BulkRefusal, type BulkRepository, type NewBulk } from './bulk-repository.js';
import { statusReport, writeStatusReport } from './bulk-status-report.js';
import type { components, operations } from './openapi.generated.js';

type Schemas = components['schemas'];
type BulkOperation = 'initiateBulkPayment' | 'initiateBulkPaymentFile' | 'getBulkPayment' | 'cancelBulkPayment' | 'listBulkPaymentItems' | 'getBulkPaymentStatusReport';

/** The news of an authorisation comes by event: how long a bulk waits for it, and how often it looks. */
const NEWS_WAIT_MS = 2_000;
const NEWS_POLL_MS = 50;
const DAY_MS = 86_400_000;
const MOST_DAYS_AHEAD = 365;

interface Asker { clientId: string; roles: readonly string[]; consent?: { id: string; accounts: readonly string[]; customerId: string } | undefined }
interface Asked { headers: Readonly<Record<string, string | undefined>>; caller: Asker; context: EventContext }

export function bulkRoutes({ bulks, calendar, now }: { bulks: BulkRepository; calendar: Calendar; now: () => Date }): Pick<Routes<operations>, BulkOperation> {
  const known = async (bulkPaymentId: string, asker: Asker, reading: boolean): Promise<Bulk> => {
    const bulk = await bulks.find(bulkPaymentId);
    if (!bulk) throw problem('bulk_payment_not_found', 'There is no bulk of payments with this id.');
    if (bulk.clientId !== asker.clientId && !(reading && asker.roles.includes('compliance'))) throw problem('not_your_resource', 'This bulk was initiated by another application.');
    return bulk;
  };

  const days = (): { today: string; latest: string } => {
    const at = now();
    return { today: bankDay(calendar, at), latest: bankDay(calendar, new Date(at.getTime() + MOST_DAYS_AHEAD * DAY_MS)) };
  };

  /** Takes what was read, as soon as the news of its consent has come. */
  const take = async (
    { headers, caller, context }: Asked,
    read: Pick<NewBulk, 'source' | 'digest' | 'messageId' | 'messageCreatedAt' | 'controlSum' | 'bulkPaymentId'> & { batches: readonly Batch[]; accountOf: (batch: Batch) => string; operation: string; hashed: unknown },
  ): Promise<Answer<Schemas['BulkPayment']>> => {
    const consent = caller.consent!;
    const { batches, accountOf, operation, hashed, ...bulk } = read;
    const createdAt = now();
    const dueAt = batches.map((batch) => goesAt(calendar, createdAt, batch) ?? createdAt);
    const request = { key: headers['idempotency-key'], operation, hashed, context, answer: onTheWire };
    for (const deadline = Date.now() + NEWS_WAIT_MS; ; await pause(NEWS_POLL_MS)) {
      const currency = await bulks.currencyOf(consent.id);
      const order = currency === undefined ? undefined : bulkOrder(batches, currency, accountOf);
      try {
        if (!order) throw new NotTaken('consent_unknown');
        return await bulks.take({ ...bulk, clientId: caller.clientId, customerId: consent.customerId, consentId: consent.id, createdAt, order, dueAt }, request);
      } catch (fault) {
        if (!(fault instanceof NotTaken)) throw fault;
        if (fault.outcome !== 'consent_unknown' || Date.now() >= deadline) throw REFUSALS[fault.outcome](order);
      }
    }
  };

  return {
    async initiateBulkPayment({ headers, body, caller, context }) {
      const consent = consented(caller);
      const { debtorAccountId, requestedExecutionDate, reference, payments } = body;
      if (!consent.accounts.includes(debtorAccountId)) throw problem('consent_account_not_covered', 'debtorAccountId is not an account the customer chose.');
      checkDay(requestedExecutionDate, days());
      const bulkPaymentId = newId();
      const name = reference ?? bulkPaymentId.replaceAll('-', '');
      const batch: Batch = {
        batchId: name, debtorAccountId, path: '/payments', transfers: transfersOf(payments), ...(requestedExecutionDate === undefined ? {} : { requestedExecutionDate }),
      };
      return take({ headers, caller, context }, {
        bulkPaymentId, source: 'json', messageId: name, digest: createHash('sha256').update(canonicalJson(body)).digest('base64url'), batches: [batch],
        accountOf: () => debtorAccountId, operation: 'initiateBulkPayment', hashed: body,
      });
    },

    async initiateBulkPaymentFile({ headers, stream, caller, context }) {
      const consent = consented(caller);
      const message = await readBulkMessage(stream!, days()).catch((fault: unknown) => {
        throw fault instanceof FileFault ? problem('invalid_message', fault.message, { line: fault.line, path: fault.path }) : fault;
      });
      const accounts = await bulks.accountsOf([...new Set(message.batches.map(({ debtorIban }) => debtorIban ?? ''))]);
      const strange = message.batches.find(({ debtorIban }) => !consent.accounts.includes(accounts.get(debtorIban ?? '') ?? ''));
      if (strange) throw problem('consent_account_not_covered', 'The account of a debtor is not one the customer chose.', { line: strange.line, path: `${strange.path}/DbtrAcct` });
      const { messageId, createdAt, controlSum, digest, batches } = message;
      return take({ headers, caller, context }, {
        bulkPaymentId: newId(), source: 'pain.001', messageId, messageCreatedAt: createdAt, ...(controlSum === undefined ? {} : { controlSum }), digest, batches,
        accountOf: ({ debtorIban }) => accounts.get(debtorIban ?? '')!, operation: 'initiateBulkPaymentFile', hashed: { digest },
      });
    },

    async getBulkPayment({ params, caller }) {
      return { status: 200, body: onTheWire(await known(params.bulkPaymentId, caller, true)) };
    },

    async cancelBulkPayment({ params, caller, context }) {
      const before = await known(params.bulkPaymentId, caller, false);
      const { bulk, cancelled } = (await bulks.cancel(params.bulkPaymentId, context))!;
      if (cancelled === 0 && before.cancelled === 0) throw problem('invalid_state', 'Nothing of this bulk waits any more. Cancel its payments by themselves, or ask for the money back.');
      return { status: 200, body: onTheWire(bulk) };
    },

    async listBulkPaymentItems({ params, query, caller }) {
      await known(params.bulkPaymentId, caller, true);
      const { limit = 25, cursor } = query;
      const after = cursor === undefined ? 0 : placeOf(cursor);
      const found = await bulks.items(params.bulkPaymentId, { after, limit: limit + 1 });
      const page = found.slice(0, limit);
      return { status: 200, body: { data: page.map(itemOnTheWire), nextCursor: found.length > limit ? encodeCursor({ after: page.at(-1)!.item }) : null } };
    },

    async getBulkPaymentStatusReport({ params, headers, caller }) {
      const bulk = await known(params.bulkPaymentId, caller, true);
      const [batches, items] = [await bulks.batches(bulk.bulkPaymentId), await bulks.items(bulk.bulkPaymentId, { after: 0, limit: bulk.transactions })];
      const report = statusReport(bulk, batches, items, now());
      if (wantsXml(headers['accept'])) {
        return { status: 200, body: writeStatusReport(report, newId().replaceAll('-', '')), headers: { 'Content-Type': 'application/xml; charset=utf-8' } };
      }
      const { status, at } = report;
      const body = {
        bulkPaymentId: bulk.bulkPaymentId, messageId: bulk.messageId, status, at: at.toISOString(),
        batches: report.batches.map(({ batchId, status: reached, items: own }) => ({ batchId, status: reached, payments: own.map(({ uetr: _uetr, ...item }) => item) })),
      };
      return { status: 200, body };
    },
  };
}

function consented({ consent }: Asker): NonNullable<Asker['consent']> {
  if (!consent) throw problem('consent_required', 'Use an access token that carries the consent to a bulk of payments.');
  return consent;
}

function checkDay(date: string | undefined, { today, latest }: { today: string; latest: string }): void {
  if (date === undefined) return;
  if (date < today) throw problem('unprocessable', 'requestedExecutionDate is over.');
  if (date > latest) throw problem('unprocessable', 'requestedExecutionDate may be at most a year ahead.');
}

/** Where an item of the body keeps what can be wrong with it. */
const MEMBERS: Record<Field, string> = {
  amount: 'amount', endToEndId: 'endToEndId', instructionId: 'instructionId', uetr: '', creditorName: 'creditor/name', creditorIban: 'creditor/iban', creditorBic: '', remittance: 'remittance', kind: '', date: '',
};

function transfersOf(payments: Schemas['BulkInitiation']['payments']): Transfer[] {
  const among = { endToEndIds: new Set<string>(), instructionIds: new Set<string>() };
  return payments.map(({ endToEndId = 'NOTPROVIDED', instructionId, amount, creditor, remittance }, place) => {
    const transfer: Transfer = {
      endToEndId, amount, creditorName: creditor.name, creditorIban: creditor.iban, path: `/payments/${place}`,
      ...(instructionId === undefined ? {} : { instructionId }), ...(remittance === undefined ? {} : { remittance }),
    };
    const found = judge(transfer, among);
    return found ? { ...transfer, refusal: { reason: found.reason, detail: found.detail, path: `/payments/${place}/${MEMBERS[found.field]}` } } : transfer;
  });
}

function placeOf(cursor: string): number {
  const { after } = decodeCursor<{ after: number }>(cursor, ['after']);
  if (!Number.isSafeInteger(after) || after < 0 || after > 10_000) throw problem('invalid_cursor', 'Use the cursor exactly as nextCursor gave it.');
  return after;
}

/** The kernel has refused an Accept that names neither; of both JSON is given, unless XML alone or first is asked for. */
function wantsXml(accept = ''): boolean {
  const types = accept.split(',').map((part) => part.split(';')[0]!.trim().toLowerCase());
  const [xml, json] = [types.findIndex((type) => /^(application|text)\/xml$/.test(type)), types.findIndex((type) => /^(application\/json|application\/\*|\*\/\*)$/.test(type))];
  return xml >= 0 && (json < 0 || xml < json);
}

/** Every way a bulk can be refused, as the caller sees it. A new outcome does not compile until it has its problem. */
const REFUSALS: Record<BulkRefusal, (order?: BulkOrder) => Problem> = {
  consent_unknown: () => problem('unavailable', 'The news of this authorisation is still on its way. Repeat the request unchanged.').with({ 'Retry-After': '1' }),
  consent_revoked: () => problem('consent_revoked'),
  consent_withdrawn: () => problem('consent_withdrawn'),
  consent_expired: () => problem('consent_expired'),
  consent_consumed: () => problem('consent_consumed', 'A consent is good for one bulk. Ask the customer for a new one.'),
  consent_of_another: () => problem('consent_not_active', 'The consent was given to another application.'),
  kind_differs: () => problem('consent_permission_missing', 'This consent is not for a bulk of payments.'),
  account_differs: () => problem('consent_account_not_covered', 'A debtor account is not one the customer chose.'),
  transactions_differ: (order) => problem('consent_permission_missing', `The number of transactions (${order?.transactions}) differs from what the customer authorised.`),
  total_differs: (order) => problem('consent_permission_missing', `The total (${order ? Object.values(formatMoney(order.total)).join(' ') : 'unknown'}) differs from what the customer authorised.`),
  digest_differs: () => problem('consent_permission_missing', 'The digest differs: the customer authorised another file.'),
  date_differs: () => problem('consent_permission_missing', 'requestedExecutionDate differs from what the customer authorised.'),
};

function onTheWire(bulk: Bulk): Schemas['BulkPayment'] {
  const { bulkPaymentId, consentId, messageId, digest, total, transactions: all, refused, cancelled, rejected, settled, open, createdAt, completedAt } = bulk;
  return {
    bulkPaymentId, status: groupStatus(bulk), consentId, messageId, digest, total: formatMoney(total), transactions: { all, refused, cancelled, rejected, settled, open },
    createdAt: createdAt.toISOString(), ...(completedAt ? { completedAt: completedAt.toISOString() } : {}),
  };
}

function itemOnTheWire({ item, batchId, state, status, statusReason, refusal, paymentId, endToEndId, instructionId, uetr, amount, creditorName, creditorIban, remittance }: BulkItem): Schemas['BulkItem'] {
  const named = { statusReason, refusal, paymentId, instructionId, uetr, amount: amount && formatMoney(amount), remittance };
  const creditor = { ...(creditorName === undefined ? {} : { name: creditorName }), ...(creditorIban === undefined ? {} : { iban: creditorIban }) };
  return {
    item, batchId, status: itemStatus(state, status), endToEndId, creditor,
    ...Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined)),
  };
}
