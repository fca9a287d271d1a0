/** Random trials: a consent, what happens to it, and a request. A trial is made anew from the seed and its number alone. */
import fc from 'fast-check';
import type { Act, Kind, Operation, Wish } from './model.js';

/** How a token came about. */
export type TokenChoice =
  | 'on the consent' | 'on the consent, with every scope' | 'on the consent, with a strange scope' | 'on another consent' | 'on an unknown consent'
  | 'of another application, on this consent' | 'of an application without a licence, on this consent' | 'of client credentials' | 'none' | 'garbage' | 'ended';

/** In what way an order differs from what the customer authorised. */
export type Difference = 'nothing' | 'more' | 'less' | 'creditor' | 'name' | 'remittance' | 'no remittance';

/** How a request says that the customer is there; `empty`: it says nothing. */
export type Presence = 'there' | 'away' | 'empty';

export interface Asking { operation: string; account: string; presence: Presence; difference: Difference; token: TokenChoice; about: 'own' | 'foreign' }

/** An act on the consent, a request, or the loss of the consent's record in Redis. */
export type Step = Act | { act: 'ask'; asking: Asking } | { act: 'lose the record' };

export interface Trial { wish: Wish; steps: Step[]; asking: Asking }

export const ACCOUNTS = ['first', 'second', 'joint', 'strange', 'nowhere'] as const;
const PERMISSIONS = ['accounts:read', 'balances:read', 'transactions:read', 'beneficiaries:read'];

const weighted = <T>(...choices: [weight: number, value: T][]): fc.Arbitrary<T> => fc.oneof(...choices.map(([weight, value]) => ({ weight, arbitrary: fc.constant(value) })));
const some = (of: readonly string[]): fc.Arbitrary<string[]> => fc.subarray([...of], { minLength: 1 });
/** Absent in one of two. */
const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined, freq: 2 });

const kinds = weighted<Kind>([7, 'access'], [1, 'one-off access'], [3, 'payment'], [3, 'variable recurring'], [2, 'bulk payment'], [2, 'funds confirmation']);
/** What a trial is about: a kind of consent, and the account that mostly is chosen and asked for, so that what comes after is reached. */
interface Theme { kind: Kind; home: string; operations: readonly Operation[] }

const homes = weighted<string>([5, 'first'], [1, 'second'], [2, 'joint']);

const selectionOf = ({ kind, home }: Theme): fc.Arbitrary<string[]> => (kind === 'access' || kind === 'one-off access'
  ? weighted<string[]>([10, [home]], [3, ['first', 'second']], [1, ['first', 'joint']], [1, []], [1, ['strange']])
  : weighted<string[]>([14, [home]], [1, ['second']], [1, ['first', 'second']], [1, ['strange']]));

const wishOf = (kind: Kind): fc.Arbitrary<Wish> => {
  const creditor = fc.constant('grocer');
  const debtor = maybe(fc.constant('first'));
  const remittance = maybe(fc.constant('Invoice 17'));
  switch (kind) {
    case 'access': return fc.record({ kind: fc.constant(kind), permissions: weighted([1, true], [1, false]).chain((all) => (all ? fc.constant(PERMISSIONS) : some(PERMISSIONS))), frequency: maybe(fc.integer({ min: 1, max: 3 })) });
    case 'one-off access': return fc.record({ kind: fc.constant(kind), permissions: some(PERMISSIONS) });
    case 'funds confirmation': return fc.record({ kind: fc.constant(kind), permissions: fc.constant(['funds:confirm']) });
    case 'payment': return fc.record({ kind: fc.constant(kind), permissions: fc.constant(['payments:initiate']), terms: fc.record({ amount: fc.constant(1250), creditor, debtor, remittance }) });
    case 'bulk payment': return fc.record({ kind: fc.constant(kind), permissions: fc.constant(['payments:initiate']), terms: fc.record({ amount: fc.constant(2500), creditor: fc.constant('nobody'), debtor }) });
    case 'variable recurring': return fc.record({
      kind: fc.constant(kind), permissions: fc.constant(['payments:initiate']), later: weighted<true | undefined>([6, undefined], [1, true]),
      terms: fc.record({ amount: fc.constant(5000), creditor, debtor, remittance, periodic: fc.constantFrom([12_000], [9_000, 20_000], [50_000]) }),
    });
  }
};

const READS = ['listAccounts', 'getAccount', 'getBalances', 'listTransactions', 'getTransaction'];
const USUAL: Record<Kind, readonly string[]> = {
  access: READS, 'one-off access': READS, payment: ['initiatePayment'], 'variable recurring': ['initiatePayment'], 'bulk payment': ['initiateBulkPayment', 'initiateBulkPaymentFile', 'initiatePayment'], 'funds confirmation': ['confirmFunds'],
};

