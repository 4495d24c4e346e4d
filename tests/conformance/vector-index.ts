import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sha256, uuidv5 } from '../../src/contracts/digest.ts';
import type { Point, VectorIndex } from '../../src/ports/vector-index.ts';

/** A point whose chunk says `said`, for the default tenant. */
export function examplePoint(
  document: string,
  ordinal: number,
  vector: readonly number[],
  said: { version?: number; text?: string; tenant?: string; authorId?: string; platform?: string; contentType?: 'markdown' | 'code' } = {},
): Point {
  const {
    version = 1,
    text = `${document} ${ordinal}`,
    tenant = 'default',
    authorId = null,
    platform = 'file',
    contentType = 'markdown',
  } = said;
  return {
    id: uuidv5(JSON.stringify([tenant, 'test', document, ordinal])),
    version,
    vector: Float32Array.from(vector),
    terms: text.split(' '),
    payload: {
      document,
      tenant,
      ordinal,
      text,
      start: 0,
      end: text.length,
      tokens: 1,
      headings: [],
      sources: [{ document, revision: sha256(text) }],
      address: `file:${document}`,
      title: null,
      contentType,
      authorId,
      authorName: null,
      platform,
    },
    payloadHash: sha256(text),
  };
}

function cosine(left: ArrayLike<number>, right: ArrayLike<number>): number {
  let dot = 0;
  let leftSquares = 0;
  let rightSquares = 0;
  for (let at = 0; at < left.length; at++) {
    dot += left[at]! * right[at]!;
    leftSquares += left[at]! ** 2;
    rightSquares += right[at]! ** 2;
  }
  return leftSquares === 0 || rightSquares === 0 ? 0 : dot / Math.sqrt(leftSquares * rightSquares);
}

