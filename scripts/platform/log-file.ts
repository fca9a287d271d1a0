import { closeSync, openSync, renameSync, statSync, writeSync } from 'node:fs';

/**
 * A log that never grows beyond twice `limitBytes`: when full, it becomes `<path>.1` in place of the one before.
 * Writes are synchronous: lines of a dying process are not lost with it.
 */
export class LogFile {
  #descriptor: number;
  #size: number;
  readonly path: string;
  readonly #limitBytes: number;

  constructor(path: string, limitBytes = 10 * 1024 * 1024) {
    this.path = path;
    this.#limitBytes = limitBytes;
    this.#descriptor = openSync(path, 'a', 0o600);
    this.#size = statSync(path).size;
  }

  write(chunk: Buffer | string): void {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    if (this.#size + bytes.length > this.#limitBytes && this.#size > 0) {
      closeSync(this.#descriptor);
      renameSync(this.path, `${this.path}.1`);
      this.#descriptor = openSync(this.path, 'a', 0o600);
      this.#size = 0;
    }
    writeSync(this.#descriptor, bytes);
    this.#size += bytes.length;
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}
