import { ProblemError } from '../contracts/problem.ts';
import type { ComparedModels, ModelVersion } from '../contracts/registry.ts';
import type { MetadataStore } from '../ports/metadata-store.ts';
import { incumbentOf, readAlias } from './aliases.ts';
import { findModels, modelReference } from './models.ts';

/** The versions of a comparison, and their names for the report. */
export interface Comparison {
  readonly names: ComparedModels;
  readonly base: ModelVersion;
  readonly sft: ModelVersion;
  readonly incumbent: ModelVersion | null;
}

async function mustFind(store: MetadataStore, reference: string | null, role: string, of: string): Promise<ModelVersion> {
  const found = reference === null ? undefined : (await findModels(store, reference))[0];
  if (found) return found;
  throw new ProblemError({
    reason: 'no-version',
    message: `${of} has no ${role} in the registry`,
    expected: `a registered ${role} version`,
    found: reference ?? 'none',
    hint: 'Train it anew with: twin run training-pipeline',
    exit: 1,
  });
}

/** Finds what a tuned candidate is compared with: its base, the SFT version it started from, and the incumbent under `alias`. */
export async function comparisonFor(store: MetadataStore, candidate: ModelVersion, alias: string): Promise<Comparison> {
  const reference = modelReference(candidate);
  const incumbent = incumbentOf(await readAlias(store, candidate.name, alias), reference);
  const base = await mustFind(store, candidate.base, 'base', reference);
  let sft = candidate;
  while (sft.method !== 'sft') sft = await mustFind(store, sft.parent, 'SFT version', modelReference(sft));
  return {
    names: {
      name: candidate.name,
      alias,
      base: modelReference(base),
      sft: modelReference(sft),
      candidate: reference,
      incumbent,
    },
    base,
    sft,
    incumbent: incumbent === null ? null : await mustFind(store, incumbent, 'incumbent', reference),
  };
}
