/** Lets at most so many pieces of work of one name go on at once; the rest wait in order. */
export class Limiter {
  readonly #limit: number;
  readonly #waiting: (() => void)[] = [];
  #busy = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Runs work as soon as there is room; rejects with the signal's reason where that aborts first. `onWait` hears that there is none yet. */
  async run<Value>(work: () => Promise<Value>, signal: AbortSignal, onWait?: () => void): Promise<Value> {
    if (this.#busy < this.#limit) this.#busy++;
    else {
      onWait?.();
      await this.#turn(signal);
    }
    try {
      return await work();
    } finally {
      // The next in line takes the place over, so that nobody can slip in between.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#busy--;
    }
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        const index = this.#waiting.indexOf(go);
        if (index >= 0) this.#waiting.splice(index, 1);
        reject(signal.reason as Error);
      };
      const go = (): void => {
        signal.removeEventListener('abort', giveUp);
        resolve();
      };
      if (signal.aborted) return giveUp();
      signal.addEventListener('abort', giveUp, { once: true });
      this.#waiting.push(go);
    });
  }
}
