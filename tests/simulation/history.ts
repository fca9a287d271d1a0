/**
 * One history of a few payments from one account: the real rules (services/payment/src/life.ts), a ledger and a rail as models, and between
 * them messages that come late, in any order, and more than once. A tape of numbers decides what happens next; when it is at its end everything
 * under way comes to rest. What must then be true, and at every moment, is checked here; a breach is an Error.
 */
import type { EventData } from '@kontor/kernel/events';
import * as life from '../../services/payment/src/life.js';
import type { Announcement, Decision, Happening, Order, Payment } from '../../services/payment/src/life.js';
import { Ledger, type FundsNews, type PaymentOrder } from './ledger.js';

/** The rules a history is played by; tests give wrong ones, to see that they are found out. */
export type Rules = Pick<typeof life, 'initiate' | 'transition' | 'isFinal'>;

interface Message {
  to: 'payment' | 'account' | 'rail';
  what: string;
  /** Copies that may still be made of it. */
  copies: number;
  arrive(): void;
}

/** What the rail did with a payment, once and for all. */
interface RailMemory { outcome: 'settled' | 'rejected'; mute: boolean }

/** What was decided about a payment when it began. */
interface Beginning { onUs: boolean; rail: 'settles' | 'rejects' | 'silent' | 'mute'; decision: Decision; instant: boolean; minor: number }

const START = Date.UTC(2026, 2, 2, 9, 30);
const DEBTOR = { name: 'Ada Beispiel', iban: 'DE02997000010000000001' };
const ATTEMPTS = 3;
/** Far more than any history needs to come to rest. */
const MOST_STEPS = 2_000;

/** A payment of the history and what its environment will do. */
interface Played { payment: Payment; beginning: Beginning; told: Announcement[]; expired: boolean }

/**
 * Plays a history.
 * @param tape numbers of 0 or more; the same tape is the same history
 * @returns a line for each thing that happened
 * @throws Error with the invariant that does not hold
 */
export function playHistory(tape: readonly number[], rules: Rules = life): string[] {
  return new History(tape, rules).play();
}

class History {
  readonly #tape: readonly number[];
  readonly #rules: Rules;
  #at = 0;
  #now = START;
  readonly #ledger: Ledger;
  readonly #rail = new Map<string, RailMemory>();
  readonly #payments = new Map<string, Played>();
  #messages: Message[] = [];
  readonly story: string[] = [];

  constructor(tape: readonly number[], rules: Rules) {
    this.#tape = tape;
    this.#rules = rules;
    this.#ledger = new Ledger([1_000, 0, 500, 2_000, 5_000][this.#draw(5)]!);
  }

  /** The next number of the tape, below `limit`; 0 when it is at its end. */
  #draw(limit: number): number {
    return (this.#tape[this.#at++] ?? 0) % limit;
  }

  play(): string[] {
    try {
      const payments = 1 + this.#draw(3);
      for (let number = 1; number <= payments; number++) this.#begin(number);
      while (this.#at < this.#tape.length) this.#step();
      this.#comeToRest();
      this.#atTheEnd();
      return this.story;
    } catch (fault) {
      throw new Error(`${(fault as Error).message}\n  ${this.story.join('\n  ')}`, { cause: fault });
    }
  }

  #begin(number: number): void {
    const paymentId = `payment-${number}`;
    const kind = this.#draw(8);
    const beginning: Beginning = {
      onUs: this.#draw(3) === 0, rail: (['settles', 'rejects', 'silent', 'mute', 'settles'] as const)[this.#draw(5)]!, instant: this.#draw(4) === 0, minor: 100 + 300 * this.#draw(4),
      decision: { ...(kind === 1 || kind === 3 ? { hold: true } : {}), ...(kind === 2 || kind === 3 ? { dueAt: new Date(START + 86_400_000) } : {}), ...(kind === 4 ? { refuse: 'AG01' } : {}) },
    };
    const order: Order = {
      paymentId, clientId: 'fintech', customerId: 'customer', consentId: `consent-${number}`, debtorAccountId: 'debtor', amount: { minor: BigInt(beginning.minor), currency: 'EUR' },
      creditor: { name: 'Green Grocer', iban: beginning.onUs ? 'DE05997000010000000002' : 'NL91ABNA0417164300' }, endToEndId: `e2e-${number}`, uetr: `uetr-${number}`, createdAt: new Date(START),
      ...(beginning.instant ? { instant: true as const } : {}),
    };
    const { payment, events } = this.#rules.initiate(order, beginning.decision);
    const played: Played = { payment, beginning, told: [], expired: false };
    this.#payments.set(paymentId, played);
    this.story.push(`${paymentId} of ${beginning.minor} begins at ${payment.status}${payment.pendingFor ? ` for ${payment.pendingFor}` : ''}${beginning.onUs ? ', on us' : `, the rail ${beginning.rail}`}`);
    this.#tell(played, events);
  }

