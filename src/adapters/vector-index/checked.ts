import { ProblemError } from '../../contracts/problem.ts';
import type { Point, VectorIndex } from '../../ports/vector-index.ts';

/** A vector index that trusts its caller, and knows the dimension of each generation (null where there is no such generation). */
export interface UncheckedVectorIndex extends VectorIndex {
  dimension(generation: string): Promise<number | null>;
}

/** The same index behind the checks that every adapter shares: dimension, finite values, tenant. Nothing of a refused call is written. */
export function checkedVectorIndex(index: UncheckedVectorIndex): VectorIndex {
  const dimensions = new Map<string, number>();

  async function dimensionOf(generation: string): Promise<number> {
    const known = dimensions.get(generation) ?? (await index.dimension(generation));
    if (known === null) throw unknownGeneration(generation);
    dimensions.set(generation, known);
    return known;
  }

  return {
    capabilities: index.capabilities,

    async ensure(generation, dimension) {
      const stored = await index.dimension(generation);
      if (stored !== null && stored !== dimension) {
        throw new ProblemError({
          reason: 'index-dimension',
          message: `The index generation ${generation} holds vectors of another dimension`,
          where: generation,
          expected: `${stored} values, as it was made with`,
          found: `${dimension} values, as the embedder gives`,
          hint: 'Drop that generation, or configure the embedder that it was made with.',
          exit: 2,
        });
      }
      await index.ensure(generation, dimension);
    },

    async upsert(generation, tenant, points) {
      const dimension = await dimensionOf(generation);
      for (const point of points) checkPoint(point, tenant, dimension);
      await index.upsert(generation, tenant, points);
    },

    async searchDense(generation, tenant, query) {
      checkVector(query.vector, await dimensionOf(generation), 'the query');
      return index.searchDense(generation, tenant, query);
    },

    async drop(generation) {
      dimensions.delete(generation);
      await index.drop(generation);
    },

    remove: (generation, tenant, ids, atMost) => index.remove(generation, tenant, ids, atMost),
    searchSparse: (generation, tenant, query) => index.searchSparse(generation, tenant, query),
    scroll: (generation, after, limit) => index.scroll(generation, after, limit),
    stored: (generation, ids) => index.stored(generation, ids),
    count: (generation, tenant) => index.count(generation, tenant),
    alias: (name) => index.alias(name),
    moveAlias: (name, expected, generation) => index.moveAlias(name, expected, generation),
    removeAlias: (name, expected) => index.removeAlias(name, expected),
    close: () => index.close(),
  };
}

function checkPoint({ id, vector, version, payload }: Point, tenant: string, dimension: number): void {
  checkVector(vector, dimension, `point ${id} of document ${payload.document}`);
  if (!Number.isSafeInteger(version)) throw new TypeError(`The version ${version} of point ${id} is no safe integer`);
  if (payload.tenant !== tenant) throw new TypeError(`Point ${id} of tenant ${payload.tenant} was given for tenant ${tenant}`);
}

function checkVector(vector: Float32Array, dimension: number, subject: string): void {
  if (vector.length !== dimension) {
    throw new ProblemError({
      reason: 'vector-dimension',
      message: `The vector of ${subject} has another dimension than the index`,
      expected: `${dimension} values`,
      found: `${vector.length} values`,
      hint: 'Use the embedder that the index was made with.',
      exit: 1,
    });
  }
  const broken = vector.findIndex((value) => !Number.isFinite(value));
  if (broken < 0) return;
  throw new ProblemError({
    reason: 'vector-not-finite',
    message: `The vector of ${subject} holds a value that is no number`,
    expected: 'finite values',
    found: `${vector[broken]} at position ${broken}`,
    hint: 'Look at the text that was embedded, and at the log of the embedder.',
    exit: 1,
  });
}

/** The problem of a call that names a generation which is not there: every adapter rejects with it. */
export function unknownGeneration(generation: string): ProblemError {
  return new ProblemError({
    reason: 'index-unknown-generation',
    message: `The index has no generation ${generation}`,
    where: generation,
    expected: 'a generation that the feature-pipeline made',
    found: 'none of that name',
    hint: 'Run `twin run feature-pipeline`.',
    exit: 1,
  });
}

/** The problem of dropping a generation that readers still find. */
export function generationInUse(generation: string, alias: string): ProblemError {
  return new ProblemError({
    reason: 'index-in-use',
    message: `The index generation ${generation} cannot be dropped`,
    where: generation,
    expected: 'a generation that no alias names',
    found: `the alias ${alias}`,
    hint: 'Move the alias to another generation first.',
    exit: 2,
  });
}
