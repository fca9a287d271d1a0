/** Hears every event, as the audit trail does, and counts the different ones. */
import { EVENT_TYPES } from '@kontor/kernel/events';
import type { Broker } from '@kontor/kernel/messaging';

export interface Witness {
  /** How many different events of each type there were about a subject. */
  heard(subject: string): Record<string, number>;
  readonly events: number;
}

export async function startWitness(broker: Broker): Promise<Witness> {
  const ids = new Set<string>();
  const subjects = new Map<string, Record<string, number>>();
  await broker.subscribe({
    queue: 'witness', types: EVENT_TYPES, prefetch: 500,
    handler: async ({ id, type, subject }) => {
      if (ids.has(id)) return;
      ids.add(id);
      const counts = subjects.get(subject) ?? {};
      counts[type] = (counts[type] ?? 0) + 1;
      subjects.set(subject, counts);
    },
  });
  return {
    heard: (subject) => subjects.get(subject) ?? {},
    get events() {
      return ids.size;
    },
  };
}
