import { createHash } from 'node:crypto';
import type { Embedder } from '../../ports/embedder.ts';

/** How to make vectors that mean nothing. */
export interface FakeEmbedderOptions {
  readonly dimension?: number;
}

/**
 * For tests and the memory benchmark alone: each word adds to a few dimensions that its hash names, so that texts which share words are near.
 * Its identity begins with `fake`, and whatever it made says so.
 */
export function fakeEmbedder({ dimension = 384 }: FakeEmbedderOptions = {}): Embedder {
  return {
    identity: `fake-word-hash-1 ${dimension}`,
    dimension,
    async embed(texts, options) {
      options?.signal?.throwIfAborted();
      return texts.map((text) => unitVector(text, dimension));
    },
  };
}

function unitVector(text: string, dimension: number): Float32Array {
  const vector = new Float32Array(dimension);
  // A text without words is itself one.
  for (const word of text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [text]) {
    const hash = createHash('sha1').update(word).digest();
    for (let at = 0; at < 16; at += 4) vector[hash.readUInt32LE(at) % dimension]! += hash[16 + at / 4]! / 255 + 0.1;
  }
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}
