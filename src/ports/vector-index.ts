import type { Chunk } from '../contracts/document.ts';
import type { Version } from './document-store.ts';

/** A point's payload: the chunk that it stands for. */
export type PointPayload = Chunk;

/** One chunk in the index. */
export interface Point {
  /** UUIDv5 of [tenant, namespace, document id, ordinal]. */
  readonly id: string;
  readonly version: Version;
  readonly vector: Float32Array;
  /** Terms of the text for sparse search, by the shared tokenizer, repeats kept. */
  readonly terms: readonly string[];
  readonly payload: PointPayload;
  /** Digest of embedder input and payload, version left out. */
  readonly payloadHash: string;
}

/** Narrows a search. Every named condition must hold. */
export interface PointFilter {
  readonly documents?: readonly string[];
  readonly authorIds?: readonly string[];
  readonly platforms?: readonly string[];
  readonly contentTypes?: readonly string[];
}

/** A point found, and how well it fits: cosine for dense, BM25 for sparse, higher is better. */
export interface Hit {
  readonly id: string;
  readonly score: number;
  readonly payload: PointPayload;
}

/** What is stored of a point, for verification. */
export interface StoredPoint {
  readonly id: string;
  readonly tenant: string;
  readonly document: string;
  readonly version: Version;
  readonly payloadHash: string;
  /** sha256 of the vector's little-endian float32 bytes. */
  readonly vectorHash: string;
}

/** Holds points by generation (an index with one fingerprint); readers go through an alias. The tenant is never optional. */
export interface VectorIndex {
  readonly capabilities: { readonly shared: boolean };
  /** Makes the generation if it is not there; a generation of another dimension is a problem. */
  ensure(generation: string, dimension: number): Promise<void>;
  /** Writes each point whose stored version is absent or not higher. Vectors must be finite and of the generation's dimension. */
  upsert(generation: string, tenant: string, points: readonly Point[]): Promise<void>;
  /** Removes ids whose stored version is not higher (`atMost`). */
  remove(generation: string, tenant: string, ids: readonly string[], atMost: Version): Promise<void>;
  searchDense(
    generation: string,
    tenant: string,
    query: { readonly vector: Float32Array; readonly limit: number; readonly filter?: PointFilter },
  ): Promise<readonly Hit[]>;
  searchSparse(
    generation: string,
    tenant: string,
    query: { readonly terms: readonly string[]; readonly limit: number; readonly filter?: PointFilter },
  ): Promise<readonly Hit[]>;
  /** Stored points after the id `after`, sorted by id, of all tenants: for verification alone. */
  scroll(generation: string, after: string, limit: number): Promise<readonly StoredPoint[]>;
  /** What is stored under some ids, of whatever tenant; what is not there is left out. */
  stored(generation: string, ids: readonly string[]): Promise<readonly StoredPoint[]>;
  count(generation: string, tenant: string): Promise<number>;
  /** The generation that an alias names, null where it names none. */
  alias(name: string): Promise<string | null>;
  /** Moves an alias if it still names `expected`. */
  moveAlias(name: string, expected: string | null, generation: string): Promise<boolean>;
  /** Forgets an alias if it still names `expected`. */
  removeAlias(name: string, expected: string): Promise<boolean>;
  drop(generation: string): Promise<void>;
  close(): Promise<void>;
}