/** What every vector index must do. The factory opens a new, empty index. */
export function vectorIndexConformance(name: string, open: () => Promise<VectorIndex>): void {
  describe(`${name} keeps the contract of a vector index`, () => {
    let index: VectorIndex;
    beforeEach(async () => {
      index = await open();
      await index.ensure('g', 3);
    });
    afterEach(() => index.close());

    const vector = Float32Array.of(1, 0, 0);
    const dense = async (query: Partial<Parameters<VectorIndex['searchDense']>[2]> = {}, tenant = 'default') =>
      (await index.searchDense('g', tenant, { vector, limit: 10, ...query })).map(({ payload }) => payload.text);
    const sparse = async (terms: readonly string[], query: Partial<Parameters<VectorIndex['searchSparse']>[2]> = {}, tenant = 'default') =>
      (await index.searchSparse('g', tenant, { terms, limit: 10, ...query })).map(({ payload }) => payload.text);
    const all = () => index.scroll('g', '', 1000);

    test('a generation is made once, and keeps its dimension', async () => {
      await index.upsert('g', 'default', [examplePoint('a', 0, [1, 0, 0])]);
      await index.ensure('g', 3);
      expect(await index.count('g', 'default')).toBe(1);
      await expect(index.ensure('g', 4)).rejects.toMatchObject({ problem: { reason: 'index-dimension', exit: 2 } });
    });

    test('a generation that is not there is a problem, not an empty answer', async () => {
      const unknown = { problem: { reason: 'index-unknown-generation' } };
      await expect(index.upsert('none', 'default', [])).rejects.toMatchObject(unknown);
      await expect(index.searchDense('none', 'default', { vector, limit: 1 })).rejects.toMatchObject(unknown);
      await expect(index.searchSparse('none', 'default', { terms: ['a'], limit: 1 })).rejects.toMatchObject(unknown);
      await expect(index.count('none', 'default')).rejects.toMatchObject(unknown);
      await expect(index.scroll('none', '', 1)).rejects.toMatchObject(unknown);
      await expect(index.moveAlias('current', null, 'none')).rejects.toMatchObject(unknown);
    });

    test('dense search ranks by cosine whatever the length of a vector, and gives the payload back', async () => {
      const near = examplePoint('a', 0, [5, 1, 0]);
      await index.upsert('g', 'default', [examplePoint('b', 0, [-1, 0, 0]), near, examplePoint('c', 0, [0, 2, 0])]);
      const found = await index.searchDense('g', 'default', { vector, limit: 10 });
      expect(found.map(({ payload }) => payload.document)).toEqual(['a', 'c', 'b']);
      expect(found[0]!.payload).toEqual(near.payload);
      expect(found[0]!.id).toBe(near.id);
    });

    test('equal scores are ordered by id', async () => {
      const points = Array.from({ length: 9 }, (_, n) => examplePoint(String(n), 0, [1, 1, 0]));
      await index.upsert('g', 'default', points);
      const ids = points.map(({ id }) => id).toSorted();
      expect((await index.searchDense('g', 'default', { vector, limit: 4 })).map(({ id }) => id)).toEqual(ids.slice(0, 4));
    });

    test('dense search is exact: scores are cosines to 1e-5, and the best k come in order', async () => {
      const value = fc.float({ min: -1, max: 1, noNaN: true, noDefaultInfinity: true });
      const vectors = fc.array(fc.array(value, { minLength: 24, maxLength: 24 }), { minLength: 1, maxLength: 60 });
      let generation = 0;
      await fc.assert(
        fc.asyncProperty(vectors, fc.array(value, { minLength: 24, maxLength: 24 }), async (stored, query) => {
          const name = `exact-${generation++}`;
          await index.ensure(name, 24);
          await index.upsert(
            name,
            'default',
            stored.map((values, ordinal) => examplePoint('a', ordinal, values)),
          );
          const found = await index.searchDense(name, 'default', { vector: Float32Array.from(query), limit: 10 });
          const scores = stored.map((values) => cosine(values, query)).toSorted((left, right) => right - left);
          expect(found).toHaveLength(Math.min(10, stored.length));
          for (const [rank, { score, payload }] of found.entries()) {
            expect(Math.abs(score - cosine(stored[payload.ordinal]!, query))).toBeLessThan(1e-5);
            expect(Math.abs(score - scores[rank]!)).toBeLessThan(1e-5);
          }
        }),
        { numRuns: 15 },
      );
    });

    test('sparse search finds the points that hold any of the terms, best first', async () => {
      await index.upsert('g', 'default', [
        examplePoint('a', 0, [1, 0, 0], { text: 'the quick fox' }),
        examplePoint('b', 0, [1, 0, 0], { text: 'fox fox fox' }),
        examplePoint('c', 0, [1, 0, 0], { text: 'the lazy dog' }),
        examplePoint('d', 0, [1, 0, 0], { text: 'nothing here' }),
        examplePoint('e', 0, [1, 0, 0], { text: 'nor there' }),
      ]);
      expect(await sparse(['fox'])).toEqual(['fox fox fox', 'the quick fox']);
      expect(new Set(await sparse(['fox', 'dog', 'absent']))).toEqual(new Set(['the quick fox', 'fox fox fox', 'the lazy dog']));
      expect(await sparse(['absent'])).toEqual([]);
      expect(await sparse([])).toEqual([]);
      const [first] = await index.searchSparse('g', 'default', { terms: ['fox'], limit: 1 });
      expect(first!.score).toBeGreaterThan(0);
    });

    test('the words of a search syntax are words', async () => {
      await index.upsert('g', 'default', [
        examplePoint('a', 0, [1, 0, 0], { text: 'this or that' }),
        examplePoint('b', 0, [1, 0, 0], { text: 'not and' }),
        examplePoint('c', 0, [1, 0, 0], { text: 'terms column' }),
      ]);
      expect(await sparse(['or'])).toEqual(['this or that']);
      expect(await sparse(['not'])).toEqual(['not and']);
      expect(await sparse(['terms'])).toEqual(['terms column']);
      for (const odd of ['"', 'a"b', '*', 'NEAR(', ')', ':', '-', '^', "'", ''])
        expect(await sparse([odd, 'column'])).toEqual(['terms column']);
    });

    test('terms of any script match themselves alone', async () => {
      const texts = ['café', 'cafe', 'naïve_user', 'naïve', '数据', '数据库', 'данные', 'μ', '𝟛', 'ꟹ', '१२', 'a1_b2'];
      await index.upsert(
        'g',
        'default',
        texts.map((text, ordinal) => examplePoint('a', ordinal, [1, 0, 0], { text })),
      );
      for (const text of texts) expect(await sparse([text])).toEqual([text]);
    });

    test('sparse search takes a question of a thousand terms', async () => {
      await index.upsert('g', 'default', [examplePoint('a', 0, [1, 0, 0], { text: 'needle' })]);
      expect(await sparse([...Array.from({ length: 1000 }, (_, n) => `term${n}`), 'needle'])).toEqual(['needle']);
    });

    test('no call sees the points of another tenant', async () => {
      const theirs = examplePoint('b', 0, [1, 0, 0], { tenant: 'other', text: 'secret word' });
      await index.upsert('g', 'default', [examplePoint('a', 0, [0, 1, 0], { text: 'open word' })]);
      await index.upsert('g', 'other', [theirs]);
      expect(await dense()).toEqual(['open word']);
      expect(await sparse(['word'])).toEqual(['open word']);
      expect(await dense({ filter: { documents: ['b'] } })).toEqual([]);
      await index.remove('g', 'default', [theirs.id], 9);
      expect(await index.count('g', 'other')).toBe(1);
      expect(await index.count('g', 'default')).toBe(1);
      expect(await dense({}, 'other')).toEqual(['secret word']);
    });

    test('a point of another tenant than the call names is a bug', async () => {
      await expect(index.upsert('g', 'default', [examplePoint('a', 0, [1, 0, 0], { tenant: 'other' })])).rejects.toThrow(TypeError);
    });

    test('a filter narrows both searches by every condition that it names', async () => {
      const point = (document: string, said: object) => examplePoint(document, 0, [1, 0, 0], { text: `word ${document}`, ...said });
      await index.upsert('g', 'default', [
        point('a', { authorId: 'ann', platform: 'medium' }),
        point('b', { authorId: 'ann', platform: 'git', contentType: 'code' }),
        point('c', { authorId: 'bob', platform: 'git' }),
        point('d', {}),
      ]);
      const both = async (filter: object) => {
        const found = (await dense({ filter })).toSorted();
        expect((await sparse(['word'], { filter })).toSorted()).toEqual(found);
        return found.map((text) => text.slice(5)).join('');
      };
      expect(await both({})).toBe('abcd');
      expect(await both({ authorIds: ['ann'] })).toBe('ab');
      expect(await both({ authorIds: ['ann', 'bob'], platforms: ['git'] })).toBe('bc');
      expect(await both({ documents: ['a', 'd', 'none'] })).toBe('ad');
      expect(await both({ contentTypes: ['code'] })).toBe('b');
      expect(await both({ documents: ['a'], contentTypes: ['code'] })).toBe('');
      expect(await both({ documents: [] })).toBe('');
    });

    test('a limit holds after the filter, so that the best of what is asked for come', async () => {
      await index.upsert('g', 'default', [
        ...Array.from({ length: 50 }, (_, n) => examplePoint('near', n, [1, 0, 0], { platform: 'git' })),
        examplePoint('far', 0, [0, 1, 0], { text: 'far', platform: 'medium' }),
      ]);
      expect(await dense({ limit: 1, filter: { platforms: ['medium'] } })).toEqual(['far']);
    });

    test('a write of a lower version changes nothing, one of an equal or higher version replaces all', async () => {
      const at = (version: number, text: string) => index.upsert('g', 'default', [examplePoint('a', 0, [1, 0, 0], { version, text })]);
      await at(5, 'fifth');
      await at(4, 'fourth');
      expect(await dense()).toEqual(['fifth']);
      await at(5, 'again');
      expect(await dense()).toEqual(['again']);
      await at(6, 'sixth');
      expect(await dense()).toEqual(['sixth']);
      expect(await sparse(['fifth'])).toEqual([]);
      expect(await sparse(['sixth'])).toEqual(['sixth']);
      expect(await all()).toMatchObject([{ version: 6, payloadHash: sha256('sixth') }]);
    });

    test('a removal takes points that are not newer, from every search', async () => {
      const old = examplePoint('a', 0, [1, 0, 0], { version: 3, text: 'old' });
      const young = examplePoint('a', 1, [1, 0, 0], { version: 4, text: 'young' });
      await index.upsert('g', 'default', [old, young]);
      await index.remove('g', 'default', [old.id, young.id, uuidv5('none')], 3);
      expect(await dense()).toEqual(['young']);
      expect(await sparse(['old', 'young'])).toEqual(['young']);
      expect(await index.count('g', 'default')).toBe(1);
    });

    test('a scroll tells what is stored of all tenants, page by page', async () => {
      const points = Array.from({ length: 7 }, (_, n) => examplePoint('a', n, [n, 1, 0], { version: n }));
      const theirs = examplePoint('b', 0, [1, 2, 3], { tenant: 'other' });
      await index.upsert('g', 'default', points);
      await index.upsert('g', 'other', [theirs]);
      const seen = [];
      for (let after = ''; ;) {
        const page = await index.scroll('g', after, 3);
        if (page.length === 0) break;
        seen.push(...page);
        after = page.at(-1)!.id;
      }
      expect(seen).toEqual(
        [...points, theirs]
          .toSorted((left, right) => (left.id < right.id ? -1 : 1))
          .map(({ id, version, payload, payloadHash, vector }) => ({
            id,
            tenant: payload.tenant,
            document: payload.document,
            version,
            payloadHash,
            vectorHash: sha256(new Uint8Array(vector.buffer)),
          })),
      );
    });

    test('what is stored under ids is told as a scroll tells it, and absent ids are left out', async () => {
      await index.upsert('g', 'default', [examplePoint('a', 0, [1, 2, 3]), examplePoint('a', 1, [3, 2, 1])]);
      const [first, second] = await all();
      expect(await index.stored('g', [second!.id, uuidv5('none')])).toEqual([second]);
      expect(await index.stored('g', [])).toEqual([]);
      expect(new Set(await index.stored('g', [first!.id, second!.id]))).toEqual(new Set([first, second]));
    });

    test('hundreds of points in one call are all there', async () => {
      await index.upsert(
        'g',
        'default',
        Array.from({ length: 500 }, (_, n) => examplePoint('a', n, [n, 1, 0])),
      );
      expect(await index.count('g', 'default')).toBe(500);
      await index.remove(
        'g',
        'default',
        (await all()).map(({ id }) => id),
        1,
      );
      expect(await index.count('g', 'default')).toBe(0);
    });

    test('a vector with a value that is no number is refused, and nothing of its call is written', async () => {
      const points = [examplePoint('a', 0, [1, 0, 0]), examplePoint('a', 1, [0, Number.NaN, 0])];
      const error = { problem: { reason: 'vector-not-finite', found: 'NaN at position 1' } };
      await expect(index.upsert('g', 'default', points)).rejects.toMatchObject(error);
      expect(await index.count('g', 'default')).toBe(0);
      await expect(index.searchDense('g', 'default', { vector: Float32Array.of(0, Infinity, 0), limit: 1 })).rejects.toMatchObject({
        problem: { reason: 'vector-not-finite' },
      });
    });

    test('a vector of another dimension is refused', async () => {
      const error = { problem: { reason: 'vector-dimension', expected: '3 values', found: '2 values' } };
      await expect(index.upsert('g', 'default', [examplePoint('a', 0, [1, 0])])).rejects.toMatchObject(error);
      await expect(index.searchDense('g', 'default', { vector: Float32Array.of(1, 0), limit: 1 })).rejects.toMatchObject(error);
    });

    test('an alias moves by compare-and-swap, and one of several movers wins', async () => {
      await index.ensure('h', 3);
      expect(await index.alias('current')).toBeNull();
      expect(await index.moveAlias('current', 'g', 'h')).toBe(false);
      expect(await index.moveAlias('current', null, 'g')).toBe(true);
      expect(await index.moveAlias('current', null, 'h')).toBe(false);
      const moves = await Promise.all([1, 2, 3].map(() => index.moveAlias('current', 'g', 'h')));
      expect(moves.filter(Boolean)).toHaveLength(1);
      expect(await index.alias('current')).toBe('h');
    });

    test('an alias is forgotten by compare-and-swap', async () => {
      await index.ensure('h', 3);
      await index.moveAlias('current', null, 'g');
      expect(await index.removeAlias('current', 'h')).toBe(false);
      expect(await index.removeAlias('none', 'g')).toBe(false);
      expect(await index.removeAlias('current', 'g')).toBe(true);
      expect(await index.alias('current')).toBeNull();
      await index.drop('g');
    });

    test('a generation that an alias names is not dropped; another one is, with all that it held', async () => {
      await index.ensure('h', 3);
      await index.upsert('h', 'default', [examplePoint('a', 0, [1, 0, 0])]);
      await index.moveAlias('current', null, 'g');
      await expect(index.drop('g')).rejects.toMatchObject({ problem: { reason: 'index-in-use', found: 'the alias current' } });
      await index.drop('h');
      await index.drop('h');
      await expect(index.count('h', 'default')).rejects.toMatchObject({ problem: { reason: 'index-unknown-generation' } });
      await index.ensure('h', 4);
      expect(await index.count('h', 'default')).toBe(0);
    });

    test('closing twice is harmless', async () => {
      await index.close();
      await expect(index.close()).resolves.toBeUndefined();
    });
  });
}
