/** One line a step on the terminal, with the seconds since the beginning; a line at least every 5 s while a step takes long. */
export class Progress {
  readonly #started: number;
  readonly #write: (line: string) => void;
  #current: string | null = null;
  #last = Date.now();
  #heartbeat: NodeJS.Timeout;

  constructor(options: { started?: number; write?: (line: string) => void } = {}) {
    this.#started = options.started ?? Date.now();
    this.#write = options.write ?? ((line) => console.log(line));
    this.#heartbeat = setInterval(() => {
      if (this.#current !== null && Date.now() - this.#last >= 4000) this.say(`… ${this.#current}`);
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
    this.#current = name;
    try {
      const result = await work();
      this.say(describe(result));
      return result;
    } finally {
      this.#current = null;
    }
  }

  end(): void {
    clearInterval(this.#heartbeat);
  }
}
