/** Runs trials against a platform and compares what came of them with what the model says. */
import { setTimeout as pause } from 'node:timers/promises';
import { decisionKey } from '@kontor/kernel/consent-decision';
import { eventually } from '@kontor/testing/wait';
import type { Answer } from '../gateway/client.js';
import { outcomeOf, perform, requestOf, strangeAccounts, subjectOf, undecided, type Request, type Shared, type Subject } from './act.js';
import { after, asked, used, verdict, type Consent, type Operation } from './model.js';
import { operations } from './specification.js';
import { trialsFrom, type Asking, type Step, type Trial } from './trials.js';
import { consented, consentBody, createConsent, type World } from './world.js';

/** Something the platform did that the model says it must not do. */
export interface Disagreement { trial: number; where: string; expected: string; got: string; made: Trial }

export interface Run {
  gateway: string;
  seed: number;
  trials: number;
  /** Requests that were decided: each trial's own, and those on the way. */
  requests: number;
  /** Acts on consents. */
  acts: number;
  /** Requests that were answered with 503, since nobody could say, and asked again. */
  repeated: number;
  /** Trials that ended there, since what is counted may have been counted. */
  undecided: number;
  /** How many requests had each outcome. */
  outcomes: Record<string, number>;
  disagreements: Disagreement[];
  seconds: number;
}

export interface Order {
  seed: number;
  trials: number;
  /** Only this trial. */
  only?: number;
  /** How many run side by side. */
  jobs: number;
  tell(line: string): void;
  /** Ends the run early. */
  signal?: AbortSignal;
}

const MOST_ATTEMPTS = 10;

/** The rule is about a day (UTC): a trial that lasts over midnight would count on both. */
const sameDay = (started: Date): boolean => started.getUTCDate() === new Date().getUTCDate();

export async function runOracle(world: World, { seed, trials, only, jobs, tell, signal }: Order): Promise<Run> {
  const started = performance.now();
  const known = operations();
  const trialOf = trialsFrom(seed, known);
  const shared = await sharedOf(world);
  const run: Run = { gateway: world.name, seed, trials: 0, requests: 0, acts: 0, repeated: 0, undecided: 0, outcomes: {}, disagreements: [], seconds: 0 };
  let next = only ?? 1;
  const last = only ?? trials;
  await Promise.all(Array.from({ length: jobs }, async () => {
    while (next <= last && !signal?.aborted) {
      const number = next++;
      const made = trialOf(number);
      const begun = new Date();
      const found = await oneTrial({ world, shared, known, run }, made).catch((fault: Error) => {
        if (!(fault instanceof Undecided)) return [{ where: 'the trial itself', expected: 'to run', got: fault.stack ?? fault.message }];
        run.undecided++;
        return [];
      });
      const counted = sameDay(begun) ? found : [];
      run.disagreements.push(...counted.map((one) => ({ trial: number, made, ...one })));
      for (const one of counted) tell(`trial ${number}: ${one.where}: expected ${one.expected}, got ${one.got}`);
      run.trials++;
      if (run.trials % Math.max(100, Math.round(trials / 10)) === 0) tell(`${run.trials} of ${trials} trials, ${run.requests} requests, ${run.disagreements.length} disagreements`);
    }
  }));
  run.seconds = (performance.now() - started) / 1000;
  return run;
}

async function sharedOf(world: World): Promise<Shared> {
  const { consentId } = await consented(world, 'access');
  const consent: Consent = {
    ...asked('fintech', { kind: 'access', permissions: ['accounts:read', 'balances:read', 'transactions:read', 'beneficiaries:read'] }), state: 'authorised', accounts: ['first'], approvers: ['ada'], approved: ['ada'],
  };
  return { standing: { consent, token: () => world.client.consentToken(world.apps.fintech, consentId, 'accounts') }, foreign: await createConsent(world, consentBody('access'), world.apps.other) };
}

interface Trying { world: World; shared: Shared; known: readonly Operation[]; run: Run }
type Found = Omit<Disagreement, 'trial' | 'made'>;

