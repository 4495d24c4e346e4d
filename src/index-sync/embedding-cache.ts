import { digestOf, sha256 } from '../contracts/digest.ts';
import type { Embedder } from '../ports/embedder.ts';
import type { MetadataStore } from '../ports/metadata-store.ts';

/** The cache's table: it may be emptied at any time. */
export const embeddingTable = 'cache:embeddings';

/** Texts that are sent to the embedder together, and kept as soon as they are there. */
const batchSize = 128;

/** What embedding needs beside texts. */
export interface EmbeddingPorts {
  readonly embedder: Embedder;
  readonly metadataStore: MetadataStore;
}

/**
 * Vectors by text: from the cache where the same embedder has seen exactly this text, else made now and kept. A model gives a text another vector,
 * by a rounding, in another batch: of processes that embed it at once, all take the vector that was kept first.
 */
export async function embedCached(
  texts: Iterable<string>,
  { embedder, metadataStore }: EmbeddingPorts,
  { signal, embedded }: { readonly signal?: AbortSignal | undefined; embedded?(made: number, cached: number): void } = {},
): Promise<Map<string, Float32Array>> {
  const vectors = await cachedVectors(texts, { embedder, metadataStore });
  const missing = [...new Set(texts)].filter((text) => !vectors.has(text));
  embedded?.(0, vectors.size);
  for (let start = 0; start < missing.length; start += batchSize) {
    const batch = missing.slice(start, start + batchSize);
    const made = await embedder.embed(batch, signal ? { signal } : {});
    // What is no vector is not kept: the embedder may be mended.
    const good = [...batch.entries()].filter(
      ([index]) => made[index]!.length === embedder.dimension && made[index]!.every(Number.isFinite),
    );
    const kept = await metadataStore.putMany(
      embeddingTable,
      good.map(([index, text]) => ({ key: keyOf(embedder, text), expectedRevision: 0, row: { vector: encode(made[index]!) } })),
    );
    for (const [index, text] of batch.entries()) vectors.set(text, made[index]!);
    const late = good.filter((_, at) => !kept[at]!.ok).map(([, text]) => text);
    for (const [text, vector] of await cachedVectors(late, { embedder, metadataStore })) vectors.set(text, vector);
    embedded?.(batch.length, 0);
  }
  return vectors;
}

/** Vectors of those texts that the cache holds. */
export async function cachedVectors(
  texts: Iterable<string>,
  { embedder, metadataStore }: EmbeddingPorts,
): Promise<Map<string, Float32Array>> {
  const distinct = [...new Set(texts)];
  if (distinct.length === 0) return new Map();
  const rows = await metadataStore.get(
    embeddingTable,
    distinct.map((text) => keyOf(embedder, text)),
  );
  const vectors = new Map<string, Float32Array>();
  for (const [index, text] of distinct.entries()) {
    const row = rows[index]?.row as { vector: string } | undefined;
    if (row) vectors.set(text, decode(row.vector));
  }
  return vectors;
}

/** Removes the vectors of texts, by every embedder that may have made them; counts those that were there. */
export async function forgetEmbeddings(
  texts: readonly string[],
  embedders: readonly { readonly identity: string; readonly dimension: number | null }[],
  metadataStore: MetadataStore,
): Promise<number> {
  const keys = embedders.flatMap(({ identity, dimension }) => texts.map((text) => keyOf({ identity, dimension }, text)));
  const known = keys.length === 0 ? [] : await metadataStore.get(embeddingTable, keys);
  const gone = keys.filter((_, at) => known[at] !== null);
  await metadataStore.putMany(
    embeddingTable,
    gone.map((key) => ({ key, expectedRevision: null, row: null })),
  );
  return gone.length;
}

/** The sha256 of a vector's little-endian float32 bytes, as the index reports it. */
export function vectorHash(vector: Float32Array): string {
  return sha256(new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength));
}

function keyOf(embedder: { readonly identity: string; readonly dimension: number | null }, text: string): string {
  return digestOf([embedder.identity, embedder.dimension, text]);
}

function encode(vector: Float32Array): string {
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString('base64');
}

function decode(text: string): Float32Array {
  const bytes = Buffer.from(text, 'base64');
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}
