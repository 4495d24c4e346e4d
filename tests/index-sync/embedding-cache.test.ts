import { expect, test } from 'vitest';
import { cachedVectors, embedCached, vectorHash } from '../../src/index-sync/embedding-cache.ts';
import { sha256 } from '../../src/contracts/digest.ts';
import { hashEmbedder } from '../support/hash-embedder.ts';
import { memoryMetadataStore } from '../support/memory-metadata-store.ts';

test('a text is embedded once, whoever asks, and comes back bit for bit', async () => {
  const ports = { embedder: hashEmbedder(), metadataStore: memoryMetadataStore() };
  const made = await embedCached(['one', 'two', 'one'], ports);
  expect(ports.embedder.batches).toEqual([['one', 'two']]);
  const again = await embedCached(['two', 'three'], ports);
  expect(ports.embedder.batches.slice(1)).toEqual([['three']]);
  expect(again.get('two')).toEqual(made.get('two'));
  expect([...(await cachedVectors(['one', 'four'], ports)).keys()]).toEqual(['one']);
});

test('another embedder shares nothing', async () => {
  const metadataStore = memoryMetadataStore();
  await embedCached(['one'], { embedder: hashEmbedder('first'), metadataStore });
  expect((await cachedVectors(['one'], { embedder: hashEmbedder('second'), metadataStore })).size).toBe(0);
  expect((await cachedVectors(['one'], { embedder: hashEmbedder('first', 16), metadataStore })).size).toBe(0);
});

test('processes that embed a text at once, each in a batch of its own, all take the vector that was kept first', async () => {
  const metadataStore = memoryMetadataStore();
  const embedder = hashEmbedder();
  const begun = Promise.withResolvers<void>();
  const kept = Promise.withResolvers<void>();
  const rounded = {
    ...embedder,
    async embed(texts: readonly string[]) {
      begun.resolve();
      await kept.promise;
      return (await embedder.embed(texts)).map((vector) => vector.map((value) => value + 1e-7));
    },
  };
  const second = embedCached(['one', 'two'], { embedder: rounded, metadataStore });
  await begun.promise;
  const first = await embedCached(['one'], { embedder, metadataStore });
  kept.resolve();
  const vectors = await second;
  expect(vectors.get('one')).toEqual(first.get('one'));
  expect((await cachedVectors(['two'], { embedder, metadataStore })).get('two')).toEqual(vectors.get('two'));
});

test('what was embedded before a failure is kept', async () => {
  const embedder = hashEmbedder();
  const ports = { embedder, metadataStore: memoryMetadataStore() };
  const texts = Array.from({ length: 300 }, (_, index) => `text ${index}`);
  const failing = {
    ...embedder,
    embed: (batch: readonly string[]) => (batch.includes('text 200') ? Promise.reject(new Error('gone')) : embedder.embed(batch)),
  };
  await expect(embedCached(texts, { ...ports, embedder: failing })).rejects.toThrow('gone');
  const counts: number[][] = [];
  await embedCached(texts, ports, { embedded: (made, cached) => void counts.push([made, cached]) });
  expect(counts).toEqual([
    [0, 128],
    [128, 0],
    [44, 0],
  ]);
});

test('the hash of a vector is that of its little-endian bytes', () => {
  expect(vectorHash(Float32Array.of(1, -2))).toBe(sha256(Uint8Array.of(0, 0, 128, 63, 0, 0, 0, 192)));
});
