/** Load on a gateway: wrk where it is on the PATH (it takes far less of the processors it shares), else autocannon. */
import { spawn } from 'node:child_process';
import autocannon from 'autocannon';
import { findProgram } from '../../scripts/infra/packages.js';

/** Enough to keep two workers busy. */
const CONNECTIONS = 32;

export interface Load { url: string; token: string; seconds: number }
export interface Result { rate: number; requests: number }

/** @returns requests answered with 2xx a second. @throws Error when any was answered otherwise */
export type Loader = (load: Load) => Promise<Result>;

/** The loader this machine has, and its name. */
export async function chooseLoader(): Promise<{ name: string; load: Loader }> {
  const wrk = await findProgram('wrk');
  return wrk ? { name: 'wrk', load: (load) => withWrk(wrk, load) } : { name: 'autocannon', load: withAutocannon };
}

async function withWrk(wrk: string, { url, token, seconds }: Load): Promise<Result> {
  const out = await new Promise<string>((resolve, reject) => {
    const child = spawn(wrk, ['-t', '1', '-c', String(CONNECTIONS), '-d', `${Math.max(1, Math.round(seconds))}s`, '-H', `Authorization: Bearer ${token}`, url], { stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => { text += chunk.toString(); });
    child.stderr.on('data', (chunk: Buffer) => { text += chunk.toString(); });
    child.once('error', reject);
    child.once('close', () => resolve(text));
  });
  const refused = Number(/Non-2xx or 3xx responses: (\d+)/.exec(out)?.[1] ?? 0);
  const broken = /Socket errors: (.*)/.exec(out)?.[1];
  const rate = Number(/Requests\/sec:\s+([\d.]+)/.exec(out)?.[1]);
  if (!(rate > 0) || refused > 0 || broken) throw new Error(`GET ${url}: ${refused} answers other than 2xx${broken ? `, errors: ${broken}` : ''}: nothing was measured`);
  return { rate, requests: Number(/(\d+) requests in/.exec(out)?.[1]) };
}

async function withAutocannon({ url, token, seconds }: Load): Promise<Result> {
  const result = await autocannon({ url, headers: { authorization: `Bearer ${token}` }, connections: CONNECTIONS, duration: Math.max(1, Math.round(seconds)) });
  if (result.non2xx > 0 || result.errors > 0) throw new Error(`GET ${url}: ${result.non2xx} answers other than 2xx, ${result.errors} errors: nothing was measured`);
  return { rate: result['2xx'] / result.duration, requests: result['2xx'] };
}
