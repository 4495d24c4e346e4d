import type { ModelVersion } from '../contracts/registry.ts';
import type { MetadataStore } from '../ports/metadata-store.ts';
import { listAliases, previousTarget } from './aliases.ts';
import { listModels, modelReference } from './models.ts';

/** What would miss a version if it were deleted, in words of the registry: aliases, what they would roll back to, versions that stand on it. */
export async function referencesTo(store: MetadataStore, model: ModelVersion): Promise<readonly string[]> {
  const reference = modelReference(model);
  const [aliases, models] = [await listAliases(store), await listModels(store)];
  const built = (other: ModelVersion): readonly string[] => [
    ...(other.base === reference ? [`the base of ${modelReference(other)}`] : []),
    ...(other.parent === reference ? [`what ${modelReference(other)} was tuned from`] : []),
  ];
  return [
    ...aliases.filter(({ target }) => target === reference).map(({ model: name, alias }) => `alias ${name}@${alias}`),
    ...aliases
      .filter(({ moves }) => previousTarget(moves) === reference)
      .map(({ model: name, alias }) => `what a rollback of ${name}@${alias} leads to`),
    ...models.flatMap(built),
  ];
}
