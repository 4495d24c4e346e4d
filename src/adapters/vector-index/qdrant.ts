import { NotCompleted, QdrantConnection, type QdrantConnectionOptions } from '../../clients/qdrant.ts';
import { ProblemError } from '../../contracts/problem.ts';
import type { Hit, StoredPoint, VectorIndex } from '../../ports/vector-index.ts';
import type { Schemas } from '@qdrant/js-client-rest';
import { checkedVectorIndex, generationInUse, unknownGeneration } from './checked.ts';
import {
  among,
  batchesOf,
  denseName,
  filterOf,
  hitOf,
  notNewer,
  payloadIndexes,
  questionWeights,
  shortNumbers,
  sparseName,
  storedFields,
  storedPoint,
  unitVector,
} from './qdrant-points.ts';

/** How a Qdrant server is used. */
export interface QdrantVectorIndexOptions extends QdrantConnectionOptions {
  /** `int8` holds a quarter of each vector in memory and looks the best of a search up again in full. */
  readonly quantization?: 'none' | 'int8';
  /** Leave vectors on disk, read as they are needed. */
  readonly onDisk?: boolean;
}

/** The first version whose upserts take a condition and a mode. */
const oldest = [1, 17] as const;

/** Ids in one removal, and points that a search may look at because their scores are equal. */
const idsAtOnce = 1000;
const equalsAtMost = 10_000;

/**
 * The vector index on a Qdrant server: a generation is a collection of named dense and sparse vectors, behind aliases.
 * Below Qdrant's indexing threshold a search is exact; above it the graph of each tenant's points is searched, which is not.
 */
