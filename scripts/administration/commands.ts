/** The commands of `npm run gateway`. Each answers with the exit code; a Fault is one sentence, and nothing was changed. */
import { existsSync, writeFileSync } from 'node:fs';
import type { EventData } from '@kontor/kernel/events';
import type { StateChange } from '../gateway/deck-sync.js';
import { explain, Fault } from '../platform/fault.js';
import { checkDeletions, deletionsOf, describe, nameOf } from './changes.js';
import type { Kong } from './kong.js';
import { inTurn } from './lock.js';
import type { Releases } from './releases.js';
import type { GatewayState } from './state.js';
import { unrecorded, type Trail } from './trail.js';
import { stateFaults } from './validation.js';

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

/** @throws Fault with every fault of the files, one a line */
async function checkFiles(state: GatewayState): Promise<void> {
  const faults = await stateFaults(state);
  if (faults.length === 0) return;
  throw new Fault(`The state is not valid, nothing was changed:\n${faults.map(({ place, what }) => `  ${place}: ${what}`).join('\n')}`);
}

/** Checks the files, and has Kong check them where one answers. */
export async function validate(given: Administration): Promise<number> {
  const state = given.stateIn(given.folder);
  await checkFiles(state);
  const kong = await given.kong().catch((error: unknown) => {
    if (error instanceof Fault) return error;
    throw error;
  });
  if (!(kong instanceof Fault)) await kong.check(state);
  given.print(`The state of ${state.environment} is valid${kong instanceof Fault ? ` by its files alone; Kong was not asked (${kong.message})` : ', and Kong would take it'}.`);
  return 0;
}

/** Shows what a sync would change. */
export async function diff(given: Administration): Promise<number> {
  const state = given.stateIn(given.folder);
  await checkFiles(state);
  const changes = await (await given.kong()).plan(state);
  for (const line of describe(changes)) given.print(line);
  if (changes.length === 0) given.print(`The gateway is as the files of ${state.environment} say.`);
  const deletions = deletionsOf(changes);
  if (deletions.length > 0) given.print(`A sync needs: --accept-deletions "${deletions.join(', ')}"`);
  return 0;
}

/** Applies the files in hand as a release. @param accepted names of what may be deleted */
export async function sync(given: Administration, accepted: string[]): Promise<number> {
  return release(given, given.stateIn(given.folder), (changes) => checkDeletions(changes, accepted));
}

/**
 * Applies an earlier release again. What that deletes was reviewed when the release was made; it is shown and recorded.
 * @param name of a release; the one before the current when absent
 */
export async function rollback(given: Administration, name: string | undefined): Promise<number> {
  const target = name ?? given.releases.previous();
  if (target === undefined) throw new Fault(`There is no release before ${given.releases.current() ?? 'the first'} to roll back to: nothing was changed.`);
  const state = given.stateIn(given.releases.folderOf(target));
  const code = await release(given, state, () => undefined);
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
  return 0;
}

async function release(given: Administration, state: GatewayState, review: (changes: StateChange[]) => void): Promise<number> {
  await checkFiles(state);
  return inTurn(given.releasesFolder, async () => {
    const kong = await given.kong();
    const changes = await kong.plan(state);
    review(changes);
    if (changes.length > 0) await kong.check(state);
    const trail = await given.trail();
    try {
      const told = await trail.catchUp();
      if (told > 0) given.print(`${told} earlier change${told === 1 ? '' : 's'} told to the audit trail.`);
      await applyAndRecord(given, state, { kong, trail, changes });
    } finally {
      await trail.close();
    }
    return 0;
  });
}

async function applyAndRecord(given: Administration, state: GatewayState, { kong, trail, changes }: { kong: Kong; trail: Trail; changes: StateChange[] }): Promise<void> {
  const previousRelease = given.releases.current();
  const { release: name, digest } = given.releases.keep(state.folder);
  const names = (action: StateChange['action']): string[] => changes.filter((change) => change.action === action).map(nameOf);
  const data: Omit<EventData<'gateway.configuration-changed'>, 'outcome'> = {
    actor: given.actor, environment: state.environment, release: name, ...(previousRelease ? { previousRelease } : {}), digest,
    created: names('create'), updated: names('update'), deleted: names('delete'),
  };
  const counts = { created: data.created.length, updated: data.updated.length, deleted: data.deleted.length };
  const note = (): void => given.releases.note({ release: name, digest, at: new Date().toISOString(), actor: given.actor, ...counts });
  if (changes.length === 0) {
    if (previousRelease !== name) note();
    given.print(`Release ${name} of ${state.environment}: the gateway is as it says, nothing was changed.`);
    return;
  }
  const pending = trail.begin(data);
  try {
    await kong.apply(state);
  } catch (error) {
    await pending.tell('failed').catch((fault: unknown) => given.print(explain(fault)));
    throw new Fault(`Release ${name} was not applied whole, see \`npm run gateway -- diff\` for what is left. ${explain(error)}`);
  }
  note();
  for (const line of describe(changes)) given.print(line);
  given.print(`Release ${name} of ${state.environment} is applied.`);
  await pending.tell('applied');
}

/** Tells what differs between Kong and the release it should have; without a release, the files in hand. */
export async function drift(given: Administration): Promise<number> {
  const current = given.releases.current();
  const state = given.stateIn(current === undefined ? given.folder : given.releases.folderOf(current));
  await checkFiles(state);
  const changes = await (await given.kong()).plan(state);
  const against = current === undefined ? 'the files in hand (nothing was released yet)' : `release ${current}`;
  const left = unrecorded(given.releasesFolder);
  if (left > 0) given.print(`${left} change${left === 1 ? '' : 's'} not yet told to the audit trail: the next sync does.`);
  if (changes.length === 0) {
    given.print(`No drift: the gateway is as ${against} says.`);
    return 0;
  }
  given.print(`The gateway is not as ${against} says. A sync would change it back so:`);
  for (const line of describe(changes)) given.print(line);
  return DRIFTED;
}

/** Writes everything with our tag to a new file, readable by its owner alone: it holds secrets. */
export async function dump(given: Administration, path: string | undefined): Promise<number> {
  if (path === undefined) throw new Fault('A dump holds secrets and goes to a file: give --output <file>.');
  if (existsSync(path)) throw new Fault(`There is a ${path} already: give another --output.`);
  const text = await (await given.kong()).dump();
  writeFileSync(path, text, { mode: 0o600, flag: 'wx' });
  given.print(`Written to ${path}, readable by you alone: it holds the gateway's secrets.`);
  return 0;
}
