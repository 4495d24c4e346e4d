import { createHash } from 'node:crypto';
import type { Embedder } from '../../src/ports/embedder.ts';

/** An embedder whose vectors are unit vectors made of a text's hash; notes every text it was given, batch by batch. */
export function hashEmbedder(identity = 'hash-embedder', dimension = 8): Embedder & { readonly batches: string[][] } {
  const batches: string[][] = [];
  return {
    identity,
    dimension,
    batches,
    async embed(texts) {
      batches.push([...texts]);
      return texts.map((text) => {
        const bytes = createHash('sha256').update(`${identity} ${text}`).digest();
        const values = Array.from({ length: dimension }, (_, index) => bytes[index % bytes.length]! - 127.5);
        const length = Math.hypot(...values);
        return Float32Array.from(values, (value) => value / length);
      });
    },
  };
}
