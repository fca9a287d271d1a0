import { createHash } from 'node:crypto';
import { appendFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Environment } from '../gateway/gateway.js';
import { Fault } from '../platform/fault.js';

/** A line of the history: a sync or roll-back that began to change Kong, or came to its end. */
export interface Step {
  release: string; digest: string; at: string; actor: string; created: number; updated: number; deleted: number;
  state: 'begun' | 'applied';
}

/**
 * The releases of an environment: `<folder>/<environment>/<release>/` holds the files of the state as they were applied, without
 * secrets; `history.jsonl` says when, before Kong is touched and afterwards. A release is named by the beginning of its digest, so the same files are the same release.
 */
export class Releases {
  readonly #folder: string;
  readonly #environment: Environment;

  constructor(folder: string, environment: Environment) {
    this.#folder = join(folder, environment);
    this.#environment = environment;
  }

  /** Keeps the files of a state. @returns its name and its digest (SHA-256, hex) */
  keep(state: string): { release: string; digest: string } {
    const digest = this.#digestOf(state);
    const release = digest.slice(0, 12);
    const target = join(this.#folder, release);
    if (existsSync(target)) {
      this.folderOf(release);
      return { release, digest };
    }
    const growing = join(this.#folder, `.${release}.${process.pid}`);
    rmSync(growing, { recursive: true, force: true });
    mkdirSync(join(growing, 'environments'), { recursive: true });
    for (const name of this.#names()) cpSync(join(state, name), join(growing, name));
    renameSync(growing, target);
    return { release, digest };
  }

  /** The folder of a release. @throws Fault when there is none of that name, or its files are not those that were kept */
  folderOf(release: string): string {
    const folder = join(this.#folder, basename(release));
    if (!/^[0-9a-f]{12}$/.test(release) || !existsSync(folder)) {
      throw new Fault(`There is no release ${release} of ${this.#environment}${this.names().length > 0 ? `: there are ${this.names().join(', ')}` : ''}.`);
    }
    if (!this.#digestOf(folder).startsWith(release)) throw new Fault(`The files of release ${release} were changed after it was kept (${folder}): it cannot be trusted.`);
    return folder;
  }

  /** All releases kept, in the order they were last applied. */
  names(): string[] {
    const order = this.history().map(({ release }) => release);
    const kept = existsSync(this.#folder) ? readdirSync(this.#folder).filter((name) => /^[0-9a-f]{12}$/.test(name)) : [];
    return kept.sort((a, b) => order.lastIndexOf(a) - order.lastIndexOf(b));
  }

  note(step: Step): void {
    mkdirSync(this.#folder, { recursive: true });
    appendFileSync(this.#history(), `${JSON.stringify(step)}\n`);
  }

  /** What was applied, oldest first. */
  history(): Step[] {
    return this.#steps().filter(({ state }) => state !== 'begun');
  }

  /** What began to be applied and did not come to its end: it failed, or the command was killed. */
  unfinished(): Step | undefined {
    const last = this.#steps().at(-1);
    return last?.state === 'begun' ? last : undefined;
  }

  /** What was applied last. */
  current(): string | undefined {
    return this.history().at(-1)?.release;
  }

  /** Where a roll-back leads: to what was applied before, or, from a release that was not applied whole, to what was applied last. */
  previous(): string | undefined {
    const current = this.current();
    return this.unfinished() ? current : this.history().findLast(({ release }) => release !== current)?.release;
  }

  #history(): string {
    return join(this.#folder, 'history.jsonl');
  }

  #steps(): Step[] {
    const path = this.#history();
    if (!existsSync(path)) return [];
    return readFileSync(path, 'utf8').split('\n').flatMap((line, index) => {
      try {
        return line === '' ? [] : [JSON.parse(line) as Step];
      } catch {
        throw new Fault(`Line ${index + 1} of ${path} is no record of a release: nothing was changed. Restore the file, or take the line out.`);
      }
    });
  }

  #names(): string[] {
    return ['kong.yaml', 'policies.yaml', `environments/${this.#environment}.yaml`, `environments/${this.#environment}.env`];
  }

  #digestOf(state: string): string {
    const hash = createHash('sha256');
    for (const name of this.#names()) {
      const path = join(state, name);
      if (!existsSync(path)) throw new Fault(`The state has no file ${path}: restore it (git status shows what is missing).`);
      const content = readFileSync(path);
      hash.update(`${name}\n${content.length}\n`).update(content);
    }
    return hash.digest('hex');
  }
}
