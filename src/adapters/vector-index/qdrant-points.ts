import { sha256 } from '../../contracts/digest.ts';
import type { Hit, Point, PointFilter, PointPayload, StoredPoint } from '../../ports/vector-index.ts';
import type { Schemas } from '@qdrant/js-client-rest';

/** Names of the two vectors of a point. */
export const denseName = 'dense';
export const sparseName = 'sparse';

/** Fields that filters ask for, each with an index: made before the first point, as a filter without one is a scan, and refused in strict mode. */
export const payloadIndexes: Readonly<Record<string, Schemas['PayloadFieldSchema']>> = {
  tenant: { type: 'keyword', is_tenant: true },
  document: 'keyword',
  version: 'integer',
  author: 'keyword',
  platform: 'keyword',
  content_type: 'keyword',
};

/** What lies beside the vectors: fields to filter by, what verification compares, and the chunk itself. */
interface StoredPayload {
  readonly tenant: string;
  readonly document: string;
  readonly version: number;
  readonly author: string | null;
  readonly platform: string;
  readonly content_type: string;
  readonly payload_hash: string;
  /** Of the vector as it was given. */
  readonly vector_hash: string;
  /** Of the vector as it is stored, at length one. */
  readonly unit_hash: string;
  readonly chunk: PointPayload;
}

/** Fields that a scroll needs. */
export const storedFields = ['tenant', 'document', 'version', 'payload_hash', 'vector_hash', 'unit_hash'];

/** BM25: how fast repetition saturates, how much length counts, and the length of a usual chunk in terms. A running mean would make a point depend on the others. */
const [k1, b, usualLength] = [1.2, 0.75, 150];

/** A batch is closed before it grows over one of these. */
const batchPoints = 128;
const batchBytes = 16 * 1024 * 1024;

/** A batch of one version and the size of its points as JSON. */
export interface Batch {
  readonly points: readonly Schemas['PointStruct'][];
  readonly version: number;
}

/** A point as Qdrant takes it. The vector is brought to length one, so that its dot product with a question of length one is the cosine. */
export function pointStruct(point: Point): Schemas['PointStruct'] {
  const unit = unitVector(point.vector);
  const { payload } = point;
  const stored: StoredPayload = {
    tenant: payload.tenant,
    document: payload.document,
    version: point.version,
    author: payload.authorId,
    platform: payload.platform,
    content_type: payload.contentType,
    payload_hash: point.payloadHash,
    vector_hash: hashOf(point.vector),
    unit_hash: hashOf(unit),
    chunk: payload,
  };
  const sparse = point.terms.length === 0 ? {} : { [sparseName]: termWeights(point.terms) };
  return { id: point.id, vector: { [denseName]: shortNumbers(unit), ...sparse }, payload: stored as unknown as Record<string, unknown> };
}

/** Points in requests of bounded size; those of one version stand together, as a version is what an upsert is guarded by. */
export function* batchesOf(points: readonly Point[]): Generator<Batch[]> {
  let batches: Batch[] = [];
  let [count, bytes] = [0, 0];
  for (const point of points) {
    const struct = pointStruct(point);
    const size = Buffer.byteLength(JSON.stringify(struct));
    if (count === batchPoints || (count > 0 && bytes + size > batchBytes)) {
      yield batches;
      batches = [];
      [count, bytes] = [0, 0];
    }
    const last = batches.at(-1);
    if (last?.version === point.version) (last.points as Schemas['PointStruct'][]).push(struct);
    else batches.push({ points: [struct], version: point.version });
    count += 1;
    bytes += size;
  }
  if (count > 0) yield batches;
}

/** What was stored of a point. Whoever changed a vector behind our back did not change its hash: then the hash of what really stands there is given. */
export function storedPoint({ id, payload, vector }: Schemas['Record']): StoredPoint {
  const { tenant, document, version, payload_hash, vector_hash, unit_hash } = payload as unknown as StoredPayload;
  const dense = (vector as Record<string, number[]> | null | undefined)?.[denseName];
  const actual = dense === undefined ? 'none' : hashOf(Float32Array.from(dense));
  return { id: String(id), tenant, document, version, payloadHash: payload_hash, vectorHash: actual === unit_hash ? vector_hash : actual };
}

/** A found point; the chunk was stored as it was given. */
export function hitOf({ id, score, payload }: Schemas['ScoredPoint']): Hit {
  return { id: String(id), score, payload: (payload as unknown as StoredPayload).chunk };
}

/** A question's terms, each once: how rare one is, the index knows. */
export function questionWeights(terms: readonly string[]): Schemas['SparseVector'] {
  const indices = [...new Set(terms.map(termNumber))];
  return { indices, values: indices.map(() => 1) };
}

/** A filter that holds for a tenant alone, and every condition that is named. */
export function filterOf(tenant: string, { documents, authorIds, platforms, contentTypes }: PointFilter = {}): Schemas['Filter'] {
  const named = Object.entries({ document: documents, author: authorIds, platform: platforms, content_type: contentTypes });
  const lists = named.filter((entry): entry is [string, readonly string[]] => entry[1] !== undefined);
  return { must: [tenantIs(tenant), ...lists.map(([key, values]) => ({ key, match: { any: [...values] } }))] };
}

/** Holds for points of a tenant that are not newer than a version, of certain ids where some are named. */
export function notNewer(tenant: string, version: number, ids?: readonly string[]): Schemas['Filter'] {
  const bound = { key: 'version', range: { lte: version } };
  return { must: [tenantIs(tenant), bound, ...(ids ? [{ has_id: [...ids] }] : [])] };
}

/** Holds for a tenant's points among some ids. */
export function among(tenant: string, ids: readonly string[]): Schemas['Filter'] {
  return { must: [tenantIs(tenant), { has_id: [...ids] }] };
}

/** The vector at length one; one without a direction stays as it is. */
export function unitVector(vector: Float32Array): Float32Array {
  let squares = 0;
  for (const value of vector) squares += value * value;
  if (squares === 0) return vector;
  const length = Math.sqrt(squares);
  return vector.map((value) => value / length);
}

/** A vector in as few digits as give its float32 values back. */
export function shortNumbers(vector: Float32Array): number[] {
  return Array.from(vector, (value) => Number(value.toPrecision(9)));
}

function tenantIs(tenant: string) {
  return { key: 'tenant', match: { value: tenant } };
}

function hashOf(vector: Float32Array): string {
  return sha256(new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength));
}

/** What BM25 gives each term of a text, but for its rarity. */
function termWeights(terms: readonly string[]): Schemas['SparseVector'] {
  const counts = new Map<number, number>();
  for (const term of terms) {
    const number = termNumber(term);
    counts.set(number, (counts.get(number) ?? 0) + 1);
  }
  const norm = k1 * (1 - b + (b * terms.length) / usualLength);
  return { indices: [...counts.keys()], values: Array.from(counts.values(), (count) => (count * (k1 + 1)) / (count + norm)) };
}

/** Numbers of terms that were met lately; made anew when there are too many. */
let numbers = new Map<string, number>();

/** The place of a term in a sparse vector: 32 bits of its hash. Two of 100,000 words that share one are to be expected about once. */
function termNumber(term: string): number {
  const known = numbers.get(term);
  if (known !== undefined) return known;
  if (numbers.size > 50_000) numbers = new Map();
  const number = Number.parseInt(sha256(term).slice(0, 8), 16);
  numbers.set(term, number);
  return number;
}