  /** One thing happens: a message arrives (and may come again), somebody acts, or time passes. */
  #step(): void {
    const choice = this.#draw(16);
    if (choice < 10 && this.#messages.length > 0) this.#deliver(this.#draw(this.#messages.length), this.#draw(4) === 0);
    else {
      const [...played] = this.#payments.values();
      const one = played[this.#draw(played.length)]!;
      const acts: (() => void)[] = [
        () => this.#happen(one, { kind: 'cancel' }), () => this.#happen(one, { kind: 'released' }), () => this.#happen(one, { kind: 'refused-in-review' }), () => this.#happen(one, { kind: 'overdue', most: ATTEMPTS }),
        () => this.#day(), () => this.#expire(one),
      ];
      acts[this.#draw(acts.length)]!();
    }
  }

  /** The day of those that wait for it has come. */
  #day(): void {
    this.#now = Math.max(this.#now, START + 86_400_000);
    for (const played of this.#payments.values()) if (played.payment.pendingFor === 'execution-date' && played.payment.dueAt!.getTime() <= this.#now) this.#happen(played, { kind: 'due' });
  }

  #expire(played: Played): void {
    const news = this.#ledger.expire(played.payment.paymentId);
    if (news.length > 0) played.expired = true;
    this.#fundsNews(played, news);
  }

  #deliver(index: number, again: boolean): void {
    const message = this.#messages[index]!;
    if (again && message.copies > 0) message.copies--;
    else this.#messages.splice(index, 1);
    this.story.push(`→ ${message.to}: ${message.what}`);
    message.arrive();
    this.#atEveryMoment();
  }

