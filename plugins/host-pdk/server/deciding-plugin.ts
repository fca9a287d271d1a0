/** From the dossier to the dossier: the one phase every plugin of this host has. */
import { failClosed } from '../../plugin.js';
import type { Decision, RequestFacts } from '../../plugin.js';
import { DOSSIER, LIMITS, type Dossier } from '../dossier.js';

/** A decision, and what the dossier keeps beside it. */
export interface Decided { decision: Decision; keep?: Pick<Dossier, 'consent' | 'answering'> }

/** Made once for each configuration; then asked for each request. */
export type Decider = (facts: RequestFacts, dossier: Dossier) => Decided | Promise<Decided>;

/** The two PDK calls of this host. */
interface Kong { ctx: { shared: { get(key: string): Promise<unknown>; set(key: string, value: string): Promise<void> } } }

type Tell = (text: string) => void;

/**
 * Makes the class kong-pdk creates one of for each configuration. A decider that throws or takes too long has refused:
 * decisions are returned, never thrown. Without a whole dossier nothing is returned, which the guard in Kong refuses.
 */
export function decidingPlugin<Config>(name: string, prepare: (config: Config) => Decider, tell: Tell): new(config: Config) => { access(kong: Kong): Promise<void> } {
  return class {
    readonly #decide: Decider;

    constructor(config: Config) {
      this.#decide = prepare(config);
    }

    async access(kong: Kong): Promise<void> {
      const dossier = readDossier(await kong.ctx.shared.get(DOSSIER));
      // Refused already: the guard needs no more, and a refused request costs no signature.
      if (Object.values(dossier.decisions).some(({ kind }) => kind === 'refuse')) return;
      const { decision, keep } = await decideInTime(name, () => this.#decide(dossier.facts, dossier), tell);
      await kong.ctx.shared.set(DOSSIER, JSON.stringify({ ...dossier, ...keep, decisions: { ...dossier.decisions, [name]: decision } }));
    }
  };
}

async function decideInTime(name: string, decide: () => Decided | Promise<Decided>, tell: Tell): Promise<Decided> {
  let clock: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    clock = setTimeout(() => reject(new Error(`no decision in ${LIMITS.decision} ms`)), LIMITS.decision);
  });
  try {
    return await Promise.race([Promise.resolve().then(decide), late]);
  } catch (fault) {
    tell(`${name}: ${fault instanceof Error ? fault.message : String(fault)}`);
    return { decision: failClosed('A gateway plugin') };
  } finally {
    clearTimeout(clock);
  }
}

function readDossier(text: unknown): Dossier {
  if (typeof text !== 'string') throw new Error('Kong has no dossier: pdk-watch does not run on this route');
  const dossier = JSON.parse(text) as Dossier;
  if (typeof dossier.request !== 'string' || typeof dossier.facts !== 'object' || typeof dossier.decisions !== 'object') throw new Error('the dossier is not whole');
  return dossier;
}
