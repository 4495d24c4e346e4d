import { ProblemError } from '../contracts/problem.ts';
import type { ModelVersion } from '../contracts/registry.ts';
import type { MetadataStore } from '../ports/metadata-store.ts';
import { listAliases } from '../registry/aliases.ts';
import { findModels, modelReference } from '../registry/models.ts';

/** The model that an alias, `<name>@<alias>`, a version or the start of one names; throws the problem of a name that fits none or several. */
export async function findModel(store: MetadataStore, name: string): Promise<ModelVersion> {
  const [model, wanted] = name.includes('@') ? name.split('@', 2) : [undefined, name];
  const aliases = (await listAliases(store, model)).filter(({ alias, target }) => alias === wanted && target !== null);
  const found = await findModels(store, aliases.length === 1 ? aliases[0]!.target! : name);
  const distinct = [...new Map(found.map((one) => [modelReference(one), one])).values()];
  if (distinct.length === 1) return distinct[0]!;
  if (distinct.length === 0) {
    throw new ProblemError({
      reason: 'unknown-model',
      message: `There is no model version or alias ${name}`,
      hint: 'See: twin models list',
      exit: 2,
    });
  }
  throw new ProblemError({
    reason: 'ambiguous-name',
    message: `${name} names ${distinct.length} model versions`,
    found: distinct.slice(0, 5).map(modelReference).join(', '),
    hint: 'Give more of it.',
    exit: 2,
  });
}
