import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Embedder } from '../../src/ports/embedder.ts';

const cosine = (left: Float32Array, right: Float32Array) => left.reduce((sum, value, index) => sum + value * right[index]!, 0);

/** What every embedder must do. */
export function embedderConformance(name: string, open: () => Promise<Embedder & Partial<AsyncDisposable>>): void {
  describe(`${name} keeps the contract of an embedder`, () => {
    let embedder: Embedder & Partial<AsyncDisposable>;
    beforeAll(async () => {
      embedder = await open();
    });
    afterAll(async () => {
      await embedder[Symbol.asyncDispose]?.();
      await embedder[Symbol.asyncDispose]?.();
    });

    test('no texts have no vectors', async () => {
      expect(await embedder.embed([])).toEqual([]);
    });

    test('each text has a unit vector of the dimension, whatever is in it', { timeout: 120_000 }, async () => {
      const texts = ['', ' ', 'word', 'Grüße 😀 漢字', '\u0000\u2028', 'a\ud800b', '[SEP] [MASK]', 'long '.repeat(2000), '{"json": "\\n"}'];
      const vectors = await embedder.embed(texts);
      expect(vectors.map((vector) => vector.length)).toEqual(texts.map(() => embedder.dimension));
      for (const vector of vectors) expect(Math.hypot(...vector)).toBeCloseTo(1, 5);
    });

    test('vectors are in the order of their texts, and a text has the same one in any company', { timeout: 120_000 }, async () => {
      const texts = Array.from({ length: 70 }, (_, index) => `Number ${index} of a list${' of words'.repeat(index % 7)}`);
      const vectors = await embedder.embed(texts);
      const some = [69, 3, 40];
      const alone = await Promise.all(some.map(async (index) => (await embedder.embed([texts[index]!]))[0]!));
      for (const [position, index] of some.entries()) expect(cosine(alone[position]!, vectors[index]!)).toBeGreaterThan(1 - 1e-5);
    });

    test('texts that say the same are nearer than others', async () => {
      const [question, near, far] = await embedder.embed(['How do I train a model?', 'Training a model', 'A recipe for apple cake']);
      expect(cosine(question!, near!)).toBeGreaterThan(cosine(question!, far!) + 0.1);
    });

    test('vectors own their memory', async () => {
      const [first] = await embedder.embed(['one', 'two']);
      expect(first!.buffer.byteLength).toBe(embedder.dimension * 4);
    });

    test('texts that are no longer wanted are given up', async () => {
      const signal = AbortSignal.abort(new Error('stopped by the user'));
      await expect(embedder.embed(['word'], { signal })).rejects.toThrow('stopped by the user');
    });
  });
}
