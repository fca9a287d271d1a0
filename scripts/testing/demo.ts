import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { explain } from '../platform/fault.js';
import { platformSettings } from '../platform/settings.js';
import { startOf, type RunState } from '../platform/supervisor.js';
import { platformEnvironment, startPlatform, type RunningPlatform } from './platform.js';

/** `npm run demo`: the journey against the platform that runs, or against one started for it and stopped again. */
export async function demo({ root }: { root: string }): Promise<void> {
  let platform: RunningPlatform | null = null;
  let child: ReturnType<typeof spawn> | null = null;
  const onSignal = (): void => { child?.kill('SIGTERM'); void platform?.stop().then(() => process.exit(130)); if (!platform) process.exit(130); };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  try {
    const { home } = platformSettings(root);
    if (!runsAlready(home)) {
      console.log('Kontor does not run yet: starting it for the demo');
      platform = await startPlatform({ root, home, freePorts: false, tell: (line) => console.log(`  ${line}`) });
    }
    child = spawn(process.execPath, ['--import', 'tsx', 'scripts/demo.ts', ...process.argv.slice(2)], {
      cwd: root, stdio: 'inherit', env: { ...process.env, ...platformEnvironment(root, home) },
    });
    process.exitCode = await new Promise<number>((resolve) => { child?.once('exit', (code) => resolve(code ?? 1)); });
  } catch (error) {
    console.error(explain(error));
    process.exitCode = 1;
  } finally {
    if (platform) console.log('Stopping the platform that was started for the demo');
    await platform?.stop();
  }
  process.exit();
}

/** Whether a launcher lives in that home and has said it is ready. */
function runsAlready(home: string): boolean {
  const path = join(home, 'run.json');
  if (!existsSync(path) || !existsSync(join(home, 'platform.json'))) return false;
  const { supervisorPid, supervisorStarted } = JSON.parse(readFileSync(path, 'utf8')) as RunState;
  return supervisorStarted !== '' && startOf(supervisorPid) === supervisorStarted;
}
