import { createHash } from 'node:crypto';

/**
 * How the simulated rail treats a payment: settled after a moment, unless its amount or remittance says otherwise.
 * Everything follows from the message, the clock of its arrival and the seed, so a run can be repeated.
 */

/** What the rail will send about a payment. `afterMs` counts from its acceptance. */
export type Plan =
  | { kind: 'report'; afterMs: number; status: 'ACTC' | 'ACSP' | 'ACSC' | 'RJCT'; reason?: string; copies?: number }
  | { kind: 'garbage'; afterMs: number };

/** What the rail says when it is asked for the money of a settled payment back. */
export type RecallBehaviour = { kind: 'accept' | 'silence' } | { kind: 'refuse'; reason: string };

/** All that will happen to a payment. The outcome is what the rail's books say, whatever it tells. */
export interface Script {
  reports: Plan[];
  outcome: { status: 'ACSC' | 'RJCT'; afterMs: number; reason?: string };
  /** Whether a pacs.028 is answered. */
  answersQuestions: boolean;
  recall: RecallBehaviour;
  /** The creditor's bank sends the money back by itself. */
  returned?: { afterMs: number; reason: string };
}

type Scenario =
  | { kind: 'settle' | 'silence' | 'duplicate' | 'shuffle' | 'malformed' | 'lost' | 'late' | 'mute' }
  | { kind: 'reject' | 'return'; reason: string }
  | { kind: 'delay'; ms: number }
  | { kind: 'recall'; recall: RecallBehaviour };

const DELAY_MS = 10_000;
/** An instant payment is settled within ten seconds of its acceptance (AccptncDtTm), or rejected. */
const INSTANT_MS = 10_000;
const LATE_MS = 12_000;
/** AB05: stopped due to timeout at the creditor agent. TM01: received after the agreed time. */
const TIMED_OUT = 'AB05';
const TOO_LATE = 'TM01';

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
  '66655': { kind: 'lost' },
  '66656': { kind: 'late' },
  '66657': { kind: 'mute' },
  '66658': { kind: 'return', reason: 'AC04' },
  '66660': { kind: 'recall', recall: { kind: 'refuse', reason: 'CUST' } },
  '66661': { kind: 'recall', recall: { kind: 'silence' } },
};

const BY_WORD: Record<string, Scenario> = {
  SILENCE: { kind: 'silence' }, DUPLICATE: { kind: 'duplicate' }, SHUFFLE: { kind: 'shuffle' }, MALFORMED: { kind: 'malformed' },
  LOST: { kind: 'lost' }, LATE: { kind: 'late' }, MUTE: { kind: 'mute' },
};

function scenarioOf(amount: string, remittance: string | undefined): Scenario {
  const said = /^RAIL ([A-Z]+)(?: ([A-Z0-9]{1,8}))?$/.exec(remittance ?? '');
  const [, word = '', argument = ''] = said ?? [];
  const code = /^[A-Z0-9]{4}$/.test(argument) ? argument : undefined;
  if (word === 'RJCT') return { kind: 'reject', reason: code ?? 'MS03' };
  if (word === 'RETURN') return { kind: 'return', reason: code ?? 'AC04' };
  if (word === 'RECALL') return { kind: 'recall', recall: argument === 'SILENCE' ? { kind: 'silence' } : { kind: 'refuse', reason: code ?? 'CUST' } };
  if (word === 'DELAY') return { kind: 'delay', ms: /^[0-9]{1,6}$/.test(argument) ? Number(argument) : DELAY_MS };
  const [whole = '', fraction = ''] = amount.split('.');
  return BY_WORD[word] ?? BY_MINOR[whole + fraction.padEnd(2, '0')] ?? { kind: 'settle' };
}

/** What is asked of the rail. Times are Unix milliseconds. */
export interface Asked {
  /** Decides the small delays (ACTC within 5 to 25 ms, then ACSP and ACSC each 10 to 40 ms later). */
  seed: string;
  transactionId: string;
  amount: string;
  remittance?: string | undefined;
  /** Of an instant payment: when its ten seconds began. */
  instantSince?: number | undefined;
  now: number;
}

/** What will happen to a transaction. */
export function scriptFor(asked: Asked): Script {
  const dice = createHash('sha256').update(`${asked.seed}/${asked.transactionId}`).digest();
  const technical = 5 + (dice[0] ?? 0) % 21;
  const settling = technical + 10 + (dice[1] ?? 0) % 31;
  const settled = settling + 10 + (dice[2] ?? 0) % 31;
  const scenario = scenarioOf(asked.amount, asked.remittance);
  if (asked.instantSince === undefined) return scripted(scenario, { technical, settling, settled });
  const leftMs = asked.instantSince + INSTANT_MS - asked.now;
  if (leftMs <= 0) return rejected(technical, TOO_LATE, technical);
  return withinTime(scenario, scripted(scenario, { technical, settling, settled }), leftMs);
}

interface Moments { technical: number; settling: number; settled: number }

function scripted(scenario: Scenario, at: Moments): Script {
  const usual = (late = 0, copies = 1): Plan[] => [
    { kind: 'report', afterMs: at.technical, status: 'ACTC', copies },
    { kind: 'report', afterMs: late + at.settling, status: 'ACSP', copies },
    { kind: 'report', afterMs: late + at.settled, status: 'ACSC', copies },
  ];
  const settles = (reports: Plan[], settled = at.settled): Script => ({ reports, outcome: { status: 'ACSC', afterMs: settled }, answersQuestions: true, recall: { kind: 'accept' } });
  switch (scenario.kind) {
    case 'silence': return settles([]);
    case 'mute': return { ...settles([]), answersQuestions: false };
    case 'lost': return settles(usual().slice(0, 1));
    case 'late': return rejected(LATE_MS, TIMED_OUT, INSTANT_MS);
    case 'reject': {
      const { reports, ...rest } = rejected(at.settling, scenario.reason, at.settling);
      return { ...rest, reports: [{ kind: 'report', afterMs: at.technical, status: 'ACTC' }, ...reports] };
    }
    case 'return': return { ...settles(usual()), returned: { afterMs: at.settled + 100, reason: scenario.reason } };
    case 'recall': return { ...settles(usual()), recall: scenario.recall };
    case 'delay': return settles(usual(scenario.ms), scenario.ms + at.settled);
    case 'duplicate': return settles(usual(0, 3));
    case 'shuffle': return settles([
      { kind: 'report', afterMs: at.technical, status: 'ACSC' }, { kind: 'report', afterMs: at.settling, status: 'ACSP' }, { kind: 'report', afterMs: at.settled, status: 'ACTC' }], at.technical);
    case 'malformed': return settles([{ kind: 'garbage', afterMs: at.technical }, ...usual()]);
    case 'settle': return settles(usual());
  }
}

function rejected(toldAfterMs: number, reason: string, afterMs: number): Script {
  return {
    reports: [{ kind: 'report', afterMs: toldAfterMs, status: 'RJCT', reason }], outcome: { status: 'RJCT', afterMs, reason },
    answersQuestions: true, recall: { kind: 'accept' },
  };
}

/** The rail keeps the ten seconds itself: what would be settled later, or is a silence, is rejected when they are over. */
function withinTime(scenario: Scenario, script: Script, leftMs: number): Script {
  if (scenario.kind === 'silence') return { ...script, outcome: { status: 'RJCT', afterMs: leftMs, reason: TIMED_OUT } };
  if (script.outcome.status === 'RJCT' || script.outcome.afterMs < leftMs) return script;
  return rejected(leftMs, TIMED_OUT, leftMs);
}
