import type { Json } from '../contracts/digest.ts';
import type { IndexVerdict } from '../contracts/index-state.ts';
import type { MetadataStore } from '../ports/metadata-store.ts';

const table = 'generations';
const page = 200;

/** What became of a generation. The alias in the vector index says which one readers find; this says why. */
export interface GenerationRecord {
  readonly index: string;
  readonly generation: string;
  /** Identity of the embedder that made its vectors. */
  readonly embedder: string;
  readonly dimension: number;
  /**
   * `building`: filled for the first time. `serving`: took the alias. `kept`: another has it now, and this one can still be rolled back to.
   * `refused`: the gate did not let it through. `rolled-back`: a person took the alias from it; only a person gives it back.
   */
  readonly state: 'building' | 'serving' | 'kept' | 'refused' | 'rolled-back';
  /** When it came into this state, by the clock of the store. */
  readonly since: number;
  /** Until when one that is kept is not dropped. */
  readonly keptUntil: number | null;
  /** The generation that it took the alias from. */
  readonly replaced: string | null;
  /** What the gate said of it last; null before it was asked. */
  readonly verdict: IndexVerdict | null;
}

const keyOf = (index: string, generation: string) => `${index}/${generation}`;

/** The record of a generation; null where nothing was noted. */
export async function readGeneration(store: MetadataStore, index: string, generation: string): Promise<GenerationRecord | null> {
  const [row] = await store.get(table, [keyOf(index, generation)]);
  return (row?.row as unknown as GenerationRecord | undefined) ?? null;
}

/** Notes what became of a generation, on disk before the promise resolves. */
export async function writeGeneration(store: MetadataStore, record: GenerationRecord): Promise<void> {
  const key = keyOf(record.index, record.generation);
  await store.putMany(table, [{ key, expectedRevision: null, row: record as unknown as Json }], 'power');
}

/** Forgets a generation that was dropped. */
export async function forgetGeneration(store: MetadataStore, index: string, generation: string): Promise<void> {
  await store.putMany(table, [{ key: keyOf(index, generation), expectedRevision: null, row: null }], 'power');
}

/** Every generation of an index that is still there, the youngest first; of all indexes where none is named. */
export async function listGenerations(store: MetadataStore, index?: string): Promise<readonly GenerationRecord[]> {
  const records: GenerationRecord[] = [];
  for (let after = ''; ;) {
    const rows = await store.scan(table, index === undefined ? '' : `${index}/`, after, page);
    records.push(...rows.map(({ row }) => row as unknown as GenerationRecord));
    const last = rows.at(-1);
    if (rows.length < page || last === undefined) break;
    after = last.key;
  }
  return records.toSorted((one, other) => other.since - one.since);
}
