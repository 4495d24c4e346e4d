import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { zstdCompress, zstdDecompress } from 'node:zlib';
import type { Binary, Collection, Db, WriteConcernSettings } from 'mongodb';
import { GroupCommit } from '../../clients/group-commit.ts';
import { endOfPrefix } from '../../clients/key-range.ts';
import type { MongoDatabase } from '../../clients/mongodb.ts';
import { bulkWrite } from '../../clients/mongodb-bulk.ts';
import type { Json } from '../../contracts/digest.ts';
import { ProblemError } from '../../contracts/problem.ts';
import type { MetadataStore, StreamRecord } from '../../ports/metadata-store.ts';

/** Records that were appended together are one document, so that they are there all or none; the name of a stream stands in its first. */
interface StoredRecords {
  readonly _id: { readonly s: string; readonly n: number };
  /** Sequence number of the last record. */
  readonly last: number;
  readonly at: Date;
  /** JSON text of the records: the server would change numbers, names with dots, and lone surrogates. */
  readonly data: string | Binary;
  /** Tells an append that is repeated after a broken connection from somebody else's. */
  readonly by: string;
  readonly name?: string;
}

interface Append {
  readonly stream: string;
  readonly expectedSeq: number | null;
  readonly texts: readonly string[];
}

type AppendOutcome = Awaited<ReturnType<MetadataStore['append']>>;
type Streams = Pick<MetadataStore, 'append' | 'read' | 'streams'> & { settled(): Promise<void> };

