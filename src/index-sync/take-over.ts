import { embedderAlias, type IndexVerdict } from '../contracts/index-state.ts';
import { ProblemError } from '../contracts/problem.ts';
import type { MetadataStore } from '../ports/metadata-store.ts';
import type { VectorIndex } from '../ports/vector-index.ts';
import type { SyncPoint } from './apply.ts';
import { fingerprintedName, forgetState } from './cursor.ts';
import { DeadLetters } from './dead-letters.ts';
import { forgetGeneration, type GenerationRecord, listGenerations, readGeneration, writeGeneration } from './generations.ts';
import { Ledger } from './ledger.ts';
import { Sweeps } from './sweeps.ts';

/** Where generations lie and are noted. */
export interface GenerationPorts {
  readonly metadataStore: MetadataStore;
  readonly vectorIndex: VectorIndex;
}

/** A generation that is to be found under the name of its index. */
export interface TakeOver {
  readonly index: string;
  readonly generation: string;
  readonly embedder: string;
  readonly dimension: number;
  /** Why it may. */
  readonly verdict: IndexVerdict | null;
  /** How long the one before is kept, so that it can be rolled back to. */
  readonly keepMs: number;
  reached?(point: SyncPoint): void | Promise<void>;
}

/**
 * Gives a generation the names of its index. First the name that readers with its embedder ask for, then that of the index: each is one
 * atomic move. What died in between is finished by the next call, and no reader meets a generation that is not whole.
 */
export async function takeOver(
  { index, generation, embedder, dimension, verdict, keepMs, reached }: TakeOver,
  ports: GenerationPorts,
): Promise<void> {
  const { metadataStore, vectorIndex } = ports;
  const current = await vectorIndex.alias(index);
  const known = await readGeneration(metadataStore, index, generation);
  const replaced = current === generation ? (known?.replaced ?? null) : current;
  const since = await metadataStore.now();
  const record: GenerationRecord = { index, generation, embedder, dimension, state: 'building', since, keptUntil: null, replaced, verdict };
  if (current !== generation) await writeGeneration(metadataStore, record);
  await moveTo(embedderAlias(index, embedder), generation, vectorIndex);
  await reached?.('after-embedder-alias');
  await moveTo(index, generation, vectorIndex);
  await reached?.('after-alias');
  const before = replaced === null ? null : await readGeneration(metadataStore, index, replaced);
  if (before?.state === 'serving') await writeGeneration(metadataStore, { ...before, state: 'kept', since, keptUntil: since + keepMs });
  await writeGeneration(metadataStore, { ...record, state: 'serving' });
  await reached?.('after-take-over');
}

async function moveTo(name: string, generation: string, vectorIndex: VectorIndex): Promise<void> {
  const current = await vectorIndex.alias(name);
  if (current === generation || (await vectorIndex.moveAlias(name, current, generation))) return;
  throw new ProblemError({
    reason: 'alias-moved',
    message: `The alias ${name} was moved by another process`,
    hint: 'Run it again',
    exit: 1,
  });
}

/** Drops generations whose time to be rolled back to is over, and those that were built from a store that is no more. */
export async function dropOutlived(index: string, serving: string, ports: GenerationPorts): Promise<readonly string[]> {
  const now = await ports.metadataStore.now();
  const dropped: string[] = [];
  for (const record of await listGenerations(ports.metadataStore, index)) {
    if (record.generation === serving) continue;
    const rebuilt = fingerprintedName(record.generation) === fingerprintedName(serving);
    if (!rebuilt && !(record.state === 'kept' && (record.keptUntil ?? 0) <= now)) continue;
    await dropGeneration(record, ports);
    dropped.push(record.generation);
  }
  return dropped;
}

/** Removes a generation that the index is not named for: its points, its ledger and its cursor. Safe to call again after a death in the middle. */
export async function dropGeneration(
  { index, generation, embedder }: Pick<GenerationRecord, 'index' | 'generation' | 'embedder'>,
  { metadataStore, vectorIndex }: GenerationPorts,
): Promise<void> {
  await vectorIndex.removeAlias(embedderAlias(index, embedder), generation);
  await vectorIndex.drop(generation);
  await new Ledger(metadataStore, generation).clear();
  await new DeadLetters(metadataStore, generation).empty();
  await new Sweeps(metadataStore, generation).empty();
  const others = await listGenerations(metadataStore, index);
  const shared = others.some(
    (other) => other.generation !== generation && fingerprintedName(other.generation) === fingerprintedName(generation),
  );
  // A rebuild of the same fingerprint goes on with the cursor.
  if (!shared) await forgetState(metadataStore, generation);
  await forgetGeneration(metadataStore, index, generation);
}
