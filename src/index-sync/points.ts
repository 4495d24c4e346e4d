import { canonicalJson, digestOf, uuidv5 } from '../contracts/digest.ts';
import { embedderInput, type Chunk } from '../contracts/document.ts';

/** Version of what a point's payload holds; part of an index's fingerprint. */
export const payloadVersion = 1;

/** Where the documents of points come from; part of every point's id, never to change. */
const namespace = 'documents';

/** A chunk as it should stand in the index, before it has a vector. */
export interface PreparedPoint {
  readonly id: string;
  readonly chunk: Chunk;
  /** The exact text to embed. */
  readonly input: string;
  /** Digest of input and payload; a version is in neither. */
  readonly payloadHash: string;
}

/** The id of the point of a document's chunk: stable over any change of its content. */
export function pointId({ tenant, document, ordinal }: Pick<Chunk, 'tenant' | 'document' | 'ordinal'>): string {
  return uuidv5(canonicalJson([tenant, namespace, document, ordinal]));
}

/** A document's chunks as points; two chunks in one place are a bug of the chunker. */
export function pointsOf(chunks: readonly Chunk[]): PreparedPoint[] {
  const points = chunks.map((chunk) => {
    const input = embedderInput(chunk);
    return { id: pointId(chunk), chunk, input, payloadHash: digestOf([input, chunk]) };
  });
  if (new Set(points.map(({ id }) => id)).size !== points.length) {
    throw new TypeError(`Two chunks of document ${chunks[0]?.document} have one ordinal`);
  }
  return points;
}
