import { Problem } from '@kontor/kernel/problem';

/** The problem a promise was refused with. @throws Error when it was not refused, and whatever else it threw */
export async function problemOf(promise: Promise<unknown>): Promise<Problem> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error('it was not refused');
}
