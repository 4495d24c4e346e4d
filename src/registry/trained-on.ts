import type { ModelVersion } from '../contracts/registry.ts';
import { modelReference } from './models.ts';

/** A version that learned from something, itself or through what it was tuned from. */
export interface TrainedModel {
  readonly model: ModelVersion;
  /** The version through which it came; null where its own rows hold it. */
  readonly through: string | null;
}

/** Every version whose own rows are among `data`, and every one that stands on such a version. */
export function trainedOn(models: readonly ModelVersion[], data: ReadonlySet<string>): readonly TrainedModel[] {
  const byReference = new Map(models.map((model) => [modelReference(model), model]));
  const known = new Map<string, TrainedModel | null>();
  const find = (model: ModelVersion): TrainedModel | null => {
    const reference = modelReference(model);
    const answer = known.get(reference);
    if (answer !== undefined) return answer;
    known.set(reference, null);
    const own = model.data !== null && data.has(model.data);
    const above = [model.parent, model.base].find((each) => {
      const other = each === null ? undefined : byReference.get(each);
      return other !== undefined && find(other) !== null;
    });
    const found = own ? { model, through: null } : above === undefined || above === null ? null : { model, through: above };
    known.set(reference, found);
    return found;
  };
  return models.flatMap((model) => find(model) ?? []);
}
