import type { Run } from './oracle.js';

/** Prints a run. @returns whether it failed */
export function report({ gateway, seed, trials, requests, acts, repeated, undecided, outcomes, disagreements, seconds }: Run): boolean {
  console.log(`\n${gateway}: ${trials} trials with ${acts} acts and ${requests} requests in ${seconds.toFixed(0)} s, seed ${seed}\n`);
  if (repeated > 0) console.log(`  ${repeated} requests were answered with 503 and asked again; ${undecided} trials ended there without a verdict\n`);
  for (const [outcome, count] of Object.entries(outcomes).sort(([, a], [, b]) => b - a)) console.log(`  ${String(count).padStart(7)}  ${outcome}`);
  for (const { trial, where, expected, got, made } of disagreements) {
    console.log(`\nDISAGREEMENT in trial ${trial} (npm run oracle -- --seed=${seed} --only=${trial}): ${where}\n  expected ${expected}\n  got      ${got}\n  ${JSON.stringify(made)}`);
  }
  console.log(`\n${disagreements.length} disagreements`);
  // A run that mostly shows nothing shows nothing.
  return disagreements.length > 0 || trials === 0 || undecided > trials / 20;
}
