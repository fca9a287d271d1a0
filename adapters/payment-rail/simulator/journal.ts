import { mkdir, open, readFile, truncate } from 'node:fs/promises';
import { dirname } from 'node:path';

/** An append-only file of JSON lines. What `append` has answered for survives kill -9 and power loss (fdatasync). */
export interface Journal<Entry> {
  /** All entries, oldest first, as they were when the journal was opened. */
  readonly entries: readonly Entry[];
  /** Resolves when the entry is on the disk. Entries asked for at the same time share one write and one sync. */
  append(entry: Entry): Promise<void>;
  close(): Promise<void>;
}

/** Opens a journal. A last line that was cut off by a crash was never answered for: it is dropped. */
export async function openJournal<Entry>(path: string): Promise<Journal<Entry>> {
  await mkdir(dirname(path), { recursive: true });
  const entries = await recover<Entry>(path);
  const file = await open(path, 'a', 0o600);
  let waiting: { line: string; done: () => void; fail: (fault: unknown) => void }[] = [];
  let flushing: Promise<void> | undefined;

  async function flush(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      try {
        await file.appendFile(batch.map(({ line }) => line).join(''));
        await file.datasync();
        for (const { done } of batch) done();
      } catch (fault) {
        for (const { fail } of batch) fail(fault);
      }
    }
    flushing = undefined;
  }

  return {
    entries,
    append(entry) {
      return new Promise((done, fail) => {
        waiting.push({ line: `${JSON.stringify(entry)}\n`, done, fail });
        flushing ??= flush();
      });
    },
    async close() {
      await flushing;
      await file.close();
    },
  };
}

async function recover<Entry>(path: string): Promise<Entry[]> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw fault;
  }
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  if (whole.length < text.length) await truncate(path, Buffer.byteLength(whole));
  return whole.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as Entry);
}
