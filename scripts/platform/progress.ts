/** One line a step on the terminal, with the seconds since the beginning; while a step takes long, a line at least every `quietMs` (5 s). */
export class Progress {
  readonly #started: number;
  readonly #write: (line: string) => void;
  readonly #current = new Set<string>();
  #last = Date.now();
  #heartbeat: NodeJS.Timeout;

  constructor(options: { started?: number; write?: (line: string) => void; quietMs?: number } = {}) {
    this.#started = options.started ?? Date.now();
    this.#write = options.write ?? ((line) => console.log(line));
    const { quietMs = 5000 } = options;
    this.#heartbeat = setInterval(() => {
      if (this.#current.size > 0 && Date.now() - this.#last >= quietMs - 1000) this.say(`… ${[...this.#current].join(', ')}`);
    }, 1000);
    this.#heartbeat.unref();
  }

  get seconds(): number {
    return (Date.now() - this.#started) / 1000;
  }

  readonly say = (line: string): void => {
    this.#last = Date.now();
    this.#write(`[${this.seconds.toFixed(1).padStart(6)} s] ${line}`);
  };

  /** Runs a step and says when it is done. `describe` may say more about the result. */
  async step<T>(name: string, work: () => Promise<T>, describe: (result: T) => string = () => name): Promise<T> {
    this.#current.add(name);
    try {
      const result = await work();
      this.#current.delete(name);
      this.say(describe(result));
      return result;
    } finally {
      this.#current.delete(name);
    }
  }

  end(): void {
    clearInterval(this.#heartbeat);
  }
}
