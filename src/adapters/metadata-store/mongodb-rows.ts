import { randomUUID } from 'node:crypto';
import type { AnyBulkWriteOperation, Collection, Db, Document, WriteConcernSettings } from 'mongodb';
import { GroupCommit } from '../../clients/group-commit.ts';
import { endOfPrefix } from '../../clients/key-range.ts';
import { acknowledged, type MongoDatabase } from '../../clients/mongodb.ts';
import { bulkWrite } from '../../clients/mongodb-bulk.ts';
import type { Json } from '../../contracts/digest.ts';
import type { MetadataStore, RowWrite, TableRow, WriteOutcome } from '../../ports/metadata-store.ts';

/** A row. One that was deleted or has expired stays without its data, so that its revisions go on counting. */
interface StoredRow {
  readonly _id: { readonly t: string; readonly k: string };
  readonly r: number;
  /** JSON text. */
  readonly d: string | null;
  /** When the row counts as absent, by the server's clock; null: never. */
  readonly e: Date | null;
  /** The write that made this revision, so that one that is repeated after a broken connection is known. */
  readonly w: string;
}

interface TableWrite {
  readonly table: string;
  readonly write: RowWrite;
  readonly text: string | null;
}

type Rows = Pick<MetadataStore, 'putMany' | 'get' | 'scan' | 'clear' | 'purge'> & { settled(): Promise<void> };

const rowsAtOnce = 1000;
/** From so many rows on it pays to try whether they are new. */
const insertFrom = 16;
const duplicateKey = 11000;
/** ConversionFailure: how the update of a row whose revision is another one gives up. */
const conflict = 241;
const never = new Date(8_640_000_000_000_000);

const isLive = { $and: [{ $ne: [{ $type: '$r' }, 'missing'] }, { $gt: [{ $ifNull: ['$e', never] }, '$$NOW'] }] };
const actual = { $cond: [isLive, '$r', 0] };

