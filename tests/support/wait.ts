import { setTimeout as pause } from 'node:timers/promises';

/** Asks `probe` every 20 ms until it gives something other than undefined or false. @throws Error after `withinMs`. */
export async function eventually<T>(what: string, probe: () => T | Promise<T>, withinMs = 10_000): Promise<Exclude<T, undefined | false>> {
  for (const giveUpAt = Date.now() + withinMs; ;) {
    const found = await probe();
    if (found !== undefined && found !== false) return found as Exclude<T, undefined | false>;
    if (Date.now() > giveUpAt) throw new Error(`not within ${withinMs} ms: ${what}`);
    await pause(20);
  }
}
