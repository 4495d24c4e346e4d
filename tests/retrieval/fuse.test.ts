import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Hit } from '../../src/ports/vector-index.ts';
import { fuse } from '../../src/retrieval/fuse.ts';

const hit = (id: string, score = 1): Hit => ({ id, score, payload: {} as Hit['payload'] });

const lists = fc.array(
  fc.record({
    weight: fc.double({ min: 0.1, max: 4, noNaN: true }),
    hits: fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e')).map((ids) => ids.map((id) => hit(id))),
  }),
  { maxLength: 5 },
);

describe('reciprocal rank fusion', () => {
  test('adds weight / (60 + rank) over the lists, rank from 1', () => {
    const fused = fuse([
      { weight: 1, hits: [hit('a'), hit('b')] },
      { weight: 2, hits: [hit('b')] },
    ]);
    expect(fused.map(({ id, score }) => [id, score])).toEqual([
      ['b', 1 / 62 + 2 / 61],
      ['a', 1 / 61],
    ]);
  });

  test('orders ties by id', () => {
    expect(
      fuse([
        { weight: 1, hits: [hit('b')] },
        { weight: 1, hits: [hit('a')] },
      ]).map(({ id }) => id),
    ).toEqual(['a', 'b']);
  });

  test('knows nothing of the scores that the searches gave', () => {
    expect(fuse([{ weight: 1, hits: [hit('a', 0.1), hit('b', 0.9)] }]).map(({ id }) => id)).toEqual(['a', 'b']);
  });

  test('two equal texts stay two passages: ids count, not words', () => {
    expect(fuse([{ weight: 1, hits: [hit('a'), hit('b')] }])).toHaveLength(2);
  });

  test('gives each id once, best first, whatever the lists', () => {
    fc.assert(
      fc.property(lists, (given) => {
        const fused = fuse(given);
        const ids = fused.map(({ id }) => id);
        expect(new Set(ids).size).toBe(ids.length);
        expect(new Set(ids)).toEqual(new Set(given.flatMap((list) => list.hits.map(({ id }) => id))));
        for (let at = 1; at < fused.length; at += 1) expect(fused[at - 1]!.score).toBeGreaterThanOrEqual(fused[at]!.score);
      }),
    );
  });

  test('does not depend on the order of the lists, but for rounding', () => {
    fc.assert(
      fc.property(lists, (given) => {
        const scores = (hits: readonly Hit[]) => new Map(hits.map(({ id, score }) => [id, score.toFixed(12)]));
        expect(scores(fuse(given.toReversed()))).toEqual(scores(fuse(given)));
      }),
    );
  });
});
