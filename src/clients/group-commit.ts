interface Waiting<Item, Outcome> {
  readonly item: Item;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: unknown) => void;
}

/** Gathers what is asked for while an earlier group is under way, so that many small writes share one wait for the server. */
export class GroupCommit<Item, Outcome> {
  readonly #write: (items: readonly Item[]) => Promise<readonly Outcome[]>;
  readonly #atMost: number;
  #waiting: Waiting<Item, Outcome>[] = [];
  #writing: Promise<void> | null = null;

  /** `write` takes at most so many items and gives one outcome an item, in their order. */
  constructor(write: (items: readonly Item[]) => Promise<readonly Outcome[]>, atMost: number) {
    this.#write = write;
    this.#atMost = atMost;
  }

  /** The outcome of an item; items are written in the order in which they came. */
  add(item: Item): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      this.#writing ??= this.#drain();
    });
  }

  /** Resolves when all that was added has been written, or has failed. */
  async settled(): Promise<void> {
    await this.#writing;
  }

  async #drain(): Promise<void> {
    // What comes in the same turn of the event loop goes together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const group = this.#waiting.slice(0, this.#atMost);
      this.#waiting = this.#waiting.slice(this.#atMost);
      try {
        const outcomes = await this.#write(group.map(({ item }) => item));
        for (const [index, { resolve }] of group.entries()) resolve(outcomes[index]!);
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    this.#writing = null;
  }
}
