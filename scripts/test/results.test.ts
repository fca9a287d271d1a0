import { expect } from 'chai';
import { mochaResult, stageLine } from '../testing/results.js';
import { kindOf } from '../testing/stages.js';

const clean = { code: 0, output: '', hung: false };
const lines = (...entries: object[]): string => entries.map((entry) => JSON.stringify(entry)).join('\n');

describe('npm test counts', () => {
  it('passed, failed and skipped tests, skips with their reason', () => {
    const result = mochaResult('rules', 1.25, lines({ kind: 'pass' }, { kind: 'pass' }, { kind: 'fail', title: 'a b', error: 'boom' },
      { kind: 'skip', title: 'c', reason: 'root may write everywhere' }, { kind: 'end' }), { ...clean, code: 1 });
    expect(result).to.deep.equal({
      name: 'rules', seconds: 1.25, passed: 2, failures: [{ title: 'a b', text: 'boom' }], skips: [{ title: 'c', reason: 'root may write everywhere' }],
    });
    expect(stageLine(result)).to.match(/^✗ rules +2 passed, 1 FAILED, 1 skipped \(1\.3 s\)$/);
  });

  it('a run that broke off as failed, even if all tests so far passed', () => {
    expect(mochaResult('rules', 1, lines({ kind: 'pass' }), { ...clean, code: null }).failures).to.have.length(1);
  });

  it('a process that stays after its tests as failed', () => {
    expect(mochaResult('rules', 1, lines({ kind: 'pass' }, { kind: 'end' }), { ...clean, code: null, hung: true }).failures[0]?.title).to.include('the process did not');
  });

  it('an exit code nobody explained as failed', () => {
    expect(mochaResult('rules', 1, lines({ kind: 'pass' }, { kind: 'end' }), { ...clean, code: 7 }).failures).to.have.length(1);
  });
});

describe('every test file has its stage', () => {
  for (const [path, kind] of [
    ['services/payment/test/rules.test.ts', 'rules'], ['services/payment/test/repository.test.ts', 'repository'], ['services/consent/test/pages.service.test.ts', 'service'],
    ['adapters/webhooks/test/contract.test.ts', 'contract'], ['kernel/test/outbox.test.ts', 'kernel'], ['plugins/test/vectors.test.ts', 'plugins'],
    ['tests/tidy/imports.test.ts', 'tidy'], ['tests/journeys/kill.test.ts', 'journeys'], ['tests/gateway/routes.test.ts', 'gateway'], ['kong/test/router.test.ts', 'gateway'],
    ['portal/test/anything.test.ts', 'rules'], ['tests/contracts/contracts.test.ts', 'contracts'], ['tests/oracle/race.test.ts', 'oracle'],
    ['tests/faults/gateway.test.ts', 'faults'], ['tests/faults/payments/kills.test.ts', 'payment-faults'], ['tests/simulation/histories.test.ts', 'simulation'],
  ] as const) it(`${path}: ${kind}`, () => { expect(kindOf(path)).to.equal(kind); });
});
