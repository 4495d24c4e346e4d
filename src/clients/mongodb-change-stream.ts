import type { BSON, ClientSession, Db, Long, MongoClient, Timestamp } from 'mongodb';

/** An event as the server projects it: no document travels. */
export interface StreamEvent {
  readonly _id: { readonly _data: string };
  readonly operationType: string;
  readonly clusterTime: Timestamp;
  readonly ns: { readonly db: string; readonly coll?: string };
  readonly to?: { readonly db: string; readonly coll: string };
  readonly documentKey?: { readonly _id: unknown };
}

interface Batch {
  readonly id: Long | number;
  readonly firstBatch?: readonly StreamEvent[];
  readonly nextBatch?: readonly StreamEvent[];
  readonly postBatchResumeToken: { readonly _data: string };
}

/** Events that the server puts in one reply at most. */
const eventsAtOnce = 4096;

/** Everything that the server leaves out: other collections, and updates that change nothing but the mark of a vanished source. */
function pipelineOf(own: string, names: readonly string[], startAfter: string | null): BSON.Document[] {
  const updatedFields = { $objectToArray: { $ifNull: ['$updateDescription.updatedFields', {}] } };
  return [
    { $changeStream: startAfter === null ? {} : { startAfter: { _data: startAfter } } },
    {
      $match: {
        $and: [
          {
            $or: [{ 'ns.coll': { $in: names } }, { 'to.coll': { $in: names } }, { operationType: { $in: ['dropDatabase', 'invalidate'] } }],
          },
          {
            $or: [
              { operationType: { $ne: 'update' } },
              { 'ns.coll': { $ne: own } },
              { 'updateDescription.updatedFields.vanished': { $exists: false } },
              { $expr: { $ne: [{ $map: { input: updatedFields, in: '$$this.k' } }, ['vanished']] } },
            ],
          },
        ],
      },
    },
    { $project: { _id: 1, operationType: 1, clusterTime: 1, ns: 1, to: 1, documentKey: 1 } },
  ];
}

/**
 * A change stream over one database, by the commands of the server: events come in batches and without a promise each, and an empty batch brings
 * the token that keeps an idle reader alive. It does not resume by itself.
 */
export class MongoChangeStream {
  /** Events that were fetched and not taken. */
  readonly events: StreamEvent[] = [];
  /** Where the reader stands once all fetched events are taken. */
  token: string;
  #id: Long | number;
  readonly #db: Db;
  readonly #session: ClientSession;

  private constructor(db: Db, session: ClientSession, { id, firstBatch = [], postBatchResumeToken }: Batch) {
    this.#db = db;
    this.#session = session;
    this.#id = id;
    this.events.push(...firstBatch);
    this.token = postBatchResumeToken._data;
  }

  /** Opens a stream after a token, or from now on. */
  static async open(
    client: MongoClient,
    db: Db,
    own: string,
    names: readonly string[],
    startAfter: string | null,
  ): Promise<MongoChangeStream> {
    const session = client.startSession({ causalConsistency: false });
    try {
      const command = { aggregate: 1, pipeline: pipelineOf(own, names, startAfter), cursor: { batchSize: 0 } };
      const reply = await db.command({ ...command, readConcern: { level: 'majority' } }, { session });
      return new MongoChangeStream(db, session, reply['cursor'] as Batch);
    } catch (error) {
      await session.endSession();
      throw error;
    }
  }

  /** Whether the server has ended it, as after the end of the database. */
  get ended(): boolean {
    return String(this.#id) === '0';
  }

  /** Fetches what comes within a time; the token moves also when nothing does. */
  async fetch(waitMs: number): Promise<void> {
    if (this.ended) return;
    const command = {
      getMore: this.#id,
      collection: '$cmd.aggregate',
      batchSize: eventsAtOnce,
      maxTimeMS: Math.max(1, Math.round(waitMs)),
    };
    const reply = await this.#db.command(command, { session: this.#session });
    const { id, nextBatch = [], postBatchResumeToken } = reply['cursor'] as Batch;
    this.#id = id;
    for (const event of nextBatch) this.events.push(event);
    this.token = postBatchResumeToken?._data ?? this.events.at(-1)?._id._data ?? this.token;
  }

  /** Tells the server that nobody reads any more, if it still hears. */
  async close(): Promise<void> {
    if (!this.ended) {
      const command = { killCursors: '$cmd.aggregate', cursors: [this.#id] };
      await this.#db.command(command, { session: this.#session, timeoutMS: 1000 }).catch(() => undefined);
    }
    await this.#session.endSession().catch(() => undefined);
  }
}
