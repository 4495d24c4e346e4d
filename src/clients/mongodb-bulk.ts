import type { AnyBulkWriteOperation, BulkWriteOptions, Collection, Document } from 'mongodb';

/** What became of a bulk write whose operations stand each for itself. */
export interface BulkOutcome {
  /** Codes of the operations that the server refused for an expected reason, by index. */
  readonly refused: ReadonlyMap<number, number>;
  /** Indexes of the operations that inserted a document. */
  readonly inserted: ReadonlySet<number>;
}

interface BulkError extends Error {
  readonly writeErrors?: unknown;
  readonly result?: { readonly upsertedIds?: Readonly<Record<number, unknown>>; getWriteConcernError?(): unknown };
}

/** Runs operations unordered; one that fails with an `expected` code holds up no other. Any other failure is thrown. */
export async function bulkWrite<Stored extends Document>(
  collection: Collection<Stored>,
  operations: AnyBulkWriteOperation<Stored>[],
  expected: readonly number[],
  options: BulkWriteOptions,
): Promise<BulkOutcome> {
  if (operations.length === 0) return { refused: new Map(), inserted: new Set() };
  try {
    const result = await collection.bulkWrite(operations, { ...options, ordered: false });
    return { refused: new Map(), inserted: insertedIn(result) };
  } catch (error) {
    const { name, writeErrors, result } = error as BulkError;
    const errors = [writeErrors ?? []].flat() as { readonly index: number; readonly code: number }[];
    const known = errors.length > 0 && errors.every(({ code }) => expected.includes(code));
    // A concern that was not met leaves it open whether the writes will last.
    if (name !== 'MongoBulkWriteError' || !known || result?.getWriteConcernError?.()) throw error;
    return { refused: new Map(errors.map(({ index, code }) => [index, code])), inserted: insertedIn(result ?? {}) };
  }
}

function insertedIn({ upsertedIds = {} }: { readonly upsertedIds?: Readonly<Record<number, unknown>> }): ReadonlySet<number> {
  return new Set(Object.keys(upsertedIds).map(Number));
}
