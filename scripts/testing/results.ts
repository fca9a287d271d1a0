/** What one stage of `npm test` gave. */
export interface StageResult {
  name: string;
  seconds: number;
  passed: number;
  failures: Array<{ title: string; text: string }>;
  skips: Array<{ title: string; reason: string }>;
}

/** Results of a stage that is one program: it passes or fails as a whole. */
export function wholeResult(name: string, seconds: number, run: { code: number | null; output: string }): StageResult {
  return {
    name, seconds, passed: run.code === 0 ? 1 : 0, skips: [],
    failures: run.code === 0 ? [] : [{ title: name, text: run.output.trim().split('\n').slice(-60).join('\n') }],
  };
}

/** Results of a mocha run from the lines its reporter wrote. A run that did not come to its end, or not cleanly, is a failure of its own. */
export function mochaResult(name: string, seconds: number, lines: string, run: { code: number | null; output: string; hung: boolean }): StageResult {
  const result: StageResult = { name, seconds, passed: 0, failures: [], skips: [] };
  let ended = false;
  for (const line of lines.split('\n').filter(Boolean)) {
    const entry = JSON.parse(line) as { kind: string; title: string; file?: string; error: string; reason: string };
    if (entry.kind === 'pass') result.passed += 1;
    if (entry.kind === 'fail') result.failures.push({ title: entry.title, text: entry.error });
    if (entry.kind === 'skip') result.skips.push({ title: entry.title, reason: entry.reason });
    if (entry.kind === 'end') ended = true;
  }
  const tail = run.output.trim().split('\n').slice(-40).join('\n');
  if (!ended) result.failures.push({ title: `${name}: the run broke off (exit ${run.code})`, text: tail });
  else if (run.hung) result.failures.push({ title: `${name}: the tests ended but the process did not`, text: `A test leaves a connection, server or timer open.\n${tail}` });
  else if (run.code !== 0 && result.failures.length === 0) result.failures.push({ title: `${name}: exit ${run.code} without a failed test`, text: tail });
  return result;
}

/** The line of a stage. */
export function stageLine(result: StageResult): string {
  const counts = [`${result.passed} passed`, ...(result.failures.length ? [`${result.failures.length} FAILED`] : []), ...(result.skips.length ? [`${result.skips.length} skipped`] : [])];
  return `${result.failures.length ? '✗' : '✓'} ${result.name.padEnd(16)} ${counts.join(', ')} (${result.seconds.toFixed(1)} s)`;
}
