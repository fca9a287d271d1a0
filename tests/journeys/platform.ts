/** The running platform as the journeys meet it: its addresses, and its processes to be killed. Started by `npm test`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sanctionedPerson } from '../../scripts/demo/sanctions.js';
import type { Place } from '../../scripts/demo/fintech.js';
import type { SandboxMember } from '../../scripts/platform/sandbox.js';

function setting(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: journeys run through "npm test", which starts the platform.`);
  return value.replace(/\/$/, '');
}

export const place = (): Place => ({
  gatewayUrl: setting('GATEWAY_URL'),
  portalUrl: setting('PORTAL_URL'),
  pagesUrl: setting('BANK_PAGES_URL'),
  compliance: (JSON.parse(readFileSync(setting('KONTOR_CREDENTIALS'), 'utf8')) as { compliance: Place['compliance'] }).compliance,
});

/** The bank's staff who sign in to the back office, one of each role. */
export const officeStaff = (): SandboxMember[] => (JSON.parse(readFileSync(setting('KONTOR_CREDENTIALS'), 'utf8')) as { office: SandboxMember[] }).office;

/** The application of the bank's staff (role bank-staff). */
export const staffApp = (): { clientId: string; clientSecret: string } => (JSON.parse(readFileSync(setting('KONTOR_CREDENTIALS'), 'utf8')) as { staff: { clientId: string; clientSecret: string } }).staff;

/** The development CA that signed the gateway's certificate. */
export const authority = (): Buffer => readFileSync(setting('CA_FILE'));

export const sanctioned = (): Promise<{ given: string; family: string }> => sanctionedPerson(setting('SANCTIONS_FILES'));

interface RunState {
  processes: Record<string, { pid: number; port?: number }>;
}

const runState = (): RunState => JSON.parse(readFileSync(join(setting('KONTOR_HOME'), 'run.json'), 'utf8')) as RunState;

/** The simulated rail, and the secret with which it takes orders. */
export function rail(): { url: string; secret: string } {
  const { railSharedSecret } = JSON.parse(readFileSync(join(setting('KONTOR_HOME'), 'secrets.json'), 'utf8')) as { railSharedSecret: string };
  return { url: `http://127.0.0.1:${runState().processes['payment-rail-simulator']?.port}`, secret: railSharedSecret };
}

/** Every process the launcher keeps alive. */
export const processNames = (): string[] => Object.keys(runState().processes);

/** Kills a process as a power cut would; the launcher starts it again. @returns when another one stands in its place */
export async function kill(name: string): Promise<void> {
  const pid = runState().processes[name]?.pid;
  if (!pid) throw new Error(`There is no process named ${name}.`);
  process.kill(pid, 'SIGKILL');
  for (let tries = 0; tries < 600; tries++) {
    const now = runState().processes[name]?.pid;
    if (now && now !== pid) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${name} was not started again within 60 s.`);
}
