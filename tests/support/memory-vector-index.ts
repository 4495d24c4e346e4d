import { sha256 } from '../../src/contracts/digest.ts';
import type { Hit, Point, PointFilter, VectorIndex } from '../../src/ports/vector-index.ts';

/** A vector index that forgets everything with the process: exact cosine, and the share of query terms that a text has; counts the points it wrote. */
export function memoryVectorIndex(): VectorIndex & { written: number } {
  const generations = new Map<string, Map<string, Point & { readonly tenant: string }>>();
  const aliases = new Map<string, string>();
  const pointsOf = (generation: string) => {
    const points = generations.get(generation);
    if (!points) throw new Error(`There is no generation ${generation}`);
    return points;
  };
  const search = (
    generation: string,
    tenant: string,
    limit: number,
    filter: PointFilter | undefined,
    score: (point: Point) => number | null,
  ): Hit[] =>
    [...pointsOf(generation).values()]
      .filter((point) => point.tenant === tenant && matches(point, filter))
      .map((point) => ({ id: point.id, score: score(point), payload: point.payload }))
      .filter((hit): hit is Hit => hit.score !== null)
      .toSorted((one, other) => other.score - one.score || (one.id < other.id ? -1 : 1))
      .slice(0, limit);

  return {
    written: 0,
    capabilities: { shared: false },
    async ensure(generation) {
      if (!generations.has(generation)) generations.set(generation, new Map());
    },
    async upsert(generation, tenant, points) {
      for (const point of points) {
        const stored = pointsOf(generation).get(point.id);
        if (stored && stored.version > point.version) continue;
        pointsOf(generation).set(point.id, { ...point, tenant });
        this.written += 1;
      }
    },
    async remove(generation, tenant, ids, atMost) {
      for (const id of ids) {
        const stored = pointsOf(generation).get(id);
        if (stored?.tenant === tenant && stored.version <= atMost) pointsOf(generation).delete(id);
      }
    },
    async searchDense(generation, tenant, { vector, limit, filter }) {
      return search(generation, tenant, limit, filter, (point) =>
        point.vector.reduce((sum, value, index) => sum + value * vector[index]!, 0),
      );
    },
    async searchSparse(generation, tenant, { terms, limit, filter }) {
      const wanted = [...new Set(terms)];
      return search(
        generation,
        tenant,
        limit,
        filter,
        (point) => wanted.filter((term) => point.terms.includes(term)).length / wanted.length || null,
      );
    },
    async scroll(generation, after, limit) {
      return [...pointsOf(generation).values()]
        .filter(({ id }) => id > after)
        .toSorted((one, other) => (one.id < other.id ? -1 : 1))
        .slice(0, limit)
        .map(({ id, tenant, version, payload, payloadHash, vector }) => ({
          id,
          tenant,
          document: payload.document,
          version,
          payloadHash,
          vectorHash: sha256(new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength)),
        }));
    },
    async stored(generation, ids) {
      const wanted = new Set(ids);
      return (await this.scroll(generation, '', Infinity)).filter(({ id }) => wanted.has(id));
    },
    async count(generation, tenant) {
      return [...pointsOf(generation).values()].filter((point) => point.tenant === tenant).length;
    },
    async alias(name) {
      return aliases.get(name) ?? null;
    },
    async moveAlias(name, expected, generation) {
      if ((aliases.get(name) ?? null) !== expected) return false;
      aliases.set(name, generation);
      return true;
    },
    async removeAlias(name, expected) {
      return aliases.get(name) === expected && aliases.delete(name);
    },
    async drop(generation) {
      if ([...aliases.values()].includes(generation)) throw new Error(`An alias names generation ${generation}`);
      generations.delete(generation);
    },
    async close() {},
  };
}

function matches({ payload }: Point, { documents, authorIds, platforms, contentTypes }: PointFilter = {}): boolean {
  const holds = (wanted: readonly string[] | undefined, value: string | null) => !wanted || (value !== null && wanted.includes(value));
  return (
    holds(documents, payload.document) &&
    holds(authorIds, payload.authorId) &&
    holds(platforms, payload.platform) &&
    holds(contentTypes, payload.contentType)
  );
}