/** The tables of a metadata store in one collection; `prepare` makes what it needs before the first write. */
export function mongoRows(
  database: MongoDatabase,
  collectionName: string,
  concern: WriteConcernSettings,
  prepare: () => Promise<void>,
): Rows {
  const rows = (db: Db): Collection<StoredRow> => db.collection<StoredRow>(collectionName);

  const writeAll = async (writes: readonly TableWrite[], concern: WriteConcernSettings): Promise<readonly WriteOutcome[]> => {
    await prepare();
    const outcomes: WriteOutcome[] = [];
    // Operations of one bulk come in any order, so the second write of a key goes with the next.
    for (let open = [...writes.keys()]; open.length > 0;) {
      const taken = new Map<string, number>();
      const later: number[] = [];
      for (const index of open) {
        const id = JSON.stringify([writes[index]!.table, writes[index]!.write.key]);
        if (taken.has(id)) later.push(index);
        else taken.set(id, index);
      }
      const indexes = [...taken.values()];
      const group = indexes.map((index) => writes[index]!);
      for (const [at, outcome] of (await writeDistinct(group, concern)).entries()) {
        if (outcome === 'again') later.unshift(indexes[at]!);
        else outcomes[indexes[at]!] = outcome;
      }
      open = later;
    }
    return outcomes;
  };

  const writeDistinct = async (
    writes: readonly TableWrite[],
    concern: WriteConcernSettings,
  ): Promise<readonly (WriteOutcome | 'again')[]> => {
    const by = (index: number): string => `${mark} ${index}`;
    const mark = randomUUID();
    const first = await insertNew(writes, by, concern);
    const rest = [...writes.keys()].filter((index) => !first.has(index));
    const updates = rest.map((index) => operationOf(writes[index]!, by(index)));
    const updated = await database.patiently((db) => bulkWrite(rows(db), updates, [conflict, duplicateKey], { writeConcern: concern }));
    const refused = new Map([...updated.refused].map(([at, code]) => [rest[at]!, code]));
    const inserted = new Set([...first, ...[...updated.inserted].map((at) => rest[at]!)]);
    const unknown = writes.flatMap(({ write: { row, expectedRevision }, table, write }, index) => {
      const known = row === null || inserted.has(index) || (expectedRevision !== null && expectedRevision > 0);
      return known && !refused.has(index) ? [] : [{ t: table, k: write.key }];
    });
    const found = new Map<string, { readonly r: number; readonly w: string; readonly actual: number }>();
    if (unknown.length > 0) {
      const project = { r: 1, w: 1, actual };
      const documents = await database.patiently((db) =>
        rows(db)
          .aggregate<StoredRow & { readonly actual: number }>([{ $match: { _id: { $in: unknown } } }, { $project: project }])
          .toArray(),
      );
      for (const each of documents) found.set(JSON.stringify([each._id.t, each._id.k]), each);
    }
    return writes.map(({ table, write: { key, row, expectedRevision } }, index): WriteOutcome | 'again' => {
      const stored = found.get(JSON.stringify([table, key]));
      if (refused.get(index) === duplicateKey) return 'again';
      if (refused.has(index)) return { ok: false, actual: stored?.actual ?? 0 };
      if (row === null) return { ok: true, revision: 0 };
      if (inserted.has(index)) return { ok: true, revision: 1 };
      if (expectedRevision !== null && expectedRevision > 0) return { ok: true, revision: expectedRevision + 1 };
      // A table that was emptied meanwhile has taken the row with it.
      if (stored === undefined) return { ok: true, revision: 1 };
      // Where somebody has overwritten it since, any earlier revision says as much: none of them comes back.
      return { ok: true, revision: stored.w === by(index) ? stored.r : stored.r - 1 };
    });
  };

  /** Inserts what is most likely new, which is many times faster than an update; gives the indexes of what was. */
  const insertNew = async (
    writes: readonly TableWrite[],
    by: (index: number) => string,
    concern: WriteConcernSettings,
  ): Promise<ReadonlySet<number>> => {
    const hopeful = [...writes.keys()].filter((index) => {
      const { text, write } = writes[index]!;
      return text !== null && write.expiresInMs === undefined && (write.expectedRevision ?? 0) === 0;
    });
    if (hopeful.length < insertFrom) return new Set();
    const inserts = hopeful.map((index) => {
      const { table, write, text } = writes[index]!;
      return { insertOne: { document: { _id: { t: table, k: write.key }, r: 1, d: text, e: null, w: by(index) } } };
    });
    const { refused } = await database.patiently((db) => bulkWrite(rows(db), inserts, [duplicateKey], { writeConcern: concern }));
    return new Set(hopeful.filter((_, at) => !refused.has(at)));
  };

  const lasting = new GroupCommit<TableWrite, WriteOutcome>((writes) => writeAll(writes, concern), rowsAtOnce);
  const passing = new GroupCommit<TableWrite, WriteOutcome>((writes) => writeAll(writes, acknowledged), rowsAtOnce);
  return {
    async settled() {
      await Promise.all([lasting.settled(), passing.settled()]);
    },

    async putMany(table, writes, durability) {
      const group = durability === 'passing' ? passing : lasting;
      return Promise.all(
        writes.map((write) => {
          for (const name of [table, write.key]) {
            if (!name.isWellFormed()) throw new TypeError(`A lone surrogate in the name ${JSON.stringify(name)}`);
          }
          return group.add({ table, write, text: write.row === null ? null : JSON.stringify(write.row) });
        }),
      );
    },

    async get(table, keys) {
      const found = new Map<string, TableRow>();
      for (let start = 0; start < keys.length; start += rowsAtOnce) {
        const ids = keys.slice(start, start + rowsAtOnce).map((key) => ({ t: table, k: key }));
        const part = await database.patiently((db) =>
          rows(db)
            .find({ _id: { $in: ids }, $expr: isLive })
            .toArray(),
        );
        for (const row of part) found.set(row._id.k, tableRow(row));
      }
      return keys.map((key) => found.get(key) ?? null);
    },

    async scan(table, prefix, after, limit, order = 'ascending') {
      const end = endOfPrefix(prefix);
      const descending = order === 'descending';
      const range = {
        $gte: { t: table, k: prefix },
        ...(!descending && { $gt: { t: table, k: after } }),
        ...(end === null ? { $lt: { t: `${table}\0`, k: '' } } : { $lt: { t: table, k: end } }),
      };
      const before = descending && after !== '' ? [{ _id: { $lt: { t: table, k: after } } }] : [];
      const found = await database.patiently((db) =>
        rows(db)
          .find({ $and: [{ _id: range, $expr: isLive }, ...before] }, { sort: { _id: descending ? -1 : 1 }, limit })
          .toArray(),
      );
      return found.map(tableRow);
    },

    async clear(table) {
      const range = { $gte: { t: table, k: '' }, $lt: { t: `${table}\0`, k: '' } };
      await database.patiently((db) => rows(db).deleteMany({ _id: range }, { writeConcern: concern }));
    },

    async purge(before, { dryRun = false } = {}) {
      const gone = { e: { $lt: new Date(before) } };
      const total = { _id: null, rows: { $sum: 1 }, bytes: { $sum: { $bsonSize: '$$ROOT' } } };
      const [found] = await database.patiently((db) =>
        rows(db)
          .aggregate<{ readonly rows: number; readonly bytes: number }>([{ $match: gone }, { $group: total }])
          .toArray(),
      );
      if (!dryRun) await database.patiently((db) => rows(db).deleteMany(gone, { writeConcern: concern }));
      return { rows: found?.rows ?? 0, bytes: found?.bytes ?? 0 };
    },
  };
}

/** One update that writes the row if its revision is the expected one, does nothing if it has done so before, and fails otherwise. */
function operationOf({ table, write, text }: TableWrite, by: string): AnyBulkWriteOperation<StoredRow> {
  const { key, expectedRevision, expiresInMs } = write;
  const done = { $eq: ['$w', by] };
  const fits = expectedRevision === null ? true : { $eq: [actual, expectedRevision] };
  const unless = (value: unknown, field: string) => ({ $cond: [done, field, value] });
  const set: Document = {
    r: unless({ $add: [{ $ifNull: ['$r', 0] }, 1] }, '$r'),
    d: unless(text === null ? null : { $literal: text }, '$d'),
    e: unless(text === null ? '$$NOW' : expiresInMs === undefined ? null : { $add: ['$$NOW', expiresInMs] }, '$e'),
    // Out of a field, so that it is not computed before it is known to be needed.
    w: { $cond: [{ $or: [done, fits] }, by, { $toInt: { $concat: ['conflict ', '$_id.k'] } }] },
  };
  // What is not there needs no deletion; one that expects a revision fails in the attempt to insert.
  const upsert = text !== null || (expectedRevision !== null && expectedRevision > 0);
  return { updateOne: { filter: { _id: { t: table, k: key } }, update: [{ $set: set }], upsert } };
}

function tableRow({ _id, r, d }: StoredRow): TableRow {
  return { key: _id.k, revision: r, row: JSON.parse(d!) as Json };
}
