import { Worker } from 'node:worker_threads';
import { loadSchemas, MessageFault } from '@kontor/kernel/iso20022';
import { problem, type Problem } from '@kontor/kernel/problem';
import { openStatements, STATEMENT_MESSAGES, type Statement } from '@kontor/kernel/statements';

/** What the thread is given and gives. */
export interface ToRead { bytes: Uint8Array; schemaDir: string | undefined }
export type ReadInThread = { statements: Statement[] } | { fault: string };

/** Above this size a message is read in a thread: 11 MB keep a thread busy for five seconds (measured), in which no payment would be booked. */
const THREAD_ABOVE_BYTES = 512 * 1024;
/** 16 MB took 0.9 GB with everything else in the process. */
const THREAD_HEAP_MB = 1_024;

/**
 * Reads statement messages: small ones at once, large ones in a thread of their own, one after the other, which ends with its memory.
 * @throws Problem invalid_message that names the entry and the element, or the line
 */
export function statementReader(schemaDir: string | undefined): (bytes: Uint8Array) => Promise<Statement[]> {
  const schemas = loadSchemas(schemaDir, STATEMENT_MESSAGES);
  let last: Promise<unknown> = Promise.resolve();
  return async (bytes) => {
    if (bytes.length <= THREAD_ABOVE_BYTES) return understood(bytes, schemas);
    const read = last.then(() => inThread({ bytes, schemaDir }));
    last = read.catch(() => undefined);
    const found = await read;
    if ('fault' in found) throw refused(found.fault);
    return found.statements;
  };
}

const refused = (sentence: string): Problem => problem('invalid_message', `${sentence}.`);

function understood(bytes: Uint8Array, schemas: ReturnType<typeof loadSchemas>): Statement[] {
  try {
    return openStatements(bytes, schemas);
  } catch (fault) {
    if (fault instanceof MessageFault) throw refused(fault.message);
    throw fault;
  }
}

function inThread(toRead: ToRead): Promise<ReadInThread> {
  // Bundled, the thread lies beside main.js; from source a thread has to register the loader of TypeScript itself (tsx 4).
  const fromSource = import.meta.url.endsWith('.ts');
  return new Promise((resolve, reject) => {
    const program = new URL(fromSource ? './statement-thread.ts' : './statement-thread.js', import.meta.url);
    const settings = { workerData: toRead, resourceLimits: { maxOldGenerationSizeMb: THREAD_HEAP_MB } };
    const thread = fromSource
      ? new Worker(`import('tsx/esm/api').then(({ register }) => { register(); return import(${JSON.stringify(program.href)}); })`, { ...settings, eval: true })
      : new Worker(program, settings);
    let answered = false;
    thread.once('message', (found: ReadInThread) => {
      answered = true;
      resolve(found);
      void thread.terminate();
    });
    thread.once('error', (fault: Error & { code?: string }) => reject(fault.code === 'ERR_WORKER_OUT_OF_MEMORY' ? refused('the message has more in it than can be read at once; split it into several') : fault));
    thread.once('exit', (code) => { if (!answered) reject(new Error(`the thread that reads a statement ended with ${code}`)); });
  });
}
