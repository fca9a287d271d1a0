/** What was wanted, and whether it was reached. */
export interface Target {
  what: string;
  met: boolean;
  /** The numbers, and the bound. */
  numbers: string;
}

/** @returns whether all were met */
export function printTargets(targets: readonly Target[]): boolean {
  console.log('\ntargets\n');
  for (const { what, met, numbers } of targets) console.log(`  ${met ? 'met   ' : 'MISSED'} ${what.padEnd(62)} ${numbers}`);
  return targets.every(({ met }) => met);
}