const tokens = weighted<TokenChoice>(
  [30, 'on the consent'], [4, 'on the consent, with every scope'], [2, 'on the consent, with a strange scope'], [2, 'on another consent'], [1, 'on an unknown consent'],
  [2, 'of another application, on this consent'], [1, 'of an application without a licence, on this consent'], [2, 'of client credentials'], [1, 'none'], [1, 'garbage'], [1, 'ended']);

const askingOf = ({ kind, home, operations }: Theme, token: fc.Arbitrary<TokenChoice>): fc.Arbitrary<Asking> => fc.record({
  operation: fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...USUAL[kind]) }, { weight: 1, arbitrary: fc.constantFrom(...operations.map(({ id }) => id)) }),
  account: weighted<string>([20, home], [1, 'first'], [1, 'second'], [1, 'joint'], [1, 'strange'], [1, 'nowhere']),
  presence: weighted<Presence>([2, 'there'], [4, 'away'], [1, 'empty']),
  difference: weighted<Difference>([8, 'nothing'], [1, 'more'], [1, 'less'], [1, 'creditor'], [1, 'name'], [1, 'remittance'], [1, 'no remittance']),
  token, about: weighted<'own' | 'foreign'>([3, 'own'], [1, 'foreign']),
});

const stepOf = (theme: Theme): fc.Arbitrary<Step> => {
  const act = (value: Act): fc.Arbitrary<Step> => fc.constant(value);
  const steps: [number, fc.Arbitrary<Step>][] = [
    [3, selectionOf(theme).map((accounts): Step => ({ act: 'approve', accounts }))],
    [4, act({ act: 'approve jointly' })],
    [1, act({ act: 'reject' })],
    [2, fc.record({ permissions: maybe(some(PERMISSIONS)), frequency: maybe(fc.integer({ min: 1, max: 3 })) }).map((terms): Step => ({ act: 'ask amendment', ...terms }))],
    [1, act({ act: 'withdraw' })],
    [1, fc.constantFrom<Step>({ act: 'revoke', by: 'customer' }, { act: 'revoke', by: 'staff' })],
    [1, fc.constantFrom<Step>({ act: 'expire', by: 'time' }, { act: 'expire', by: 'staff' })],
    [1, act({ act: 'abandon' })],
    [1, fc.constant<Step>({ act: 'lose the record' })],
    [8, askingOf(theme, fc.constant('on the consent')).map((asking): Step => ({ act: 'ask', asking }))],
  ];
  return fc.oneof(...steps.map(([weight, arbitrary]) => ({ weight, arbitrary })));
};

/** The customer begins by approving; a joint account mostly gets its second approval. */
const beginningOf = (theme: Theme): fc.Arbitrary<Step[]> =>
  fc.tuple(selectionOf(theme), weighted<boolean>([3, true], [1, false])).map(([accounts, jointly]): Step[] =>
    [{ act: 'approve', accounts }, ...(jointly && accounts.includes('joint') ? [{ act: 'approve jointly' as const }] : [])]);

/** The same request again and again, which uses up what is counted. */
const insistence = (theme: Theme): fc.Arbitrary<Step[]> =>
  fc.tuple(askingOf(theme, fc.constant('on the consent')), fc.integer({ min: 2, max: 5 })).map(([asking, times]) => Array.from({ length: times }, () => ({ act: 'ask', asking })));

const trialOf = (operations: readonly Operation[]): fc.Arbitrary<Trial> => fc.tuple(kinds, homes).chain(([kind, home]) => {
  const theme: Theme = { kind, home, operations };
  return fc.record({
    wish: wishOf(kind),
    steps: fc.tuple(
      fc.oneof({ weight: 12, arbitrary: beginningOf(theme) }, { weight: 1, arbitrary: fc.constant<Step[]>([]) }),
      fc.oneof({ weight: 3, arbitrary: fc.array(stepOf(theme), { maxLength: 5 }) }, { weight: 1, arbitrary: insistence(theme) }),
    ).map(([first, more]) => [...first, ...more]),
    asking: askingOf(theme, tokens),
  });
});

/** Mixes seed and number, so that neighbours have nothing in common (splitmix32). */
function mixed(seed: number, number: number): number {
  let state = (seed ^ Math.imul(number, 0x9e3779b9)) | 0;
  state = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
  state = Math.imul(state ^ (state >>> 15), 0x735a2d97);
  return state ^ (state >>> 15);
}

/** @returns the trial of this number, always the same */
export function trialsFrom(seed: number, known: readonly Operation[]): (number: number) => Trial {
  // Where an operation is asked for that no contract has, it would be the harness that disagrees.
  for (const id of Object.values(USUAL).flat()) if (!known.some((operation) => operation.id === id)) throw new Error(`no contract has the operation ${id}`);
  const trials = trialOf(known);
  return (number) => fc.sample(trials, { seed: mixed(seed, number), numRuns: 1 })[0]!;
}
