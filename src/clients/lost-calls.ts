/** What a call is answered with whose connection is gone; as passing as any broken connection. */
class LostCallError extends Error {
  readonly code = 'ECONNRESET';

  constructor() {
    super('The server did not answer after its connections broke');
  }
}

/**
 * Calls to a server, of which none waits for ever. The MongoDB driver (7.9) writes a command whose connection closed a moment before to a
 * dead socket, and then waits for an event that does not come: what is without an answer some time after connections broke counts as lost.
 */
export class LostCalls {
  readonly #underWay = new Set<() => void>();
  readonly #answerMs: number;

  /** A call has so many milliseconds left once a connection broke. */
  constructor(answerMs: number) {
    this.#answerMs = answerMs;
  }

  /** Connections broke: of which calls, nobody can tell. */
  broke(): void {
    for (const hear of this.#underWay) hear();
  }

  /** The answer of a call, or an error that passes where it is lost. */
  async answerOf<Value>(call: Promise<Value>): Promise<Value> {
    const lost = Promise.withResolvers<never>();
    let timer: NodeJS.Timeout | undefined;
    const hear = (): void => {
      timer ??= setTimeout(() => lost.reject(new LostCallError()), this.#answerMs);
    };
    this.#underWay.add(hear);
    try {
      return await Promise.race([call, lost.promise]);
    } finally {
      this.#underWay.delete(hear);
      clearTimeout(timer);
    }
  }
}