  #send(to: Message['to'], about: string, what: string, arrive: () => void): void {
    this.#messages.push({ to, what: `${what} (${about})`, copies: 2, arrive });
  }

  #happen(played: Played, happening: Happening): void {
    this.#now += 1_000;
    const before = played.payment;
    const { payment, events } = this.#rules.transition(before, happening, new Date(this.#now));
    if (payment === before && events.length > 0) throw new Error(`${happening.kind} tells something and changes nothing`);
    if (payment === before) return;
    const reported = happening.kind === 'rail-reported' ? ` ${happening.status}` : '';
    this.story.push(`${payment.paymentId}: ${happening.kind}${reported} at ${before.status} makes ${payment.status}, tells ${events.map(({ type }) => type).join(' ') || 'nothing'}`);
    lawful(before, payment, happening, events, this.#rules);
    played.payment = payment;
    this.#tell(played, events);
    this.#atEveryMoment();
  }

  #tell(played: Played, events: readonly Announcement[]): void {
    for (const event of events) {
      const before = played.told.find(({ type }) => type === event.type);
      // Consumers know a thing by its ids: told again it must be the same, word for word.
      if (before && ['payment.submitted', 'payment.settled', 'payment.rejected', 'payment.cancelled'].includes(event.type) && JSON.stringify(before.data) !== JSON.stringify(event.data))
        throw new Error(`${event.type} was told twice, with different words`);
      played.told.push(event);
      this.#hear(played, event);
    }
  }

  /** Who hears what (the subscriptions of the services). */
  #hear(played: Played, event: Announcement): void {
    const { paymentId } = played.payment;
    const { minor, onUs } = played.beginning;
    const order: PaymentOrder = { paymentId, minor, onUs };
    switch (event.type) {
      case 'payment.initiated':
        if (!event.data.deferred) this.#send('account', paymentId, event.type, () => this.#fundsNews(played, this.#ledger.reserve(order)));
        break;
      case 'payment.due': this.#send('account', paymentId, event.type, () => this.#fundsNews(played, this.#ledger.reserve(order))); break;
      case 'payment.settled': this.#send('account', paymentId, event.type, () => this.#fundsNews(played, this.#ledger.capture(paymentId))); break;
      case 'payment.rejected': case 'payment.cancelled': this.#send('account', paymentId, event.type, () => this.#ledger.release(paymentId)); break;
      case 'payment.submitted': this.#send('rail', paymentId, event.type, () => this.#submitted(played, event.data)); break;
      case 'payment.investigation-requested': this.#send('rail', paymentId, event.type, () => this.#asked(played)); break;
      default:
    }
  }

  #fundsNews(played: Played, news: readonly FundsNews[]): void {
    const { paymentId } = played.payment;
    for (const one of news) {
      this.#send('payment', paymentId, one.type, () => this.#happen(played, one.type === 'funds.reserved' ? { kind: 'funds-reserved', debtor: DEBTOR, ...(one.onUs ? { onUs: true } : {}) }
        : one.type === 'funds.refused' ? { kind: 'funds-refused', reason: one.reason } : { kind: one.type === 'funds.captured' ? 'funds-captured' : 'funds-expired' }));
    }
  }

  /** The rail takes a message once and decides for good; how much of it it tells is another matter. */
  #submitted(played: Played, data: EventData<'payment.submitted'>): void {
    const { paymentId } = played.payment;
    const { rail } = played.beginning;
    if (this.#rail.has(paymentId)) return;
    this.#rail.set(paymentId, { outcome: rail === 'rejects' ? 'rejected' : 'settled', mute: rail === 'mute' });
    if (rail === 'settles') for (const status of ['ACTC', 'ACSP', 'ACSC', ...(data.instant ? ['ACCC' as const] : [])] as const) this.#report(played, status);
    if (rail === 'rejects') for (const status of ['ACTC', ...(data.amount.amount === '1.00' ? ['ACSP' as const] : []), 'RJCT'] as const) this.#report(played, status);
  }

  /** Asked, it says what really happened; of what it never got it knows nothing. */
  #asked(played: Played): void {
    const memory = this.#rail.get(played.payment.paymentId);
    if (memory && !memory.mute) this.#report(played, memory.outcome === 'settled' ? 'ACSC' : 'RJCT');
  }

  #report(played: Played, status: 'ACTC' | 'ACSP' | 'ACSC' | 'ACCC' | 'RJCT'): void {
    this.#send('payment', played.payment.paymentId, `the rail says ${status}`, () => this.#happen(played, { kind: 'rail-reported', status, ...(status === 'RJCT' ? { reason: 'AC04' } : {}) }));
  }

  /** Nothing new is ordered; messages arrive, the staff decides, days pass, and what stands too long is looked after. */
  #comeToRest(): void {
    for (let steps = 0; steps < MOST_STEPS; steps++) {
      if (this.#messages.length > 0) {
        this.#deliver(0, false);
        continue;
      }
      const waiting = [...this.#payments.values()].find(({ payment }) => payment.pendingFor || (!this.#atRest(payment) && !payment.escalatedAt));
      if (!waiting) return;
      if (waiting.payment.pendingFor === 'review') this.#happen(waiting, { kind: 'released' });
      else if (waiting.payment.pendingFor) this.#day();
      else this.#happen(waiting, { kind: 'overdue', most: ATTEMPTS });
    }
    throw new Error(`not at rest after ${MOST_STEPS} steps`);
  }

  #atRest({ status, onUs }: Payment): boolean {
    return this.#rules.isFinal(status) && !(status === 'ACSC' && onUs);
  }

  #atEveryMoment(): void {
    const { booked, held, captures } = this.#ledger;
    const sum = booked.debtor + booked.creditor + booked.settlement + booked.suspense;
    if (sum !== 0) throw new Error(`the books add up to ${sum}`);
    if (booked.debtor < held) throw new Error(`the debtor has ${booked.debtor}, and ${held} is held`);
    if (new Set(captures).size !== captures.length) throw new Error('a payment was captured twice');
    for (const { payment, told } of this.#payments.values()) {
      const endings = new Set(told.map(({ type }) => type).filter((type) => ['payment.settled', 'payment.rejected', 'payment.cancelled'].includes(type)));
      if (endings.size > 1) throw new Error(`${payment.paymentId} was told to have ended as ${[...endings].join(' and ')}`);
    }
  }

  #atTheEnd(): void {
    let paid = 0;
    let received = 0;
    for (const { payment, beginning, told, expired } of this.#payments.values()) {
      const { paymentId, status } = payment;
      const fail = (what: string): never => { throw new Error(`${paymentId} ended at ${status}: ${what}`); };
      const hold = this.#ledger.holds.get(paymentId);
      const settled = status === 'ACSC' || status === 'ACCC';
      const atRail = this.#rail.get(paymentId);
      if (!this.#rules.isFinal(status)) {
        if (!payment.escalatedAt) fail('it is stuck and nobody was told');
        // A hold that ended meanwhile is the staff's matter at once; else the rail is asked as often as it may be.
        if ((payment.attempts ?? 0) < ATTEMPTS && !expired) fail(`it was given up after ${payment.attempts ?? 0} attempts`);
        if (hold?.state !== 'reserved' && !expired) fail(`its outcome is not known, and its funds are ${hold?.state}`);
        continue;
      }
      if (settled !== (hold?.state === 'captured')) fail(`its funds are ${hold?.state ?? 'not known'}`);
      if (!settled && hold && !['released', 'refused', 'expired'].includes(hold.state)) fail(`its funds are ${hold.state}`);
      if (settled && payment.onUs && status !== 'ACCC') fail('the creditor banks with us and was not told to have it');
      if (beginning.onUs && atRail) fail('it never leaves the bank, and the rail has it');
      if (!beginning.onUs && settled !== (atRail?.outcome === 'settled')) fail(`at the rail it is ${atRail?.outcome ?? 'not known'}`);
      if (settled && payment.escalatedAt && !expired) fail('it is settled and still with the staff');
      if (told.filter(({ type }) => type === 'payment.status-changed').length !== payment.history.length) fail('not every status was told');
      if (settled) {
        received += beginning.onUs ? beginning.minor : 0;
        paid += beginning.minor;
      }
    }
    const { booked, opening } = this.#ledger;
    if (booked.creditor !== received) throw new Error(`the creditor got ${booked.creditor}, and ${received} was paid to him`);
    if (opening - booked.debtor - booked.suspense !== paid) throw new Error(`${opening - booked.debtor} left the debtor, ${-booked.suspense} the bank, and ${paid} was paid`);
    if (booked.suspense !== 0 && ![...this.#payments.values()].some(({ expired }) => expired)) throw new Error('something settled that no hold covered');
  }
}