async function oneTrial(trying: Trying, { wish, steps, asking }: Trial): Promise<Found[]> {
  const { world, run } = trying;
  const subject = await subjectOf(world, wish);
  let consent = asked('fintech', wish);
  const found: Found[] = [];
  for (const [index, step] of [...steps, { act: 'ask' as const, asking }].entries()) {
    const where = index < steps.length ? `step ${index + 1} (${inWords(step)})` : `the request (${inWords(step)})`;
    if (step.act === 'ask') consent = await ask(trying, subject, { consent, asking: step.asking, where, found });
    else if (step.act === 'lose the record') await world.services.redis.del(decisionKey(subject.consentId));
    else {
      run.acts++;
      const { consent: then, refused } = after(consent, step, world.ada);
      const wasRefused = await perform(world, subject, step);
      if (refused !== wasRefused) found.push({ where, expected: refused ? 'to be refused' : 'to be done', got: wasRefused ? 'refused' : 'done' });
      consent = then;
    }
    if (found.length > 0) return found;
  }
  return [...found, ...await stateAtTheEnd(world, subject, consent)];
}

interface AskingWith { consent: Consent; asking: Asking; where: string; found: Found[] }

/** @returns the consent as the model sees it afterwards */
async function ask({ world, shared, known, run }: Trying, subject: Subject, { consent, asking, where, found }: AskingWith): Promise<Consent> {
  const operation = known.find(({ id }) => id === asking.operation)!;
  const request = await requestOf(world, subject, shared, { asking, operation, consent });
  const expected = verdict(request.question);
  const answer = await decided(run, request);
  const got = outcomeOf(answer);
  run.requests++;
  run.outcomes[got] = (run.outcomes[got] ?? 0) + 1;
  if (!expected.includes(got)) found.push({ where, expected: expected.join(' or '), got: got === 'allowed' ? got : `${got} (${answer.text.slice(0, 300)})` });
  const strange = strangeAccounts(world, request, answer, expected);
  if (strange.length > 0) found.push({ where, expected: 'the chosen accounts', got: strange.join() });
  const { token } = request.question;
  if (got !== 'allowed' || token.kind !== 'consent' || token.consent !== consent) return consent;
  const then = { ...consent, ...used(request.question) };
  // The news of the payment travels; what follows in a trial follows it.
  if (then.state === 'consumed') await eventually('the consent service has heard of the payment', async () => (await world.services.consents.find(subject.consentId))?.status === 'consumed', 30_000);
  return then;
}

/** Ends a trial without a verdict. */
class Undecided extends Error {}

/**
 * Sends a request until somebody says yes or no: on a machine that is out of breath a look-up may run into its time-out, and is refused.
 * @throws Undecided when the request is of those that are counted: the one that was refused may have been
 */
async function decided(run: Run, request: Request): Promise<Answer> {
  for (let attempt = 1; ; attempt++) {
    const answer = await request.send();
    if (!undecided(answer)) return answer;
    run.repeated++;
    const { token, order, attended } = request.question;
    const counted = !order && !attended && token.kind === 'consent' && token.consent !== 'unknown' && token.consent.frequency !== undefined;
    if (counted || attempt === MOST_ATTEMPTS) throw new Undecided();
    await pause(200 * attempt);
  }
}

/** Whatever was allowed and refused on the way, the consent stands where the model says. */
async function stateAtTheEnd(world: World, { consentId }: Subject, { state, permissions, frequency }: Consent): Promise<Found[]> {
  const answer = await world.client.ask('GET', `/v1/consents/${consentId}`, { headers: { authorization: `Bearer ${await world.tokenOf(world.apps.fintech, 'consents')}` } });
  const told = answer.body as { status: string; permissions: string[]; frequencyPerDay?: number };
  const inText = (status: string, granted: readonly string[], limit: number | undefined): string => [status, [...granted].sort().join(' '), limit ?? ''].join(', ');
  const [expected, got] = [inText(state, permissions, frequency), inText(told.status, told.permissions ?? [], told.frequencyPerDay)];
  return expected === got ? [] : [{ where: 'the consent at the end', expected, got }];
}

function inWords(step: Step): string {
  return Object.entries(step.act === 'ask' ? step.asking : step).map(([name, value]) => (name === 'act' ? String(value) : `${name} ${String(value)}`)).join(', ');
}
