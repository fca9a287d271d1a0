/** Kong's log queue: batches, retries with back-off, and a bound beyond which the oldest entries go. */
import type { Logger } from '@kontor/kernel/logger';

/** Times in seconds, as in Kong's `queue` record. */
export interface QueueConfig {
  max_batch_size: number;
  max_coalescing_delay: number;
  max_entries: number;
  max_retry_time: number;
  initial_retry_delay: number;
  max_retry_delay: number;
}

/** Most time a stop waits for what is still queued. */
const STOP_MS = 2_000;

/** One queue with one sender; entries are sent in their order. */
export class LogQueue {
  private entries: string[] = [];
  private timer: NodeJS.Timeout | undefined;
  private sending: Promise<void> | undefined;
  private dropped = 0;
  private stopped = false;

  /** @param send posts one batch; throws when it was not taken */
  constructor(private readonly config: QueueConfig, private readonly send: (batch: string[]) => Promise<void>, private readonly logger: Logger) {}

  get length(): number {
    return this.entries.length;
  }

  add(entry: string): void {
    if (this.entries.length >= this.config.max_entries) {
      this.entries.shift();
      if (this.dropped++ % 1000 === 0) this.logger.error('the access log queue is full, its oldest records are lost', { queue: 'http-log', attempt: this.dropped });
    }
    this.entries.push(entry);
    if (this.sending || this.stopped) return;
    if (this.entries.length >= this.config.max_batch_size) this.start();
    else this.timer ??= setTimeout(() => this.start(), this.config.max_coalescing_delay * 1000).unref();
  }

  /** Sends what is there, for at most two seconds. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    if (!this.sending && this.entries.length > 0) this.start();
    await Promise.race([this.sending, new Promise<void>((done) => setTimeout(done, STOP_MS).unref())]);
  }

  private start(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.sending ??= this.drain().finally(() => {
      this.sending = undefined;
      if (this.entries.length > 0 && !this.stopped) this.timer ??= setTimeout(() => this.start(), this.config.max_coalescing_delay * 1000).unref();
    });
  }

  private async drain(): Promise<void> {
    do {
      await this.deliver(this.entries.splice(0, this.config.max_batch_size));
    } while (this.entries.length >= this.config.max_batch_size || (this.stopped && this.entries.length > 0));
  }

  private async deliver(batch: string[]): Promise<void> {
    const giveUpAt = Date.now() + this.config.max_retry_time * 1000;
    let delayMs = this.config.initial_retry_delay * 1000;
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.send(batch);
      } catch (error) {
        if (Date.now() + delayMs >= giveUpAt || (this.stopped && attempt > 3)) {
          this.logger.error('access records could not be delivered and are lost', { queue: 'http-log', attempt, error });
          return;
        }
        if (attempt === 1) this.logger.warn('access records could not be delivered, trying again', { queue: 'http-log', error });
      }
      await new Promise<void>((done) => setTimeout(done, delayMs).unref());
      delayMs = Math.min(delayMs * 2, this.config.max_retry_delay * 1000);
    }
  }
}
