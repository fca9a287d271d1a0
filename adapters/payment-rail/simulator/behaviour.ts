import { createHash } from 'node:crypto';

/**
 * How the simulated rail treats a payment: settled after a moment, unless its amount or remittance says otherwise.
 * Everything follows from the message and the seed, so a run can be repeated.
 */

/** What the rail will send about a payment. `afterMs` counts from its acceptance. */
export type Plan =
  | { kind: 'report'; afterMs: number; status: 'ACTC' | 'ACSP' | 'ACSC' | 'RJCT'; reason?: string; copies?: number }
  | { kind: 'garbage'; afterMs: number };

type Scenario =
  | { kind: 'settle' | 'silence' | 'duplicate' | 'shuffle' | 'malformed' }
  | { kind: 'reject'; reason: string }
  | { kind: 'delay'; ms: number };

const DELAY_MS = 10_000;

/** Magic amounts, in minor units: 666.xx. The README documents them. */
const BY_MINOR: Record<string, Scenario> = {
  '66601': { kind: 'reject', reason: 'AC01' },
  '66604': { kind: 'reject', reason: 'AC04' },
  '66606': { kind: 'reject', reason: 'AC06' },
  '66614': { kind: 'reject', reason: 'AM04' },
  '66620': { kind: 'reject', reason: 'AG01' },
  '66630': { kind: 'reject', reason: 'MS03' },
  '66650': { kind: 'silence' },
  '66651': { kind: 'delay', ms: DELAY_MS },
  '66652': { kind: 'duplicate' },
  '66653': { kind: 'shuffle' },
  '66654': { kind: 'malformed' },
};

const BY_WORD: Record<string, Scenario['kind']> = { SILENCE: 'silence', DUPLICATE: 'duplicate', SHUFFLE: 'shuffle', MALFORMED: 'malformed' };

function scenarioOf(amount: string, remittance: string | undefined): Scenario {
  const said = /^RAIL (RJCT|DELAY|SILENCE|DUPLICATE|SHUFFLE|MALFORMED)(?: ([A-Z0-9]{1,8}))?$/.exec(remittance ?? '');
  const [, word = '', argument = ''] = said ?? [];
  if (word === 'RJCT') return { kind: 'reject', reason: /^[A-Z0-9]{4}$/.test(argument) ? argument : 'MS03' };
  if (word === 'DELAY') return { kind: 'delay', ms: /^[0-9]{1,6}$/.test(argument) ? Number(argument) : DELAY_MS };
  const worded = BY_WORD[word];
  if (worded) return { kind: worded } as Scenario;
  const [whole = '', fraction = ''] = amount.split('.');
  return BY_MINOR[whole + fraction.padEnd(2, '0')] ?? { kind: 'settle' };
}

/**
 * What the rail will send about a transaction.
 * @param given.seed decides the small delays (ACTC within 5 to 25 ms, then ACSP and ACSC each 10 to 40 ms later)
 */
export function planFor(given: { seed: string; transactionId: string; amount: string; remittance?: string }): Plan[] {
  const dice = createHash('sha256').update(`${given.seed}/${given.transactionId}`).digest();
  const technical = 5 + (dice[0] ?? 0) % 21;
  const settling = technical + 10 + (dice[1] ?? 0) % 31;
  const settled = settling + 10 + (dice[2] ?? 0) % 31;
  const scenario = scenarioOf(given.amount, given.remittance);
  const usual = (late: number, copies = 1): Plan[] => [
    { kind: 'report', afterMs: technical, status: 'ACTC', copies },
    { kind: 'report', afterMs: late + settling, status: 'ACSP', copies },
    { kind: 'report', afterMs: late + settled, status: 'ACSC', copies },
  ];
  switch (scenario.kind) {
    case 'silence': return [];
    case 'reject': return [{ kind: 'report', afterMs: technical, status: 'ACTC' }, { kind: 'report', afterMs: settling, status: 'RJCT', reason: scenario.reason }];
    case 'delay': return usual(scenario.ms);
    case 'duplicate': return usual(0, 3);
    case 'shuffle': return [
      { kind: 'report', afterMs: technical, status: 'ACSC' }, { kind: 'report', afterMs: settling, status: 'ACSP' }, { kind: 'report', afterMs: settled, status: 'ACTC' }];
    case 'malformed': return [{ kind: 'garbage', afterMs: technical }, ...usual(0)];
    case 'settle': return usual(0);
  }
}
