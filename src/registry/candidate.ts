import { ProblemError } from '../contracts/problem.ts';
import type { ModelVersion } from '../contracts/registry.ts';
import type { MetadataStore } from '../ports/metadata-store.ts';
import { moveAlias, readAlias } from './aliases.ts';
import { modelReference } from './models.ts';

/** Points the alias `candidate` at a version that was just made; a ProblemError where someone else moved it meanwhile. */
export async function nameCandidate(
  store: MetadataStore,
  model: ModelVersion,
  { who, reason, run }: { readonly who: string; readonly reason: string; readonly run: string },
): Promise<void> {
  const { target } = await readAlias(store, model.name, 'candidate');
  const to = modelReference(model);
  const moved = await moveAlias(store, { model: model.name, alias: 'candidate', expected: target, to, who, run, report: null, reason });
  if (!moved.ok) throw new ProblemError(aliasMoved(model.name, 'candidate', target, moved.found));
}

/** The problem of a compare-and-swap that someone else won. */
export function aliasMoved(model: string, alias: string, expected: string | null, found: string | null) {
  return {
    reason: 'alias-moved',
    message: `The alias '${alias}' of ${model} was moved by someone else meanwhile`,
    expected: expected ?? 'no target',
    found: found ?? 'no target',
    hint: 'Run the pipeline again',
    exit: 1,
  } as const;
}
