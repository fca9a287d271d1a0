/** The commands of `npm run gateway`. Each answers with the exit code; a Fault is one sentence, and nothing was changed. */
import { existsSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { EventData } from '@kontor/kernel/events';
import type { StateChange } from '../gateway/deck-sync.js';
import { explain, Fault } from '../platform/fault.js';
import { checkDeletions, deletionsOf, describe, nameOf } from './changes.js';
import { NoKong, TAG, type Kong } from './kong.js';
import { inTurn, isBusy, type Hold } from './lock.js';
import type { StateFault } from './places.js';
import type { Releases } from './releases.js';
import { without, type GatewayState } from './state.js';
import { unrecorded, type Trail } from './trail.js';
import { kongFaults, refusalFaults, stateFaults, strangers } from './validation.js';

export interface Administration {
  /** The state in a folder: the checkout's, or a release's. */
  stateIn(folder: string): GatewayState;
  /** The folder of the files in hand. */
  folder: string;
  releases: Releases;
  releasesFolder: string;
  actor: string;
  /** @throws Fault when no Kong answers */
  kong(): Promise<Kong>;
  /** @throws Fault when the broker is out of reach */
  trail(): Promise<Trail>;
  print(line: string): void;
}

/** Exit code of `drift` when there is some. */
export const DRIFTED = 2;

/** @throws Fault with every fault, one a line */
function refuse(faults: StateFault[]): void {
  if (faults.length === 0) return;
  throw new Fault(`The state is not valid, nothing was changed:\n${faults.map(({ place, what }) => `  ${place}: ${what}`).join('\n')}`);
}

/** @throws Fault with every fault of the files */
async function checkFiles(state: GatewayState): Promise<void> {
  refuse(await stateFaults(state));
}

/** Checks the files, and has Kong check them where one answers. */
export async function validate(given: Administration): Promise<number> {
  const state = given.stateIn(given.folder);
  await checkFiles(state);
  const kong = await given.kong().catch((error: unknown) => {
    if (error instanceof NoKong) return error;
    throw error;
  });
  if (!(kong instanceof NoKong)) {
    refuse(await kongFaults(state, kong));
    refuse(await clashes(state, kong, await kong.plan(state)));
    refuse(refusalFaults(state, await kong.check(state)));
  }
  given.print(`The state of ${state.environment} is valid${kong instanceof NoKong ? ` by its files alone; Kong was not asked (${kong.message})` : ', and Kong would take it'}.`);
  return 0;
}

/** Says what a command that failed or was killed has left behind. */
function tellUnfinished({ releases, releasesFolder, print }: Administration): void {
  const unfinished = releases.unfinished();
  if (!unfinished) return;
  if (isBusy(releasesFolder)) return print(`Release ${unfinished.release} is being applied, begun ${unfinished.at} by ${unfinished.actor}.`);
  const back = releases.previous();
  print(`Release ${unfinished.release}, begun ${unfinished.at} by ${unfinished.actor}, was not applied whole: a sync of its files goes on with it${back === undefined ? '' : `, a roll-back returns to ${back}`}.`);
}

/**
 * Runs work with an earlier release as far as it can be applied today: what it gives to applications that were removed since is left
 * out, and said. The files in hand are refused instead (`kongFaults`), for they can be changed.
 */
async function asFarAsKnown<T>(given: Administration, state: GatewayState, kong: Kong, work: (state: GatewayState) => Promise<T>): Promise<T> {
  const gone = await strangers(state, kong);
  if (gone.length > 0) given.print(`Left out, since the gateway knows them no more: the plans of ${gone.join(', ')}.`);
  return without(state, gone, async (known) => {
    refuse(await kongFaults(known, kong));
    return work(known);
  });
}

/** Shows what a sync would change. */
export async function diff(given: Administration): Promise<number> {
  const state = given.stateIn(given.folder);
  await checkFiles(state);
  const kong = await given.kong();
  refuse(await kongFaults(state, kong));
  tellUnfinished(given);
  const changes = await kong.plan(state);
  for (const line of describe(changes)) given.print(line);
  if (changes.length === 0) given.print(`The gateway is as the files of ${state.environment} say.`);
  const deletions = deletionsOf(changes);
  if (deletions.length > 0) given.print(`A sync needs: --accept-deletions "${deletions.join(', ')}"`);
  return 0;
}

/** Applies the files in hand as a release. @param accepted names of what may be deleted */
export async function sync(given: Administration, accepted: string[]): Promise<number> {
  const state = given.stateIn(given.folder);
  return release(given, state, {
    async fitted(kong, work) {
      refuse(await kongFaults(state, kong));
      return work(state);
    },
    review: (changes) => checkDeletions(changes, accepted),
  });
}

/**
 * Applies an earlier release again. What that deletes was reviewed when the release was made; it is shown and recorded.
 * @param name of a release; the one before the current when absent
 */
export async function rollback(given: Administration, name: string | undefined): Promise<number> {
  const target = name ?? given.releases.previous();
  if (target === undefined) throw new Fault(`There is no release before ${given.releases.current() ?? 'the first'} to roll back to: nothing was changed.`);
  const state = given.stateIn(given.releases.folderOf(target));
  const code = await release(given, state, { fitted: (kong, work) => asFarAsKnown(given, state, kong, work), review: () => undefined });
  given.print('The files in deck/ are as they were: undo the change there as well, or the next sync brings it back.');
  return code;
}

/** The releases kept, newest last. */
export function list(given: Administration): number {
  const current = given.releases.current();
  for (const { release: name, at, actor, created, updated, deleted } of given.releases.history()) {
    given.print(`${name === current ? '*' : ' '} ${name}  ${at}  ${actor}  ${created} created, ${updated} updated, ${deleted} deleted`);
  }
  if (current === undefined) given.print('Nothing was released yet.');
  tellUnfinished(given);
  return 0;
}

/** What would be created but is there by hand: Kong would refuse it in the middle of the sync. */
async function clashes(state: GatewayState, kong: Kong, changes: StateChange[]): Promise<StateFault[]> {
  const created = changes.filter(({ action }) => action === 'create');
  if (created.length === 0) return [];
  const byHand = await kong.untagged();
  return refusalFaults(state, created.flatMap(({ kind, name }) => {
    const there = byHand.find((one) => one.name === `${kind} ${name}`);
    return there ? [{ kind, name, what: `is there already, made by hand without the tag ${TAG} (${there.path}): give it the tag or delete it` }] : [];
  }));
}

interface Way {
  /** Checks the state against this Kong and runs work with what is to be applied. */
  fitted(kong: Kong, work: (state: GatewayState) => Promise<void>): Promise<void>;
  /** @throws Fault for changes nobody asked for */
  review(changes: StateChange[]): void;
}

async function release(given: Administration, state: GatewayState, { fitted, review }: Way): Promise<number> {
  await checkFiles(state);
  return inTurn(given.releasesFolder, async (hold) => {
    const kong = await given.kong();
    await fitted(kong, async (applied) => {
      const changes = await kong.plan(applied);
      review(changes);
      refuse(await clashes(applied, kong, changes));
      if (changes.length > 0) refuse(refusalFaults(applied, await kong.check(applied)));
      const trail = await given.trail();
      try {
        const told = await trail.catchUp();
        if (told > 0) given.print(`${told} earlier change${told === 1 ? '' : 's'} told to the audit trail.`);
        await applyAndRecord(given, applied, { kong, trail, changes, hold });
      } finally {
        await trail.close();
      }
    });
    return 0;
  });
}

interface Work { kong: Kong; trail: Trail; changes: StateChange[]; hold: Hold }

async function applyAndRecord(given: Administration, state: GatewayState, { kong, trail, changes, hold }: Work): Promise<void> {
  const previousRelease = given.releases.current();
  const { release: name, digest } = given.releases.keep(state.folder);
  const names = (action: StateChange['action']): string[] => changes.filter((change) => change.action === action).map(nameOf);
  const data: Omit<EventData<'gateway.configuration-changed'>, 'outcome'> = {
    actor: given.actor, environment: state.environment, release: name, ...(previousRelease ? { previousRelease } : {}), digest,
    created: names('create'), updated: names('update'), deleted: names('delete'),
  };
  const counts = { created: data.created.length, updated: data.updated.length, deleted: data.deleted.length };
  const note = (step: 'begun' | 'applied'): void => given.releases.note({ release: name, digest, at: new Date().toISOString(), actor: given.actor, ...counts, state: step });
  if (changes.length === 0) {
    if (previousRelease !== name || given.releases.unfinished()) note('applied');
    given.print(`Release ${name} of ${state.environment}: the gateway is as it says, nothing was changed.`);
    return;
  }
  const pending = trail.begin(data);
  note('begun');
  try {
    await kong.apply(state, hold);
  } catch (error) {
    await pending.tell('failed').catch((fault: unknown) => given.print(explain(fault)));
    throw new Fault(`Release ${name} was not applied whole, see \`npm run gateway -- diff\` for what is left. ${explain(error)}`);
  }
  note('applied');
  for (const line of describe(changes)) given.print(line);
  given.print(`Release ${name} of ${state.environment} is applied.`);
  await pending.tell('applied');
}

/** Tells what differs between Kong and the release it should have; without a release, the files in hand. */
export async function drift(given: Administration): Promise<number> {
  const current = given.releases.current();
  const state = given.stateIn(current === undefined ? given.folder : given.releases.folderOf(current));
  await checkFiles(state);
  const kong = await given.kong();
  const changes = await asFarAsKnown(given, state, kong, (known) => kong.plan(known));
  const byHand = await kong.untagged();
  const against = current === undefined ? 'the files in hand (nothing was released yet)' : `release ${current}`;
  const left = unrecorded(given.releasesFolder);
  if (left > 0) given.print(`${left} change${left === 1 ? '' : 's'} not yet told to the audit trail: the next sync does.`);
  tellUnfinished(given);
  if (changes.length === 0 && byHand.length === 0) {
    given.print(`No drift: the gateway is as ${against} says.`);
    return 0;
  }
  if (changes.length > 0) given.print(`The gateway is not as ${against} says. A sync would change it back so:`);
  for (const line of describe(changes)) given.print(line);
  if (byHand.length > 0) given.print(`Made by hand, without the tag ${TAG} (no sync sees it; give it the tag, and the next one takes it away as reviewed):`);
  for (const { name, path } of byHand) given.print(`? ${name}   (${path})`);
  return DRIFTED;
}

/** Writes everything with our tag to a new file, readable by its owner alone: it holds secrets. */
export async function dump(given: Administration, path: string | undefined): Promise<number> {
  if (path === undefined) throw new Fault('A dump holds secrets and goes to a file: give --output <file>.');
  if (existsSync(path)) throw new Fault(`There is a ${path} already: give another --output.`);
  if (!existsSync(dirname(resolve(path)))) throw new Fault(`There is no directory ${dirname(resolve(path))}: give another --output.`);
  const text = await (await given.kong()).dump();
  writeFileSync(path, text, { mode: 0o600, flag: 'wx' });
  given.print(`Written to ${path}, readable by you alone: it holds the gateway's secrets.`);
  return 0;
}
