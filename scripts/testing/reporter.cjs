// A mocha reporter that writes one JSON line a result to the file KONTOR_TEST_RESULTS; scripts/testing/stages.ts reads it.
const { appendFileSync } = require('node:fs');
const { reporters, Runner } = require('mocha');

module.exports = class ResultLines extends reporters.Base {
  constructor(runner, options) {
    super(runner, options);
    const file = process.env.KONTOR_TEST_RESULTS;
    const write = (line) => appendFileSync(file, `${JSON.stringify(line)}\n`);
    const { EVENT_TEST_PASS, EVENT_TEST_FAIL, EVENT_TEST_PENDING, EVENT_SUITE_BEGIN, EVENT_SUITE_END, EVENT_RUN_END } = Runner.constants;
    // A test or a hook that skips prints `skipped: <reason>` first; the reason holds for what it skips, at most its suite with those in it.
    let said = null;
    const suites = [];
    let saidIn;
    const print = process.stdout.write.bind(process.stdout);
    process.stdout.write = (chunk, ...rest) => {
      const reason = /^\s*skipped: (.+)$/m.exec(String(chunk))?.[1];
      if (reason) [said, saidIn] = [reason, suites.at(-1)];
      return print(chunk, ...rest);
    };
    runner.on(EVENT_SUITE_BEGIN, (suite) => suites.push(suite));
    runner.on(EVENT_SUITE_END, () => { if (suites.pop() === saidIn) said = null; });
    runner.on(EVENT_TEST_PASS, () => write({ kind: 'pass' }));
    runner.on(EVENT_TEST_FAIL, (test, error) => write({ kind: 'fail', title: test.fullTitle(), file: test.file, error: textOf(error) }));
    runner.on(EVENT_TEST_PENDING, (test) => write({ kind: 'skip', title: test.fullTitle(), reason: reasonOf(test) ?? said ?? 'no reason given' }));
    runner.on(EVENT_RUN_END, () => write({ kind: 'end' }));
  }
};

// Why a test was skipped, where it or a suite around it carries `skipReason`.
function reasonOf(test) {
  for (let at = test; at; at = at.parent) if (at.skipReason) return at.skipReason;
  return undefined;
}

function textOf(error) {
  const text = error && (error.stack || error.message) ? String(error.stack || error.message) : String(error);
  const difference = error && error.showDiff && error.actual !== undefined
    ? `\n  expected ${short(error.expected)}\n  actual   ${short(error.actual)}` : '';
  const cause = error && error.cause ? `\n  caused by ${error.cause.stack || error.cause}` : '';
  return text + difference + cause;
}

function short(value) {
  try {
    return (JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? `${inner}n` : inner)) || String(value)).slice(0, 2000);
  } catch {
    return String(value);
  }
}
