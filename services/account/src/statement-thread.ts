/** The thread a large statement is read in; see statement-reader.ts. */
import { parentPort, workerData } from 'node:worker_threads';
import { loadSchemas, MessageFault } from '@kontor/kernel/iso20022';
import { openStatements, STATEMENT_MESSAGES } from '@kontor/kernel/statements';
import type { ReadInThread, ToRead } from './statement-reader.js';

const { bytes, schemaDir } = workerData as ToRead;

function read(): ReadInThread {
  try {
    return { statements: openStatements(bytes, loadSchemas(schemaDir, STATEMENT_MESSAGES)) };
  } catch (fault) {
    if (fault instanceof MessageFault) return { fault: fault.message };
    throw fault;
  }
}

parentPort?.postMessage(read());
