import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Point, VectorIndex } from '../../src/ports/vector-index.ts';
import { examplePoint } from './vector-index.ts';

const tenants = ['ann', 'bob', 'ann/bob', ''] as const;
const documents = ['d1', 'd2'] as const;
const platforms = ['git', 'medium'] as const;

const write = fc.record({
  do: fc.constant('write' as const),
  tenant: fc.constantFrom(...tenants),
  document: fc.constantFrom(...documents),
  ordinal: fc.nat({ max: 2 }),
  platform: fc.constantFrom(...platforms),
  version: fc.integer({ min: 1, max: 5 }),
});
const remove = fc.record({
  do: fc.constant('remove' as const),
  tenant: fc.constantFrom(...tenants),
  /** Whose points are named; another tenant's stay. */
  of: fc.constantFrom(...tenants),
  document: fc.constantFrom(...documents),
  atMost: fc.integer({ min: 1, max: 5 }),
});

/** Whatever tenants write, remove and search for, in whatever order, each sees its own points and nothing else. */
export function keepsTenantsApart(name: string, open: () => Promise<VectorIndex>, numRuns = 20): void {
  test(`${name} keeps tenants apart over any writes, removals and filters`, async () => {
    const index = await open();
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(write, remove), { minLength: 1, maxLength: 12 }), async (actions) => {
        const generation = `tenants-${run++}`;
        await index.ensure(generation, 2);
        const model = new Map<string, Point>();
        for (const action of actions) {
          if (action.do === 'write') {
            const { tenant, document, ordinal, platform, version } = action;
            const point = examplePoint(document, ordinal, [1, ordinal], { tenant, version, platform, text: `word ${document}` });
            await index.upsert(generation, tenant, [point]);
            const known = model.get(point.id);
            if (!known || known.version <= version) model.set(point.id, point);
          } else {
            const ids = [0, 1, 2].map((ordinal) => examplePoint(action.document, ordinal, [], { tenant: action.of }).id);
            await index.remove(generation, action.tenant, ids, action.atMost);
            for (const id of action.of === action.tenant ? ids : []) if ((model.get(id)?.version ?? 9) <= action.atMost) model.delete(id);
          }
        }
        for (const tenant of tenants) {
          const own = [...model.values()].filter(({ payload }) => payload.tenant === tenant);
          expect(await index.count(generation, tenant)).toBe(own.length);
          for (const filter of [{}, { platforms: ['git'] }, { documents: ['d1'], platforms: ['medium'] }]) {
            const wanted = own
              .filter(
                ({ payload }) =>
                  (filter.platforms?.includes(payload.platform) ?? true) && (filter.documents?.includes(payload.document) ?? true),
              )
              .map(({ id }) => id)
              .toSorted();
            const dense = await index.searchDense(generation, tenant, { vector: Float32Array.of(1, 1), limit: 50, filter });
            const sparse = await index.searchSparse(generation, tenant, { terms: ['word'], limit: 50, filter });
            expect(dense.map(({ id }) => id).toSorted()).toEqual(wanted);
            expect(sparse.map(({ id }) => id).toSorted()).toEqual(wanted);
          }
        }
        await index.drop(generation);
      }),
      { numRuns },
    );
    await index.close();
  });
}