/** What one happening may do to a payment, whatever the table of transitions says. */
function lawful(before: Payment, after: Payment, happening: Happening, events: readonly Announcement[], { isFinal, transition }: Rules): void {
  const [from, to] = [before.status, after.status];
  const fresh = after.history.slice(before.history.length).map(({ status }) => status);
  if (before.history.some((line, i) => after.history[i] !== line)) throw new Error('the status history was rewritten');
  if (new Set(after.history.map(({ status }) => status)).size !== after.history.length) throw new Error(`a status was reached twice: ${after.history.map(({ status }) => status).join(' ')}`);
  if (after.history.at(-1)?.status !== to) throw new Error('the last line of the history is not the status');
  if (isFinal(from) && from !== to && !(from === 'ACSC' && to === 'ACCC')) throw new Error(`what was ${from} became ${to}`);
  if ((to === 'RJCT') !== (after.statusReason !== undefined) && to !== 'CANC') throw new Error(`${to} with reason ${after.statusReason ?? 'none'}`);
  if (fresh.includes('CANC') && happening.kind !== 'cancel') throw new Error(`${happening.kind} cancelled it`);
  if (happening.kind === 'cancel' && before.acceptedAt) throw new Error('it was cancelled after it had been submitted');
  if (fresh.includes('ACTC') && happening.kind !== 'funds-reserved') throw new Error(`${happening.kind} let it go on without funds`);
  if (events.some(({ type }) => type === 'payment.submitted') && (after.onUs || !after.debtor || isFinal(to))) throw new Error('it was submitted and must not leave the bank');
  if (before.pendingFor && fresh.some((status) => status !== 'CANC' && status !== 'RJCT')) throw new Error(`it went on although it waits for ${before.pendingFor}`);
  // What is heard a second time changes nothing; only looking after a payment counts how often it was done.
  if (happening.kind !== 'overdue' && transition(after, happening, new Date(0)).payment !== after) throw new Error(`${happening.kind} does something the second time`);
}