export function openQdrantVectorIndex(options: QdrantVectorIndexOptions): VectorIndex {
  const { quantization = 'none', onDisk = false, ...connectionOptions } = options;
  const connection = new QdrantConnection(connectionOptions);
  let moving: Promise<unknown> = Promise.resolve();
  /** Changes of aliases, one after the other: the server cannot compare before it sets. */
  const inTurn = <Value>(change: () => Promise<Value>): Promise<Value> => {
    const changed = moving.then(change);
    moving = changed.catch(() => undefined);
    return changed;
  };

  const info = (generation: string) => connection.call((client) => client.getCollection(generation), { absent: [404] });
  /** The result of a call about a generation, which must be there. */
  const of = async <Value>(generation: string, call: Promise<Value | null>): Promise<Value> => {
    const value = await call;
    if (value === null) throw unknownGeneration(generation);
    return value;
  };
  const write = <Value>(generation: string, call: Parameters<typeof connection.call<Value>>[0]) =>
    of(generation, connection.call(call, { write: true, absent: [404] }));
  const aliases = async () => (await connection.call((client) => client.getAliases()))!.aliases;
  const aliasOf = async (name: string) => (await aliases()).find(({ alias_name }) => alias_name === name)?.collection_name ?? null;

  async function dimension(generation: string): Promise<number | null> {
    const found = await info(generation);
    if (found === null) return null;
    const vectors = found.config.params.vectors as Record<string, { size?: number } | undefined> | undefined;
    const size = vectors?.[denseName]?.size;
    if (size === undefined || found.config.params.sparse_vectors?.[sparseName] === undefined) throw foreign(generation);
    return size;
  }

  async function create(generation: string, size: number): Promise<void> {
    const config = {
      vectors: { [denseName]: { size, distance: 'Dot' as const, on_disk: onDisk } },
      sparse_vectors: { [sparseName]: { modifier: 'idf' as const } },
      // No graph over all tenants: every search names one.
      hnsw_config: { m: 0, payload_m: 16 },
      strict_mode_config: { enabled: true, unindexed_filtering_retrieve: false, unindexed_filtering_update: false },
      ...(quantization === 'int8' ? { quantization_config: { scalar: { type: 'int8' as const, always_ram: true } } } : {}),
    };
    // 409: it is there, made by another process or by a call whose reply was lost.
    await connection.call((client) => client.createCollection(generation, config), { write: true, absent: [409] });
  }

  async function search(generation: string, limit: number, query: Omit<Schemas['QueryRequest'], 'limit'>): Promise<readonly Hit[]> {
    if (limit <= 0) return [];
    const params = quantization === 'int8' ? { params: { quantization: { rescore: true, oversampling: 2 } } } : {};
    // Which of equal scores come, the server leaves open: as many are asked for as it takes to see where the last one's equals end.
    for (let asked = limit + 1; ; asked *= 4) {
      const request = { ...query, ...params, with_payload: true, limit: asked };
      const { points } = await of(
        generation,
        connection.call((client) => client.query(generation, request), { absent: [404] }),
      );
      const isCut = points.length === asked && points.at(-1)!.score === points[limit - 1]!.score && asked < equalsAtMost;
      if (isCut) continue;
      return points.map(hitOf).toSorted(byScoreAndId).slice(0, limit);
    }
  }

  return checkedVectorIndex({
    capabilities: { shared: true },
    dimension,

    async ensure(generation, size) {
      await connection.requireVersion(oldest);
      if ((await dimension(generation)) === null) await create(generation, size);
      const stored = (await info(generation))?.payload_schema ?? {};
      for (const [field, schema] of Object.entries(payloadIndexes)) {
        if (stored[field] !== undefined) continue;
        const request = { field_name: field, field_schema: schema, wait: true };
        await write(generation, async (client) => completed(await client.createPayloadIndex(generation, request)));
      }
    },

    async upsert(generation, tenant, points) {
      for (const batches of batchesOf(points)) {
        const ids = batches.flatMap((batch) => batch.points.map(({ id }) => id as string));
        const operations = batches.map((batch) => ({
          upsert: { points: [...batch.points], update_filter: notNewer(tenant, batch.version) },
        }));
        // A write that arrives in part is answered as a whole one, so that what stands there is counted.
        await write(generation, async (client) => {
          for (const result of await client.batchUpdate(generation, { operations, wait: true })) completed(result);
          const { count } = await client.count(generation, { filter: among(tenant, ids), exact: true });
          if (count < new Set(ids).size) throw new NotCompleted(`${count} of ${ids.length} points`);
        });
      }
      if (points.length === 0 && (await dimension(generation)) === null) throw unknownGeneration(generation);
    },

    async remove(generation, tenant, ids, atMost) {
      for (let start = 0; start < ids.length; start += idsAtOnce) {
        // A filter without a bound would also take what a later write has put there.
        const filter = notNewer(tenant, atMost, ids.slice(start, start + idsAtOnce));
        await write(generation, async (client) => completed(await client.delete(generation, { filter, wait: true })));
      }
    },

    async searchDense(generation, tenant, { vector, limit, filter }) {
      if (isImpossible(filter)) return [];
      const query = shortNumbers(unitVector(vector));
      return search(generation, limit, { query, using: denseName, filter: filterOf(tenant, filter) });
    },

    async searchSparse(generation, tenant, { terms, limit, filter }) {
      if (terms.length === 0 || isImpossible(filter)) {
        await of(generation, dimension(generation));
        return [];
      }
      return search(generation, limit, { query: questionWeights(terms), using: sparseName, filter: filterOf(tenant, filter) });
    },

    async scroll(generation, after, limit) {
      // The server's pages begin with an id, ours after it.
      const page = { limit: limit + 1, with_payload: storedFields, with_vector: [denseName], ...(after === '' ? {} : { offset: after }) };
      const { points } = await of(
        generation,
        connection.call((client) => client.scroll(generation, page), { absent: [404] }),
      );
      return points
        .filter(({ id }) => id !== after)
        .slice(0, limit)
        .map(storedPoint);
    },

    async stored(generation, ids) {
      const found: StoredPoint[] = [];
      for (let start = 0; start < ids.length; start += idsAtOnce) {
        const query = { ids: ids.slice(start, start + idsAtOnce), with_payload: storedFields, with_vector: [denseName] };
        const records = await of(
          generation,
          connection.call((client) => client.retrieve(generation, query), { absent: [404] }),
        );
        found.push(...records.map(storedPoint));
      }
      return found;
    },

    async count(generation, tenant) {
      const query = { filter: filterOf(tenant), exact: true };
      return (
        await of(
          generation,
          connection.call((client) => client.count(generation, query), { absent: [404] }),
        )
      ).count;
    },

    alias: aliasOf,

    moveAlias: (name, expected, generation) =>
      inTurn(async () => {
        if ((await info(generation)) === null) throw unknownGeneration(generation);
        if ((await aliasOf(name)) !== expected) return false;
        if (expected === null && (await info(name)) !== null) throw aliasIsCollection(name);
        const forget = expected === null ? [] : [{ delete_alias: { alias_name: name } }];
        const actions = [...forget, { create_alias: { alias_name: name, collection_name: generation } }];
        // One call: readers find the one or the other, never neither.
        await connection.call((client) => client.updateCollectionAliases({ actions }), { write: true });
        return (await aliasOf(name)) === generation;
      }),

    removeAlias: (name, expected) =>
      inTurn(async () => {
        if ((await aliasOf(name)) !== expected) return false;
        const actions = [{ delete_alias: { alias_name: name } }];
        await connection.call((client) => client.updateCollectionAliases({ actions }), { write: true });
        return true;
      }),

    async drop(generation) {
      const named = (await aliases()).find(({ collection_name }) => collection_name === generation);
      if (named !== undefined) throw generationInUse(generation, named.alias_name);
      await connection.call((client) => client.deleteCollection(generation), { write: true, absent: [404] });
    },

    close: () => Promise.resolve(),
  });
}

/** Lets only a finished write pass. */
function completed({ status }: { readonly status: string }): void {
  if (status !== 'completed') throw new NotCompleted(status);
}

/** A condition that names nothing holds for nothing. */
function isImpossible(filter: object | undefined): boolean {
  return filter !== undefined && Object.values(filter).some((values) => Array.isArray(values) && values.length === 0);
}

function byScoreAndId(one: Hit, other: Hit): number {
  return other.score - one.score || (one.id < other.id ? -1 : 1);
}

function foreign(generation: string): ProblemError {
  return new ProblemError({
    reason: 'index-foreign',
    message: `The collection ${generation} was not made by twin`,
    where: generation,
    expected: `a dense vector named ${denseName} and a sparse one named ${sparseName}`,
    found: 'other vectors',
    hint: 'Rename or remove that collection, or give the index another name (index: … in the configuration).',
    exit: 2,
  });
}

function aliasIsCollection(name: string): ProblemError {
  return new ProblemError({
    reason: 'alias-is-collection',
    message: `The index ${name} cannot be published under its name`,
    where: name,
    expected: 'no collection of that name, as it is to be an alias',
    found: 'a collection',
    hint: `Rename or remove the collection ${name}, or give the index another name (index: … in the configuration).`,
    exit: 2,
  });
}
