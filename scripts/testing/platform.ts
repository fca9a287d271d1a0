import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../infra/ports.js';
import { Fault } from '../platform/fault.js';
import { PORTS } from '../platform/settings.js';

/** A platform started by `npm start`'s own program, for journeys. */
export interface RunningPlatform {
  /** What journeys and the demo read from their environment. */
  env: Record<string, string>;
  /** Ends it as Ctrl-C would. Safe to call twice. */
  stop(): Promise<void>;
}

/**
 * Starts the whole platform in a home of its own and waits until it says it is ready.
 * @param freePorts true gives every port a free one, so that it stands beside a platform that runs already
 * @param tell gets each line of its progress
 */
export async function startPlatform(options: { root: string; home: string; packages?: string; freePorts: boolean; env?: NodeJS.ProcessEnv; tell: (line: string) => void }): Promise<RunningPlatform> {
  const { root, home, tell } = options;
  const ports: Record<string, string> = {};
  if (options.freePorts) for (const name of Object.keys(PORTS)) ports[`${name}_PORT`] = String(await freePort());
  const child = spawn(process.execPath, [join(root, 'scripts/start.mjs')], {
    cwd: root, stdio: ['ignore', 'pipe', 'pipe'], detached: true,
    env: { ...process.env, ...options.env, ...ports, KONTOR_HOME: home, ...(options.packages ? { KONTOR_PACKAGES: options.packages } : {}) },
  });
  const gone = new Promise<void>((resolve) => { child.once('exit', () => resolve()); });
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    const bound = setTimeout(() => child.kill('SIGKILL'), 60_000);
    await gone;
    clearTimeout(bound);
  };
  let output = '';
  await new Promise<void>((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      output += chunk.toString();
      for (const line of chunk.toString().split('\n')) if (line.trim()) tell(line);
      if (/^Kontor is ready$/m.test(output)) resolve();
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('error', reject);
    child.once('exit', (code) => reject(new Fault(`The platform did not start (exit ${code}):\n${output.trim().split('\n').slice(-15).join('\n')}`)));
  }).catch(async (error) => { await stop(); throw error; });
  return { env: platformEnvironment(root, home), stop };
}

/** Where a running platform is and how to log in to it, for programs that use it. */
export function platformEnvironment(root: string, home: string): Record<string, string> {
  const platform = JSON.parse(readFileSync(join(home, 'platform.json'), 'utf8')) as Record<string, string>;
  return {
    KONTOR_HOME: home, GATEWAY: platform.gateway!, GATEWAY_URL: platform.gatewayUrl!, GATEWAY_HTTP_URL: platform.gatewayHttpUrl!, GATEWAY_ADMIN_URL: platform.adminUrl!,
    PORTAL_URL: platform.portalUrl!, BANK_PAGES_URL: platform.bankPagesUrl!, CA_FILE: platform.caFile!, NODE_EXTRA_CA_CERTS: platform.caFile!,
    KONTOR_CREDENTIALS: platform.credentialsFile!, SANCTIONS_FILES: platform.sanctionsFiles ?? '', KONTOR_ROOT: root,
  };
}
