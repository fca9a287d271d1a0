import { mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { explain } from '../platform/fault.js';
import { Progress } from '../platform/progress.js';
import { scratchDirectory, startInfrastructure, type TestInfrastructure } from './infrastructure.js';
import { startPlatform, type RunningPlatform } from './platform.js';
import { stageLine, type StageResult } from './results.js';
import { mochaStage, programStage, stopStages, testFiles } from './stages.js';

const JOURNEYS_LIMIT_MS = 540_000;
/** A platform behind each gateway, and Redis killed in between. */
const ORACLE_LIMIT_MS = 540_000;
/** A platform of its own under load: 50 kills take about a minute where nothing else runs. */
const PAYMENT_FAULTS_LIMIT_MS = 420_000;

/**
 * `npm test`: every check of the project with its own set-up. Two lanes run side by side (static checks; tests, with the stores
 * they need), then the journeys against a platform of their own.
 * @param arguments_ `--no-journeys` leaves the journeys out; `--only=a,b` runs the named stages
 */
export async function test({ root, started, arguments_ }: { root: string; started: number; arguments_: string[] }): Promise<void> {
  const progress = new Progress({ started, quietMs: 15_000 });
  const scratch = scratchDirectory();
  const only = arguments_.find((argument) => argument.startsWith('--only='))?.slice(7).split(',');
  const wanted = (name: string): boolean => (only ? only.includes(name) : !(name === 'journeys' && arguments_.includes('--no-journeys')));
  let infrastructure: TestInfrastructure | null = null;
  let platform: RunningPlatform | null = null;
  const cleanUp = async (): Promise<void> => {
    stopStages();
    await platform?.stop();
    await infrastructure?.stop();
    rmSync(scratch, { recursive: true, force: true });
  };
  let interrupted = false;
  const onSignal = (): void => {
    if (interrupted) return;
    interrupted = true;
    console.log('\nStopping what was started');
    void cleanUp().then(() => process.exit(130));
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal).on('SIGHUP', onSignal);

  const packages = resolve(root, process.env.KONTOR_PACKAGES ?? '.kontor/packages');
  const results: StageResult[] = [];
  const record = async (name: string, work: () => Promise<StageResult>): Promise<void> => {
    if (!wanted(name) || interrupted) return;
    const begun = Date.now();
    const result = await progress.step(name, () => work().catch((error: unknown): StageResult => ({
      name, seconds: (Date.now() - begun) / 1000, passed: 0, skips: [], failures: [{ title: name, text: explain(error) }],
    })), stageLine);
    if (!interrupted) results.push(result);
  };
  const files = testFiles(root);
  const mocha = (kind: keyof typeof files, env: NodeJS.ProcessEnv = {}, limitMs?: number): Promise<void> => (files[kind].length === 0 ? Promise.resolve()
    : record(kind, () => mochaStage({ root, name: kind, files: files[kind], env, scratch, limitMs })));

  const staticLane = async (): Promise<void> => {
    await record('types', () => programStage(root, 'types', ['node_modules/typescript/bin/tsc', '--noEmit']));
    await record('lint', () => programStage(root, 'lint', ['node_modules/eslint/bin/eslint.js', '.', '--max-warnings=0']));
    await mocha('tidy');
    await mocha('contracts');
  };
  const storeLane = async (): Promise<void> => {
    const kinds = ['kernel', 'rules', 'plugins', 'repository', 'service', 'contract', 'gateway', 'faults', 'simulation', 'oracle'] as const;
    if (!kinds.some(wanted)) return;
    infrastructure = await startInfrastructure({ directory: join(scratch, 'infra'), packages, tell: progress.say });
    progress.say('PostgreSQL, RabbitMQ, Redis and LuaJIT for the tests are up');
    const { env } = infrastructure;
    for (const kind of kinds) {
      await mocha(kind, env, kind === 'oracle' ? ORACLE_LIMIT_MS : undefined);
    }
    await infrastructure.stop();
  };
  // They start stores of their own, and break them.
  const brokenLane = (): Promise<void> => mocha('payment-faults', { KONTOR_PACKAGES: packages }, PAYMENT_FAULTS_LIMIT_MS);
  try {
    await Promise.all([
      staticLane(),
      storeLane().catch((error: unknown) => {
        results.push({ name: 'stores', seconds: 0, passed: 0, skips: [], failures: [{ title: 'the stores of the tests', text: explain(error) }] });
      }),
    ]);
    await brokenLane();
    if (wanted('journeys') && files.journeys.length > 0 && !interrupted) {
      await record('journeys', async () => {
        const home = join(scratch, 'platform');
        mkdirSync(home, { recursive: true });
        platform = await startPlatform({ root, home, packages, freePorts: true, tell: () => undefined });
        progress.say(`a platform for the journeys is up (gateway: ${platform.env.GATEWAY})`);
        return mochaStage({ root, name: 'journeys', files: files.journeys, env: platform.env, scratch, limitMs: JOURNEYS_LIMIT_MS });
      });
    }
  } finally {
    if (!interrupted) await cleanUp();
  }
  if (!interrupted) {
    progress.end();
    process.exitCode = conclude(results);
    process.exit();
  }
}

/** Prints failures and skips in full, and the counts as the very last line. @returns the exit code */
function conclude(results: StageResult[]): number {
  const failures = results.flatMap((result) => result.failures.map((failure) => ({ stage: result.name, ...failure })));
  const skips = results.flatMap((result) => result.skips.map((skip) => ({ stage: result.name, ...skip })));
  for (const { stage, title, text } of failures) console.log(`\nFAILED (${stage}) ${title}\n${text.replace(/^/gm, '  ')}`);
  if (skips.length > 0) console.log('');
  for (const { stage, title, reason } of skips) console.log(`skipped (${stage}) ${title}: ${reason}`);
  const passed = results.reduce((sum, result) => sum + result.passed, 0);
  console.log(`\n${passed} passed, ${failures.length} failed, ${skips.length} skipped`);
  return failures.length > 0 ? 1 : 0;
}