const duplicateKey = 11000;
const appendsAtOnce = 500;
const compressFrom = 256 * 1024;
const largestDocument = 15 * 1024 * 1024;
const endsKept = 1000;
const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/** The streams of a metadata store in one collection; `prepare` makes what it needs before the first write. */
export function mongoStreams(
  database: MongoDatabase,
  collectionName: string,
  concern: WriteConcernSettings,
  prepare: () => Promise<void>,
): Streams {
  /** Where streams end, as far as this process knows: the place of an append shows whether that still holds. */
  const ends = new Map<string, number>();
  const records = (db: Db): Collection<StoredRecords> => db.collection<StoredRecords>(collectionName);
  const within = (stream: string, from: number, to: number) => ({
    $gte: { s: stream, n: from },
    $lte: { s: stream, n: to },
  });

  const readEnd = async (stream: string): Promise<number> => {
    const found = await database.patiently((db) =>
      records(db).findOne({ _id: within(stream, 0, Infinity) }, { sort: { _id: -1 }, projection: { last: 1 } }),
    );
    const end = found?.last ?? 0;
    if (ends.size >= endsKept) ends.clear();
    ends.set(stream, end);
    return end;
  };

  /** Writes what was asked for together: one document a stream, all of them with one wait for the majority. */
  const writeAll = async (appends: readonly Append[]): Promise<readonly AppendOutcome[]> => {
    await prepare();
    const outcomes: AppendOutcome[] = [];
    let open = Map.groupBy(appends.keys(), (index) => appends[index]!.stream);
    while (open.size > 0) {
      const planned = await Promise.all(
        [...open].map(async ([stream, indexes]) => {
          const known = ends.get(stream);
          const end = known ?? (await readEnd(stream));
          const { outcomes: judged, texts } = planAppends(end, indexes, appends);
          return { stream, indexes, fresh: known === undefined, end, judged, texts };
        }),
      );
      const writing = planned.filter(({ texts }) => texts.length > 0);
      const refused = await insert(writing);
      open = new Map();
      for (const plan of planned) {
        // A document that took its place proves the end that all of them were judged by; so does a look at the server.
        const certain = plan.texts.length > 0 ? !refused.has(writing.indexOf(plan)) : plan.fresh;
        if (certain) {
          ends.set(plan.stream, plan.end + plan.texts.length);
          for (const [index, outcome] of plan.judged) outcomes[index] = outcome;
        } else {
          ends.delete(plan.stream);
          open.set(plan.stream, plan.indexes);
        }
      }
    }
    return outcomes;
  };

  const insert = async (
    plans: readonly { readonly stream: string; readonly end: number; readonly texts: readonly string[] }[],
  ): Promise<ReadonlyMap<number, number>> => {
    if (plans.length === 0) return new Map();
    const by = randomUUID();
    const operations = await Promise.all(
      plans.map(async ({ stream, end, texts }) => {
        const set = {
          last: end + texts.length,
          at: { $ifNull: ['$at', '$$NOW'] },
          data: { $literal: await packed(stream, texts) },
          ...(end === 0 && { name: { $literal: stream } }),
        };
        // The filter finds nothing but a document that this very append has left before its answer was lost.
        return { updateOne: { filter: { _id: { s: stream, n: end + 1 }, by }, update: [{ $set: set }], upsert: true } };
      }),
    );
    const outcome = await database.patiently((db) => bulkWrite(records(db), operations, [duplicateKey], { writeConcern: concern }));
    return outcome.refused;
  };

  const group = new GroupCommit(writeAll, appendsAtOnce);
  return {
    settled: () => group.settled(),

    async append(stream, expectedSeq, data) {
      if (!stream.isWellFormed()) throw new TypeError(`A lone surrogate in the name ${JSON.stringify(stream)}`);
      return group.add({ stream, expectedSeq, texts: data.map((record) => JSON.stringify(record)) });
    },

    async read(stream, fromSeq) {
      const found = await database.patiently(async (db) => {
        let from = 0;
        if (fromSeq > 0) {
          const before = { sort: { _id: -1 }, projection: { _id: 1 } } as const;
          from = (await records(db).findOne({ _id: within(stream, 0, fromSeq + 1) }, before))?._id.n ?? 0;
        }
        return records(db)
          .find({ _id: within(stream, from, Infinity) }, { sort: { _id: 1 } })
          .toArray();
      });
      const batches = await Promise.all(
        found.map(async ({ _id, at, data }) =>
          (await unpacked(data)).map((record, index): StreamRecord => ({ seq: _id.n + index, at: at.getTime(), data: record })),
        ),
      );
      return batches.flat().filter(({ seq }) => seq > fromSeq);
    },

    async streams(prefix, after, limit) {
      const end = endOfPrefix(prefix);
      const range = { $gte: prefix, $gt: after, ...(end !== null && { $lt: end }) };
      const found = await database.patiently((db) =>
        records(db)
          .find({ name: range }, { sort: { name: 1 }, limit, projection: { name: 1 } })
          .toArray(),
      );
      return found.map(({ name }) => name!);
    },
  };
}

/** What each append comes to if the stream ends at `end`, and the records that are to be written for that. */
function planAppends(end: number, indexes: readonly number[], appends: readonly Append[]) {
  const outcomes = new Map<number, AppendOutcome>();
  const texts: string[] = [];
  for (const index of indexes) {
    const { expectedSeq, texts: own } = appends[index]!;
    const seq = end + texts.length;
    if (expectedSeq !== null && expectedSeq !== seq) {
      outcomes.set(index, { ok: false, actual: seq });
      continue;
    }
    texts.push(...own);
    outcomes.set(index, { ok: true, seq: seq + own.length });
  }
  return { outcomes, texts };
}

async function packed(stream: string, texts: readonly string[]): Promise<string | Buffer> {
  const text = `[${texts.join(',')}]`;
  const whole = Buffer.byteLength(text) < compressFrom ? text : await compress(text);
  if (whole.length <= largestDocument) return whole;
  throw new ProblemError({
    reason: 'record-too-large',
    message: `The records of ${stream} are too large to be written at once`,
    where: stream,
    expected: `at most ${largestDocument} bytes, compressed`,
    found: `${whole.length} bytes`,
    hint: 'Write large values as rows or as a folder: those lie in the artifact store.',
    exit: 1,
  });
}

async function unpacked(data: string | Binary): Promise<readonly Json[]> {
  const text = typeof data === 'string' ? data : (await decompress(data.buffer)).toString();
  return JSON.parse(text) as Json[];
}
