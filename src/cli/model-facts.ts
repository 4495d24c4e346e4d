import type { ModelVersion } from '../contracts/registry.ts';
import { lineage } from '../history/lineage.ts';
import type { ArtifactStore } from '../ports/artifact-store.ts';
import type { MetadataStore } from '../ports/metadata-store.ts';
import { listAliases } from '../registry/aliases.ts';
import { listEvaluations } from '../registry/evaluations.ts';
import type { CardFacts } from '../registry/model-card.ts';
import { findModels, modelReference } from '../registry/models.ts';

/** From the version itself over what it was tuned from back to its first base. */
export async function ancestryOf(store: MetadataStore, version: ModelVersion): Promise<readonly ModelVersion[]> {
  const found = [version];
  for (let at = version; ;) {
    const before = at.parent ?? at.base;
    const [next] = before === null ? [] : await findModels(store, before);
    if (next === undefined || found.some(({ version: known }) => known === next.version)) return found;
    found.push(next);
    at = next;
  }
}

/** Everything that a model card says. */
export async function modelFacts(
  { metadata, artifacts }: { readonly metadata: MetadataStore; readonly artifacts: ArtifactStore },
  model: ModelVersion,
): Promise<CardFacts> {
  const reference = modelReference(model);
  const aliases = await listAliases(metadata, model.name);
  const evaluations = await listEvaluations(metadata, model.name);
  return {
    model,
    aliases: aliases.filter(({ target }) => target === reference).map(({ alias }) => alias),
    ancestry: await ancestryOf(metadata, model),
    evaluations: evaluations.filter(({ candidate }) => candidate === reference),
    documents: (await lineage({ metadata, artifacts }, model.weights)).documents.length,
  };
}
